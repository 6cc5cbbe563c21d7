// Package typed asks for answers that have the shape of a Go type.
package typed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/schema"
)

// Format asks for JSON of the shape of T, a struct, by the strict schema that package schema makes of it.
// The error is about T, and no other than its type and tags can cause it.
func Format[T any]() (*client.ResponseFormat, error) {
	document, err := schema.Strict[T]()
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(document, []byte(`{"type":"object"`)) {
		return nil, fmt.Errorf("make format: %s is no struct, and services take objects alone; wrap it in one", reflect.TypeFor[T]())
	}
	name := "answer"
	if n := reflect.TypeFor[T]().Name(); schemaName.MatchString(n) {
		name = n
	}
	return &client.ResponseFormat{Type: "json_schema", JSONSchema: &client.JSONSchema{Name: name, Schema: document, Strict: new(true)}}, nil
}

// schemaName is what services take as name; a generic type's has brackets.
var schemaName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Chat asks for an answer of the shape of T and decodes it. It sets the request's ResponseFormat in a copy.
// The reply comes with an error of Decode, too.
func Chat[T any](ctx context.Context, c *client.Client, req *client.ChatRequest) (T, *client.ChatReply, error) {
	var v T
	format, err := Format[T]()
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
	v, err = Decode[T](reply)
	return v, reply, err
}

// Decode decodes the text of a reply's first choice as JSON. One that was cut, filtered or refused is an error that says so.
func Decode[T any](reply *client.ChatReply) (v T, err error) {
	if len(reply.Choices) == 0 {
		return v, errors.New("decode answer: the reply has no choices")
	}
	choice := &reply.Choices[0]
	var refusal string
	if choice.Message.Extra.Decode("refusal", &refusal) == nil && refusal != "" {
		return v, fmt.Errorf("decode answer: the model refused: %s", refusal)
	}
	switch choice.FinishReason {
	case client.FinishLength:
		return v, errors.New("decode answer: it was cut at the limit of tokens; raise MaxTokens")
	case client.FinishContentFilter:
		return v, errors.New("decode answer: it was ended by a content filter")
	case client.FinishToolCalls:
		return v, errors.New("decode answer: the model calls tools instead")
	case client.FinishStop:
	}
	_, text := choice.Message.Reasoning()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return v, fmt.Errorf("decode answer: %w", err)
	}
	return v, nil
}
