package client

import (
	"encoding/json"
	"fmt"
)

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
