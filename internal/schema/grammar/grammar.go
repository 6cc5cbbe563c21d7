// Package grammar turns a caller's JSON Schema into one that the engine
// enforces while it generates, and says by name what cannot be enforced. The
// schemas it makes use a few keywords only, in forms that were compared with
// the engine's grammars; what they describe can be narrower than what the
// caller's allows, never wider.
package grammar

import (
	"encoding/json"
	"fmt"
	"regexp"

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
func Enforce(raw []byte, strict bool) (*Enforced, error) {
	root, err := read(raw)
	if err != nil {
		return nil, err
	}
	left, err := survey(root, strict)
	if err != nil {
		return nil, err
	}
	whole, part, err := schema.ParseParts(root.write(nil, left))
	if err != nil {
		return nil, err
	}
	work := maxWork
	b := &builder{
		root: root, strict: strict, left: left, part: part, work: &work, parts: map[*node]*schema.Schema{},
		states: map[string]*state{}, ids: map[*node]int{}, regexps: map[string]*regexp.Regexp{},
	}
	st, err := b.build(root)
	if err != nil {
		return nil, err
	}
	settle(b.order)
	if !st.finite {
		if why := st.reason(map[*state]bool{}); why != nil {
			return nil, why
		}
		return nil, problem(root, "$ref", "nothing satisfies it, since it requires itself without an end")
	}
	if err := b.prune(); err != nil {
		return nil, err
	}
	text := emit(st)
	if len(text) > maxEmitted {
		return nil, &schema.Error{Reason: fmt.Sprintf("it takes more than %d bytes to enforce: simplify it", maxEmitted)}
	}
	if len(left) > 0 {
		if whole, err = schema.Parse(root.write(nil, left)); err != nil {
			return nil, err
		}
	}
	return &Enforced{JSON: text, Schema: whole}, nil
}

// Object is any JSON object.
func Object() *Enforced {
	e, err := Enforce([]byte(`{"type":"object"}`), true)
	if err != nil {
		panic(err) // the schema is a constant
	}
	return e
}
