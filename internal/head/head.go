// Package head reads the lines of a head of HTTP/1.1 in the form in which nearly all of them come: printable ASCII between CRLFs,
// nothing folded, nothing that another reader might see otherwise (RFC 9112 §5).
package head

import (
	"net/textproto"
	"strings"
)

// The kinds of bytes.
const (
	inToken = 1 << iota // of a name (RFC 9110 §5.6.2)
	inValue             // of what follows it
)

var kinds = func() (k [256]byte) {
	for c := byte(' '); c <= '~'; c++ {
		k[c] = inValue
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			k[c] |= inToken
		}
	}
	return k
}()

// Token reports whether s can be the name of a header.
func Token(s string) bool {
	for i := range len(s) {
		if kinds[s[i]]&inToken == 0 {
			return false
		}
	}
	return s != ""
}

// Printable is how many bytes s begins with that are printable ASCII.
func Printable(s string) int {
	for i := range len(s) {
		if kinds[s[i]]&inValue == 0 {
			return i
		}
	}
	return len(s)
}

// Names are the names of the lines of a head, which the next one over a connection mostly has at the same places. The zero value is
// ready, for one goroutine.
type Names []struct{ written, canonical string }

// at returns the canonical form of a name at a place.
func (n *Names) at(place int, name string) string {
	const most = 32
	if place < len(*n) && (*n)[place].written == name {
		return (*n)[place].canonical
	}
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	if place < most {
		*n = append((*n)[:place], struct{ written, canonical string }{strings.Clone(name), strings.Clone(canonical)})
	}
	return canonical
}

// Lines reads header lines, each of which ends with CRLF. For each it calls yield with the name in its canonical form, the value
// without the spaces around it, and where in s the value begins. It reports false where a line is of another form, or yield does.
func (n *Names) Lines(s string, yield func(name, value string, at int) bool) bool {
	for at, place := 0, 0; at < len(s); place++ {
		colon := at
		for colon < len(s) && kinds[s[colon]]&inToken != 0 {
			colon++
		}
		if colon == at || colon == len(s) || s[colon] != ':' {
			return false
		}
		name, begin := s[at:colon], colon+1
		end := begin + Printable(s[begin:])
		if !strings.HasPrefix(s[end:], "\r\n") {
			return false
		}
		at = end + len("\r\n")
		for begin < end && s[begin] == ' ' {
			begin++
		}
		for begin < end && s[end-1] == ' ' {
			end--
		}
		if !yield(n.at(place, name), s[begin:end], begin) {
			return false
		}
	}
	return true
}

// Add adds a value to a header whose values stand in one slice, which it returns.
func Add(header map[string][]string, values []string, name, value string) []string {
	if before := header[name]; before != nil {
		header[name] = append(before, value)
		return values
	}
	values = append(values, value)
	n := len(values)
	header[name] = values[n-1 : n : n]
	return values
}
