package client

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ingot-llm/ingot/client/internal/object"
)

// Role says who speaks.
type Role string

// The roles of a conversation.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one turn of a conversation, or what a fragment adds to it. An answer can be sent back as history as it came.
type Message struct {
	Role             Role       `json:"role,omitempty"`
	Content          Content    `json:"content,omitempty"`
	Name             string     `json:"name,omitempty"`
	ReasoningContent string     `json:"reasoning_content,omitempty"` // what a reasoning model thought; never sent back
	ToolCalls        []ToolCall `json:"tool_calls,omitempty"`
	ToolCallID       string     `json:"tool_call_id,omitempty"` // which call a tool message answers
	Extra            Extra      `json:"-"`
}

// System returns a system message.
func System(text string) Message { return Message{Role: RoleSystem, Content: Content{Text(text)}} }

// User returns a user message: a text and what belongs to it, such as pictures.
func User(text string, parts ...Part) Message {
	return Message{Role: RoleUser, Content: append(Content{Text(text)}, parts...)}
}

// Assistant returns an assistant message, as history.
func Assistant(text string) Message {
	return Message{Role: RoleAssistant, Content: Content{Text(text)}}
}

// ToolResult returns what a tool answered to a call.
func ToolResult(callID, text string) Message {
	return Message{Role: RoleTool, ToolCallID: callID, Content: Content{Text(text)}}
}

// MarshalJSON implements json.Marshaler.
func (m Message) MarshalJSON() ([]byte, error) {
	type plain Message
	m.ReasoningContent = ""
	return object.Encode(plain(m), m.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(data []byte) error {
	type plain Message
	return object.Decode(data, (*plain)(m), &m.Extra)
}

// Reasoning returns what a reasoning model thought, and what it said then. Thoughts come in ReasoningContent, or, from services
// of older versions, between <think> and </think> before the text.
func (m Message) Reasoning() (thought, text string) {
	text = m.Content.Text()
	if m.ReasoningContent != "" {
		return m.ReasoningContent, text
	}
	if rest, ok := strings.CutPrefix(strings.TrimLeft(text, " \n"), "<think>"); ok {
		if thought, said, ended := strings.Cut(rest, "</think>"); ended {
			return strings.TrimSpace(thought), strings.TrimLeft(said, "\n")
		}
		return strings.TrimSpace(rest), "" // it was cut while it thought
	}
	return "", text
}

// Content is what a message says. On the wire one text is a string, anything else a list of parts.
type Content []Part

// Text joins the text parts.
func (c Content) Text() string {
	var b strings.Builder
	for _, p := range c {
		b.WriteString(p.Text)
	}
	return b.String()
}

// MarshalJSON implements json.Marshaler.
func (c Content) MarshalJSON() ([]byte, error) {
	if len(c) == 1 && c[0].Type == "text" && len(c[0].Extra) == 0 {
		return object.Encode[Extra](c[0].Text, nil)
	}
	return object.Encode[Extra]([]Part(c), nil)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Content) UnmarshalJSON(data []byte) error {
	*c = nil
	if !bytes.HasPrefix(data, []byte{'"'}) {
		return json.Unmarshal(data, (*[]Part)(c))
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	*c = Content{Text(text)}
	return nil
}

// Part is a piece of a message's content; Type says which of the other fields counts.
type Part struct {
	Type       string      `json:"type"` // text, image_url, input_audio
	Text       string      `json:"text,omitempty"`
	ImageURL   *ImageURL   `json:"image_url,omitempty"`
	InputAudio *InputAudio `json:"input_audio,omitempty"`
	Extra      Extra       `json:"-"`
}

// ImageURL points to a picture: an https or data URL. Detail is auto, low or high.
type ImageURL struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

// InputAudio is sound in base64. Format is wav or mp3.
type InputAudio struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

// Text returns a text part.
func Text(text string) Part { return Part{Type: "text", Text: text} }

// Image returns a picture part for an https URL, or for a data URL, which package dataurl makes of files.
func Image(url string) Part { return Part{Type: "image_url", ImageURL: &ImageURL{URL: url}} }

// Audio returns a part of sound; format is wav or mp3.
func Audio(data []byte, format string) Part {
	return Part{Type: "input_audio", InputAudio: &InputAudio{Data: base64.StdEncoding.EncodeToString(data), Format: format}}
}

// MarshalJSON implements json.Marshaler.
func (p Part) MarshalJSON() ([]byte, error) {
	if p.Type == "text" { // an empty text is a text
		return object.Encode(struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}{p.Type, p.Text}, p.Extra)
	}
	type plain Part
	return object.Encode(plain(p), p.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Part) UnmarshalJSON(data []byte) error {
	type plain Part
	return object.Decode(data, (*plain)(p), &p.Extra)
}

// Extra holds the members of a JSON object that have no field of their own, exactly as they were sent.
type Extra map[string]json.RawMessage

// Decode decodes the member of that name into v; there being none is an error.
func (e Extra) Decode(name string, v any) error {
	raw, ok := e[name]
	if !ok {
		return fmt.Errorf("no member %q", name)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("decode member %q: %w", name, err)
	}
	return nil
}
