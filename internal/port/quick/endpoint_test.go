package quick_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/port/quick"
)

// TestMain lets more tests run than there are processors: most wait for limits of time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// patience is for what must happen, so that only a failing test waits so long.
const patience = 10 * time.Second

// request is what a handler saw of one.
type request struct {
	Method, URL, URI, Host, Proto string
	Header                        http.Header
	Length                        int64
	Body, BodyErr                 string
}

// log is what handlers saw and servers logged, in the order of things.
type log struct {
	mu   sync.Mutex
	seen []request
	text bytes.Buffer
}

func (l *log) add(r request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen = append(l.seen, r)
}

func (l *log) requests() []request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// look is what a handler sees of r but for its body.
func look(r *http.Request) request {
	seen := request{Method: r.Method, URL: fmt.Sprintf("%#v", *r.URL), URI: r.RequestURI, Host: r.Host, Proto: r.Proto, Header: r.Header.Clone(), Length: r.ContentLength}
	seen.Header.Del("Content-Length") // which a Server leaves out, and net/http does not
	return seen
}

// echo answers what was sent.
func (l *log) echo(w http.ResponseWriter, r *http.Request) {
	seen := look(r)
	body, err := io.ReadAll(r.Body)
	if seen.Body = string(body); err != nil {
		seen.BodyErr = "broken"
	}
	l.add(seen)
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("X-Target", r.RequestURI)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// endpoint is a server under test.
type endpoint struct {
	addr string
	srv  *http.Server  // of all connections, or of what is not usual
	q    *quick.Server // nil: net/http alone
	log  *log
	done sync.WaitGroup
}

// options are those of most tests, in which nothing ends by its time.
func options(l *log, h http.HandlerFunc) quick.Options {
	if h == nil {
		h = l.echo
	}
	return quick.Options{
		Handler: h, Base: context.Background, State: func(net.Conn, http.ConnState) {},
		Logger: slog.New(slog.NewTextHandler(l, nil)),
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// standard is net/http's own server.
func standard(t testing.TB, ln net.Listener, o quick.Options, l *log) *endpoint {
	t.Helper()
	e := &endpoint{addr: ln.Addr().String(), srv: server(o), log: l}
	e.done.Go(func() { _ = e.srv.Serve(ln) })
	t.Cleanup(e.close)
	return e
}

func server(o quick.Options) *http.Server {
	return &http.Server{
		Handler: o.Handler, DisableGeneralOptionsHandler: true, ReadHeaderTimeout: o.Head, IdleTimeout: o.Idle, WriteTimeout: o.Write,
		ConnState: o.State, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelError), MaxHeaderBytes: 64 << 10,
	}
}

// serve is a quick.Server whose other connections net/http serves.
func serve(t testing.TB, ln net.Listener, o quick.Options, l *log) *endpoint {
	t.Helper()
	e := &endpoint{addr: ln.Addr().String(), srv: server(o), q: quick.New(ln, o), log: l}
	e.done.Go(func() { _ = e.q.Serve() })
	e.done.Go(func() { _ = e.srv.Serve(e.q.Rest()) })
	t.Cleanup(e.close)
	return e
}

// start serves h, nil for an echo, with what options say after change.
func start(t testing.TB, h http.HandlerFunc, change func(*quick.Options)) *endpoint {
	t.Helper()
	l := &log{}
	o := options(l, h)
	if change != nil {
		change(&o)
	}
	return serve(t, listen(t), o, l)
}

func (e *endpoint) close() {
	_ = e.srv.Close()
	if e.q != nil {
		_ = e.q.Close()
	}
	e.done.Wait()
}

func (e *endpoint) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// client is a connection, and what it read ahead.
type client struct {
	*net.TCPConn
	in *bufio.Reader
	t  testing.TB
}

func (e *endpoint) client(t testing.TB) *client {
	t.Helper()
	c := e.dial(t)
	return &client{c, bufio.NewReader(c), t}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one, which must come whole.
func (c *client) answer() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(body)
}

// ended waits for the end of the connection, and returns what came before it.
func (c *client) ended() string {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		c.t.Fatalf("the connection stays open after %q", rest)
	}
	return string(rest)
}

// all is what comes for so long.
func (c *client) all(limit time.Duration) string {
	_ = c.SetReadDeadline(time.Now().Add(limit))
	got, _ := io.ReadAll(c.in)
	return string(got)
}

func post(path, body string, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n%s", path, lines(headers), len(body), body)
}

func get(path string, headers ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + lines(headers) + "\r\n"
}

func lines(headers []string) string {
	if len(headers) == 0 {
		return ""
	}
	return strings.Join(headers, "\r\n") + "\r\n"
}

// within waits for c.
func within[T any](t testing.TB, limit time.Duration, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		t.Fatalf("%s: not within %s", what, limit)
	}
	return v
}
