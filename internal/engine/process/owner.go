package process

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// owner is the state of a Process; only its goroutine touches it.
type owner struct {
	p      *Process
	log    *slog.Logger
	launch launcher
	spec   Spec // with the limits in force
	now    Snapshot

	waiters []*waiter
	stops   []chan struct{} // to be closed when there is no child
	closing bool

	started     chan started
	cancelStart context.CancelFunc // while starting
	abandoned   bool               // the running start is not wanted any more
	failures    int                // in a row

	child  *child // while ready or draining
	exited <-chan struct{}
	life   *life
	ending bool  // the child was told to end
	reason error // why; nil: it ends by itself

	idle, watch *time.Timer
}

type waiter struct {
	answer chan grant
	lease  *Lease // once granted
}

type grant struct {
	lease *Lease
	err   error
}

type started struct {
	child *child
	err   error
}

func newOwner(p *Process, log *slog.Logger, launch launcher) *owner {
	o := &owner{
		p: p, log: log, launch: launch, spec: p.spec, started: make(chan started),
		now: Snapshot{State: Absent, Since: time.Now()}, idle: time.NewTimer(0), watch: time.NewTimer(0),
	}
	o.spec.Limits = o.spec.Limits.filled()
	o.idle.Stop()
	o.watch.Stop()
	return o
}

func (o *owner) run() {
	defer close(o.p.ended)
	for !o.closing || o.now.State != Stopped {
		select {
		case f := <-o.p.inbox:
			f(o)
		case s := <-o.started:
			o.startEnded(s)
		case <-o.exited:
			o.childEnded()
		case <-o.idle.C:
			if o.now.State == Ready && o.now.InUse == 0 {
				o.enter(Draining)
				o.end()
			}
		case <-o.watch.C:
			o.lookForSilence()
		}
		o.show()
	}
}

func (o *owner) show() { o.p.shown.Store(new(o.now)) }

func (o *owner) enter(s State) {
	o.now.State, o.now.Since = s, time.Now()
	o.log.LogAttrs(context.Background(), slog.LevelDebug, "model server state", slog.String("state", string(s)))
}

func (o *owner) join(w *waiter) {
	switch {
	case o.closing:
		w.answer <- grant{err: ErrClosed}
	case o.now.State == Ready && !o.ending:
		o.grant(w)
	case o.now.State == Failed && time.Now().Before(o.now.RetryAt):
		w.answer <- grant{err: &StartError{Err: o.now.Err, RetryAfter: time.Until(o.now.RetryAt)}}
	default:
		o.waiters = append(o.waiters, w)
		if o.child == nil && o.now.State != Starting {
			o.start()
		}
	}
}

func (o *owner) grant(w *waiter) {
	life := o.life
	w.lease = &Lease{Endpoint: o.child.Endpoint, life: life}
	w.lease.release = func() { o.p.do(func(o *owner) { o.released(life) }) }
	w.lease.endSilent = func(d time.Duration) {
		o.p.do(func(o *owner) {
			if quiet := life.quiet(); life == o.life && !o.ending && quiet >= d {
				o.killFor(&Silent{For: quiet})
			}
		})
	}
	o.now.InUse++
	o.now.LastUsed = time.Now()
	o.idle.Stop()
	if o.now.InUse == 1 {
		o.armWatch()
	}
	o.show()
	w.answer <- grant{lease: w.lease}
}

// leave is a waiter that gave up; it may have got its lease in the same moment.
func (o *owner) leave(w *waiter) {
	if w.lease != nil {
		w.lease.once.Do(func() { o.released(w.lease.life) })
		return
	}
	o.waiters = slices.DeleteFunc(o.waiters, func(x *waiter) bool { return x == w })
	if o.now.State == Starting && len(o.waiters) == 0 {
		o.abandonStart()
	}
}

func (o *owner) released(l *life) {
	if l != o.life {
		return // that child is gone
	}
	o.now.InUse--
	o.now.LastUsed = time.Now()
	if o.now.InUse > 0 {
		return
	}
	o.watch.Stop()
	if o.now.State == Draining {
		o.end()
	}
	o.armIdle()
}

// refuse answers everybody who waits for a child with err.
func (o *owner) refuse(err error) {
	for _, w := range o.waiters {
		w.answer <- grant{err: err}
	}
	o.waiters = nil
}

func (o *owner) start() {
	o.enter(Starting)
	o.now.Starts++
	o.abandoned = false
	ctx, cancel := context.WithCancel(context.Background())
	o.cancelStart = cancel
	spec := o.spec
	go func() {
		c, err := o.launch(ctx, spec, o.log)
		o.started <- started{c, err}
	}()
}

func (o *owner) abandonStart() {
	o.abandoned = true
	o.cancelStart()
}

func (o *owner) startEnded(s started) {
	o.cancelStart()
	switch {
	case s.err == nil:
		o.childReady(s.child)
	case o.abandoned:
		o.childless(Stopped)
	default:
		backoff := min(firstBackoff<<min(o.failures, 10), lastBackoff)
		o.failures++
		o.now.Err, o.now.RetryAt = s.err, time.Now().Add(backoff)
		o.log.LogAttrs(context.Background(), slog.LevelWarn, "model server did not start",
			slog.Any("error", s.err), slog.Any("stderr", stderrOf(s.err)), slog.Duration("retry_after", backoff))
		o.refuse(&StartError{Err: s.err, RetryAfter: backoff})
		o.childless(Failed)
	}
}

func (o *owner) childReady(c *child) {
	took := time.Since(o.now.Since)
	o.child, o.exited, o.life = c, c.exited, &life{died: make(chan struct{})}
	o.ending, o.reason, o.failures = false, nil, 0
	o.now.PID, o.now.InUse, o.now.Err, o.now.RetryAt = c.pid, 0, nil, time.Time{}
	if len(o.waiters) == 0 || len(o.stops) > 0 { // it came up although the start was abandoned
		o.enter(Draining)
		o.end()
		return
	}
	o.enter(Ready)
	o.log.LogAttrs(context.Background(), slog.LevelInfo, "model server ready",
		slog.Int("pid", c.pid), slog.Duration("took", took))
	for _, w := range o.waiters {
		o.grant(w)
	}
	o.waiters = nil
}

// end asks the child to end, with the grace it is allowed.
func (o *owner) end() {
	if o.ending {
		return
	}
	o.ending, o.reason = true, ErrStopped
	go o.child.end(o.spec.Limits.StopGrace)
}

// kill ends the child at once.
func (o *owner) killFor(reason error) {
	if o.reason == nil {
		o.reason = reason
	}
	o.ending = true
	o.child.kill()
}

func (o *owner) childEnded() {
	err, next, level := o.reason, Absent, slog.LevelWarn
	if err == nil {
		err = o.child.exit
	}
	if errors.Is(err, ErrStopped) {
		level = slog.LevelInfo
	} else {
		o.now.Err = err
	}
	if o.now.State == Draining {
		next = Stopped
	}
	o.log.LogAttrs(context.Background(), level, "model server ended", slog.Int("pid", o.child.pid),
		slog.Any("error", err), slog.Int("in_use", o.now.InUse), slog.Any("stderr", stderrOf(err)))
	o.life.err = err
	close(o.life.died)
	o.childless(next)
}

// childless enters a state without a child, and starts the next one for those
// who came meanwhile.
func (o *owner) childless(s State) {
	o.child, o.exited, o.life = nil, nil, nil
	o.now.PID, o.now.InUse = 0, 0
	o.idle.Stop()
	o.watch.Stop()
	o.enter(s)
	if o.closing {
		o.enter(Stopped)
	}
	o.show()
	for _, gone := range o.stops {
		close(gone)
	}
	o.stops = nil
	if len(o.waiters) > 0 {
		o.start()
	}
}

func (o *owner) stop(gone chan struct{}, forGood bool) {
	o.closing = o.closing || forGood
	if o.closing {
		o.refuse(ErrClosed)
	}
	o.refuse(ErrStopped)
	o.stops = append(o.stops, gone)
	switch o.now.State {
	case Starting:
		o.abandonStart()
	case Ready:
		o.enter(Draining)
		if o.now.InUse == 0 {
			o.end()
		}
	case Draining:
	case Absent, Stopped, Failed:
		o.childless(o.now.State)
	}
}

// cutOff ends a draining child although it has users, and tells whether it had.
func (o *owner) cutOff() bool {
	if o.now.State != Draining || o.ending {
		return false
	}
	o.end()
	return true
}

func (o *owner) kill(gone chan struct{}) {
	o.refuse(ErrStopped)
	o.stops = append(o.stops, gone)
	switch o.now.State {
	case Starting:
		o.abandonStart()
	case Ready, Draining:
		if o.now.State == Ready {
			o.enter(Draining)
		}
		o.killFor(ErrStopped)
	case Absent, Stopped, Failed:
		o.childless(o.now.State)
	}
}

func (o *owner) setLimits(l Limits) {
	o.spec.Limits = l.filled()
	o.armIdle()
	o.armWatch()
}

func (o *owner) armIdle() {
	o.idle.Stop()
	if l := o.spec.Limits.KeepAlive; l > 0 && o.now.State == Ready && o.now.InUse == 0 {
		o.idle.Reset(l - time.Since(o.now.LastUsed))
	}
}

// armWatch looks at the users' waiting a few times per limit: what is exact is
// that no child is killed early.
func (o *owner) armWatch() {
	o.watch.Stop()
	if l := o.spec.Limits.Silence; l > 0 && o.now.InUse > 0 {
		o.watch.Reset(max(l/8, time.Millisecond))
	}
}

func (o *owner) lookForSilence() {
	if o.life == nil || o.ending {
		return
	}
	if silent := o.life.silent(); o.spec.Limits.Silence > 0 && silent >= o.spec.Limits.Silence {
		o.killFor(&Silent{For: silent})
		return
	}
	o.armWatch()
}

func stderrOf(err error) []string {
	if e, ok := errors.AsType[*Exited](err); ok {
		return e.Stderr
	}
	if e, ok := errors.AsType[*StartTimeout](err); ok {
		return e.Stderr
	}
	return nil
}
