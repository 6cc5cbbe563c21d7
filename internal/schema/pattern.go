package schema

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// pattern is a compiled regular expression with the number of its instructions.
type pattern struct {
	*regexp.Regexp
	program int
}

// programOf is the number of instructions of an expression that compilePattern made.
func programOf(r jsonschema.Regexp) int {
	if p, ok := r.(pattern); ok {
		return p.program
	}
	return 0
}

var errProgram = errors.New("the patterns repeat too much: write them with smaller counts")

// compilePattern compiles an ECMA regular expression with Go's engine, which
// is linear in the text and has neither look-around nor back references.
func compilePattern(text string) (jsonschema.Regexp, error) {
	program, err := measureProgram(text)
	if err != nil {
		return nil, err
	}
	if program > maxProgram {
		return nil, errProgram
	}
	re, err := regexp.Compile(hexEscapes(text))
	if err != nil {
		return nil, err
	}
	return pattern{re, program}, nil
}

// patterns takes what a member's regular expressions need from what is left.
// Those that do not parse are left to the compiler, which knows where they are.
func (b *bounds) patterns(member string, v any) error {
	take := func(text string) error {
		if program, err := measureProgram(text); err == nil {
			b.program -= program
		}
		if b.program < 0 {
			return errProgram
		}
		return nil
	}
	switch v := v.(type) {
	case string:
		if member == "pattern" {
			return take(v)
		}
	case map[string]any:
		if member != "patternProperties" {
			break
		}
		for text := range v {
			if err := take(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureProgram counts the instructions of an expression without compiling it.
func measureProgram(text string) (int, error) {
	if len(text) > maxPattern {
		return 0, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	re, err := ParsePattern(text)
	if err != nil {
		return 0, err
	}
	return instructions(re), nil
}

// ParsePattern reads an ECMA regular expression as Validate does.
func ParsePattern(text string) (*syntax.Regexp, error) {
	return syntax.Parse(hexEscapes(text), syntax.Perl)
}

// instructions is about as many as re compiles to, where 1,000 bytes of
// pattern make a million at most, since repeats multiply.
func instructions(re *syntax.Regexp) int {
	const runes = 32 // of a character class, that take the memory of an instruction
	n := 1 + len(re.Rune)/runes
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += 1 + instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(re.Min+1, re.Max)
	}
	return n
}

var escape = regexp.MustCompile(`(?s)\\(?:u[0-9a-fA-F]{4}|.)`)

// hexEscapes writes the \u0041 of ECMA as the \x{0041} of Go.
func hexEscapes(pattern string) string {
	return escape.ReplaceAllStringFunc(pattern, func(e string) string {
		if len(e) == len(`\u0041`) && e[1] == 'u' {
			return `\x{` + e[2:] + `}`
		}
		return e
	})
}
