// Package sse reads server-sent events (the WHATWG event stream format), leniently and in
// bounded memory, and appends events for the doors that write them.
package sse

import (
	"bytes"
	"errors"
	"io"
)

// MaxEvent is how large one event may be, in bytes.
const MaxEvent = 32 << 20

// ErrTooLarge is returned for an event of more than MaxEvent bytes.
var ErrTooLarge = errors.New("server-sent event too large")

// Event is one event. Data aliases the Reader's buffer.
type Event struct {
	Type string // empty: message
	Data []byte // the data lines joined by \n
}

// Reader reads events from a stream. It is for one goroutine.
type Reader struct {
	src     io.Reader
	buf     []byte
	start   int // of the event in progress
	scanned int // up to here lines are complete and read
	looked  int // up to here there is no line end
	begun   bool
	err     error

	events []Event
	typ    string
	data   span
	multi  []byte // joined data, where an event has more than one data line
	lines  int
	clean  bool // what was read since the last Next is exactly "data: …\n\n" events
	first  int  // where the events of this Next begin
	sawCR  bool
}

type span struct{ from, to int }

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Next returns all events that are complete after one read; they are valid until the next
// call. It returns io.EOF after the last, dropping an event that was cut in its middle.
func (r *Reader) Next() ([]Event, error) {
	r.compact()
	for {
		r.scan()
		if len(r.events) > 0 {
			return r.events, nil
		}
		if r.err != nil {
			return nil, r.err
		}
		if len(r.buf)-r.start > MaxEvent {
			return nil, ErrTooLarge
		}
		r.fill()
	}
}

// Raw returns the bytes of the events that Next returned if they are exactly "data: …\n\n"
// events without comments, types or CR, else nil.
func (r *Reader) Raw() []byte {
	if !r.clean || r.first == r.start {
		return nil
	}
	return r.buf[r.first:r.start]
}

// compact forgets the events that were handed out.
func (r *Reader) compact() {
	r.events, r.clean = r.events[:0], true
	if n := r.start; n > 0 {
		r.buf = append(r.buf[:0], r.buf[n:]...)
		r.start, r.scanned, r.looked = 0, r.scanned-n, r.looked-n
		r.data.from, r.data.to = r.data.from-n, r.data.to-n
	}
	r.first = 0
}

func (r *Reader) fill() {
	const piece = 4 << 10
	if cap(r.buf)-len(r.buf) < piece {
		grown := make([]byte, len(r.buf), 2*cap(r.buf)+piece)
		copy(grown, r.buf)
		r.buf = grown
	}
	// A buffer that was large once does not make the next read large, and its events many.
	const most = 64 << 10
	n, err := r.src.Read(r.buf[len(r.buf):min(cap(r.buf), len(r.buf)+most)])
	r.buf = r.buf[:len(r.buf)+n]
	r.err = err
}

// scan reads all complete lines.
func (r *Reader) scan() {
	if !r.begun && len(r.buf) > 0 {
		bom := []byte("\xef\xbb\xbf")
		if len(r.buf) < len(bom) && bytes.HasPrefix(bom, r.buf) && r.err == nil {
			return
		}
		r.begun = true
		if bytes.HasPrefix(r.buf, bom) {
			r.start, r.scanned, r.looked, r.first, r.clean = len(bom), len(bom), len(bom), len(bom), false
		}
	}
	for {
		if r.sawCR && r.scanned < len(r.buf) {
			r.sawCR = false
			if r.buf[r.scanned] == '\n' {
				r.skip()
			}
		}
		i := bytes.IndexAny(r.buf[r.looked:], "\n\r")
		if i < 0 {
			r.looked = len(r.buf)
			return
		}
		end := r.looked + i
		line := span{r.scanned, end}
		if r.buf[end] == '\r' {
			r.sawCR, r.clean = true, false
		}
		r.scanned, r.looked = end+1, end+1
		r.line(line)
	}
}

// skip steps over the \n of a \r\n.
func (r *Reader) skip() {
	if r.start == r.scanned {
		r.start++
	}
	r.clean = false
	r.scanned++
	r.looked = max(r.looked, r.scanned)
}

func (r *Reader) line(s span) {
	line := r.buf[s.from:s.to]
	if len(line) == 0 {
		r.dispatch()
		return
	}
	name, value, colon := bytes.Cut(line, []byte(":"))
	spaced := bytes.HasPrefix(value, []byte(" "))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if !colon || !spaced || r.lines > 0 {
			r.clean = false
		}
		r.addData(span{s.to - len(value), s.to})
	case "event":
		r.typ, r.clean = string(value), false
	default:
		r.clean = false
	}
}

func (r *Reader) addData(s span) {
	switch r.lines {
	case 0:
		r.data = s
	case 1:
		r.multi = append([]byte(nil), r.buf[r.data.from:r.data.to]...)
		fallthrough
	default:
		r.multi = append(r.multi, '\n')
		r.multi = append(r.multi, r.buf[s.from:s.to]...)
	}
	r.lines++
}

func (r *Reader) dispatch() {
	switch {
	case r.lines == 1:
		r.events = append(r.events, Event{r.typ, r.buf[r.data.from:r.data.to:r.data.to]})
	case r.lines > 1:
		r.events = append(r.events, Event{r.typ, r.multi})
		r.multi = nil
	default:
		r.clean = false
	}
	r.typ, r.lines, r.start = "", 0, r.scanned
}

// AppendData appends an event of one data line to dst; data must hold no line end.
func AppendData(dst, data []byte) []byte {
	dst = append(dst, "data: "...)
	dst = append(dst, data...)
	return append(dst, '\n', '\n')
}
