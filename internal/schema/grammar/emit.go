package grammar

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
)

// maxEmitted bounds the schema that is made, in bytes.
const maxEmitted = 1 << 20

// nesting is how many values in each other are written in one place, since the
// engine reads JSON to a depth of 128.
const nesting = 6

// emitter writes states in the few words of JSON Schema in which the engine
// and this package were seen to agree.
type emitter struct {
	names int
	defs  []*state
	out   []byte
}

// emit writes the whole schema.
func emit(root *state) []byte {
	var e emitter
	e.count(root, 0)
	e.out = append(e.out, `{"x-guidance":{"whitespace_flexible":false}`...)
	for i, st := range e.defs {
		if i == 0 {
			e.out = append(e.out, `,"$defs":{`...)
		} else {
			e.out = append(e.out, ',')
		}
		e.out = append(quote(e.out, st.name), ':')
		e.body(st)
	}
	if len(e.defs) > 0 {
		e.out = append(e.out, '}')
	}
	at := len(e.out)
	e.state(root)
	e.out[at] = ',' // the members go on
	return e.out
}

// count gives a name to what is used more than once, or nested deeply.
func (e *emitter) count(st *state, depth int) {
	if st.uses++; st.scalars() {
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
	for _, s := range st.shapes {
		for _, next := range s.parts() {
			e.count(next, depth+1)
		}
	}
}

// parts lists the states in a shape.
func (s *shape) parts() []*state {
	parts := slices.Clone(s.prefix)
	for _, m := range s.members {
		parts = append(parts, m.value)
	}
	for _, r := range s.regions {
		parts = append(parts, r.value)
	}
	if s.rest != nil {
		parts = append(parts, s.rest)
	}
	return parts
}

func (e *emitter) state(st *state) {
	if st.name != "" {
		e.text(`{"$ref":`)
		e.out = quote(e.out, "#/$defs/"+st.name)
		e.text(`}`)
		return
	}
	e.body(st)
}

// value is a state, or false where no value may be.
func (e *emitter) value(st *state) {
	if st.finite {
		e.state(st)
	} else {
		e.text(`false`)
	}
}

func (e *emitter) text(s string) { e.out = append(e.out, s...) }

func (e *emitter) body(st *state) {
	if len(e.out) > maxEmitted {
		e.text(`{}`) // it is refused
		return
	}
	var literals, others []*shape
	for _, s := range st.shapes {
		if s.kind == "literal" {
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
			e.text(s.literal)
		}
		e.text(`]}`)
	}
	if several {
		e.text(`]}`)
	}
}

func (e *emitter) shape(s *shape) {
	e.text(`{"type":"` + s.kind + `"`)
	switch s.kind {
	case "string":
		e.counts("Length", s.low, s.high)
		for i, w := range s.whole {
			switch i {
			case 0:
				e.text(`,"pattern":`)
			case 1:
				e.text(`,"allOf":[{"pattern":`)
			default:
				e.text(`},{"pattern":`)
			}
			e.out = quote(e.out, anchored(w))
		}
		if len(s.whole) > 1 {
			e.text(`}]`)
		}
	case "integer", "number":
		e.numbers(s.numbers)
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

func (e *emitter) numbers(p span) {
	for _, bound := range []struct {
		name string
		r    *big.Rat
	}{{"minimum", p.low}, {"maximum", p.high}, {"multipleOf", p.step}} {
		if bound.r != nil {
			digits, _ := bound.r.FloatPrec()
			e.text(`,"` + bound.name + `":` + bound.r.FloatString(digits))
		}
	}
}

func (e *emitter) array(s *shape) {
	if len(s.prefix) > 0 {
		e.text(`,"prefixItems":[`)
		for i, st := range s.prefix {
			if i > 0 {
				e.text(",")
			}
			e.state(st)
		}
		e.text(`]`)
	}
	e.text(`,"items":`)
	if s.rest == nil {
		e.text(`false`)
	} else {
		e.state(s.rest)
	}
	e.counts("Items", s.low, s.high)
}

func (e *emitter) object(s *shape) {
	e.text(`,"properties":{`)
	required := []byte(`,"required":[`)
	n := len(required)
	for i, m := range s.members {
		if i > 0 {
			e.text(",")
		}
		e.out = append(quote(e.out, m.name), ':')
		e.value(m.value)
		if m.required {
			if len(required) > n {
				required = append(required, ',')
			}
			required = quote(required, m.name)
		}
	}
	e.text(`}`)
	e.out = append(append(e.out, required...), ']')
	if len(s.regions) > 0 {
		e.text(`,"patternProperties":{`)
		for i, r := range s.regions {
			if i > 0 {
				e.text(",")
			}
			e.out = append(quote(e.out, anchored(r.names)), ':')
			e.value(r.value)
		}
		e.text(`}`)
	}
	e.text(`,"additionalProperties":`)
	if s.rest == nil {
		e.text(`false`)
	} else {
		e.state(s.rest)
	}
	e.counts("Properties", s.low, s.high)
}

func unquote(text string) (s string, err error) {
	err = json.Unmarshal([]byte(text), &s)
	return s, err
}
