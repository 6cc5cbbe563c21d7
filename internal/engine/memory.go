package engine

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/engine/schedule"
	"github.com/ingot-llm/ingot/internal/llm"
)

// lease waits until the child has memory and runs, and returns how to give it back.
func (p *Pool) lease(ctx context.Context, c *child) (l *process.Lease, release func(), err error) {
	leave, err := p.admit(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if l, err = c.Ensure(ctx); err != nil {
		leave()
		return nil, nil, err
	}
	return l, func() { l.Release(); leave() }, nil
}

// admit waits until the child runs or fits into memory, and counts a user of it.
func (p *Pool) admit(ctx context.Context, c *child) (leave func(), err error) {
	const lookAgain = time.Second // others may give memory back, too
	for {
		d, victims, changed, err := p.plan(ctx, c)
		if err != nil {
			return nil, err
		}
		switch d.Action {
		case schedule.Start:
			return p.leaver(c), nil
		case schedule.Impossible:
			return nil, &llm.Error{Kind: llm.Unavailable, Message: "Model '" + c.name + "' does not fit into memory: it " + d.String() + ", or raise engine.memory."}
		case schedule.Evict:
			each(victims, func(v *child) { p.unload(ctx, v, c.name) })
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
			return nil, llm.AsError(context.Cause(ctx))
		}
	}
}

func (p *Pool) unload(ctx context.Context, c *child, wanted string) {
	p.log.LogAttrs(ctx, slog.LevelInfo, "model unloaded to make room", slog.String("model", c.name), slog.String("for", wanted))
	_ = c.Stop(ctx) // nobody uses it
	p.mu.Lock()
	defer p.mu.Unlock()
	c.leaving = false
	p.notify()
}

// plan decides about one child. On Start it is counted as in use, on Evict its victims as leaving,
// before anybody else is asked.
func (p *Pool) plan(ctx context.Context, c *child) (d schedule.Decision, victims []*child, changed <-chan struct{}, err error) {
	budget := p.budget()
	var machine hardware.Machine
	if budget == 0 {
		machine = hardware.Detect(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return d, nil, nil, process.ErrClosed
	case c.leaving:
		return schedule.Decision{Action: schedule.Wait}, nil, p.changed, nil
	case c.users > 0 || c.State().State == process.Ready:
		c.users++
		return schedule.Decision{Action: schedule.Start}, nil, p.changed, nil
	}
	running, byName, loaded, coming := p.others(c)
	free := budget - min(budget, loaded)
	if budget == 0 {
		free = machineFree(machine, loaded, coming)
	}
	d = schedule.Plan(running, schedule.Want{Name: c.name, Memory: c.memory}, free)
	if d.Action == schedule.Start {
		c.users++
	}
	for _, name := range d.Evict {
		v := byName[name]
		v.leaving = true
		victims = append(victims, v)
	}
	return d, victims, p.changed, nil
}

// others describes every child but c that has memory or is about to take it: loaded bytes in all,
// coming ones of which are only on their way.
func (p *Pool) others(c *child) (running []schedule.Child, byName map[string]*child, loaded, coming uint64) {
	byName = map[string]*child{}
	for i, o := range p.children {
		s := o.State()
		away := s.State == process.Absent || s.State == process.Stopped || s.State == process.Failed
		if o == c || away && o.users == 0 {
			continue
		}
		loaded += o.memory
		if away || s.State == process.Starting {
			coming += o.memory
		}
		name := strconv.Itoa(i)
		byName[name] = o
		inUse := o.users > 0 && o.pins > 0 || s.State == process.Starting
		running = append(running, schedule.Child{
			Name: name, Memory: o.memory, LastUsed: o.used, InUse: inUse,
			Leaving: !inUse && (o.leaving || o.pins == 0 || s.State == process.Draining),
		})
	}
	return running, byName, loaded, coming
}

// machineFree is what may be taken of a machine on which children have loaded bytes. Their weights
// are mapped files, which the system counts as available, and coming ones have not taken theirs yet.
func machineFree(m hardware.Machine, loaded, coming uint64) uint64 {
	const keep = 10 // a tenth stays free
	free, total := m.MemoryAvailable-m.MemoryAvailable/keep, m.MemoryTotal-m.MemoryTotal/keep
	return min(free-min(free, coming), total-min(total, loaded))
}

// leaver returns how a user that plan has counted leaves.
func (p *Pool) leaver(c *child) func() {
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		c.used = time.Now()
		if c.users--; c.users == 0 {
			p.notify()
		}
	}
}
