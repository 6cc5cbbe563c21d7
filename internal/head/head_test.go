package head_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/head"
)

// read is lines as a header.
func read(n *head.Names, lines string) (http.Header, bool) {
	h, values := http.Header{}, make([]string, 0, strings.Count(lines, "\n"))
	ok := n.Lines(lines, func(name, value string, at int) bool {
		if lines[at:at+len(value)] != value {
			panic(fmt.Sprintf("%q is not at %d of %q", value, at, lines))
		}
		values = head.Add(h, values, name, value)
		return true
	})
	return h, ok
}

func TestLinesAreReadByName(t *testing.T) {
	t.Parallel()
	var names head.Names
	for _, c := range []struct {
		lines string
		want  http.Header
	}{
		{"", http.Header{}},
		{"A: 1\r\n", http.Header{"A": {"1"}}},
		{"content-type:application/json\r\nX-A:  two words \r\n", http.Header{"Content-Type": {"application/json"}, "X-A": {"two words"}}},
		{"Content-Type: b\r\nx-a:\r\n", http.Header{"Content-Type": {"b"}, "X-A": {""}}},
		{"x-a: 1\r\nX-A: 2\r\nx-b: 3\r\nX-a: 4\r\n", http.Header{"X-A": {"1", "2", "4"}, "X-B": {"3"}}},
		{"a!#$%&'*+-.^_`|~9: \"(),/:;<=>?@[\\]{}\"\r\n", http.Header{"A!#$%&'*+-.^_`|~9": {"\"(),/:;<=>?@[\\]{}\""}}},
	} {
		got, ok := read(&names, c.lines) // whatever the head before was
		if d := cmp.Diff(c.want, got); d != "" || !ok {
			t.Errorf("%q: %v %s", c.lines, ok, d)
		}
	}
}

func TestLinesOfAnyOtherFormAreNone(t *testing.T) {
	t.Parallel()
	for _, lines := range []string{
		"\r\n", "A", "A\r\n", "A: 1", "A: 1\n", "A: 1\r", "A: 1\r\nB", ": 1\r\n", "A : 1\r\n", " A: 1\r\n", "A: 1\r\n B: 2\r\n",
		"A: 1\r\n\tb\r\n", "A\t: 1\r\n", "A: 1\t2\r\n", "A: \x00\r\n", "A: é\r\n", "Ä: 1\r\n", "A: \x7f\r\n", "A: 1\rB: 2\r\n", "(A): 1\r\n",
	} {
		if h, ok := read(&head.Names{}, lines); ok {
			t.Errorf("%q was read as %v", lines, h)
		}
	}
	if (&head.Names{}).Lines("A: 1\r\nB: 2\r\n", func(name, _ string, _ int) bool { return name != "B" }) {
		t.Error("a line that was refused was none")
	}
}

func TestNamesAndTexts(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"": false, "A": true, "x-a_1.b": true, "a b": false, "a:": false, "é": false, "a\r\nb": false, "\x00": false} {
		if got := head.Token(s); got != want {
			t.Errorf("%q is a name: %v", s, got)
		}
	}
	for s, want := range map[string]int{"": 0, "a b~": 4, "a\tb": 1, "é": 0, "ab\x7f": 2, "\r\n": 0} {
		if got := head.Printable(s); got != want {
			t.Errorf("%q: %d", s, got)
		}
	}
}

// What is read must be what the standard library reads, also where the head before had other names.
func FuzzLines(f *testing.F) {
	f.Add("A: 1\r\n", "content-length: 5\r\nA: 2\r\n")
	f.Add("content-length: 5\r\nx-a:\r\n", "Content-Length: 5\r\nx-a: \r\n")
	f.Fuzz(func(t *testing.T, before, lines string) {
		var names head.Names
		_, _ = read(&names, before)
		got, ok := read(&names, lines)
		if !ok {
			return
		}
		want, err := textproto.NewReader(bufio.NewReader(strings.NewReader(lines + "\r\n"))).ReadMIMEHeader()
		if err != nil {
			t.Fatalf("%q was read, but: %v", lines, err)
		}
		if d := cmp.Diff(http.Header(want), got); d != "" {
			t.Fatalf("%q: %s", lines, d)
		}
	})
}
