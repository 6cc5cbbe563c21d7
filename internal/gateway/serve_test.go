package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/llm"
)

// served is a gateway on a port of its own that speaks TLS.
type served struct {
	addr  string
	roots *x509.CertPool
}

func serveTLS(t *testing.T, text string, strict bool) *served {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	a, err := cert.Open(t.Context(), t.TempDir(), "gate.example")
	if err != nil {
		t.Fatal(err)
	}
	own, err := a.Server("gate.example", quiet)
	if err != nil {
		t.Fatal(err)
	}
	keys := auth.New([]auth.Key{{Secret: "k", Caller: llm.Caller{Name: "reader"}}}, nil)
	g, err := gateway.New(t.Context(), gateway.Options{
		Config: parse(t, text), Logger: quiet, Version: "test", Certificate: own.GetCertificate, Strict: strict,
		Keys: func(*config.Config) (*auth.Keys, error) { return keys, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	s := &served{addr: ln.Addr().String(), roots: x509.NewCertPool()}
	s.roots.AppendCertsFromPEM(a.PEM())
	return s
}

// client reaches the gateway whatever host a URL names.
func (s *served) client(t *testing.T, h2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12, ServerName: "localhost"}, ForceAttemptHTTP2: h2,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.addr)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func post(t *testing.T, c *http.Client, url string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("api-key", "k")
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

const ask = `{"messages":[{"role":"user","content":"a b c d e f"}],"stream":true}`

func TestAStreamThatBreaksIsAnErrorOverEveryProtocol(t *testing.T) {
	s := serveTLS(t, "models: {whole: {provider: mock}, broken: {provider: mock, mock: {fault: {cut: 3}}}}", false)
	for _, c := range []struct {
		scheme string
		h2     bool
		proto  string
	}{{"http", false, "HTTP/1.1"}, {"https", false, "HTTP/1.1"}, {"https", true, "HTTP/2.0"}} {
		client := s.client(t, c.h2)
		whole := post(t, client, c.scheme+"://localhost/deployments/whole/chat/completions", strings.NewReader(ask))
		if text, err := io.ReadAll(whole.Body); err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") || whole.Proto != c.proto {
			t.Errorf("%s over %s: %.60q, %v", c.scheme, whole.Proto, text, err)
		}
		cut := post(t, client, c.scheme+"://localhost/deployments/broken/chat/completions", strings.NewReader(ask))
		if text, err := io.ReadAll(cut.Body); err == nil || cut.StatusCode != http.StatusOK || strings.Contains(string(text), "[DONE]") {
			t.Errorf("%s over %s: the broken stream ended well: %.60q", c.scheme, cut.Proto, text)
		}
		// Over HTTP/2 it ends its stream only.
		after := post(t, client, c.scheme+"://localhost/deployments/whole/chat/completions", strings.NewReader(ask))
		if _, err := io.ReadAll(after.Body); err != nil {
			t.Errorf("%s: afterwards %v", c.scheme, err)
		}
	}
}

func TestABodyThatStopsArrivingIsGivenUpOverEveryProtocol(t *testing.T) {
	s := serveTLS(t, "{models: {one: {provider: mock}}, limits: {body_timeout: 200ms}}", false)
	for _, h2 := range []bool{false, true} {
		body, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, `{"messages":`) }()
		start := time.Now()
		res := post(t, s.client(t, h2), "https://localhost/chat/completions", body)
		if res.StatusCode != http.StatusRequestTimeout || time.Since(start) > 5*time.Second {
			t.Errorf("%s: status %d after %s", res.Proto, res.StatusCode, time.Since(start))
		}
		_ = w.Close()
	}
}

func TestBrowsersAreToldToStayWithTLSWhereThatHolds(t *testing.T) {
	const open = "{listen: '0.0.0.0:443', models: {one: {provider: mock}}}"
	for _, c := range []struct {
		url    string
		strict bool
		want   string
	}{
		{"https://gate.example/healthz", true, "max-age=31536000"},
		{"https://localhost/healthz", true, ""},
		{"https://127.0.0.1:1/healthz", true, ""},
		{"http://gate.example/healthz", true, ""},
		{"https://gate.example/healthz", false, ""},
	} {
		s := serveTLS(t, open, c.strict)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.client(t, true).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if got := res.Header.Get("Strict-Transport-Security"); got != c.want {
			t.Errorf("%s, strict %v: got %q, want %q", c.url, c.strict, got, c.want)
		}
	}
}

func TestTheHostIsCheckedHoweverItIsNamed(t *testing.T) {
	s := serveTLS(t, "models: {one: {provider: mock}}", false)
	for host, want := range map[string]int{
		"localhost": 200, "LocalHost.": 200, "127.0.0.1:9": 200, "[::1]": 200, "[::1]:8080": 200, "127.1.2.3": 200,
		"evil.example": 403, "evil.example.:8080": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "[2001:db8::1]:8080": 403, "192.0.2.1": 403,
	} {
		for _, h2 := range []bool{false, true} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/info", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host // over HTTP/2 the :authority
			r.Header.Set("api-key", "k")
			res, err := s.client(t, h2).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s with host %s: %d, want %d", res.Proto, host, res.StatusCode, want)
			}
		}
	}
	for raw, want := range map[string]int{
		"GET http://evil.example/info HTTP/1.1\r\nHost: localhost\r\n":            403,
		"GET http://localhost/info HTTP/1.1\r\nHost: evil.example\r\n":            200, // the target is what counts
		"GET http://localhost:7/info HTTP/1.0\r\n":                                200,
		"GET /info HTTP/1.0\r\n":                                                  403,
		"GET /info HTTP/1.0\r\nHost: 127.0.0.1\r\n":                               200,
		"GET /info HTTP/1.1\r\n":                                                  400,
		"GET /info HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n":         400,
		"GET /info HTTP/1.1\r\nHost: localhost, evil.example\r\n":                 400,
		"GET /info HTTP/1.1\r\nHost: localhost@evil.example\r\n":                  400,
		"GET /info HTTP/1.1\r\nHost: [::1\r\n":                                    403,
		"GET //evil.example/info HTTP/1.1\r\nHost: localhost\r\n":                 404,
		"GET /info HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost": 403,
	} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "%s\r\napi-key: k\r\nConnection: close\r\n\r\n", strings.TrimSuffix(raw, "\r\n"))
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		_ = res.Body.Close()
		_ = c.Close()
		if res.StatusCode != want {
			t.Errorf("%q: %d, want %d", raw, res.StatusCode, want)
		}
	}
}

func TestConnectionsAreBoundedAndTheIdleGiveWay(t *testing.T) {
	s := serveTLS(t, "{models: {one: {provider: mock}}, limits: {connections: 20}}", false)
	var idle []net.Conn
	for range 40 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
			t.Fatalf("connection %d: %v", len(idle), err)
		}
		idle = append(idle, c)
	}
	if _, err := idle[0].Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the oldest: %v", err)
	}
	fmt.Fprint(idle[39], "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(idle[39]), nil); err != nil {
		t.Errorf("the newest: %v", err)
	}
}

func TestWhoHasNoKeyIsNotWaitedFor(t *testing.T) {
	s := serveTLS(t, "models: {one: {provider: mock}}", false)
	for _, framing := range []string{"Content-Length: 100", "Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(c, "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: wrong\r\n%s\r\n\r\n", framing)
		start := time.Now()
		r := bufio.NewReader(c)
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s: %v, %v", framing, res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if _, err := r.ReadByte(); err == nil || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %v after %s, want the end", framing, err, time.Since(start))
		}
	}
	// Whose body is there keeps the connection.
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	for _, key := range []string{"wrong", "k", "wrong", "k"} {
		const body = `{"messages":[{"role":"user","content":"a"}]}`
		fmt.Fprintf(c, "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: %s\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body)
		res, err := http.ReadResponse(r, nil)
		if err != nil || (res.StatusCode == http.StatusOK) != (key == "k") {
			t.Fatalf("%s: %v, %v", key, res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

func TestWhatIsNoHTTPIsRefusedInTheContractsShape(t *testing.T) {
	s := serveTLS(t, "models: {one: {provider: mock}}", false)
	for _, secure := range []bool{false, true} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if secure {
			c = tls.Client(c, &tls.Config{RootCAs: s.roots, ServerName: "localhost", MinVersion: tls.VersionTLS12})
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(c, "GET /info HTTP/1.1\r\nHost: localhost\r\nbad header\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), `{"error":{`) || res.Header.Get("X-Ms-Error-Code") == "" {
			t.Errorf("over TLS %v: %d %s, %v", secure, res.StatusCode, text, err)
		}
	}
}

func TestAHandshakeThatStallsEnds(t *testing.T) {
	s := serveTLS(t, "{models: {one: {provider: mock}}, limits: {header_timeout: 300ms}}", false)
	for _, start := range []string{"", "\x16", "\x16\x03\x01\x02\x00\x01", "GET / HTTP/1.1\r\n"} {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(c, start)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: still open", start)
		}
	}
}

func TestAKeyIsToldWhenItMayAskAgain(t *testing.T) {
	g, err := gateway.New(t.Context(), gateway.Options{
		Config: parse(t, "models: {one: {provider: mock}}"), Logger: slog.New(slog.DiscardHandler), Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) {
			return auth.New([]auth.Key{{Secret: "k", Caller: llm.Caller{Name: "a", RequestsPerMinute: 2}}, {Secret: "other", Caller: llm.Caller{Name: "b"}}}, nil), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(context.WithoutCancel(t.Context()))
	for i, want := range []int{200, 200, 429, 429} {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"a"}]}`))
		r.Header.Set("api-key", "k")
		g.Handler().ServeHTTP(w, r)
		wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
		if w.Code != want || (want == 429) != (err == nil && wait > 0 && wait <= 60) {
			t.Errorf("request %d: %d, Retry-After %q", i, w.Code, w.Header().Get("Retry-After"))
		}
		// A reload forgets nothing.
		if err := g.Reload(t.Context(), parse(t, "models: {one: {provider: mock}}")); err != nil {
			t.Fatal(err)
		}
	}
}
