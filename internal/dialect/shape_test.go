package dialect_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
)

// shape is a door's form of an error.
func shape(status int, reason string) (code string, body []byte) {
	body, err := json.Marshal(map[string]any{"status": status, "reason": reason})
	if err != nil {
		panic(err)
	}
	return "code" + strconv.Itoa(status), body
}

// shaped serves JSON over connections whose refusals are shaped.
func shaped(t testing.TB) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	}))
	s.Listener = dialect.Shape(s.Listener, shape)
	s.Config.MaxHeaderBytes = 8 << 10
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func TestWhatIsNoHTTPIsRefusedInTheDoorsShape(t *testing.T) {
	t.Parallel()
	addr := shaped(t)
	for name, c := range map[string]struct{ sent, want string }{
		"no request":        {"nonsense\r\n\r\n", `400 code400 {"reason":"Bad Request","status":400}`},
		"no host":           {"GET / HTTP/1.1\r\n\r\n", `400 code400 {"reason":"missing required Host header","status":400}`},
		"a version":         {"GET / HTTP/4.0\r\nHost: x\r\n\r\n", `505 code505 {"reason":"unsupported protocol version","status":505}`},
		"a coding":          {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", `501 code501 {"reason":"Unsupported transfer encoding","status":501}`},
		"too many headers":  {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", `431 code431 {"reason":"Request Header Fields Too Large","status":431}`},
		"what a handler is": {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", `200  {}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr)
			go io.WriteString(conn, c.sent)
			r := bufio.NewReader(conn)
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := strconv.Itoa(res.StatusCode) + " " + res.Header.Get("X-Ms-Error-Code") + " " + string(body); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if res.StatusCode >= http.StatusBadRequest && (len(res.Header.Get("X-Request-Id")) != 36 || !res.Close || res.Header.Get("Content-Type") != "application/json") {
				t.Errorf("headers are %v", res.Header)
			}
			if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
				t.Errorf("then came %q, %v", rest, err)
			}
		})
	}
}

// FuzzHead sends anything over a connection: all that comes back is HTTP with JSON in it.
func FuzzHead(f *testing.F) {
	for _, head := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.0\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{}\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a\r\n{\r\n0\r\nA: b\r\n\r\n", "GET http://x/ HTTP/1.1\nHost: y\n A: b\n\n",
		"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "GET /\r\n", "\x16\x03\x01\x00", "GET / HTTP/1.1\r\nHost : x\r\n\x00: b\r\n\r\n",
	} {
		f.Add([]byte(head))
	}
	addr := shaped(f)
	f.Fuzz(func(t *testing.T, sent []byte) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		go func() {
			_, _ = c.Write(sent) // it may be refused before all of it is sent
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		all, err := io.ReadAll(c)
		if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // the connection's own
			t.Fatalf("no end after %q", all)
		}
		for r := bufio.NewReader(bytes.NewReader(all)); ; {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%q: %v", all, err)
				}
				return
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err == nil && len(body) > 0 && (!json.Valid(body) || res.Header.Get("Content-Type") != "application/json") {
				t.Fatalf("not in shape: %q", all)
			}
		}
	})
}
