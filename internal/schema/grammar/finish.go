package grammar

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/schema"
)

// settle finds the states that can be written to their end.
func settle(order []*state) {
	for changed := true; changed; {
		changed = false
		for _, st := range slices.Backward(order) {
			if !st.finite && slices.ContainsFunc(st.shapes, (*shape).ends) {
				st.finite, changed = true, true
			}
		}
	}
}

// ends says whether a shape can be written to its end, as far as is known.
func (s *shape) ends() bool {
	switch s.kind {
	case "array":
		return s.room() < 0 || s.room() >= s.low
	case "object":
		named := 0
		for _, m := range s.members {
			if m.required && !m.value.finite {
				return false
			}
			if m.value.finite {
				named++
			}
		}
		return s.open() || named >= s.low
	}
	return true
}

// room is how many items an array can have, negative if any number.
func (s *shape) room() int {
	for i, p := range s.prefix {
		if !p.finite {
			return i
		}
	}
	if s.rest == nil || !s.rest.finite {
		return len(s.prefix)
	}
	return -1
}

// open says whether an object can have members that are not named.
func (s *shape) open() bool {
	return s.rest != nil && s.rest.finite || slices.ContainsFunc(s.regions, func(r region) bool { return r.value.finite })
}

// reason says why a state cannot be written to its end.
func (st *state) reason(seen map[*state]bool) *schema.Error {
	if seen[st] {
		return nil
	}
	seen[st] = true
	for _, s := range st.shapes {
		for _, m := range s.members {
			if m.required && !m.value.finite {
				if why := m.value.reason(seen); why != nil {
					return why
				}
			}
		}
		for _, p := range append(slices.Clone(s.prefix), s.rest) {
			if p != nil && !p.finite {
				if why := p.reason(seen); why != nil {
					return why
				}
			}
		}
		if s.kind == "object" && s.from != nil && len(s.members) < s.low {
			return problem(s.from, "minProperties", "there are not that many members")
		}
	}
	return st.why
}

// prune removes what cannot be written to its end, and spells out the numbers
// of members that the engine cannot count.
func (b *builder) prune() error {
	for _, st := range b.order {
		var kept []*shape
		for _, s := range st.shapes {
			if !s.ends() {
				continue
			}
			switch s.kind {
			case "array":
				s.cut()
			case "object":
				s.close()
				ways, err := b.counted(s)
				if err != nil {
					return err
				}
				kept = append(kept, ways...)
				continue
			}
			kept = append(kept, s)
		}
		st.shapes = kept
	}
	return nil
}

// cut leaves the items that can be written.
func (s *shape) cut() {
	if room := s.room(); room >= 0 {
		s.rest = nil
		s.prefix = s.prefix[:room]
	}
	if s.high >= 0 && s.high <= len(s.prefix) {
		s.prefix, s.rest = s.prefix[:s.high], nil
	}
	if s.rest == nil {
		s.high = -1 // the prefix says it
	}
}

// close leaves the members that can be written. Their names stay forbidden
// where others may be invented.
func (s *shape) close() {
	if s.rest != nil && !s.rest.finite {
		s.rest = nil
	}
	if s.rest == nil {
		s.regions = slices.DeleteFunc(s.regions, func(r region) bool { return !r.value.finite })
	}
	open := s.open()
	s.members = slices.DeleteFunc(s.members, func(m member) bool { return !m.value.finite && !open })
}

// counted makes shapes whose number of members the engine can count, which is
// so where none is optional, or where the choices are few enough to be listed.
func (b *builder) counted(s *shape) ([]*shape, error) {
	var must, may []member
	for _, m := range s.members {
		switch {
		case m.required:
			must = append(must, m)
		case m.value.finite:
			may = append(may, m)
		}
	}
	all := len(must) + len(may)
	if s.low <= len(must) {
		s.low = 0
	}
	if s.high >= all && !s.open() {
		s.high = -1
	}
	switch {
	case s.low == 0 && s.high < 0:
		return []*shape{s}, nil
	case s.open() && s.low > max(all, len(must)+1):
		// The engine would count a name twice.
		return []*shape{s.uncounted()}, b.refuse(s.from, "minProperties", "", "so many members can be enforced only if they are named in properties")
	case s.open() && len(may) == 0:
		return []*shape{s}, nil
	}
	// With optional members no other ones are invented.
	least := max(0, s.low-len(must))
	most := len(may)
	if s.high >= 0 {
		most = min(most, s.high-len(must))
	}
	size := least
	if most < len(may) {
		size = most
	}
	var ways []*shape
	for _, chosen := range subsets(len(may), size, maxShapes) {
		way := &shape{kind: "object", high: -1, members: slices.Clone(must)}
		for i, m := range may {
			m.required = slices.Contains(chosen, i) && (most == len(may) || least > 0)
			if most == len(may) || slices.Contains(chosen, i) {
				way.members = append(way.members, m)
			}
		}
		way.sort(s.members)
		ways = append(ways, way)
	}
	if len(ways) == 0 {
		keyword := keywordOf(s.from, "minProperties", "maxProperties")
		return []*shape{s.uncounted()}, b.refuse(s.from, keyword, "", "with so many members that may be left out it cannot be enforced: require more, or use anyOf")
	}
	return ways, nil
}

func (s *shape) uncounted() *shape {
	out := *s
	out.low, out.high = 0, -1
	return &out
}

// sort puts members into the order of others.
func (s *shape) sort(as []member) {
	place := func(m member) int { return slices.IndexFunc(as, func(o member) bool { return o.name == m.name }) }
	slices.SortFunc(s.members, func(a, b member) int { return place(a) - place(b) })
}

// subsets lists those of size k of n things, none if there are more than limit.
func subsets(n, k, limit int) [][]int {
	var all [][]int
	var choose func(from int, chosen []int)
	choose = func(from int, chosen []int) {
		if len(all) > limit {
			return
		}
		if len(chosen) == k {
			all = append(all, slices.Clone(chosen))
			return
		}
		for i := from; i <= n-(k-len(chosen)); i++ {
			choose(i+1, append(chosen, i))
		}
	}
	choose(0, nil)
	if len(all) > limit {
		return nil
	}
	return all
}
