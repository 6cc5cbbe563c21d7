package jsonx

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// scanner checks a document from left to right; each method returns the index after what it checked.
type scanner struct {
	doc []byte
	// keys holds the raw names of all objects that are open, innermost last.
	keys [][]byte
	// root collects the first members of the outermost object, but no more than most.
	root []Member
	most int
	long []span // strings, in order
}

func (s *scanner) fail(i int, msg string) (int, error) {
	if i >= len(s.doc) {
		return 0, &SyntaxError{len(s.doc), "unexpected end of the JSON document"}
	}
	return 0, &SyntaxError{i, msg}
}

func (s *scanner) space(i int) int { return skipSpace(s.doc, i) }

func (s *scanner) value(i, depth int) (int, error) {
	if i >= len(s.doc) {
		return s.fail(i, "")
	}
	switch c := s.doc[i]; {
	case c == '"':
		return s.string(i)
	case c == '{':
		return s.object(i, depth+1)
	case c == '[':
		return s.array(i, depth+1)
	case c == 't':
		return s.word(i, "true")
	case c == 'f':
		return s.word(i, "false")
	case c == 'n':
		return s.word(i, "null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number(i)
	}
	return s.fail(i, "unexpected character")
}

func (s *scanner) word(i int, w string) (int, error) {
	end := i + len(w)
	if end > len(s.doc) || string(s.doc[i:end]) != w {
		return s.fail(i, "unexpected word")
	}
	return end, nil
}

// digits steps over those of doc from i on.
func digits(doc []byte, i int) int {
	for i < len(doc) && doc[i]-'0' <= 9 {
		i++
	}
	return i
}

func (s *scanner) number(i int) (int, error) {
	doc := s.doc
	if doc[i] == '-' {
		i++
	}
	end := digits(doc, i)
	if end == i || end > i+1 && doc[i] == '0' {
		return s.fail(i, "malformed number")
	}
	if end < len(doc) && doc[end] == '.' {
		i = end + 1
		if end = digits(doc, i); end == i {
			return s.fail(i, "malformed number")
		}
	}
	if end < len(doc) && doc[end]|0x20 == 'e' {
		i = end + 1
		if i < len(doc) && (doc[i] == '+' || doc[i] == '-') {
			i++
		}
		if end = digits(doc, i); end == i {
			return s.fail(i, "malformed number")
		}
	}
	return end, nil
}

func (s *scanner) array(i, depth int) (int, error) {
	if depth > MaxDepth {
		return s.fail(i, "nested too deep")
	}
	i = s.space(i + 1)
	if i < len(s.doc) && s.doc[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = s.value(i, depth); err != nil {
			return 0, err
		}
		i = s.space(i)
		switch {
		case i < len(s.doc) && s.doc[i] == ',':
			i = s.space(i + 1)
		case i < len(s.doc) && s.doc[i] == ']':
			return i + 1, nil
		default:
			return s.fail(i, "expected ',' or ']'")
		}
	}
}

func (s *scanner) object(i, depth int) (int, error) {
	if depth > MaxDepth {
		return s.fail(i, "nested too deep")
	}
	base := len(s.keys)
	defer func() { s.keys = s.keys[:base] }()
	var seen map[string]struct{}
	i = s.space(i + 1)
	if i < len(s.doc) && s.doc[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(s.doc) || s.doc[i] != '"' {
			return s.fail(i, "expected a member name")
		}
		at := i
		end, err := s.string(i)
		if err != nil {
			return 0, err
		}
		if !s.unique(s.doc[i:end], base, &seen) {
			return s.fail(i, "duplicate member "+clip(s.doc[i:end]))
		}
		if len(seen) > MaxMembers {
			return s.fail(i, "too many members")
		}
		if i = s.space(end); i >= len(s.doc) || s.doc[i] != ':' {
			return s.fail(i, "expected ':'")
		}
		from := s.space(i + 1)
		if i, err = s.value(from, depth); err != nil {
			return 0, err
		}
		if depth == 1 && len(s.root) < s.most {
			s.root = append(s.root, Member{nameOf(s.doc[at:end]), Value(s.doc[from:i:i]), at, from, i})
		}
		i = s.space(i)
		switch {
		case i < len(s.doc) && s.doc[i] == ',':
			i = s.space(i + 1)
		case i < len(s.doc) && s.doc[i] == '}':
			return i + 1, nil
		default:
			return s.fail(i, "expected ',' or '}'")
		}
	}
}

// manyKeys is from how many members on an object's names are kept in a map, so that hostile objects stay linear.
const manyKeys = 16

// unique notes a name of the object whose names begin at base, and reports whether it is new.
func (s *scanner) unique(quoted []byte, base int, seen *map[string]struct{}) bool {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') >= 0 {
		name = AppendUnquoted(nil, quoted)
	}
	if *seen == nil {
		for _, k := range s.keys[base:] {
			if bytes.Equal(k, name) {
				return false
			}
		}
		s.keys = append(s.keys, name)
		if len(s.keys)-base == manyKeys {
			*seen = make(map[string]struct{}, 2*manyKeys)
			for _, k := range s.keys[base:] {
				(*seen)[alias(k)] = struct{}{}
			}
		}
		return true
	}
	n := len(*seen)
	(*seen)[alias(name)] = struct{}{}
	return len(*seen) > n
}

func clip(quoted []byte) string {
	if len(quoted) > 66 {
		return string(bytes.ToValidUTF8(quoted[:64], nil)) + `…"`
	}
	return string(quoted)
}

// string checks the string that starts at i: closed, no control characters, valid escapes and UTF-8.
func (s *scanner) string(i int) (int, error) {
	doc, from := s.doc, i
	for i++; ; {
		i = plain(doc, i)
		if i >= len(doc) {
			return s.fail(i, "")
		}
		switch c := doc[i]; {
		case c == '"':
			if i++; i-from >= lengthy && s.most > 0 && len(s.long) < mostLengthy {
				s.long = append(s.long, span{from, i})
			}
			return i, nil
		case c == '\\':
			var err error
			if i, err = s.escape(i + 1); err != nil {
				return 0, err
			}
		case c < 0x20:
			return s.fail(i, "control character in a string")
		case c >= utf8.RuneSelf:
			from := i
			for i < len(doc) && doc[i] >= utf8.RuneSelf {
				i++
			}
			if !utf8.Valid(doc[from:i]) {
				return s.fail(from, "invalid UTF-8 in a string")
			}
		default: // the last few bytes of the document, one by one
			i++
		}
	}
}

// escape checks what follows a backslash.
func (s *scanner) escape(i int) (int, error) {
	if i >= len(s.doc) {
		return s.fail(i, "")
	}
	switch s.doc[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, nil
	case 'u':
		if i+5 > len(s.doc) {
			return s.fail(len(s.doc), "")
		}
		for _, c := range s.doc[i+1 : i+5] {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return s.fail(i, "malformed \\u escape")
			}
		}
		return i + 5, nil
	}
	return s.fail(i, "unknown escape")
}

// plain steps over printable ASCII that is neither a quote nor a backslash, eight bytes at a time; it may stop within the last
// eight bytes of doc without a reason.
func plain(doc []byte, i int) int {
	for ; i+32 <= len(doc); i += 32 {
		d := doc[i : i+32 : i+32]
		if special(d)|special(d[8:]) != 0 {
			break
		}
		if special(d[16:])|special(d[24:]) != 0 {
			i += 16
			break
		}
	}
	for ; i+8 <= len(doc); i += 8 {
		if found := special(doc[i:]); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	return i
}

// special marks which of the first eight bytes of b is no printable ASCII, or a quote or a backslash; beyond the first it may err.
func special(b []byte) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	w := binary.LittleEndian.Uint64(b)
	// With 2 flipped, the quote is below 0x21 like the control characters, and the space is not.
	low := ((w ^ 0x02*ones) - 0x21*ones) &^ w
	slash := w ^ '\\'*ones
	return (low | (slash-ones)&^slash | w) & high
}
