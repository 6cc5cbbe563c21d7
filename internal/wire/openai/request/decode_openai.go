package request

import (
	"strconv"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// What only the contracts of OpenAI have, or have within tighter bounds (doc/protocol.md §8.5.2).

// choices decodes how many answers are asked for, which a few bytes could make any work and any memory (doc/protocol.md §8.5.2).
func (f *fields) choices(v jsonx.Value, name string) *int {
	const most = 128
	if n := f.integer(v, 1, most, name); n != nil {
		return new(int(*n))
	}
	return nil
}

// effort decodes reasoning_effort.
func (f *fields) effort(v jsonx.Value) string {
	if !f.openAI && !f.both || v.Null() {
		return f.str(v, "reasoning_effort")
	}
	return f.enum(v, []string{"none", "minimal", "low", "medium", "high", "xhigh"}, "reasoning_effort")
}

// told checks a member that tells who asks and what for, and asks for nothing; another contract may not have it.
func (f *fields) told(e *llm.Extra, name string, v jsonx.Value) {
	const pairs, longKey, longValue = 16, 64, 512
	switch {
	case !f.openAI:
		f.keep(e, name, v)
		return
	case v.Null():
		return
	case name != "metadata":
		f.str(v, name)
		return
	case !f.object(v, name):
		return
	}
	n := 0
	for key, x := range v.Members() {
		if n++; n > pairs {
			f.fail("too_long", "Dictionary should have at most "+strconv.Itoa(pairs)+" items", nil, name)
			return
		}
		if utf8.RuneCountInString(key) > longKey {
			f.fail("string_too_long", "A key should have at most "+strconv.Itoa(longKey)+" characters", jsonx.AppendString(nil, key), name)
			return
		}
		f.sized(x, 0, longValue, name, key)
	}
}

// streamOptions refuses stream_options where nothing is streamed.
func (f *fields) streamOptions(v jsonx.Value, stream bool) {
	if f.openAI && !stream && !v.Null() {
		f.fail("value_error", "stream_options is only allowed where stream is true", v, "stream_options")
	}
}

// answered checks that each result of a tool belongs to a call that was made before it (doc/protocol.md §3.3).
func (f *fields) answered(messages []llm.Message) {
	if !f.openAI {
		return
	}
	made := map[string]bool{}
	for i := range messages {
		for _, p := range messages[i].Parts {
			switch p := p.(type) {
			case llm.ToolCall:
				made[p.ID] = true
			case llm.ToolResult:
				if p.CallID != "" && !made[p.CallID] {
					f.fail("value_error", "A message of a tool must answer a call of a message before it",
						jsonx.AppendString(nil, p.CallID), "messages", i, "tool_call_id")
				}
			case llm.Text, llm.Reasoning, llm.Refusal, llm.Image, llm.Audio, llm.Opaque:
			}
		}
	}
}

// functions decodes functions and function_call, the form of tools and tool_choice that OpenAI deprecated.
func (f *fields) functions(r *llm.ChatRequest, functions, call jsonx.Value) {
	if !functions.Null() && f.list(functions, f.mostTools(), "functions") {
		if r.Tools != nil {
			f.fail("value_error", "functions and tools cannot be given together", nil, "functions")
			return
		}
		r.Functions = true
		names := map[string]bool{}
		for i, fn := range functions.Elements() {
			if f.full() {
				return
			}
			if !f.object(fn, "functions", i) {
				continue
			}
			tool := f.tool(fn, "functions", i)
			if names[tool.Name] && tool.Name != "" {
				f.fail("value_error", "An earlier function has this name", fn.Get("name"), "functions", i, "name")
			}
			names[tool.Name] = true
			r.Tools = append(r.Tools, tool)
		}
	}
	switch {
	case call.Null():
	case r.ToolChoice != nil:
		f.fail("value_error", "function_call and tool_choice cannot be given together", nil, "function_call")
	case call.Kind() == jsonx.Object:
		r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolNamed, Name: f.identifier(call.Get("name"), "function_call", "name")}
	default:
		if mode := f.enum(call, []string{"auto", "none"}, "function_call"); mode != "" && r.Functions {
			r.ToolChoice = &llm.ToolChoice{Mode: llm.ChoiceMode(mode)}
		}
	}
}

// functionCall decodes the call of an assistant's message in the deprecated form, which has no id: it gets one of ours.
func (f *fields) functionCall(v jsonx.Value, i int) []llm.Part {
	loc := []any{"messages", i, "function_call"}
	if v.Null() || !f.object(v, loc...) {
		return nil
	}
	name, ok := f.text(v.Get("name"), append(loc, "name")...)
	if !ok {
		return nil
	}
	call := llm.ToolCall{ID: "call_" + strconv.Itoa(i), Name: name.String(), Arguments: llm.NewText("{}")}
	if args := v.Get("arguments"); !args.Null() && !args.Is("") {
		if t, ok := f.text(args, append(loc, "arguments")...); ok {
			call.Arguments = t
		}
	}
	if f.called == nil {
		f.called = map[string]string{}
	}
	f.called[call.Name] = call.ID
	return []llm.Part{call}
}

// functionResult makes the message of a tool of one with the role function, which names what was called before.
func (f *fields) functionResult(m llm.Message, parts []llm.Part, i int) llm.Message {
	id := f.called[m.Name]
	if id == "" {
		f.fail("value_error", "A message of a function must name one that a message before it calls", jsonx.AppendString(nil, m.Name), "messages", i, "name")
	}
	return llm.Message{Role: llm.ToolRole, Form: m.Form, Extra: m.Extra, Parts: []llm.Part{llm.ToolResult{CallID: id, Content: parts}}}
}
