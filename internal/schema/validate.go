package schema

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// maxSteps bounds the work of one validation, in schemas met by values.
const maxSteps = 1_000_000

// Validate checks an instance. The error names the first place in the
// instance that is wrong; an instance beyond the bounds is an error too.
func (s *Schema) Validate(instance []byte) error {
	v, err := decode(instance, maxInstanceNodes, false)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return fmt.Errorf("read instance: %s at %q", e.Reason, e.Pointer)
		}
		return err
	}
	if steps := cost(s.root, v, maxSteps); steps > maxSteps {
		return &Error{Reason: "checking this instance would take too many steps"}
	}
	if err := s.root.Validate(v); err != nil {
		return invalid(err)
	}
	return nil
}

// invalid turns the validator's tree into an error about its first leaf.
func invalid(err error) error {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return &Error{Reason: err.Error()}
	}
	leaf := firstLeaf(v)
	return &Error{
		Pointer: pointer(leaf.SchemaURL),
		Keyword: keyword(leaf.ErrorKind),
		Reason:  fmt.Sprintf("instance at %q: %s", join("", leaf.InstanceLocation...), reason(leaf)),
	}
}

// keyword is the one that a leaf is about.
func keyword(k jsonschema.ErrorKind) string {
	if path := k.KeywordPath(); len(path) > 0 {
		return path[0]
	}
	if _, ok := k.(*kind.Not); ok {
		return "not"
	}
	return ""
}

// reason is the text of a leaf without its place.
func reason(leaf *jsonschema.ValidationError) string {
	bare := jsonschema.ValidationError{SchemaURL: leaf.SchemaURL, ErrorKind: leaf.ErrorKind}
	return strings.TrimPrefix(bare.Error(), "at '': ")
}

// firstLeaf picks the same leaf every time: the validator walks maps.
func firstLeaf(v *jsonschema.ValidationError) *jsonschema.ValidationError {
	var first *jsonschema.ValidationError
	place := ""
	var walk func(*jsonschema.ValidationError)
	walk = func(v *jsonschema.ValidationError) {
		at := join("", v.InstanceLocation...) + "#" + v.SchemaURL + "#" + keyword(v.ErrorKind)
		if len(v.Causes) == 0 && (first == nil || at < place) {
			first, place = v, at
		}
		for _, c := range v.Causes {
			walk(c)
		}
	}
	walk(v)
	return first
}

// cost counts the steps of validating v without taking them. The validator
// cannot be interrupted, and references that fork make its work exponential;
// counting each pair of schema and value once is not. It gives up beyond limit.
func cost(s *jsonschema.Schema, v any, limit int) int {
	c := counter{limit: limit, known: map[pair]int{}}
	return c.count(s, index(v, new(int)))
}

type counter struct {
	limit int
	pairs int
	known map[pair]int
}

type pair struct {
	schema *jsonschema.Schema
	value  int
}

// value is an instance with its nodes numbered.
type value struct {
	id      int
	size    int // of the whole subtree
	members map[string]*value
	items   []*value
}

func index(v any, next *int) *value {
	n := &value{id: *next, size: 1}
	*next++
	switch v := v.(type) {
	case map[string]any:
		n.members = make(map[string]*value, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			m := index(v[name], next)
			n.members[name] = m
			n.size += m.size + len(name)/64
		}
	case []any:
		for _, item := range v {
			m := index(item, next)
			n.items = append(n.items, m)
			n.size += m.size
		}
	case string:
		n.size += len(v) / 64
	}
	return n
}

func (c *counter) count(s *jsonschema.Schema, v *value) int {
	key := pair{s, v.id}
	if n, ok := c.known[key]; ok {
		return n
	}
	c.pairs++
	if c.pairs > c.limit {
		return c.limit + 1
	}
	n := 1
	add := func(s *jsonschema.Schema, v *value) {
		if s != nil && n <= c.limit {
			n += c.count(s, v)
		}
	}
	if s.Enum != nil {
		n += len(s.Enum.Values) * min(v.size, 64)
	}
	if s.UniqueItems || s.Const != nil {
		n += v.size
	}
	if s.MinLength != nil || s.MaxLength != nil || s.Format != nil {
		n += v.size / 16
	}
	if s.Pattern != nil {
		n += matchCost(s.Pattern, v.size)
	}
	if s.Format != nil && s.Format.Name == "regex" {
		n += compileCost
	}
	n += len(s.Required)
	for _, next := range inPlace(s) {
		add(next, v)
	}
	for name, m := range v.members {
		names := namesCost(s, name)
		if c.pairs += names; c.pairs > c.limit {
			return c.limit + 1
		}
		add(s.PropertyNames, &value{id: -m.id - 1, size: 1 + len(name)/64})
		for _, next := range memberSchemas(s, name) {
			add(next, m)
		}
		add(s.UnevaluatedProperties, m)
		n += 1 + names
	}
	for i, m := range v.items {
		for _, next := range itemSchemas(s, i) {
			add(next, m)
		}
		add(s.Contains, m)
		add(s.UnevaluatedItems, m)
	}
	n = min(n, c.limit+1)
	c.known[key] = n
	return n
}

// compileCost is the steps of compiling an instance that has to be a regular expression.
const compileCost = 1_000

// matchCost is the steps of matching a text whose value has that size: each
// byte may meet every instruction.
func matchCost(p jsonschema.Regexp, size int) int { return size * (1 + programOf(p)/16) }

// namesCost is the steps of matching a member's name with all patterns of s.
func namesCost(s *jsonschema.Schema, name string) int {
	n := 0
	for p := range s.PatternProperties {
		n += matchCost(p, 1+len(name)/64)
	}
	return n
}

// memberSchemas lists the schemas that s puts on a member.
func memberSchemas(s *jsonschema.Schema, name string) []*jsonschema.Schema {
	var list []*jsonschema.Schema
	for p, next := range s.PatternProperties {
		if p.MatchString(name) {
			list = append(list, next)
		}
	}
	slices.SortFunc(list, func(a, b *jsonschema.Schema) int { return strings.Compare(a.Location, b.Location) })
	if p := s.Properties[name]; p != nil {
		list = append(list, p)
	}
	if a, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && len(list) == 0 {
		list = append(list, a)
	}
	return list
}

// closes reports whether s forbids a member of that name outright.
func closes(s *jsonschema.Schema, name string) bool {
	allowed, ok := s.AdditionalProperties.(bool)
	return ok && !allowed && len(memberSchemas(s, name)) == 0
}

// itemSchemas lists the schemas that s puts on an item, in every draft's words.
func itemSchemas(s *jsonschema.Schema, i int) []*jsonschema.Schema {
	tuple := s.PrefixItems
	rest := s.Items2020
	switch items := s.Items.(type) {
	case *jsonschema.Schema:
		rest = items
	case []*jsonschema.Schema:
		tuple = items
		rest, _ = s.AdditionalItems.(*jsonschema.Schema)
	}
	switch {
	case i < len(tuple):
		return tuple[i : i+1]
	case rest != nil:
		return []*jsonschema.Schema{rest}
	}
	return nil
}
