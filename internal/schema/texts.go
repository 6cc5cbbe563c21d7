package schema

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// filler pads strings to their minimum length.
const filler = "a"

// formatted holds the smallest sensible text of each format, and where
// padding may go in it.
type formatted struct{ before, after string }

func formatOf(name string) (formatted, bool) {
	f, ok := map[string]formatted{
		"date-time":             {"1970-01-01T00:00:00Z", ""},
		"date":                  {"1970-01-01", ""},
		"time":                  {"00:00:00Z", ""},
		"duration":              {"P0D", ""},
		"period":                {"1970-01-01T00:00:00Z/P0D", ""},
		"email":                 {"a", "@example.com"},
		"hostname":              {"a", ".example"},
		"ipv4":                  {"0.0.0.0", ""},
		"ipv6":                  {"::", ""},
		"uri":                   {"https://example.com/", ""},
		"iri":                   {"https://example.com/", ""},
		"uuid":                  {"00000000-0000-0000-0000-000000000000", ""},
		"relative-json-pointer": {"0", ""},
		"semver":                {"0.0.0", ""},
	}[name]
	return f, ok
}

// texts lists strings that may satisfy length, format and pattern.
func (m *maker) texts(flat []*jsonschema.Schema, more int) ([]any, error) {
	least, from := most(flat, func(s *jsonschema.Schema) *int { return s.MinLength })
	if least > maxText {
		return nil, fault(from, "minLength", "%d characters are more than the %d made here", least, maxText)
	}
	list := []string{strings.Repeat(filler, least)}
	for _, s := range flat {
		if s.Format != nil {
			if f, ok := formatOf(s.Format.Name); ok {
				have := utf8.RuneCountInString(f.before + f.after)
				list = append(list, f.before+strings.Repeat(filler, max(0, least-have))+f.after)
			}
			list = append(list, "/"+strings.Repeat(filler, max(0, least-1)))
		}
		if s.Pattern != nil {
			if m.work < 0 {
				return nil, errWork
			}
			list = append(list, m.matching(s.Pattern.String(), least, more)...)
		}
	}
	for i := range more + spares {
		word := letters(i)
		list = append(list, strings.Repeat(filler, max(0, least-len(word)))+word)
	}
	candidates := make([]any, 0, len(list))
	for _, text := range list {
		candidates = append(candidates, text)
	}
	return candidates, nil
}

// letters numbers words: a, b, …, z, aa, ab, ….
func letters(i int) string {
	var word []byte
	for ; i >= 0; i = i/26 - 1 {
		word = append(word, byte('a'+i%26))
	}
	slices.Reverse(word)
	return string(word)
}

// matching lists texts that match a regular expression, or nearly: its
// shortest, longer ones to reach least, and different ones. The caller checks
// them, so that anchors and boundaries may be ignored here.
func (m *maker) matching(pattern string, least, more int) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	sizes := map[*syntax.Regexp]size{}
	measure(re, sizes)
	example := func(extra, turn int) string {
		e := exampler{sizes: sizes, turn: turn, steps: 4 * maxText}
		e.write(re, extra)
		m.work -= 1 + (len(pattern)+4*maxText-e.steps)/32
		return e.text.String()
	}
	shortest := example(0, 0)
	list := []string{shortest}
	if short := least - utf8.RuneCountInString(shortest); short > 0 {
		pad := strings.Repeat(filler, short)
		list = append(list, shortest+pad, pad+shortest)
		if unit := utf8.RuneCountInString(example(1, 0)) - least + short; unit > 0 {
			list = append(list, example((short+unit-1)/unit, 0), example(short, 0))
		}
	}
	for i := range min(more+spares, maxMade) {
		list = append(list, example(0, i+1), example(i+1, 0))
	}
	return list
}

// size is the length of an expression's shortest text, and whether it has a
// repetition that could go on.
type size struct {
	least   int
	repeats bool
}

// measure notes the sizes of an expression and its parts.
func measure(re *syntax.Regexp, sizes map[*syntax.Regexp]size) size {
	var s size
	for i, sub := range re.Sub {
		part := measure(sub, sizes)
		s.repeats = s.repeats || part.repeats
		if re.Op == syntax.OpAlternate && i > 0 {
			s.least = min(s.least, part.least)
		} else {
			s.least += part.least
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		s.least = len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s.least = 1
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := times(re)
		s.least *= low
		s.repeats = s.repeats || high > low
	default:
	}
	sizes[re] = s
	return s
}

// times is how often a repetition may go round.
func times(re *syntax.Regexp) (low, high int) {
	switch {
	case re.Op == syntax.OpPlus:
		return 1, maxText
	case re.Op == syntax.OpQuest:
		return 0, 1
	case re.Op == syntax.OpRepeat && re.Max >= 0:
		return re.Min, re.Max
	case re.Op == syntax.OpRepeat:
		return re.Min, maxText
	}
	return 0, maxText
}

// exampler writes one text that an expression matches: the shortest where extra
// and turn are 0. The outer repetitions go round extra times more; every choice
// of a character is turned.
type exampler struct {
	sizes map[*syntax.Regexp]size
	turn  int
	steps int // left
	text  strings.Builder
}

func (e *exampler) write(re *syntax.Regexp, extra int) {
	if e.steps--; e.steps < 0 {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		e.text.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		e.text.WriteRune(pick(re.Rune, e.turn))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		e.text.WriteString(letters(e.turn % 26))
	case syntax.OpAlternate:
		best := re.Sub[e.turn%len(re.Sub)]
		for _, sub := range re.Sub {
			s, b := e.sizes[sub], e.sizes[best]
			if extra > 0 && s.repeats && !b.repeats || e.turn == 0 && s.least < b.least && (extra == 0 || s.repeats) {
				best = sub
			}
		}
		e.write(best, extra)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		low, high := times(re)
		for range min(low+extra, high) {
			e.write(re.Sub[0], 0)
		}
	default: // groups and concatenations have parts, anchors none
		for _, sub := range re.Sub {
			e.write(sub, extra)
		}
	}
}

// pick chooses a character of a class: small letters before digits before
// capitals before others.
func pick(class []rune, turn int) rune {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	found := make([]rune, 0, len(plain))
	for _, r := range plain {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= r && r <= class[i+1] {
				found = append(found, r)
			}
		}
	}
	if len(found) > 0 {
		return found[turn%len(found)]
	}
	if len(class) < 2 {
		return utf8.RuneError
	}
	return class[0] + rune(turn%int(class[1]-class[0]+1))
}
