package quick

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// understood is what a request says.
type understood struct {
	Method, URI, Host, Proto, Path, RawPath, Query string
	Header                                         http.Header
	Length                                         int64
	Close                                          bool
	Coded                                          []string
}

func understand(r *http.Request, length int64) understood {
	u := understood{
		Method: r.Method, URI: r.RequestURI, Host: r.Host, Proto: r.Proto, Path: r.URL.Path, RawPath: r.URL.RawPath, Query: r.URL.RawQuery,
		Header: r.Header.Clone(), Length: length, Close: r.Close, Coded: r.TransferEncoding,
	}
	u.Header.Del("Content-Length")
	return u
}

// FuzzHead reads two heads of one connection: what is accepted, net/http accepts and understands so, and what is remembered of
// the first makes no difference to the second.
func FuzzHead(f *testing.F) {
	const plain = "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: "
	for _, heads := range [][2]string{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n1\r\n\r\n"},
		{plain + "1\r\n\r\n", plain + "12\r\n\r\n"},
		{plain + "12\r\n\r\n", plain + "\r\n\r\n"},
		{plain + "1  \r\nX-A: 1\r\n\r\n", plain + "123456  \r\nX-A: 1\r\n\r\n"},
		{plain + "1\r\nX-A: 1\r\n\r\n", plain + "1\r\nX-A: 2\r\n\r\n"},
		{plain + "1\r\nX-A: b\r\n\r\n", plain + "99999999999999999999\r\nX-A: b\r\n\r\n"},
		{plain + "1\r\n\r\n", plain + "1, 1\r\n\r\n"},
		{plain + "1\r\n\r\n", plain + "+1\r\n\r\n"},
		{plain + "1\r\n\r\n", plain + "1\r\nContent-Length: 2\r\n\r\n"},
		{"POST / HTTP/1.1\r\nContent-Length: 1\r\nHost: a:80\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 1\r\nHost: b:80\r\n\r\n"},
		{"GET //a/%20 HTTP/1.1\r\nhost:   [::1]:1  \r\nX-A:\r\nx-a: b\r\nConnection: Keep-Alive\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX: \t\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"},
	} {
		f.Add(heads[0], heads[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var before remembered
		for _, text := range []string{first, second, first} {
			end := strings.Index(text, string(blank))
			if end < 0 {
				return
			}
			text = text[:end+len(blank)]
			room := []byte(text)
			length, ok := before.read(room)
			clear(room) // a connection's room has the next head soon
			var fresh remembered
			if again, accepted := fresh.read([]byte(text)); accepted != ok || ok && again != length {
				t.Fatalf("%q: remembering %d, %v; without %d, %v", text, length, ok, again, accepted)
			}
			if !ok {
				return // of no more use
			}
			want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				t.Fatalf("%q: net/http refuses it: %v", text, err)
			}
			for _, got := range []*remembered{&before, &fresh} {
				if diff := cmp.Diff(understand(want, want.ContentLength), understand(got.request, length), cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%q: net/http (-), this (+):\n%s", text, diff)
				}
			}
		}
	})
}

// FuzzOdd holds that no head which is usual is called odd while it comes.
func FuzzOdd(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	f.Add("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		text += "\r\n\r\n"
		raw := []byte(text[:strings.Index(text, string(blank))+len(blank)])
		var h remembered
		if _, ok := h.read(raw); !ok {
			return
		}
		for n := range raw {
			if n > 0 && odd(raw[:n]) {
				t.Fatalf("%q is odd, and %q is not", raw[:n], raw)
			}
		}
	})
}
