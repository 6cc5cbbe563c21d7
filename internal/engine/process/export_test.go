package process

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// FakeChild is a child without a process, for tests in virtual time.
type FakeChild struct {
	once  sync.Once
	deaf  atomic.Bool
	child *child
}

// Exit ends the child.
func (f *FakeChild) Exit(e *Exited) {
	f.once.Do(func() {
		f.child.exit = e
		close(f.child.exited)
	})
}

// Ignore makes the child deaf to being asked to end.
func (f *FakeChild) Ignore() { f.deaf.Store(true) }

// NewFake returns a Process whose children come from start.
func NewFake(limits Limits, start func(context.Context) (*FakeChild, error)) *Process {
	return newProcess(Spec{Limits: limits}, Options{}, func(ctx context.Context, _ Spec, _ *slog.Logger) (*child, error) {
		f, err := start(ctx)
		if err != nil {
			return nil, err
		}
		c := &child{pid: 1, exited: make(chan struct{})}
		f.child = c
		c.kill = func() { f.Exit(&Exited{Code: -1, Signal: "killed"}) }
		c.ask = func() {
			if !f.deaf.Load() {
				f.Exit(&Exited{})
			}
		}
		return c, nil
	})
}

// Hint is what a tail of lines says.
func Hint(lines ...string) string {
	t := &tail{paths: []string{"/a folder/the model.gguf"}}
	for _, l := range lines {
		t.add(l)
	}
	return t.hint()
}

// WithoutPaths cuts the folders off the paths in s.
func WithoutPaths(s string) string { return withoutPaths(s) }

// BackoffCap is the longest back-off.
const BackoffCap = lastBackoff
