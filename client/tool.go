package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ingot-llm/ingot/client/internal/object"
)

// Tool is a function that the model may ask for.
type Tool struct {
	Function Function
}

// MarshalJSON implements json.Marshaler.
func (t Tool) MarshalJSON() ([]byte, error) {
	return object.Encode[Extra](struct {
		Type     string   `json:"type"`
		Function Function `json:"function"`
	}{"function", t.Function}, nil)
}

// Function describes a tool. Parameters is a JSON Schema; without one it takes no arguments.
type Function struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Strict      *bool           `json:"strict,omitempty"`
}

// The modes of a ToolChoice.
const (
	ToolAuto     = "auto"     // as the model likes
	ToolNone     = "none"     // no call
	ToolRequired = "required" // some call
)

// ToolChoice says whether the model may, must or must not call a tool: a Mode, or the name of the Function it must call.
type ToolChoice struct {
	Mode     string // ToolAuto, ToolNone or ToolRequired; not used with Function
	Function string
}

// MarshalJSON implements json.Marshaler.
func (t ToolChoice) MarshalJSON() ([]byte, error) {
	if t.Function == "" {
		return json.Marshal(t.Mode)
	}
	return json.Marshal(Tool{Function: Function{Name: t.Function}})
}

// ToolCall is a model's wish to have a function called. In a fragment it holds what is new.
type ToolCall struct {
	Index    *int         `json:"index,omitempty"` // which call a fragment belongs to; never sent
	ID       string       `json:"id,omitempty"`
	Type     string       `json:"type,omitempty"`
	Function FunctionCall `json:"function"`
	Extra    Extra        `json:"-"`
}

// MarshalJSON implements json.Marshaler.
func (t ToolCall) MarshalJSON() ([]byte, error) {
	type plain ToolCall
	t.Index, t.Type = nil, cmp.Or(t.Type, "function")
	return object.Encode(plain(t), t.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *ToolCall) UnmarshalJSON(data []byte) error {
	type plain ToolCall
	return object.Decode(data, (*plain)(t), &t.Extra)
}

// FunctionCall names the function and its arguments.
type FunctionCall struct {
	Name      string    `json:"name,omitempty"`
	Arguments Arguments `json:"arguments"`
	Extra     Extra     `json:"-"`
}

// MarshalJSON implements json.Marshaler.
func (f FunctionCall) MarshalJSON() ([]byte, error) {
	type plain FunctionCall
	return object.Encode(plain(f), f.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *FunctionCall) UnmarshalJSON(data []byte) error {
	type plain FunctionCall
	return object.Decode(data, (*plain)(f), &f.Extra)
}

// Arguments is JSON text as the model wrote it, or a fragment of it. A model may write what is not JSON: Decode says so.
type Arguments string

// Decode decodes the arguments into v; none at all count as an empty object.
func (a Arguments) Decode(v any) error {
	text := cmp.Or(strings.TrimSpace(string(a)), "{}")
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("decode arguments: %w", err)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler. Some servers send an object instead of a string that holds one.
func (a *Arguments) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte{'"'}) || string(data) == "null" {
		return json.Unmarshal(data, (*string)(a))
	}
	*a = Arguments(data)
	return nil
}

// ResponseFormat asks for the form of the answer: Type is text, json_object or json_schema, which typed.Format makes.
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
