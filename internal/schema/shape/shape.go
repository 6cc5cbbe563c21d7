// Package shape is what values may look like, as a graph that may refer to
// itself: it finds what can be written to its end, and writes the graph as a
// schema of the few keywords in which the engine is trusted.
package shape

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/span"
)

// State is a value: everything that is allowed is one of its shapes. States are
// built by one goroutine.
type State struct {
	Shapes []*Shape
	Finite bool          // some shape can be written to its end: see Settle
	why    *schema.Error // of the first shape that cannot be made
	uses   int
	name   string // in the definitions, if it has one
}

// Shape is one alternative: a scalar, or what one type allows.
type Shape struct {
	Kind string // literal, boolean, null, string, integer, number, array, object

	Literal string // JSON text of a scalar

	Low, High int      // characters, items or members; High < 0: no limit
	Whole     []string // expressions that a whole string matches

	Numbers span.Span

	Prefix []*State
	Rest   *State // further items, or members of names that nothing else takes; nil: none

	Members []Member
	Regions []Region
}

// Member is a member of an object.
type Member struct {
	Name     string
	Value    *State
	Required bool
}

// Region is the members whose names match an expression wholly.
type Region struct {
	Names string
	Value *State
}

// Fails notes why a shape is impossible.
func (st *State) Fails(why *schema.Error) {
	if st.why == nil {
		st.why = why
	}
}

// Scalars says whether no shape has parts.
func (st *State) Scalars() bool {
	return !slices.ContainsFunc(st.Shapes, func(s *Shape) bool { return s.Kind == "array" || s.Kind == "object" })
}

// Alternatives is the number of shapes that are more than a literal.
func (st *State) Alternatives() int {
	n := 0
	for _, s := range st.Shapes {
		if s.Kind != "literal" {
			n++
		}
	}
	return n
}

// Settle finds the states that can be written to their end.
func Settle(order []*State) {
	for changed := true; changed; {
		changed = false
		for _, st := range slices.Backward(order) {
			if !st.Finite && slices.ContainsFunc(st.Shapes, (*Shape).ends) {
				st.Finite, changed = true, true
			}
		}
	}
}

// ends says whether a shape can be written to its end, as far as is known.
func (s *Shape) ends() bool {
	switch s.Kind {
	case "array":
		return s.room() < 0 || s.room() >= s.Low
	case "object":
		named := 0
		for _, m := range s.Members {
			if m.Required && !m.Value.Finite {
				return false
			}
			if m.Value.Finite {
				named++
			}
		}
		return s.Open() || named >= s.Low
	}
	return true
}

// room is how many items an array can have, negative if any number.
func (s *Shape) room() int {
	for i, p := range s.Prefix {
		if !p.Finite {
			return i
		}
	}
	if s.Rest == nil || !s.Rest.Finite {
		return len(s.Prefix)
	}
	return -1
}

// Open says whether an object can have members that are not named.
func (s *Shape) Open() bool {
	return s.Rest != nil && s.Rest.Finite || slices.ContainsFunc(s.Regions, func(r Region) bool { return r.Value.Finite })
}

// Reason says why a state cannot be written to its end; nil if only because it
// needs itself.
func (st *State) Reason() *schema.Error { return st.reason(map[*State]bool{}) }

func (st *State) reason(seen map[*State]bool) *schema.Error {
	if seen[st] {
		return nil
	}
	seen[st] = true
	for _, s := range st.Shapes {
		for _, part := range s.needs() {
			if why := part.reason(seen); why != nil {
				return why
			}
		}
	}
	return st.why
}

// needs lists the parts without which a shape cannot be written, and that
// cannot be written themselves.
func (s *Shape) needs() []*State {
	var parts []*State
	for _, m := range s.Members {
		if m.Required {
			parts = append(parts, m.Value)
		}
	}
	parts = append(parts, s.Prefix...)
	if s.Rest != nil {
		parts = append(parts, s.Rest)
	}
	return slices.DeleteFunc(parts, func(st *State) bool { return st.Finite })
}

// Prune removes what cannot be written to its end, after Settle.
func Prune(order []*State) {
	for _, st := range order {
		st.Shapes = slices.DeleteFunc(st.Shapes, func(s *Shape) bool { return !s.ends() })
		for _, s := range st.Shapes {
			switch s.Kind {
			case "array":
				s.cut()
			case "object":
				s.close()
			}
		}
	}
}

// cut leaves the items that can be written.
func (s *Shape) cut() {
	if room := s.room(); room >= 0 {
		s.Rest = nil
		s.Prefix = s.Prefix[:room]
	}
	if s.High >= 0 && s.High <= len(s.Prefix) {
		s.Prefix, s.Rest = s.Prefix[:s.High], nil
	}
	if s.Rest == nil {
		s.High = -1 // the prefix says it
	}
}

// close leaves the members that can be written. Other names stay forbidden
// where members may be invented.
func (s *Shape) close() {
	if s.Rest != nil && !s.Rest.Finite {
		s.Rest = nil
	}
	if s.Rest == nil {
		s.Regions = slices.DeleteFunc(s.Regions, func(r Region) bool { return !r.Value.Finite })
	}
	open := s.Open()
	s.Members = slices.DeleteFunc(s.Members, func(m Member) bool { return !m.Value.Finite && !open })
}
