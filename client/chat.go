package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"
)

// ChatRequest asks for the next message of a conversation. Fields left at zero are not sent, so that the model's own defaults hold.
// A request is only read, and may be used again.
type ChatRequest struct {
	Model               string          `json:"model,omitempty"` // the deployment; may be left out where the endpoint has one
	Messages            []Message       `json:"messages"`
	MaxTokens           *int            `json:"max_tokens,omitempty"`
	MaxCompletionTokens *int            `json:"max_completion_tokens,omitempty"`
	Temperature         *float64        `json:"temperature,omitempty"`
	TopP                *float64        `json:"top_p,omitempty"`
	FrequencyPenalty    *float64        `json:"frequency_penalty,omitempty"`
	PresencePenalty     *float64        `json:"presence_penalty,omitempty"`
	Seed                *int64          `json:"seed,omitempty"`
	Stop                []string        `json:"stop,omitempty"`
	Tools               []Tool          `json:"tools,omitempty"`
	ToolChoice          *ToolChoice     `json:"tool_choice,omitempty"`
	ResponseFormat      *ResponseFormat `json:"response_format,omitempty"`

	Extra  Extra       `json:"-"` // members that are not part of the contract, such as top_k
	Header http.Header `json:"-"` // added to this call
}

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

// User returns a user message of one or more parts.
func User(parts ...Part) Message { return Message{Role: RoleUser, Content: parts} }

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
	return encode(plain(m), m.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (m *Message) UnmarshalJSON(data []byte) error {
	type plain Message
	return decode(data, (*plain)(m), &m.Extra)
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
		return encode(c[0].Text, nil)
	}
	return encode([]Part(c), nil)
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

// Image returns a picture part for an https or data URL.
func Image(url string) Part { return Part{Type: "image_url", ImageURL: &ImageURL{URL: url}} }

// MarshalJSON implements json.Marshaler.
func (p Part) MarshalJSON() ([]byte, error) {
	if p.Type == "text" { // an empty text is a text
		return encode(struct {
			Type string `json:"type"`
			Text string `json:"text"`
		}{p.Type, p.Text}, p.Extra)
	}
	type plain Part
	return encode(plain(p), p.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Part) UnmarshalJSON(data []byte) error {
	type plain Part
	return decode(data, (*plain)(p), &p.Extra)
}

// ChatReply is a whole answer.
type ChatReply struct {
	ID      string    `json:"id"`
	Object  string    `json:"object"`
	Created Timestamp `json:"created"`
	Model   string    `json:"model"`
	Choices []Choice  `json:"choices"`
	Usage   *Usage    `json:"usage"`

	Extra  Extra       `json:"-"`
	Header http.Header `json:"-"` // of the HTTP response
}

// Text returns what the first choice says.
func (r *ChatReply) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Message.Content.Text()
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *ChatReply) UnmarshalJSON(data []byte) error {
	type plain ChatReply
	return decode(data, (*plain)(r), &r.Extra)
}

// Choice is one of the answers.
type Choice struct {
	Index        int          `json:"index"`
	Message      Message      `json:"message"`
	FinishReason FinishReason `json:"finish_reason"`
	Extra        Extra        `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Choice) UnmarshalJSON(data []byte) error {
	type plain Choice
	return decode(data, (*plain)(c), &c.Extra)
}

// FinishReason says why a choice ended; empty while it has not. Services use values beyond these.
type FinishReason string

// The finish reasons of the contract.
const (
	FinishStop          FinishReason = "stop"
	FinishLength        FinishReason = "length"
	FinishContentFilter FinishReason = "content_filter"
	FinishToolCalls     FinishReason = "tool_calls"
)

// Usage counts tokens. Details such as completion_tokens_details are in Extra.
type Usage struct {
	PromptTokens     int   `json:"prompt_tokens"`
	CompletionTokens int   `json:"completion_tokens"`
	TotalTokens      int   `json:"total_tokens"`
	Extra            Extra `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (u *Usage) UnmarshalJSON(data []byte) error {
	type plain Usage
	return decode(data, (*plain)(u), &u.Extra)
}

// Timestamp counts seconds since 1970.
type Timestamp int64

// Time returns t as a time.Time.
func (t Timestamp) Time() time.Time { return time.Unix(int64(t), 0) }

// UnmarshalJSON implements json.Unmarshaler. Some servers write a fraction, which is cut off.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	*t = Timestamp(seconds)
	return nil
}

// Chat asks for an answer and waits for the whole of it. A refusal by the service is an *Error.
func (c *Client) Chat(ctx context.Context, req *ChatRequest) (*ChatReply, error) {
	call, err := c.chat(req, false)
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	reply := new(ChatReply)
	if reply.Header, err = c.unary(ctx, call, reply); err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	if len(reply.Choices) == 0 {
		return nil, errors.New("chat: the reply has no choices; is this a Model Inference endpoint?")
	}
	return reply, nil
}

// MarshalJSON implements json.Marshaler.
func (r ChatRequest) MarshalJSON() ([]byte, error) {
	type plain ChatRequest
	return encode(plain(r), r.Extra)
}

func (c *Client) chat(req *ChatRequest, stream bool) (call, error) {
	if req == nil || len(req.Messages) == 0 {
		return call{}, errors.New("the request has no messages")
	}
	if _, ok := req.Extra["stream"]; ok {
		return call{}, errors.New("extra member \"stream\" is decided by calling Chat or ChatStream")
	}
	out := *req
	if stream {
		out.Extra = Extra{"stream": json.RawMessage("true")}
		maps.Copy(out.Extra, req.Extra)
	}
	body, err := encode(out, nil)
	if err != nil {
		return call{}, fmt.Errorf("encode request: %w", err)
	}
	return call{method: http.MethodPost, route: "chat/completions", header: req.Header, body: body, extra: len(req.Extra) > 0}, nil
}
