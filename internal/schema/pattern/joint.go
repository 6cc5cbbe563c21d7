package pattern

import "regexp/syntax"

// How many characters the shortest text may have that satisfies several conditions: before the engine begins it looks for
// one, and soon gives up.
const (
	mostOfTwo  = 20 // a length and one expression
	mostOfMore = 10
)

// Joint says whether the engine can be told of a length and expressions that hold for the same text; some text must
// satisfy them. Bounds that follow from a single expression are lifted first.
func Joint(whole []string, low, high int, work *int) (newLow, newHigh int, verdict Verdict) {
	if len(whole) == 1 && implied(whole, low, high, work) {
		low, high = 0, -1
	}
	most := mostOfTwo
	switch {
	case len(whole) > 1:
		most = mostOfMore
	case low == 0 && high < 0, uniform(whole[0]):
		return low, high, Some
	}
	if high >= 0 {
		most = min(most, high)
	}
	if low > most {
		return low, high, None
	}
	return low, high, Search(whole, low, most, work)
}

// implied reports whether it is soon seen that no text which matches has another length.
func implied(whole []string, low, high int, work *int) bool {
	const most, steps = 500, 2_000
	if low > most || high > most {
		return false
	}
	effort := min(*work, steps)
	left := effort
	ok := (low == 0 || Search(whole, 0, low-1, &left) == None) && (high < 0 || Search(whole, high+1, -1, &left) == None)
	*work -= effort - left
	return ok
}

// uniform reports whether an expression is one class of characters, again and again.
func uniform(whole string) bool {
	re, err := syntax.Parse(whole, syntax.Perl)
	return err == nil && classes(re) == 1 && repeats(re) == 1
}

func classes(re *syntax.Regexp) (n int) {
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	default:
		for _, sub := range re.Sub {
			n += classes(sub)
		}
	}
	return n
}

func repeats(re *syntax.Regexp) (n int) {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		n = 1
	default:
	}
	for _, sub := range re.Sub {
		n += repeats(sub)
	}
	return n
}
