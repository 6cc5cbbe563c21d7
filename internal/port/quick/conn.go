package quick

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

const (
	roomIn  = 4 << 10   // for a head; larger ones are not usual
	roomOut = 16 << 10  // up to here what is written is put together
	kept    = 4 << 10   // of that room, for the next answer
	skipped = 256 << 10 // of a body are read that nobody wants, or the connection ends
)

// longAgo is a deadline that ends what waits.
var longAgo = time.Unix(1, 0)

// phase is what a connection waits for.
type phase int

const (
	idle    phase = iota // a request
	heading              // the rest of its head
	asked                // the answer
	ending               // nothing that has a limit
)

// conn is a connection. One goroutine serves it; in, from, to and what answers need are its own.
type conn struct {
	net.Conn
	s        *Server
	vectored net.Conn // below Conn, which writes several pieces at once
	remote   string
	in       []byte
	from, to int   // what is unread of in
	ended    error // how reading it did, in the middle of a head
	last     remembered
	out      []byte      // written, but not sent
	header   http.Header // of answers, for the next too
	fields   []field     // of the last answer

	mu                  sync.Mutex // guards what follows
	phase               phase
	since               int64 // nanoseconds from the server's start, as of the last tick
	readBy, writeBy     int64 // deadlines in nanoseconds; 0: none
	readOver, writeOver bool  // they have passed
	heard               bool  // the request was read to its end
	listening           chan struct{}
	cancel              context.CancelFunc
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{Conn: nc, s: s, vectored: nc, remote: nc.RemoteAddr().String(), in: make([]byte, roomIn), header: http.Header{}}
	if over, ok := nc.(interface{ NetConn() net.Conn }); ok {
		c.vectored = over.NetConn()
	}
	return c
}

// serve answers requests until the connection ends or is somebody else's.
func (c *conn) serve() {
	mine := true
	defer func() {
		if mine {
			_ = c.Conn.Close()
		}
		c.s.remove(c)
	}()
	for {
		length, more, ok := c.next()
		if more && !ok {
			mine = false
			c.handOn()
			return
		}
		if !more || !c.answer(length) {
			return
		}
	}
}

// next reads a head. It reports whether one came, and whether it is of the usual form.
func (c *conn) next() (length int64, more, ok bool) {
	ends := 0 // of lines, an old client's after its body (RFC 9112 §2.2)
	if c.last.posts() {
		ends = len(blank)
	}
	for {
		for ; ends > 0 && c.from < c.to && (c.in[c.from] == '\r' || c.in[c.from] == '\n'); ends-- {
			c.from++
		}
		unread := c.in[c.from:c.to]
		if end := bytes.Index(unread, blank); end >= 0 {
			length, ok = c.last.read(unread[:end+len(blank)])
			if ok {
				c.from += end + len(blank)
			}
			return length, true, ok
		}
		if len(unread) > 0 && odd(unread) || len(unread) == len(c.in) {
			return 0, true, false
		}
		if c.from > 0 {
			c.to, c.from = copy(c.in, unread), 0
		}
		if c.to > 0 {
			c.enter(heading)
		}
		n, err := c.Conn.Read(c.in[c.to:])
		c.to += n
		if n == 0 && err != nil {
			c.ended = err
			return 0, c.to > 0 && (errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded)), false // half a head, which net/http answers
		}
	}
}

// handOn gives the connection away, with what has been read of it.
func (c *conn) handOn() {
	c.enter(ending)
	_ = c.SetReadDeadline(time.Time{})
	c.s.hand(&resumed{Conn: c.Conn, read: c.in[c.from:c.to], ended: c.ended})
}

// enter begins a phase, unless that is what the connection is in.
func (c *conn) enter(p phase) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != p {
		c.phase, c.since = p, c.s.clock.Load()
	}
}

// turn is what a request and its answer need.
type turn struct {
	body   body
	answer answer
}

// answer has the handler answer a request with a body of that length. It reports whether another may follow.
func (c *conn) answer(length int64) (again bool) {
	ctx, cancel := context.WithCancel(c.s.o.Base())
	defer cancel()
	t := &turn{body: body{c: c, left: length}}
	r := c.last.request.WithContext(ctx)
	if r.ContentLength, r.RemoteAddr = length, c.remote; length > 0 {
		r.Body = &t.body
	}
	clear(c.header)
	t.answer = answer{c: c, body: &t.body, header: c.header, length: -1}
	c.begin(length == 0, cancel)
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler { //nolint:errorlint,err113 // as net/http, which looks for the value itself
				c.s.o.Logger.LogAttrs(ctx, slog.LevelError, "panic", slog.Any("value", p), slog.String("stack", string(debug.Stack())))
			}
			again = false
		}
		again = c.finish() && again
	}()
	c.s.o.Handler.ServeHTTP(&t.answer, r)
	return t.answer.finish()
}

// begin enters the phase of a request.
func (c *conn) begin(heard bool, cancel context.CancelFunc) {
	c.s.o.State(c.Conn, http.StateActive)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.since, c.cancel = asked, c.s.clock.Load(), cancel
	_ = c.readOn()
	c.readBy, c.writeBy, c.heard = 0, 0, false
	if heard {
		c.end()
	}
	if c.s.o.Write > 0 {
		c.writeBy = c.since + int64(c.s.o.Write)
	}
}

// finish leaves the phase of a request, and reports whether the connection can have another.
func (c *conn) finish() bool {
	c.mu.Lock()
	c.phase, c.since, c.cancel = ending, c.s.clock.Load(), nil
	listening := c.listening
	c.listening = nil
	if listening != nil {
		_ = c.SetReadDeadline(longAgo)
	}
	reset := listening != nil || c.readOver || c.writeOver
	c.readOver, c.writeOver = false, false
	c.mu.Unlock()
	if listening != nil {
		<-listening
		if len(c.in) < roomIn {
			c.in = append(make([]byte, 0, roomIn), c.in...)[:roomIn]
		}
	}
	if reset {
		_ = c.SetDeadline(time.Time{})
	}
	c.s.o.State(c.Conn, http.StateIdle)
	c.enter(idle)
	return !c.s.closing.Load()
}

// look enforces what the connection has to keep to; a request that takes long is listened for.
func (c *conn) look(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := func(limit time.Duration) bool { return limit > 0 && now-c.since > int64(limit) }
	switch c.phase {
	case idle:
		if over(c.s.o.Idle) {
			_ = c.Conn.Close()
		}
	case heading:
		if over(c.s.o.Head) {
			c.stopReading()
		}
	case asked:
		if c.readBy != 0 && now >= c.readBy && !c.heard {
			c.stopReading()
		}
		if c.writeBy != 0 && now >= c.writeBy && !c.writeOver {
			c.writeOver = true
			_ = c.SetWriteDeadline(longAgo)
		}
		if c.heard && c.listening == nil && c.to < len(c.in) && over(tick*3/2) {
			if c.to == 0 { // who is answered for long needs no room for heads meanwhile
				c.in = make([]byte, 1)
			}
			c.listening = make(chan struct{})
			go c.listen(c.listening, c.cancel)
		}
	case ending:
	}
}

// listen waits for the caller to hang up. What comes instead is the beginning of another request.
func (c *conn) listen(done chan struct{}, cancel context.CancelFunc) {
	defer close(done)
	n, err := c.Conn.Read(c.in[c.to : c.to+1])
	c.to += n
	if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		cancel()
	}
}

// hangUp ends the request, if there is one.
func (c *conn) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

// closeIdle closes the connection unless it has a request.
func (c *conn) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == idle || c.phase == heading {
		_ = c.Conn.Close()
	}
}

// body is what a request has after its head.
type body struct {
	c    *conn
	mu   sync.Mutex // held by who reads: what a handler left behind must not take from the next request
	left int64
}

// unread is how much is left, which nobody can say who does not wait for whoever is reading.
func (b *body) unread() int64 {
	if !b.mu.TryLock() {
		return math.MaxInt64
	}
	defer b.mu.Unlock()
	return b.left
}

// Read tells the end together with the last bytes, which saves its reader a call.
func (b *body) Read(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.left)]
	if c := b.c; c.from < c.to {
		n = copy(p, c.in[c.from:c.to])
		c.from += n
	} else if n, err = c.Conn.Read(p); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if b.left -= int64(n); b.left > 0 {
		return n, err //nolint:wrapcheck // whoever reads looks at it
	}
	b.c.hear()
	return n, io.EOF
}

// Close does nothing: what is left is the connection's.
func (b *body) Close() error { return nil }

// hear notes that the request was read to its end.
func (c *conn) hear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end()
}

// end lets the connection be listened to. The deadline of the request ends with it. The caller holds mu.
func (c *conn) end() {
	if c.heard = true; c.from == c.to {
		c.from, c.to = 0, 0
	}
	_ = c.readOn()
}

// stopReading has reads fail until readOn. The caller of either holds mu.
func (c *conn) stopReading() {
	if !c.readOver {
		c.readOver = true
		_ = c.SetReadDeadline(longAgo)
	}
}

func (c *conn) readOn() error {
	if !c.readOver {
		return nil
	}
	c.readOver = false
	return c.SetReadDeadline(time.Time{}) //nolint:wrapcheck // it is the connection's
}

// resumed is a connection of which something has been read already.
type resumed struct {
	net.Conn
	read  []byte
	ended error // what comes after that; nil: what comes
}

// Read implements net.Conn.
func (r *resumed) Read(p []byte) (int, error) {
	if len(r.read) > 0 && len(p) > 0 {
		n := copy(p, r.read)
		if r.read = r.read[n:]; len(r.read) == 0 {
			r.read = nil
		}
		return n, nil
	}
	if r.ended != nil {
		return 0, r.ended
	}
	return r.Conn.Read(p) //nolint:wrapcheck // whoever reads looks at it
}

// NetConn is the connection below.
func (r *resumed) NetConn() net.Conn { return r.Conn }

// CloseWrite ends what is sent, while what still comes is read.
func (r *resumed) CloseWrite() error { return closeWrite(r.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // whoever closes looks at it
	}
	return errors.ErrUnsupported
}
