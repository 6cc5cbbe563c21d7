// Package schedule decides what must happen before a model can be loaded. It
// is pure: it knows no process, no clock and no memory but what it is told.
package schedule

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// Child is a loaded model, or one that is being loaded or unloaded.
type Child struct {
	Name     string
	Memory   uint64 // bytes that come free when it ends
	InUse    bool   // answering, or being loaded for somebody who waits
	Leaving  bool   // asked to end already: its memory will come free unasked
	LastUsed time.Time
}

// Want is a model that somebody waits for.
type Want struct {
	Name   string
	Memory uint64 // bytes it takes
}

// Action is what to do next.
type Action int

// The actions, from the quickest to none at all.
const (
	Start      Action = iota // load it now
	Evict                    // end the children named, then plan again
	Wait                     // plan again when a child ends or is no longer in use
	Impossible               // it does not fit this machine, whatever ends
)

// String is the action's name in lower case.
func (a Action) String() string {
	switch a {
	case Start:
		return "start"
	case Evict:
		return "evict"
	case Wait:
		return "wait"
	case Impossible:
		return "impossible"
	default:
		return fmt.Sprintf("action %d", int(a))
	}
}

// Decision is what Plan found.
type Decision struct {
	Action Action
	Evict  []string // the least recently used first; empty unless Action is Evict
	Need   uint64   // bytes the wanted model takes
	Free   uint64   // bytes free now
	Most   uint64   // bytes free if every child ended
}

// String explains the decision with its numbers, for a log or an error.
func (d Decision) String() string {
	switch d.Action {
	case Start:
		return fmt.Sprintf("needs %s, %s are free", size(d.Need), size(d.Free))
	case Evict:
		return fmt.Sprintf("needs %s, %s are free: ends %q first", size(d.Need), size(d.Free), d.Evict)
	case Wait:
		return fmt.Sprintf("needs %s, %s are free: waits for models in use", size(d.Need), size(d.Free))
	case Impossible:
		return fmt.Sprintf("needs %s, at most %s can be made free: choose a smaller model, context or number of slots", size(d.Need), size(d.Most))
	default:
		return d.Action.String()
	}
}

func size(n uint64) string {
	const mib, gib = 1 << 20, 1 << 30
	if n < gib {
		return fmt.Sprintf("%d MiB", (n+mib-1)/mib)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/gib)
}

// Plan decides how want comes to fit beside running, with free bytes of memory
// free now. A child in use is never evicted; of the idle ones those least
// recently used go first, and none goes without need.
func Plan(running []Child, want Want, free uint64) Decision {
	d := Decision{Need: want.Memory, Free: free, Most: free}
	coming := free // once those that are leaving have left
	var idle []Child
	for _, c := range running {
		d.Most = add(d.Most, c.Memory)
		switch {
		case c.Leaving:
			coming = add(coming, c.Memory)
		case !c.InUse:
			idle = append(idle, c)
		}
	}
	switch {
	case want.Memory <= free:
		d.Action = Start
		return d
	case want.Memory > d.Most:
		d.Action = Impossible
		return d
	case want.Memory <= coming:
		d.Action = Wait
		return d
	}
	slices.SortStableFunc(idle, func(a, b Child) int {
		return cmp.Or(a.LastUsed.Compare(b.LastUsed), cmp.Compare(a.Name, b.Name))
	})
	evict := idle[:0:0]
	for _, c := range idle {
		if coming >= want.Memory {
			break
		}
		evict, coming = append(evict, c), add(coming, c.Memory)
	}
	if coming < want.Memory {
		d.Action = Wait
		return d
	}
	// A large one evicted last can make a small one before it needless.
	for i, c := range slices.Backward(evict) {
		if coming-c.Memory >= want.Memory {
			coming -= c.Memory
			evict = slices.Delete(evict, i, i+1)
		}
	}
	d.Action = Evict
	for _, c := range evict {
		d.Evict = append(d.Evict, c.Name)
	}
	return d
}

// add adds and stays at the largest value instead of wrapping.
func add(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return ^uint64(0)
	}
	return sum
}
