// Package engine answers requests from models on this machine. A Pool owns the supervised
// servers and shares the memory among them; a Model is one deployment's Backend.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/engine/schedule"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/upstream"
)

// Options are what a Pool needs.
type Options struct {
	Logger *slog.Logger
	// Free tells how many bytes models may take now. nil: what the machine has free, less a tenth.
	Free func(ctx context.Context, loaded uint64) uint64
}

// Pool owns the children of all models. It outlives configurations: a model that did not change
// keeps its child. Its methods may be called concurrently.
type Pool struct {
	log       *slog.Logger
	free      func(ctx context.Context, loaded uint64) uint64
	transport http.RoundTripper

	mu       sync.Mutex
	children map[string]*child // by what they are started with
	changed  chan struct{}     // closed and replaced when memory may have come free
	closed   bool
}

// child is a process with what the plan for memory needs to know.
type child struct {
	*process.Process
	name     string
	memory   uint64
	starting int // requests that were admitted to start it
	pins     int // models that refer to it
	queue    *queue
}

// NewPool makes a Pool without children.
func NewPool(o Options) *Pool {
	p := &Pool{log: o.Logger, free: o.Free, transport: upstream.NewTransport(5 * time.Second), children: map[string]*child{}, changed: make(chan struct{})}
	if p.free == nil {
		p.free = func(ctx context.Context, _ uint64) uint64 {
			const keep = 10 // a tenth stays free
			free := hardware.Detect(ctx).MemoryAvailable
			return free - free/keep
		}
	}
	return p
}

// Budget is an Options.Free for a fixed number of bytes.
func Budget(total uint64) func(context.Context, uint64) uint64 {
	return func(_ context.Context, loaded uint64) uint64 { return total - min(total, loaded) }
}

// attach returns the child for a spec, new or the one that is there.
func (p *Pool) attach(spec process.Spec, memory uint64, slots, waiting int) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := spec.Key()
	c := p.children[key]
	if c == nil {
		c = &child{
			Process: process.New(spec, process.Options{Logger: p.log}), name: spec.Name, memory: memory,
			queue: newQueue(slots, waiting),
		}
		p.children[key] = c
	} else {
		c.SetLimits(spec.Limits)
		c.queue.setMost(waiting)
	}
	c.pins++
	return c
}

// Release ends the models of a configuration that is no longer in force: a child that nobody
// refers to any more is drained and ended. It returns when they are gone or ctx ends.
func (p *Pool) Release(ctx context.Context, models []*Model) {
	var gone []*child
	p.mu.Lock()
	for _, m := range models {
		if m.child.pins--; m.child.pins == 0 {
			delete(p.children, m.child.Spec().Key())
			gone = append(gone, m.child)
		}
	}
	p.mu.Unlock()
	closeAll(ctx, gone)
	p.notify()
}

// Close drains all children until ctx ends, then ends them. Nothing is left running when it returns.
func (p *Pool) Close(ctx context.Context) {
	p.mu.Lock()
	p.closed = true
	var all []*child
	for _, c := range p.children {
		all = append(all, c)
	}
	p.children = map[string]*child{}
	p.mu.Unlock()
	closeAll(ctx, all)
	p.notify()
}

func closeAll(ctx context.Context, children []*child) {
	var wg sync.WaitGroup
	for _, c := range children {
		wg.Go(func() { _ = c.Process.Close(ctx) })
	}
	wg.Wait()
}

// notify wakes whoever waits for memory.
func (p *Pool) notify() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.changed)
	p.changed = make(chan struct{})
}

// ensure returns a lease on a running child, after making room for it.
func (p *Pool) ensure(ctx context.Context, c *child) (*process.Lease, error) {
	if c.State().State != process.Ready {
		if err := p.admit(ctx, c); err != nil {
			return nil, err
		}
		defer func() {
			p.mu.Lock()
			c.starting--
			p.mu.Unlock()
			p.notify()
		}()
	}
	return c.Ensure(ctx)
}

// admit waits until the child fits into memory, and counts it as starting.
func (p *Pool) admit(ctx context.Context, c *child) error {
	const lookAgain = time.Second
	for {
		d, victims, changed := p.plan(ctx, c)
		switch d.Action {
		case schedule.Start:
			return nil
		case schedule.Impossible:
			return &llm.Error{Kind: llm.Unavailable, Message: fmt.Sprintf(
				"Model '%s' needs %s of memory and only %s can be had on this machine. Lower its context or slots, or raise engine.memory.",
				c.name, gib(d.Need), gib(d.Most))}
		case schedule.Evict:
			for _, v := range victims {
				p.log.LogAttrs(ctx, slog.LevelInfo, "model unloaded to make room", slog.String("model", v.name), slog.String("for", c.name))
				_ = v.Stop(ctx)
			}
		case schedule.Wait:
			timer := time.NewTimer(lookAgain)
			select {
			case <-changed:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		if ctx.Err() != nil {
			return llm.AsError(context.Cause(ctx))
		}
	}
}

func gib(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// plan decides about one child; on Start it is counted as starting before anybody else is asked.
func (p *Pool) plan(ctx context.Context, c *child) (schedule.Decision, []*child, chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var running []schedule.Child
	byName := map[string]*child{}
	var loaded uint64
	for key, o := range p.children {
		s := o.State()
		if o == c || s.State == process.Absent && o.starting == 0 {
			continue
		}
		loaded += o.memory
		byName[key] = o
		running = append(running, schedule.Child{
			Name: key, Memory: o.memory, LastUsed: s.LastUsed,
			InUse: s.InUse > 0 || o.starting > 0 || s.State == process.Starting, Leaving: s.State == process.Draining,
		})
	}
	if c.starting > 0 || c.State().State == process.Ready {
		c.starting++
		return schedule.Decision{Action: schedule.Start}, nil, p.changed
	}
	d := schedule.Plan(running, schedule.Want{Name: c.name, Memory: c.memory}, p.free(ctx, loaded))
	if d.Action == schedule.Start {
		c.starting++
	}
	var victims []*child
	for _, key := range d.Evict {
		victims = append(victims, byName[key])
	}
	return d, victims, p.changed
}
