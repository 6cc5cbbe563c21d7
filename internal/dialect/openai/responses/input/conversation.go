package input

import (
	"slices"
	"strconv"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

func itoa(n int) string { return strconv.Itoa(n) }

// conversation builds the messages of a chat from items.
type conversation struct {
	fields
	messages []llm.Message
	calls    map[string]bool // that may be answered
	lookup   func(id string) ([]byte, bool)
	found    map[string][]byte // what was looked up
	stored   int               // bytes of what came before and what was looked up, each time that it was
}

// mostStored is how many bytes of stored items one request may bring back.
const mostStored = 16 << 20

// Converse fills the messages of a request: what came before, and its own input. lookup finds
// the items that the input refers to; nil: there are none.
func (c *Request) Converse(before [][]byte, lookup func(id string) ([]byte, bool)) error {
	t := conversation{calls: map[string]bool{}, lookup: lookup, found: map[string][]byte{}}
	if c.echo.instructions != nil {
		t.say(llm.System, llm.QuotedText(c.echo.instructions))
	}
	for i, item := range before {
		t.recall(item, "history", i)
	}
	if t.err == nil {
		t.input(c.input)
	}
	if t.err == nil && len(t.messages) == 0 {
		t.fail(llm.Invalid, "missing", "Missing required parameter: 'input'.", "input")
	}
	if t.err != nil {
		return t.err
	}
	c.Chat.Messages, c.found = t.messages, t.found
	return nil
}

func (t *conversation) say(role llm.Role, parts ...llm.Part) {
	m := llm.Message{Role: role, Parts: parts, Form: llm.FormParts}
	if len(parts) == 1 {
		if _, ok := parts[0].(llm.Text); ok {
			m.Form = llm.FormString
		}
	}
	t.messages = append(t.messages, m)
}

func (t *conversation) input(v jsonx.Value) {
	switch v.Kind() {
	case jsonx.Absent, jsonx.Null:
	case jsonx.String:
		t.say(llm.User, llm.QuotedText(v))
	case jsonx.Array:
		if !t.list(v, mostItems, "input") {
			return
		}
		for i, item := range v.Elements() {
			if t.item(item, "input", i); t.err != nil {
				return
			}
		}
	case jsonx.Bool, jsonx.Number, jsonx.Object:
		t.wrong(v, "list_type", "one of a string or an array", "input")
	}
}

// item decodes one item. Members that only tell where it came from count for nothing.
func (t *conversation) item(v jsonx.Value, loc ...any) {
	at := func(name string) []any { return append(slices.Clip(loc), name) }
	if !t.object(v, loc...) {
		return
	}
	kind := kindOf(v)
	if k := v.Get("type"); !k.Null() {
		t.str(k, at("type")...)
	}
	switch kind {
	case "message":
		t.only(v, []string{"type", "role", "content", "id", "status", "phase"}, loc...)
		t.message(v, at)
	case "function_call":
		t.only(v, []string{"type", "call_id", "name", "arguments", "id", "status"}, loc...)
		t.call(v, at)
	case "function_call_output":
		t.only(v, []string{"type", "call_id", "output", "name", "id", "status"}, loc...)
		t.result(v, at)
	case reference:
		t.only(v, []string{"type", "id"}, loc...)
		t.refer(v.Get("id"), at)
	case "reasoning": // what a model thought is never sent back to it (doc/protocol.md §3.7)
	default:
		if t.err == nil {
			t.unsupported("items of type '"+dialect.Clip(kind)+"' are not understood here; 'message', 'function_call', 'function_call_output', 'item_reference' and 'reasoning' are.", at("type")...)
		}
	}
}

// reference is the type of an item that stands for one which is stored.
const reference = "item_reference"

// kindOf is the type of an item: where it does not say, of those that need not.
func kindOf(item jsonx.Value) string {
	if k := item.Get("type"); !k.Null() {
		return k.Text()
	}
	if item.Get("role").Null() && item.Get("content").Null() && !item.Get("id").Null() {
		return reference
	}
	return "message"
}

func (t *conversation) refer(v jsonx.Value, at func(string) []any) {
	id := t.str(v, at("id")...)
	if t.err != nil {
		return
	}
	if t.lookup == nil {
		t.unsupported("nothing is stored here that an item could refer to (responses.store is off). Send the items themselves, as clients do that are told 'store': false.", at("type")...)
		return
	}
	item, ok := t.lookup(id)
	if !ok {
		t.fail(llm.Invalid, "value_error", "Item with id '"+dialect.Clip(id)+"' not found.", at("id")...)
		return
	}
	t.found[id] = item
	t.recall(item, "history")
}

// recall decodes a stored item, which was decoded once already.
func (t *conversation) recall(item []byte, loc ...any) {
	if t.stored += len(item); t.stored > mostStored {
		t.fail(llm.TooLarge, "too_long", "The conversation that this request goes on from is larger than "+itoa(mostStored)+" bytes.", "input")
		return
	}
	t.item(item, loc...)
}

func (t *conversation) message(v jsonx.Value, at func(string) []any) {
	role := llm.Role(t.enum(v.Get("role"), []string{"user", "assistant", "system", "developer"}, at("role")...))
	content := v.Get("content")
	var parts []llm.Part
	switch content.Kind() {
	case jsonx.String:
		parts = []llm.Part{llm.QuotedText(content)}
	case jsonx.Array:
		parts = t.parts(content, role, at("content"))
	case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Object:
		t.wrong(content, "string_type", "one of a string or an array", at("content")...)
	}
	// What the assistant said beside its calls is one message with them, which their results follow.
	if last := t.calling(); role == llm.Assistant && last != nil {
		n := slices.IndexFunc(last.Parts, func(p llm.Part) bool { _, call := p.(llm.ToolCall); return call })
		last.Form = llm.FormParts
		if n == 0 && len(parts) == 1 {
			last.Form = llm.FormString
		}
		last.Parts = slices.Insert(last.Parts, n, parts...)
		return
	}
	t.say(role, parts...)
}

// calling is the last message if it calls tools.
func (t *conversation) calling() *llm.Message {
	if n := len(t.messages); n > 0 && t.messages[n-1].Role == llm.Assistant {
		if m := &t.messages[n-1]; slices.ContainsFunc(m.Parts, func(p llm.Part) bool { _, call := p.(llm.ToolCall); return call }) {
			return m
		}
	}
	return nil
}

func (t *conversation) parts(v jsonx.Value, role llm.Role, loc []any) []llm.Part {
	if !t.list(v, mostItems, loc...) {
		return nil
	}
	parts := []llm.Part{}
	for i, p := range v.Elements() {
		if t.err != nil {
			break
		}
		if part := t.part(p, role, append(slices.Clip(loc), i)); part != nil {
			parts = append(parts, part)
		}
	}
	return parts
}

// contents are the types of parts that the roles' messages may have, and outputs of functions.
var contents = map[llm.Role][]string{
	llm.User:      {"input_text", "input_image", "input_audio"},
	llm.Assistant: {"output_text", "refusal", "input_text"},
	llm.System:    {"input_text"},
	llm.Developer: {"input_text"},
	llm.ToolRole:  {"input_text", "input_image"},
}

// part decodes one part of a content.
func (t *conversation) part(v jsonx.Value, role llm.Role, loc []any) llm.Part {
	at := func(name ...any) []any { return append(slices.Clip(loc), name...) }
	if !t.object(v, loc...) {
		return nil
	}
	kind := v.Get("type")
	if kind.Is("input_file") {
		t.unsupported("files are not read here; send their text or images.", at("type")...)
		return nil
	}
	switch t.enum(kind, contents[role], at("type")...) {
	case "input_text":
		t.only(v, []string{"type", "text"}, loc...)
		return t.text(v.Get("text"), at("text")...)
	case "output_text":
		return t.text(v.Get("text"), at("text")...)
	case "refusal":
		return t.text(v.Get("refusal"), at("refusal")...)
	case "input_image":
		t.only(v, []string{"type", "image_url", "file_id", "detail"}, loc...)
		if !v.Get("file_id").Null() {
			t.unsupported("there are no files here; send the image as a data URL in 'image_url'.", at("file_id")...)
		}
		img := llm.Image{URL: t.text(v.Get("image_url"), at("image_url")...), Loc: append([]any{"body"}, loc...)}
		if d := v.Get("detail"); !d.Null() {
			img.Detail = t.enum(d, []string{"low", "high", "auto"}, at("detail")...)
		}
		return img
	case "input_audio":
		a := v.Get("input_audio")
		t.only(v, []string{"type", "input_audio"}, loc...)
		if t.object(a, at("input_audio")...) {
			return llm.Audio{
				Data: t.text(a.Get("data"), at("input_audio", "data")...), Loc: append([]any{"body"}, loc...),
				Format: t.enum(a.Get("format"), []string{"wav", "mp3"}, at("input_audio", "format")...),
			}
		}
	}
	return nil
}

// call decodes a call that the model made. Calls beside each other are one message.
func (t *conversation) call(v jsonx.Value, at func(string) []any) {
	call := llm.ToolCall{
		ID: t.str(v.Get("call_id"), at("call_id")...), Name: t.identifier(v.Get("name"), at("name")...),
		Arguments: t.text(v.Get("arguments"), at("arguments")...),
	}
	t.calls[call.ID] = true
	if n := len(t.messages); n > 0 && t.messages[n-1].Role == llm.Assistant {
		t.messages[n-1].Parts = append(t.messages[n-1].Parts, call)
		return
	}
	t.messages = append(t.messages, llm.Message{Role: llm.Assistant, Form: llm.FormNull, Parts: []llm.Part{call}})
}

func (t *conversation) result(v jsonx.Value, at func(string) []any) {
	id := t.str(v.Get("call_id"), at("call_id")...)
	if t.err == nil && !t.calls[id] {
		t.fail(llm.Invalid, "value_error", "No tool call found for function call output with call_id "+dialect.Clip(id)+".", at("call_id")...)
	}
	output := v.Get("output")
	m := llm.Message{Role: llm.ToolRole, Form: llm.FormParts}
	var parts []llm.Part
	switch output.Kind() {
	case jsonx.String:
		m.Form, parts = llm.FormString, []llm.Part{llm.QuotedText(output)}
	case jsonx.Array:
		parts = t.parts(output, llm.ToolRole, at("output"))
	case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Object:
		t.wrong(output, "string_type", "one of a string or an array", at("output")...)
	}
	m.Parts = []llm.Part{llm.ToolResult{CallID: id, Content: parts}}
	t.messages = append(t.messages, m)
}
