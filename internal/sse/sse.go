// Package sse reads server-sent events (the WHATWG event stream format), leniently and in
// bounded memory, and appends events for the doors that write them.
package sse

import (
	"bytes"
	"errors"
	"io"
)

// MaxEvent is how large one event may be, in bytes.
const MaxEvent = 8 << 20

// ErrTooLarge is returned for an event of more than MaxEvent bytes, ErrNoRoom for one that there is no Room for.
var (
	ErrTooLarge = errors.New("server-sent event too large")
	ErrNoRoom   = errors.New("no room for a server-sent event")
)

// Room is memory that many share. It may be used concurrently.
type Room interface {
	Take(n int64) bool // reports whether there was so much of it
	Give(n int64)
}

// Event is one event. Data aliases the Reader's buffer.
type Event struct {
	Type string // empty: message
	Data []byte // the data lines joined by \n
}

// Reader reads events from a stream. It is for one goroutine.
type Reader struct {
	src     io.Reader
	room    Room  // may be nil
	held    int64 // of room
	buf     []byte
	start   int // of the event in progress
	scanned int // up to here lines are complete and read
	looked  int // up to here there is no line end
	begun   bool
	err     error

	events []Event
	typ    string
	data   span
	lines  int
	clean  bool // what was read since the last Next is exactly "data: …\n\n" events
	first  int  // where the events of this Next begin
	sawCR  bool
}

type span struct{ from, to int }

// ordinary is how much a Reader holds without asking for room, and what it goes back to after a large event.
const ordinary = 128 << 10

// NewReader reads from src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src} }

// Within makes the Reader hold large events in room, nil being endless, until it has read on or is closed.
func (r *Reader) Within(room Room) { r.room = room }

// Close gives back what the Reader holds of its room. Events are not valid any longer.
func (r *Reader) Close() {
	if r.held > 0 {
		r.room.Give(r.held)
		r.held = 0
	}
}

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
		if err := r.fill(); err != nil {
			return nil, err
		}
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
		rest := r.buf[n:]
		if cap(r.buf) > ordinary && len(rest) < ordinary/2 {
			r.Close()
			r.buf = append(make([]byte, 0, ordinary), rest...)
		} else {
			r.buf = append(r.buf[:0], rest...)
		}
		r.start, r.scanned, r.looked = 0, r.scanned-n, r.looked-n
		r.data.from, r.data.to = r.data.from-n, r.data.to-n
	}
	r.first = 0
}

func (r *Reader) fill() error {
	const (
		piece = 4 << 10
		// A buffer that was large once does not make the next read large, and its events many.
		most = 64 << 10
	)
	if cap(r.buf)-len(r.buf) < piece {
		size := max(min(2*cap(r.buf)+piece, MaxEvent+most), len(r.buf)+piece)
		if size > ordinary && r.room != nil {
			if !r.room.Take(int64(size) - r.held) {
				return ErrNoRoom
			}
			r.held = int64(size)
		}
		grown := make([]byte, len(r.buf), size)
		copy(grown, r.buf)
		r.buf = grown
	}
	n, err := r.src.Read(r.buf[len(r.buf):min(cap(r.buf), len(r.buf)+most)])
	r.buf = r.buf[:len(r.buf)+n]
	r.err = err
	return nil
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
		const most = 64
		r.typ, r.clean = string(value[:min(len(value), most)]), false
	default:
		r.clean = false
	}
}

// addData adds a line to the event's data, in the buffer itself: what joins them is shorter than what stood between them.
func (r *Reader) addData(s span) {
	if r.lines == 0 {
		r.data = s
	} else {
		r.buf[r.data.to] = '\n'
		r.data.to += 1 + copy(r.buf[r.data.to+1:], r.buf[s.from:s.to])
	}
	r.lines++
}

func (r *Reader) dispatch() {
	if r.lines > 0 {
		r.events = append(r.events, Event{r.typ, r.buf[r.data.from:r.data.to:r.data.to]})
	} else {
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
