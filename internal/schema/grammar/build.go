package grammar

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/shape"
	"github.com/ingot-llm/ingot/internal/schema/span"
)

// The bounds of what is made of one schema, and of the work it takes.
const (
	maxStates = 2_000       // values of different kinds
	maxShapes = 200         // alternatives of one value
	maxWork   = 1_000_000   // steps
	maxEffort = 3 * maxWork // of all schemas together
)

// builder makes states of schemas.
type builder struct {
	root    *document.Node
	strict  bool
	left    map[*document.Node]map[string]string
	part    func(pointer string) (*schema.Schema, error)
	parts   map[*document.Node]*schema.Schema
	states  map[string]*shape.State
	order   []*shape.State
	sets    map[*shape.State][]*document.Node // what a state is made of
	counts  map[*shape.Shape]*document.Node   // who limits the members of an object
	ids     map[*document.Node]int
	work    *int
	weight  int
	regexps map[string]*regexp.Regexp
	renamed []string         // places whose oneOf is an anyOf where parts are looked for, inner ones first
	whole   *document.Node   // its alternatives are not looked at: see disjoint
	probe   []*document.Node // not nil: nothing is refused, and no listed value judged by these: see disjoint
}

// fresh is a builder of the same document without states.
func (b *builder) fresh() *builder {
	f := *b
	f.states, f.order, f.ids = map[string]*shape.State{}, nil, map[*document.Node]int{}
	f.sets, f.counts = map[*shape.State][]*document.Node{}, map[*shape.Shape]*document.Node{}
	return &f
}

// refuse ends a strict build; otherwise the keyword is left out.
func (b *builder) refuse(n *document.Node, keyword, as, format string, args ...any) error {
	switch {
	case b.probe != nil:
		return nil
	case b.strict:
		return problem(n, keyword, format, args...)
	}
	leave(b.left, n, keyword, as)
	return nil
}

func problem(n *document.Node, keyword, format string, args ...any) *schema.Error {
	return &schema.Error{Pointer: n.At, Keyword: keyword, Reason: fmt.Sprintf(format, args...)}
}

func (b *builder) errWork() error {
	return problem(b.root, "", "it takes too many steps to prepare: simplify the alternatives and patterns")
}

// inForce is a member of a schema that was not left out.
func (b *builder) inForce(n *document.Node, name string) *document.Node {
	if _, ok := b.left[n][name]; ok {
		return nil
	}
	return n.Get(name)
}

// build makes the state of a value that all of set describe, and of everything in it.
func (b *builder) build(set ...*document.Node) (*shape.State, error) {
	root, err := b.state(set)
	for i := 0; err == nil && i < len(b.order); i++ {
		st := b.order[i]
		if set, ok := b.sets[st]; ok {
			err = b.expand(st, slices.Clip(set), 0, nil)
		}
	}
	return root, err
}

// state finds or begins the state of a set of schemas. What allows everything
// is no part of it, so that the empty set is any value.
func (b *builder) state(set []*document.Node) (*shape.State, error) {
	kept := []*document.Node{}
	ids := []int{}
	for _, n := range set {
		if n.Is(true) || n.Members != nil && len(n.Members) == 0 || slices.Contains(kept, n) {
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

func (b *builder) add(key string, set []*document.Node) (*shape.State, error) {
	if st, ok := b.states[key]; ok {
		return st, nil
	}
	if len(b.order) >= maxStates {
		return nil, problem(b.root, "", "it describes more than %d different values: simplify it", maxStates)
	}
	st := &shape.State{}
	b.states[key] = st
	if set != nil {
		b.sets[st] = set
	}
	b.order = append(b.order, st)
	return st, nil
}

// alternatives is an anyOf or oneOf still to be chosen from.
type alternatives struct {
	from    *document.Node
	keyword string
}

// expand adds to flat, from i on, the schemas that hold for the same value, and
// makes the shapes of every choice they leave.
func (b *builder) expand(st *shape.State, flat []*document.Node, i int, open []alternatives) error {
	for ; i < len(flat); i++ {
		if *b.work -= 1 + len(flat)/8; *b.work < 0 {
			return b.errWork()
		}
		n := flat[i]
		if n.Is(false) {
			st.Fails(problem(n, "", "nothing satisfies false"))
			return nil
		}
		next := n.List("allOf")
		if ref, ok := n.Text("$ref"); ok {
			next = with([]*document.Node{b.root.Target(ref)}, next...)
		}
		next = slices.DeleteFunc(slices.Clone(next), func(to *document.Node) bool { return slices.Contains(flat, to) })
		flat = slices.Insert(slices.Clone(flat), i+1, next...) // members keep the document's order
		for _, keyword := range []string{"anyOf", "oneOf"} {
			if n.Get(keyword) != nil && n != b.whole {
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
	for _, way := range choice.from.List(choice.keyword) {
		if err := b.expand(st, with(slices.Clone(flat), way), i, open[1:]); err != nil {
			return err
		}
		if st.Alternatives() > maxShapes {
			return problem(choice.from, choice.keyword, "more than %d alternatives for one value", maxShapes)
		}
	}
	return nil
}

// with appends the schemas that are not in the list yet.
func with(flat []*document.Node, more ...*document.Node) []*document.Node {
	for _, n := range more {
		if n != nil && !slices.Contains(flat, n) {
			flat = append(flat, n)
		}
	}
	return flat
}

// mustDiffer refuses a oneOf unless no value can satisfy two of its schemas.
func (b *builder) mustDiffer(flat []*document.Node, n *document.Node) error {
	if b.probe != nil {
		return nil
	}
	ways := n.List("oneOf")
	for i, one := range ways {
		for j, other := range ways[:i] {
			differ, err := b.disjoint(flat, n, one, other)
			if err != nil {
				return err
			}
			if differ {
				continue
			}
			if n.Get("anyOf") != nil { // which cannot be there twice
				return problem(n, "oneOf", "a value could satisfy both %d and %d: use anyOf", j, i)
			}
			return b.refuse(n, "oneOf", "anyOf", "a value could satisfy both %d and %d, which cannot be enforced: use anyOf, "+
				"or tell them apart by type, by a required member with a const, or by additionalProperties false", j, i)
		}
	}
	return nil
}

// disjoint says whether nothing satisfies both schemas and flat, not looking at
// the alternatives of from, which are in question.
func (b *builder) disjoint(flat []*document.Node, from, one, other *document.Node) (bool, error) {
	probe := b.fresh()
	probe.whole, probe.probe = from, flat
	st, err := probe.build(with(slices.Clone(flat), one, other)...)
	if err != nil {
		return false, err
	}
	shape.Settle(probe.order)
	return !st.Finite, nil
}

// leaf makes the shapes that are left once every choice is made.
func (b *builder) leaf(st *shape.State, flat []*document.Node) error {
	for _, n := range flat {
		*b.work -= len(n.Names)
	}
	for _, n := range flat {
		for _, keyword := range []string{"const", "enum"} {
			if v := n.Get(keyword); v != nil {
				values := v.Items
				if keyword == "const" {
					values = []*document.Node{v}
				}
				return b.listed(st, flat, n, keyword, values)
			}
		}
	}
	types, from := typesOf(flat)
	if len(types) == 0 {
		st.Fails(problem(from, "type", "no type is left"))
	}
	for _, kind := range types {
		var err error
		switch kind {
		case "object":
			err = b.object(st, flat)
		case "array":
			err = b.array(st, flat)
		case "string":
			err = b.strings(st, flat)
		case "number", "integer":
			err = b.number(st, flat, kind == "integer")
		default:
			st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// typesOf lists the types left by every type keyword; without one, those which
// the other keywords speak of.
func typesOf(flat []*document.Node) (types []string, from *document.Node) {
	types = []string{"object", "array", "string", "number", "integer", "boolean", "null"}
	typed := false
	var spoken []string
	for _, n := range flat {
		for _, name := range n.Names {
			spoken = append(spoken, speaksOf(name))
		}
		t := n.Get("type")
		if t == nil {
			continue
		}
		typed, from = true, n
		var here []string
		for _, item := range append(t.Items, t) {
			if name, ok := item.Scalar.(string); ok {
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
func (b *builder) listed(st *shape.State, flat []*document.Node, from *document.Node, keyword string, values []*document.Node) error {
	seen := map[string]bool{}
	for _, v := range values {
		text := v.Write(nil, nil)
		takes := true
		for _, n := range flat {
			if *b.work -= 20 + len(text)/8; *b.work < 0 {
				return b.errWork()
			}
			if slices.Contains(b.probe, n) {
				continue
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
	if len(st.Shapes) == 0 {
		st.Fails(problem(from, keyword, "none of its values satisfies the other keywords"))
	}
	return nil
}

// schemaAt is the validator of one of the document's schemas.
func (b *builder) schemaAt(n *document.Node) (*schema.Schema, error) {
	if s, ok := b.parts[n]; ok {
		return s, nil
	}
	at := n.At
	for _, from := range b.renamed {
		if rest, ok := strings.CutPrefix(at, from+"/oneOf/"); ok {
			at = from + "/anyOf/" + rest
		}
	}
	s, err := b.part(at)
	b.parts[n] = s
	*b.work -= 200
	return s, err
}

// literal makes the shape of one value.
func (b *builder) literal(st *shape.State, v *document.Node) error {
	sub := func(v *document.Node) (*shape.State, error) {
		in, err := b.add("value "+v.At, nil)
		if err == nil && len(in.Shapes) == 0 {
			err = b.literal(in, v)
		}
		return in, err
	}
	s := &shape.Shape{Kind: "literal"}
	switch {
	case v.Members != nil:
		s.Kind, s.High = "object", -1
		for _, name := range v.Names {
			in, err := sub(v.Members[name])
			if err != nil {
				return err
			}
			s.Members = append(s.Members, shape.Member{Name: name, Value: in, Required: true})
		}
	case v.Items != nil:
		s.Kind, s.Low, s.High = "array", len(v.Items), len(v.Items)
		for _, item := range v.Items {
			in, err := sub(item)
			if err != nil {
				return err
			}
			s.Prefix = append(s.Prefix, in)
		}
	default:
		s.Literal = string(v.Write(nil, nil))
		if r, ok := rational(v); ok {
			text, exact := span.Decimal(r)
			if !exact {
				return problem(v, "", "the number %s has too many digits to be enforced", s.Literal)
			}
			s.Literal = text
		}
	}
	st.Shapes = append(st.Shapes, s)
	return nil
}

// rational is the value of a number.
func rational(n *document.Node) (*big.Rat, bool) {
	if n == nil {
		return nil, false
	}
	text, ok := n.Scalar.(interface{ String() string })
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(text.String())
}

// countOf is the value of a whole number, such as maxLength.
func countOf(n *document.Node) (int, bool) {
	r, ok := rational(n)
	if !ok || !r.IsInt() || !r.Num().IsInt64() || r.Sign() < 0 {
		return 0, false
	}
	v, err := strconv.Atoi(r.Num().String())
	return v, err == nil
}

// limits is the highest of the minimums and the lowest of the maximums, and
// who sets them last.
func (b *builder) limits(flat []*document.Node, least, most string) (low, high int, from *document.Node) {
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
func keywordOf(n *document.Node, names ...string) string {
	for _, name := range names {
		if n.Get(name) != nil {
			return name
		}
	}
	return strings.Join(names, ", ")
}
