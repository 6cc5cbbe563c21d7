// Package engine answers requests from models on this machine. A Pool owns the supervised
// servers and shares the memory among them; a Model is one deployment's Backend.
package engine

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/upstream"
)

// Options are what a Pool needs.
type Options struct {
	Logger *slog.Logger
	// Budget tells how many bytes all models together may take. 0, or nil: what the machine has
	// free, less a tenth.
	Budget func() uint64
}

// Pool owns the children of all models. It outlives configurations: a model that did not change
// keeps its child. Its methods may be called concurrently.
type Pool struct {
	log       *slog.Logger
	budget    func() uint64
	transport *http.Transport

	mu       sync.Mutex
	children []*child
	changed  chan struct{} // closed and replaced when somebody who waits should look again
	closed   bool
}

// child is a process with what the plan for memory needs to know. Pool.mu guards the counts.
type child struct {
	*process.Process
	name   string
	key    string
	memory uint64
	queue  *queue

	guidance guidance
	marker   marker

	pins    int       // models that refer to it; 0: it leaves for good
	asked   int       // requests for it, waiting ones too
	users   int       // those of them that were admitted to memory
	used    time.Time // when the last one left
	leaving bool      // being unloaded to make room: nobody is admitted before it is gone
}

// NewPool makes a Pool without children.
func NewPool(o Options) *Pool {
	p := &Pool{log: o.Logger, budget: o.Budget, transport: upstream.NewTransport(5 * time.Second), changed: make(chan struct{})}
	// llama.cpp's server shuts a connection after a stream without a word, and loses what was sent over it meanwhile.
	p.transport.DisableKeepAlives = true
	if p.budget == nil {
		p.budget = func() uint64 { return 0 }
	}
	return p
}

// attach returns the child for a spec, new or the one that is there.
func (p *Pool) attach(spec process.Spec, memory uint64) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := spec.Key()
	i := slices.IndexFunc(p.children, func(c *child) bool { return c.key == key && c.pins > 0 })
	if i >= 0 {
		c := p.children[i]
		c.SetLimits(spec.Limits)
		c.pins++
		return c
	}
	c := &child{
		Process: process.New(spec, process.Options{Logger: p.log}), name: spec.Name, key: key, memory: memory,
		queue: newQueue(spec.Slots), pins: 1,
	}
	p.children = append(p.children, c)
	return c
}

// Release gives back the models of a configuration that is no longer in force. A child that nobody
// refers to any more answers those who have asked already, until ctx ends, and is ended. It
// returns when all such children are gone.
func (p *Pool) Release(ctx context.Context, models []*Model) {
	var gone []*child
	p.mu.Lock()
	for _, m := range models {
		if m.child.pins--; m.child.pins == 0 {
			gone = append(gone, m.child)
		}
	}
	p.mu.Unlock()
	each(gone, func(c *child) {
		p.await(ctx, func() bool { return c.asked == 0 || p.closed })
		p.end(ctx, c)
	})
}

// Close drains all children until ctx ends, then ends them. Nothing is left running when it
// returns, and nothing starts any more.
func (p *Pool) Close(ctx context.Context) {
	p.mu.Lock()
	p.closed = true
	all := slices.Clone(p.children)
	p.notify()
	p.mu.Unlock()
	each(all, func(c *child) { p.end(ctx, c) })
	p.transport.CloseIdleConnections()
}

// end drains a child and ends it for good.
func (p *Pool) end(ctx context.Context, c *child) {
	_ = c.Process.Close(ctx) // that users were cut off is what ctx's end means
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = slices.DeleteFunc(p.children, func(o *child) bool { return o == c })
	p.notify()
}

func each(children []*child, f func(*child)) {
	var wg sync.WaitGroup
	for _, c := range children {
		wg.Go(func() { f(c) })
	}
	wg.Wait()
}

// notify wakes whoever waits. The caller holds mu.
func (p *Pool) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// await returns when done, which is called under mu, or when ctx ends.
func (p *Pool) await(ctx context.Context, done func() bool) {
	for {
		p.mu.Lock()
		ok, changed := done(), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// count changes one of a child's counts and returns how to change it back.
func (p *Pool) count(n *int) (back func()) {
	p.mu.Lock()
	*n++
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if *n--; *n == 0 {
			p.notify()
		}
	}
}
