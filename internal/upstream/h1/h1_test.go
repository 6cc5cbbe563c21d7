package h1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/upstream/h1"
)

// text is a body in pieces.
type text []string

func (t text) Read([]byte) (int, error) { return 0, errors.New("read, not sent in pieces") }
func (t text) Close() error             { return nil }

func (t text) Pieces() (all [][]byte) {
	for _, s := range t {
		all = append(all, []byte(s))
	}
	return all
}

func post(t *testing.T, ctx context.Context, url string, pieces ...string) *http.Request { //nolint:revive // as helpers go
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Body = text(pieces)
	for _, p := range pieces {
		r.ContentLength += int64(len(p))
	}
	return r
}

// transport counts the connections that it makes.
func transport(t *testing.T) (*h1.Transport, *atomic.Int64) {
	t.Helper()
	var dialled atomic.Int64
	tr := &h1.Transport{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return tr, &dialled
}

// raw serves each connection with what f writes after a request's head.
func raw(t *testing.T, f func(n int, c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	all.Go(func() {
		for n := 1; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				f(n, c, bufio.NewReader(c))
			})
		}
	})
	return "http://" + l.Addr().String() + "/v1/x?q=1"
}

// request reads one as a server does, and reports whether there was one.
func request(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

// ask sends a request and reads its answer to the end.
func ask(tr *h1.Transport, r *http.Request) (string, error) {
	res, err := tr.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, b), err
}

func TestARequestArrivesWholeAndItsConnectionIsUsedAgain(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer k" || r.ContentLength != int64(len(b)) {
			t.Errorf("got %v, %v", r.Header, err)
		}
		if r.URL.Query().Has("chunked") {
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = fmt.Fprintf(w, "%s %s %s %d", r.Method, r.Host, r.URL.Path, len(b))
	}))
	defer s.Close()
	tr, dialled := transport(t)
	for _, path := range []string{"/a%20b", "/a%20b?chunked=1"} {
		for _, pieces := range [][]string{{"{", "}"}, {"{", large, "}"}, {}} {
			n := len(strings.Join(pieces, ""))
			r := post(t, t.Context(), s.URL+path, pieces...)
			r.Header.Set("Authorization", "Bearer k")
			got, err := ask(tr, r)
			if want := fmt.Sprintf("200 POST %s /a b %d", strings.TrimPrefix(s.URL, "http://"), n); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
	}
	if n := dialled.Load(); n != 1 {
		t.Errorf("made %d connections", n)
	}
}

func TestWhatIsCutIsAnError(t *testing.T) {
	for name, answer := range map[string]string{
		"short of its length":  "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"without a last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"inside a chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
		"inside the head":      "HTTP/1.1 200 OK\r\nContent-",
		"no HTTP":              "hello\r\n\r\n",
		"two lengths":          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"an endless head":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20),
		"endless information":  strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1000),
		"nothing":              "",
	} {
		url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
			request(r)
			_, _ = io.WriteString(c, answer)
		})
		tr, _ := transport(t)
		if got, err := ask(tr, post(t, t.Context(), url, "{}")); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestAnswersEndAsTheirFramingSays(t *testing.T) {
	for name, c := range map[string]struct {
		answer, want string
		again        bool // the connection is used for the next
	}{
		"by length":       {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 abc", true},
		"by chunks":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200 abc", true},
		"by closing":      {"HTTP/1.1 200 OK\r\n\r\nabc", "200 abc", false},
		"asked to close":  {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", "200 abc", false},
		"without a body":  {"HTTP/1.1 204 No Content\r\n\r\n", "204 ", true},
		"informed before": {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", "429 ", true},
		"with more than is its own": {
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "200 abc", false,
		},
		"another protocol": {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "101 ", false},
	} {
		url := raw(t, func(_ int, conn net.Conn, r *bufio.Reader) {
			for request(r) {
				_, _ = io.WriteString(conn, c.answer)
				if !c.again && name != "with more than is its own" {
					return
				}
			}
		})
		tr, dialled := transport(t)
		for range 2 {
			if got, err := ask(tr, post(t, t.Context(), url, "{}")); err != nil || got != c.want {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
			}
		}
		if again := dialled.Load() == 1; again != c.again {
			t.Errorf("%s: the connection was used again: %t", name, again)
		}
	}
}

func TestAConnectionThatTheServerClosedIsReplacedOnce(t *testing.T) {
	var requests atomic.Int64
	url := raw(t, func(n int, c net.Conn, r *bufio.Reader) {
		for request(r) {
			if requests.Add(1) == 2 && n == 1 {
				return // without an answer
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	tr, dialled := transport(t)
	for range 3 {
		if got, err := ask(tr, post(t, t.Context(), url, "{}")); err != nil || got != "200 ok" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if dialled.Load() != 2 {
		t.Errorf("made %d connections", dialled.Load())
	}
	deaf := raw(t, func(_ int, _ net.Conn, r *bufio.Reader) { request(r) })
	tr, dialled = transport(t)
	if got, err := ask(tr, post(t, t.Context(), deaf, "{}")); err == nil || dialled.Load() != 1 {
		t.Errorf("a new connection: got %q after %d connections", got, dialled.Load())
	}
}

func TestAnAnswerThatComesBeforeTheRequestIsReadIsHeard(t *testing.T) {
	url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _ = r.Peek(1)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\n\r\nno")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, r)
	})
	tr, _ := transport(t)
	if got, err := ask(tr, post(t, t.Context(), url, strings.Repeat("x", 8<<20))); err != nil || got != "413 no" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAContextEndsEveryWait(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for name, answer := range map[string]string{"for the head": "", "for the body": head, "in the middle": head + "3\r\nabc\r\n"} {
		gone := make(chan struct{})
		url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
			request(r)
			_, _ = io.WriteString(c, answer)
			_, _ = r.Peek(1) // until it is hung up
			close(gone)
		})
		tr, _ := transport(t)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if got, err := ask(tr, post(t, ctx, url, "{}")); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
		cancel()
		<-gone
	}
	tr := &h1.Transport{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := ask(tr, post(t, ctx, "http://127.0.0.1:1/", "{}")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("connecting: got %v", err)
	}
}

func TestAStreamThatWasReadToItsLastEventKeepsItsConnection(t *testing.T) {
	const event = "data: [DONE]\n\n"
	url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for request(r) {
			_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(event), event)
		}
	})
	tr, dialled := transport(t)
	for range 3 {
		res, err := tr.RoundTrip(post(t, t.Context(), url, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len(event))
		if _, err := io.ReadFull(res.Body, b); err != nil || !bytes.Equal(b, []byte(event)) {
			t.Errorf("got %q, %v", b, err)
		}
		_ = res.Body.Close()
	}
	if dialled.Load() != 1 {
		t.Errorf("made %d connections", dialled.Load())
	}
}

func TestAHeaderCannotBreakTheHead(t *testing.T) {
	tr, dialled := transport(t)
	for name, value := range map[string]string{"X": "a\r\nY: b", "X\r\nZ": "a", "A b": "c"} {
		r := post(t, t.Context(), "http://127.0.0.1:1/", "{}")
		r.Header[name] = []string{value}
		if _, err := tr.RoundTrip(r); err == nil || dialled.Load() > 0 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %q: got %v", name, value, err)
		}
	}
}

func TestManyAskAtOnce(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer s.Close()
	tr, _ := transport(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for k := range 20 {
				want := fmt.Sprintf("%d-%d", i, k)
				ctx, cancel := context.WithCancel(t.Context())
				if k%5 == 4 {
					cancel()
				}
				got, err := ask(tr, post(t, ctx, s.URL, want))
				if err == nil && got != "200 "+want || err != nil && k%5 != 4 {
					t.Errorf("got %q, %v, want %s", got, err, want)
				}
				cancel()
			}
		})
	}
	all.Wait()
}
