package process

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// life is one child from ready to gone, as its users see it.
type life struct {
	died    chan struct{}
	err     error // set before died closes
	waiting atomic.Int64
	last    atomic.Int64 // nanoseconds since the epoch: when the wait began or progress was made
}

func (l *life) await() {
	// Only who begins the wait sets its time: later ones must not excuse a silent child.
	if l.waiting.Load() == 0 {
		l.last.Store(time.Now().UnixNano())
	}
	l.waiting.Add(1)
}

func (l *life) arrived(progress bool) {
	if progress {
		l.last.Store(time.Now().UnixNano())
	}
	l.waiting.Add(-1)
}

// silent is for how long users have waited in vain.
func (l *life) silent() time.Duration {
	if l.waiting.Load() == 0 {
		return 0
	}
	return l.quiet()
}

// quiet is how long ago anybody got something or began to wait for it.
func (l *life) quiet() time.Duration { return time.Duration(time.Now().UnixNano() - l.last.Load()) }

// Lease is the right to use a running child, which is not unloaded before
// Release. Its methods may be called from several goroutines.
type Lease struct {
	Endpoint
	life      *life
	once      sync.Once
	release   func()
	endSilent func(time.Duration)
}

// Release ends the use. Calling it again does nothing.
func (l *Lease) Release() { l.once.Do(l.release) }

// Died is closed when the child has ended, for whatever reason.
func (l *Lease) Died() <-chan struct{} { return l.life.died }

// Err tells why the child ended (*Exited, *Silent, ErrStopped), and is nil while it lives.
func (l *Lease) Err() error {
	select {
	case <-l.life.died:
		return l.life.err
	default:
		return nil
	}
}

// Await says that the user now waits for the child to do something, until it
// calls the function it got: true means that something came, false that it no
// longer waits. A child that lets its users wait for longer than
// Limits.Silence without bringing any of them anything is killed.
func (l *Lease) Await() (done func(progress bool)) {
	l.life.await()
	return l.life.arrived
}

// EndSilent kills the child if nobody has got anything from it for d, as
// Limits.Silence does. It is for a user whose own limit has passed.
func (l *Lease) EndSilent(d time.Duration) { l.endSilent(d) }

// Explain turns the failure of a request into the reason, when that is the end
// of the child; else it returns err. It waits a moment for the end to be known.
func (l *Lease) Explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-l.life.died:
		return l.life.err
	case <-ctx.Done():
	case <-t.C:
	}
	return err
}

// Transport sends requests over base with the child's key, awaits their
// answers as Await does, counts every read that brings bytes as progress, and
// explains failures as Explain does.
func (l *Lease) Transport(base http.RoundTripper) http.RoundTripper { return watched{base, l} }

type watched struct {
	base  http.RoundTripper
	lease *Lease
}

func (w watched) RoundTrip(req *http.Request) (*http.Response, error) {
	if w.lease.Key != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+w.lease.Key)
	}
	w.lease.life.await()
	resp, err := w.base.RoundTrip(req)
	w.lease.life.arrived(err == nil)
	if err != nil {
		return nil, w.lease.Explain(req.Context(), err)
	}
	resp.Body = &watchedBody{resp.Body, w.lease, req.Context()}
	return resp, nil
}

type watchedBody struct {
	io.ReadCloser
	lease *Lease
	ctx   context.Context // the request's, which ends with the body
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.lease.life.await()
	n, err := b.ReadCloser.Read(p)
	b.lease.life.arrived(n > 0)
	if err != nil && err != io.EOF { //nolint:errorlint // a body's end is io.EOF itself
		err = b.lease.Explain(b.ctx, err)
	}
	return n, err
}
