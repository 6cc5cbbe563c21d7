// Package message is what requests and answers of the family have in common: how a text, a tool call and
// members beyond the contract are written, and the marks around thinking inside a text.
package message

import (
	"maps"
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// The marks around what a model thought, where that stands in its text (doc/protocol.md §3.7).
const (
	ThinkOpen  = "<think>"
	ThinkClose = "</think>"
)

// MaxTools is how many tools a request may offer, and how many calls a message may hold.
const MaxTools = 1024

// WriteText writes a member that is a text.
func WriteText(w *jsonx.Writer, name string, t llm.Text) {
	w.Member(name)
	w.Bytes = t.AppendJSON(w.Next())
}

// WriteToolCalls writes the member tool_calls of a whole message; nothing where there are none.
func WriteToolCalls(w *jsonx.Writer, calls []llm.ToolCall) {
	if len(calls) == 0 {
		return
	}
	w.Member("tool_calls")
	w.BeginArray()
	for i := range calls {
		w.BeginObject()
		w.Str("id", calls[i].ID)
		w.Str("type", "function")
		w.Member("function")
		w.BeginObject()
		w.Str("name", calls[i].Name)
		WriteText(w, "arguments", calls[i].Arguments)
		w.EndObject()
		w.EndObject()
	}
	w.EndArray()
}

// WriteExtra writes members beyond the contract in order of their names.
func WriteExtra(w *jsonx.Writer, e llm.Extra) {
	if len(e) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(e)) {
		w.Raw(name, e[name])
	}
}
