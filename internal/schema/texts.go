package schema

import (
	"cmp"
	"math"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// filler pads strings to their minimum length.
const filler = "a"

// maxRepeats bounds how many repetitions of a pattern are made longer in turn.
const maxRepeats = 16

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

// texts lists strings that may satisfy length, format and pattern, the
// shortest first.
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
			found := matching(s.Pattern.String(), least, more)
			m.work -= len(found) * (1 + len(s.Pattern.String())/32)
			list = append(list, found...)
		}
	}
	for i := range more + spares {
		word := letters(i)
		list = append(list, strings.Repeat(filler, max(0, least-len(word)))+word)
	}
	slices.SortStableFunc(list, func(a, b string) int {
		return cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	})
	candidates := make([]any, 0, len(list))
	for _, text := range slices.Compact(list) {
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
// shortest, some made longer to reach least, and some different ones. The
// caller checks them, so that anchors and boundaries may be ignored here.
func matching(pattern string, least, more int) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	sizes, count := map[*syntax.Regexp]int{}, min(repeats(re), maxRepeats)
	measure(re, sizes)
	example := func(w wish) string { return example(re, w, sizes) }
	shortest := example(wish{})
	list := []string{shortest}
	if short := least - utf8.RuneCountInString(shortest); short > 0 {
		list = append(list, shortest+strings.Repeat(filler, short), strings.Repeat(filler, short)+shortest)
		for i := range count {
			longer := example(wish{repeat: i + 1, times: 1})
			unit := utf8.RuneCountInString(longer) - utf8.RuneCountInString(shortest)
			if unit > 0 {
				list = append(list, example(wish{repeat: i + 1, times: (short + unit - 1) / unit}))
			}
		}
	}
	for i := range min(more+spares, maxMade) {
		list = append(list, example(wish{turn: i + 1}))
		if count > 0 {
			list = append(list, example(wish{repeat: i%count + 1, times: i/count + 1}))
		}
	}
	return list
}

// wish says how an example differs from the shortest one.
type wish struct {
	repeat int // which repetition goes on for longer, from 1; 0 for none
	times  int // how much longer
	turn   int // how far every choice of characters is turned
}

// repeats counts the repetitions in an expression.
func repeats(re *syntax.Regexp) int {
	n := 0
	if repeated(re) {
		n++
	}
	for _, sub := range re.Sub {
		n += repeats(sub)
	}
	return n
}

func repeated(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return true
	default:
		return false
	}
}

// measure notes the length of the shortest text of an expression and its parts.
func measure(re *syntax.Regexp, sizes map[*syntax.Regexp]int) int {
	n := 0
	for i, sub := range re.Sub {
		size := measure(sub, sizes)
		switch {
		case re.Op == syntax.OpAlternate && i > 0:
			n = min(n, size)
		case re.Op == syntax.OpStar || re.Op == syntax.OpQuest || re.Op == syntax.OpRepeat && re.Min == 0:
		case re.Op == syntax.OpRepeat:
			n += size * re.Min
		default:
			n += size
		}
	}
	switch re.Op {
	case syntax.OpLiteral:
		n = len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		n = 1
	default:
	}
	sizes[re] = n
	return n
}

// example writes one text that an expression matches.
func example(re *syntax.Regexp, w wish, sizes map[*syntax.Regexp]int) string {
	e := exampler{wish: w, sizes: sizes, steps: 4 * maxText}
	e.write(re)
	return e.text.String()
}

type exampler struct {
	wish  wish
	sizes map[*syntax.Regexp]int
	seen  int // repetitions met so far
	steps int // left
	text  strings.Builder
}

func (e *exampler) write(re *syntax.Regexp) {
	if e.steps--; e.steps < 0 {
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		e.text.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		e.text.WriteRune(pick(re.Rune, e.wish.turn))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		e.text.WriteString(letters(e.wish.turn % 26))
	case syntax.OpAlternate:
		e.alternate(re)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		e.repeat(re)
	default: // groups and concatenations have parts, anchors none
		for _, sub := range re.Sub {
			e.write(sub)
		}
	}
}

// alternate writes the shortest alternative, or the one whose turn it is, or
// the one with the repetition that shall go on.
func (e *exampler) alternate(re *syntax.Regexp) {
	best, size, at := re.Sub[0], math.MaxInt, e.seen
	first := e.seen
	for i, sub := range re.Sub {
		n := e.sizes[sub]
		within := repeats(sub)
		if e.wish.turn > 0 && e.wish.turn%len(re.Sub) == i {
			n = -1
		}
		if e.wish.repeat > first && e.wish.repeat <= first+within {
			n = -2
		}
		if n < size {
			best, size, at = sub, n, first
		}
		first += within
	}
	e.seen = at
	e.write(best)
	e.seen = first
}

func (e *exampler) repeat(re *syntax.Regexp) {
	low, high := 0, math.MaxInt
	switch re.Op {
	case syntax.OpPlus:
		low = 1
	case syntax.OpQuest:
		high = 1
	case syntax.OpRepeat:
		low = re.Min
		if re.Max >= 0 {
			high = re.Max
		}
	default:
	}
	e.seen++
	start := e.seen
	times := low
	if start == e.wish.repeat {
		times = min(low+e.wish.times, high, maxText)
	}
	within := repeats(re.Sub[0])
	if e.wish.repeat > start && e.wish.repeat <= start+within {
		times = max(times, 1)
	}
	for range times {
		e.seen = start
		e.write(re.Sub[0])
	}
	e.seen = start + within
}

// pick chooses a character of a class: small letters before digits before
// capitals before others.
func pick(class []rune, turn int) rune {
	const plain = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var found []rune
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
