package gateway_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/llm"
)

// pipes is a listener whose connections are pipes, so that the time of a test may be synctest's. A
// pipe holds nothing: each write waits for its reader.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	end    context.CancelFunc
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.end(); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080} }

// here is a connection from this machine.
type here struct{ net.Conn }

func (here) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- here{theirs}
	return ours
}

// inNoTime serves a configuration, with TLS, to what body does, in a time that passes at once.
func inNoTime(t *testing.T, text string, body func(t *testing.T, p *pipes, roots *x509.CertPool)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.DiscardHandler)
		a, err := cert.Open(t.Context(), dir, "")
		if err != nil {
			t.Fatal(err)
		}
		own, err := a.Server("127.0.0.1", quiet)
		if err != nil {
			t.Fatal(err)
		}
		keys := auth.New([]auth.Key{{Secret: "k", Caller: llm.Caller{Name: "reader"}}}, nil)
		g, err := gateway.New(t.Context(), gateway.Options{
			Config: parse(t, text), Logger: quiet, Version: "test", Certificate: own.GetCertificate,
			Keys: func(*config.Config) (*auth.Keys, error) { return keys, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		p := &pipes{conns: make(chan net.Conn)}
		p.closed, p.end = context.WithCancel(context.WithoutCancel(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- g.Serve(ctx, p) }()
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(a.PEM())
		body(t, p, roots)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
}

func TestAPauseOfTheModelEndsNoStream(t *testing.T) {
	inNoTime(t, "models: {slow: {provider: mock, timeouts: {silence: 10m}, mock: {tokens_per_second: 0.005}}}", func(t *testing.T, p *pipes, roots *x509.CertPool) {
		for _, c := range []struct {
			scheme string
			h2     bool
		}{{"http", false}, {"https", false}, {"https", true}} {
			tr := &http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: c.h2,
				DialContext: func(context.Context, string, string) (net.Conn, error) { return p.dial(), nil },
			}
			res := post(t, &http.Client{Transport: tr}, c.scheme+"://localhost/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"a b c"}],"stream":true}`))
			if text, err := io.ReadAll(res.Body); err != nil || !strings.HasSuffix(string(text), "data: [DONE]\n\n") {
				t.Errorf("%s: %q, %v", res.Proto, text, err)
			}
			_ = res.Body.Close()
			tr.CloseIdleConnections()
		}
	})
}

// Whoever reads no answer would else keep a connection for as long as they like, and that without a key.
func TestWhoReadsNoAnswerIsGivenUp(t *testing.T) {
	const host = " HTTP/1.1\r\nHost: localhost\r\n"
	for name, request := range map[string]string{
		"a probe":          "GET /healthz" + host + "\r\n",
		"no key":           "GET /info" + host + "\r\n",
		"an answer":        "GET /info" + host + "Api-Key: k\r\n\r\n",
		"metrics":          "GET /metrics" + host + "\r\n",
		"a preflight":      "OPTIONS /info" + host + "Origin: https://page.example\r\nAccess-Control-Request-Method: GET\r\n\r\n",
		"a stream":         "POST /chat/completions" + host + "Api-Key: k\r\nContent-Length: 61\r\n\r\n" + `{"messages":[{"role":"user","content":"a b c"}],"stream":true}`,
		"a body announced": "POST /chat/completions" + host + "Api-Key: k\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
		"an odd wish":      "GET /info" + host + "Expect: cake\r\n\r\n",
		"no HTTP":          "GET /info HTTP/1.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			inNoTime(t, "models: {m: {provider: mock}}", func(t *testing.T, p *pipes, _ *x509.CertPool) {
				c := p.dial()
				defer c.Close()
				if _, err := io.WriteString(c, request); err != nil {
					t.Fatal(err)
				}
				const patience = 100 * time.Second // less than an idle connection has
				time.Sleep(patience)
				// What was not read in time never comes.
				_ = c.SetReadDeadline(time.Now().Add(time.Second))
				if n, err := c.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("read %d, %v: the connection is kept", n, err)
				}
			})
		})
	}
}
