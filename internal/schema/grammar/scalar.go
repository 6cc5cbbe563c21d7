package grammar

import (
	"math/big"
	"strconv"
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
)

// text makes the shape of strings.
func (b *builder) text(st *state, flat []*node) error {
	low, high, from := b.limits(flat, "minLength", "maxLength")
	s := &shape{kind: "string", low: low, high: high}
	var last *node
	for _, n := range flat {
		if _, ok := b.left[n]["pattern"]; !ok {
			if p, ok := n.text("pattern"); ok {
				w, err := wholly(p)
				if err != nil {
					return problem(n, "pattern", "%v", err)
				}
				s.whole, last = append(s.whole, w), n
			}
		}
		if _, ok := b.left[n]["format"]; !ok {
			if f, ok := n.text("format"); ok {
				s.whole, last = append(s.whole, formatOf(f)), n
			}
		}
	}
	switch {
	case high >= 0 && low > high:
		st.fails(problem(from, keywordOf(from, "minLength", "maxLength"), "no length is left between %d and %d", low, high))
		return nil
	case low > minLength:
		if err := b.refuse(from, "minLength", "", "a text of %d characters is longer than the %d that are enforced", low, minLength); err != nil {
			return err
		}
		s.low = 0
	}
	if s.high > maxLength {
		if err := b.refuse(from, "maxLength", "", "%d characters are more than the %d that are enforced: leave it out", high, maxLength); err != nil {
			return err
		}
		s.high = -1
	}
	if last != nil {
		switch inhabited(s.whole, s.low, s.high, b.work) {
		case none:
			st.fails(problem(last, keywordOf(last, "pattern", "format"), "no text satisfies it together with the length and the other patterns"))
			return nil
		case unknown:
			return b.errWork()
		case some:
		}
	}
	st.shapes = append(st.shapes, s)
	return nil
}

// span is the numbers that the bounds leave.
type span struct {
	low, high           *big.Rat
	aboveLow, belowHigh bool     // the bound itself is excluded
	step                *big.Rat // nil: any
}

// number makes the shapes of numbers.
func (b *builder) number(st *state, flat []*node, integer bool) error {
	p := span{}
	var from, stepper *node
	for _, n := range flat {
		if b.bound(&p, n) {
			from = n
		}
		if r, ok := rational(b.inForce(n, "multipleOf")); ok && r.Sign() > 0 {
			p.step, stepper = multiple(p.step, r), n
		}
	}
	if integer && p.step != nil {
		p.step = multiple(p.step, big.NewRat(1, 1))
	}
	kind := "number"
	if integer {
		kind = "integer"
	}
	outside := p.clamp(limitOf(kind))
	if integer || p.step != nil {
		step := p.step
		if step == nil {
			step = big.NewRat(1, 1)
		}
		first, last := p.multiples(step)
		if first.Cmp(last) > 0 {
			return b.nothing(st, kind, from, stepper, outside)
		}
		if p.step != nil {
			return b.stepped(st, p, first, last, stepper, integer)
		}
		p = span{low: new(big.Rat).SetInt(first), high: new(big.Rat).SetInt(last)}
		st.shapes = append(st.shapes, &shape{kind: "integer", numbers: p})
		return nil
	}
	if p.empty() {
		return b.nothing(st, kind, from, nil, outside)
	}
	if p.low.Cmp(p.high) == 0 {
		if text, exact := decimal(p.low); exact {
			st.shapes = append(st.shapes, &shape{kind: "literal", literal: text})
			return nil
		}
	}
	p.round()
	if p.empty() || p.low.Cmp(p.high) == 0 {
		return b.widen(st, from, kind, "the range is too narrow to be enforced: list the numbers in enum")
	}
	st.shapes = append(st.shapes, &shape{kind: "number", numbers: p})
	return nil
}

func boundKeywords() []string {
	return []string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}
}

// widen refuses the bounds of n, or leaves all of them out.
func (b *builder) widen(st *state, n *node, kind, format string, args ...any) error {
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
	st.shapes = append(st.shapes, &shape{kind: kind, numbers: p})
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
func (b *builder) nothing(st *state, kind string, from, stepper *node, outside bool) error {
	switch {
	case outside:
		return b.widen(st, from, kind, "numbers beyond %d, and whole ones beyond %d, cannot be enforced", int64(maxNumber), int64(maxInteger))
	case stepper != nil:
		st.fails(problem(stepper, "multipleOf", "no multiple is within the bounds"))
	default:
		st.fails(problem(from, keywordOf(from, boundKeywords()...), "no number is left between the bounds"))
	}
	return nil
}

// bound narrows p to the bounds of n, in the words of any draft.
func (b *builder) bound(p *span, n *node) bool {
	found := false
	for _, name := range []string{"minimum", "exclusiveMinimum"} {
		r, ok := rational(b.inForce(n, name))
		above := name == "exclusiveMinimum" || n.get("exclusiveMinimum").is(true)
		if ok && (p.low == nil || r.Cmp(p.low) > 0 || r.Cmp(p.low) == 0 && above) {
			p.low, p.aboveLow, found = r, above, true
		}
	}
	for _, name := range []string{"maximum", "exclusiveMaximum"} {
		r, ok := rational(b.inForce(n, name))
		below := name == "exclusiveMaximum" || n.get("exclusiveMaximum").is(true)
		if ok && (p.high == nil || r.Cmp(p.high) < 0 || r.Cmp(p.high) == 0 && below) {
			p.high, p.belowHigh, found = r, below, true
		}
	}
	return found
}

// clamp narrows p to what is enforced, and says whether it lay outside of it.
func (p *span) clamp(limit *big.Rat) (outside bool) {
	least := new(big.Rat).Neg(limit)
	outside = p.low != nil && p.low.Cmp(limit) > 0 || p.high != nil && p.high.Cmp(least) < 0
	if p.low == nil || p.low.Cmp(least) < 0 {
		p.low, p.aboveLow = least, false
	}
	if p.high == nil || p.high.Cmp(limit) > 0 {
		p.high, p.belowHigh = limit, false
	}
	return outside
}

func (p *span) empty() bool {
	c := p.low.Cmp(p.high)
	return c > 0 || c == 0 && (p.aboveLow || p.belowHigh)
}

// multiples is the first and the last factor whose multiple of step is in p.
func (p *span) multiples(step *big.Rat) (first, last *big.Int) {
	low, high := new(big.Rat).Quo(p.low, step), new(big.Rat).Quo(p.high, step)
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
func (b *builder) stepped(st *state, p span, first, last *big.Int, from *node, integer bool) error {
	if n := new(big.Int).Sub(last, first); n.IsInt64() && n.Int64() < maxListed {
		for k := new(big.Int).Set(first); k.Cmp(last) <= 0; k.Add(k, big.NewInt(1)) {
			text, exact := decimal(new(big.Rat).Mul(new(big.Rat).SetInt(k), p.step))
			if !exact {
				return problem(from, "multipleOf", "the multiples have too many digits to be enforced")
			}
			st.shapes = append(st.shapes, &shape{kind: "literal", literal: text})
		}
		return nil
	}
	digits, _ := p.step.FloatPrec()
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	factor := unit.Mul(unit, p.step)
	if digits > 6 || factor.Cmp(big.NewRat(maxFactor, 1)) > 0 || last.Sign() < 0 {
		if err := b.refuse(from, "multipleOf", "", "so many multiples are enforced only from zero on, and of up to %d in units of the last of up to 6 digits", maxFactor); err != nil {
			return err
		}
		p.step = nil
		kind := "number"
		if integer {
			kind = "integer"
		}
		p.round()
		st.shapes = append(st.shapes, &shape{kind: kind, numbers: p})
		return nil
	}
	if first.Sign() < 0 {
		p.low, p.aboveLow = new(big.Rat), false
	} else {
		p.low, p.aboveLow = new(big.Rat).Mul(new(big.Rat).SetInt(first), p.step), false
	}
	p.high, p.belowHigh = new(big.Rat).Mul(new(big.Rat).SetInt(last), p.step), false
	p.round()
	kind := "number"
	if p.step.IsInt() {
		kind = "integer"
	}
	st.shapes = append(st.shapes, &shape{kind: kind, numbers: p})
	return nil
}

// round moves the bounds inwards to numbers of few digits, which are not
// excluded: the engine writes some that are.
func (p *span) round() {
	low, unit := rounded(p.low, ceil)
	if p.aboveLow && low.Cmp(p.low) == 0 {
		low.Add(low, unit)
	}
	high, unit := rounded(p.high, floor)
	if p.belowHigh && high.Cmp(p.high) == 0 {
		high.Sub(high, unit)
	}
	*p = span{low: low, high: high, step: p.step}
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
