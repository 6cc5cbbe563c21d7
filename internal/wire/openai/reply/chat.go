package reply

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// AppendChat appends a whole chat.completion (doc/protocol.md §3.5).
func AppendChat(dst []byte, r *llm.Reply, h Head, s Style) []byte {
	if s.passesWhole(r) {
		return joined(dst, r.Source.Body)
	}
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	writeHead(w, h, "chat.completion")
	w.Member("choices")
	w.BeginArray()
	for i := range r.Choices {
		c := &r.Choices[i]
		w.BeginObject()
		w.Int("index", int64(c.Index))
		writeFinish(w, s.finish(c.Finish, calls(c)))
		writeMessage(w, c, s)
		s.writeLogprobs(w, c.Logprobs)
		s.writeExtra(w, c.Extra)
		w.EndObject()
	}
	w.EndArray()
	s.writeUsage(w, r.Usage, llm.OpChat)
	s.writeExtra(w, r.Extra)
	w.EndObject()
	return w.Bytes
}

// passesWhole reports whether an answer's own bytes say all that the contract wants, and nothing otherwise.
func (s Style) passesWhole(r *llm.Reply) bool {
	if !s.passes(r.Source) || !r.Source.Whole || r.ID == "" || r.Model == "" || r.Created.IsZero() {
		return false
	}
	return !slices.ContainsFunc(r.Choices, func(c llm.Choice) bool {
		return !s.asItCame(c.Finish, calls(&c)) || !s.placed() && thinks(&c)
	})
}

// thinks reports whether a choice holds reasoning.
func thinks(c *llm.Choice) bool {
	return slices.ContainsFunc(c.Parts, func(p llm.Part) bool { _, ok := p.(llm.Reasoning); return ok })
}

// calls reports whether a choice calls a tool.
func calls(c *llm.Choice) bool {
	return slices.ContainsFunc(c.Parts, func(p llm.Part) bool { _, ok := p.(llm.ToolCall); return ok })
}

// writeMessage writes the message of a whole choice.
func writeMessage(w *jsonx.Writer, c *llm.Choice, s Style) {
	var text, thought, refusal []byte
	var calls []llm.ToolCall
	hasText := false
	for _, p := range c.Parts {
		switch p := p.(type) {
		case llm.Text:
			text = p.AppendTo(text)
			hasText = true
		case llm.Reasoning:
			thought = p.Text.AppendTo(thought)
		case llm.Refusal:
			refusal = p.Text.AppendTo(refusal)
		case llm.ToolCall:
			calls = append(calls, p)
		case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
		}
	}
	if len(refusal) > 0 && !s.openAI() { // which has no member for it
		text, hasText = append(text, refusal...), true
	}
	if s.Reasoning == llm.ReasoningContent && len(thought) > 0 {
		text = append(append(append([]byte(message.ThinkOpen), thought...), message.ThinkClose...), text...)
		hasText = true
	}
	w.Member("message")
	w.BeginObject()
	w.Str("role", "assistant")
	if !hasText && len(calls)+len(refusal) > 0 {
		w.Null("content")
	} else {
		w.Member("content")
		w.Bytes = jsonx.AppendString(w.Next(), text)
	}
	if len(thought) > 0 && (s.Reasoning == llm.ReasoningField || s.Reasoning == llm.ReasoningByDoor) {
		w.Member("reasoning_content")
		w.Bytes = jsonx.AppendString(w.Next(), thought)
	}
	switch {
	case s.Functions && len(calls) > 0: // the form has room for one
		w.Member("function_call")
		w.BeginObject()
		w.Str("name", calls[0].Name)
		message.WriteText(w, "arguments", calls[0].Arguments)
		w.EndObject()
	case len(calls) > 0:
		message.WriteToolCalls(w, calls)
	case !s.openAI():
		w.Null("tool_calls")
	}
	if s.openAI() {
		if len(refusal) > 0 {
			w.Member("refusal")
			w.Bytes = jsonx.AppendString(w.Next(), refusal)
		} else {
			w.Null("refusal")
		}
		w.Raw("annotations", []byte("[]"))
	}
	w.EndObject()
}
