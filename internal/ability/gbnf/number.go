package gbnf

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// most is beyond what a number is written to: 15 digits.
const most = 1e15 - 1

// numbers is an expression for the numbers of a schema, between its bounds as far as whole parts say it.
func numbers(v jsonx.Value) string {
	low, high := bound(v, "minimum", -most), bound(v, "maximum", most)
	digits := fraction(v)
	if step := v.Get("multipleOf"); digits == 0 && !step.Null() {
		if listed := multiples(step, low, high); listed != "" {
			return listed
		}
	}
	var options []string
	if high >= 0 {
		options = append(options, magnitudes(max(0, low), high, digits)...)
	}
	if low < 0 {
		for _, o := range magnitudes(max(0, -high), -low, digits) {
			options = append(options, `"-" `+o)
		}
	}
	if len(options) == 0 {
		return `"0"`
	}
	return "(" + strings.Join(options, " | ") + ")"
}

func bound(v jsonx.Value, name string, absent float64) float64 {
	b, err := v.Get(name).Float()
	if err != nil {
		return absent
	}
	return max(-most, min(b, most))
}

// fraction is how many digits may follow the point.
func fraction(v jsonx.Value) int {
	step, isNumber := new(big.Rat).SetString(string(v.Get("multipleOf")))
	switch {
	case isNumber && step.IsInt(), v.Get("type").Text() == "integer":
		return 0
	case isNumber:
		if digits, exact := step.FloatPrec(); exact {
			return min(digits, 6)
		}
	}
	return 6
}

// multiples lists the multiples of a whole step, where they are few.
func multiples(step jsonx.Value, low, high float64) string {
	const few = 500
	n, err := step.Int()
	if err != nil || n < 1 {
		return ""
	}
	first, last := int64(math.Ceil(low/float64(n))), int64(math.Floor(high/float64(n)))
	if last-first >= few || last < first {
		return ""
	}
	var options []string
	for i := first; i <= last; i++ {
		options = append(options, Quote(strconv.FormatInt(i*n, 10)))
	}
	return "(" + strings.Join(options, " | ") + ")"
}

// magnitudes lists expressions for the numbers from low to high, neither below zero. Those with a fraction have a whole part
// after which any fraction is within the bounds.
func magnitudes(low, high float64, digits int) []string {
	from, to := uint64(math.Ceil(low)), uint64(math.Floor(high))
	var options []string
	if digits > 0 {
		if from < to {
			options = append(options, "("+strings.Join(between(from, to-1), " | ")+fmt.Sprintf(`) "." [0-9]{1,%d}`, digits))
		}
		if low > 0 && low < float64(from) && from <= to+1 || from > to { // one whole part, and not all fractions
			options = append(options, steps(low, high, digits)...)
		}
	}
	if from <= to {
		options = append(options, between(from, to)...)
	}
	return options
}

// steps lists some numbers with a fraction where the bounds are so near that no whole part allows all fractions.
func steps(low, high float64, digits int) []string {
	var options []string
	for d := 1; d <= min(digits, 3); d++ {
		scale := math.Pow10(d)
		for i := math.Ceil(low * scale); i <= high*scale && len(options) < 100; i++ {
			text := strconv.FormatFloat(i/scale, 'f', d, 64)
			if x, err := strconv.ParseFloat(text, 64); err == nil && x >= low && x <= high {
				options = append(options, Quote(text))
			}
		}
	}
	return options
}

// between lists expressions for the whole numbers from low to high.
func between(low, high uint64) []string {
	var options []string
	for low <= high {
		a := strconv.FormatUint(low, 10)
		end := uint64(math.Pow10(len(a))) - 1
		b := strconv.FormatUint(min(end, high), 10)
		options = append(options, sameLength(a, b)...)
		low = end + 1
	}
	return options
}

// sameLength lists expressions for the digits from a to b.
func sameLength(a, b string) []string {
	n := len(a)
	switch {
	case n == 0:
		return []string{`""`}
	case strings.Trim(a, "0") == "" && strings.Trim(b, "9") == "":
		return []string{fmt.Sprintf("[0-9]{%d}", n)}
	case a[0] == b[0]:
		return after(a[0], sameLength(a[1:], b[1:]))
	}
	options := after(a[0], sameLength(a[1:], strings.Repeat("9", n-1)))
	if a[0]+1 < b[0] {
		middle := fmt.Sprintf("[%c-%c]", a[0]+1, b[0]-1)
		if n > 1 {
			middle += fmt.Sprintf(" [0-9]{%d}", n-1)
		}
		options = append(options, middle)
	}
	return append(options, after(b[0], sameLength(strings.Repeat("0", n-1), b[1:]))...)
}

func after(digit byte, rest []string) []string {
	for i := range rest {
		rest[i] = fmt.Sprintf("%q %s", string(digit), rest[i])
	}
	return rest
}
