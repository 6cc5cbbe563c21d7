// Package pattern rewrites regular expressions and formats of JSON Schema as
// expressions for whole texts, in words that all engines read alike.
package pattern

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"

	"github.com/ingot-llm/ingot/internal/schema"
)

const maxBytes = 1_000 // of one expression

var (
	errBoundary = errors.New(`\b and \B cannot be enforced: write the neighbouring characters`)
	errAnchor   = errors.New("^ and $ can be enforced only at the ends of an alternative")
	errFlag     = errors.New("the flag m cannot be enforced")
)

// Whole rewrites an ECMA pattern, which may match anywhere in a text, as an
// expression for the whole text, without anchors and in the words that the
// engine and Go share. Where dialects differ, as about what is no letter, it
// takes what all agree on.
func Whole(pattern string) (string, error) { return rewrite(pattern, true) }

// Exact is Whole without narrowing: exactly what Validate takes.
func Exact(pattern string) (string, error) { return rewrite(pattern, false) }

func rewrite(pattern string, narrow bool) (string, error) {
	if len(pattern) > maxBytes {
		return "", fmt.Errorf("the pattern is longer than %d bytes", maxBytes)
	}
	re, err := schema.ParsePattern(pattern)
	if err != nil {
		return "", fmt.Errorf("%q cannot be enforced: %w", pattern, err)
	}
	if re, err = edge(re, true); err == nil {
		re, err = edge(re, false)
	}
	if err != nil {
		return "", err
	}
	w := writer{narrow: narrow}
	w.write(re)
	return w.String(), w.err
}

// opener stands for anything at an end that is not anchored.
func opener() *syntax.Regexp {
	return &syntax.Regexp{Op: syntax.OpStar, Sub: []*syntax.Regexp{{Op: syntax.OpAnyChar}}}
}

// edge removes the anchors of one end, and opens that end where there is None.
func edge(re *syntax.Regexp, left bool) (*syntax.Regexp, error) {
	anchor := syntax.OpEndText
	if left {
		anchor = syntax.OpBeginText
	}
	switch re.Op {
	case anchor:
		return &syntax.Regexp{Op: syntax.OpEmptyMatch}, nil
	case syntax.OpCapture:
		return edge(re.Sub[0], left)
	case syntax.OpAlternate:
		out := &syntax.Regexp{Op: syntax.OpAlternate}
		for _, sub := range re.Sub {
			next, err := edge(sub, left)
			if err != nil {
				return nil, err
			}
			out.Sub = append(out.Sub, next)
		}
		return out, nil
	case syntax.OpConcat:
		subs := slices.Clone(re.Sub)
		i := 0
		if !left {
			i = len(subs) - 1
		}
		next, err := edge(subs[i], left)
		subs[i] = next
		return &syntax.Regexp{Op: syntax.OpConcat, Sub: subs}, err
	default:
		parts := []*syntax.Regexp{re, opener()}
		if left {
			parts = []*syntax.Regexp{opener(), re}
		}
		return &syntax.Regexp{Op: syntax.OpConcat, Sub: parts}, nil
	}
}

// writer writes an expression in simple words.
type writer struct {
	strings.Builder
	narrow bool
	err    error
}

func (w *writer) write(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		w.WriteString("(?:)")
	case syntax.OpNoMatch:
		w.class(nil)
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			class := []rune{r, r}
			if re.Flags&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					class = append(class, f, f)
				}
			}
			w.class(class)
		}
	case syntax.OpCharClass:
		if w.narrow {
			w.class(agreed(re.Rune))
		} else {
			w.class(re.Rune)
		}
	case syntax.OpAnyChar:
		w.WriteString("(?s:.)")
	case syntax.OpAnyCharNotNL: // all line ends of ECMA
		if w.narrow {
			w.class([]rune{0, '\t', '\v', '\f', 0xe, '\u2027', '\u202a', unicode.MaxRune})
		} else {
			w.class([]rune{0, '\t', '\v', unicode.MaxRune})
		}
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range re.Sub {
			w.write(sub)
		}
	case syntax.OpAlternate:
		w.WriteString("(?:")
		for i, sub := range re.Sub {
			if i > 0 {
				w.WriteByte('|')
			}
			w.write(sub)
		}
		w.WriteByte(')')
	case syntax.OpStar:
		w.repeat(re.Sub[0], "*")
	case syntax.OpPlus:
		w.repeat(re.Sub[0], "+")
	case syntax.OpQuest:
		w.repeat(re.Sub[0], "?")
	case syntax.OpRepeat:
		times := fmt.Sprintf("{%d,%d}", re.Min, re.Max)
		if re.Max < 0 {
			times = fmt.Sprintf("{%d,}", re.Min)
		}
		w.repeat(re.Sub[0], times)
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		w.err = errBoundary
	case syntax.OpBeginLine, syntax.OpEndLine:
		w.err = errFlag
	default:
		w.err = errAnchor
	}
}

func (w *writer) repeat(re *syntax.Regexp, times string) {
	w.WriteString("(?:")
	w.write(re)
	w.WriteString(")" + times)
}

// class writes a set of characters. Halves of surrogate pairs are None.
func (w *writer) class(ranges []rune) {
	if len(ranges) == 2 && ranges[0] == ranges[1] {
		if r := ranges[0]; r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			w.WriteRune(r)
			return
		}
	}
	var b strings.Builder
	add := func(low, high rune) {
		if low <= high {
			fmt.Fprintf(&b, `\x{%x}-\x{%x}`, low, high)
		}
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := ranges[i], ranges[i+1]
		add(low, min(high, 0xd7ff))
		add(max(low, 0xe000), high)
	}
	if b.Len() == 0 {
		w.WriteString(`[^\x{0}-\x{10ffff}]`)
		return
	}
	w.WriteString("[" + b.String() + "]")
}

// agreed takes from the negated classes \D, \W and \S, what some dialects count
// as digits, letters and spaces.
func agreed(class []rune) []rune {
	for _, c := range []struct {
		name   string
		others []*unicode.RangeTable
	}{
		{`\D`, []*unicode.RangeTable{unicode.Nd}},
		{`\W`, []*unicode.RangeTable{unicode.L, unicode.N, unicode.M, unicode.Pc}},
		{`\S`, []*unicode.RangeTable{unicode.Z, unicode.White_Space}},
	} {
		re, err := syntax.Parse(c.name, syntax.Perl)
		if err != nil || !slices.Equal(re.Rune, class) {
			continue
		}
		if c.name == `\S` {
			class = without(class, 0x1c, 0x1f)
			class = without(class, 0xfeff, 0xfeff)
		}
		for _, t := range c.others {
			for _, r := range t.R16 {
				class = withoutStride(class, rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
			for _, r := range t.R32 {
				class = withoutStride(class, rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
		}
		return class
	}
	return class
}

func withoutStride(class []rune, low, high, stride rune) []rune {
	if stride == 1 {
		return without(class, low, high)
	}
	for r := low; r <= high; r += stride {
		class = without(class, r, r)
	}
	return class
}

// without takes a range out of a sorted class.
func without(class []rune, low, high rune) []rune {
	var out []rune
	for i := 0; i+1 < len(class); i += 2 {
		a, b := class[i], class[i+1]
		if b < low || a > high {
			out = append(out, a, b)
			continue
		}
		if a < low {
			out = append(out, a, low-1)
		}
		if b > high {
			out = append(out, high+1, b)
		}
	}
	return out
}
