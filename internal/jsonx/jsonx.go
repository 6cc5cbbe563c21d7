// Package jsonx reads JSON by member without building it, and writes it by member.
//
// Parse checks a whole document once: grammar, UTF-8, depth, and the number and uniqueness of
// member names. The values it yields alias the document, so that a large text is passed on
// without being copied or decoded.
package jsonx

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 128

// MaxMembers is how many members an object may have.
const MaxMembers = 1 << 16

// Value is one well-formed JSON value without surrounding white space, as Parse
// checked it. It aliases its document and must not be changed. The zero Value is absent.
type Value []byte

// Kind is the JSON type of a Value.
type Kind byte

// The kinds of JSON values; Absent is the kind of the zero Value.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// SyntaxError says what is wrong with a document and at which byte (from 0).
type SyntaxError struct {
	Offset int
	Msg    string
}

func (e *SyntaxError) Error() string {
	return e.Msg + " at byte " + strconv.Itoa(e.Offset)
}

// ErrType is returned by accessors for a value of another JSON type.
var ErrType = errors.New("wrong JSON type")

// Parse checks that doc is exactly one JSON value (RFC 8259) whose objects have no
// member name twice, and returns it. Its errors are *SyntaxError.
func Parse(doc []byte) (Value, error) {
	root, err := ParseMembers(doc, 0)
	return root.Value, err
}

// rooms are for the names of objects that are open.
var rooms = sync.Pool{New: func() any { return new([manyKeys][]byte) }}

func (s *scanner) document() (Value, error) {
	start := s.space(0)
	end, err := s.value(start, 0)
	if err != nil {
		return nil, err
	}
	if rest := s.space(end); rest != len(s.doc) {
		return nil, &SyntaxError{rest, "unexpected data after the JSON value"}
	}
	return Value(s.doc[start:end:end]), nil
}

// Member is a member of an object, and where in the document its name begins and its value begins and ends.
type Member struct {
	Name     string // decoded; it may alias the document
	Value    Value
	At       int
	From, To int
}

// Root is the value that a document is.
type Root struct {
	Value   Value
	Members []Member // of an object, in order
	long    []span
}

// span is where a string begins and ends in a document.
type span struct{ from, to int }

// lengthy is from how many bytes on the end of a string is remembered, and most of how many of them.
const (
	lengthy     = 1 << 10
	mostLengthy = 64
)

// ParseMembers checks doc as Parse does and also returns the members of the object that it is, in the same
// scan, the first of them if there are more than most; none where it is another value.
func ParseMembers(doc []byte, most int) (Root, error) {
	const few = 8 // have most
	room, _ := rooms.Get().(*[manyKeys][]byte)
	s := scanner{doc: doc, keys: room[:0], most: most}
	if most > 0 {
		s.root = make([]Member, 0, min(most, few))
	}
	v, err := s.document()
	clear(room[:]) // which would keep doc
	rooms.Put(room)
	return Root{v, s.root, s.long}, err
}

// Kind tells the JSON type by the value's first byte.
func (v Value) Kind() Kind {
	if len(v) == 0 {
		return Absent
	}
	switch v[0] {
	case 'n':
		return Null
	case 't', 'f':
		return Bool
	case '"':
		return String
	case '[':
		return Array
	case '{':
		return Object
	default:
		return Number
	}
}

// Null reports whether the value is absent or null.
func (v Value) Null() bool { k := v.Kind(); return k == Absent || k == Null }

// Members yields the members of an object in order; nothing for any other value.
// A name is decoded; like the value it aliases the document, so clone one that outlives it.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() == Object {
			members(v, 0, 0, nil, yield)
		}
	}
}

// members walks the object that begins at i in a checked document, and returns the index after it; 0 where yield wants no more. Of
// strings that are long it may be known where they end in the document, in which v begins at base.
func members(v []byte, i, base int, long []span, yield func(string, Value) bool) int {
	i = skipSpace(v, i+1)
	for v[i] != '}' {
		end := skipString(v, i)
		name := nameOf(v[i:end])
		i = skipSpace(v, skipSpace(v, end)+1)
		if at, ok := slices.BinarySearchFunc(long, base+i, func(s span, from int) int { return s.from - from }); ok {
			end = long[at].to - base
		} else {
			end = skipValue(v, i)
		}
		if !yield(name, v[i:end:end]) {
			return 0
		}
		if i = skipSpace(v, end); v[i] == ',' {
			i = skipSpace(v, i+1)
		}
	}
	return i + 1
}

// nameOf decodes a member name without a copy, which would be the most frequent allocation of all.
func nameOf(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if len(inner) == 0 || bytes.IndexByte(inner, '\\') >= 0 {
		return string(AppendUnquoted(nil, quoted))
	}
	return alias(inner)
}

// alias is b as a string that shares its memory.
func alias(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) //nolint:gosec // a document is not changed while its values are in use
}

// Elements yields the elements of an array with their positions; nothing for any other value.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if v.Kind() != Array {
			return
		}
		i := skipSpace(v, 1)
		for n := 0; v[i] != ']'; n++ {
			end := skipValue(v, i)
			if !yield(n, v[i:end:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

// Element is an element of an array while Walk is at it.
type Element struct {
	root    *Root
	base    int // of array in the document
	array   Value
	at, end int // end is 0 until it is known
}

// Walk yields the elements of an array that a member of the root is, as Value.Elements does, but goes only once over objects whose
// Members are read, and not again over strings that are long. An element is valid until the next.
func (r *Root) Walk(m *Member) iter.Seq2[int, *Element] {
	return func(yield func(int, *Element) bool) {
		v := m.Value
		if v.Kind() != Array {
			return
		}
		i := skipSpace(v, 1)
		var e Element
		for n := 0; v[i] != ']'; n++ {
			e = Element{root: r, base: m.From, array: v, at: i}
			if !yield(n, &e) {
				return
			}
			if i = skipSpace(v, e.to()); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

func (e *Element) to() int {
	if e.end == 0 {
		e.end = skipValue(e.array, e.at)
	}
	return e.end
}

// Kind is the JSON type of the element.
func (e *Element) Kind() Kind { return e.array[e.at:].Kind() }

// Value is the element.
func (e *Element) Value() Value { return e.array[e.at:e.to():e.end] }

// Members yields the members of an object as Value.Members does.
func (e *Element) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if e.Kind() == Object {
			e.end = members(e.array, e.at, e.base, e.root.long, yield)
		}
	}
}

// Get returns the named member of an object, or the zero Value.
func (v Value) Get(name string) Value {
	for n, m := range v.Members() {
		if n == name {
			return m
		}
	}
	return nil
}

// Text decodes a JSON string; it is "" for any other value. A lone surrogate becomes U+FFFD.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	return string(AppendUnquoted(make([]byte, 0, len(inner)), v))
}

// Is reports whether the value is the string s, without decoding it where it has no escapes.
func (v Value) Is(s string) bool {
	if len(v) == len(s)+2 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 {
		return string(v[1:len(v)-1]) == s
	}
	return v.Kind() == String && v.Text() == s
}

// Str decodes a string, or fails with ErrType.
func (v Value) Str() (string, error) {
	if v.Kind() != String {
		return "", ErrType
	}
	return v.Text(), nil
}

// Bool decodes true or false, or fails with ErrType.
func (v Value) Bool() (bool, error) {
	if v.Kind() != Bool {
		return false, ErrType
	}
	return v[0] == 't', nil
}

// Float decodes a number, or fails with ErrType, or with strconv.ErrRange beyond float64.
func (v Value) Float() (float64, error) {
	if v.Kind() != Number {
		return 0, ErrType
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return 0, fmt.Errorf("decode number: %w", err)
	}
	return f, nil
}

// Int decodes a number without a fraction (1, 1.0 and 1e3 are), or fails with ErrType.
func (v Value) Int() (int64, error) {
	if v.Kind() != Number {
		return 0, ErrType
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, strconv.ErrRange): // as a float it might be rounded into the range
		return 0, ErrType
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f != float64(int64(f)) || f >= 1<<63 || f < -1<<63 {
		return 0, ErrType
	}
	return int64(f), nil
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString returns the index after the string that starts at i in a checked document.
func skipString(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		back := i - 1
		for b[back] == '\\' {
			back--
		}
		if (i-back)&1 == 1 {
			return i + 1
		}
	}
}

// skipValue returns the index after the value that starts at i in a checked document.
func skipValue(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		for depth := 0; ; {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '[':
				if depth < fewLevels {
					if end := endOfNumbers(b, i); end > 0 {
						i = end
						break
					}
				}
				depth++
			case '{':
				depth++
			case '}', ']':
				depth--
			}
			i++
			if depth == 0 {
				return i
			}
		}
	}
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return i
		}
		i++
	}
	return i
}

// fewLevels is how deep lists of numbers are looked for, so that documents that only look so stay linear.
const fewLevels = 4

// endOfNumbers returns where the list at i ends, or 0: of an embedding's numbers each need not be looked at.
func endOfNumbers(b []byte, i int) int {
	const most = 256 << 10
	if c := b[i+1]; c != '-' && (c < '0' || c > '9') {
		return 0
	}
	inner := b[i+1 : min(len(b), i+most)]
	end := bytes.IndexByte(inner, ']')
	if end < 0 {
		return 0
	}
	inner = inner[:end]
	if bytes.IndexByte(inner, '[') >= 0 || bytes.IndexByte(inner, '{') >= 0 || bytes.IndexByte(inner, '"') >= 0 {
		return 0
	}
	return i + 1 + end
}

// AppendUnquoted appends the text of a JSON string (with its quotes) to dst.
func AppendUnquoted(dst []byte, quoted []byte) []byte {
	s := quoted[1 : len(quoted)-1]
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r := hex4(s)
			s = s[4:]
			if r >= 0xd800 && r < 0xdc00 && len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
				if low := hex4(s[2:]); low >= 0xdc00 && low < 0xe000 {
					r = (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
					s = s[6:]
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, c)
		}
	}
}

func hex4(s []byte) rune {
	var r rune
	for _, c := range s[:4] {
		r <<= 4
		switch {
		case c <= '9':
			r |= rune(c - '0')
		default:
			r |= rune(c|0x20) - 'a' + 10
		}
	}
	return r
}
