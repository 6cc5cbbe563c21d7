package ability

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// choice reads one choice of an answer.
type choice struct {
	plan     *plan
	index    int
	split    splitter
	thoughts thoughts
	said     []byte // the text so far, where it must be something
	json     compactJSON
	calls    []*call
	repeats  bool // a call was made again, as it was made before
	before   int  // completion tokens before it
	reasoned int  // tokens of its thoughts
	pondered bool // the last part was a thought that the engine told apart

	next     int    // the position of the next part
	thought  int    // of the thoughts + 1; 0: none yet
	words    int    // of the text
	blank    []byte // white space that only matters if text follows
	told     []llm.Choice
	logprobs []llm.TokenLogprob // of what was held back
}

// call is a call that the model makes.
type call struct {
	id, name string
	args     []byte
	at       int // the position + 1; 0: not told, since it may be one that was made before
	told     int // bytes of the arguments
}

func newChoice(p *plan, index int) *choice {
	c := &choice{plan: p, index: index}
	c.split.to = c
	if !p.spelled {
		c.split.at = inFree
	}
	if p.must || p.format != nil {
		c.thoughts.at = saying // the grammar has no place for them
	} else if p.thinks {
		c.thoughts.at = thinking
	}
	return c
}

// read takes what is new, and returns what can be told of it.
func (c *choice) read(f *llm.Choice) ([]llm.Choice, error) {
	c.told = nil
	c.logprobs = append(c.logprobs, f.Logprobs...)
	for _, p := range f.Parts {
		if err := c.part(p); err != nil {
			return nil, err
		}
	}
	finish := f.Finish
	if finish != "" {
		var err error
		if finish, err = c.end(finish); err != nil {
			return nil, err
		}
	}
	if finish != "" || f.Extra != nil {
		if len(c.told) == 0 {
			c.told = append(c.told, llm.Choice{Index: c.index, At: c.next})
		}
		last := &c.told[len(c.told)-1]
		last.Finish, last.Extra = finish, f.Extra
	}
	if len(c.told) > 0 {
		c.told[0].Logprobs, c.logprobs = c.logprobs, nil
	}
	return c.told, nil
}

// thinks reports whether what comes next goes on with a thought, as far as is known.
func (c *choice) thinks() bool { return c.thoughts.at == thinking || c.pondered }

func (c *choice) part(p llm.Part) error {
	switch p := p.(type) {
	case llm.Text:
		c.pondered = c.pondered && p.Empty()
		if c.thoughts.at == saying && c.split.at == inFree && c.plan.format == nil {
			c.tell(&c.words, p)
			return nil
		}
		return c.split.write(p.AppendTo(nil))
	case llm.Reasoning:
		if c.plan.must || c.plan.format != nil {
			return c.split.write(p.Text.AppendTo(nil)) // the grammar has no place for thoughts: the engine is wrong
		}
		c.thoughts.at, c.pondered = saying, true // the engine tells them apart
		c.tell(&c.thought, p)
		return nil
	case llm.ToolCall, llm.Refusal, llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
	}
	return malformed("a part that was not asked for")
}

// tell adds a part at the position that *at remembers, or at the next free one.
func (c *choice) tell(at *int, p llm.Part) {
	if *at == 0 {
		c.next++
		*at = c.next
	}
	pos := *at - 1
	if n := len(c.told); n > 0 {
		if last := &c.told[n-1]; last.At+len(last.Parts) == pos {
			last.Parts = append(last.Parts, p)
			return
		}
	}
	c.told = append(c.told, llm.Choice{Index: c.index, At: pos, Parts: []llm.Part{p}})
}

// free reports whether text holds no calls: it does not where it follows a schema and begins as no call does.
func (c *choice) free(beginning []byte) bool {
	return c.plan.format != nil && beginning[0] != callOpen[0]
}

// text takes a piece of what is not a call.
func (c *choice) text(piece []byte) error {
	if c.plan.must {
		return malformed("text where a call was demanded")
	}
	return c.say(c.thoughts.write(piece))
}

func (c *choice) say(thought, said []byte) error {
	if len(thought) > 0 {
		c.tell(&c.thought, llm.Reasoning{Text: llm.NewText(string(thought))})
	}
	if c.plan.format != nil {
		if !c.json.goesOn(said) {
			return malformed("the engine did not keep it to response_format, whose schema may be too much for it: simplify that")
		}
		c.said = append(c.said, said...)
	}
	if c.plan.spelled && c.words == 0 {
		c.blank = append(c.blank, said...)
		if len(bytes.TrimSpace(c.blank)) == 0 {
			return nil
		}
		said, c.blank = c.blank, nil
	}
	if len(said) > 0 {
		c.tell(&c.words, llm.NewText(string(said)))
	}
	return nil
}

func (c *choice) call(name string) error {
	if _, offered := c.plan.tools[name]; !offered {
		return malformed("a call of a function that was not offered")
	}
	thought, said := c.thoughts.end()
	c.thoughts.at = saying
	if err := c.say(thought, said); err != nil {
		return err
	}
	c.calls = append(c.calls, &call{id: newID(), name: name})
	c.pass(false)
	return nil
}

func (c *choice) arguments(piece []byte) {
	k := c.calls[len(c.calls)-1]
	k.args = append(k.args, piece...)
	c.pass(false)
}

// pass tells what is new of the last call, once it is known to be none that was made before.
func (c *choice) pass(whole bool) {
	last := len(c.calls) - 1
	k := c.calls[last]
	for _, earlier := range c.calls[:last] {
		if k.at == 0 && k.name == earlier.name && bytes.HasPrefix(earlier.args, k.args) && (!whole || len(k.args) == len(earlier.args)) {
			return
		}
	}
	piece := llm.ToolCall{Arguments: llm.NewText(string(k.args[k.told:]))}
	if k.at == 0 {
		piece.ID, piece.Name = k.id, k.name
	}
	if k.at == 0 || k.told < len(k.args) {
		c.tell(&k.at, piece)
	}
	k.told = len(k.args)
}

// called checks the last call and forgets it if it was made before.
func (c *choice) called() error {
	last := len(c.calls) - 1
	if err := c.checkCall(c.calls[last]); err != nil {
		return err
	}
	if c.pass(true); c.calls[last].at == 0 {
		c.calls, c.repeats = c.calls[:last], true
	}
	return nil
}

func (c *choice) checkCall(k *call) error {
	if err := c.plan.tools[k.name].Schema.Validate(k.args); err != nil {
		return &llm.Error{Kind: llm.Upstream, Message: "The model called '" + k.name + "' with arguments that do not satisfy its parameters: " + err.Error() + "."}
	}
	return nil
}

// end checks the answer and returns why it ended.
func (c *choice) end(why llm.Finish) (llm.Finish, error) {
	whole, err := c.split.end()
	if err != nil {
		return "", err
	}
	if err := c.say(c.thoughts.end()); err != nil {
		return "", err
	}
	if len(c.calls) == 0 && len(c.blank) > 0 {
		c.tell(&c.words, llm.NewText(string(c.blank)))
		c.blank = nil
	}
	if why != llm.FinishStop && why != llm.FinishToolCalls {
		return why, nil
	}
	switch {
	case !whole && c.plan.stops:
		return "", malformed("a stop string ended it inside a call")
	case !whole:
		return "", malformed("it ended inside a call")
	case len(c.calls) > 0:
		return llm.FinishToolCalls, nil
	case c.plan.must:
		return "", malformed("no call where one was demanded")
	case c.plan.format != nil:
		return llm.FinishStop, c.checkText()
	}
	return llm.FinishStop, nil
}

// checkText checks the text against its schema. One that a stop string cut need only be the beginning of a document.
func (c *choice) checkText() error {
	err := c.plan.format.Schema.Validate(c.said)
	if err == nil || c.plan.stops && cut(c.said) {
		return nil
	}
	return &llm.Error{Kind: llm.Upstream, Message: "The model's answer does not satisfy response_format: " + err.Error() + "."}
}

// cut reports whether text is the beginning of a JSON document.
func cut(text []byte) bool {
	var v json.RawMessage
	err := json.NewDecoder(bytes.NewReader(text)).Decode(&v)
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

func newID() string { return "call_" + strings.ToLower(rand.Text()[:24]) }
