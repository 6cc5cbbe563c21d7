package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/head"
)

// plainHead reads the head of an answer as nearly all servers send it: 200 of HTTP/1.1, whole in the buffer, with one length and
// nothing that would change how the connection goes on. Where it is any other it takes nothing and returns nil, for
// http.ReadResponse to judge.
func plainHead(from *bufio.Reader, names *head.Names, r *http.Request) *http.Response {
	const status = "HTTP/1.1 200 "
	if _, err := from.Peek(len(status)); err != nil {
		return nil
	}
	all, _ := from.Peek(from.Buffered())
	end := bytes.Index(all, []byte("\r\n\r\n"))
	if end < 0 || string(all[:len(status)]) != status {
		return nil
	}
	first, rest, _ := strings.Cut(string(all[:end+len("\r\n")]), "\r\n")
	if head.Printable(first) < len(first) {
		return nil
	}
	n := strings.Count(rest, "\r\n")
	header, values, length := make(http.Header, n), make([]string, 0, n), int64(-1)
	if !names.Lines(rest, func(name, value string, _ int) bool {
		switch name {
		case "Content-Length":
			l, err := strconv.ParseUint(value, 10, 62)
			if err != nil || length >= 0 {
				return false
			}
			length = int64(l)
		case "Transfer-Encoding", "Connection", "Trailer", "Upgrade":
			return false
		}
		values = head.Add(header, values, name, value)
		return true
	}) {
		return nil
	}
	if length < 0 {
		return nil
	}
	_, _ = from.Discard(end + len("\r\n\r\n"))
	return &http.Response{
		Status: first[len("HTTP/1.1 "):], StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: length, Body: &sized{from, length}, Request: r,
	}
}

// sized is a body of known length.
type sized struct {
	from *bufio.Reader
	left int64
}

// Read tells the end together with the last bytes, which saves its reader a call.
func (s *sized) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.from.Read(p[:min(int64(len(p)), s.left)])
	if s.left -= int64(n); s.left == 0 {
		return n, io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err //nolint:wrapcheck // whoever reads looks at it
}

// Close does nothing: what is left is the connection's.
func (s *sized) Close() error { return nil }
