package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/llm"
)

const mib = 1 << 20

// sized is a model that takes n MiB.
func sized(name string, n uint64) engine.Settings {
	s := command(name)
	s.Memory = n * mib
	return s
}

func state(m *engine.Model) process.State {
	s, _ := m.State()
	return s.State
}

// held is a stream that has begun and ends when release is called; done tells how.
func held(t *testing.T, m *engine.Model) (release func(), done <-chan error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "go on")
	began, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var once sync.Once
		for _, err := range m.Chat(t.Context(), chat("hold "+file)) {
			if err != nil {
				ended <- err
				return
			}
			once.Do(func() { close(began) })
		}
		ended <- nil
	}()
	select {
	case <-began:
	case err := <-ended:
		t.Fatalf("the stream did not begin: %v", err)
	}
	return func() {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Error(err)
		}
	}, ended
}

func TestTheIdleModelUsedLeastRecentlyMakesRoom(t *testing.T) {
	p := pool(t, 100*mib)
	a, b, c := p.Model(sized("a", 40)), p.Model(sized("b", 40)), p.Model(sized("c", 40))
	ask := func(m *engine.Model) {
		t.Helper()
		collect(t, m.Chat(t.Context(), chat("x")))
	}
	ask(a)
	ask(b)
	ask(a)
	ask(c)
	if state(a) != process.Ready || state(b) != process.Stopped || state(c) != process.Ready {
		t.Errorf("a is %s, b %s, c %s", state(a), state(b), state(c))
	}
	ask(b) // what was unloaded does not count any more
	if state(a) != process.Stopped || state(b) != process.Ready || state(c) != process.Ready {
		t.Errorf("then a is %s, b %s, c %s", state(a), state(b), state(c))
	}
}

func TestAModelInUseIsWaitedFor(t *testing.T) {
	p := pool(t, 50*mib)
	a, b := p.Model(sized("a", 40)), p.Model(sized("b", 40))
	release, done := held(t, a)
	answered := make(chan error, 1)
	go func() {
		_, err := b.Chat(t.Context(), chat("x")).Collect()
		answered <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Chat(ctx, chat("x")).Collect(); llm.AsError(err).Kind != llm.Timeout {
		t.Errorf("who gave up waiting: %v", err)
	}
	select {
	case err := <-answered:
		t.Fatalf("the second model answered while the first was in use: %v", err)
	default:
	}
	release()
	if err := <-done; err != nil {
		t.Errorf("the model in use was disturbed: %v", err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if state(a) != process.Stopped {
		t.Errorf("the first model is %s", state(a))
	}
}

func TestWhatNeverFitsIsSaidWithNumbers(t *testing.T) {
	m := pool(t, 50*mib).Model(sized("vast", 60))
	_, err := m.Chat(t.Context(), chat("x")).Collect()
	e := llm.AsError(err)
	for _, s := range []string{"'vast'", "60 MiB", "50 MiB", "engine.memory"} {
		if !strings.Contains(e.Message, s) {
			t.Errorf("%q does not say %q", e.Message, s)
		}
	}
	if e.Kind != llm.Unavailable || state(m) != process.Absent {
		t.Errorf("kind %d, state %s", e.Kind, state(m))
	}
}

func TestTwoModelsThatWantTheSameMemoryTakeTurns(t *testing.T) {
	p := pool(t, 50*mib)
	a, b := p.Model(sized("a", 40)), p.Model(sized("b", 40))
	var all sync.WaitGroup
	var both sync.Mutex // guards running and most
	running, most := map[string]bool{}, 0
	stop := make(chan struct{})
	all.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			both.Lock()
			n := 0
			for name, m := range map[string]*engine.Model{"a": a, "b": b} {
				if s, _ := m.State(); s.PID != 0 {
					n++
					running[name] = true
				}
			}
			most = max(most, n)
			both.Unlock()
		}
	})
	var asking sync.WaitGroup
	for i := range 4 {
		asking.Go(func() {
			for k := range 5 {
				if _, err := []*engine.Model{a, b}[(i+k)%2].Chat(t.Context(), chat("x")).Collect(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	asking.Wait()
	close(stop)
	all.Wait()
	if most != 1 || len(running) != 2 {
		t.Errorf("%d ran at once, %v ran", most, running)
	}
}

func TestManyCallersShareOneStartAndTheSlots(t *testing.T) {
	s := command("m")
	s.Queue = 100
	m := pool(t, 0).Model(s)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			r := chat("x")
			r.Caller.Name = strconv.Itoa(i % 3)
			if _, err := m.Chat(t.Context(), r).Collect(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	eventually(t, "all to have left", func() bool {
		s, waiting := m.State()
		return s.InUse == 0 && waiting == 0
	})
	if s, _ := m.State(); s.Starts != 1 {
		t.Errorf("%d starts", s.Starts)
	}
}

func TestAFullQueueRefusesAndAHangUpMakesRoom(t *testing.T) {
	s := command("m")
	s.Spec.Slots, s.Queue = 1, 1
	m := pool(t, 0).Model(s)
	release, done := held(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := m.Chat(ctx, chat("x")).Collect()
		waiting <- err
	}()
	length := func(n int) func() bool {
		return func() bool { _, w := m.State(); return w == n }
	}
	eventually(t, "one to wait", length(1))
	if _, err := m.Chat(t.Context(), chat("x")).Collect(); llm.AsError(err).Kind != llm.RateLimited || !strings.Contains(err.Error(), "1 requests are waiting") {
		t.Errorf("got %v", err)
	}
	cancel()
	if err := <-waiting; llm.AsError(err).Kind != llm.Canceled {
		t.Errorf("who hung up got %v", err)
	}
	eventually(t, "nobody to wait", length(0))
	release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	collect(t, m.Chat(t.Context(), chat("x")))
}

func TestAnUnchangedModelKeepsItsChildAndARemovedOneEndsAfterItsStreams(t *testing.T) {
	p := pool(t, 0)
	kept, removed := p.Model(command("kept")), p.Model(command("removed"))
	collect(t, kept.Chat(t.Context(), chat("x")))
	before, _ := kept.State()
	releaseOne, one := held(t, removed)
	releaseTwo, two := held(t, removed)
	queued := make(chan error, 1) // both slots are taken
	go func() {
		_, err := removed.Chat(t.Context(), chat("x")).Collect()
		queued <- err
	}()
	eventually(t, "one to wait", func() bool { _, w := removed.State(); return w == 1 })

	s := command("kept")
	s.Info.Deployment, s.Spec.Limits.KeepAlive, s.Queue = "renamed", time.Hour, 9
	again := p.Model(s)
	gone := make(chan struct{})
	go func() {
		p.Release(t.Context(), []*engine.Model{kept, removed})
		close(gone)
	}()
	collect(t, again.Chat(t.Context(), chat("x")))
	if after, _ := again.State(); after.PID != before.PID || after.Starts != 1 {
		t.Errorf("the unchanged child was started again: %+v, then %+v", before, after)
	}
	select {
	case <-gone:
		t.Error("released with open streams")
	case <-time.After(50 * time.Millisecond):
	}
	releaseOne()
	releaseTwo()
	for _, done := range []<-chan error{one, two, queued} {
		if err := <-done; err != nil {
			t.Errorf("a request to the removed model: %v", err)
		}
	}
	<-gone
	if state(removed) != process.Stopped {
		t.Errorf("the removed model is %s", state(removed))
	}
}

func TestAModelThatReturnsWhileItLeavesGetsAnotherChildWhenThatHasLeft(t *testing.T) {
	p := pool(t, 50*mib)
	old := p.Model(sized("m", 40))
	release, done := held(t, old)
	var released sync.WaitGroup
	released.Go(func() { p.Release(t.Context(), []*engine.Model{old}) })
	time.Sleep(20 * time.Millisecond)
	fresh := p.Model(sized("m", 40))
	answered := make(chan error, 1)
	go func() {
		_, err := fresh.Chat(t.Context(), chat("x")).Collect()
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("both had memory for one: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	release()
	for _, c := range []<-chan error{done, answered} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
	released.Wait()
}

func TestCloseEndsWhatIsOpenWhatLeavesAndWhatWaits(t *testing.T) {
	p := pool(t, 50*mib)
	leaving, using := p.Model(sized("leaving", 10)), p.Model(sized("using", 40))
	waiting := p.Model(sized("waiting", 40))
	_, one := held(t, leaving)
	_, two := held(t, using)
	var released sync.WaitGroup
	released.Go(func() { p.Release(t.Context(), []*engine.Model{leaving}) })
	three := make(chan error, 1)
	go func() {
		_, err := waiting.Chat(t.Context(), chat("x")).Collect()
		three <- err
	}()
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	p.Close(ctx)
	released.Wait()
	for _, c := range []<-chan error{one, two, three} {
		if e := llm.AsError(<-c); e.Kind != llm.Unavailable {
			t.Errorf("got %v", e)
		}
	}
	if _, err := p.Model(command("late")).Chat(t.Context(), chat("x")).Collect(); llm.AsError(err).Kind != llm.Unavailable {
		t.Errorf("after the end: %v", err)
	}
	for _, m := range []*engine.Model{leaving, using, waiting} {
		if s, _ := m.State(); s.PID != 0 {
			t.Errorf("process %d is left", s.PID)
		}
	}
}

func TestARequestThatMeetsADyingChildIsAnsweredByTheNext(t *testing.T) {
	m := pool(t, 0).Model(command("m"))
	for range 10 {
		collect(t, m.Chat(t.Context(), chat("x")))
		s, _ := m.State()
		child, err := os.FindProcess(s.PID)
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	collect(t, m.Chat(t.Context(), chat("x")))
}

func TestLoadingDoesNotCountAsSilence(t *testing.T) {
	s := command("slow") // it takes half a second to listen
	s.First, s.Silence = 200*time.Millisecond, 200*time.Millisecond
	collect(t, pool(t, 0).Model(s).Chat(t.Context(), chat("x")))
}
