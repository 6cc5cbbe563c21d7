package pattern

import (
	"regexp/syntax"
	"slices"
	"unicode"
)

// Verdict says whether some text satisfies several expressions.
type Verdict int

// The verdicts.
const (
	Unknown Verdict = iota // the search took too many steps
	None
	Some
)

// Search looks for a text of low to high characters (high < 0: any number)
// that all the expressions match wholly, walking through their automata together.
func Search(whole []string, low, high int, work *int) Verdict {
	progs := make([]*syntax.Prog, 0, len(whole))
	for _, w := range whole {
		re, err := syntax.Parse(`(?:`+w+`)`, syntax.Perl)
		if err != nil {
			return Unknown
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return Unknown
		}
		*work -= len(prog.Inst) / 8
		progs = append(progs, prog)
	}
	s := search{progs: progs, work: work, known: map[place][]uint32{}}
	level := s.add(map[string][]uint32{}, nil, s.starts())
	seen := map[string]bool{} // beyond low, a state met twice leads nowhere new
	for n := 0; len(level) > 0 && (high < 0 || n <= high); n++ {
		next := map[string][]uint32{}
		for key, at := range level {
			if *work -= 1 + len(key)/16; *work < 0 {
				return Unknown
			}
			if n >= low {
				if seen[key] {
					continue
				}
				seen[key] = true
				if s.matches(at) {
					return Some
				}
			}
			s.step(next, at)
		}
		level = next
	}
	return None
}

type search struct {
	progs []*syntax.Prog
	work  *int
	known map[place][]uint32
}

type place struct {
	prog int
	pc   uint32
}

// starts lists, for each automaton, the places reached without a character.
func (s *search) starts() [][]uint32 {
	sets := make([][]uint32, 0, len(s.progs))
	for i, p := range s.progs {
		sets = append(sets, s.closure(i, uint32(p.Start)))
	}
	return sets
}

// closure lists the places that consume a character, or match, reached from pc.
func (s *search) closure(prog int, pc uint32) []uint32 {
	from := place{prog, pc}
	if out, ok := s.known[from]; ok {
		return out
	}
	var out []uint32
	seen := map[uint32]bool{}
	stack := []uint32{pc}
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[pc] {
			continue
		}
		seen[pc] = true
		*s.work--
		switch i := s.progs[prog].Inst[pc]; i.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, i.Arg, i.Out)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			stack = append(stack, i.Out)
		case syntax.InstFail:
		default:
			out = append(out, pc)
		}
	}
	s.known[from] = out
	return out
}

// add puts every combination of the places into the level.
func (s *search) add(level map[string][]uint32, at []uint32, sets [][]uint32) map[string][]uint32 {
	if *s.work < 0 {
		return level
	}
	if len(at) == len(sets) {
		*s.work -= 1 + len(at)/2 // it is kept
		key := make([]byte, 0, 4*len(at))
		for _, pc := range at {
			key = append(key, byte(pc), byte(pc>>8), byte(pc>>16), byte(pc>>24))
		}
		level[string(key)] = slices.Clone(at)
		return level
	}
	for _, pc := range sets[len(at)] {
		s.add(level, append(at, pc), sets)
	}
	return level
}

func (s *search) matches(at []uint32) bool {
	for i, pc := range at {
		if s.progs[i].Inst[pc].Op != syntax.InstMatch {
			return false
		}
	}
	return true
}

// step adds where one character leads from a combination of places.
func (s *search) step(next map[string][]uint32, at []uint32) {
	// Delete is a character that the engine does not write.
	class := []rune{0, 0x7e, 0x80, 0xd7ff, 0xe000, unicode.MaxRune}
	sets := make([][]uint32, 0, len(at))
	for i, pc := range at {
		inst := s.progs[i].Inst[pc]
		if inst.Op == syntax.InstMatch {
			return
		}
		if class = common(class, ranges(inst)); len(class) == 0 {
			return
		}
		*s.work -= len(class) / 8
	}
	for i, pc := range at {
		sets = append(sets, s.closure(i, s.progs[i].Inst[pc].Out))
	}
	s.add(next, nil, sets)
}

// ranges is the characters that an instruction takes. The expressions are ours:
// without flags.
func ranges(i syntax.Inst) []rune {
	switch i.Op {
	case syntax.InstRuneAny:
		return []rune{0, unicode.MaxRune}
	case syntax.InstRuneAnyNotNL:
		return []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}
	default:
		if len(i.Rune) == 1 {
			return []rune{i.Rune[0], i.Rune[0]}
		}
		return i.Rune
	}
}

// common is the characters of both classes.
func common(a, b []rune) []rune {
	var out []rune
	for i, j := 0, 0; i+1 < len(a) && j+1 < len(b); {
		if low, high := max(a[i], b[j]), min(a[i+1], b[j+1]); low <= high {
			out = append(out, low, high)
		}
		if a[i+1] < b[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return out
}
