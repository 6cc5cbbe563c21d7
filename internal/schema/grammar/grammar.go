// Package grammar turns a caller's JSON Schema into one that the engine
// enforces while it generates, and says by name what cannot be enforced. The
// schemas it makes use a few keywords only, in forms that were compared with
// the engine's grammars; what they describe can be narrower than what the
// caller's allows, never wider.
package grammar

import (
	"encoding/json"
	"regexp"
	"slices"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/shape"
)

// maxEmitted bounds the schema that is made, in bytes.
const maxEmitted = 1 << 20

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
func Enforce(raw []byte, strict bool) (*Enforced, error) { return new(Effort).Enforce(raw, strict) }

// Effort bounds the work that the schemas of one request take together. The
// zero Effort is ready; it is for one goroutine.
type Effort struct{ spent int }

// Enforce is the function of that name within what is left.
func (f *Effort) Enforce(raw []byte, strict bool) (*Enforced, error) {
	root, err := document.Read(raw)
	if err != nil {
		return nil, err
	}
	left, err := survey(root, strict)
	if err != nil {
		return nil, err
	}
	most := min(maxWork, maxEffort-f.spent)
	work := most
	defer func() { f.spent += most - work }()
	for {
		refused := size(left)
		e, err := enforce(root, strict, left, &work)
		if err != nil || size(left) == refused {
			return e, err
		}
		// What was left out on the way held while the rest was made.
	}
}

func size(left map[*document.Node]map[string]string) (n int) {
	for _, keywords := range left {
		n += len(keywords)
	}
	return n
}

// enforce does it once, adding to left what it leaves out.
func enforce(root *document.Node, strict bool, left map[*document.Node]map[string]string, work *int) (*Enforced, error) {
	whole, part, err := schema.ParseParts(root.Write(nil, left))
	if err != nil {
		return nil, err
	}
	b := &builder{
		root: root, strict: strict, left: left, part: part, work: work,
		parts: map[*document.Node]*schema.Schema{}, regexps: map[string]*regexp.Regexp{},
	}
	for n, keywords := range left {
		if keywords["oneOf"] != "" {
			b.renamed = append(b.renamed, n.At)
		}
	}
	slices.SortFunc(b.renamed, func(x, y string) int { return len(y) - len(x) })
	b = b.fresh()
	st, err := b.build(root)
	if err != nil {
		return nil, err
	}
	shape.Settle(b.order)
	if !st.Finite {
		if why := st.Reason(); why != nil {
			return nil, why
		}
		return nil, problem(root, "$ref", "nothing satisfies it, since it requires itself without an end")
	}
	shape.Prune(b.order)
	if err := b.spell(); err != nil {
		return nil, err
	}
	text, ok := shape.Emit(st, maxEmitted)
	if !ok {
		return nil, problem(root, "", "it takes more to enforce than %d bytes, or describes too many ranges of numbers: simplify it", maxEmitted)
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
