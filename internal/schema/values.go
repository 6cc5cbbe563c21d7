package schema

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// spares is how many candidates beyond the smallest are tried, for keywords
// such as not that no rule here foresees.
const spares = 3

// maxSkipped is how many items are made before one that contains asks for, and
// how many names of one pattern.
const maxSkipped = 32

// objects makes an object of the required members, then of more of them until
// minProperties is met.
func (m *maker) objects(flat []*jsonschema.Schema, avoid *taken) ([]any, error) {
	names := required(flat)
	least, from := most(flat, func(s *jsonschema.Schema) *int { return s.MinProperties })
	if max(least, len(names)) > maxMade {
		return nil, fault(from, "minProperties", "%d members are more than the %d made here", max(least, len(names)), maxMade)
	}
	o, made := map[string]any{}, &taken{}
	for _, name := range names {
		v, err := m.member(flat, name, &taken{})
		if err != nil {
			return nil, err
		}
		o[name] = v
		if made.add(v); made.size > maxSize {
			return nil, fault(flat[0], "required", "the instance would be larger than %d bytes", maxSize)
		}
	}
	if len(o) < least {
		m.fill(flat, o, least)
	}
	candidates := []any{o}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if len(avoid.values) == 0 {
			break
		}
		there := &taken{}
		for _, other := range avoid.values {
			if other, ok := other.(map[string]any); ok {
				there.add(other[name])
			}
		}
		if v, err := m.member(flat, name, there); err == nil {
			other := maps.Clone(o)
			other[name] = v
			candidates = append(candidates, other)
		}
	}
	return candidates, nil
}

// fill adds optional members, the declared ones first, until there are enough
// or no more can be made.
func (m *maker) fill(flat []*jsonschema.Schema, o map[string]any, least int) {
	var names []string
	for _, s := range flat {
		names = append(names, slices.Sorted(maps.Keys(s.Properties))...)
		for _, p := range patterns(s) {
			if m.work -= 2 * maxSkipped; m.work < 0 {
				return
			}
			names = append(names, m.matching(p.String(), 0, min(least, maxSkipped))...)
		}
	}
	for i := range 2 * least {
		names = append(names, letters(i))
	}
	made := &taken{}
	for _, name := range names {
		if _, ok := o[name]; ok || len(o) >= least || made.size > maxSize {
			continue
		}
		if v, err := m.member(flat, name, &taken{}); err == nil {
			o[name] = v
			made.add(v)
		}
	}
}

// member makes the value of one member.
func (m *maker) member(flat []*jsonschema.Schema, name string, avoid *taken) (any, error) {
	var all []*jsonschema.Schema
	for _, s := range flat {
		if m.work -= namesCost(s, name) / 4; m.work < 0 {
			return nil, errWork
		}
		if closes(s, name) {
			return nil, fault(s, "additionalProperties", "the member %q is required and not allowed", name)
		}
		all = with(all, memberSchemas(s, name))
	}
	if len(all) == 0 {
		return map[string]any{}, nil
	}
	return m.make(all, avoid)
}

// required lists the members that must be there, each once, in order.
func required(flat []*jsonschema.Schema) []string {
	var names []string
	seen := map[string]bool{}
	add := func(more []string) {
		for _, name := range more {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	for _, s := range flat {
		add(s.Required)
	}
	for i := 0; i < len(names); i++ {
		for _, s := range flat {
			add(s.DependentRequired[names[i]])
			if dep, ok := s.Dependencies[names[i]].([]string); ok {
				add(dep)
			}
		}
	}
	return names
}

// dependents lists the schemas that members bring with them and that are not
// in the list yet.
func dependents(flat []*jsonschema.Schema, names []string) []*jsonschema.Schema {
	var more []*jsonschema.Schema
	for _, s := range flat {
		if len(s.Dependencies)+len(s.DependentSchemas) == 0 {
			continue
		}
		for _, name := range names {
			dep, _ := s.Dependencies[name].(*jsonschema.Schema)
			more = with(more, []*jsonschema.Schema{s.DependentSchemas[name], dep})
		}
	}
	return slices.DeleteFunc(more, func(s *jsonschema.Schema) bool { return slices.Contains(flat, s) })
}

// arrays makes an array of as few items as minItems and contains allow.
func (m *maker) arrays(flat []*jsonschema.Schema, avoid *taken) ([]any, error) {
	least, from := most(flat, func(s *jsonschema.Schema) *int { return s.MinItems })
	unique := false
	var held []*jsonschema.Schema // for item i, what contains asks for
	for _, s := range flat {
		unique = unique || s.UniqueItems
		if s.Contains == nil {
			continue
		}
		n := 1
		if s.MinContains != nil {
			n = *s.MinContains
		}
		if n > maxMade {
			return nil, fault(s, "minContains", "%d items are more than the %d made here", n, maxMade)
		}
		for range n {
			held = append(held, s.Contains)
		}
	}
	if least > maxMade {
		return nil, fault(from, "minItems", "%d items are more than the %d made here", least, maxMade)
	}
	made, want := &taken{values: []any{}}, &taken{} // the items, and what they may not be
	if unique {
		want = made
	}
	for i := 0; i < least || len(held) > 0 && i < maxMade; i++ {
		if made.size > maxSize {
			return nil, fault(from, "minItems", "the instance would be larger than %d bytes", maxSize)
		}
		all := itemsAt(flat, i)
		if len(held) > 0 {
			if v, err := m.item(with(slices.Clone(all), held[:1]), want); err == nil {
				made.add(v)
				held = held[1:]
				continue
			} else if i >= least+maxSkipped {
				return nil, err
			}
		}
		v, err := m.item(all, want)
		if err != nil {
			return nil, err
		}
		made.add(v)
	}
	a := made.values
	candidates := []any{a}
	for range min(len(avoid.values), spares) {
		if v, err := m.item(itemsAt(flat, len(a)), want); err == nil {
			a = append(slices.Clone(a), v)
			candidates = append(candidates, a)
		}
	}
	return candidates, nil
}

func (m *maker) item(all []*jsonschema.Schema, avoid *taken) (any, error) {
	if len(all) > 0 {
		return m.make(all, avoid)
	}
	if len(avoid.values) > 0 {
		return json.Number(strconv.Itoa(len(avoid.values))), nil
	}
	return map[string]any{}, nil
}

func itemsAt(flat []*jsonschema.Schema, i int) []*jsonschema.Schema {
	var all []*jsonschema.Schema
	for _, s := range flat {
		all = with(all, itemSchemas(s, i))
	}
	return all
}

// most is the largest of the counts, and the schema that asks for it.
func most(flat []*jsonschema.Schema, count func(*jsonschema.Schema) *int) (int, *jsonschema.Schema) {
	n, from := 0, flat[0]
	for _, s := range flat {
		if c := count(s); c != nil && *c > n {
			n, from = *c, s
		}
	}
	return n, from
}

// span is the numbers that the bounds leave.
type span struct {
	low, high         *big.Rat // nil: unbounded
	aboveLow, belowHi bool     // the bound itself is excluded
	step              *big.Rat // nil: any number
}

func spanOf(flat []*jsonschema.Schema) span {
	var p span
	raise := func(r *big.Rat, exclusive bool) {
		if r != nil && (p.low == nil || r.Cmp(p.low) > 0 || r.Cmp(p.low) == 0 && exclusive) {
			p.low, p.aboveLow = r, exclusive
		}
	}
	lower := func(r *big.Rat, exclusive bool) {
		if r != nil && (p.high == nil || r.Cmp(p.high) < 0 || r.Cmp(p.high) == 0 && exclusive) {
			p.high, p.belowHi = r, exclusive
		}
	}
	for _, s := range flat {
		raise(s.Minimum, false)
		raise(s.ExclusiveMinimum, true)
		lower(s.Maximum, false)
		lower(s.ExclusiveMaximum, true)
		if s.MultipleOf != nil && s.MultipleOf.Sign() > 0 {
			p.step = common(p.step, s.MultipleOf)
		}
	}
	return p
}

// common is the smallest number that is a multiple of both.
func common(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	lcm := x.Mul(x, y.Quo(y, gcd))
	return new(big.Rat).SetFrac(lcm, new(big.Int).Mul(a.Denom(), b.Denom()))
}

func (p span) holds(r *big.Rat) bool {
	if p.low != nil && (r.Cmp(p.low) < 0 || p.aboveLow && r.Cmp(p.low) == 0) {
		return false
	}
	return p.high == nil || r.Cmp(p.high) < 0 || !p.belowHi && r.Cmp(p.high) == 0
}

// numbers lists numbers within the bounds, next to zero first.
func numbers(flat []*jsonschema.Schema, integer bool, more int) []any {
	p := spanOf(flat)
	if integer {
		p.step = common(p.step, big.NewRat(1, 1))
	}
	var found []any
	if p.step != nil {
		found = p.multiples(p.step, more+spares)
	} else { // whole numbers, and for narrow bounds tenths, the bounds and their middle
		found = slices.Concat(p.multiples(big.NewRat(1, 1), more+spares), p.multiples(big.NewRat(1, 10), more+spares))
		for _, r := range []*big.Rat{p.low, p.high, p.middle()} {
			if r != nil && p.holds(r) {
				found = append(found, literal(r))
			}
		}
	}
	if len(found) == 0 { // the check will say which bound is at fault
		if p.low == nil {
			p.low = new(big.Rat)
		}
		return []any{literal(p.low)}
	}
	return found
}

// multiples lists up to n multiples of step within p, next to zero first.
func (p span) multiples(step *big.Rat, n int) []any {
	start := new(big.Int)
	switch {
	case p.low != nil && p.low.Sign() >= 0:
		start = quotient(p.low, step)
	case p.high != nil && p.high.Sign() <= 0:
		start = quotient(p.high, step)
	}
	var found []any
	for i := 0; i < 2*n+4 && len(found) < n; i++ {
		offset := int64((i + 1) / 2) // 0, 1, -1, 2, -2, …
		if i%2 == 0 {
			offset = -offset
		}
		k := new(big.Rat).SetInt(new(big.Int).Add(start, big.NewInt(offset)))
		if r := k.Mul(k, step); p.holds(r) {
			found = append(found, literal(r))
		}
	}
	return found
}

func (p span) middle() *big.Rat {
	if p.low == nil || p.high == nil {
		return nil
	}
	sum := new(big.Rat).Add(p.low, p.high)
	return sum.Mul(sum, big.NewRat(1, 2))
}

// quotient is a/b rounded down.
func quotient(a, b *big.Rat) *big.Int {
	q := new(big.Rat).Quo(a, b)
	return new(big.Int).Div(q.Num(), q.Denom())
}

// literal writes a finite decimal exactly.
func literal(r *big.Rat) json.Number {
	digits, _ := r.FloatPrec()
	return json.Number(r.FloatString(digits))
}
