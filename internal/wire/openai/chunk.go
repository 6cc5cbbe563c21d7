package openai

import (
	"bytes"
	"io"
	"time"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// NewDecoder returns a decoder of chat.completion.chunk or text_completion events.
func (c Codec) NewDecoder(op llm.Operation) wire.Decoder {
	return &decoder{wire: c.Contract, text: op == llm.OpComplete}
}

// decoder holds the reply it hands out and reuses it.
type decoder struct {
	wire    llm.Wire
	text    bool
	whole   bool // the one event is the answer: its choices have messages
	reply   llm.Reply
	choices []choiceState
	parts   []llm.Part // backs the parts of one fragment
	done    bool

	ends bool // the event in hand ends a choice or tells usage

	id, model string
}

// again decodes what every chunk repeats, mostly without decoding it again.
func again(last string, v jsonx.Value) string {
	if v.Is(last) {
		return last
	}
	return v.Text()
}

// choiceState remembers where the parts of a choice stand, since deltas do not say.
type choiceState struct {
	index    int
	next     int // the position of the next new part
	text     int // position + 1; 0: none yet
	thought  int
	refusal  int
	tools    map[int64]int
	unnamed  int64  // the calls without an index so far
	callID   string // of the last of them
	finished bool
}

// unnumbered is the index of a call that came without one, below those that servers give: an id that is new begins a call.
func (s *choiceState) unnumbered(id string) int64 {
	if s.unnamed == 0 || id != "" && id != s.callID {
		s.unnamed++
		s.callID = id
	}
	return -s.unnamed
}

// Complete reports whether every choice seen has its finish, and there are enough.
func (d *decoder) Complete(choices int) bool {
	for i := range d.choices {
		if !d.choices[i].finished {
			return false
		}
	}
	return len(d.choices) >= max(choices, 1) || d.done && len(d.choices) > 0 // a server that says it is all may not know n
}

// Decode reads the events of one read.
func (d *decoder) Decode(events []sse.Event, raw []byte) (*llm.Reply, error) {
	if d.done {
		return nil, io.EOF
	}
	d.reply = llm.Reply{Choices: d.reply.Choices[:0]}
	d.parts = d.parts[:0]
	src := llm.Source{Wire: d.wire}
	var failure error
	at, said := 0, false
	for _, e := range events {
		if bytes.Equal(e.Data, []byte("[DONE]")) {
			d.done = true
			raw = raw[:min(at, len(raw))]
			break
		}
		choices := len(d.reply.Choices)
		d.ends = false
		if failure = d.event(e.Data); failure != nil {
			d.reply.Choices, raw = d.reply.Choices[:choices], raw[:min(at, len(raw))]
			break
		}
		next := at + len("data: ") + len(e.Data) + len("\n\n")
		if d.ends && len(d.reply.Choices) == choices {
			src.Count = [2]int{at, next}
		}
		if !d.ends && src.Ends == at {
			src.Ends = next
		}
		at, said = next, true
	}
	switch {
	case said:
		if len(raw) > 0 {
			src.Body = raw
			d.reply.Source = src
		}
		return &d.reply, failure
	case failure != nil:
		return nil, failure
	case d.done:
		return nil, io.EOF
	}
	return nil, nil
}

func malformed(what string) error {
	return &llm.Error{Kind: llm.Upstream, Message: "The model's server sent a malformed answer: " + what + "."}
}

func (d *decoder) event(data []byte) error {
	v, err := jsonx.Parse(data)
	if err != nil {
		return malformed("an event that is not JSON")
	}
	return d.members(v)
}

// members reads an event or a whole answer.
func (d *decoder) members(v jsonx.Value) error {
	for name, m := range v.Members() {
		if err := d.member(name, m, v); err != nil {
			return err
		}
	}
	return nil
}

// member reads a member of the event or answer v.
func (d *decoder) member(name string, m, v jsonx.Value) error {
	switch name {
	case "id":
		d.id = again(d.id, m)
		d.reply.ID = d.id
	case "model":
		d.model = again(d.model, m)
		d.reply.Model = d.model
	case "created":
		const far = 1 << 40
		if t, err := m.Float(); err == nil && t > 0 && t < far {
			d.reply.Created = time.Unix(int64(t), 0)
		}
	case "choices":
		for _, c := range m.Elements() {
			if err := d.choice(c); err != nil {
				return err
			}
		}
	case "usage":
		if u, ok := decodeUsage(m); ok {
			d.reply.Usage, d.ends = &u, true
		}
	case "error":
		if !m.Null() {
			return decodeError(0, v)
		}
	case "object", "system_fingerprint":
	default:
		d.reply.Extra.Keep(name, m)
	}
	return nil
}

func (d *decoder) state(index int) *choiceState {
	for i := range d.choices {
		if d.choices[i].index == index {
			return &d.choices[i]
		}
	}
	d.choices = append(d.choices, choiceState{index: index})
	return &d.choices[len(d.choices)-1]
}

func (d *decoder) choice(v jsonx.Value) error {
	const most = 4096
	index, err := v.Get("index").Int()
	if err != nil || index < 0 || index >= most {
		return malformed("a choice without a valid index")
	}
	s := d.state(int(index))
	c := llm.Choice{Index: int(index)}
	for name, m := range v.Members() {
		switch name {
		case "index":
		case "delta", "message":
			if d.whole != (name == "message") {
				continue
			}
			if err := d.delta(s, &c, m); err != nil {
				return err
			}
		case "text":
			if m.Kind() == jsonx.String {
				d.add(&c, &s.text, s, llm.QuotedText(m))
			}
		case "finish_reason":
			if !m.Null() {
				c.Finish = finish(m)
				d.ends = d.ends || c.Finish != ""
			}
		case "logprobs":
			c.Logprobs = decodeLogprobs(m)
		default:
			if !m.Null() {
				c.Extra.Keep(name, m)
			}
		}
	}
	s.finished = s.finished || c.Finish != ""
	d.reply.Choices = append(d.reply.Choices, c)
	return nil
}

// finish decodes a reason, mostly without allocating it.
func finish(v jsonx.Value) llm.Finish {
	for _, f := range []llm.Finish{llm.FinishStop, llm.FinishToolCalls, llm.FinishLength} {
		if v.Is(string(f)) {
			return f
		}
	}
	return llm.Finish(v.Text())
}

// delta reads what is new of a message, or all of it. Parts that do not stand side by side become choices of their own.
func (d *decoder) delta(s *choiceState, c *llm.Choice, v jsonx.Value) error {
	for name, m := range v.Members() {
		switch name {
		case "reasoning_content":
			if m.Kind() == jsonx.String && len(m) > 2 {
				d.add(c, &s.thought, s, llm.Reasoning{Text: llm.QuotedText(m)})
			}
		case "refusal":
			if m.Kind() == jsonx.String && len(m) > 2 {
				d.add(c, &s.refusal, s, llm.Refusal{Text: llm.QuotedText(m)})
			}
		case "content":
			switch m.Kind() {
			case jsonx.String:
				if len(m) > 2 || s.text != 0 {
					d.add(c, &s.text, s, llm.QuotedText(m))
				}
			case jsonx.Array:
				if err := d.content(s, c, m); err != nil {
					return err
				}
			case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Object:
			}
		case "tool_calls":
			for at, call := range m.Elements() {
				fn := call.Get("function")
				part := llm.ToolCall{ID: call.Get("id").Text(), Name: fn.Get("name").Text()}
				index, err := call.Get("index").Int()
				switch {
				case d.whole:
					index = int64(at)
				case err != nil:
					index = s.unnumbered(part.ID)
				}
				switch args := fn.Get("arguments"); args.Kind() {
				case jsonx.String:
					part.Arguments = llm.QuotedText(args)
				case jsonx.Object:
					part.Arguments = llm.NewText(string(args))
				case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Array:
				}
				if s.tools == nil {
					s.tools = map[int64]int{}
				}
				place := s.tools[index]
				if place == 0 && len(s.tools) >= message.MaxTools {
					return malformed("too many tool calls")
				}
				d.add(c, &place, s, part)
				s.tools[index] = place
			}
		}
	}
	return nil
}

// content reads one that is a list, as some servers write it: texts, and thoughts.
func (d *decoder) content(s *choiceState, c *llm.Choice, v jsonx.Value) error {
	for _, p := range v.Elements() {
		switch p.Get("type").Text() {
		case "text":
			if t := p.Get("text"); t.Kind() == jsonx.String {
				d.add(c, &s.text, s, llm.QuotedText(t))
			}
		case "thinking":
			for _, t := range p.Get("thinking").Elements() {
				if t = t.Get("text"); t.Kind() == jsonx.String {
					d.add(c, &s.thought, s, llm.Reasoning{Text: llm.QuotedText(t)})
				}
			}
		default:
			return malformed("a part of content that is no text")
		}
	}
	return nil
}

// add places a part at the position that *at remembers, or at the next free one.
func (d *decoder) add(c *llm.Choice, at *int, s *choiceState, p llm.Part) {
	if *at == 0 {
		s.next++
		*at = s.next
	}
	pos := *at - 1
	if n := len(c.Parts); n > 0 && c.At+n != pos {
		d.reply.Choices = append(d.reply.Choices, *c)
		*c = llm.Choice{Index: c.Index}
	}
	if len(c.Parts) == 0 {
		c.At = pos
		from := len(d.parts)
		d.parts = append(d.parts, p)
		c.Parts = d.parts[from : from+1 : from+1]
		return
	}
	c.Parts = append(c.Parts, p)
}
