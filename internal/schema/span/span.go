// Package span calculates with ranges of numbers, exactly, and says which of
// them the engine keeps as they are.
package span

import (
	"math"
	"math/big"
	"strconv"
)

const (
	maxDigits = 15        // of bounds
	maxScale  = 12        // of them behind the point
	fineUnits = 1_000_000 // of numbers from zero on, in one
)

// Span is the numbers from Low to High, multiples of Step unless it is nil.
// Nil bounds are open, until Clamp.
type Span struct {
	Low, High, Step     *big.Rat
	AboveLow, BelowHigh bool // the bound itself is excluded
}

// Raise moves the lower bound up to r, and says whether it did.
func (p *Span) Raise(r *big.Rat, above bool) bool {
	if p.Low != nil && (r.Cmp(p.Low) < 0 || r.Cmp(p.Low) == 0 && !above) {
		return false
	}
	p.Low, p.AboveLow = r, above
	return true
}

// Lower moves the upper bound down to r, and says whether it did.
func (p *Span) Lower(r *big.Rat, below bool) bool {
	if p.High != nil && (r.Cmp(p.High) > 0 || r.Cmp(p.High) == 0 && !below) {
		return false
	}
	p.High, p.BelowHigh = r, below
	return true
}

// Clamp narrows p to what is enforced, and says whether it lay outside of it.
func (p *Span) Clamp(limit *big.Rat) (outside bool) {
	least := new(big.Rat).Neg(limit)
	outside = p.Low != nil && p.Low.Cmp(limit) > 0 || p.High != nil && p.High.Cmp(least) < 0
	if p.Low == nil || p.Low.Cmp(least) < 0 {
		p.Low, p.AboveLow = least, false
	}
	if p.High == nil || p.High.Cmp(limit) > 0 {
		p.High, p.BelowHigh = limit, false
	}
	return outside
}

// Empty says whether no number is left.
func (p *Span) Empty() bool {
	c := p.Low.Cmp(p.High)
	return c > 0 || c == 0 && (p.AboveLow || p.BelowHigh)
}

// Multiples is the first and the last factor whose multiple of step is in p.
func (p *Span) Multiples(step *big.Rat) (first, last *big.Int) {
	low, high := new(big.Rat).Quo(p.Low, step), new(big.Rat).Quo(p.High, step)
	first, last = ceil(low), floor(high)
	if p.AboveLow && low.IsInt() {
		first.Add(first, big.NewInt(1))
	}
	if p.BelowHigh && high.IsInt() {
		last.Sub(last, big.NewInt(1))
	}
	return first, last
}

// Round moves the bounds inwards to numbers of few digits, which are not
// excluded: the engine writes some that are.
func (p *Span) Round() {
	low, unit := rounded(p.Low, ceil)
	if p.AboveLow && low.Cmp(p.Low) == 0 {
		low.Add(low, unit)
	}
	high, unit := rounded(p.High, floor)
	if p.BelowHigh && high.Cmp(p.High) == 0 {
		high.Sub(high, unit)
	}
	*p = Span{Low: low, High: high, Step: p.Step}
}

// rounded is r with few digits, and the unit of the last.
func rounded(r *big.Rat, to func(*big.Rat) *big.Int) (near, unit *big.Rat) {
	whole := len(new(big.Int).Abs(floor(r)).String())
	digits := max(0, min(maxDigits-whole, maxScale))
	ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	near = new(big.Rat).SetInt(to(new(big.Rat).Mul(r, ten)))
	return near.Quo(near, ten), ten.Inv(ten)
}

// Decimal writes a number without an exponent, and says whether the engine
// keeps it as it is.
func Decimal(r *big.Rat) (string, bool) {
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

// Kept reports whether the engine keeps a step as it is. It multiplies it by ten in floating point until nothing is left
// behind the point.
func Kept(step *big.Rat) bool {
	digits, _ := step.FloatPrec()
	f, _ := step.Float64()
	for range digits {
		f *= 10
	}
	return f == math.Trunc(f)
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }

func ceil(r *big.Rat) *big.Int {
	return new(big.Int).Neg(floor(new(big.Rat).Neg(r)))
}

// Multiple is the smallest number that is a multiple of both.
func Multiple(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	return new(big.Rat).SetFrac(x.Mul(x, y.Quo(y, gcd)), new(big.Int).Mul(a.Denom(), b.Denom()))
}

// Fine gives numbers from zero on an end after a few digits, for a model can
// write digits without one. Of those below zero the engine makes no multiples.
func (p *Span) Fine() []Span {
	zero, unit := new(big.Rat), big.NewRat(1, fineUnits)
	switch {
	case p.Low.Sign() < 0 && p.High.Cmp(big.NewRat(1, 1)) >= 0:
		return []Span{{Low: zero, High: p.High, Step: unit}, {Low: p.Low, High: zero}}
	case p.Low.Sign() >= 0 && new(big.Rat).Sub(p.High, p.Low).Cmp(big.NewRat(1, 1)) >= 0:
		return []Span{{Low: p.Low, High: p.High, Step: unit}}
	}
	return []Span{*p}
}
