package grammar

import (
	"math/big"
	"strconv"

	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
	"github.com/ingot-llm/ingot/internal/schema/shape"
)

// What texts and numbers are enforced within.
const (
	maxLength  = 1_000_000 // characters that a maximum may name
	minLength  = 64_000    // characters that a minimum may ask for
	maxInteger = 1<<53 - 1 // either way, as clients of all languages read it
	maxNumber  = 1e15      // either way
	maxDigits  = 15        // of a number's bounds and of numbers that are listed
	maxScale   = 12        // of them behind the point
	maxFactor  = 1_000     // of multipleOf, in units of its last digit
	maxListed  = 256       // multiples that are listed
	fineUnits  = 1_000_000 // of other numbers from zero on, in one
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
	}
	st.Shapes = append(st.Shapes, s)
	return nil
}

// span is a shape's span whose ends can be excluded, and open: nil.
type span struct {
	shape.Span
	aboveLow, belowHigh bool
}

// number makes the shapes of numbers.
func (b *builder) number(st *shape.State, flat []*document.Node, integer bool) error {
	p := span{}
	var from, stepper *document.Node
	for _, n := range flat {
		if b.bound(&p, n) {
			from = n
		}
		if r, ok := rational(b.inForce(n, "multipleOf")); ok && r.Sign() > 0 {
			p.Step, stepper = multiple(p.Step, r), n
		}
	}
	if integer && p.Step != nil {
		p.Step = multiple(p.Step, big.NewRat(1, 1))
	}
	kind := "number"
	if integer {
		kind = "integer"
	}
	outside := p.clamp(limitOf(kind))
	if integer || p.Step != nil {
		step := p.Step
		if step == nil {
			step = big.NewRat(1, 1)
		}
		first, last := p.multiples(step)
		if first.Cmp(last) > 0 {
			return b.nothing(st, kind, from, stepper, outside)
		}
		if p.Step != nil {
			return b.stepped(st, p, first, last, stepper, integer)
		}
		p.Low, p.High = new(big.Rat).SetInt(first), new(big.Rat).SetInt(last)
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: "integer", Numbers: p.Span})
		return nil
	}
	if p.empty() {
		return b.nothing(st, kind, from, nil, outside)
	}
	if p.Low.Cmp(p.High) == 0 {
		if text, exact := decimal(p.Low); exact {
			st.Shapes = append(st.Shapes, &shape.Shape{Kind: "literal", Literal: text})
			return nil
		}
	}
	p.round()
	if p.empty() || p.Low.Cmp(p.High) == 0 {
		return b.widen(st, from, kind, "the range is too narrow to be enforced: list the numbers in enum")
	}
	for _, part := range p.fine() {
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: "number", Numbers: part})
	}
	return nil
}

// fine gives numbers from zero on an end after a few digits, for a model can
// write digits without one. Of those below zero the engine makes no multiples.
func (p *span) fine() []shape.Span {
	zero, unit := new(big.Rat), big.NewRat(1, fineUnits)
	switch {
	case p.Low.Sign() < 0 && p.High.Cmp(big.NewRat(1, 1)) >= 0:
		return []shape.Span{{Low: zero, High: p.High, Step: unit}, {Low: p.Low, High: zero}}
	case p.Low.Sign() >= 0 && new(big.Rat).Sub(p.High, p.Low).Cmp(big.NewRat(1, 1)) >= 0:
		return []shape.Span{{Low: p.Low, High: p.High, Step: unit}}
	}
	return []shape.Span{p.Span}
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
	p := span{}
	p.clamp(limitOf(kind))
	st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p.Span})
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
func (b *builder) bound(p *span, n *document.Node) bool {
	found := false
	for _, name := range []string{"minimum", "exclusiveMinimum"} {
		r, ok := rational(b.inForce(n, name))
		above := name == "exclusiveMinimum" || n.Get("exclusiveMinimum").Is(true)
		if ok && (p.Low == nil || r.Cmp(p.Low) > 0 || r.Cmp(p.Low) == 0 && above) {
			p.Low, p.aboveLow, found = r, above, true
		}
	}
	for _, name := range []string{"maximum", "exclusiveMaximum"} {
		r, ok := rational(b.inForce(n, name))
		below := name == "exclusiveMaximum" || n.Get("exclusiveMaximum").Is(true)
		if ok && (p.High == nil || r.Cmp(p.High) < 0 || r.Cmp(p.High) == 0 && below) {
			p.High, p.belowHigh, found = r, below, true
		}
	}
	return found
}

// clamp narrows p to what is enforced, and says whether it lay outside of it.
func (p *span) clamp(limit *big.Rat) (outside bool) {
	least := new(big.Rat).Neg(limit)
	outside = p.Low != nil && p.Low.Cmp(limit) > 0 || p.High != nil && p.High.Cmp(least) < 0
	if p.Low == nil || p.Low.Cmp(least) < 0 {
		p.Low, p.aboveLow = least, false
	}
	if p.High == nil || p.High.Cmp(limit) > 0 {
		p.High, p.belowHigh = limit, false
	}
	return outside
}

func (p *span) empty() bool {
	c := p.Low.Cmp(p.High)
	return c > 0 || c == 0 && (p.aboveLow || p.belowHigh)
}

// multiples is the first and the last factor whose multiple of step is in p.
func (p *span) multiples(step *big.Rat) (first, last *big.Int) {
	low, high := new(big.Rat).Quo(p.Low, step), new(big.Rat).Quo(p.High, step)
	first, last = ceil(low), floor(high)
	if p.aboveLow && low.IsInt() {
		first.Add(first, big.NewInt(1))
	}
	if p.belowHigh && high.IsInt() {
		last.Sub(last, big.NewInt(1))
	}
	return first, last
}

// stepped makes the shapes of multiples: of a few each, of many those from zero on.
func (b *builder) stepped(st *shape.State, p span, first, last *big.Int, from *document.Node, integer bool) error {
	if n := new(big.Int).Sub(last, first); n.IsInt64() && n.Int64() < maxListed {
		for k := new(big.Int).Set(first); k.Cmp(last) <= 0; k.Add(k, big.NewInt(1)) {
			text, exact := decimal(new(big.Rat).Mul(new(big.Rat).SetInt(k), p.Step))
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
	if digits > 6 || factor.Cmp(big.NewRat(maxFactor, 1)) > 0 || last.Sign() < 0 {
		if err := b.refuse(from, "multipleOf", "", "so many multiples are enforced only from zero on, and of up to %d in units of the last of up to 6 digits", maxFactor); err != nil {
			return err
		}
		p.Step = nil
		kind := "number"
		if integer {
			kind = "integer"
		}
		p.round()
		st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p.Span})
		return nil
	}
	if first.Sign() < 0 {
		p.Low, p.aboveLow = new(big.Rat), false
	} else {
		p.Low, p.aboveLow = new(big.Rat).Mul(new(big.Rat).SetInt(first), p.Step), false
	}
	p.High, p.belowHigh = new(big.Rat).Mul(new(big.Rat).SetInt(last), p.Step), false
	p.round()
	kind := "number"
	if p.Step.IsInt() {
		kind = "integer"
	}
	st.Shapes = append(st.Shapes, &shape.Shape{Kind: kind, Numbers: p.Span})
	return nil
}

// round moves the bounds inwards to numbers of few digits, which are not
// excluded: the engine writes some that are.
func (p *span) round() {
	low, unit := rounded(p.Low, ceil)
	if p.aboveLow && low.Cmp(p.Low) == 0 {
		low.Add(low, unit)
	}
	high, unit := rounded(p.High, floor)
	if p.belowHigh && high.Cmp(p.High) == 0 {
		high.Sub(high, unit)
	}
	*p = span{Span: shape.Span{Low: low, High: high, Step: p.Step}}
}

// rounded is r with few digits, and the unit of the last.
func rounded(r *big.Rat, to func(*big.Rat) *big.Int) (near, unit *big.Rat) {
	whole := len(new(big.Int).Abs(floor(r)).String())
	digits := max(0, min(maxDigits-whole, maxScale))
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	near = new(big.Rat).SetInt(to(new(big.Rat).Mul(r, ten)))
	return near.Quo(near, ten), ten.Inv(ten)
}

// decimal writes a number without an exponent, and says whether the engine
// keeps it as it is.
func decimal(r *big.Rat) (string, bool) {
	if r.IsInt() {
		return r.Num().String(), r.Num().IsInt64()
	}
	digits, exact := r.FloatPrec()
	if !exact || digits > maxScale {
		return "", false
	}
	text := r.FloatString(digits)
	f, err := strconv.ParseFloat(text, 64)
	return text, err == nil && strconv.FormatFloat(f, 'f', -1, 64) == text
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

func ceil(r *big.Rat) *big.Int {
	return new(big.Int).Neg(floor(new(big.Rat).Neg(r)))
}

// multiple is the smallest number that is a multiple of both.
func multiple(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	return new(big.Rat).SetFrac(x.Mul(x, y.Quo(y, gcd)), new(big.Int).Mul(a.Denom(), b.Denom()))
}
