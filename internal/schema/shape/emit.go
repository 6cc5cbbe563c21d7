package shape

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema/document"
)

// nesting is how many values in each other are written in one place, since the
// engine reads JSON to a depth of 128.
const nesting = 6

// maxRanges is how many different ranges of numbers the engine is given, whose
// automata are the largest.
const maxRanges = 300

// emitter writes states in the few words of JSON Schema in which the engine
// and this package were seen to agree.
type emitter struct {
	limit  int
	names  int
	defs   []*State
	ranges map[string]string // definitions of those met again, empty for those met once
	order  []string          // of the ranges in definitions
	out    []byte
}

// Emit writes the states as a self-contained JSON Schema, without white space.
// It says whether the engine can take it: up to limit bytes, and not too many
// ranges of numbers.
func Emit(root *State, limit int) (text []byte, ok bool) {
	e := emitter{limit: limit, ranges: map[string]string{}}
	e.count(root, 0)
	e.state(root)
	body := e.out
	e.out = []byte(`{"x-guidance":{"whitespace_flexible":false}`)
	comma := `,"$defs":{`
	for _, st := range e.defs {
		e.text(comma)
		e.out = append(document.Quote(e.out, st.name), ':')
		e.body(st)
		comma = ","
	}
	for i := 0; i < len(e.order); i++ {
		e.text(comma)
		e.out = append(document.Quote(e.out, e.ranges[e.order[i]]), ':')
		e.text(e.order[i])
		comma = ","
	}
	if comma == "," {
		e.text(`}`)
	}
	e.text(",")
	e.out = append(e.out, body[1:]...)
	return e.out, len(e.out) <= limit && len(e.ranges) <= maxRanges
}

// count gives a name to what is used more than once, or nested deeply.
func (e *emitter) count(st *State, depth int) {
	if st.uses++; st.Scalars() {
		return
	}
	if (st.uses == 2 || depth > nesting) && st.name == "" {
		e.names++
		st.name = "d" + strconv.Itoa(e.names)
		e.defs = append(e.defs, st)
		depth = 0
	}
	if st.uses > 1 {
		return
	}
	for _, s := range st.Shapes {
		for _, next := range s.parts() {
			e.count(next, depth+1)
		}
	}
}

// parts lists the states in a shape.
func (s *Shape) parts() []*State {
	parts := slices.Clone(s.Prefix)
	for _, m := range s.Members {
		parts = append(parts, m.Value)
	}
	for _, r := range s.Regions {
		parts = append(parts, r.Value)
	}
	if s.Rest != nil {
		parts = append(parts, s.Rest)
	}
	return parts
}

func (e *emitter) state(st *State) {
	if st.name != "" {
		e.refer(st.name)
		return
	}
	e.body(st)
}

// value is a state, or false where no value may be.
func (e *emitter) value(st *State) {
	if st.Finite {
		e.state(st)
	} else {
		e.text(`false`)
	}
}

func (e *emitter) text(s string) { e.out = append(e.out, s...) }

func (e *emitter) body(st *State) {
	var literals, others []*Shape
	for _, s := range st.Shapes {
		if s.Kind == "literal" {
			literals = append(literals, s)
		} else {
			others = append(others, s)
		}
	}
	several := len(others) > 1 || len(others) == 1 && len(literals) > 0
	if several {
		e.text(`{"anyOf":[`)
	}
	for i, s := range others {
		if i > 0 {
			e.text(",")
		}
		e.shape(s)
	}
	if len(literals) > 0 {
		if len(others) > 0 {
			e.text(",")
		}
		e.text(`{"enum":[`)
		for i, s := range literals {
			if i > 0 {
				e.text(",")
			}
			e.text(s.Literal)
		}
		e.text(`]}`)
	}
	if several {
		e.text(`]}`)
	}
}

func (e *emitter) shape(s *Shape) {
	if len(e.out) > e.limit {
		e.text(`{}`)
		return
	}
	if s.Kind == "integer" || s.Kind == "number" {
		e.numbers(s)
		return
	}
	e.text(`{"type":"` + s.Kind + `"`)
	switch s.Kind {
	case "string":
		e.counts("Length", s.Low, s.High)
		for i, w := range s.Whole {
			switch i {
			case 0:
				e.text(`,"pattern":`)
			case 1:
				e.text(`,"allOf":[{"pattern":`)
			default:
				e.text(`},{"pattern":`)
			}
			e.out = document.Quote(e.out, anchored(w))
		}
		if len(s.Whole) > 1 {
			e.text(`}]`)
		}
	case "array":
		e.array(s)
	case "object":
		e.object(s)
	}
	e.text(`}`)
}

func anchored(whole string) string { return `^(?:` + whole + `)$` }

func (e *emitter) counts(of string, low, high int) {
	if low > 0 {
		e.text(`,"min` + of + `":` + strconv.Itoa(low))
	}
	if high >= 0 {
		e.text(`,"max` + of + `":` + strconv.Itoa(high))
	}
}

// numbers writes a range, and from the second time on refers to it.
func (e *emitter) numbers(s *Shape) {
	p := s.Numbers
	var b strings.Builder
	b.WriteString(`{"type":"` + s.Kind + `"`)
	for _, bound := range []struct {
		name string
		r    *big.Rat
	}{{"minimum", p.Low}, {"maximum", p.High}, {"multipleOf", p.Step}} {
		if bound.r != nil {
			digits, _ := bound.r.FloatPrec()
			b.WriteString(`,"` + bound.name + `":` + bound.r.FloatString(digits))
		}
	}
	text := b.String() + `}`
	name, met := e.ranges[text]
	switch {
	case !met:
		e.ranges[text] = ""
		e.text(text)
		return
	case name == "":
		name = "n" + strconv.Itoa(len(e.order)+1)
		e.ranges[text] = name
		e.order = append(e.order, text)
	}
	e.refer(name)
}

func (e *emitter) refer(name string) {
	e.text(`{"$ref":`)
	e.out = document.Quote(e.out, "#/$defs/"+name)
	e.text(`}`)
}

func (e *emitter) array(s *Shape) {
	if len(s.Prefix) > 0 {
		e.text(`,"prefixItems":[`)
		for i, st := range s.Prefix {
			if i > 0 {
				e.text(",")
			}
			e.state(st)
		}
		e.text(`]`)
	}
	e.text(`,"items":`)
	if s.Rest == nil {
		e.text(`false`)
	} else {
		e.state(s.Rest)
	}
	e.counts("Items", s.Low, s.High)
}

func (e *emitter) object(s *Shape) {
	e.text(`,"properties":{`)
	required := []byte(`,"required":[`)
	n := len(required)
	for i, m := range s.Members {
		if i > 0 {
			e.text(",")
		}
		e.out = append(document.Quote(e.out, m.Name), ':')
		e.value(m.Value)
		if m.Required {
			if len(required) > n {
				required = append(required, ',')
			}
			required = document.Quote(required, m.Name)
		}
	}
	e.text(`}`)
	e.out = append(append(e.out, required...), ']')
	if len(s.Regions) > 0 {
		e.text(`,"patternProperties":{`)
		for i, r := range s.Regions {
			if i > 0 {
				e.text(",")
			}
			e.out = append(document.Quote(e.out, anchored(r.Names)), ':')
			e.value(r.Value)
		}
		e.text(`}`)
	}
	e.text(`,"additionalProperties":`)
	if s.Rest == nil {
		e.text(`false`)
	} else {
		e.state(s.Rest)
	}
	e.counts("Properties", s.Low, s.High)
}
