package grammar

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema"
)

// The bounds of what is made of one schema, and of the work it takes.
const (
	maxPattern = 1_000     // bytes of one regular expression
	maxStates  = 2_000     // values of different kinds
	maxShapes  = 200       // alternatives of one value
	maxWork    = 2_000_000 // steps
)

// state is a value that some schemas describe together: everything they allow
// is one of its shapes.
type state struct {
	set    []*node
	shapes []*shape
	finite bool          // some shape can be written to its end
	why    *schema.Error // of the first shape that cannot be
	uses   int
	name   string // in the definitions, if it has one
}

// shape is one alternative: a scalar in a list, or what one type allows.
type shape struct {
	kind string // literal, boolean, null, string, integer, number, array, object

	literal string // JSON text of a scalar

	low, high int // lengths and counts, high < 0: no limit
	whole     []string

	numbers span
	from    *node // who limits the number of members

	prefix []*state
	rest   *state // further items, or members of names that nothing else takes; nil: none

	members []member
	regions []region
}

type member struct {
	name     string
	value    *state
	required bool
}

// region is the members whose names match an expression wholly.
type region struct {
	names string
	value *state
}

// builder makes states of schemas.
type builder struct {
	root    *node
	strict  bool
	left    map[*node]map[string]string
	part    func(pointer string) (*schema.Schema, error)
	parts   map[*node]*schema.Schema
	states  map[string]*state
	order   []*state
	ids     map[*node]int
	work    *int
	weight  int
	regexps map[string]*regexp.Regexp
	whole   *node // its alternatives are not looked at: see disjoint
	probe   bool  // nothing is refused: see disjoint
}

// refuse ends a strict build; otherwise the keyword is left out.
func (b *builder) refuse(n *node, keyword, as, format string, args ...any) error {
	switch {
	case b.probe:
		return nil
	case b.strict:
		return problem(n, keyword, format, args...)
	}
	leave(b.left, n, keyword, as)
	return nil
}

func problem(n *node, keyword, format string, args ...any) *schema.Error {
	return &schema.Error{Pointer: n.at, Keyword: keyword, Reason: fmt.Sprintf(format, args...)}
}

func (b *builder) errWork() error {
	return problem(b.root, "", "it takes too many steps to prepare: simplify the alternatives and patterns")
}

// inForce is a member of a schema that was not left out.
func (b *builder) inForce(n *node, name string) *node {
	if _, ok := b.left[n][name]; ok {
		return nil
	}
	return n.get(name)
}

// build makes the state of a value that all of set describe, and of everything in it.
func (b *builder) build(set ...*node) (*state, error) {
	root, err := b.state(set)
	for i := 0; err == nil && i < len(b.order); i++ {
		st := b.order[i]
		if st.set != nil {
			err = b.expand(st, slices.Clip(st.set), 0, nil)
		}
	}
	return root, err
}

// state finds or begins the state of a set of schemas. What allows everything
// is no part of it, so that the empty set is any value.
func (b *builder) state(set []*node) (*state, error) {
	kept := []*node{}
	ids := []int{}
	for _, n := range set {
		if n.is(true) || n.members != nil && len(n.members) == 0 || slices.Contains(kept, n) {
			continue
		}
		if _, ok := b.ids[n]; !ok {
			b.ids[n] = len(b.ids)
		}
		kept, ids = append(kept, n), append(ids, b.ids[n])
	}
	slices.Sort(ids)
	return b.add(fmt.Sprint(ids), kept)
}

func (b *builder) add(key string, set []*node) (*state, error) {
	if st, ok := b.states[key]; ok {
		return st, nil
	}
	if len(b.order) >= maxStates {
		return nil, problem(b.root, "", "it describes more than %d different values: simplify it", maxStates)
	}
	st := &state{set: set}
	b.states[key] = st
	b.order = append(b.order, st)
	return st, nil
}

// alternatives is an anyOf or oneOf still to be chosen from.
type alternatives struct {
	from    *node
	keyword string
}

// expand adds to flat, from i on, the schemas that hold for the same value, and
// makes the shapes of every choice they leave.
func (b *builder) expand(st *state, flat []*node, i int, open []alternatives) error {
	for ; i < len(flat); i++ {
		if *b.work--; *b.work < 0 {
			return b.errWork()
		}
		n := flat[i]
		if n.is(false) {
			st.fails(problem(n, "", "nothing satisfies false"))
			return nil
		}
		if ref, ok := n.text("$ref"); ok {
			flat = with(flat, target(b.root, ref))
		}
		flat = with(flat, n.list("allOf")...)
		for _, keyword := range []string{"anyOf", "oneOf"} {
			if n.get(keyword) != nil && n != b.whole {
				open = append(slices.Clip(open), alternatives{n, keyword})
			}
		}
	}
	if len(open) == 0 {
		return b.leaf(st, flat)
	}
	choice := open[0]
	if choice.keyword == "oneOf" {
		if err := b.mustDiffer(flat, choice.from); err != nil {
			return err
		}
	}
	for _, way := range choice.from.list(choice.keyword) {
		if err := b.expand(st, with(slices.Clone(flat), way), i, open[1:]); err != nil {
			return err
		}
		if len(st.shapes) > maxShapes && !st.scalars() {
			return problem(choice.from, choice.keyword, "more than %d alternatives for one value", maxShapes)
		}
	}
	return nil
}

// with appends the schemas that are not in the list yet.
func with(flat []*node, more ...*node) []*node {
	for _, n := range more {
		if n != nil && !slices.Contains(flat, n) {
			flat = append(flat, n)
		}
	}
	return flat
}

// mustDiffer refuses a oneOf unless no value can satisfy two of its schemas.
func (b *builder) mustDiffer(flat []*node, n *node) error {
	if b.probe {
		return nil
	}
	ways := n.list("oneOf")
	for i, one := range ways {
		for j, other := range ways[:i] {
			differ, err := b.disjoint(with(slices.Clone(flat), one, other), n)
			if err != nil {
				return err
			}
			if differ {
				continue
			}
			as := "anyOf"
			if n.get(as) != nil {
				as = ""
			}
			return b.refuse(n, "oneOf", as, "a value could satisfy both %d and %d, which cannot be enforced: use anyOf, "+
				"or tell them apart by type, by a required member with a const, or by additionalProperties false", j, i)
		}
	}
	return nil
}

// disjoint says whether nothing satisfies all of the schemas, not looking at
// the alternatives of from.
func (b *builder) disjoint(set []*node, from *node) (bool, error) {
	probe := &builder{
		root: b.root, left: b.left, part: b.part, parts: b.parts, work: b.work, regexps: b.regexps,
		states: map[string]*state{}, ids: map[*node]int{}, whole: from, probe: true,
	}
	st, err := probe.build(set...)
	if err != nil {
		return false, err
	}
	settle(probe.order)
	return !st.finite, nil
}

// fails notes why a shape is impossible.
func (st *state) fails(why *schema.Error) {
	if st.why == nil {
		st.why = why
	}
}

func (st *state) scalars() bool {
	return !slices.ContainsFunc(st.shapes, func(s *shape) bool { return s.kind == "array" || s.kind == "object" })
}

// leaf makes the shapes that are left once every choice is made.
func (b *builder) leaf(st *state, flat []*node) error {
	for _, n := range flat {
		for _, keyword := range []string{"const", "enum"} {
			if v := n.get(keyword); v != nil {
				values := v.items
				if keyword == "const" {
					values = []*node{v}
				}
				return b.listed(st, flat, n, keyword, values)
			}
		}
	}
	types, from := typesOf(flat)
	if len(types) == 0 {
		st.fails(problem(from, "type", "no type is left"))
	}
	for _, kind := range types {
		var err error
		switch kind {
		case "object":
			err = b.object(st, flat)
		case "array":
			err = b.array(st, flat)
		case "string":
			err = b.text(st, flat)
		case "number", "integer":
			err = b.number(st, flat, kind == "integer")
		default:
			st.shapes = append(st.shapes, &shape{kind: kind})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// typesOf lists the types left by every type keyword; without one, those which
// the other keywords speak of.
func typesOf(flat []*node) (types []string, from *node) {
	types = []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	typed := false
	var spoken []string
	for _, n := range flat {
		for _, name := range n.names {
			spoken = append(spoken, speaksOf(name))
		}
		t := n.get("type")
		if t == nil {
			continue
		}
		typed, from = true, n
		var here []string
		for _, item := range append(t.items, t) {
			if name, ok := item.scalar.(string); ok {
				here = append(here, name)
			}
		}
		if slices.Contains(here, "number") {
			here = append(here, "integer")
		}
		types = slices.DeleteFunc(types, func(t string) bool { return !slices.Contains(here, t) })
	}
	if !typed && slices.ContainsFunc(spoken, func(s string) bool { return s != "" }) {
		types = slices.DeleteFunc(types, func(t string) bool { return !slices.Contains(spoken, t) })
	}
	if slices.Contains(types, "number") { // which takes integers, too
		types = slices.DeleteFunc(types, func(t string) bool { return t == "integer" })
	}
	return types, from
}

func speaksOf(keyword string) string {
	switch keyword {
	case "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties":
		return "object"
	case "items", "prefixItems", "additionalItems", "minItems", "maxItems":
		return "array"
	case "minLength", "maxLength", "pattern", "format":
		return "string"
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		return "number"
	}
	return ""
}

// listed makes a shape of each value that all the schemas take.
func (b *builder) listed(st *state, flat []*node, from *node, keyword string, values []*node) error {
	seen := map[string]bool{}
	for _, v := range values {
		text := v.write(nil, nil)
		takes := true
		for _, n := range flat {
			if *b.work -= 20 + len(text)/8; *b.work < 0 {
				return b.errWork()
			}
			s, err := b.schemaAt(n)
			if err != nil {
				return err
			}
			takes = takes && s.Validate(text) == nil
		}
		if !takes || seen[string(text)] {
			continue
		}
		seen[string(text)] = true
		if err := b.literal(st, v); err != nil {
			return err
		}
	}
	if len(st.shapes) == 0 {
		st.fails(problem(from, keyword, "none of its values satisfies the other keywords"))
	}
	return nil
}

// schemaAt is the validator of one of the document's schemas.
func (b *builder) schemaAt(n *node) (*schema.Schema, error) {
	if s, ok := b.parts[n]; ok {
		return s, nil
	}
	s, err := b.part(n.at)
	b.parts[n] = s
	*b.work -= 200
	return s, err
}

// literal makes the shape of one value.
func (b *builder) literal(st *state, v *node) error {
	sub := func(v *node) (*state, error) {
		in, err := b.add("value "+v.at, nil)
		if err == nil && len(in.shapes) == 0 {
			err = b.literal(in, v)
		}
		return in, err
	}
	s := &shape{kind: "literal"}
	switch {
	case v.members != nil:
		s.kind, s.high = "object", -1
		for _, name := range v.names {
			in, err := sub(v.members[name])
			if err != nil {
				return err
			}
			s.members = append(s.members, member{name, in, true})
		}
	case v.items != nil:
		s.kind, s.low, s.high = "array", len(v.items), len(v.items)
		for _, item := range v.items {
			in, err := sub(item)
			if err != nil {
				return err
			}
			s.prefix = append(s.prefix, in)
		}
	default:
		s.literal = string(v.write(nil, nil))
		if r, ok := rational(v); ok {
			text, exact := decimal(r)
			if !exact {
				return problem(v, "", "the number %s has too many digits to be enforced", s.literal)
			}
			s.literal = text
		}
	}
	st.shapes = append(st.shapes, s)
	return nil
}

// rational is the value of a number.
func rational(n *node) (*big.Rat, bool) {
	if n == nil {
		return nil, false
	}
	text, ok := n.scalar.(interface{ String() string })
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(text.String())
}

// countOf is the value of a whole number, such as maxLength.
func countOf(n *node) (int, bool) {
	r, ok := rational(n)
	if !ok || !r.IsInt() || !r.Num().IsInt64() || r.Sign() < 0 {
		return 0, false
	}
	v, err := strconv.Atoi(r.Num().String())
	return v, err == nil
}

// limits is the highest of the minimums and the lowest of the maximums, and
// who sets them last.
func (b *builder) limits(flat []*node, least, most string) (low, high int, from *node) {
	high = -1
	for _, n := range flat {
		if v, ok := countOf(b.inForce(n, least)); ok && v > low {
			low, from = v, n
		}
		if v, ok := countOf(b.inForce(n, most)); ok && (high < 0 || v < high) {
			high, from = v, n
		}
	}
	return low, high, from
}

// keywordOf is the first of the keywords that n has.
func keywordOf(n *node, names ...string) string {
	for _, name := range names {
		if n.get(name) != nil {
			return name
		}
	}
	return strings.Join(names, ", ")
}
