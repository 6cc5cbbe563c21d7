package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/conformance/call"
)

// Answer is what came of a request.
type Answer struct {
	*call.Exchange
	t *T
}

// about names the exchange in a fault.
func (a *Answer) about() string { return a.Request.Method + " " + a.Request.Path }

// Status is the answer's; 0 where none came.
func (a *Answer) Status() int { return a.Exchange.Status }

// Has requires one of some statuses, and says whether it is.
func (a *Answer) Has(want ...int) bool {
	if a.Status() == 0 {
		return false // said already
	}
	if slices.Contains(want, a.Status()) {
		return true
	}
	a.t.Fault("%s: status %d instead of %s: %s", a.about(), a.Status(), numbers(want), clip(string(a.Body)))
	return false
}

// JSON reads the body as one JSON value, whatever the status.
func (a *Answer) JSON() Value {
	if a.Status() == 0 {
		return Value{}
	}
	if a.Err != nil {
		a.t.Fault("%s: the answer broke off: %v", a.about(), a.Err)
		return Value{}
	}
	v, err := decode(a.Body)
	if err != nil {
		a.t.Fault("%s: the body is no JSON document: %v: %s", a.about(), err, clip(string(a.Body)))
		return Value{}
	}
	return Value{t: a.t, v: v}
}

// OK requires status 200 and returns the answer's object, which holds what the operation is for.
func (a *Answer) OK() Value {
	if !a.Has(http.StatusOK) {
		return Value{}
	}
	v := a.JSON()
	v.Object()
	switch path := strings.Trim(a.Request.Path, "/"); {
	case strings.HasSuffix(path, "completions"):
		v.At("choices", 0)
	case strings.HasSuffix(path, "embeddings"):
		v.At("data", 0)
	}
	return v
}

// Refused requires one of some statuses and an error that every client can read.
func (a *Answer) Refused(status ...int) Value {
	if !a.Has(status...) {
		return Value{}
	}
	v := a.JSON()
	e := v.At("error")
	e.At("code").NonEmpty()
	e.At("message").NonEmpty()
	return v
}

// OKOrRefused accepts an answer, or a refusal with one of some statuses; it says whether it was an answer.
func (a *Answer) OKOrRefused(status ...int) bool {
	if a.Status() == http.StatusOK {
		if a.MediaType() != eventStream {
			a.OK()
		}
		return true
	}
	if a.Status() != 0 && !slices.Contains(status, a.Status()) {
		a.t.Fault("%s: status %d instead of 200 or %s: %s", a.about(), a.Status(), numbers(status), clip(string(a.Body)))
		return false
	}
	a.Refused(status...)
	return false
}

// eventStream is a stream's media type.
const eventStream = "text/event-stream"

// Member is a text in the body's object, "" where there is none.
func (a *Answer) Member(path ...string) string {
	v, err := decode(a.Body)
	if err != nil {
		return ""
	}
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	text, _ := v.(string)
	return text
}

// MediaType is the answer's, without parameters, in lower case.
func (a *Answer) MediaType() string {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return a.Header.Get("Content-Type")
	}
	return kind
}

// decode reads one JSON document, with numbers as they were written.
func decode(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the document")
	}
	return v, nil
}

// Done is the data of the event that ends a stream.
const Done = "[DONE]"

// Stream is a streamed answer.
type Stream struct {
	*Answer
	// Events are the data of all events, Chunks those that are JSON objects.
	Events []string
	Chunks []Value
	Flaws  []call.Found
}

// Stream reads the answer as events. Where the status is not 200 that is a fault, and there are none.
func (a *Answer) Stream() *Stream {
	s := &Stream{Answer: a}
	if !a.Has(http.StatusOK) {
		return s
	}
	s.Events, s.Flaws = call.Events(a.Body)
	for _, e := range s.Events {
		if strings.HasPrefix(e, Done) {
			continue
		}
		if v, err := decode([]byte(e)); err == nil {
			if _, ok := v.(map[string]any); ok {
				s.Chunks = append(s.Chunks, Value{t: a.t, v: v, path: "chunk " + number(len(s.Chunks))})
			}
		}
	}
	if len(s.Chunks) == 0 {
		a.t.Fault("%s: the stream has no event with a JSON object: %s", a.about(), clip(string(a.Body)))
	}
	return s
}

// Choices are all choices of all chunks, in order.
func (s *Stream) Choices() []Value {
	var all []Value
	for _, c := range s.Chunks {
		if c.Has("choices") {
			all = append(all, c.At("choices").List()...)
		}
	}
	return all
}

// Last is the last chunk that has a choice.
func (s *Stream) Last() Value {
	for _, c := range slices.Backward(s.Chunks) {
		if c.Has("choices") && len(c.At("choices").List()) > 0 {
			return c
		}
	}
	if len(s.Chunks) > 0 {
		s.t.Fault("no chunk has a choice")
	}
	return Value{}
}

// Text joins a member of all deltas, or of all choices where these have no deltas.
func (s *Stream) Text(member string) string {
	var b strings.Builder
	for _, c := range s.Choices() {
		if c.Has("delta") {
			c = c.At("delta")
		}
		if c.Has(member) && !c.At(member).Null() {
			b.WriteString(c.At(member).Text())
		}
	}
	return b.String()
}
