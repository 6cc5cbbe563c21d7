// Package output tells the answer to a chat as a response: as output items, and as numbered events where it is streamed.
package output

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// The bounds of an answer, which is kept whole since its last event repeats it.
const (
	mostOutput = 1024     // items
	mostSaid   = 64 << 20 // bytes
)

// Status is the state of a response or of an item.
type Status string

// The states.
const (
	Queued     Status = "queued"
	InProgress Status = "in_progress"
	Completed  Status = "completed"
	Incomplete Status = "incomplete"
	Failed     Status = "failed"
	Cancelled  Status = "cancelled"
)

// Options is what an answer knows beforehand.
type Options struct {
	Model      string // where the answer itself names none
	Echo       []byte // what a response repeats of its request: the members of a JSON object
	Stored     bool
	Background bool
	Streamed   bool // its events are wanted
	Logprobs   bool // are told
	Hidden     bool // thoughts are not
}

// Answer is a response as it comes about. It is for one goroutine.
type Answer struct {
	o        Options
	id       string
	meta     llm.Meta
	created  time.Time
	ended    time.Time
	status   Status
	reason   string     // why it is incomplete
	failure  *llm.Error // why it failed
	events   []byte     // that were not flushed yet
	sequence int64      // the number of the next one
	items    []*item
	at       map[int]*item // by the part's position in the chat's answer
	late     []llm.TokenLogprob
	said     int
	finish   llm.Finish
	usage    *llm.Usage
}

type kind byte

const (
	messageItem kind = iota
	refusalItem      // a message, too
	reasoningItem
	callItem
)

// item is one of the output.
type item struct {
	kind     kind
	index    int
	id       string
	status   Status
	text     []byte // what is said, thought, or the arguments
	logprobs []byte // JSON objects with commas between
	callID   string
	name     string
}

// New begins an answer. Its id is one that nobody can guess.
func New(o Options) *Answer {
	return &Answer{o: o, id: "resp_" + strings.ToLower(rand.Text()), created: time.Now(), status: InProgress, at: map[int]*item{}}
}

// ID names the response.
func (a *Answer) ID() string { return a.id }

// Meta says how it came about, from its first fragment on.
func (a *Answer) Meta() llm.Meta { return a.meta }

// Status is its state.
func (a *Answer) Status() Status { return a.status }

// Size is roughly how many bytes it takes up.
func (a *Answer) Size() int { return a.said }

// Queue tells of a response whose chat begins later.
func (a *Answer) Queue() {
	a.status = Queued
	a.lifecycle("response.created")
	a.lifecycle("response.queued")
}

// Watch is the stream of a chat, each of whose fragments is part of the answer before it is passed on.
func (a *Answer) Watch(s llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		begun := false
		for f, err := range s {
			if err != nil {
				yield(nil, err)
				return
			}
			if !begun {
				begun = true
				a.start(f)
			}
			if err := a.take(f); err != nil {
				yield(nil, err)
				return
			}
			if !yield(f, nil) {
				return
			}
		}
		if !begun {
			yield(nil, &llm.Error{Kind: llm.Upstream, Message: "The model gave no answer."})
		}
	}
}

// start notes who answers.
func (a *Answer) start(first *llm.Reply) {
	a.meta = first.Meta
	a.meta.Dropped = slices.Clone(first.Meta.Dropped)
	if first.Model != "" {
		a.o.Model = first.Model
	}
	if a.status != Queued { // of which it was told before
		a.lifecycle("response.created")
	}
	a.status = InProgress
	a.lifecycle("response.in_progress")
}

func disorder(what string) error {
	return &llm.Error{Kind: llm.Upstream, Message: "The model's answer was malformed: " + what + "."}
}

// take adds a fragment.
func (a *Answer) take(f *llm.Reply) error {
	if f.Usage != nil {
		a.usage = new(*f.Usage)
	}
	for i := range f.Choices {
		c := &f.Choices[i]
		if c.Index != 0 { // nobody asked for another
			continue
		}
		if a.o.Logprobs && a.ofText(c) {
			a.late = append(a.late, c.Logprobs...)
			const each = 64
			a.said += each * len(c.Logprobs)
		}
		for k, p := range c.Parts {
			if err := a.part(c.At+k, p); err != nil {
				return err
			}
		}
		if c.Finish != "" {
			a.finish = c.Finish
		}
	}
	if a.said > mostSaid {
		return disorder("it has no end")
	}
	return nil
}

// ofText reports whether the log probabilities of a fragment are those of a text: of thoughts and calls they are not told.
func (a *Answer) ofText(c *llm.Choice) bool {
	if len(c.Parts) > 0 {
		_, text := c.Parts[0].(llm.Text)
		return text
	}
	n := len(a.items)
	return n == 0 || a.items[n-1].kind == messageItem
}

func (a *Answer) part(at int, p llm.Part) error {
	switch p := p.(type) {
	case llm.Text:
		if p.Empty() && (len(a.late) == 0 || a.at[at] == nil) {
			return nil
		}
		return a.text(at, messageItem, p)
	case llm.Reasoning:
		if a.o.Hidden || p.Text.Empty() {
			return nil
		}
		return a.text(at, reasoningItem, p.Text)
	case llm.Refusal:
		return a.text(at, refusalItem, p.Text)
	case llm.ToolCall:
		return a.call(at, p)
	case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
	}
	return nil
}

// text appends to a message or to reasoning. Where another item came in between, it goes on as an item of its own.
func (a *Answer) text(at int, k kind, t llm.Text) error {
	it := a.at[at]
	if it == nil || it.status != InProgress {
		var err error
		if it, err = a.begin(at, &item{kind: k}); err != nil {
			return err
		}
	}
	if it.kind != k {
		return disorder("a part that changes its kind")
	}
	a.say(it, t)
	return nil
}

// say appends to the text of an item, and to a message the log probabilities that came until now.
func (a *Answer) say(it *item, t llm.Text) {
	a.said += t.Size()
	it.text = t.AppendTo(it.text)
	var logprobs []byte
	if it.kind == messageItem && len(a.late) > 0 {
		w := &jsonx.Writer{}
		writeLogprobs(w, a.late)
		a.late, logprobs = nil, w.Bytes
		if len(it.logprobs) > 0 {
			it.logprobs = append(it.logprobs, ',')
		}
		it.logprobs = append(it.logprobs, logprobs...)
	}
	a.textDelta(it, t, logprobs)
}

func (a *Answer) call(at int, c llm.ToolCall) error {
	it := a.at[at]
	switch {
	case it == nil:
		var err error
		if it, err = a.begin(at, &item{kind: callItem, callID: c.ID, name: c.Name}); err != nil {
			return err
		}
	case it.kind != callItem:
		return disorder("a part that changes its kind")
	case it.status != InProgress:
		if c.Arguments.Empty() {
			return nil
		}
		return disorder("a call that goes on after its end")
	}
	if !c.Arguments.Empty() {
		a.said += c.Arguments.Size()
		it.text = c.Arguments.AppendTo(it.text)
		a.argumentsDelta(it, c.Arguments)
	}
	return nil
}

// begin adds an item, after the end of those that are whole: a call may go on beside the next one until its arguments are a document.
func (a *Answer) begin(at int, it *item) (*item, error) {
	if at < 0 || at >= mostOutput || len(a.items) >= mostOutput {
		return nil, disorder("too many parts")
	}
	for _, other := range a.items {
		if other.status == InProgress && (other.kind != callItem || whole(other.text)) {
			a.close(other, Completed)
		}
	}
	it.index, it.status = len(a.items), InProgress
	it.id = [...]string{messageItem: "msg_", refusalItem: "msg_", reasoningItem: "rs_", callItem: "fc_"}[it.kind] + strings.TrimPrefix(a.id, "resp_") + "_" + strconv.Itoa(it.index)
	if it.kind == callItem && it.callID == "" {
		it.callID = "call_" + strings.TrimPrefix(it.id, "fc_")
	}
	const overhead = 64
	a.said += overhead + len(it.callID) + len(it.name)
	a.items = append(a.items, it)
	a.at[at] = it
	a.itemAdded(it)
	return it, nil
}

// whole reports whether arguments are a document, so that no more of them can come.
func whole(arguments []byte) bool {
	if n := len(arguments); n == 0 || arguments[n-1] != '}' {
		return false
	}
	_, err := jsonx.Parse(arguments)
	return err == nil
}

// close ends an item and tells so.
func (a *Answer) close(it *item, status Status) {
	if it.kind == callItem && len(it.text) == 0 && status == Completed {
		const none = "{}"
		it.text = append(it.text, none...)
		a.argumentsDelta(it, llm.NewText(none))
	}
	it.status = status
	a.itemDone(it)
}

// End ends a complete answer.
func (a *Answer) End() {
	status := Completed
	switch a.finish {
	case llm.FinishLength:
		status, a.reason = Incomplete, "max_output_tokens"
	case llm.FinishFilter:
		status, a.reason = Incomplete, "content_filter"
	case llm.FinishStop, llm.FinishToolCalls:
	}
	for i, it := range a.items {
		if it.status != InProgress {
			continue
		}
		if it.kind == messageItem && len(a.late) > 0 {
			a.say(it, llm.Text{})
		}
		half := it.kind == callItem && len(it.text) > 0 && !whole(it.text)
		if last := i == len(a.items)-1; last || half {
			a.close(it, status)
		} else {
			a.close(it, Completed)
		}
	}
	a.status, a.ended = status, time.Now()
	a.lifecycle("response." + string(status))
}

// Fail ends an answer that could not be finished.
func (a *Answer) Fail(e *llm.Error) {
	a.failure = e
	a.stop(Failed)
	a.lifecycle("response.failed")
}

// Cancel ends an answer that its caller no longer wants. There is no event for that.
func (a *Answer) Cancel() { a.stop(Cancelled) }

func (a *Answer) stop(status Status) {
	a.status = status
	for _, it := range a.items {
		if it.status == InProgress {
			it.status = Incomplete
		}
	}
}

// Flush appends the events that were not sent yet.
func (a *Answer) Flush(dst []byte) []byte {
	dst = append(dst, a.events...)
	a.events = a.events[:0]
	return dst
}

// JSON is the response as it is now.
func (a *Answer) JSON() []byte {
	w := &jsonx.Writer{}
	a.write(w)
	return w.Bytes
}

// Items lists the items of the output that a conversation can go on from: half a call is none.
func (a *Answer) Items() [][]byte {
	var all [][]byte
	for _, it := range a.items {
		if it.kind == callItem && it.status != Completed {
			continue
		}
		w := &jsonx.Writer{}
		it.write(w)
		all = append(all, w.Bytes)
	}
	return all
}
