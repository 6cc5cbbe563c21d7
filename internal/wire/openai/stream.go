package openai

import (
	"slices"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/llm"
)

// StreamEncoder writes the fragments of one answer as events of doc/protocol.md §3.8. It holds
// the chunk with the last finish back until End, so that usage goes out on it and a cut stream
// never looks complete. It is for one goroutine.
type StreamEncoder struct {
	style   Style
	text    bool
	prefix  []byte // data: {"id":…,"choices":[
	choices []written
	held    []byte // the last chunk up to its end, with the finish reason
	usage   *llm.Usage
}

// written is what was sent of a choice.
type written struct {
	index    int
	thinking bool
	tools    []int // positions of the calls in order
	offset   int
}

// NewStreamEncoder encodes the answer to a chat request, or to a text completion.
func NewStreamEncoder(op llm.Operation, h Head, s Style) *StreamEncoder {
	e := &StreamEncoder{style: s, text: op == llm.OpComplete}
	o := object{b: []byte("data: ")}
	o.open()
	if e.text {
		o.head(h, "text_completion")
	} else {
		o.head(h, "chat.completion.chunk")
	}
	o.member("choices")
	e.prefix = append(o.b, '[')
	return e
}

// Fragment appends the events of a fragment.
func (e *StreamEncoder) Fragment(dst []byte, f *llm.Reply) []byte {
	if f.Usage != nil {
		e.usage = new(*f.Usage)
	}
	if f.Source.Body != nil && f.Source.Wire == e.style.Wire && e.passes(f) {
		return append(e.release(dst), f.Source.Body...)
	}
	for i := range f.Choices {
		c := &f.Choices[i]
		w, fresh := e.choice(c.Index)
		if fresh && !e.text {
			o := e.begin(dst, c.Index)
			o.str("role", "assistant")
			o.str("content", "")
			dst = end(o, nil)
		}
		if e.text {
			dst = e.textEvent(dst, w, c)
			continue
		}
		for k, p := range c.Parts {
			var logprobs []llm.TokenLogprob
			if k == 0 {
				logprobs = c.Logprobs
			}
			dst = e.part(dst, w, c.At+k, p, logprobs)
		}
		if len(c.Parts) == 0 && len(c.Logprobs) > 0 {
			o := e.begin(dst, c.Index)
			o.str("content", "")
			dst = end(o, c.Logprobs)
		}
		if c.Finish != "" {
			dst = e.finish(dst, w, c)
		}
	}
	return dst
}

// passes reports whether a fragment's own bytes may go out, and notes what they say. What ends a
// choice is encoded, so that it can be held back.
func (e *StreamEncoder) passes(f *llm.Reply) bool {
	for i := range f.Choices {
		c := &f.Choices[i]
		if c.Finish != "" || !e.places(c) {
			return false
		}
	}
	for i := range f.Choices {
		c := &f.Choices[i]
		w, _ := e.choice(c.Index)
		for k, p := range c.Parts {
			if _, ok := p.(llm.ToolCall); ok {
				w.tool(c.At + k)
			}
		}
	}
	return f.Usage == nil
}

// places reports whether the reasoning in and before a piece of a choice is where the style wants it as it came.
func (e *StreamEncoder) places(c *llm.Choice) bool {
	if e.style.Reasoning == llm.ReasoningField || e.style.Reasoning == llm.ReasoningByDoor {
		return true
	}
	w, _ := e.choice(c.Index)
	return !w.thinking && !slices.ContainsFunc(c.Parts, func(p llm.Part) bool {
		_, thinks := p.(llm.Reasoning)
		return thinks
	})
}

func (e *StreamEncoder) choice(index int) (*written, bool) {
	for i := range e.choices {
		if e.choices[i].index == index {
			return &e.choices[i], false
		}
	}
	e.choices = append(e.choices, written{index: index})
	return &e.choices[len(e.choices)-1], true
}

// begin opens a chunk up to its delta; end closes one that is not the last.
func (e *StreamEncoder) begin(dst []byte, index int) object {
	o := object{b: append(e.release(dst), e.prefix...)}
	o.open()
	o.integer("index", int64(index))
	o.member("delta")
	o.open()
	return o
}

func end(o object, logprobs []llm.TokenLogprob) []byte {
	o.close()
	o.logprobs(logprobs)
	o.finish("")
	o.close()
	return append(o.b, "]}\n\n"...)
}

// release appends the chunk that was held back, once another follows it.
func (e *StreamEncoder) release(dst []byte) []byte {
	if e.held == nil {
		return dst
	}
	dst = append(append(dst, e.held...), "}\n\n"...)
	e.held = nil
	return dst
}

func (e *StreamEncoder) part(dst []byte, w *written, at int, p llm.Part, logprobs []llm.TokenLogprob) []byte {
	switch p := p.(type) {
	case llm.Text:
		if p.Empty() && logprobs == nil {
			return dst
		}
		if w.thinking {
			w.thinking = false
			p = llm.NewText(thinkClose + p.String())
		}
		o := e.begin(dst, w.index)
		o.text("content", p)
		return end(o, logprobs)
	case llm.Reasoning:
		return e.reasoning(dst, w, p.Text)
	case llm.ToolCall:
		index, fresh := w.tool(at)
		o := e.begin(dst, w.index)
		o.callDelta(index, fresh, p)
		return end(o, logprobs)
	case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
	}
	return dst
}

func (e *StreamEncoder) reasoning(dst []byte, w *written, t llm.Text) []byte {
	switch e.style.Reasoning {
	case llm.ReasoningHidden:
		return dst
	case llm.ReasoningContent:
		if !w.thinking {
			w.thinking = true
			t = llm.NewText(thinkOpen + t.String())
		}
		o := e.begin(dst, w.index)
		o.text("content", t)
		return end(o, nil)
	case llm.ReasoningField, llm.ReasoningByDoor:
	}
	o := e.begin(dst, w.index)
	o.raw("content", []byte("null"))
	o.text("reasoning_content", t)
	return end(o, nil)
}

// tool returns the ordinal of the call at a position, and whether it is new.
func (w *written) tool(at int) (int, bool) {
	for i, t := range w.tools {
		if t == at {
			return i, false
		}
	}
	w.tools = append(w.tools, at)
	return len(w.tools) - 1, true
}

func (o *object) callDelta(index int, fresh bool, c llm.ToolCall) {
	o.member("tool_calls")
	o.b = append(o.b, '[')
	o.open()
	o.integer("index", int64(index))
	if fresh {
		o.str("id", c.ID)
		o.str("type", "function")
	}
	o.member("function")
	o.open()
	if fresh {
		o.str("name", c.Name)
	}
	o.text("arguments", c.Arguments)
	o.close()
	o.close()
	o.b = append(o.b, ']')
}

// finish holds back the chunk that ends a choice.
func (e *StreamEncoder) finish(dst []byte, w *written, c *llm.Choice) []byte {
	dst = e.release(dst)
	o := object{b: append([]byte(nil), e.prefix...)}
	o.open()
	o.integer("index", int64(c.Index))
	o.member("delta")
	o.open()
	switch {
	case w.thinking:
		o.str("content", thinkClose)
		w.thinking = false
	case c.Finish != llm.FinishToolCalls:
		o.str("content", "")
	}
	o.close()
	o.finish(c.Finish)
	o.extra(c.Extra)
	o.close()
	e.held = append(o.b, ']')
	return dst
}

// textEvent appends a chunk of a text completion, which has the shape of the whole.
func (e *StreamEncoder) textEvent(dst []byte, w *written, c *llm.Choice) []byte {
	dst = e.release(dst)
	start := len(dst)
	o := object{b: append(dst, e.prefix...)}
	o.textChoice(c, w.offset)
	for _, p := range c.Logprobs {
		w.offset += utf8.RuneCountInString(p.Token)
	}
	o.b = append(o.b, ']')
	if c.Finish != "" {
		e.held = append([]byte(nil), o.b[start:]...)
		return o.b[:start]
	}
	return append(o.b, "}\n\n"...)
}

// End appends what ends a complete answer: the last chunk, with usage on it or after it, and [DONE].
func (e *StreamEncoder) End(dst []byte) []byte {
	if e.held != nil {
		dst = append(dst, e.held...)
		e.held = nil
		if !e.style.UsageChunk {
			o := object{b: dst, comma: true}
			o.usage(e.usage)
			dst = o.b
		}
		dst = append(dst, "}\n\n"...)
	}
	if e.style.UsageChunk && e.usage != nil {
		o := object{b: append(dst, e.prefix...)}
		o.b = append(o.b, ']')
		o.comma = true
		o.usage(e.usage)
		dst = append(o.b, "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
