// Package quick serves requests of HTTP/1.1 as nearly all clients send them, for less than net/http's server takes, and hands every
// connection over which anything else comes on to that.
package quick

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// tick is how often the server looks at its connections: how late a deadline may take effect, and a hang-up be noticed.
const tick = 100 * time.Millisecond

// Options say how a Server serves. Of the times, 0 is no limit.
type Options struct {
	// Handler answers. It must not change the URL and the Header of a request, which later ones share, nor keep the header of an
	// answer. A request's Header is without Content-Length.
	Handler http.Handler
	// Base makes what the context of a request stands on.
	Base  func() context.Context
	Head  time.Duration // for the head of a request
	Idle  time.Duration // between requests
	Write time.Duration // for an answer whose handler sets no deadline
	// State is told when a connection has a request (http.StateActive), and has none any more (http.StateIdle).
	State  func(net.Conn, http.ConnState)
	Logger *slog.Logger
}

// Server serves the connections of a listener. Its methods may be called concurrently.
type Server struct {
	o       Options
	ln      net.Listener
	rest    chan net.Conn
	closed  chan struct{} // when no more connections are taken
	once    sync.Once
	serving sync.WaitGroup
	start   time.Time              // from which nanoseconds are counted, whatever the clock on the wall does
	clock   atomic.Int64           // the time of the last tick, in nanoseconds
	date    atomic.Pointer[string] // header line of that time

	mu       sync.Mutex // guards what follows
	conns    map[*conn]struct{}
	watching bool
	closing  atomic.Bool // written under mu
}

// New makes a Server of the connections of ln, which Serve accepts. What a connection's NetConn returns, where it has one, must send
// the same bytes, as that below a *tls.Conn does not.
func New(ln net.Listener, o Options) *Server {
	s := &Server{o: o, ln: ln, start: time.Now(), rest: make(chan net.Conn), closed: make(chan struct{}), conns: map[*conn]struct{}{}}
	s.tell(s.start)
	return s
}

// Serve serves until ln is closed, for which it returns http.ErrServerClosed.
func (s *Server) Serve() error {
	defer func() { _ = s.end() }()
	for {
		nc, err := s.ln.Accept()
		if err != nil {
			return http.ErrServerClosed
		}
		if !s.take(newConn(s, nc)) {
			_ = nc.Close()
		}
	}
}

// Rest has the connections that are not the Server's: what it read of them is read again. It ends with the Server.
func (s *Server) Rest() net.Listener { return (*rest)(s) }

// Shutdown ends the listener and the connections without a request, and waits for the others until ctx ends, for which it returns
// the error.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.end()
	s.mu.Lock()
	s.closing.Store(true)
	for c := range s.conns {
		c.closeIdle()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.serving.Wait()
		close(done)
	}()
	select {
	case <-done:
		return err
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // as http.Server does
	}
}

// Close ends the listener and all connections, and returns when no handler runs any more.
func (s *Server) Close() error {
	err := s.end()
	s.mu.Lock()
	s.closing.Store(true)
	for c := range s.conns {
		_ = c.Conn.Close()
		c.hangUp()
	}
	s.mu.Unlock()
	s.serving.Wait()
	return err
}

// end ends what is accepted.
func (s *Server) end() (err error) {
	s.once.Do(func() {
		close(s.closed)
		err = s.ln.Close()
	})
	return err
}

// take serves a connection, unless the server closes.
func (s *Server) take(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.conns[c] = struct{}{}
	if !s.watching {
		s.watching = true
		s.tell(time.Now())
		go s.watch()
	}
	c.since = s.clock.Load()
	s.serving.Go(c.serve)
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// watch looks at the connections as long as there are any.
func (s *Server) watch() {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	for now := range ticks.C {
		s.tell(now)
		if !s.look(s.nanos(now)) {
			return
		}
	}
}

func (s *Server) look(now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.look(now)
	}
	s.watching = len(s.conns) > 0
	return s.watching
}

// tell notes the time.
func (s *Server) tell(now time.Time) {
	line := "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"
	s.date.Store(&line)
	s.clock.Store(s.nanos(now))
}

func (s *Server) nanos(t time.Time) int64 { return int64(t.Sub(s.start)) }

// hand gives a connection to Rest.
func (s *Server) hand(c net.Conn) {
	select {
	case s.rest <- c:
	case <-s.closed:
		_ = c.Close()
	}
}

// rest is a Server as the listener of what it does not serve.
type rest Server

// Accept implements net.Listener.
func (r *rest) Accept() (net.Conn, error) {
	select {
	case c := <-r.rest:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (r *rest) Close() error { return (*Server)(r).end() }

// Addr implements net.Listener.
func (r *rest) Addr() net.Addr { return r.ln.Addr() }
