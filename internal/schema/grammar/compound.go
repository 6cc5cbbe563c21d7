package grammar

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// What arrays and objects are enforced within.
const (
	maxMinItems = 1_000  // items that a minimum may ask for
	maxMaxItems = 256    // items that a maximum leaves, beyond which it is lowered
	maxOptional = 256    // members of one object that may be left out
	maxWeight   = 30_000 // items and members of all arrays and objects
)

// array makes the shape of arrays.
func (b *builder) array(st *state, flat []*node) error {
	low, high, from := b.limits(flat, "minItems", "maxItems")
	switch {
	case high >= 0 && low > high:
		st.fails(problem(from, keywordOf(from, "minItems", "maxItems"), "no number of items is left between %d and %d", low, high))
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
	s := &shape{kind: "array", low: low, high: high}
	length := 0
	for _, n := range flat {
		tuple, _ := itemsOf(n)
		length = max(length, len(tuple))
	}
	for i := range length + 1 {
		var set []*node
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
			s.prefix = append(s.prefix, in)
		} else {
			s.rest = in
		}
	}
	st.shapes = append(st.shapes, s)
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
func itemsOf(n *node) (tuple []*node, rest *node) {
	items := n.get("items")
	if items != nil && items.items != nil {
		return items.items, n.get("additionalItems")
	}
	return n.list("prefixItems"), items
}

// object makes the shape of objects.
func (b *builder) object(st *state, flat []*node) error {
	o := objects{builder: b, flat: flat, required: map[string]bool{}}
	for _, n := range flat {
		if p := b.inForce(n, "propertyNames"); p != nil {
			o.naming = append(o.naming, p)
		}
		if p := n.get("properties"); p != nil {
			o.add(p.names...)
		}
	}
	for _, n := range flat {
		for _, r := range n.list("required") {
			if name, ok := r.scalar.(string); ok {
				o.add(name)
				o.required[name] = true
			}
		}
	}
	s := &shape{kind: "object"}
	s.low, s.high, s.from = b.limits(flat, "minProperties", "maxProperties")
	if s.high >= 0 && max(s.low, len(o.required)) > s.high {
		st.fails(problem(s.from, "maxProperties", "%d are less than the members that must be there", s.high))
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
		s.members = append(s.members, member{name, value, o.required[name]})
	}
	optional := len(o.names) - len(o.required)
	if optional > maxOptional {
		return problem(flat[0], "properties", "%d members that may be left out are more than the %d that are enforced: require some", optional, maxOptional)
	}
	st.shapes = append(st.shapes, s)
	return b.weigh(len(s.members))
}

// objects is what the shape of an object is made from.
type objects struct {
	*builder
	flat     []*node
	names    []string // of members that are named, in order
	required map[string]bool
	naming   []*node // what names must satisfy
}

func (o *objects) add(names ...string) {
	for _, name := range names {
		if !slices.Contains(o.names, name) {
			o.names = append(o.names, name)
		}
	}
}

// member is the state of the member of that name.
func (o *objects) member(name string) (*state, error) {
	var set []*node
	for _, n := range o.flat {
		found := false
		if p := n.get("properties"); p != nil && p.get(name) != nil {
			set, found = append(set, p.get(name)), true
		}
		if p := o.inForce(n, "patternProperties"); p != nil {
			for _, pattern := range p.names {
				re, err := o.pattern(n, pattern)
				if err != nil {
					return nil, err
				}
				if re.MatchString(name) {
					set, found = append(set, p.members[pattern]), true
				}
			}
		}
		if a := n.get("additionalProperties"); a != nil && !found {
			set = append(set, a)
		}
	}
	for _, n := range o.naming {
		s, err := o.schemaAt(n)
		if err != nil {
			return nil, err
		}
		if *o.work -= 20; s.Validate(quote(nil, name)) != nil {
			st, err := o.builder.add("none", nil)
			if err == nil {
				st.fails(problem(n, "", "the name %q does not satisfy propertyNames", name))
			}
			return st, err
		}
	}
	return o.state(set)
}

// pattern compiles a key of patternProperties.
func (b *builder) pattern(n *node, text string) (*regexp.Regexp, error) {
	if re, ok := b.regexps[text]; ok {
		return re, nil
	}
	w, err := widely(text)
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
func (o *objects) others(s *shape) error {
	open := false   // somebody speaks of further members
	closed := false // dialects disagree about a pattern
	var rest, patterned []*node
	var keys []string
	for _, n := range o.flat {
		if a := n.get("additionalProperties"); a != nil {
			rest, open = append(rest, a), true
		}
		if p := o.inForce(n, "patternProperties"); p != nil && len(p.names) > 0 {
			patterned = append(patterned, n)
			for _, key := range p.names {
				if !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
			}
		}
	}
	if len(o.naming) > 0 && len(keys) > 0 {
		return o.refuse(o.parent(), "propertyNames", "", "it cannot be enforced together with patternProperties")
	}
	if ok, err := o.apart(keys); err != nil {
		return err
	} else if !ok {
		// Without strict no member of these names is written at all.
		return o.refuse(patterned[0], "patternProperties", "", "a name could match several patterns, which cannot be enforced: make them exclude each other")
	}
	for _, key := range keys {
		var set []*node
		for _, n := range o.flat {
			p := o.inForce(n, "patternProperties")
			if p != nil && p.get(key) != nil {
				set = append(set, p.get(key))
			} else if a := n.get("additionalProperties"); a != nil {
				set = append(set, a)
			}
		}
		value, err := o.state(set)
		if err != nil {
			return err
		}
		w, err := wholly(key)
		if err != nil {
			return problem(patterned[0], "patternProperties", "%v", err)
		}
		s.regions = append(s.regions, region{w, value})
		if wide, err := widely(key); err != nil || wide != w {
			closed = true
		}
	}
	if closed {
		return nil // who wonders whether a name matches need not see one
	}
	if !open && len(o.names)+len(keys) > 0 && s.low <= len(o.names) {
		return nil // a model is not invited to invent members
	}
	value, err := o.state(rest)
	if err != nil {
		return err
	}
	s.rest = value
	if len(o.naming) > 0 {
		return o.named(s)
	}
	return nil
}

// apart says whether no name matches two of the patterns.
func (o *objects) apart(keys []string) (bool, error) {
	for i, a := range keys {
		one, err := wholly(a)
		if err != nil {
			return false, problem(o.flat[0], "patternProperties", "%v", err)
		}
		for _, b := range keys[:i] {
			other, err := wholly(b)
			if err != nil {
				return false, problem(o.flat[0], "patternProperties", "%v", err)
			}
			switch inhabited([]string{one, other}, 0, -1, o.work) {
			case some:
				return false, nil
			case unknown:
				return false, o.errWork()
			case none:
			}
		}
	}
	return true, nil
}

// named makes further members of s those whose names satisfy propertyNames.
func (o *objects) named(s *shape) error {
	rest := s.rest
	s.rest = nil
	names := *o.builder
	names.states, names.order = map[string]*state{}, nil
	st, err := names.build(o.naming...)
	if err != nil {
		return err
	}
	var ways []string
	for _, in := range st.shapes {
		switch {
		case in.kind == "literal" && strings.HasPrefix(in.literal, `"`):
			name, err := unquote(in.literal)
			if err != nil {
				return err
			}
			o.add(name)
		case in.kind != "string":
		case len(in.whole) == 0 && in.low == 0 && in.high < 0:
			ways = append(ways, `(?s:.)*`)
		case len(in.whole) == 0 && in.high < 0:
			ways = append(ways, fmt.Sprintf(`(?s:.){%d,}`, in.low))
		case len(in.whole) == 0:
			ways = append(ways, fmt.Sprintf(`(?s:.){%d,%d}`, in.low, in.high))
		case len(in.whole) == 1 && in.low == 0 && in.high < 0:
			ways = append(ways, in.whole[0])
		default:
			return o.refuse(o.parent(), "propertyNames", "", "of pattern, format and length, only one can be enforced: put the length into the pattern")
		}
	}
	if len(ways) > 0 {
		s.regions = append(s.regions, region{strings.Join(ways, "|"), rest})
	}
	return nil
}

// parent is the first schema with propertyNames.
func (o *objects) parent() *node {
	i := slices.IndexFunc(o.flat, func(n *node) bool { return n.get("propertyNames") == o.naming[0] })
	return o.flat[i]
}
