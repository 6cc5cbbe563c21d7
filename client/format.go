package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/ingot-llm/ingot/client/schema"
)

// ResponseFormat asks for the form of the answer: Type is text, json_object or json_schema, which FormatOf makes.
type ResponseFormat struct {
	Type       string      `json:"type"`
	JSONSchema *JSONSchema `json:"json_schema,omitempty"`
}

// JSONSchema is the schema that an answer shall follow.
type JSONSchema struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema"`
	Strict      *bool           `json:"strict,omitempty"`
}

// FormatOf asks for JSON of the shape of T, a struct, by the strict schema that package schema makes of it.
// The error is about T, and no other than its type and tags can cause it.
func FormatOf[T any]() (*ResponseFormat, error) {
	document, err := schema.Strict[T]()
	if err != nil {
		return nil, err
	}
	name := "answer"
	if n := reflect.TypeFor[T]().Name(); schemaName.MatchString(n) {
		name = n
	}
	return &ResponseFormat{Type: "json_schema", JSONSchema: &JSONSchema{Name: name, Schema: document, Strict: new(true)}}, nil
}

// schemaName is what services take as name; a generic type's has brackets.
var schemaName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ChatInto asks for an answer of the shape of T and decodes it. It sets the request's ResponseFormat in a copy.
// The reply comes with an error of Decode, too.
func ChatInto[T any](ctx context.Context, c *Client, req *ChatRequest) (T, *ChatReply, error) {
	var v T
	format, err := FormatOf[T]()
	if err != nil {
		return v, nil, fmt.Errorf("chat: %w", err)
	}
	if req == nil {
		return v, nil, errors.New("chat: the request has no messages")
	}
	shaped := *req
	shaped.ResponseFormat = format
	reply, err := c.Chat(ctx, &shaped)
	if err != nil {
		return v, nil, err
	}
	return v, reply, reply.Decode(&v)
}

// Decode decodes the first choice's text as JSON into v. An answer that was cut, filtered or refused is an error that says so.
func (r *ChatReply) Decode(v any) error {
	if len(r.Choices) == 0 {
		return errors.New("decode answer: the reply has no choices")
	}
	choice := &r.Choices[0]
	var refusal string
	if choice.Message.Extra.Decode("refusal", &refusal) == nil && refusal != "" {
		return fmt.Errorf("decode answer: the model refused: %s", refusal)
	}
	switch choice.FinishReason {
	case FinishLength:
		return errors.New("decode answer: it was cut at the limit of tokens; raise MaxTokens")
	case FinishContentFilter:
		return errors.New("decode answer: it was ended by a content filter")
	case FinishToolCalls:
		return errors.New("decode answer: the model calls tools instead")
	case FinishStop:
	}
	_, text := choice.Message.Reasoning()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode answer: %w", err)
	}
	return nil
}
