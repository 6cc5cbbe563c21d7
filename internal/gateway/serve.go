package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/port"
	"github.com/ingot-llm/ingot/internal/port/quick"
)

// Serve answers on ln until ctx ends, then lets open requests finish for a while, and returns when
// they and the models' servers are gone. It closes ln.
func (g *Gateway) Serve(ctx context.Context, ln net.Listener) error {
	limits := g.Config().Limits
	o := port.Options{Connections: limits.Connections, Patience: limits.HeaderTimeout, Logger: g.log}
	if g.o.Certificate != nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: g.o.Certificate, NextProtos: []string{"h2", "http/1.1"}}
	}
	p := port.New(ln, o)
	base := context.WithoutCancel(ctx)
	srv := g.server(base, p)
	usual := quick.New(p.Plain(), quick.Options{
		Handler: srv.Handler, Base: func() context.Context { return dialect.Begin(base) }, State: p.ConnState, Logger: g.log,
		Head: srv.ReadHeaderTimeout, Idle: srv.IdleTimeout, Write: srv.WriteTimeout,
	})
	// HTTP/2 wants the *tls.Conn itself; of the others net/http need not know what they stand on.
	sides := []net.Listener{p.HTTP2(), dialect.Shape(p.TLS(), azureai.PlainError), dialect.Shape(usual.Rest(), azureai.PlainError)}
	done := make(chan error, len(sides)+1)
	for _, side := range sides {
		go func() { done <- srv.Serve(side) }()
	}
	go func() { done <- usual.Serve() }()
	var err error
	left := len(sides) + 1
	select {
	case err = <-done:
		left--
		_, _ = srv.Close(), usual.Close()
	case <-ctx.Done():
		g.closing.Store(true)
		const drain = 20 * time.Second
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		ended := make(chan error, 1)
		// Not before srv knows that it ends, or it would take the end of the listeners for a failure.
		srv.RegisterOnShutdown(func() { ended <- usual.Shutdown(grace) })
		if err = errors.Join(srv.Shutdown(grace), <-ended); err != nil {
			err = errors.Join(fmt.Errorf("requests were still open after %s and were cut off", drain), srv.Close(), usual.Close())
		}
	}
	for range left {
		if served := <-done; err == nil {
			err = served
		}
	}
	_ = p.Close()
	g.Close(context.WithoutCancel(ctx))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// secure is the context key of whether a request came over TLS.
type secure struct{}

// isSecure reports whether a request came over TLS.
func isSecure(r *http.Request) bool {
	over, _ := r.Context().Value(secure{}).(bool)
	return over
}

// server is how all sides of a port are answered.
func (g *Gateway) server(ctx context.Context, p *port.Port) *http.Server {
	const (
		idle    = 2 * time.Minute
		heads   = 64 << 10
		streams = 250
		upload  = 256 << 10 // bytes of one stream that are received before they are read
		total   = 1 << 20   // of one connection
		silence = time.Minute
	)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Server{
		Handler: g.Handler(), ReadHeaderTimeout: g.Config().Limits.HeaderTimeout, IdleTimeout: idle, MaxHeaderBytes: heads,
		WriteTimeout: slowReader, // for what is answered without a door; those set deadlines of their own
		ErrorLog:     slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		BaseContext:  func(net.Listener) context.Context { return ctx },
		ConnState:    p.ConnState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, secure{}, port.Secure(c))
		},
		// net/http's own waits without a limit for a body that does not come.
		DisableGeneralOptionsHandler: true,
		Protocols:                    protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: streams, MaxReceiveBufferPerStream: upload, MaxReceiveBufferPerConnection: total,
			SendPingTimeout: silence, WriteByteTimeout: silence,
		},
	}
}

// unread is a body that a handler may leave unread, such as that of a request without a key.
type unread struct {
	io.ReadCloser
	ended bool
}

func (b *unread) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

// hurry gives what is left of the body a moment to arrive, for which net/http else waits without
// end before it sends the answer.
func (b *unread) hurry(w http.ResponseWriter) {
	const moment = time.Second
	if !b.ended {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(moment))
	}
}
