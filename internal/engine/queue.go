package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// queue admits a number of requests at a time and lets others wait: bounded, each caller in
// order, and callers in turn, so that one with many requests does not keep the others out.
// Deployments of the same model share it, each with its own bound.
type queue struct {
	mu      sync.Mutex
	free    int
	waiting int
	lines   []*line // of callers with somebody waiting, the next to be served first
}

type line struct {
	caller  string
	waiters []chan struct{}
}

func newQueue(slots int) *queue { return &queue{free: max(1, slots)} }

// enter waits for a place, unless most are waiting already, and returns how to leave it. starting tells whether the model is
// still coming up, which decides what a full queue is called (doc/protocol.md §7.8).
func (q *queue) enter(ctx context.Context, caller string, most int, wait time.Duration, starting func() bool) (leave func(), err error) {
	q.mu.Lock()
	if q.free > 0 {
		q.free--
		q.mu.Unlock()
		return q.leave, nil
	}
	if q.waiting >= most {
		n := q.waiting
		q.mu.Unlock()
		return nil, full(n, starting(), "The queue of this deployment is full")
	}
	turn := make(chan struct{})
	q.add(caller, turn)
	q.mu.Unlock()

	timer := time.NewTimer(wait)
	defer timer.Stop()
	var why error
	select {
	case <-turn:
		return q.leave, nil
	case <-ctx.Done():
		why = llm.AsError(context.Cause(ctx))
	case <-timer.C:
	}
	q.mu.Lock()
	if !q.remove(caller, turn) { // the turn came in the same moment
		q.mu.Unlock()
		q.leave()
	} else {
		q.mu.Unlock()
	}
	if why == nil {
		q.mu.Lock()
		n := q.waiting
		q.mu.Unlock()
		why = full(n, starting(), fmt.Sprintf("No slot of this deployment came free within %s", wait))
	}
	return nil, why
}

func full(n int, starting bool, what string) error {
	e := &llm.Error{Kind: llm.RateLimited, RetryAfter: 5 * time.Second}
	state := ""
	if starting {
		e.Kind, state = llm.Unavailable, ", and its model is still starting"
	}
	e.Message = fmt.Sprintf("%s: %d requests are waiting%s. Try again in 5 seconds.", what, n, state)
	return e
}

func (q *queue) add(caller string, turn chan struct{}) {
	q.waiting++
	for _, l := range q.lines {
		if l.caller == caller {
			l.waiters = append(l.waiters, turn)
			return
		}
	}
	q.lines = append(q.lines, &line{caller, []chan struct{}{turn}})
}

func (q *queue) remove(caller string, turn chan struct{}) bool {
	for i, l := range q.lines {
		if l.caller != caller {
			continue
		}
		for k, w := range l.waiters {
			if w == turn {
				q.waiting--
				l.waiters = append(l.waiters[:k], l.waiters[k+1:]...)
				if len(l.waiters) == 0 {
					q.lines = append(q.lines[:i], q.lines[i+1:]...)
				}
				return true
			}
		}
	}
	return false
}

// leave gives the place to the next caller's first waiter.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == 0 {
		q.free++
		return
	}
	l := q.lines[0]
	q.lines = q.lines[1:]
	q.waiting--
	close(l.waiters[0])
	if l.waiters = l.waiters[1:]; len(l.waiters) > 0 {
		q.lines = append(q.lines, l)
	}
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}
