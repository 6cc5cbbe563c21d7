package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// maxHeld is how many fragments are held back for an answer to begin, and maxHeldBytes how much of a server's own bytes; with
// more they are released, and another target is no longer tried.
const (
	maxHeld      = 16
	maxHeldBytes = 1 << 20
)

// stream answers from the first target that can. Fragments are held back until the answer
// begins, so that the caller never sees a target that fails before.
func stream[R request[R]](
	ctx context.Context, t *Table, op llm.Operation, req R, env *llm.Envelope,
	call func(llm.Backend, context.Context, R) llm.Stream,
) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		err := each(ctx, t, op, req, env, func(to *Target, r R, meta llm.Meta) (bool, error) {
			answer := &relay{meta: meta, yield: yield}
			answer.clock.start(ctx, &to.Info, to.Limits)
			defer answer.clock.stop()
			return answer.run(call(to.Backend, answer.clock.ctx, r))
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// each makes attempts at the deployment's targets until one is final or fails in a way that
// another cannot mend, and returns the error that the caller is to see.
func each[R request[R]](
	ctx context.Context, t *Table, op llm.Operation, req R, env *llm.Envelope,
	attempt func(*Target, R, llm.Meta) (final bool, err error),
) error {
	d := t.exact[env.Model]
	if d == nil {
		return unknown(env.Model)
	}
	meta := llm.Meta{Deployment: env.Model, Dropped: env.Dropped}
	var failure error
	targets := d.inOrder()
	for i := range targets {
		to := &targets[i]
		if err := ctx.Err(); err != nil {
			return explain(err, meta)
		}
		if !to.Info.Does(op) {
			continue
		}
		fitted, dropped, err := fit(req, env, &to.Info)
		if err != nil {
			if failure == nil {
				failure = err
			}
			continue
		}
		meta.Attempts++
		meta.Provider, meta.Dropped = to.Info.Provider, dropped
		final, err := attempt(to, fitted, meta)
		if err == nil {
			return nil
		}
		failure = err
		if final || !llm.AsError(err).Kind.Retryable() {
			break
		}
	}
	if failure == nil {
		failure = llm.NotDone(env.Model, op)
	}
	return explain(failure, meta)
}

// explain adds to a copy of an error how it came about.
func explain(err error, meta llm.Meta) error {
	e := *llm.AsError(err)
	e.Meta = join(meta, e.Meta)
	return &e
}

// join adds to meta what a target says that it did not obey.
func join(meta, target llm.Meta) llm.Meta {
	for _, member := range target.Dropped {
		if !slices.Contains(meta.Dropped, member) {
			meta.Dropped = append(slices.Clip(meta.Dropped), member)
		}
	}
	return meta
}

// relay passes an answer on once it begins.
type relay struct {
	clock clock
	meta  llm.Meta
	yield func(*llm.Reply, error) bool
	held  []*llm.Reply // what came before the answer began
	bytes int          // of them
	first llm.Reply    // a copy of the first fragment: the target's own may be shared
	began bool
	final bool // the caller has seen some of the answer
	left  bool // the caller wants no more
	err   error
}

// run relays s. It is final where another target must not be tried.
func (r *relay) run(s llm.Stream) (final bool, err error) {
	s(r.fragment)
	switch {
	case r.left:
		return true, nil
	case r.err != nil:
		return r.final, r.clock.blame(r.err)
	case !r.began:
		return r.final, r.clock.blame(&llm.Error{Kind: llm.Upstream, Message: "The model gave no answer."})
	}
	return true, nil
}

// fragment takes the stream's next one, and reports whether another is wanted.
func (r *relay) fragment(f *llm.Reply, err error) bool {
	r.clock.heard()
	if err == nil {
		err = r.clock.ctx.Err()
	}
	if err != nil {
		r.err = err
		return false
	}
	if !r.began && f.Begins() {
		r.began = true
		r.clock.begun()
	}
	if !r.final {
		if r.bytes += len(f.Source.Body); !r.began && len(r.held) < maxHeld && r.bytes <= maxHeldBytes {
			r.held = append(r.held, f.Clone())
			return true
		}
		r.final = true
		f = r.release(f)
	}
	r.left = r.left || !r.yield(f, nil)
	if r.began && !r.left {
		r.clock.listen() // not before: a caller who is slow to read is not the target's silence
	}
	return !r.left
}

// release passes on what was held back and returns the fragment to pass on next; the first
// of them all says how the answer came about.
func (r *relay) release(f *llm.Reply) *llm.Reply {
	if len(r.held) == 0 {
		r.first = *f
		r.first.Meta = join(r.meta, f.Meta)
		return &r.first
	}
	r.held[0].Meta = join(r.meta, r.held[0].Meta)
	for _, h := range r.held {
		if !r.yield(h, nil) {
			r.left = true
			break
		}
	}
	r.held = nil
	return f
}

// clock ends the context of one attempt when a limit of time passes.
type clock struct {
	caller context.Context
	ctx    context.Context // of the attempt
	cancel context.CancelCauseFunc
	first  *time.Timer
	total  *time.Timer
	quiet  *time.Timer // runs while the target is awaited
	limits Limits
	target *llm.ModelInfo
}

// start begins an attempt.
func (c *clock) start(ctx context.Context, target *llm.ModelInfo, l Limits) {
	*c = clock{caller: ctx, ctx: ctx, limits: l, target: target}
	if l == (Limits{}) {
		return
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.first = c.end(l.FirstToken, "did not begin to answer within")
	c.total = c.end(l.Total, "did not finish its answer within")
}

// end lets the attempt fail after d.
func (c *clock) end(d time.Duration, what string) *time.Timer {
	if d <= 0 {
		return nil
	}
	return time.AfterFunc(d, func() {
		c.cancel(&llm.Error{
			Kind:    llm.Timeout,
			Message: fmt.Sprintf("Deployment '%s' %s %s.", c.target.Deployment, what, d),
		})
	})
}

func (c *clock) begun() {
	if c.first != nil {
		c.first.Stop()
	}
}

// listen begins to count the target's silence.
func (c *clock) listen() {
	if c.quiet == nil {
		c.quiet = c.end(c.limits.Silence, "fell silent for")
	} else {
		c.quiet.Reset(c.limits.Silence)
	}
}

// heard ends what listen began.
func (c *clock) heard() {
	if c.quiet != nil {
		c.quiet.Stop()
	}
}

func (c *clock) stop() {
	c.begun()
	c.heard()
	if c.total != nil {
		c.total.Stop()
	}
	if c.cancel != nil {
		c.cancel(nil)
	}
}

// blame says why an attempt failed: the caller who went away comes first, then a limit that passed.
func (c *clock) blame(err error) error {
	if gone := c.caller.Err(); gone != nil {
		return gone
	}
	if limit, ok := errors.AsType[*llm.Error](context.Cause(c.ctx)); ok {
		return limit
	}
	return err
}
