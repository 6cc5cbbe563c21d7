package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/client/internal/object"
)

// ChatRequest asks for the next message of a conversation. Fields left at zero are not sent, so that the model's own defaults hold.
// A request is only read, and may be used again.
type ChatRequest struct {
	Model               string          `json:"model,omitempty"` // the deployment; may be left out where the endpoint has one
	Messages            []Message       `json:"messages"`
	MaxTokens           *int            `json:"max_tokens,omitempty"`            // of the answer
	MaxCompletionTokens *int            `json:"max_completion_tokens,omitempty"` // the same, thoughts included, where a service wants this name
	Temperature         *float64        `json:"temperature,omitempty"`           // from 0 to 2; 0 takes the likeliest
	TopP                *float64        `json:"top_p,omitempty"`                 // from 0 to 1
	FrequencyPenalty    *float64        `json:"frequency_penalty,omitempty"`     // from -2 to 2
	PresencePenalty     *float64        `json:"presence_penalty,omitempty"`      // from -2 to 2
	Seed                *int64          `json:"seed,omitempty"`
	Stop                []string        `json:"stop,omitempty"` // texts before which the answer ends
	Tools               []Tool          `json:"tools,omitempty"`
	ToolChoice          *ToolChoice     `json:"tool_choice,omitempty"`
	ResponseFormat      *ResponseFormat `json:"response_format,omitempty"`

	Extra  map[string]any `json:"-"` // members that are not part of the contract, such as top_k
	Header http.Header    `json:"-"` // added to this call
}

// ChatReply is a whole answer.
type ChatReply struct {
	ID      string    `json:"id"`
	Object  string    `json:"object"`
	Created Timestamp `json:"created"`
	Model   string    `json:"model"`
	Choices []Choice  `json:"choices"`
	Usage   *Usage    `json:"usage"`

	Extra Extra `json:"-"`
	Meta  `json:"-"`
}

// Text returns what the first choice says.
func (r *ChatReply) Text() string { return r.Message().Content.Text() }

// Message returns the first choice's message, to be kept as history.
func (r *ChatReply) Message() Message {
	if len(r.Choices) == 0 {
		return Message{}
	}
	return r.Choices[0].Message
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *ChatReply) UnmarshalJSON(data []byte) error {
	type plain ChatReply
	return object.Decode(data, (*plain)(r), &r.Extra)
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
	return object.Decode(data, (*plain)(c), &c.Extra)
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
	return object.Decode(data, (*plain)(u), &u.Extra)
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
	reply := new(ChatReply)
	call, err := chatCall(req, false)
	if err == nil {
		err = c.unary(ctx, call, reply)
	}
	if err != nil {
		return nil, fmt.Errorf("chat: %w", err)
	}
	return reply, nil
}

func (r *ChatReply) accept(op *Operation, meta Meta) error {
	r.Meta = meta
	op.learn(r.ID, r.Model, r.Usage, meta)
	for i := range r.Choices {
		op.FinishReasons = append(op.FinishReasons, r.Choices[i].FinishReason)
	}
	if len(r.Choices) == 0 {
		return errors.New("the reply has no choices; is this a Model Inference endpoint?")
	}
	return nil
}

func chatCall(req *ChatRequest, stream bool) (call, error) {
	if req == nil || len(req.Messages) == 0 {
		return call{}, errors.New("the request has no messages")
	}
	type plain ChatRequest
	return post("chat", "chat/completions", req.Model, plain(*req), req.Extra, req.Header, stream)
}
