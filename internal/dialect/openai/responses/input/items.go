package input

import (
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// Items lists the items of the input as they are stored, and copied: each with an id and its type, messages with parts, and
// what was referred to. Converse has gone before.
func (c *Request) Items(response string) [][]byte {
	input := c.input
	if input.Kind() == jsonx.String {
		w := &jsonx.Writer{}
		w.BeginObject()
		w.Str("role", "user")
		w.Raw("content", input)
		w.EndObject()
		return [][]byte{itemOf(w.Bytes, response, 0)}
	}
	var all [][]byte
	for i, v := range input.Elements() {
		if kindOf(v) == reference {
			all = append(all, c.found[v.Get("id").Text()])
		} else {
			all = append(all, itemOf(v, response, i))
		}
	}
	return all
}

// itemPrefixes begin the ids of items.
var itemPrefixes = map[string]string{"message": "msg_", "function_call": "fc_", "function_call_output": "fco_", "reasoning": "rs_"}

func itemOf(v jsonx.Value, response string, i int) []byte {
	kind, id, status := kindOf(v), v.Get("id").Text(), v.Get("status").Text()
	const longest = 128
	if id == "" || len(id) > longest {
		id = itemPrefixes[kind] + strings.TrimPrefix(response, "resp_") + "_in" + itoa(i)
	}
	if status == "" {
		status = "completed"
	}
	w := &jsonx.Writer{}
	w.BeginObject()
	w.Str("id", id)
	w.Str("type", kind)
	w.Str("status", status)
	for name, m := range v.Members() {
		switch {
		case name == "id" || name == "type" || name == "status":
		case name == "content" && kind == "message" && m.Kind() == jsonx.String:
			writeContent(w, v.Get("role"), m)
		default:
			w.Raw(name, m)
		}
	}
	w.EndObject()
	return w.Bytes
}

// writeContent writes a message's text as its one part.
func writeContent(w *jsonx.Writer, role, text jsonx.Value) {
	w.Member("content")
	w.BeginArray()
	w.BeginObject()
	if role.Is("assistant") {
		w.Str("type", "output_text")
		w.Raw("text", text)
		w.Raw("annotations", []byte("[]"))
	} else {
		w.Str("type", "input_text")
		w.Raw("text", text)
	}
	w.EndObject()
	w.EndArray()
}
