package dialect

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Shape returns ln with connections on which the plain text that net/http itself writes, where a
// request is no HTTP it can read, becomes an error in a door's shape. write returns its code and
// JSON for a status and a reason. Not for HTTP/2, for which net/http wants the *tls.Conn itself.
func Shape(ln net.Listener, write func(status int, reason string) (code string, body []byte)) net.Listener {
	return &shapedListener{ln, write}
}

type shapedListener struct {
	net.Listener
	write func(int, string) (string, []byte)
}

// Accept waits for the next connection.
func (l *shapedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http looks at it
	}
	return &shapedConn{Conn: c, write: l.write}, nil
}

type shapedConn struct {
	net.Conn
	write   func(int, string) (string, []byte)
	refused atomic.Bool
}

// Write sends p, which is whole where it is such a text.
func (c *shapedConn) Write(p []byte) (int, error) {
	status, reason, ok := plainRefusal(p)
	if !ok {
		return c.Conn.Write(p) //nolint:wrapcheck // net/http looks at it
	}
	code, body := c.write(status, reason)
	id := guid()
	h := http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}, "Connection": {"close"},
		"X-Content-Type-Options": {"nosniff"}, "X-Ms-Error-Code": {code}, "X-Request-Id": {id}, "Apim-Request-Id": {id},
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	_ = h.Write(&b) // a Buffer takes all
	b.WriteString("\r\n")
	b.Write(body)
	c.refused.Store(true)
	if _, err := c.Conn.Write(b.Bytes()); err != nil {
		return 0, err //nolint:wrapcheck // net/http looks at it
	}
	return len(p), nil
}

// plainRefusal recognises what net/http writes by itself: no answer of a handler has only these headers.
func plainRefusal(p []byte) (status int, reason string, ok bool) {
	line, rest, _ := bytes.Cut(p, []byte("\r\n"))
	text, found := bytes.CutPrefix(rest, []byte("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"))
	first, isHTTP := bytes.CutPrefix(line, []byte("HTTP/1.1 "))
	if !found || !isHTTP || len(first) < 3 {
		return 0, "", false
	}
	status, err := strconv.Atoi(string(first[:3]))
	if err != nil || status < http.StatusBadRequest {
		return 0, "", false
	}
	if _, after, ok := bytes.Cut(text, []byte(": ")); ok {
		text = after
	}
	text = bytes.TrimPrefix(text, []byte(strconv.Itoa(status)+" "))
	return status, string(text), true
}

// NetConn is the connection below.
func (c *shapedConn) NetConn() net.Conn { return c.Conn }

// CloseWrite tells the peer that no more comes.
func (c *shapedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // net/http looks at it
	}
	return nil
}

// Close ends the connection. After a refusal it takes in what is under way first, since a reset
// would take the refusal from a peer who has not read it.
func (c *shapedConn) Close() error {
	const (
		linger = 500 * time.Millisecond
		most   = 1 << 20
	)
	if c.refused.Swap(false) {
		_ = c.CloseWrite()
		_ = c.SetReadDeadline(time.Now().Add(linger))
		_, _ = io.CopyN(io.Discard, c.Conn, most)
	}
	return c.Conn.Close() //nolint:wrapcheck // net/http looks at it
}
