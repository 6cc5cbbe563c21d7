package gbnf

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// pattern is an expression for the texts that match a whole regular expression, as they are written inside a JSON string.
func pattern(text string) (string, bool) {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writePattern(&b, re)
	return b.String(), true
}

func writePattern(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		for i, r := range re.Rune {
			if i > 0 {
				b.WriteByte(' ')
			}
			writeClass(b, []rune{r, r})
		}
		if len(re.Rune) == 0 {
			b.WriteString(`""`)
		}
	case syntax.OpCharClass:
		writeClass(b, re.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString("char")
	case syntax.OpCapture:
		writePattern(b, re.Sub[0])
	case syntax.OpStar:
		writeTimes(b, re.Sub[0], 0, -1)
	case syntax.OpPlus:
		writeTimes(b, re.Sub[0], 1, -1)
	case syntax.OpQuest:
		writeTimes(b, re.Sub[0], 0, 1)
	case syntax.OpRepeat:
		writeTimes(b, re.Sub[0], re.Min, re.Max)
	case syntax.OpConcat, syntax.OpAlternate:
		between := " "
		if re.Op == syntax.OpAlternate {
			between = " | "
		}
		b.WriteByte('(')
		for i, sub := range re.Sub {
			if i > 0 {
				b.WriteString(between)
			}
			writePattern(b, sub)
		}
		b.WriteByte(')')
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpNoMatch:
		b.WriteString(`""`)
	}
}

func writeTimes(b *strings.Builder, re *syntax.Regexp, low, high int) {
	b.WriteByte('(')
	writePattern(b, re)
	b.WriteByte(')')
	b.WriteString(times(low, high))
}

// writeClass writes one character of a set: as it is, or by its escape where JSON wants one.
func writeClass(b *strings.Builder, ranges []rune) {
	var plain, escaped strings.Builder
	for i := 0; i+1 < len(ranges); i += 2 {
		low, high := ranges[i], min(ranges[i+1], unicode.MaxRune)
		for _, special := range []rune{'\n', '\t', '\r', '"', '\\'} {
			if special >= low && special <= high {
				escaped.WriteString(` | "\\" ` + Quote(map[rune]string{'\n': "n", '\t': "t", '\r': "r", '"': `"`, '\\': `\`}[special]))
			}
		}
		writeRange(&plain, max(low, ' '), min(high, '"'-1))
		writeRange(&plain, max(low, '"'+1), min(high, '\\'-1))
		writeRange(&plain, max(low, '\\'+1), high)
	}
	switch {
	case plain.Len() == 0 && escaped.Len() == 0:
		b.WriteString(`""`)
	case plain.Len() == 0:
		b.WriteString("(" + strings.TrimPrefix(escaped.String(), " | ") + ")")
	case escaped.Len() == 0:
		b.WriteString("[" + plain.String() + "]")
	default:
		b.WriteString("([" + plain.String() + "]" + escaped.String() + ")")
	}
}

func writeRange(b *strings.Builder, low, high rune) {
	if low > high {
		return
	}
	writeRune(b, low)
	if low < high {
		b.WriteByte('-')
		writeRune(b, high)
	}
}
