package process

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// State is where in its life a Process is.
type State string

// The states, in the order of a life without trouble.
const (
	Absent   State = "absent"   // no child: none was needed yet, or it died
	Starting State = "starting" // a child is coming up
	Ready    State = "ready"    // it serves
	Draining State = "draining" // it ends: first its users, then itself
	Stopped  State = "stopped"  // it was ended on purpose; the next user starts it again
	Failed   State = "failed"   // it did not come up, and its back-off runs
)

// Snapshot is how a Process looks at one moment: for display, since it is old
// when it is read.
type Snapshot struct {
	State    State
	PID      int // of the running child
	Since    time.Time
	InUse    int
	LastUsed time.Time
	Starts   int   // children that were started, or tried
	Err      error // why the last one ended or did not come up; nil after a good one
	RetryAt  time.Time
}

// Options are what a Process needs besides its Spec.
type Options struct {
	Logger *slog.Logger
}

// Process is one supervised model server. All its methods may be called from
// any goroutine; one of its own owns the state. Close it when it is no longer
// needed.
type Process struct {
	spec  Spec
	inbox chan func(*owner)
	ended chan struct{}
	shown atomic.Pointer[Snapshot]
}

// New returns a Process without a child: the first Ensure starts one.
func New(spec Spec, o Options) *Process { return newProcess(spec, o, launch) }

type launcher func(context.Context, Spec, *slog.Logger) (*child, error)

func newProcess(spec Spec, o Options, launch launcher) *Process {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Process{spec: spec, inbox: make(chan func(*owner)), ended: make(chan struct{})}
	w := newOwner(p, o.Logger.With(slog.String("model", spec.Name)), launch)
	w.show()
	go w.run()
	return p
}

// Spec is what the Process was made with.
func (p *Process) Spec() Spec { return p.spec }

// State tells how the Process is doing.
func (p *Process) State() Snapshot { return *p.shown.Load() }

// do runs f on the owner; false when there is none any more.
func (p *Process) do(f func(*owner)) bool {
	select {
	case p.inbox <- f:
		return true
	case <-p.ended:
		return false
	}
}

// Ensure returns a lease on the running child and starts it where it must.
// Callers share one start; one who gives up leaves it to the others, and a
// start nobody waits for is stopped. While a child drains it waits for the next.
// Errors: a *StartError, ErrStopped, ErrClosed or the context's.
func (p *Process) Ensure(ctx context.Context) (*Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &waiter{answer: make(chan grant, 1)}
	if !p.do(func(o *owner) { o.join(w) }) {
		return nil, ErrClosed
	}
	select {
	case g := <-w.answer:
		return g.lease, g.err
	case <-ctx.Done():
		p.do(func(o *owner) { o.leave(w) })
		return nil, ctx.Err()
	}
}

// Stop drains the child and ends it: its users may finish until ctx ends, then
// they are cut off, which is the error. The child is gone when Stop returns,
// and the next Ensure starts another. Who waits for a start gets ErrStopped.
func (p *Process) Stop(ctx context.Context) error { return p.stop(ctx, false) }

// Close stops as Stop does, and for good.
func (p *Process) Close(ctx context.Context) error { return p.stop(ctx, true) }

func (p *Process) stop(ctx context.Context, forGood bool) error {
	gone := make(chan struct{})
	if !p.do(func(o *owner) { o.stop(gone, forGood) }) {
		return nil
	}
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	cut := make(chan bool, 1)
	if !p.do(func(o *owner) { cut <- o.cutOff() }) {
		return nil
	}
	<-gone
	if <-cut {
		return fmt.Errorf("drain model server: users were cut off: %w", ctx.Err())
	}
	return nil
}

// Kill ends the child at once, users or not, and returns when it is gone.
// The next Ensure starts another.
func (p *Process) Kill() {
	gone := make(chan struct{})
	if p.do(func(o *owner) { o.kill(gone) }) {
		<-gone
	}
}

// SetLimits changes the limits of the running child and of those to come.
func (p *Process) SetLimits(l Limits) { p.do(func(o *owner) { o.setLimits(l) }) }
