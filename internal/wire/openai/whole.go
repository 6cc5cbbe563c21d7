package openai

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// usual is more members than nearly all answers have.
const usual = 16

// DecodeReply reads a chat.completion or a text_completion. Each of its choices has ended.
func (c Codec) DecodeReply(op llm.Operation, body []byte) (*llm.Reply, error) {
	root, err := jsonx.ParseMembers(body, usual)
	if err != nil || root.Value.Kind() != jsonx.Object {
		return nil, malformed("a body that is no JSON object")
	}
	room := &struct { // of what most answers need, at once
		decoder
		choices [1]llm.Choice
		states  [1]choiceState
		parts   [1]llm.Part
	}{}
	d := &room.decoder
	d.wire, d.text, d.whole = c.Contract, op == llm.OpComplete, true
	d.reply.Choices, d.choices, d.parts = room.choices[:0], room.states[:0], room.parts[:0]
	if len(root.Members) == usual { // and perhaps more
		err = d.members(root.Value)
	}
	for i := 0; i < len(root.Members) && len(root.Members) < usual && err == nil; i++ {
		err = d.member(root.Members[i].Name, root.Members[i].Value, root.Value)
	}
	if err != nil {
		return nil, err
	}
	if len(d.choices) != len(d.reply.Choices) {
		return nil, malformed("two choices with one index")
	}
	if !d.Complete(1) {
		return nil, malformed("an answer without the reason of its end")
	}
	d.reply.Source = llm.Source{Wire: c.Contract, Body: root.Value, Whole: true}
	return &d.reply, nil
}

// maxDropped is how many names of members another Ingot may tell.
const maxDropped = 256

// DecodeMeta reads what another Ingot says that it did not obey.
func (c Codec) DecodeMeta(h http.Header) llm.Meta {
	var m llm.Meta
	for rest := h.Get("X-Ingot-Dropped"); rest != "" && len(m.Dropped) < maxDropped; {
		name, after, _ := strings.Cut(rest, ", ")
		if quoted, err := strconv.QuotedPrefix(rest); err == nil { // which may hold commas
			name, _ = strconv.Unquote(quoted)
			after = strings.TrimPrefix(rest[len(quoted):], ", ")
		}
		m.Dropped, rest = append(m.Dropped, name), after
	}
	return m
}
