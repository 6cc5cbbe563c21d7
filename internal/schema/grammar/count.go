package grammar

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/schema/shape"
)

// spell spells out the numbers of members that the engine cannot count.
func (b *builder) spell() error {
	for _, st := range b.order {
		var all []*shape.Shape
		for _, s := range st.Shapes {
			ways := []*shape.Shape{s}
			if s.Kind == "object" {
				var err error
				if ways, err = b.counted(s); err != nil {
					return err
				}
			}
			all = append(all, ways...)
		}
		st.Shapes = all
	}
	return nil
}

// counted makes shapes whose number of members the engine can count, which is
// so where none is optional, or where the choices are few enough to be listed.
func (b *builder) counted(s *shape.Shape) ([]*shape.Shape, error) {
	var must, may []shape.Member
	for _, m := range s.Members {
		switch {
		case m.Required:
			must = append(must, m)
		case m.Value.Finite:
			may = append(may, m)
		}
	}
	all := len(must) + len(may)
	if s.Low <= len(must) {
		s.Low = 0
	}
	if s.High >= all && !s.Open() {
		s.High = -1
	}
	switch {
	case s.Low == 0 && s.High < 0:
		return []*shape.Shape{s}, nil
	case s.Open() && s.Low > max(all, len(must)+1):
		// The engine would count a name twice.
		return []*shape.Shape{uncounted(s)}, b.refuse(b.counts[s], "minProperties", "", "so many members can be enforced only if they are named in properties")
	case s.Open() && len(may) == 0:
		return []*shape.Shape{s}, nil
	}
	// With optional members no other ones are invented.
	least := max(0, s.Low-len(must))
	most := len(may)
	if s.High >= 0 {
		most = min(most, s.High-len(must))
	}
	size := least
	if most < len(may) {
		size = most
	}
	var ways []*shape.Shape
	for _, chosen := range subsets(len(may), size, maxShapes) {
		way := &shape.Shape{Kind: "object", High: -1}
		i := 0
		for _, m := range s.Members {
			if !m.Required {
				if !m.Value.Finite {
					continue
				}
				taken := slices.Contains(chosen, i)
				i++
				if !taken && most < len(may) {
					continue
				}
				m.Required = taken && (most == len(may) || least > 0)
			}
			way.Members = append(way.Members, m)
		}
		ways = append(ways, way)
		if err := b.weigh(len(way.Members)); err != nil {
			return nil, err
		}
	}
	if len(ways) == 0 {
		keyword := keywordOf(b.counts[s], "minProperties", "maxProperties")
		return []*shape.Shape{uncounted(s)}, b.refuse(b.counts[s], keyword, "", "with so many members that may be left out it cannot be enforced: require more, or use anyOf")
	}
	return ways, nil
}

func uncounted(s *shape.Shape) *shape.Shape {
	out := *s
	out.Low, out.High = 0, -1
	return &out
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
