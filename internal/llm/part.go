package llm

import (
	"encoding/json"
	"strings"
)

// Part is a piece of a message or of an answer.
//
//sumtype:decl
type Part interface{ part() }

func (Text) part()       {}
func (Reasoning) part()  {}
func (Refusal) part()    {}
func (Image) part()      {}
func (Audio) part()      {}
func (ToolCall) part()   {}
func (ToolResult) part() {}
func (Opaque) part()     {}

// Reasoning is what a model thinks before it answers (doc/protocol.md §3.7).
type Reasoning struct{ Text Text }

// Refusal is a model's words on why it does not answer, where its server tells them from an answer.
type Refusal struct{ Text Text }

// Image is an image part: a data URL or an https URL, unchecked.
type Image struct {
	URL    Text
	Detail string // auto, low or high; empty: auto
	Loc    []any  // its place in the request, for errors
}

// Audio is an audio part: a URL, or base64 data with its format.
type Audio struct {
	URL    Text
	Data   Text
	Format string // wav or mp3
	Loc    []any
}

// ToolCall is a call that a model makes. In a fragment, ID and Name come once and Arguments is what to append.
type ToolCall struct {
	ID        string
	Name      string
	Arguments Text // a JSON document in text form; empty counts as {}
	Extra     Extra
}

// ToolResult answers a ToolCall.
type ToolResult struct {
	CallID  string
	Content []Part
}

// Opaque is a part that this vocabulary has no word for: it travels between two ends that
// share a wire format and is refused by name elsewhere.
type Opaque struct {
	Type string
	Raw  json.RawMessage
	Loc  []any
}

// Extra holds members that no one here has a word for, as the bytes they arrived as.
type Extra map[string]json.RawMessage

// Keep notes a member; it aliases v, not name.
func (e *Extra) Keep(name string, v []byte) {
	if *e == nil {
		*e = Extra{}
	}
	(*e)[strings.Clone(name)] = v
}

// clonePart returns a part that aliases nothing a fragment may reuse.
func clonePart(p Part) Part {
	switch p := p.(type) {
	case Text:
		return p.Clone()
	case Reasoning:
		return Reasoning{p.Text.Clone()}
	case Refusal:
		return Refusal{p.Text.Clone()}
	case ToolCall:
		p.Arguments = p.Arguments.Clone()
		return p
	case Image, Audio, ToolResult, Opaque:
		return p
	}
	return p
}

// joinParts appends a fragment of a part to the part; false if they are not of one kind.
func joinParts(whole, more Part) (Part, bool) {
	switch w := whole.(type) {
	case Text:
		if m, ok := more.(Text); ok {
			return w.join(m), true
		}
	case Reasoning:
		if m, ok := more.(Reasoning); ok {
			return Reasoning{w.Text.join(m.Text)}, true
		}
	case Refusal:
		if m, ok := more.(Refusal); ok {
			return Refusal{w.Text.join(m.Text)}, true
		}
	case ToolCall:
		if m, ok := more.(ToolCall); ok && (m.ID == "" || m.ID == w.ID) {
			w.Name += m.Name
			w.Arguments = w.Arguments.join(m.Arguments)
			return w, true
		}
	case Image, Audio, ToolResult, Opaque:
	}
	return whole, false
}
