package reply

import (
	"bytes"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// StreamEncoder writes the fragments of one answer as events of doc/protocol.md §3.8. It holds
// the chunk with the last finish back until End, so that usage goes out on it and a cut stream
// never looks complete. It is for one goroutine.
type StreamEncoder struct {
	style   Style
	text    bool
	prefix  []byte // data: {"id":…,"choices":[
	choices []progress
	held    jsonx.Writer // the last chunk up to its end, with the finish reason
	kept    []byte       // or the last events as they came, from one with a finish reason on
	usage   *llm.Usage
	counted bool // usage went out in events that were passed on
}

// progress is what was sent of a choice.
type progress struct {
	index    int
	thinking bool
	tools    []int // positions of the calls in order
	offset   int
}

// NewStreamEncoder encodes the answer to a chat request, or to a text completion.
func NewStreamEncoder(op llm.Operation, h Head, s Style) *StreamEncoder {
	e := &StreamEncoder{style: s, text: op == llm.OpComplete}
	w := &jsonx.Writer{Bytes: []byte("data: ")}
	w.BeginObject()
	if e.text {
		writeHead(w, h, "text_completion")
	} else {
		writeHead(w, h, "chat.completion.chunk")
	}
	w.Member("choices")
	w.BeginArray()
	e.prefix = w.Bytes
	return e
}

// Fragment appends the events of a fragment.
func (e *StreamEncoder) Fragment(dst []byte, f *llm.Reply) []byte {
	if f.Usage != nil {
		e.usage = new(*f.Usage)
	}
	if e.passes(f) {
		return e.pass(dst, f)
	}
	if found := f.Extra[filteredPrompt]; found != nil && e.style.Annotations {
		w := jsonx.Writer{Bytes: append(e.release(dst), `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":`...)}
		w.Bytes = append(w.Bytes, found...)
		dst = endEvent(w)
	}
	for i := range f.Choices {
		c := &f.Choices[i]
		sent, fresh := e.choice(c.Index)
		if fresh && !e.text && !e.calls(c) {
			w := e.begin(dst, c.Index)
			w.Str("role", "assistant")
			w.Str("content", "")
			if e.style.openAI() {
				w.Null("refusal")
			}
			dst = e.end(w, nil)
		}
		if e.text {
			dst = e.textEvent(dst, sent, c)
			continue
		}
		for k, p := range c.Parts {
			var logprobs []llm.TokenLogprob
			if k == 0 {
				logprobs = c.Logprobs
			}
			dst = e.part(dst, sent, c.At+k, p, logprobs, fresh && k == 0)
		}
		if len(c.Parts) == 0 && len(c.Logprobs) > 0 {
			w := e.begin(dst, c.Index)
			w.Str("content", "")
			dst = e.end(w, c.Logprobs)
		}
		if c.Finish != "" {
			dst = e.finish(dst, sent, c)
		}
	}
	return dst
}

// passes reports whether a fragment's own bytes may go out.
func (e *StreamEncoder) passes(f *llm.Reply) bool {
	if !e.style.passes(f.Source) || f.Source.Whole {
		return false
	}
	for i := range f.Choices {
		c := &f.Choices[i]
		sent := e.sent(c.Index)
		if !e.style.placed() && (thinks(c) || sent != nil && sent.thinking) {
			return false
		}
		if called := calls(c) || sent != nil && len(sent.tools) > 0; (c.Finish != "" || called) && !e.style.asItCame(c.Finish, called) {
			return false
		}
	}
	return true
}

// pass appends a fragment's own events, notes what they say, and keeps those back that end a choice.
func (e *StreamEncoder) pass(dst []byte, f *llm.Reply) []byte {
	for i := range f.Choices {
		c := &f.Choices[i]
		sent, _ := e.choice(c.Index)
		for k, p := range c.Parts {
			if _, ok := p.(llm.ToolCall); ok {
				sent.tool(c.At + k)
			}
		}
	}
	src := f.Source
	now, later, last := src.Body[:src.Ends], src.Body[src.Ends:], []byte(nil)
	if onLast, apart := e.style.usage(); !onLast && !apart {
		later, last = withoutNullUsage(src.Body[src.Ends:max(src.Ends, src.Count[0])]), withoutNullUsage(src.Body[max(src.Ends, src.Count[1]):])
		now = withoutNullUsage(now)
	} else if f.Usage != nil {
		e.counted = true
	}
	if len(now)+len(later)+len(last) == 0 {
		return dst
	}
	dst = append(e.release(dst), now...)
	e.kept = append(append(e.kept, later...), last...)
	return dst
}

// withoutNullUsage cuts from events what stands there only because usage was asked for, and not by the caller.
func withoutNullUsage(events []byte) []byte {
	const null, end = `,"usage":null`, "}\n\n"
	if !bytes.Contains(events, []byte(null+end)) { // or ReplaceAll would copy them
		return events
	}
	return bytes.ReplaceAll(events, []byte(null+end), []byte(end))
}

// sent is what was sent of a choice, or nil.
func (e *StreamEncoder) sent(index int) *progress {
	for i := range e.choices {
		if e.choices[i].index == index {
			return &e.choices[i]
		}
	}
	return nil
}

func (e *StreamEncoder) choice(index int) (*progress, bool) {
	if sent := e.sent(index); sent != nil {
		return sent, false
	}
	e.choices = append(e.choices, progress{index: index})
	return &e.choices[len(e.choices)-1], true
}

// begin opens a chunk up to its delta; end closes one that is not the last.
func (e *StreamEncoder) begin(dst []byte, index int) jsonx.Writer {
	w := jsonx.Writer{Bytes: append(e.release(dst), e.prefix...)}
	w.BeginObject()
	w.Int("index", int64(index))
	w.Member("delta")
	w.BeginObject()
	return w
}

func (e *StreamEncoder) end(w jsonx.Writer, logprobs []llm.TokenLogprob) []byte {
	w.EndObject()
	e.style.writeLogprobs(&w, logprobs)
	writeFinish(&w, "")
	w.EndObject()
	w.EndArray()
	e.noUsage(&w)
	return endEvent(w)
}

// noUsage says, at the doors of OpenAI, that the usage comes later.
func (e *StreamEncoder) noUsage(w *jsonx.Writer) {
	if _, apart := e.style.usage(); apart && e.style.openAI() {
		w.Null("usage")
	}
}

// calls reports whether a choice begins with a call, which OpenAI's servers tell with the role.
func (e *StreamEncoder) calls(c *llm.Choice) bool {
	if !e.style.openAI() || len(c.Parts) == 0 {
		return false
	}
	_, ok := c.Parts[0].(llm.ToolCall)
	return ok
}

// endEvent ends a chunk whose choices are written.
func endEvent(w jsonx.Writer) []byte {
	w.EndObject()
	return append(w.Bytes, "\n\n"...)
}

// release appends the chunk that was held back, once another follows it.
func (e *StreamEncoder) release(dst []byte) []byte {
	dst = append(dst, e.kept...)
	e.kept = e.kept[:0]
	if e.held.Bytes == nil {
		return dst
	}
	dst = append(dst, endEvent(e.held)...)
	e.held = jsonx.Writer{}
	return dst
}

func (e *StreamEncoder) part(dst []byte, sent *progress, at int, p llm.Part, logprobs []llm.TokenLogprob, first bool) []byte {
	switch p := p.(type) {
	case llm.Text:
		if p.Empty() && logprobs == nil {
			return dst
		}
		if sent.thinking {
			sent.thinking = false
			p = llm.NewText(message.ThinkClose + p.String())
		}
		w := e.begin(dst, sent.index)
		message.WriteText(&w, "content", p)
		return e.end(w, logprobs)
	case llm.Reasoning:
		return e.reasoning(dst, sent, p.Text)
	case llm.Refusal:
		if !e.style.openAI() { // which has no member for it
			return e.part(dst, sent, at, p.Text, logprobs, first)
		}
		w := e.begin(dst, sent.index)
		message.WriteText(&w, "refusal", p.Text)
		return e.end(w, logprobs)
	case llm.ToolCall:
		index, fresh := sent.tool(at)
		if e.style.Functions && index > 0 { // the form has room for one
			return dst
		}
		w := e.begin(dst, sent.index)
		if first && e.style.openAI() {
			w.Str("role", "assistant")
			w.Null("content")
		}
		e.writeCallDelta(&w, index, fresh, p)
		return e.end(w, logprobs)
	case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
	}
	return dst
}

func (e *StreamEncoder) reasoning(dst []byte, sent *progress, t llm.Text) []byte {
	switch e.style.Reasoning {
	case llm.ReasoningHidden:
		return dst
	case llm.ReasoningContent:
		if !sent.thinking {
			sent.thinking = true
			t = llm.NewText(message.ThinkOpen + t.String())
		}
		w := e.begin(dst, sent.index)
		message.WriteText(&w, "content", t)
		return e.end(w, nil)
	case llm.ReasoningField, llm.ReasoningByDoor:
	}
	w := e.begin(dst, sent.index)
	w.Null("content")
	message.WriteText(&w, "reasoning_content", t)
	return e.end(w, nil)
}

// tool returns the ordinal of the call at a position, and whether it is new.
func (sent *progress) tool(at int) (int, bool) {
	for i, t := range sent.tools {
		if t == at {
			return i, false
		}
	}
	sent.tools = append(sent.tools, at)
	return len(sent.tools) - 1, true
}

func (e *StreamEncoder) writeCallDelta(w *jsonx.Writer, index int, fresh bool, c llm.ToolCall) {
	if e.style.Functions {
		w.Member("function_call")
		w.BeginObject()
		if fresh {
			w.Str("name", c.Name)
		}
		message.WriteText(w, "arguments", c.Arguments)
		w.EndObject()
		return
	}
	w.Member("tool_calls")
	w.BeginArray()
	w.BeginObject()
	w.Int("index", int64(index))
	if fresh {
		w.Str("id", c.ID)
		w.Str("type", "function")
	}
	w.Member("function")
	w.BeginObject()
	if fresh {
		w.Str("name", c.Name)
	}
	message.WriteText(w, "arguments", c.Arguments)
	w.EndObject()
	w.EndObject()
	w.EndArray()
}

// finish holds back the chunk that ends a choice.
func (e *StreamEncoder) finish(dst []byte, sent *progress, c *llm.Choice) []byte {
	dst = e.release(dst)
	why := e.style.finish(c.Finish, len(sent.tools) > 0)
	w := jsonx.Writer{Bytes: bytes.Clone(e.prefix)}
	w.BeginObject()
	w.Int("index", int64(c.Index))
	w.Member("delta")
	w.BeginObject()
	switch {
	case sent.thinking:
		w.Str("content", message.ThinkClose)
		sent.thinking = false
	case why != llm.FinishToolCalls && !e.style.openAI():
		w.Str("content", "")
	}
	w.EndObject()
	if e.style.openAI() {
		w.Null("logprobs")
	}
	writeFinish(&w, why)
	e.style.writeExtra(&w, c.Extra)
	w.EndObject()
	w.EndArray()
	e.noUsage(&w)
	e.held = w
	return dst
}

// textEvent appends a chunk of a text completion, which has the shape of the whole.
func (e *StreamEncoder) textEvent(dst []byte, sent *progress, c *llm.Choice) []byte {
	dst = e.release(dst)
	w := jsonx.Writer{Bytes: append(dst, e.prefix...)}
	e.style.writeTextChoice(&w, c, sent.offset)
	for _, p := range c.Logprobs {
		sent.offset += utf8.RuneCountInString(p.Token)
	}
	w.EndArray()
	e.noUsage(&w)
	if c.Finish != "" {
		e.held = w
		e.held.Bytes = bytes.Clone(w.Bytes[len(dst):])
		return w.Bytes[:len(dst)]
	}
	return endEvent(w)
}

// End appends what ends a complete answer: the last chunk, with usage on it or after it, and [DONE].
func (e *StreamEncoder) End(dst []byte) []byte {
	onLast, apart := e.style.usage()
	if e.held.Bytes != nil && onLast {
		e.style.writeUsage(&e.held, e.usage, e.operation())
	}
	dst = e.release(dst)
	if apart && e.usage != nil && !e.counted {
		w := jsonx.Writer{Bytes: append(dst, e.prefix...)}
		w.EndArray()
		e.style.writeUsage(&w, e.usage, e.operation())
		dst = endEvent(w)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

func (e *StreamEncoder) operation() llm.Operation {
	if e.text {
		return llm.OpComplete
	}
	return llm.OpChat
}
