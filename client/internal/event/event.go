// Package event reads text/event-stream in bounded memory.
package event

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// ErrTooLong reports an event beyond the limit.
var ErrTooLong = errors.New("event is too long; raise Options.MaxEvent")

// Reader splits a stream into events. It takes what servers send: LF or CRLF, a byte order mark, comments, fields that it
// does not know, a missing space after the colon, data in several lines, and no blank line at the end.
// One goroutine uses it.
type Reader struct {
	r     *bufio.Reader
	max   int
	begun bool
	cut   bool
	line  []byte
}

// NewReader returns a Reader of events of at most max bytes each.
func NewReader(r io.Reader, limit int) *Reader {
	return &Reader{r: bufio.NewReader(r), max: limit}
}

// Cut says whether the last event was ended by the end of the stream and not by a blank line.
func (e *Reader) Cut() bool { return e.cut }

// Next returns the next event that has data, which stays valid, or io.EOF.
func (e *Reader) Next() (name string, data []byte, err error) {
	lines := 0
	for {
		line, err := e.readLine(len(data))
		if err != nil {
			if errors.Is(err, io.EOF) && lines > 0 {
				e.cut = true
				return name, data, nil
			}
			return "", nil, err
		}
		if len(line) == 0 {
			if len(data) > 0 {
				return name, data, nil
			}
			name, data, lines = "", nil, 0
			continue
		}
		field, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if lines > 0 {
				data = append(data, '\n')
			}
			data = append(data, value...)
			lines++
		}
	}
}

// readLine returns the next line without its end; used bytes of the event's limit are spent already.
func (e *Reader) readLine(used int) ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		if len(part)+len(e.line)+used > e.max {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLong, e.max)
		}
		e.line = append(e.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(e.line) == 0) {
			return nil, err
		}
		break
	}
	line := e.line
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}
