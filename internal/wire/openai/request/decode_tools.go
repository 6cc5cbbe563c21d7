package request

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

func (f *fields) tools(v jsonx.Value) []llm.Tool {
	if v.Null() || !f.list(v, f.mostTools(), "tools") {
		return nil
	}
	var tools []llm.Tool
	names := map[string]bool{}
	for i, t := range v.Elements() {
		if f.full() {
			break
		}
		if !f.object(t, "tools", i) {
			continue
		}
		f.enum(t.Get("type"), []string{"function"}, "tools", i, "type")
		fn := t.Get("function")
		if !f.object(fn, "tools", i, "function") {
			continue
		}
		tool := f.tool(fn, "tools", i, "function")
		if names[tool.Name] && tool.Name != "" {
			f.fail("value_error", "An earlier tool has this name", fn.Get("name"), "tools", i, "function", "name")
		}
		names[tool.Name] = true
		tools = append(tools, tool)
	}
	return tools
}

// mostTools is how many tools a request may offer.
func (f *fields) mostTools() int {
	if f.openAI {
		return 128
	}
	return message.MaxTools
}

func (f *fields) tool(fn jsonx.Value, loc ...any) llm.Tool {
	at := func(member string) []any { return append(slices.Clip(loc), member) }
	var t llm.Tool
	var name jsonx.Value
	for member, v := range fn.Members() {
		switch member {
		case "name":
			name = v
		case "description":
			if !v.Null() {
				if d, ok := f.text(v, at(member)...); ok {
					t.Description = &d
				}
			}
		case "parameters":
			if !v.Null() && f.object(v, at(member)...) {
				t.Parameters = []byte(v)
			}
		case "strict":
			t.Strict = f.boolean(v, at(member)...)
		default:
			f.keep(&t.Extra, member, v, loc...)
		}
	}
	t.Name = f.identifier(name, at("name")...)
	return t
}

// identifier decodes a name of 1 to 64 letters, digits, underscores and hyphens (doc/protocol.md §3.3).
func (f *fields) identifier(v jsonx.Value, loc ...any) string {
	t, ok := f.text(v, loc...)
	if !ok {
		return ""
	}
	s := t.String()
	ok = s != "" && len(s) <= 64
	for i := range len(s) {
		c := s[i]
		ok = ok && (c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if !ok {
		f.fail("string_pattern_mismatch", "String should match pattern '^[A-Za-z0-9_-]{1,64}$'", v, loc...)
	}
	return s
}

func (f *fields) toolChoice(v jsonx.Value) *llm.ToolChoice {
	switch v.Kind() {
	case jsonx.Absent, jsonx.Null:
		return nil
	case jsonx.Object:
		f.enum(v.Get("type"), []string{"function"}, "tool_choice", "type")
		fn := v.Get("function")
		if !f.object(fn, "tool_choice", "function") {
			return nil
		}
		return &llm.ToolChoice{Mode: llm.ToolNamed, Name: f.identifier(fn.Get("name"), "tool_choice", "function", "name")}
	case jsonx.Bool, jsonx.Number, jsonx.String, jsonx.Array:
	}
	mode := f.enum(v, []string{"auto", "none", "required"}, "tool_choice")
	return &llm.ToolChoice{Mode: llm.ChoiceMode(mode)}
}

func (f *fields) format(v jsonx.Value) *llm.Format {
	if v.Null() || !f.object(v, "response_format") {
		return nil
	}
	out := &llm.Format{Type: llm.FormatType(f.enum(v.Get("type"), []string{"text", "json_object", "json_schema"}, "response_format", "type"))}
	if out.Type != llm.FormatSchema {
		return out
	}
	js := v.Get("json_schema")
	if !f.object(js, "response_format", "json_schema") {
		return out
	}
	out.Name = f.identifier(js.Get("name"), "response_format", "json_schema", "name")
	if s := js.Get("schema"); f.object(s, "response_format", "json_schema", "schema") {
		out.Schema = []byte(s)
	}
	if d := js.Get("description"); !d.Null() {
		if t, ok := f.text(d, "response_format", "json_schema", "description"); ok {
			out.Description = &t
		}
	}
	out.Strict = f.boolean(js.Get("strict"), "response_format", "json_schema", "strict")
	return out
}
