// Package port serves TLS and plain HTTP on one listener, and bounds the connections of both.
package port

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Options say what a Port lets in.
type Options struct {
	// TLS is how it is spoken here; nil: not at all. Where it is, plain HTTP is for callers on this
	// machine only.
	TLS *tls.Config
	// Connections is how many may be open at the same time; 0 is no bound. Where a new one is one too
	// many, the connection that has gone longest without a request in progress is closed for it, and
	// where all have one, it waits.
	Connections int
	// Patience is how long a client may take to send anything, and then for a TLS handshake.
	Patience time.Duration // 0: as long as it likes
	Logger   *slog.Logger
}

// Port divides the connections of a listener. Its methods may be called concurrently.
type Port struct {
	o                    Options
	ln                   net.Listener
	http2, secure, plain *side
	open                 set
	closed               chan struct{}
	once, warn           sync.Once
	tasks                sync.WaitGroup
}

// New begins to accept from ln. Close ends that, and closes ln.
func New(ln net.Listener, o Options) *Port {
	p := &Port{o: o, ln: ln, closed: make(chan struct{})}
	p.open = set{most: o.Connections, room: make(chan struct{}, 1)}
	p.http2, p.secure, p.plain = newSide(p), newSide(p), newSide(p)
	p.tasks.Go(p.accept)
	return p
}

// HTTP2 has the connections, each a *tls.Conn after its handshake, whose client chose HTTP/2.
// Closing it closes the Port, as with the other two.
func (p *Port) HTTP2() net.Listener { return p.http2 }

// TLS has the others that speak TLS, likewise.
func (p *Port) TLS() net.Listener { return p.secure }

// Plain has those that do not.
func (p *Port) Plain() net.Listener { return p.plain }

// Close stops accepting and closes the connections that neither side has accepted yet; the others
// stay open.
func (p *Port) Close() error {
	err := p.end()
	p.tasks.Wait()
	return err
}

func (p *Port) end() error {
	var err error
	p.once.Do(func() {
		close(p.closed)
		err = p.ln.Close()
		p.open.end()
	})
	return err
}

// ConnState is for http.Server: it tells which connections may be closed for others.
func (p *Port) ConnState(c net.Conn, s http.ConnState) {
	for {
		if c, ok := c.(*conn); ok {
			switch s {
			case http.StateActive:
				p.open.busy(c)
			case http.StateIdle:
				p.open.idle(c)
			default: // a new one is idle already, and a closed one has left
			}
			return
		}
		over, ok := c.(interface{ NetConn() net.Conn }) // as *tls.Conn is
		if !ok {
			return
		}
		c = over.NetConn()
	}
}

// Secure reports whether c, or what it stands on, is a TLS connection.
func Secure(c net.Conn) bool {
	for {
		if _, ok := c.(*tls.Conn); ok {
			return true
		}
		over, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return false
		}
		c = over.NetConn()
	}
}

// accept takes connections in, until the Port is closed.
func (p *Port) accept() {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		raw, err := p.ln.Accept()
		switch {
		case err == nil:
			pause = shortest
			if c := (&conn{Conn: raw, port: p}); p.open.add(c, p.closed) {
				p.tasks.Go(func() { p.sort(c) })
			} else {
				_ = raw.Close()
			}
			continue
		case errors.Is(err, net.ErrClosed):
			_ = p.end()
			return
		}
		// Mostly the process has no descriptor left.
		p.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, "accept connection", slog.Any("error", err))
		p.open.evict()
		select {
		case <-time.After(pause):
			pause = min(2*pause, longest)
		case <-p.closed:
			return
		}
	}
}

// sort waits for the first byte of a connection and hands it to the side it belongs to.
func (p *Port) sort(c *conn) {
	const handshake = 0x16 // the type of a TLS record that every client begins with
	if p.o.Patience > 0 {
		_ = c.SetReadDeadline(time.Now().Add(p.o.Patience))
	}
	if _, err := io.ReadFull(c.Conn, c.first[:]); err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	c.unread = true
	switch secure := c.first[0] == handshake; {
	case secure && p.o.TLS == nil:
		p.warn.Do(func() {
			p.o.Logger.LogAttrs(context.Background(), slog.LevelWarn, "a client speaks TLS to this endpoint, which speaks plain HTTP: use an http:// address, or serve with --tls auto",
				slog.String("client", c.RemoteAddr().String()))
		})
		_ = c.Close()
	case secure:
		p.shake(c)
	case p.o.TLS != nil && !local(c):
		p.refuse(c)
	default:
		p.plain.hand(c, c)
	}
}

// shake makes a TLS connection of c.
func (p *Port) shake(c *conn) {
	ctx := context.Background()
	if p.o.Patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.o.Patience)
		defer cancel()
	}
	t := tls.Server(c, p.o.TLS)
	if err := t.HandshakeContext(ctx); err != nil {
		p.o.Logger.LogAttrs(ctx, slog.LevelDebug, "TLS handshake failed", slog.String("client", c.RemoteAddr().String()), slog.Any("error", err))
		_ = c.Close()
		return
	}
	if t.ConnectionState().NegotiatedProtocol == "h2" {
		p.http2.hand(c, t)
	} else {
		p.secure.hand(c, t)
	}
}

// refuse answers a plain request from elsewhere, whose key was readable to all between.
func (p *Port) refuse(c *conn) {
	defer c.Close()
	p.o.Logger.LogAttrs(context.Background(), slog.LevelDebug, "plain HTTP from another machine refused", slog.String("client", c.RemoteAddr().String()))
	const (
		text   = "This endpoint speaks TLS: use an https:// address.\n"
		linger = time.Second
		most   = 64 << 10
	)
	_ = c.SetDeadline(time.Now().Add(linger))
	if _, err := io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+text); err != nil {
		return
	}
	// What the client still sends is read, else the answer would be lost to a reset.
	if c.CloseWrite() == nil {
		_, _ = io.CopyN(io.Discard, c, most)
	}
}

// local reports whether the caller is on this machine.
func local(c net.Conn) bool {
	remote, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return c.RemoteAddr().Network() == "unix"
	}
	own, err := netip.ParseAddrPort(c.LocalAddr().String())
	return remote.Addr().Unmap().IsLoopback() || err == nil && own.Addr().Unmap() == remote.Addr().Unmap()
}

// side is the listener for one kind of connections.
type side struct {
	port  *Port
	conns chan net.Conn
}

func newSide(p *Port) *side { return &side{p, make(chan net.Conn)} }

// hand gives what became of c to the server.
func (s *side) hand(c *conn, became net.Conn) {
	s.port.open.sorted(c)
	select {
	case s.conns <- became:
	case <-s.port.closed:
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (s *side) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.port.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (s *side) Close() error { return s.port.Close() }

// Addr implements net.Listener.
func (s *side) Addr() net.Addr { return s.port.ln.Addr() }

// conn is a connection whose first byte has been read already.
type conn struct {
	net.Conn
	port   *Port
	first  [1]byte
	unread bool // guarded by the order of things: sort writes it, then one reader has the connection

	before, next *conn // in the set, while it has no request; guarded by the set's mu, as the others are
	sorted       bool
	left         bool
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if c.unread && len(b) > 0 {
		b[0], c.unread = c.first[0], false
		return 1, nil
	}
	return c.Conn.Read(b)
}

// NetConn is the connection below, for those who write several pieces at once.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends what is sent, while what still comes is read.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.port.open.remove(c)
	return c.Conn.Close()
}
