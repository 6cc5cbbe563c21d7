package openai

import (
	"encoding/json"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire"
)

// Codec speaks to a server of this family.
type Codec struct {
	// Contract is whose contract the server keeps: a caller's bytes of the same contract are spliced, not rebuilt.
	Contract llm.Wire
}

var _ wire.Codec = Codec{}

// EncodeChat writes a chat request: the caller's own bytes where that is faithful, else from its fields.
func (c Codec) EncodeChat(r *llm.ChatRequest) (*wire.Request, error) {
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		return &wire.Request{Path: "/chat/completions", Pieces: splice(src)}, nil
	}
	return &wire.Request{Path: "/chat/completions", Pieces: [][]byte{AppendChatRequest(nil, r)}}, nil
}

// EncodeComplete writes a text completion request.
func (c Codec) EncodeComplete(r *llm.CompleteRequest) (*wire.Request, error) {
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		return &wire.Request{Path: "/completions", Pieces: splice(src)}, nil
	}
	return &wire.Request{Path: "/completions", Pieces: [][]byte{AppendCompleteRequest(nil, r)}}, nil
}

// EncodeEmbed writes an embedding request; it asks for floats, which the door encodes.
func (c Codec) EncodeEmbed(r *llm.EmbedRequest) (*wire.Request, error) {
	return &wire.Request{Path: "/embeddings", Pieces: [][]byte{AppendEmbedRequest(nil, r)}}, nil
}

// object appends the members of a JSON object.
type object struct {
	b     []byte
	comma bool
}

func (o *object) open() { o.b, o.comma = append(o.b, '{'), false }

func (o *object) close() { o.b, o.comma = append(o.b, '}'), true }

func (o *object) member(name string) {
	if o.comma {
		o.b = append(o.b, ',')
	}
	o.comma = true
	o.b = jsonx.AppendString(o.b, name)
	o.b = append(o.b, ':')
}

func (o *object) str(name, v string) {
	o.member(name)
	o.b = jsonx.AppendString(o.b, v)
}

func (o *object) text(name string, t llm.Text) {
	o.member(name)
	o.b = t.AppendJSON(o.b)
}

func (o *object) raw(name string, v []byte) {
	if v != nil {
		o.member(name)
		o.b = append(o.b, v...)
	}
}

func (o *object) flag(name string, v bool) {
	o.member(name)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) float(name string, v *float64) {
	if v != nil {
		o.member(name)
		o.b = jsonx.AppendFloat(o.b, *v, 64)
	}
}

func (o *object) integer(name string, v int64) {
	o.member(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) count(name string, v *int) {
	if v != nil {
		o.integer(name, int64(*v))
	}
}

func (o *object) extra(e llm.Extra) {
	if len(e) == 0 {
		return
	}
	env := llm.Envelope{Extra: e}
	for _, name := range env.ExtraNames() {
		o.raw(name, e[name])
	}
}

func (o *object) sampling(s *llm.Sampling, completionTokens bool) {
	if completionTokens {
		o.count("max_completion_tokens", s.MaxTokens)
	} else {
		o.count("max_tokens", s.MaxTokens)
	}
	o.float("temperature", s.Temperature)
	o.float("top_p", s.TopP)
	o.float("frequency_penalty", s.FrequencyPenalty)
	o.float("presence_penalty", s.PresencePenalty)
	if s.Seed != nil {
		o.integer("seed", *s.Seed)
	}
	if s.Stop != nil {
		o.member("stop")
		o.b = append(o.b, '[')
		for i, stop := range s.Stop {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.b = jsonx.AppendString(o.b, stop)
		}
		o.b = append(o.b, ']')
	}
}

// AppendChatRequest appends the request as JSON: known members first, then the extra ones in order of their names.
func AppendChatRequest(dst []byte, r *llm.ChatRequest) []byte {
	o := object{b: dst}
	o.open()
	if r.Model != "" {
		o.str("model", r.Model)
	}
	o.member("messages")
	o.b = append(o.b, '[')
	for i := range r.Messages {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.message(&r.Messages[i])
	}
	o.b = append(o.b, ']')
	if r.Stream {
		o.flag("stream", true)
	}
	o.streamOptions(r.UsageChunk)
	o.sampling(&r.Sampling, r.CompletionTokens)
	o.count("n", r.N)
	if r.Logprobs {
		o.flag("logprobs", true)
	}
	o.count("top_logprobs", r.TopLogprobs)
	o.raw("logit_bias", r.LogitBias)
	o.tools(r)
	if r.ParallelToolCalls != nil {
		o.flag("parallel_tool_calls", *r.ParallelToolCalls)
	}
	o.format(r.Format)
	if r.ReasoningEffort != "" {
		o.str("reasoning_effort", r.ReasoningEffort)
	}
	if r.User != "" {
		o.str("user", r.User)
	}
	o.extra(r.Extra)
	o.close()
	return o.b
}

func (o *object) streamOptions(usage bool) {
	if usage {
		o.raw("stream_options", []byte(`{"include_usage":true}`))
	}
}

func (o *object) message(m *llm.Message) {
	o.open()
	o.str("role", string(m.Role))
	parts := m.Parts
	if len(parts) == 1 {
		if result, ok := parts[0].(llm.ToolResult); ok {
			o.str("tool_call_id", result.CallID)
			parts = result.Content
		}
	}
	o.content(m.Form, parts)
	if m.Name != "" {
		o.str("name", m.Name)
	}
	calls := 0
	for _, p := range parts {
		if c, ok := p.(llm.ToolCall); ok {
			if calls == 0 {
				o.member("tool_calls")
				o.b = append(o.b, '[')
			} else {
				o.b = append(o.b, ',')
			}
			o.call(c)
			calls++
		}
	}
	if calls > 0 {
		o.b = append(o.b, ']')
	}
	o.extra(m.Extra)
	o.close()
}

// content writes the parts that stand in a message's content. Reasoning is never sent back (doc/protocol.md §3.7).
func (o *object) content(form llm.Form, parts []llm.Part) {
	switch form {
	case llm.FormAbsent:
		return
	case llm.FormNull:
		o.raw("content", []byte("null"))
		return
	case llm.FormString:
		for _, p := range parts {
			if t, ok := p.(llm.Text); ok {
				o.text("content", t)
				return
			}
		}
		o.str("content", "")
		return
	case llm.FormParts:
	}
	o.member("content")
	o.b = append(o.b, '[')
	first := true
	for _, p := range parts {
		at := len(o.b)
		if !first {
			o.b = append(o.b, ',')
		}
		if o.part(p) {
			first = false
		} else {
			o.b = o.b[:at]
		}
	}
	o.b = append(o.b, ']')
	o.comma = true
}

// part writes a content part; false for what stands elsewhere in a message.
func (o *object) part(p llm.Part) bool {
	switch p := p.(type) {
	case llm.Text:
		o.open()
		o.str("type", "text")
		o.text("text", p)
	case llm.Image:
		o.open()
		o.str("type", "image_url")
		o.member("image_url")
		o.open()
		o.text("url", p.URL)
		if p.Detail != "" {
			o.str("detail", p.Detail)
		}
		o.close()
	case llm.Audio:
		o.audio(p)
	case llm.Opaque:
		o.b = append(o.b, p.Raw...)
		return true
	case llm.Reasoning, llm.ToolCall, llm.ToolResult:
		return false
	}
	o.close()
	return true
}

func (o *object) audio(p llm.Audio) {
	o.open()
	if p.Format == "" {
		o.str("type", "audio_url")
		o.member("audio_url")
		o.open()
		o.text("url", p.URL)
	} else {
		o.str("type", "input_audio")
		o.member("input_audio")
		o.open()
		o.text("data", p.Data)
		o.str("format", p.Format)
	}
	o.close()
}

func (o *object) call(c llm.ToolCall) {
	o.open()
	o.str("id", c.ID)
	o.str("type", "function")
	o.member("function")
	o.open()
	o.str("name", c.Name)
	o.text("arguments", c.Arguments)
	o.close()
	o.close()
}

func (o *object) tools(r *llm.ChatRequest) {
	if r.Tools != nil {
		o.member("tools")
		o.b = append(o.b, '[')
		for i := range r.Tools {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.tool(&r.Tools[i])
		}
		o.b = append(o.b, ']')
	}
	if c := r.ToolChoice; c != nil {
		if c.Mode != llm.ToolNamed {
			o.str("tool_choice", string(c.Mode))
			return
		}
		name, _ := json.Marshal(c.Name)
		o.raw("tool_choice", append(append([]byte(`{"type":"function","function":{"name":`), name...), "}}"...))
	}
}

func (o *object) tool(t *llm.Tool) {
	o.open()
	o.str("type", "function")
	o.member("function")
	o.open()
	o.str("name", t.Name)
	if t.Description != nil {
		o.text("description", *t.Description)
	}
	o.raw("parameters", t.Parameters)
	if t.Strict != nil {
		o.flag("strict", *t.Strict)
	}
	o.extra(t.Extra)
	o.close()
	o.close()
}

func (o *object) format(f *llm.Format) {
	if f == nil {
		return
	}
	o.member("response_format")
	o.open()
	o.str("type", string(f.Type))
	if f.Type == llm.FormatSchema {
		o.member("json_schema")
		o.open()
		o.str("name", f.Name)
		if f.Description != nil {
			o.text("description", *f.Description)
		}
		o.raw("schema", f.Schema)
		if f.Strict != nil {
			o.flag("strict", *f.Strict)
		}
		o.close()
	}
	o.close()
}

// AppendCompleteRequest appends the request as JSON; one prompt stands alone, several in a list.
func AppendCompleteRequest(dst []byte, r *llm.CompleteRequest) []byte {
	o := object{b: dst}
	o.open()
	if r.Model != "" {
		o.str("model", r.Model)
	}
	o.inputs("prompt", r.Prompts)
	if r.Stream {
		o.flag("stream", true)
	}
	o.streamOptions(r.UsageChunk)
	o.sampling(&r.Sampling, false)
	o.count("n", r.N)
	o.count("best_of", r.BestOf)
	if r.Echo {
		o.flag("echo", true)
	}
	if r.Suffix != nil {
		o.str("suffix", *r.Suffix)
	}
	o.count("logprobs", r.Logprobs)
	o.raw("logit_bias", r.LogitBias)
	if r.User != "" {
		o.str("user", r.User)
	}
	o.extra(r.Extra)
	o.close()
	return o.b
}

// AppendEmbedRequest appends the request as JSON, without encoding_format: floats are asked for.
func AppendEmbedRequest(dst []byte, r *llm.EmbedRequest) []byte {
	o := object{b: dst}
	o.open()
	if r.Model != "" {
		o.str("model", r.Model)
	}
	o.inputs("input", r.Items)
	o.count("dimensions", r.Dimensions)
	if r.InputType != "" {
		o.str("input_type", string(r.InputType))
	}
	if r.User != "" {
		o.str("user", r.User)
	}
	o.extra(r.Extra)
	o.close()
	return o.b
}

func (o *object) inputs(name string, in []llm.Input) {
	o.member(name)
	if len(in) != 1 {
		o.b = append(o.b, '[')
	}
	for i, x := range in {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		switch x := x.(type) {
		case llm.Text:
			o.b = x.AppendJSON(o.b)
		case llm.Tokens:
			o.b = append(o.b, '[')
			for k, id := range x {
				if k > 0 {
					o.b = append(o.b, ',')
				}
				o.b = strconv.AppendInt(o.b, int64(id), 10)
			}
			o.b = append(o.b, ']')
		}
	}
	if len(in) != 1 {
		o.b = append(o.b, ']')
	}
}
