package jsonx

import (
	"bytes"
	"encoding/binary"
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
	from, quote := i+1, i
	for {
		// The quote ahead is looked for once, or a text full of escapes would take quadratic time.
		if quote < from {
			next := bytes.IndexByte(s.doc[from:], '"')
			if next < 0 {
				return s.fail(len(s.doc), "")
			}
			quote = from + next
		}
		part := s.doc[from:quote]
		slash := bytes.IndexByte(part, '\\')
		if slash >= 0 {
			part = part[:slash]
		}
		if bad := control(part); bad >= 0 {
			return s.fail(from+bad, "control character in a string")
		}
		if !utf8.Valid(part) {
			return s.fail(from, "invalid UTF-8 in a string")
		}
		if slash < 0 {
			return quote + 1, nil
		}
		var err error
		if from, err = s.escape(from + slash + 1); err != nil {
			return 0, err
		}
	}
}

// escape checks what follows a backslash, and goes on through escapes and plain ASCII that follow closely.
func (s *scanner) escape(i int) (int, error) {
	for {
		if i >= len(s.doc) {
			return s.fail(i, "")
		}
		switch s.doc[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i++
		case 'u':
			if i+5 > len(s.doc) {
				return s.fail(len(s.doc), "")
			}
			for _, c := range s.doc[i+1 : i+5] {
				if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
					return s.fail(i, "malformed \\u escape")
				}
			}
			i += 5
		default:
			return s.fail(i, "unknown escape")
		}
		// Code and prose are dense with \n and \": a short look ahead saves a call of IndexByte for each.
		stop := min(i+64, len(s.doc))
		for i < stop && s.doc[i] >= 0x20 && s.doc[i] < 0x80 && s.doc[i] != '"' && s.doc[i] != '\\' {
			i++
		}
		if i >= stop || s.doc[i] != '\\' {
			return i, nil
		}
		i++
	}
}

// control returns the index of the first byte below 0x20, or -1.
func control(b []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+32 <= len(b); i += 32 {
		w := b[i : i+32 : i+32]
		a, c := binary.LittleEndian.Uint64(w), binary.LittleEndian.Uint64(w[8:])
		d, e := binary.LittleEndian.Uint64(w[16:]), binary.LittleEndian.Uint64(w[24:])
		if ((a-0x20*ones)&^a|(c-0x20*ones)&^c|(d-0x20*ones)&^d|(e-0x20*ones)&^e)&high != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] < 0x20 {
			return i
		}
	}
	return -1
}
