package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/engine/schedule"
)

// at is a child used last at the given second.
func at(name string, memory uint64, second int) schedule.Child {
	return schedule.Child{Name: name, Memory: memory, LastUsed: time.Unix(int64(second), 0)}
}

func inUse(c schedule.Child) schedule.Child {
	c.InUse = true
	return c
}

func leaving(c schedule.Child) schedule.Child {
	c.Leaving = true
	return c
}

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		running    []schedule.Child
		need, free uint64
		action     schedule.Action
		evict      []string
		most       uint64
	}{
		"starts when it just fits":                 {nil, 10, 10, schedule.Start, nil, 10},
		"starts beside idle ones":                  {[]schedule.Child{at("a", 5, 1)}, 10, 10, schedule.Start, nil, 15},
		"starts when it takes nothing":             {nil, 0, 0, schedule.Start, nil, 0},
		"is impossible alone":                      {nil, 11, 10, schedule.Impossible, nil, 10},
		"is impossible whatever ends":              {[]schedule.Child{at("a", 5, 1), inUse(at("b", 5, 2))}, 21, 10, schedule.Impossible, nil, 20},
		"evicts the only idle one":                 {[]schedule.Child{at("a", 5, 1)}, 12, 10, schedule.Evict, []string{"a"}, 15},
		"evicts the least recently used":           {[]schedule.Child{at("new", 5, 3), at("old", 5, 1), at("mid", 5, 2)}, 12, 10, schedule.Evict, []string{"old"}, 25},
		"evicts several, the oldest first":         {[]schedule.Child{at("new", 5, 3), at("old", 5, 1), at("mid", 5, 2)}, 20, 10, schedule.Evict, []string{"old", "mid"}, 25},
		"decides equal ages by name":               {[]schedule.Child{at("b", 5, 1), at("a", 5, 1)}, 12, 10, schedule.Evict, []string{"a"}, 20},
		"keeps a small old one that does not help": {[]schedule.Child{at("small", 1, 1), at("large", 9, 2)}, 19, 10, schedule.Evict, []string{"large"}, 20},
		"passes over one in use":                   {[]schedule.Child{inUse(at("old", 5, 1)), at("new", 5, 2)}, 12, 10, schedule.Evict, []string{"new"}, 20},
		"waits for one in use":                     {[]schedule.Child{inUse(at("a", 5, 1))}, 12, 10, schedule.Wait, nil, 15},
		"evicts nothing when that is not enough":   {[]schedule.Child{inUse(at("a", 5, 1)), at("b", 1, 0)}, 12, 10, schedule.Wait, nil, 16},
		"waits for one that leaves already":        {[]schedule.Child{leaving(at("a", 5, 1)), at("b", 5, 0)}, 12, 10, schedule.Wait, nil, 20},
		"counts one that leaves and evicts more":   {[]schedule.Child{leaving(at("a", 5, 1)), at("b", 5, 0), at("c", 5, 2)}, 18, 10, schedule.Evict, []string{"b"}, 25},
		"does not evict one that answers its last": {[]schedule.Child{leaving(inUse(at("a", 5, 1)))}, 12, 10, schedule.Wait, nil, 15},
		"does not wrap around":                     {[]schedule.Child{at("a", math.MaxUint64, 1), at("b", math.MaxUint64, 2)}, math.MaxUint64, 1, schedule.Evict, []string{"a"}, math.MaxUint64},
	} {
		t.Run(name, func(t *testing.T) {
			got := schedule.Plan(c.running, schedule.Want{Name: "wanted", Memory: c.need}, c.free)
			want := schedule.Decision{Action: c.action, Evict: c.evict, Need: c.need, Free: c.free, Most: c.most}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnImpossibleWishNamesBothNumbers(t *testing.T) {
	d := schedule.Plan(nil, schedule.Want{Name: "big", Memory: 7 << 30}, 512<<20)
	if s := d.String(); !strings.Contains(s, "7.0 GiB") || !strings.Contains(s, "512 MiB") {
		t.Errorf("got %q", s)
	}
}

func TestNoPlanEvictsWithoutNeed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[schedule.Action]int{}
	for round := range 20_000 {
		children := map[string]schedule.Child{}
		var running []schedule.Child
		for i := range r.IntN(7) {
			c := at(fmt.Sprint("m", i), r.Uint64N(20), r.IntN(4))
			c.InUse, c.Leaving = r.IntN(3) == 0, r.IntN(4) == 0
			running, children[c.Name] = append(running, c), c
		}
		before := slices.Clone(running)
		want, free := schedule.Want{Name: "wanted", Memory: r.Uint64N(60)}, r.Uint64N(30)
		d := schedule.Plan(running, want, free)
		seen[d.Action]++
		if !slices.Equal(before, running) {
			t.Fatalf("round %d: Plan changed its input", round)
		}
		check(t, running, children, want, free, d)
	}
	for _, a := range []schedule.Action{schedule.Start, schedule.Evict, schedule.Wait, schedule.Impossible} {
		if seen[a] == 0 {
			t.Errorf("never saw %v", a)
		}
	}
}

func check(t *testing.T, running []schedule.Child, children map[string]schedule.Child, want schedule.Want, free uint64, d schedule.Decision) {
	t.Helper()
	most, leaving, idle := free, free, uint64(0)
	for _, c := range running {
		most += c.Memory
		switch {
		case c.Leaving:
			leaving += c.Memory
		case !c.InUse:
			idle += c.Memory
		}
	}
	after := leaving
	for _, name := range d.Evict {
		c := children[name]
		if c.InUse || c.Leaving {
			t.Fatalf("%+v for %+v: evicts %q, which is not idle", d, running, name)
		}
		after += c.Memory
	}
	for i, name := range d.Evict {
		if after-children[name].Memory >= want.Memory {
			t.Fatalf("%+v for %+v: evicts %q without need", d, running, name)
		}
		if i > 0 && children[name].LastUsed.Before(children[d.Evict[i-1]].LastUsed) {
			t.Fatalf("%+v for %+v: not the least recently used first", d, running)
		}
	}
	var ok bool
	switch d.Action {
	case schedule.Start:
		ok = want.Memory <= free
	case schedule.Evict:
		ok = want.Memory > leaving && want.Memory <= after && len(d.Evict) > 0
	case schedule.Wait:
		ok = want.Memory > free && want.Memory <= most && (want.Memory <= leaving || want.Memory > leaving+idle)
	case schedule.Impossible:
		ok = want.Memory > most
	}
	if !ok || d.Action != schedule.Evict && len(d.Evict) > 0 || d.Most != most {
		t.Fatalf("%+v for %+v, want %d, free %d", d, running, want.Memory, free)
	}
}
