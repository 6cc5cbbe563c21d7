package port_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/port"
)

// speak as Options.TLS stands for a certificate of the test.
var speak = &tls.Config{MinVersion: tls.VersionTLS12}

type endpoint struct {
	addr  string
	roots *x509.CertPool
	port  *port.Port
	stuck chan error // how /endless ended
}

// endless writes to a client that must take each piece within a moment.
func endless(w http.ResponseWriter) error {
	c, piece := http.NewResponseController(w), make([]byte, 64<<10)
	for {
		if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			return fmt.Errorf("no deadline: %w", err)
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if err := c.Flush(); err != nil {
			return err
		}
	}
}

// serve answers on a Port of o what was asked, and over which protocol.
func serve(t *testing.T, o port.Options, wrap func(net.Listener) net.Listener) *endpoint {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, err := cert.Open(t.Context(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	own, err := a.Server("127.0.0.1", o.Logger)
	if err != nil {
		t.Fatal(err)
	}
	e := &endpoint{addr: ln.Addr().String(), roots: x509.NewCertPool(), stuck: make(chan error, 1)}
	e.roots.AppendCertsFromPEM(a.PEM())
	if wrap != nil {
		ln = wrap(ln)
	}
	if o.TLS == speak {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: own.GetCertificate, NextProtos: []string{"h2", "http/1.1"}}
	}
	e.port = port.New(ln, o)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	srv := &http.Server{
		ReadHeaderTimeout: 5 * time.Second, Protocols: protocols, ConnState: e.port.ConnState, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/endless" {
				e.stuck <- endless(w)
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "%s %v %s", r.Proto, r.TLS != nil, body)
		}),
	}
	var served sync.WaitGroup
	for _, side := range []net.Listener{e.port.HTTP2(), e.port.TLS(), e.port.Plain()} {
		served.Go(func() { _ = srv.Serve(side) })
	}
	t.Cleanup(func() {
		_ = e.port.Close()
		_ = srv.Close()
		served.Wait()
	})
	return e
}

// ask posts text over a connection of its own and returns the answer.
func (e *endpoint) ask(t *testing.T, scheme, text string, h2 bool) (string, error) {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: h2}
	defer tr.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, scheme+"://"+e.addr, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return string(got), err
}

func (e *endpoint) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestOnePortSpeaksTLSAndPlainHTTP(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: 5 * time.Second}, nil)
	long := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		scheme string
		h2     bool
		want   string
	}{{"http", false, "HTTP/1.1 false "}, {"https", false, "HTTP/1.1 true "}, {"https", true, "HTTP/2.0 true "}} {
		if got, err := e.ask(t, c.scheme, long, c.h2); err != nil || got != c.want+long {
			t.Errorf("%s: got %.40q, %v; want %q", c.scheme, got, err, c.want)
		}
	}
}

func TestWhoDoesNotReadIsGivenUpOverEveryProtocol(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: time.Second}, nil)
	for _, c := range []struct {
		scheme string
		h2     bool
	}{{"http", false}, {"https", false}, {"https", true}} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: e.roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: c.h2}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.scheme+"://"+e.addr+"/endless", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-e.stuck:
			if strings.Contains(err.Error(), "no deadline") {
				t.Errorf("%s: %v", res.Proto, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the handler writes for ever", res.Proto)
		}
		if _, err := io.Copy(io.Discard, res.Body); err == nil {
			t.Errorf("%s: the answer ended well", res.Proto)
		}
		_ = res.Body.Close()
		tr.CloseIdleConnections()
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: 5 * time.Second}, nil)
	c := tls.Client(e.dial(t), &tls.Config{RootCAs: e.roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err := c.HandshakeContext(t.Context()); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

func TestSilentClientsKeepNobodyOutAndAreClosed(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: time.Second}, nil)
	silent := make([]net.Conn, 50)
	for i := range silent {
		silent[i] = e.dial(t)
	}
	if got, err := e.ask(t, "https", "a", true); err != nil || got != "HTTP/2.0 true a" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, c := range silent {
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("got %v, want the end", err)
		}
	}
}

func TestGarbageIsAnsweredOrClosed(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: time.Second}, nil)
	for _, text := range []string{"\x16", "\x16\x03\x01\xff\xff", "\x00\x00", "GARBAGE\r\n\r\n", strings.Repeat("\x16\x03\x01\x00\x01\x01", 100), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		c := e.dial(t)
		_, _ = io.WriteString(c, text)
		if half, ok := c.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%.10q: hangs", text)
		}
	}
	if got, err := e.ask(t, "http", "a", false); err != nil || got != "HTTP/1.1 false a" {
		t.Errorf("afterwards got %q, %v", got, err)
	}
}

// elsewhere makes every caller come from another machine.
type elsewhere struct{ net.Listener }

func (l elsewhere) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return far{c}, nil
}

type far struct{ net.Conn }

func (far) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711} }
func (f far) CloseWrite() error  { return f.Conn.(*net.TCPConn).CloseWrite() }

func TestOnlyThisMachineSpeaksPlainHTTPWhereThereIsTLS(t *testing.T) {
	t.Parallel()
	away := func(ln net.Listener) net.Listener { return elsewhere{ln} }
	e := serve(t, port.Options{TLS: speak, Patience: time.Second}, away)
	if got, err := e.ask(t, "http", strings.Repeat("k", 50_000), false); err != nil || !strings.Contains(got, "speaks TLS: use an https:// address") {
		t.Errorf("plain: got %q, %v", got, err)
	}
	if got, err := e.ask(t, "https", "a", true); err != nil || got != "HTTP/2.0 true a" {
		t.Errorf("TLS: got %q, %v", got, err)
	}
	open := serve(t, port.Options{Patience: time.Second}, away)
	if got, err := open.ask(t, "http", "a", false); err != nil || got != "HTTP/1.1 false a" {
		t.Errorf("plain where there is no TLS: got %q, %v", got, err)
	}
}

func TestTLSToAPlainEndpointIsExplainedOnce(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	e := serve(t, port.Options{Patience: time.Second, Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	for range 3 {
		if _, err := e.ask(t, "https", "", true); err == nil {
			t.Error("answered")
		}
	}
	if n := strings.Count(log.String(), "--tls auto"); n != 1 {
		t.Errorf("said %d times, want 1: %s", n, log.String())
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// begin sends the head of a request whose body does not come.
func begin(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, 25)
	if _, err := io.ReadFull(c, got); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 100") {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestThoseWithoutARequestGiveWayToOthers(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Connections: 3, Patience: time.Minute}, nil)
	busy, silent := e.dial(t), e.dial(t)
	begin(t, busy)
	if _, err := io.WriteString(silent, "GET / HT"); err != nil { // a header that does not end
		t.Fatal(err)
	}
	for range 10 {
		if got, err := e.ask(t, "https", "a", true); err != nil || got != "HTTP/2.0 true a" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	late := e.dial(t)
	later := e.dial(t)
	_ = silent.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the silent one: got %v, want the end", err)
	}
	begin(t, later)
	begin(t, late)
	// All three have a request now, so that another waits for one to end.
	waiting := make(chan string, 1)
	go func() {
		got, err := e.ask(t, "http", "a", false)
		waiting <- fmt.Sprint(got, err)
	}()
	select {
	case got := <-waiting:
		t.Errorf("a fourth was answered: %q", got)
	case <-time.After(200 * time.Millisecond):
	}
	if _, err := io.WriteString(busy, "b"); err != nil {
		t.Fatal(err)
	}
	if got := <-waiting; got != "HTTP/1.1 false a<nil>" {
		t.Errorf("got %q", got)
	}
}

func TestThousandsOfIdleAndSlowConnectionsCostLittle(t *testing.T) {
	e := serve(t, port.Options{TLS: speak, Connections: 1000, Patience: time.Minute}, nil)
	before := heap()
	for i := range 1800 { // the test holds both ends: 3,600 descriptors
		c := e.dial(t)
		if i%4 == 0 {
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n")
		}
	}
	for _, scheme := range []string{"http", "https"} {
		if got, err := e.ask(t, scheme, "a", false); err != nil || !strings.HasSuffix(got, " a") {
			t.Errorf("%s: got %q, %v", scheme, got, err)
		}
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("grown by %d MiB", grown>>20)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := port.New(ln, port.Options{Patience: time.Hour, Logger: slog.New(slog.DiscardHandler)})
	for i := range 3 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i == 0 {
			_, _ = io.WriteString(c, "G") // sorted, and accepted by nobody
		}
	}
	time.Sleep(50 * time.Millisecond)
	done := make(chan error, 2)
	go func() { done <- p.TLS().Close() }()
	go func() { done <- p.Close() }()
	for range 2 {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("Close hangs")
		}
	}
	if _, err := p.Plain().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// broken fails twice before it accepts.
type broken struct {
	net.Listener
	failures int
}

func (b *broken) Accept() (net.Conn, error) {
	if b.failures++; b.failures <= 2 {
		return nil, syscall.EMFILE
	}
	return b.Listener.Accept()
}

func TestATrialOfTheSystemIsSurvived(t *testing.T) {
	t.Parallel()
	e := serve(t, port.Options{TLS: speak, Patience: time.Second}, func(ln net.Listener) net.Listener { return &broken{Listener: ln} })
	if got, err := e.ask(t, "http", "a", false); err != nil || got != "HTTP/1.1 false a" {
		t.Errorf("got %q, %v", got, err)
	}
}
