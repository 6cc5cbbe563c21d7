package picture

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// errBusy tells that there was no place in time.
var errBusy = errors.New("no place in time")

// places are so many at a time, shared by callers: each may hold three times as many as are free, so that whoever holds most
// leaves some to those who come later. Whoever waits is served in the order of their coming, unless they hold their share.
type places struct {
	mu      sync.Mutex
	free    int
	held    map[string]int
	waiting []*waiter
}

type waiter struct {
	caller string
	served chan struct{}
}

func newPlaces(n int) *places { return &places{free: n, held: map[string]int{}} }

// take waits for a place, but no longer than that.
func (p *places) take(ctx context.Context, caller string, longest time.Duration) error {
	p.mu.Lock()
	w := &waiter{caller, make(chan struct{})}
	p.waiting = append(p.waiting, w)
	p.serve()
	p.mu.Unlock()
	timer := time.NewTimer(longest)
	defer timer.Stop()
	var err error
	select {
	case <-w.served:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = errBusy
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.waiting, w); i >= 0 {
		p.waiting = slices.Delete(p.waiting, i, i+1)
		return err
	}
	p.put(caller) // it came at the same moment
	return err
}

// give gives a place back.
func (p *places) give(caller string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(caller)
}

func (p *places) put(caller string) {
	p.free++
	if p.held[caller]--; p.held[caller] == 0 {
		delete(p.held, caller)
	}
	p.serve()
}

// serve gives places to all who wait and may have one. Each one less makes nobody's share larger, so that once is enough.
func (p *places) serve() {
	const share = 3
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		if p.held[w.caller] >= share*p.free {
			return false
		}
		p.free--
		p.held[w.caller]++
		close(w.served)
		return true
	})
}
