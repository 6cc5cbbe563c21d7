package h1

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/head"
)

var heads = []string{
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\ncontent-length:2\r\nx-a: 1\r\nX-A:  2  \r\nServer: x\r\n\r\n{}HTTP/1.1 200 OK\r\n",
	"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
}

var odd = []string{
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n more\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
	"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
	"HTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Le",
	"",
}

func TestPlainHeadsAreTakenAndOthersLeft(t *testing.T) {
	t.Parallel()
	r := &http.Request{Method: http.MethodPost}
	for _, text := range heads {
		if plainHead(bufio.NewReader(strings.NewReader(text)), &head.Names{}, r) == nil {
			t.Errorf("%q was left", text)
		}
	}
	for _, text := range odd {
		from := bufio.NewReader(strings.NewReader(text))
		if plainHead(from, &head.Names{}, r) != nil {
			t.Errorf("%q was taken", text)
		}
		if rest, _ := io.ReadAll(from); string(rest) != text {
			t.Errorf("of %q is left %q", text, rest)
		}
	}
}

// What is taken must be what the standard library would have made of it.
func FuzzPlainHead(f *testing.F) {
	for _, text := range append(heads, odd...) {
		f.Add(text, heads[0])
	}
	r := &http.Request{Method: http.MethodPost}
	f.Fuzz(func(t *testing.T, text, before string) {
		var names head.Names
		_ = plainHead(bufio.NewReader(strings.NewReader(before)), &names, r)
		from := bufio.NewReaderSize(strings.NewReader(text), len(text)+16)
		got := plainHead(from, &names, r)
		if got == nil {
			return
		}
		same := bufio.NewReaderSize(strings.NewReader(text), len(text)+16)
		want, err := http.ReadResponse(same, r)
		if err != nil {
			t.Fatalf("%q was taken, but: %v", text, err)
		}
		if want.Header.Get("Pragma") == "no-cache" { // which the library adds to
			delete(want.Header, "Cache-Control")
			delete(got.Header, "Cache-Control")
		}
		if d := cmp.Diff(want.Header, got.Header); d != "" {
			t.Fatalf("%q: %s", text, d)
		}
		if got.StatusCode != want.StatusCode || got.Status != want.Status || got.ContentLength != want.ContentLength || got.Close != want.Close {
			t.Fatalf("%q: got %+v, want %+v", text, got, want)
		}
		gotBody, gotErr := io.ReadAll(got.Body)
		wantBody, wantErr := io.ReadAll(want.Body)
		if string(gotBody) != string(wantBody) || (gotErr == nil) != (wantErr == nil) {
			t.Fatalf("%q: got %q, %v, want %q, %v", text, gotBody, gotErr, wantBody, wantErr)
		}
		gotRest, _ := io.ReadAll(from)
		wantRest, _ := io.ReadAll(same)
		if gotErr == nil && string(gotRest) != string(wantRest) {
			t.Fatalf("%q: left %q, want %q", text, gotRest, wantRest)
		}
	})
}
