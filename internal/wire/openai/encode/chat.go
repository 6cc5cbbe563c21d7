// Package encode writes the requests of the family for a server that speaks it: from their fields, or from the caller's own
// bytes with the edits made.
package encode

import (
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// AppendChat appends the request as JSON: known members first, then the extra ones in order of their names.
func AppendChat(dst []byte, r *llm.ChatRequest) []byte {
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	writeName(w, "model", r.Model)
	w.Member("messages")
	w.BeginArray()
	for i := range r.Messages {
		writeMessage(w, &r.Messages[i])
	}
	w.EndArray()
	writeTrue(w, "stream", r.Stream)
	writeUsageChunk(w, r.UsageChunk)
	writeSampling(w, &r.Sampling, r.CompletionTokens)
	writeCount(w, "n", r.N)
	writeTrue(w, "logprobs", r.Logprobs)
	writeCount(w, "top_logprobs", r.TopLogprobs)
	w.Raw("logit_bias", r.LogitBias)
	writeTools(w, r.Tools)
	writeToolChoice(w, r.ToolChoice)
	writeBool(w, "parallel_tool_calls", r.ParallelToolCalls)
	writeFormat(w, r.Format)
	writeName(w, "reasoning_effort", r.ReasoningEffort)
	if r.AudioOutput {
		w.Raw("modalities", []byte(`["text","audio"]`))
	}
	writeName(w, "user", r.User)
	writeName(w, "grammar", r.Grammar)
	message.WriteExtra(w, r.Extra)
	w.EndObject()
	return w.Bytes
}

func writeMessage(w *jsonx.Writer, m *llm.Message) {
	w.BeginObject()
	w.Str("role", string(m.Role))
	parts := m.Parts
	if len(parts) == 1 {
		if result, ok := parts[0].(llm.ToolResult); ok {
			w.Str("tool_call_id", result.CallID)
			parts = result.Content
		}
	}
	writeContent(w, m.Form, parts)
	writeName(w, "name", m.Name)
	var calls []llm.ToolCall
	for _, p := range parts {
		if c, ok := p.(llm.ToolCall); ok {
			calls = append(calls, c)
		}
	}
	message.WriteToolCalls(w, calls)
	writeTrue(w, "prefix", m.Prefix)
	message.WriteExtra(w, m.Extra)
	w.EndObject()
}

// writeContent writes the parts that stand in a message's content. Reasoning is never sent back (doc/protocol.md §3.7).
func writeContent(w *jsonx.Writer, form llm.Form, parts []llm.Part) {
	switch form {
	case llm.FormAbsent:
		return
	case llm.FormNull:
		w.Null("content")
		return
	case llm.FormString:
		for _, p := range parts {
			if t, ok := p.(llm.Text); ok {
				message.WriteText(w, "content", t)
				return
			}
		}
		w.Str("content", "")
		return
	case llm.FormParts:
	}
	w.Member("content")
	w.BeginArray()
	for _, p := range parts {
		writePart(w, p)
	}
	w.EndArray()
}

// writePart writes a content part; nothing for what stands elsewhere in a message.
func writePart(w *jsonx.Writer, p llm.Part) {
	switch p := p.(type) {
	case llm.Text:
		w.BeginObject()
		w.Str("type", "text")
		message.WriteText(w, "text", p)
		w.EndObject()
	case llm.Image:
		w.BeginObject()
		w.Str("type", "image_url")
		w.Member("image_url")
		w.BeginObject()
		message.WriteText(w, "url", p.URL)
		writeName(w, "detail", p.Detail)
		w.EndObject()
		w.EndObject()
	case llm.Audio:
		writeAudio(w, p)
	case llm.Opaque:
		w.Bytes = append(w.Next(), p.Raw...)
	case llm.Reasoning, llm.Refusal, llm.ToolCall, llm.ToolResult:
	}
}

func writeAudio(w *jsonx.Writer, p llm.Audio) {
	w.BeginObject()
	if p.Format == "" {
		w.Str("type", "audio_url")
		w.Member("audio_url")
		w.BeginObject()
		message.WriteText(w, "url", p.URL)
	} else {
		w.Str("type", "input_audio")
		w.Member("input_audio")
		w.BeginObject()
		message.WriteText(w, "data", p.Data)
		w.Str("format", p.Format)
	}
	w.EndObject()
	w.EndObject()
}

func writeTools(w *jsonx.Writer, tools []llm.Tool) {
	if tools == nil {
		return
	}
	w.Member("tools")
	w.BeginArray()
	for i := range tools {
		t := &tools[i]
		w.BeginObject()
		w.Str("type", "function")
		w.Member("function")
		w.BeginObject()
		w.Str("name", t.Name)
		writeOptional(w, "description", t.Description)
		w.Raw("parameters", t.Parameters)
		writeBool(w, "strict", t.Strict)
		message.WriteExtra(w, t.Extra)
		w.EndObject()
		w.EndObject()
	}
	w.EndArray()
}

func writeToolChoice(w *jsonx.Writer, c *llm.ToolChoice) {
	switch {
	case c == nil:
	case c.Mode != llm.ToolNamed:
		w.Str("tool_choice", string(c.Mode))
	default:
		w.Member("tool_choice")
		w.BeginObject()
		w.Str("type", "function")
		w.Member("function")
		w.BeginObject()
		w.Str("name", c.Name)
		w.EndObject()
		w.EndObject()
	}
}

func writeFormat(w *jsonx.Writer, f *llm.Format) {
	if f == nil {
		return
	}
	w.Member("response_format")
	w.BeginObject()
	w.Str("type", string(f.Type))
	if f.Type == llm.FormatSchema {
		w.Member("json_schema")
		w.BeginObject()
		w.Str("name", f.Name)
		writeOptional(w, "description", f.Description)
		w.Raw("schema", f.Schema)
		writeBool(w, "strict", f.Strict)
		w.EndObject()
	}
	w.EndObject()
}
