package ability

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// instruction tells a model which tools there are and how to call one.
func instruction(tools []llm.Tool, must bool) string {
	var b strings.Builder
	b.WriteString("You can call functions to help the user. Their signatures are within <tools></tools>:\n<tools>\n")
	for i := range tools {
		w := jsonx.Writer{}
		writeTool(&w, &tools[i])
		b.Write(w.Bytes)
		b.WriteByte('\n')
	}
	b.WriteString("</tools>\nFor each call write a JSON object with the function's name and its arguments within " + callOpen + callClose + ":\n" +
		callOpen + nameOpen + "function name" + nameClose + "{}}" + callClose + "\n")
	if must {
		b.WriteString("Answer with a call.")
	} else {
		b.WriteString("Answer in words where no function helps.")
	}
	b.WriteString(" What a function returned is within " + resultOpen + resultClose + ".")
	return b.String()
}

// instruct adds an instruction to the first system message, or to the model's own where there is none.
func instruct(ms []llm.Message, system, instruction string) []llm.Message {
	ms = slices.Clone(ms)
	for i := range ms {
		if m := &ms[i]; m.Role == llm.System || m.Role == llm.Developer {
			if m.Form != llm.FormParts {
				*m = message(m.Role, textOf(m.Parts)+"\n\n"+instruction)
			} else {
				m.Parts = append(slices.Clip(m.Parts), llm.NewText("\n\n"+instruction))
			}
			return ms
		}
	}
	if system != "" {
		instruction = system + "\n\n" + instruction
	}
	return append([]llm.Message{message(llm.System, instruction)}, ms...)
}

func message(role llm.Role, text string) llm.Message {
	return llm.Message{Role: role, Parts: []llm.Part{llm.NewText(strings.TrimSpace(text))}}
}

// tidy writes what clients leave out of a message in the form that every chat template takes.
func tidy(ms []llm.Message) []llm.Message {
	ms = slices.Clone(ms)
	for i := range ms {
		m := &ms[i]
		absent := m.Form == llm.FormAbsent || m.Form == llm.FormNull
		if !absent && m.Role != llm.Assistant {
			continue
		}
		calls := 0
		m.Parts = slices.Clone(m.Parts)
		for k, p := range m.Parts {
			if c, ok := p.(llm.ToolCall); ok {
				calls++
				if strings.TrimSpace(c.Arguments.String()) == "" {
					c.Arguments = llm.NewText("{}")
					m.Parts[k] = c
				}
			}
		}
		if absent && calls == 0 {
			m.Form = llm.FormString
		}
	}
	return ms
}

// spell writes calls and their results as text, in the roles that every chat template knows.
func spell(ms []llm.Message) []llm.Message {
	var out []llm.Message
	names := map[string]string{} // of the calls so far
	var order []string           // of the ids of the last message with calls
	for i := 0; i < len(ms); i++ {
		m := ms[i]
		switch m.Role {
		case llm.Assistant:
			calls := callsOf(m.Parts)
			if len(calls) == 0 {
				out = append(out, m)
				continue
			}
			order = nil
			for _, c := range calls {
				names[c.ID] = c.Name
				order = append(order, c.ID)
			}
			said := message(llm.Assistant, textOf(m.Parts)+"\n"+spellCalls(calls))
			said.Name, said.Extra = m.Name, m.Extra
			out = append(out, said)
		case llm.ToolRole:
			end := i + 1
			for end < len(ms) && ms[end].Role == llm.ToolRole {
				end++
			}
			out = hear(out, spellResults(ms[i:end], names, order))
			i = end - 1
		case llm.User:
			if last := len(out) - 1; i > 0 && ms[i-1].Role == llm.ToolRole {
				out[last].Parts = append(out[last].Parts, llm.NewText("\n\n"))
				out[last] = joined(out[last], m)
				continue
			}
			out = append(out, m)
		case llm.System, llm.Developer:
			out = append(out, m)
		default:
			out = append(out, m)
		}
	}
	return out
}

// spellable refuses images and sounds where calls and results are written as text, which has no place for them.
func spellable(ms []llm.Message) error {
	for i := range ms {
		m := &ms[i]
		for _, p := range m.Parts {
			if r, ok := p.(llm.ToolResult); ok {
				if err := onlyText(r.Content, "the result of a tool"); err != nil {
					return err
				}
			}
		}
		if len(callsOf(m.Parts)) > 0 {
			if err := onlyText(m.Parts, "a message that calls tools"); err != nil {
				return err
			}
		}
	}
	return nil
}

func onlyText(parts []llm.Part, where string) error {
	for _, p := range parts {
		var loc []any
		switch p := p.(type) {
		case llm.Image:
			loc = p.Loc
		case llm.Audio:
			loc = p.Loc
		case llm.Text, llm.Reasoning, llm.Refusal, llm.ToolCall, llm.ToolResult, llm.Opaque:
			continue
		}
		msg := "The chat template of this model has no place for an image or a sound in " + where
		return &llm.Error{Kind: llm.Unsupported, Param: "messages", Message: msg + ".", Details: []llm.Detail{{Type: "parameter_not_supported", Msg: msg, Loc: loc}}}
	}
	return nil
}

// hear adds results to what the user says: many templates want roles to alternate.
func hear(out []llm.Message, results string) []llm.Message {
	told := message(llm.User, results)
	if last := len(out) - 1; last >= 0 && out[last].Role == llm.User {
		said := out[last]
		said.Parts = append(slices.Clone(said.Parts), llm.NewText("\n\n"))
		out[last] = joined(said, told)
		return out
	}
	return append(out, told)
}

// joined puts what two messages of one role say into one. The first's parts are its own.
func joined(a, b llm.Message) llm.Message {
	if a.Form != llm.FormParts && b.Form != llm.FormParts {
		m := message(a.Role, textOf(a.Parts)+textOf(b.Parts))
		m.Name, m.Extra = b.Name, b.Extra
		return m
	}
	a.Form, a.Parts = llm.FormParts, append(a.Parts, b.Parts...)
	return a
}

func callsOf(parts []llm.Part) []llm.ToolCall {
	var calls []llm.ToolCall
	for _, p := range parts {
		if c, ok := p.(llm.ToolCall); ok {
			calls = append(calls, c)
		}
	}
	return calls
}

func textOf(parts []llm.Part) string {
	var b []byte
	for _, p := range parts {
		if t, ok := p.(llm.Text); ok {
			b = t.AppendTo(b)
		}
	}
	return string(b)
}

func spellCalls(calls []llm.ToolCall) string {
	w := jsonx.Writer{}
	for _, c := range calls {
		w.Bytes = append(w.Bytes, callOpen...)
		one := jsonx.Writer{}
		one.BeginObject()
		one.Str("name", c.Name)
		one.Raw("arguments", document(c.Arguments.String(), "{}"))
		one.EndObject()
		w.Bytes = append(append(w.Bytes, one.Bytes...), callClose...)
	}
	return string(w.Bytes)
}

// spellResults writes results in the order of the calls, since two calls of one function differ in nothing else.
func spellResults(ms []llm.Message, names map[string]string, order []string) string {
	results := make([]llm.ToolResult, 0, len(ms))
	for _, m := range ms {
		for _, p := range m.Parts {
			if r, ok := p.(llm.ToolResult); ok {
				results = append(results, r)
			}
		}
	}
	place := func(r llm.ToolResult) int {
		if i := slices.Index(order, r.CallID); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(results, func(a, b llm.ToolResult) int { return place(a) - place(b) })
	var lines []string
	for _, r := range results {
		w := jsonx.Writer{}
		w.BeginObject()
		if name := names[r.CallID]; name != "" {
			w.Str("name", name)
		}
		w.Raw("content", document(textOf(r.Content), `""`))
		w.EndObject()
		lines = append(lines, resultOpen+string(w.Bytes)+resultClose)
	}
	return strings.Join(lines, "\n")
}

// document is a text as JSON: the document that it is, or else a string.
func document(text, empty string) []byte {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return []byte(empty)
	case json.Valid([]byte(text)):
		return compact([]byte(text))
	}
	return jsonx.AppendString(nil, []byte(text))
}

func compact(doc []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, doc) != nil {
		return doc
	}
	return b.Bytes()
}
