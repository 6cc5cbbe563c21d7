package ability

import (
	"bytes"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// listener is told what a splitter finds.
type listener interface {
	text(piece []byte) error
	call(name string) error     // a call begins
	arguments(piece []byte)     // of the last call
	called() error              // the last call is whole
	free(beginning []byte) bool // whether text that begins so holds no calls at all
}

// splitter tells calls from text. It may be fed in pieces of any size and tells the same whatever they are,
// but for where it cuts.
type splitter struct {
	to   listener
	at   place
	buf  []byte // what was fed and not told yet
	json nesting
}

// place is where in the grammar of plan.grammar a splitter stands.
type place byte

const (
	inText place = iota
	inFree       // text in which marks mean nothing
	inHead       // behind the opening mark, before the arguments
	inArguments
	inTail    // behind the arguments
	behindAll // behind a call: another one or the end
)

const mostHead = len(nameOpen) + 64 + len(nameClose) // bytes; names are no longer

// write takes the next piece.
func (s *splitter) write(piece []byte) error {
	s.buf = append(s.buf, piece...)
	for {
		if again, err := s.step(); err != nil || !again {
			return err
		}
	}
}

// step goes on to the next place, or reports that there is none before more is known.
func (s *splitter) step() (again bool, err error) {
	switch s.at {
	case inText:
		return s.inText()
	case inFree:
		return false, s.tell(len(s.buf))
	case inHead:
		end := bytes.Index(s.buf, []byte(nameClose))
		if end < 0 {
			if len(s.buf) > mostHead {
				return false, malformed("a call without a name")
			}
			return false, nil
		}
		name, ok := strings.CutPrefix(string(s.buf[:end]), nameOpen)
		if !ok {
			return false, malformed("a call without a name")
		}
		s.drop(end + len(nameClose))
		s.at, s.json = inArguments, nesting{}
		return true, s.to.call(name)
	case inArguments:
		n, whole := s.json.scan(s.buf)
		if n > 0 {
			s.to.arguments(s.buf[:n])
		}
		s.drop(n)
		if !whole {
			return false, nil
		}
		s.at = inTail
		return true, nil
	case inTail:
		const tail = "}" + callClose
		if found, wait, err := s.literal(tail); wait || err != nil || !found {
			return false, err
		}
		s.at = behindAll
		return true, s.to.called()
	case behindAll:
		if found, wait, err := s.literal(callOpen); wait || err != nil || !found {
			return false, err
		}
		s.at = inHead
		return true, nil
	}
	return false, nil
}

func (s *splitter) inText() (bool, error) {
	if len(s.buf) == 0 {
		return false, nil
	}
	if s.to.free(s.buf) {
		s.at = inFree
		return true, nil
	}
	open := bytes.Index(s.buf, []byte(callOpen))
	if open < 0 {
		return false, s.tell(len(s.buf) - overlap(s.buf, callOpen))
	}
	if err := s.tell(open); err != nil {
		return false, err
	}
	s.drop(len(callOpen))
	s.at = inHead
	return true, nil
}

// literal skips text that must come next.
func (s *splitter) literal(want string) (found, wait bool, err error) {
	n := min(len(want), len(s.buf))
	switch {
	case string(s.buf[:n]) != want[:n]:
		return false, false, malformed("something beside its calls")
	case n < len(want):
		return false, true, nil
	}
	s.drop(n)
	return true, false, nil
}

// tell passes the first n bytes on as text.
func (s *splitter) tell(n int) error {
	if n == 0 {
		return nil
	}
	err := s.to.text(s.buf[:n])
	s.drop(n)
	return err
}

func (s *splitter) drop(n int) { s.buf = s.buf[:copy(s.buf, s.buf[n:])] }

// end tells what is left, and whether the answer may end here.
func (s *splitter) end() (whole bool, err error) {
	switch s.at {
	case inText, inFree:
		return true, s.tell(len(s.buf))
	case behindAll:
		return len(s.buf) == 0, nil
	case inHead, inArguments, inTail:
	}
	return false, nil
}

// overlap is how many bytes at the end of text may be the beginning of mark.
func overlap(text []byte, mark string) int {
	for n := min(len(text), len(mark)-1); n > 0; n-- {
		if string(text[len(text)-n:]) == mark[:n] {
			return n
		}
	}
	return 0
}

// quoting follows which bytes of a JSON document belong to its strings.
type quoting struct{ open, escaped bool }

// holds reports whether the next byte does, quotation marks included.
func (q *quoting) holds(c byte) bool {
	switch {
	case q.escaped:
		q.escaped = false
	case q.open && c == '\\':
		q.escaped = true
	case c == '"':
		q.open = !q.open
	default:
		return q.open
	}
	return true
}

// nesting finds the end of a JSON object.
type nesting struct {
	quoting
	depth int
}

// scan returns how many bytes of text belong to the object, and whether it ends with them.
func (j *nesting) scan(text []byte) (n int, whole bool) {
	for i, c := range text {
		switch {
		case j.holds(c):
		case c == '{', c == '[':
			j.depth++
		case c == '}', c == ']':
			if j.depth--; j.depth <= 0 {
				return i + 1, true
			}
		}
	}
	return len(text), false
}

// compactJSON looks for what cannot stand in JSON without white space. An engine that cannot do what a grammar asks drops it in
// silence, and nobody who gets a stream should take prose for the beginning of a document.
type compactJSON struct{ quoting }

// goesOn reports whether text may be the document's next piece.
func (j *compactJSON) goesOn(text []byte) bool {
	for _, c := range text {
		if c < ' ' || !j.holds(c) && bytes.IndexByte([]byte(`{}[]:,+-.0123456789Etruefalsn`), c) < 0 {
			return false
		}
	}
	return true
}

func malformed(what string) error {
	return &llm.Error{Kind: llm.Upstream, Message: "The model's answer was malformed: " + what + "."}
}

// The marks around what a model thinks before it answers.
const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// thoughts tells what a model thought, at the beginning of its text, from what it says.
type thoughts struct {
	at  stage
	buf []byte
}

type stage byte

const (
	undecided stage = iota // white space so far, or a part of the opening mark
	thinking
	waking // behind the closing mark, before anything is said
	saying
)

// write takes the next piece of text and returns what of it was thought and what is said.
func (t *thoughts) write(piece []byte) (thought, said []byte) {
	if t.at == saying {
		return nil, piece
	}
	t.buf = append(t.buf, piece...)
	if t.at == undecided {
		begin := bytes.TrimLeft(t.buf, " \t\r\n")
		switch {
		case bytes.HasPrefix(begin, []byte(thinkOpen)):
			t.at, t.buf = thinking, begin[len(thinkOpen):]
		case strings.HasPrefix(thinkOpen, string(begin)):
			return nil, nil
		default:
			t.at = saying
			return nil, t.rest()
		}
	}
	if t.at == thinking {
		end := bytes.Index(t.buf, []byte(thinkClose))
		if end < 0 {
			n := len(t.buf) - overlap(t.buf, thinkClose)
			thought, t.buf = t.buf[:n:n], t.buf[n:]
			return thought, nil
		}
		thought, t.buf = t.buf[:end:end], t.buf[end+len(thinkClose):]
		t.at = waking
	}
	if t.buf = bytes.TrimLeft(t.buf, " \t\r\n"); len(t.buf) > 0 {
		t.at = saying
		return thought, t.rest()
	}
	return thought, nil
}

// end returns what was held back.
func (t *thoughts) end() (thought, said []byte) {
	if t.at == thinking {
		return t.rest(), nil
	}
	return nil, t.rest()
}

func (t *thoughts) rest() []byte {
	rest := t.buf
	t.buf = nil
	return rest
}
