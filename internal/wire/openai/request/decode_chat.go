package request

import (
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// DecodeChat reads a chat request as a door received it (doc/protocol.md §3.1–3.4, §3.6).
// The request aliases body. Errors are *llm.Error: Malformed, UnknownParam, or Invalid with details.
func DecodeChat(body []byte, c Contract) (*llm.ChatRequest, error) {
	var f fields
	r := &llm.ChatRequest{}
	var messages, both, options, functions, functionCall jsonx.Value
	err := f.open(body, c, func(name string, v jsonx.Value) {
		if f.sampling(&r.Sampling, name, v) {
			if name == "max_tokens" && !v.Null() && r.CompletionTokens {
				both = v
			}
			return
		}
		switch name {
		case "messages":
			messages = v
		case "model":
			r.Model = f.str(v, name)
		case "stream":
			b := f.boolean(v, name)
			r.Stream = b != nil && *b
		case "max_completion_tokens":
			if n := f.limit(v, name); n != nil {
				if r.MaxTokens != nil {
					both = v
				}
				r.MaxTokens, r.CompletionTokens = n, true
			}
		case "tools":
			r.Tools = f.tools(v)
		case "tool_choice":
			r.ToolChoice = f.toolChoice(v)
		case "response_format":
			r.Format = f.format(v)
		case "n":
			r.N = f.choices(v, name)
		case "logprobs":
			b := f.boolean(v, name)
			r.Logprobs = b != nil && *b
		case "top_logprobs":
			r.TopLogprobs = f.atMost(v, 20, name)
		case "logit_bias":
			r.LogitBias = f.bias(v)
		case "parallel_tool_calls":
			r.ParallelToolCalls = f.boolean(v, name)
		case "reasoning_effort":
			r.ReasoningEffort = f.effort(v)
		case "user":
			r.User = f.str(v, name)
		case "stream_options":
			options, r.UsageChunk = v, f.usageChunk(v)
		case "modalities":
			r.AudioOutput = f.modalities(v)
		case "user_security_context":
			f.securityContext(v)
		case "functions":
			functions = v
		case "function_call":
			functionCall = v
		case "metadata", "safety_identifier":
			f.told(&r.Extra, name, v)
		default:
			f.keep(&r.Extra, name, v)
		}
	})
	if err != nil {
		return nil, err
	}
	if both != nil {
		f.fail("value_error", "max_tokens and max_completion_tokens cannot be given together", both, "max_completion_tokens")
	}
	if n := r.TopLogprobs; n != nil && *n > 0 && !r.Logprobs {
		f.fail("value_error", "top_logprobs needs logprobs", nil, "top_logprobs")
	}
	r.Messages = f.messages(messages)
	f.functions(r, functions, functionCall)
	f.named(r)
	f.streamOptions(options, r.Stream)
	f.answered(r.Messages)
	if err := f.finish(&r.Envelope, c, body); err != nil {
		return nil, err
	}
	return r, nil
}

// named checks that a tool_choice by name is one of the tools, and that one that demands a call has any.
func (f *fields) named(r *llm.ChatRequest) {
	switch c := r.ToolChoice; {
	case c == nil:
		return
	case c.Mode == llm.ToolRequired:
		if len(r.Tools) == 0 {
			f.fail("value_error", "tool_choice 'required' needs tools", nil, "tool_choice")
		}
		return
	case c.Mode != llm.ToolNamed || c.Name == "": // what is wrong with it has been said
		return
	case slices.ContainsFunc(r.Tools, func(t llm.Tool) bool { return t.Name == c.Name }):
		return
	}
	msg, loc := "tool_choice names a function that is not in tools", []any{"tool_choice", "function", "name"}
	if r.Functions {
		msg, loc = "function_call names a function that is not in functions", []any{"function_call", "name"}
	}
	f.fail("value_error", msg, jsonx.AppendString(nil, r.ToolChoice.Name), loc...)
}

// modalities reports whether audio is asked for.
func (f *fields) modalities(v jsonx.Value) (audio bool) {
	const most = 16
	if v.Null() || !f.list(v, most, "modalities") {
		return false
	}
	for i, m := range v.Elements() {
		audio = f.enum(m, []string{"text", "audio"}, "modalities", i) == "audio" || audio
	}
	return audio
}

func (f *fields) messages(v jsonx.Value) []llm.Message {
	if f.absent(v, "messages") {
		return nil
	}
	if v.Kind() != jsonx.Array {
		f.list(v, maxMessages, "messages")
		return nil
	}
	var ms []llm.Message
	n, before := 0, len(f.details)
	at := slices.IndexFunc(f.root.Members, func(m jsonx.Member) bool { return m.Name == "messages" })
	for i, m := range f.root.Walk(&f.root.Members[at]) { // not twice, to count them first: this is most of a body
		if n++; n > maxMessages || f.full() {
			break
		}
		if m.Kind() == jsonx.Object {
			ms = append(ms, f.message(m, i))
		} else {
			f.object(m.Value(), "messages", i)
		}
	}
	if n == 0 || n > maxMessages || f.full() && length(v) > maxMessages {
		f.details = f.details[:before] // as if they had been counted first
		f.list(v, maxMessages, "messages")
		return nil
	}
	return ms
}

var (
	roles       = []string{"system", "developer", "user", "assistant", "tool"}
	openAIRoles = append(slices.Clip(roles), functionRole)
)

// functionRole is a tool's in the deprecated form.
const functionRole = "function"

// role decodes a message's role. The deprecated one is only named where it belongs to the contract.
func (f *fields) role(v jsonx.Value, i int) llm.Role {
	known := roles
	switch {
	case f.openAI:
		known = openAIRoles
	case f.legacy && v.Is(functionRole):
		return functionRole
	}
	return llm.Role(f.enum(v, known, "messages", i, "role"))
}

func (f *fields) message(v *jsonx.Element, i int) llm.Message {
	var m llm.Message
	var content, calls, thoughts, callID, call jsonx.Value
	var role jsonx.Value
	for name, x := range v.Members() {
		switch name {
		case "role":
			role = x
		case "content":
			content = x
		case "name":
			m.Name = f.str(x, "messages", i, name)
		case "tool_calls":
			calls = x
		case "tool_call_id":
			callID = x
		case "reasoning_content":
			thoughts = x
		case "prefix":
			m.Prefix = x.Kind() == jsonx.Bool && x[0] == 't'
		case "function_call":
			if f.legacy {
				call = x
				break
			}
			fallthrough
		default:
			f.keep(&m.Extra, name, x, "messages", i)
		}
	}
	m.Role = f.role(role, i)
	if m.Role == "" { // what it may hold is not known
		return m
	}
	if m.Role == llm.Assistant && thoughts.Kind() == jsonx.String {
		m.Parts = append(m.Parts, llm.Reasoning{Text: llm.QuotedText(thoughts)})
	}
	parts, form := f.content(content, i, m.Role)
	m.Form = form
	if m.Role == functionRole {
		return f.functionResult(m, parts, i)
	}
	if m.Role == llm.ToolRole {
		id, _ := f.text(callID, "messages", i, "tool_call_id")
		m.Parts = []llm.Part{llm.ToolResult{CallID: id.String(), Content: parts}}
		return m
	}
	if m.Role == llm.Assistant {
		parts = unthink(parts)
	}
	if m.Parts == nil {
		m.Parts = parts
	} else {
		m.Parts = append(m.Parts, parts...)
	}
	if m.Role == llm.Assistant && !calls.Null() {
		m.Parts = append(m.Parts, f.calls(calls, i)...)
	}
	if m.Role == llm.Assistant {
		m.Parts = append(m.Parts, f.functionCall(call, i)...)
	}
	return m
}

// unthink tells what a model thought inside its content from what it said, since it is never sent back (doc/protocol.md §3.7).
func unthink(parts []llm.Part) []llm.Part {
	if len(parts) == 0 {
		return parts
	}
	text, ok := parts[0].(llm.Text)
	if !ok || !text.Begins(message.ThinkOpen) {
		return parts
	}
	thought, said, _ := strings.Cut(strings.TrimPrefix(text.String(), message.ThinkOpen), message.ThinkClose)
	said = strings.TrimLeft(said, "\n")
	return append([]llm.Part{llm.Reasoning{Text: llm.NewText(thought)}, llm.NewText(said)}, parts[1:]...)
}

func (f *fields) content(v jsonx.Value, i int, role llm.Role) ([]llm.Part, llm.Form) {
	switch v.Kind() {
	case jsonx.String:
		return []llm.Part{llm.QuotedText(v)}, llm.FormString
	case jsonx.Array:
		return f.parts(v, i, role), llm.FormParts
	case jsonx.Absent:
		if role == llm.Assistant || role == llm.ToolRole || role == functionRole || f.absent(v, "messages", i, "content") {
			return nil, llm.FormAbsent
		}
	case jsonx.Null:
		if role == llm.Assistant || role == llm.ToolRole || role == functionRole {
			return nil, llm.FormNull
		}
	case jsonx.Bool, jsonx.Number, jsonx.Object:
	}
	f.fail("string_type", "Input should be a valid string or a list of parts", v, "messages", i, "content")
	return nil, llm.FormAbsent
}

func (f *fields) parts(v jsonx.Value, i int, role llm.Role) []llm.Part {
	if (role == llm.User || length(v) > 0) && !f.list(v, maxMessages, "messages", i, "content") {
		return nil
	}
	parts := []llm.Part{}
	for k, p := range v.Elements() {
		if f.full() {
			break
		}
		loc := []any{"messages", i, "content", k}
		if f.object(p, loc...) {
			if part := f.part(p, role, loc); part != nil {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// part decodes one content part by its type, wherever that member stands.
func (f *fields) part(v jsonx.Value, role llm.Role, loc []any) llm.Part {
	kind := v.Get("type")
	at := func(more ...any) []any { return append(append([]any{}, loc...), more...) }
	full := append([]any{"body"}, loc...)
	allowed := []string{"text"}
	switch {
	case role == llm.User:
		allowed = []string{"text", "image_url", "input_audio", "audio_url"}
	case role == llm.Assistant && f.openAI:
		allowed = []string{"text", "refusal"}
	}
	switch f.enum(kind, allowed, at("type")...) {
	case "text":
		if t, ok := f.text(v.Get("text"), at("text")...); ok {
			return t
		}
	case "refusal": // which it said, too
		if t, ok := f.text(v.Get("refusal"), at("refusal")...); ok {
			return t
		}
	case "image_url":
		if img := v.Get("image_url"); f.object(img, at("image_url")...) {
			if u, ok := f.text(img.Get("url"), at("image_url", "url")...); ok {
				part := llm.Image{URL: u, Loc: full}
				if d := img.Get("detail"); !d.Null() {
					part.Detail = f.enum(d, []string{"auto", "low", "high"}, at("image_url", "detail")...)
				}
				return part
			}
		}
	case "input_audio":
		if a := v.Get("input_audio"); f.object(a, at("input_audio")...) {
			if d, ok := f.text(a.Get("data"), at("input_audio", "data")...); ok {
				return llm.Audio{Data: d, Format: f.enum(a.Get("format"), []string{"wav", "mp3"}, at("input_audio", "format")...), Loc: full}
			}
		}
	case "audio_url":
		if a := v.Get("audio_url"); f.object(a, at("audio_url")...) {
			if u, ok := f.text(a.Get("url"), at("audio_url", "url")...); ok {
				return llm.Audio{URL: u, Loc: full}
			}
		}
	}
	return nil
}

func (f *fields) calls(v jsonx.Value, i int) []llm.Part {
	if v.Kind() != jsonx.Array {
		f.fail("list_type", "Input should be a valid list", v, "messages", i, "tool_calls")
		return nil
	}
	if length(v) > message.MaxTools {
		f.list(v, message.MaxTools, "messages", i, "tool_calls")
		return nil
	}
	var parts []llm.Part
	for k, c := range v.Elements() {
		if f.full() {
			break
		}
		if call, ok := f.call(c, "messages", i, "tool_calls", k); ok {
			parts = append(parts, call)
		}
	}
	return parts
}

// call decodes a call that the model made. Deltas that are sent back as they came have no type, or no arguments yet.
func (f *fields) call(v jsonx.Value, loc ...any) (llm.ToolCall, bool) {
	at := func(more ...any) []any { return append(slices.Clip(loc), more...) }
	fn := v.Get("function")
	if !f.object(v, loc...) || !f.object(fn, at("function")...) {
		return llm.ToolCall{}, false
	}
	if kind := v.Get("type"); !kind.Null() {
		f.enum(kind, []string{"function"}, at("type")...)
	}
	name, _ := f.text(fn.Get("name"), at("function", "name")...)
	call := llm.ToolCall{ID: f.str(v.Get("id"), at("id")...), Name: name.String(), Arguments: llm.NewText("{}")}
	switch args := fn.Get("arguments"); args.Kind() {
	case jsonx.String:
		if !args.Is("") {
			call.Arguments = llm.QuotedText(args)
		}
	case jsonx.Object: // one SDK test sends the document itself (doc/protocol.md §3.2)
		call.Arguments = llm.QuotedText(jsonx.AppendString(make([]byte, 0, len(args)+len(args)/4), []byte(args)))
	case jsonx.Absent, jsonx.Null:
	case jsonx.Bool, jsonx.Number, jsonx.Array:
		f.fail("string_type", "Input should be a valid string", args, at("function", "arguments")...)
	}
	return call, true
}
