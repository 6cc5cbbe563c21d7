package grammar

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
	"github.com/ingot-llm/ingot/internal/schema/shape"
)

// What arrays and objects are enforced within.
const (
	maxMinItems = 1_000  // items that a minimum may ask for
	maxMaxItems = 256    // items that a maximum leaves, beyond which it is lowered
	maxOptional = 256    // members of one object that may be left out
	maxWeight   = 30_000 // items and members of all arrays and objects
)

// array makes the shape of arrays.
func (b *builder) array(st *shape.State, flat []*document.Node) error {
	low, high, from := b.limits(flat, "minItems", "maxItems")
	switch {
	case high >= 0 && low > high:
		st.Fails(problem(from, keywordOf(from, "minItems", "maxItems"), "no number of items is left between %d and %d", low, high))
		return nil
	case low > maxMinItems:
		if err := b.refuse(from, "minItems", "", "%d items are more than the %d that are enforced", low, maxMinItems); err != nil {
			return err
		}
		low = 0
	}
	if high > max(low, maxMaxItems) {
		high = max(low, maxMaxItems)
	}
	s := &shape.Shape{Kind: "array", Low: low, High: high}
	length := 0
	for _, n := range flat {
		tuple, _ := itemsOf(n)
		length = max(length, len(tuple))
	}
	for i := range length + 1 {
		var set []*document.Node
		for _, n := range flat {
			if tuple, rest := itemsOf(n); i < len(tuple) {
				set = append(set, tuple[i])
			} else if rest != nil {
				set = append(set, rest)
			}
		}
		in, err := b.state(set)
		if err != nil {
			return err
		}
		if i < length {
			s.Prefix = append(s.Prefix, in)
		} else {
			s.Rest = in
		}
	}
	st.Shapes = append(st.Shapes, s)
	return b.weigh(length + max(low, high))
}

// weigh bounds the size of the grammar.
func (b *builder) weigh(n int) error {
	if b.weight += n; b.weight > maxWeight {
		return problem(b.root, "", "it describes more than %d items and members: simplify it", maxWeight)
	}
	return nil
}

// itemsOf is the schemas of the first items and of all others, in the words of
// any draft.
func itemsOf(n *document.Node) (tuple []*document.Node, rest *document.Node) {
	items := n.Get("items")
	if items != nil && items.Items != nil {
		return items.Items, n.Get("additionalItems")
	}
	return n.List("prefixItems"), items
}

// object makes the shape of objects.
func (b *builder) object(st *shape.State, flat []*document.Node) error {
	o := objects{builder: b, flat: flat, known: map[string]bool{}, required: map[string]bool{}}
	for _, n := range flat {
		if p := b.inForce(n, "propertyNames"); p != nil {
			o.naming = append(o.naming, p)
		}
		if p := n.Get("properties"); p != nil {
			o.add(p.Names...)
		}
	}
	for _, n := range flat {
		for _, r := range n.List("required") {
			if name, ok := r.Scalar.(string); ok {
				o.add(name)
				o.required[name] = true
			}
		}
	}
	s := &shape.Shape{Kind: "object"}
	var from *document.Node
	s.Low, s.High, from = b.limits(flat, "minProperties", "maxProperties")
	if s.High >= 0 && max(s.Low, len(o.required)) > s.High {
		st.Fails(problem(from, "maxProperties", "%d are less than the members that must be there", s.High))
		return nil
	}
	if err := o.others(s); err != nil {
		return err
	}
	for _, name := range o.names {
		value, err := o.member(name)
		if err != nil {
			return err
		}
		s.Members = append(s.Members, shape.Member{Name: name, Value: value, Required: o.required[name]})
	}
	optional := len(o.names) - len(o.required)
	if optional > maxOptional {
		return problem(flat[0], "properties", "%d members that may be left out are more than the %d that are enforced: require some", optional, maxOptional)
	}
	st.Shapes = append(st.Shapes, s)
	b.counts[s] = from
	return b.weigh(len(s.Members))
}

// objects is what the shape of an object is made from.
type objects struct {
	*builder
	flat     []*document.Node
	names    []string // of members that are named, in order
	known    map[string]bool
	required map[string]bool
	naming   []*document.Node // what names must satisfy
}

func (o *objects) add(names ...string) {
	for _, name := range names {
		if *o.work--; !o.known[name] {
			o.known[name] = true
			o.names = append(o.names, name)
		}
	}
}

// member is the state of the member of that name.
func (o *objects) member(name string) (*shape.State, error) {
	var set []*document.Node
	for _, n := range o.flat {
		found := false
		if p := n.Get("properties"); p != nil && p.Get(name) != nil {
			set, found = append(set, p.Get(name)), true
		}
		if p := o.inForce(n, "patternProperties"); p != nil {
			if *o.work -= len(p.Names) * (1 + len(name)/16); *o.work < 0 {
				return nil, o.errWork()
			}
			for _, pattern := range p.Names {
				re, err := o.pattern(n, pattern)
				if err != nil {
					return nil, err
				}
				if re.MatchString(name) {
					set, found = append(set, p.Members[pattern]), true
				}
			}
		}
		if a := n.Get("additionalProperties"); a != nil && !found {
			set = append(set, a)
		}
	}
	for _, n := range o.naming {
		s, err := o.schemaAt(n)
		if err != nil {
			return nil, err
		}
		if *o.work -= 20; s.Validate(document.Quote(nil, name)) != nil {
			st, err := o.builder.add("none", nil)
			if err == nil {
				st.Fails(problem(n, "", "the name %q does not satisfy propertyNames", name))
			}
			return st, err
		}
	}
	return o.state(set)
}

// pattern compiles a key of patternProperties.
func (b *builder) pattern(n *document.Node, text string) (*regexp.Regexp, error) {
	if re, ok := b.regexps[text]; ok {
		return re, nil
	}
	w, err := pattern.Exact(text)
	if err != nil {
		return nil, problem(n, "patternProperties", "%v", err)
	}
	if *b.work -= 100 + 4*len(w); *b.work < 0 {
		return nil, b.errWork()
	}
	re, err := regexp.Compile(`\A(?:` + w + `)\z`)
	if err != nil {
		return nil, problem(n, "patternProperties", "%v", err)
	}
	b.regexps[text] = re
	return re, nil
}

// others finds the members whose names are not listed.
func (o *objects) others(s *shape.Shape) error {
	open := false   // somebody speaks of further members
	closed := false // dialects disagree about a pattern
	var rest, patterned []*document.Node
	var keys []string
	for _, n := range o.flat {
		if a := n.Get("additionalProperties"); a != nil {
			rest, open = append(rest, a), true
		}
		if p := o.inForce(n, "patternProperties"); p != nil && len(p.Names) > 0 {
			patterned = append(patterned, n)
			for _, key := range p.Names {
				if *o.work -= 1 + len(keys)/8; !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
			}
		}
	}
	if len(o.naming) > 0 && len(keys) > 0 {
		return o.loose(s, o.parent(), "propertyNames", "it cannot be enforced together with patternProperties")
	}
	if ok, err := o.apart(keys); err != nil {
		return err
	} else if !ok {
		return o.loose(s, patterned[0], "patternProperties", "a name could match several patterns, which cannot be enforced: make them exclude each other")
	}
	for _, key := range keys {
		var set []*document.Node
		for _, n := range o.flat {
			p := o.inForce(n, "patternProperties")
			if p != nil && p.Get(key) != nil {
				set = append(set, p.Get(key))
			} else if a := n.Get("additionalProperties"); a != nil {
				set = append(set, a)
			}
		}
		value, err := o.state(set)
		if err != nil {
			return err
		}
		w, err := pattern.Whole(key)
		if err != nil {
			return problem(patterned[0], "patternProperties", "%v", err)
		}
		s.Regions = append(s.Regions, shape.Region{Names: w, Value: value})
		if wide, err := pattern.Exact(key); err != nil || wide != w {
			closed = true
		}
	}
	if closed {
		return nil // who wonders whether a name matches need not see one
	}
	if !open && len(o.names)+len(keys) > 0 && s.Low <= len(o.names) {
		return nil // a model is not invited to invent members
	}
	value, err := o.state(rest)
	if err != nil {
		return err
	}
	s.Rest = value
	if len(o.naming) > 0 {
		return o.named(s)
	}
	return nil
}

// loose refuses what says something of further members. Without strict none is
// written, and a probe takes any.
func (o *objects) loose(s *shape.Shape, n *document.Node, keyword, reason string) error {
	err := o.refuse(n, keyword, "", "%s", reason)
	if err == nil && o.probe != nil {
		s.Rest, err = o.state(nil)
	}
	return err
}

// apart says whether no name matches two of the patterns.
func (o *objects) apart(keys []string) (bool, error) {
	for i, a := range keys {
		one, err := pattern.Whole(a)
		if err != nil {
			return false, problem(o.flat[0], "patternProperties", "%v", err)
		}
		for _, b := range keys[:i] {
			other, err := pattern.Whole(b)
			if err != nil {
				return false, problem(o.flat[0], "patternProperties", "%v", err)
			}
			switch pattern.Search([]string{one, other}, 0, -1, o.work) {
			case pattern.Some:
				return false, nil
			case pattern.Unknown:
				return false, o.errWork()
			case pattern.None:
			}
		}
	}
	return true, nil
}

// named makes further members of s those whose names satisfy propertyNames.
func (o *objects) named(s *shape.Shape) error {
	rest := s.Rest
	s.Rest = nil
	names := o.fresh()
	st, err := names.build(o.naming...)
	if err != nil {
		return err
	}
	var ways []string
	for _, in := range st.Shapes {
		switch {
		case in.Kind == "literal" && strings.HasPrefix(in.Literal, `"`):
			var name string
			if err := json.Unmarshal([]byte(in.Literal), &name); err != nil {
				return problem(o.parent(), "propertyNames", "%v", err)
			}
			o.add(name)
		case in.Kind != "string":
		case len(in.Whole) == 0 && in.Low == 0 && in.High < 0:
			ways = append(ways, `(?s:.)*`)
		case len(in.Whole) == 0 && in.High < 0:
			ways = append(ways, fmt.Sprintf(`(?s:.){%d,}`, in.Low))
		case len(in.Whole) == 0:
			ways = append(ways, fmt.Sprintf(`(?s:.){%d,%d}`, in.Low, in.High))
		case len(in.Whole) == 1 && in.Low == 0 && in.High < 0:
			ways = append(ways, in.Whole[0])
		default:
			return o.loose(s, o.parent(), "propertyNames", "of pattern, format and length, only one can be enforced: put the length into the pattern")
		}
	}
	if len(ways) > 0 {
		s.Regions = append(s.Regions, shape.Region{Names: strings.Join(ways, "|"), Value: rest})
	}
	return nil
}

// parent is the first schema with propertyNames.
func (o *objects) parent() *document.Node {
	i := slices.IndexFunc(o.flat, func(n *document.Node) bool { return n.Get("propertyNames") == o.naming[0] })
	return o.flat[i]
}
