package quick

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/head"
)

// answer is an http.ResponseWriter, and all that an http.ResponseController asks of one but for hijacking and full duplex.
type answer struct {
	c       *conn
	body    *body
	header  http.Header
	status  int    // 0: not known yet
	open    bool   // the head is not at its end
	typed   bool   // it says what the body is
	length  int64  // as its header says; -1: it does not
	written int64  // bytes of the body
	chunked bool   // the body is sent so
	held    []byte // a body whose length is not known yet
	close   bool   // the connection ends with this answer
	failed  error
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. Informational answers are not sent.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK {
		return
	}
	a.status, a.open = status, true
	a.typed = a.header["Content-Encoding"] != nil
	c := a.c
	out := append(c.out[:0], "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(append(append(out, ' '), http.StatusText(status)...), "\r\n"...)
	for _, f := range c.sorted(a.header) {
		switch f.name {
		case "Connection":
			a.close = a.close || slices.ContainsFunc(f.values, func(v string) bool { return strings.EqualFold(v, "close") })
		case "Transfer-Encoding", "Trailer", "Date":
		case "Content-Type":
			if a.typed = true; status != http.StatusNotModified {
				out = appendHeader(out, f.name, f.values)
			}
		case "Content-Length":
			if n, err := strconv.ParseUint(strings.Join(f.values, ","), 10, 62); err == nil && a.mayHaveBody() {
				a.length = int64(n)
				out = append(strconv.AppendUint(append(out, "Content-Length: "...), n, 10), "\r\n"...)
			}
		default:
			out = appendHeader(out, f.name, f.values)
		}
	}
	c.out = append(out, *c.s.date.Load()...)
}

// field is a header of an answer.
type field struct {
	name   string
	values []string
}

// sorted returns the fields of a header in the order of their names, which mostly are those of the answer before.
func (c *conn) sorted(h http.Header) []field {
	same := len(c.fields) == len(h)
	for i := range c.fields {
		values, ok := h[c.fields[i].name]
		c.fields[i].values = values
		same = same && ok
	}
	if same {
		return c.fields
	}
	c.fields = slices.Grow(c.fields[:0], len(h))
	for name, values := range h {
		c.fields = append(c.fields, field{name, values})
	}
	slices.SortFunc(c.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return c.fields
}

func appendHeader(out []byte, name string, values []string) []byte {
	if !head.Token(name) {
		return out
	}
	for _, v := range values {
		out = append(append(out, name...), ": "...)
		at := len(out)
		out = append(out, v...)
		for i, b := range out[at:] {
			if b == '\r' || b == '\n' {
				out[at+i] = ' '
			}
		}
		out = append(out, "\r\n"...)
	}
	return out
}

func (a *answer) mayHaveBody() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case a.failed != nil:
		return 0, a.failed
	case len(p) == 0:
		return 0, nil
	case !a.mayHaveBody():
		return 0, http.ErrBodyNotAllowed
	}
	a.written += int64(len(p))
	switch {
	case a.length >= 0 && a.written > a.length:
		return 0, http.ErrContentLength
	case a.length >= 0:
		if a.open {
			a.endHead(p)
		}
		return len(p), a.put(p)
	case a.chunked:
		return len(p), a.chunk(p)
	case len(a.held)+len(p) > roomIn:
		if err := a.divide(p); err != nil {
			return 0, err
		}
		return len(p), a.chunk(p)
	}
	a.held = append(a.held, p...)
	return len(p), nil
}

// endHead ends the head of an answer whose body begins with p.
func (a *answer) endHead(p []byte) {
	a.open = false
	c := a.c
	if len(p) > 0 && !a.typed {
		c.out = appendHeader(c.out, "Content-Type", []string{http.DetectContentType(p)})
	}
	if a.close = a.close || a.body.unread() > skipped || c.s.closing.Load(); a.close {
		c.out = append(c.out, "Connection: close\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

// divide sends what is held, and what comes after it, which begins with next, in chunks.
func (a *answer) divide(next []byte) error {
	a.chunked = true
	a.c.out = append(a.c.out, "Transfer-Encoding: chunked\r\n"...)
	held := a.held
	a.held = nil
	if len(held) == 0 {
		a.endHead(next)
		return nil
	}
	a.endHead(held)
	return a.chunk(held)
}

func (a *answer) chunk(p []byte) error {
	c := a.c
	c.out = append(strconv.AppendUint(c.out, uint64(len(p)), 16), "\r\n"...)
	if err := a.put(p); err != nil {
		return err
	}
	c.out = append(c.out, "\r\n"...)
	return nil
}

// put writes p after what has not been sent yet, which it sends with it where both are large.
func (a *answer) put(p []byte) error {
	c := a.c
	if len(c.out)+len(p) <= roomOut {
		c.out = append(c.out, p...)
		return nil
	}
	pieces := net.Buffers{c.out, p}
	_, err := pieces.WriteTo(c.vectored)
	return a.sent(err)
}

// send sends what has been written.
func (a *answer) send() error {
	if a.failed != nil || len(a.c.out) == 0 {
		return a.failed
	}
	_, err := a.c.Conn.Write(a.c.out)
	return a.sent(err)
}

// sent notes what became of the bytes that were written; without an answer nobody needs to go on.
func (a *answer) sent(err error) error {
	if a.c.out = a.c.out[:0]; cap(a.c.out) > kept {
		a.c.out = nil
	}
	if err != nil {
		a.failed, a.close = err, true
		a.c.hangUp()
	}
	return err
}

// Flush implements http.Flusher.
func (a *answer) Flush() { _ = a.FlushError() }

// FlushError sends what has been written.
func (a *answer) FlushError() error {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	switch {
	case !a.open:
	case a.length >= 0 || !a.mayHaveBody():
		a.endHead(nil)
	default:
		if err := a.divide(nil); err != nil {
			return err
		}
	}
	return a.send()
}

// finish ends the answer and what is left of the request. It reports whether the connection can be used again.
func (a *answer) finish() bool {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	c := a.c
	switch {
	case a.chunked:
		c.out = append(c.out, "0\r\n\r\n"...)
	case a.open && a.length < 0 && a.mayHaveBody():
		c.out = append(strconv.AppendInt(append(c.out, "Content-Length: "...), int64(len(a.held)), 10), "\r\n"...)
		a.endHead(a.held)
		_ = a.put(a.held)
	case a.open:
		a.endHead(nil)
	}
	if a.length >= 0 && a.written != a.length {
		a.close = true // it is not whole, which only the end of the connection tells
	}
	if a.send() != nil {
		return false
	}
	if left := a.body.unread(); left > skipped || left > 0 && !a.skip() {
		a.linger()
		return false
	}
	return !a.close
}

// skip reads on to the end of a request whose handler has not, if that comes soon.
func (a *answer) skip() bool {
	const moment = time.Second
	_ = a.SetReadDeadline(time.Now().Add(moment))
	_, err := io.Copy(io.Discard, a.body)
	return err == nil
}

// linger lets a caller who is still sending read the answer, which a reset would take from it.
func (a *answer) linger() {
	const moment = 500 * time.Millisecond
	if closeWrite(a.c.Conn) == nil {
		_ = a.SetReadDeadline(time.Time{}) // which else might end with a body that somebody still reads
		_ = a.c.Conn.SetReadDeadline(time.Now().Add(moment))
		_, _ = io.Copy(io.Discard, a.c.Conn)
	}
}

// SetReadDeadline is for an http.ResponseController. It takes effect with the next tick, and ends with the request's body.
func (a *answer) SetReadDeadline(t time.Time) error {
	c := a.c
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = c.s.deadline(t)
	return c.readOn()
}

// SetWriteDeadline is for an http.ResponseController. It takes effect with the next tick.
func (a *answer) SetWriteDeadline(t time.Time) error {
	c := a.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writeBy = c.s.deadline(t); c.writeOver {
		c.writeOver = false
		return c.Conn.SetWriteDeadline(time.Time{}) //nolint:wrapcheck // it is the connection's
	}
	return nil
}

// deadline is t as a connection notes it.
func (s *Server) deadline(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return s.nanos(t)
}
