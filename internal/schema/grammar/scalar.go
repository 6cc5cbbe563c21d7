package grammar

import (
	"math/big"

	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
	"github.com/ingot-llm/ingot/internal/schema/shape"
	"github.com/ingot-llm/ingot/internal/schema/span"
)

// What texts and numbers are enforced within.
const (
	maxLength  = 1_000_000 // characters that a maximum may name
	minLength  = 64_000    // characters that a minimum may ask for
	maxInteger = 1<<53 - 1 // either way, as clients of all languages read it
	maxNumber  = 1e15      // either way
	maxFactor  = 1_000     // of multipleOf, in units of its last digit
	maxListed  = 256       // multiples that are listed
)

// strings makes the shape of strings.
func (b *builder) strings(st *shape.State, flat []*document.Node) error {
	low, high, from := b.limits(flat, "minLength", "maxLength")
	s := &shape.Shape{Kind: "string", Low: low, High: high}
	var last *document.Node
	for _, n := range flat {
		if _, ok := b.left[n]["pattern"]; !ok {
			if p, ok := n.Text("pattern"); ok {
				w, err := pattern.Whole(p)
				if err != nil {
					return problem(n, "pattern", "%v", err)
				}
				s.Whole, last = append(s.Whole, w), n
			}
		}
		if _, ok := b.left[n]["format"]; !ok {
			if f, ok := n.Text("format"); ok {
				s.Whole, last = append(s.Whole, pattern.Format(f)), n
			}
		}
	}
	switch {
	case high >= 0 && low > high:
		st.Fails(problem(from, keywordOf(from, "minLength", "maxLength"), "no length is left between %d and %d", low, high))
		return nil
	case low > minLength:
		if err := b.refuse(from, "minLength", "", "a text of %d characters is longer than the %d that are enforced", low, minLength); err != nil {
			return err
		}
		s.Low = 0
	}
	if s.High > maxLength {
		if err := b.refuse(from, "maxLength", "", "%d characters are more than the %d that are enforced: leave it out", high, maxLength); err != nil {
			return err
		}
		s.High = -1
	}
	if last != nil {
		switch pattern.Search(s.Whole, s.Low, s.High, b.work) {
		case pattern.None:
			st.Fails(problem(last, keywordOf(last, "pattern", "format"), "no text satisfies it together with the length and the other patterns"))
			return nil
		case pattern.Unknown:
			return b.errWork()
		case pattern.Some:
		}
		if err := b.together(s, flat, last); err != nil {
			return err
		}
	}
	st.Shapes = append(st.Shapes, s)
	return nil
}

// together refuses conditions that the engine cannot take together, the length or the format before the patterns.
func (b *builder) together(s *shape.Shape, flat []*document.Node, last *document.Node) error {
	var verdict pattern.Verdict
	s.Low, s.High, verdict = pattern.Joint(s.Whole, s.Low, s.High, b.work)
	switch verdict {
	case pattern.Some:
		return nil
	case pattern.Unknown:
		return b.errWork()
	case pattern.None:
	}
	keywords := []string{"minLength", "maxLength", "format", "pattern"}
	if len(s.Whole) > 1 && s.Low == 0 {
		keywords = keywords[2:]
	}
	for _, keyword := range keywords {
		for _, n := range flat {
			if b.inForce(n, keyword) != nil && (keyword != "pattern" || n == last) {
				return b.refuse(n, keyword, "", "no short text satisfies it together with the length and the other patterns, so that it cannot be enforced: put all of it into one pattern")
			}
		}
	}
	return b.errWork()
}

// number makes the shapes of numbers.
func (b *builder) number(st *shape.State, flat []*document.Node, integer bool) error {
	p := span.Span{}
	var from, stepper *document.Node
	for _, n := range flat {
		if b.bound(&p, n) {
			from = n
		}
		if r, ok := rational(b.inForce(n, "multipleOf")); ok && r.Sign() > 0 {
			p.Step, stepper = span.Multiple(p.Step, r), n
		}
	}
	if integer && p.Step != nil {
		p.Step = span.Multiple(p.Step, big.NewRat(1, 1))
	}
	kind := "number"
	if integer {
		kind = "integer"
	}
	outside := p.Clamp(limitOf(kind))
	if integer || p.Step != nil {
		step := p.Step
		if step == nil {
			step = big.NewRat(1, 1)
		}
		first, last := p.Multiples(step)
		if first.Cmp(last) > 0 {
			return b.nothing(st, kind, from, stepper, outside)
		}
		if p.Step != nil {
			return b.stepped(st, p, first, last, stepper, integer)
		}
		p = span.Span{Low: new(big.Rat).SetInt(first), High: new(big.Rat).SetInt(last)}
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: "integer", Numbers: p})
		return nil
	}
	if p.Empty() {
		return b.nothing(st, kind, from, nil, outside)
	}
	if p.Low.Cmp(p.High) == 0 {
		if text, exact := span.Decimal(p.Low); exact {
			st.Shapes = append(st.Shapes, &shape.Shape{Kind: "literal", Literal: text})
			return nil
		}
	}
	p.Round()
	if p.Empty() || p.Low.Cmp(p.High) == 0 {
		return b.widen(st, from, kind, "the range is too narrow to be enforced: list the numbers in enum")
	}
	for _, part := range p.Fine() {
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: "number", Numbers: part})
	}
	return nil
}

func boundKeywords() []string {
	return []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
}

// widen refuses the bounds of n, or leaves all of them out.
func (b *builder) widen(st *shape.State, n *document.Node, kind, format string, args ...any) error {
	for _, name := range boundKeywords() {
		if b.inForce(n, name) == nil {
			continue
		}
		if err := b.refuse(n, name, "", format, args...); err != nil {
			return err
		}
	}
	p := span.Span{}
	p.Clamp(limitOf(kind))
	st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p})
	return nil
}

// limitOf is how far from zero numbers are enforced.
func limitOf(kind string) *big.Rat {
	if kind == "integer" {
		return big.NewRat(maxInteger, 1)
	}
	return big.NewRat(maxNumber, 1)
}

// nothing says why there is no number.
func (b *builder) nothing(st *shape.State, kind string, from, stepper *document.Node, outside bool) error {
	switch {
	case outside:
		return b.widen(st, from, kind, "numbers beyond %d, and whole ones beyond %d, cannot be enforced", int64(maxNumber), int64(maxInteger))
	case stepper != nil:
		st.Fails(problem(stepper, "multipleOf", "no multiple is within the bounds"))
	default:
		st.Fails(problem(from, keywordOf(from, boundKeywords()...), "no number is left between the bounds"))
	}
	return nil
}

// bound narrows p to the bounds of n, in the words of any draft.
func (b *builder) bound(p *span.Span, n *document.Node) bool {
	found := false
	for _, name := range []string{"minimum", "exclusiveMinimum"} {
		r, ok := rational(b.inForce(n, name))
		above := name == "exclusiveMinimum" || n.Get("exclusiveMinimum").Is(true)
		found = ok && p.Raise(r, above) || found
	}
	for _, name := range []string{"maximum", "exclusiveMaximum"} {
		r, ok := rational(b.inForce(n, name))
		below := name == "exclusiveMaximum" || n.Get("exclusiveMaximum").Is(true)
		found = ok && p.Lower(r, below) || found
	}
	return found
}

// stepped makes the shapes of multiples: of a few each, of many those from zero on.
func (b *builder) stepped(st *shape.State, p span.Span, first, last *big.Int, from *document.Node, integer bool) error {
	if n := new(big.Int).Sub(last, first); n.IsInt64() && n.Int64() < maxListed {
		for k := new(big.Int).Set(first); k.Cmp(last) <= 0; k.Add(k, big.NewInt(1)) {
			text, exact := span.Decimal(new(big.Rat).Mul(new(big.Rat).SetInt(k), p.Step))
			if !exact {
				return problem(from, "multipleOf", "the multiples have too many digits to be enforced")
			}
			st.Shapes = append(st.Shapes, &shape.Shape{Kind: "literal", Literal: text})
		}
		return nil
	}
	digits, _ := p.Step.FloatPrec()
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	factor := unit.Mul(unit, p.Step)
	if digits > 6 || factor.Cmp(big.NewRat(maxFactor, 1)) > 0 || last.Sign() < 0 || !span.Kept(p.Step) {
		if err := b.refuse(from, "multipleOf", "", "so many multiples are enforced only from zero on, and of up to %d in units of the last of up to 6 digits, "+
			"and not where %s times ten, again and again, is no whole number in floating point", maxFactor, p.Step.FloatString(digits)); err != nil {
			return err
		}
		p.Step = nil
		kind := "number"
		if integer {
			kind = "integer"
			first, last = p.Multiples(big.NewRat(1, 1))
			p = span.Span{Low: new(big.Rat).SetInt(first), High: new(big.Rat).SetInt(last)}
		}
		p.Round()
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p})
		return nil
	}
	if first.Sign() < 0 {
		p.Low, p.AboveLow = new(big.Rat), false
	} else {
		p.Low, p.AboveLow = new(big.Rat).Mul(new(big.Rat).SetInt(first), p.Step), false
	}
	p.High, p.BelowHigh = new(big.Rat).Mul(new(big.Rat).SetInt(last), p.Step), false
	p.Round()
	kind := "number"
	if p.Step.IsInt() {
		kind = "integer"
	}
	st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p})
	return nil
}
