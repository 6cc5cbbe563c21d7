// Package h1 asks servers over plain HTTP/1.1 for less than the standard library's transport takes: a request is one write,
// and its connection is served by the goroutine that asks. It is for few hosts and many requests to them.
package h1

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/head"
)

const (
	maxHead   = 64 << 10         // bytes of a response's head
	maxInform = 8                // informational responses before the real one
	mostIdle  = 256              // connections that are kept for a host
	idleTime  = 3 * time.Second  // less than servers keep them, so that none is used that is being closed
	linger    = time.Millisecond // for the last bytes of an answer that has been told whole
	roomy     = 4 << 10          // more than most requests
	copied    = 16 << 10         // up to here a body is put behind its head instead of being referred to
)

// Body is a request's body that can be sent with its head in one write. Requests need one whose length is known.
type Body interface {
	io.ReadCloser
	// Pieces returns all of it, which nobody may change. It may be called again, for another connection.
	Pieces() [][]byte
}

// Transport is an http.RoundTripper for requests with a Body to http URLs. It may be used concurrently; its fields must
// not change.
type Transport struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex // guards what follows
	idle  map[string][]*conn
	prune *time.Timer
}

var _ http.RoundTripper = (*Transport)(nil)

// Takes reports whether the transport can send r.
func Takes(r *http.Request) bool {
	_, ok := r.Body.(Body)
	return checks && ok && r.URL.Scheme == "http" && r.URL.Host != ""
}

// conn is one connection. It belongs to whoever has it.
type conn struct {
	net.Conn
	quiet func() bool // reports whether it is open and has nothing to say
	buf   *bufio.Reader
	out   []byte // room for what is sent
	names head.Names
	left  int64 // bytes that may still be read
	read  int64 // bytes since the request was sent
	since time.Time
}

// Read reads within the limit.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the head of the answer is too large")
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.read += int64(n)
	return n, err //nolint:wrapcheck // whoever reads looks at it
}

// RoundTrip sends a request and reads the head of its answer. A connection that the server closed while it was idle is
// replaced once.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := r.Body.(Body)
	if !ok {
		return nil, errors.New("send request: its body is not a Body")
	}
	defer body.Close()
	if err := sendable(r); err != nil {
		return nil, err
	}
	address := hostPort(r.URL.Host)
	for c := t.take(address); ; c = nil {
		used := c != nil
		if !used {
			var err error
			if c, err = t.dial(r.Context(), address); err != nil {
				return nil, err
			}
		}
		res, err := t.exchange(r, c, address, body.Pieces())
		if err == nil {
			return res, nil
		}
		if !used || c.read > 0 || r.Context().Err() != nil {
			return nil, err
		}
	}
}

func (t *Transport) dial(ctx context.Context, address string) (*conn, error) {
	nc, err := t.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &conn{Conn: nc}
	c.buf, c.quiet = bufio.NewReader(c), listener(nc)
	return c, nil
}

// exchange sends a request over c and reads the head of the answer. Where it fails, c is closed.
func (t *Transport) exchange(r *http.Request, c *conn, address string, pieces [][]byte) (*http.Response, error) {
	long := time.Unix(1, 0)
	unwatch := context.AfterFunc(r.Context(), func() { _ = c.SetDeadline(long) })
	c.left, c.read = maxHead, 0
	res, failed, err := converse(r, c, pieces)
	if err != nil {
		unwatch()
		_ = c.Close()
		if gone := r.Context().Err(); gone != nil {
			return nil, fmt.Errorf("ask server: %w", gone)
		}
		return nil, fmt.Errorf("ask server: %w", cmp.Or(failed, err))
	}
	c.left = math.MaxInt64
	b := &answer{ReadCloser: res.Body, t: t, c: c, address: address, unwatch: unwatch, keep: failed == nil && !res.Close && res.StatusCode >= http.StatusOK}
	res.Body = b
	if res.ContentLength == 0 {
		b.end(true)
	}
	return res, nil
}

// errUnsent says that an answer came while the request was being sent.
var errUnsent = errors.New("the request was answered before it was sent")

// converse sends a request and reads the head of its answer. A server may answer before it has read everything, and then close,
// or read no more: what is large is sent by a goroutine, which ends with the connection.
func converse(r *http.Request, c *conn, pieces [][]byte) (res *http.Response, failed, err error) {
	if r.ContentLength <= copied {
		failed = c.write(r, pieces)
		res, err = readHead(c.buf, &c.names, r)
		return res, failed, err
	}
	sent := make(chan error, 1)
	go func() { sent <- c.write(r, pieces) }()
	res, err = readHead(c.buf, &c.names, r)
	select {
	case failed = <-sent:
	case <-time.After(linger): // which is for a goroutine that has sent all, and is about to say so
		if err == nil {
			failed = errUnsent
		}
	}
	return res, failed, err
}

// readHead reads a response's head, past those that only inform.
func readHead(from *bufio.Reader, names *head.Names, r *http.Request) (*http.Response, error) {
	if res := plainHead(from, names, r); res != nil {
		return res, nil
	}
	for range maxInform {
		res, err := http.ReadResponse(from, r)
		if err != nil {
			return nil, err //nolint:wrapcheck // exchange wraps it
		}
		if res.StatusCode < http.StatusContinue {
			return nil, fmt.Errorf("status %q is none", res.Status)
		}
		if res.StatusCode >= http.StatusOK || res.StatusCode == http.StatusSwitchingProtocols {
			return res, nil
		}
	}
	return nil, errors.New("too many informational responses")
}

// write sends all with one call where it can.
func (c *conn) write(r *http.Request, pieces [][]byte) error {
	c.out = appendHead(c.out[:0], r)
	if r.ContentLength <= copied {
		for _, p := range pieces {
			c.out = append(c.out, p...)
		}
		_, err := c.Conn.Write(c.out)
		return err //nolint:wrapcheck // exchange wraps it
	}
	all := append(net.Buffers{c.out}, pieces...)
	_, err := all.WriteTo(c.Conn)
	return err //nolint:wrapcheck // exchange wraps it
}

// sendable fails where the length of a body is not known, or a header would break the head.
func sendable(r *http.Request) error {
	if r.ContentLength < 0 {
		return errors.New("send request: the length of its body is not known")
	}
	for name, values := range r.Header {
		for _, value := range values {
			if !head.Token(name) || head.Printable(value) < len(value) && strings.ContainsAny(value, "\r\n\x00") {
				return fmt.Errorf("send request: header %q holds what a header cannot", name)
			}
		}
	}
	return nil
}

// appendHead appends a request's head.
func appendHead(dst []byte, r *http.Request) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.URL.RequestURI()...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, r.URL.Host...)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, r.ContentLength, 10)
	dst = append(dst, "\r\n"...)
	for name, values := range r.Header {
		for _, value := range values {
			dst = append(dst, name...)
			dst = append(dst, ": "...)
			dst = append(dst, value...)
			dst = append(dst, "\r\n"...)
		}
	}
	return append(dst, "\r\n"...)
}

// answer is a response's body, which gives its connection back at its end.
type answer struct {
	io.ReadCloser
	t       *Transport
	c       *conn
	address string
	unwatch func() bool
	keep    bool // the connection can be used again
	ended   bool
	failed  error // how reading it ended
}

// Read reads the body.
func (a *answer) Read(p []byte) (int, error) {
	if a.ended {
		return 0, cmp.Or(a.failed, io.EOF)
	}
	n, err := a.ReadCloser.Read(p)
	if err != nil {
		a.failed = err
		a.end(errors.Is(err, io.EOF))
	}
	return n, err //nolint:wrapcheck // whoever reads looks at it
}

// Close gives up what has not been read, unless that is only how the body ends.
func (a *answer) Close() error {
	if a.ended || !a.keep {
		a.end(false)
		return nil
	}
	_ = a.c.SetReadDeadline(time.Now().Add(linger))
	var rest [1]byte
	n, err := a.ReadCloser.Read(rest[:])
	_ = a.c.SetReadDeadline(time.Time{})
	a.end(n == 0 && errors.Is(err, io.EOF))
	return nil
}

// end keeps the connection after a whole body, and else closes it.
func (a *answer) end(whole bool) {
	if a.ended {
		return
	}
	a.ended = true
	alone := a.unwatch() // or its deadline is set
	if !whole || !alone || !a.keep || a.c.buf.Buffered() > 0 {
		_ = a.c.Close()
		return
	}
	a.t.put(a.address, a.c)
}

// take returns the connection that was used last, or nil. Those at which something came unasked, their end or what would pass
// for an answer, are closed.
func (t *Transport) take(address string) *conn {
	for {
		c := t.last(address)
		if c == nil || c.quiet() {
			return c
		}
		_ = c.Close()
	}
}

func (t *Transport) last(address string) *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.idle[address]
	if len(kept) == 0 {
		return nil
	}
	c := kept[len(kept)-1]
	t.idle[address] = kept[:len(kept)-1]
	return c
}

func (t *Transport) put(address string, c *conn) {
	if cap(c.out) > roomy {
		c.out = nil
	}
	c.since = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := t.idle[address]
	if len(kept) >= mostIdle {
		_ = c.Close()
		return
	}
	if t.idle == nil {
		t.idle = map[string][]*conn{}
	}
	t.idle[address] = append(kept, c)
	if t.prune == nil {
		t.prune = time.AfterFunc(idleTime, t.closeOld)
	}
}

// closeOld closes what nobody has used for long, and looks again as long as there is anything.
func (t *Transport) closeOld() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune = nil
	old := time.Now().Add(-idleTime)
	for address, kept := range t.idle {
		n := 0
		for n < len(kept) && !kept[n].since.After(old) {
			_ = kept[n].Close()
			n++
		}
		if t.idle[address] = slices.Delete(kept, 0, n); len(t.idle[address]) == 0 {
			delete(t.idle, address)
		}
	}
	if len(t.idle) > 0 {
		t.prune = time.AfterFunc(idleTime, t.closeOld)
	}
}

// CloseIdleConnections closes what is kept for another request.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, kept := range t.idle {
		for _, c := range kept {
			_ = c.Close()
		}
	}
	t.idle = nil
	if t.prune != nil {
		t.prune.Stop()
		t.prune = nil
	}
}

func hostPort(host string) string {
	if strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']') {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "80")
}
