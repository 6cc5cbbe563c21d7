package process_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
)

func ensure(t *testing.T, p *process.Process) *process.Lease {
	t.Helper()
	l, err := p.Ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fakes hands out children without processes and keeps the latest.
type fakes struct {
	latest *process.FakeChild
	takes  time.Duration
	err    error
}

func (f *fakes) start(ctx context.Context) (*process.FakeChild, error) {
	select {
	case <-time.After(f.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if f.err != nil {
		return nil, f.err
	}
	f.latest = new(process.FakeChild)
	return f.latest, nil
}

// inVirtualTime runs f with a Process of fakes and closes it afterwards.
func inVirtualTime(t *testing.T, limits process.Limits, f func(*testing.T, *fakes, *process.Process)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fs := new(fakes)
		p := process.NewFake(limits, fs.start)
		f(t, fs, p)
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func state(p *process.Process) process.State {
	synctest.Wait()
	return p.State().State
}

func TestIdleChildIsUnloadedAndOneInUseIsNot(t *testing.T) {
	inVirtualTime(t, process.Limits{KeepAlive: time.Minute}, func(t *testing.T, _ *fakes, p *process.Process) {
		l := ensure(t, p)
		time.Sleep(time.Hour)
		if got := state(p); got != process.Ready {
			t.Fatalf("got %s in use, want ready", got)
		}
		l.Release()
		time.Sleep(59 * time.Second)
		ensure(t, p).Release()
		time.Sleep(59 * time.Second)
		if got := state(p); got != process.Ready {
			t.Fatalf("got %s within the limit, want ready", got)
		}
		time.Sleep(2 * time.Second)
		if got := state(p); got != process.Stopped {
			t.Fatalf("got %s after the limit, want stopped", got)
		}
		ensure(t, p).Release()
		if got := p.State().Starts; got != 2 {
			t.Errorf("got %d starts, want 2", got)
		}
	})
}

func TestNewLimitsHoldForARunningChild(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, _ *fakes, p *process.Process) {
		ensure(t, p).Release()
		time.Sleep(time.Hour)
		if got := state(p); got != process.Ready {
			t.Fatalf("got %s without a limit, want ready", got)
		}
		p.SetLimits(process.Limits{KeepAlive: time.Minute})
		if got := state(p); got != process.Stopped {
			t.Errorf("got %s, want stopped", got)
		}
	})
}

func TestSilenceCountsOnlyWhileSomebodyWaits(t *testing.T) {
	inVirtualTime(t, process.Limits{Silence: time.Minute}, func(t *testing.T, _ *fakes, p *process.Process) {
		l := ensure(t, p)
		defer l.Release()
		time.Sleep(time.Hour) // in use, and nothing is asked: a slow reader downstream
		for range 10 {
			done := l.Await()
			time.Sleep(59 * time.Second)
			done(true)
		}
		if got := state(p); got != process.Ready {
			t.Fatalf("got %s with progress, want ready", got)
		}
		other := ensure(t, p)
		defer other.Release()
		queued, working := other.Await(), l.Await()
		time.Sleep(50 * time.Second)
		working(true) // what one gets is progress for those who queue
		time.Sleep(50 * time.Second)
		if l.Err() != nil {
			t.Fatalf("got %v, want it alive", l.Err())
		}
		time.Sleep(18 * time.Second)
		synctest.Wait()
		silent, ok := errors.AsType[*process.Silent](l.Err())
		if !ok || silent.For < time.Minute || silent.For > 68*time.Second {
			t.Errorf("got %v, want silent for a minute", l.Err())
		}
		queued(false)
		ensure(t, p).Release() // the next one starts at once
	})
}

func TestBackoffDoublesUpToItsCapAndEndsWithASuccess(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, fs *fakes, p *process.Process) {
		fs.err = errors.New("broken")
		want := time.Second
		for range 10 {
			_, err := p.Ensure(t.Context())
			failed, ok := errors.AsType[*process.StartError](err)
			if !ok || failed.RetryAfter != want {
				t.Fatalf("got %v, want to wait %v", err, want)
			}
			starts := p.State().Starts
			time.Sleep(want / 2)
			_, err = p.Ensure(t.Context())
			if failed, ok := errors.AsType[*process.StartError](err); !ok || failed.RetryAfter != want-want/2 {
				t.Fatalf("got %v, want half of %v left", err, want)
			}
			if got := p.State(); got.Starts != starts || got.State != process.Failed {
				t.Fatalf("got %+v, want nothing started", got)
			}
			time.Sleep(want - want/2)
			want = min(2*want, process.BackoffCap)
		}
		fs.err = nil
		ensure(t, p).Release()
		fs.latest.Exit(&process.Exited{Code: 1})
		synctest.Wait()
		fs.err = errors.New("broken again")
		_, err := p.Ensure(t.Context())
		if failed, ok := errors.AsType[*process.StartError](err); !ok || failed.RetryAfter != time.Second {
			t.Errorf("got %v, want a second again", err)
		}
	})
}

func TestChildThatDiesWhileReadyIsStartedAgainWithoutBackoff(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, fs *fakes, p *process.Process) {
		for range 5 {
			l := ensure(t, p)
			fs.latest.Exit(&process.Exited{Code: -1, Signal: "aborted", Hint: "assert"})
			<-l.Died()
			want := "the model server was ended by signal aborted: assert"
			if got := l.Err(); got == nil || got.Error() != want {
				t.Errorf("got %v, want %q", got, want)
			}
			if got := state(p); got != process.Absent {
				t.Errorf("got %s, want absent", got)
			}
			l.Release() // of a child that is gone: it must not count for the next
		}
		if got := p.State().InUse; got != 0 {
			t.Errorf("got %d users, want none", got)
		}
	})
}

func TestStopWhileStartingRefusesThoseWhoWait(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, fs *fakes, p *process.Process) {
		fs.takes = time.Hour
		got := make(chan error, 1)
		go func() {
			_, err := p.Ensure(t.Context())
			got <- err
		}()
		synctest.Wait()
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-got; !errors.Is(err, process.ErrStopped) {
			t.Errorf("got %v, want stopped", err)
		}
	})
}

func TestWhoComesAfterAnAbandonedStartGetsTheNext(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, fs *fakes, p *process.Process) {
		fs.takes = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := p.Ensure(ctx); err == nil {
			t.Fatal("got a child in no time")
		}
		ensure(t, p).Release()
		if got := p.State().Starts; got != 2 {
			t.Errorf("got %d starts, want 2", got)
		}
	})
}

func TestChildThatIgnoresTheRequestToEndIsKilledAfterItsGrace(t *testing.T) {
	inVirtualTime(t, process.Limits{StopGrace: 3 * time.Second}, func(t *testing.T, fs *fakes, p *process.Process) {
		ensure(t, p).Release()
		fs.latest.Ignore()
		begin := time.Now()
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if got := time.Since(begin); got != 3*time.Second {
			t.Errorf("took %v, want the grace", got)
		}
	})
}

func TestUserWhoseOwnLimitPassedEndsOnlyAChildThatIsQuietForAll(t *testing.T) {
	inVirtualTime(t, process.Limits{}, func(t *testing.T, _ *fakes, p *process.Process) {
		l, other := ensure(t, p), ensure(t, p)
		defer l.Release()
		defer other.Release()
		done, working := l.Await(), other.Await()
		time.Sleep(40 * time.Second)
		working(true)
		time.Sleep(20 * time.Second)
		l.EndSilent(time.Minute)
		if got := state(p); got != process.Ready {
			t.Fatalf("got %s although another user got something, want ready", got)
		}
		time.Sleep(40 * time.Second)
		l.EndSilent(time.Minute)
		<-l.Died()
		if silent, ok := errors.AsType[*process.Silent](l.Err()); !ok || silent.For != time.Minute {
			t.Errorf("got %v, want silent for a minute", l.Err())
		}
		done(false)
	})
}
