//go:build linux

package process_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
)

func start(t *testing.T, spec process.Spec) *process.Process {
	t.Helper()
	p := process.New(spec, process.Options{})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // whoever still uses it is cut off
		_ = p.Close(ctx)
	})
	return p
}

func ask(t *testing.T, l *process.Lease, path string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{DisableKeepAlives: true}
	return l.Transport(base).RoundTrip(req)
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// eventually waits for what the kernel does in its own time.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 500 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("still not after five seconds: %s", what)
}

func waitDied(t *testing.T, l *process.Lease) error {
	t.Helper()
	select {
	case <-l.Died():
	case <-time.After(10 * time.Second):
		t.Fatal("the end of the child was not noticed")
	}
	return l.Err()
}

func TestCallersShareOneStart(t *testing.T) {
	p := start(t, fakeSpec("slow"))
	var wg sync.WaitGroup
	pids := make([]string, 20)
	for i := range pids {
		wg.Go(func() {
			l, err := p.Ensure(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Release()
			pids[i] = l.URL
		})
	}
	wg.Wait()
	for _, u := range pids {
		if u != pids[0] {
			t.Errorf("got children at %s and %s, want one", pids[0], u)
		}
	}
	if got := p.State(); got.Starts != 1 || got.State != process.Ready {
		t.Errorf("got %+v, want one start and ready", got)
	}
}

func TestCallerWhoGivesUpLeavesTheStartToTheOthers(t *testing.T) {
	p := start(t, fakeSpec("slow"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	gaveUp := make(chan error, 1)
	go func() {
		_, err := p.Ensure(ctx)
		gaveUp <- err
	}()
	l := ensure(t, p)
	l.Release()
	if err := <-gaveUp; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the caller's own deadline", err)
	}
	eventually(t, "one start and no user", func() bool { s := p.State(); return s.Starts == 1 && s.InUse == 0 })
}

func TestStartNobodyWaitsForIsStopped(t *testing.T) {
	p := start(t, fakeSpec("never"))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.Ensure(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, want the deadline", err)
	}
	eventually(t, "stopped", func() bool { return p.State().State == process.Stopped })
}

func TestChildThatDiesAtStartIsExplainedAndBackedOff(t *testing.T) {
	p := start(t, fakeSpec("dies"))
	_, err := p.Ensure(t.Context())
	failed, ok := errors.AsType[*process.StartError](err)
	if !ok || failed.RetryAfter != time.Second {
		t.Fatalf("got %v, want a StartError with a second to wait", err)
	}
	exited, ok := errors.AsType[*process.Exited](err)
	if !ok || exited.Code != 3 || len(exited.Stderr) != 2 {
		t.Fatalf("got %+v, want code 3 and both lines", exited)
	}
	want := "start model server: the model server ended with code 3: failed to open 'model.gguf': it is corrupt"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if _, err = p.Ensure(t.Context()); err == nil || p.State().Starts != 1 {
		t.Errorf("got %v and %d starts, want a refusal without a second start", err, p.State().Starts)
	}
}

func TestChildThatNeverStopsTalkingDoesNotFillTheLog(t *testing.T) {
	var lines countingWriter
	p := process.New(fakeSpec("noisy"), process.Options{Logger: slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	defer func() { _ = p.Close(t.Context()) }()
	if _, err := p.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Kill() // its output has been read when it is gone
	if n := lines.n.Load(); n < 500 || n > 10_000 {
		t.Errorf("%d of 20,000 lines were logged", n)
	}
}

// countingWriter counts the calls of Write.
type countingWriter struct{ n atomic.Int64 }

func (w *countingWriter) Write(b []byte) (int, error) {
	w.n.Add(1)
	return len(b), nil
}

func TestProgramThatIsMissingIsNamedWithoutItsFolder(t *testing.T) {
	spec := fakeSpec()
	spec.Command = "/no/such/folder/vllm serve"
	_, err := start(t, spec).Ensure(t.Context())
	if err == nil || strings.Contains(err.Error(), "folder") || !strings.Contains(err.Error(), "vllm") {
		t.Errorf("got %v, want the program's name alone", err)
	}
}

func TestChildThatDoesNotComeUpInTimeIsKilled(t *testing.T) {
	spec := fakeSpec("never")
	spec.Limits.Start = 200 * time.Millisecond
	_, err := start(t, spec).Ensure(t.Context())
	if _, ok := errors.AsType[*process.StartTimeout](err); !ok {
		t.Errorf("got %v, want a StartTimeout", err)
	}
}

func TestKilledChildFailsItsRequestsAndIsStartedAgain(t *testing.T) {
	p := start(t, fakeSpec())
	l := ensure(t, p)
	resp, err := ask(t, l, "/tokens")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 20)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(p.State().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if e, ok := errors.AsType[*process.Exited](err); !ok || e.Signal != "killed" {
		t.Errorf("got %v in mid-answer, want the exit by signal", err)
	}
	if _, ok := errors.AsType[*process.Exited](waitDied(t, l)); !ok {
		t.Errorf("got %v, want the exit", l.Err())
	}
	l.Release()

	again := ensure(t, p)
	again.Release()
	if again.Err() != nil || p.State().Starts != 2 {
		t.Errorf("got %v after %d starts, want a second child", again.Err(), p.State().Starts)
	}
	// Between answers.
	if err := syscall.Kill(p.State().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = waitDied(t, again)
	third := ensure(t, p)
	defer third.Release()
	if resp, err := ask(t, third, "/ready"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("got %v, want an answer of the third child", err)
	}
}

func TestStopDrainsAndThenEndsTheChild(t *testing.T) {
	p := start(t, fakeSpec("deaf-to-term"))
	l := ensure(t, p)
	pid := p.State().PID
	stopped := make(chan error)
	go func() { stopped <- p.Stop(t.Context()) }()
	eventually(t, "draining", func() bool { return p.State().State == process.Draining })
	if !alive(pid) {
		t.Fatal("a child in use was ended")
	}
	next := make(chan error)
	go func() {
		l, err := p.Ensure(t.Context())
		if err == nil {
			l.Release()
		}
		next <- err
	}()
	l.Release()
	if err := <-stopped; err != nil || alive(pid) {
		t.Errorf("got %v and alive %v, want it gone", err, alive(pid))
	}
	if err := waitDied(t, l); !errors.Is(err, process.ErrStopped) {
		t.Errorf("got %v, want stopped", err)
	}
	if err := <-next; err != nil {
		t.Errorf("got %v, want the next child for who came while it drained", err)
	}
}

func TestStopCutsUsersOffWhenItsTimeIsUp(t *testing.T) {
	p := start(t, fakeSpec())
	l := ensure(t, p)
	defer l.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	if err := l.Err(); !errors.Is(err, process.ErrStopped) {
		t.Errorf("got %v, want stopped", err)
	}
}

func TestClosedProcessStartsNothing(t *testing.T) {
	p := start(t, fakeSpec())
	l := ensure(t, p)
	l.Release()
	l.Release()
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if _, err := p.Ensure(t.Context()); !errors.Is(err, process.ErrClosed) {
		t.Errorf("got %v, want closed", err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestKillEndsAChildInUse(t *testing.T) {
	p := start(t, fakeSpec("deaf-to-term"))
	l := ensure(t, p)
	defer l.Release()
	pid := p.State().PID
	p.Kill()
	if alive(pid) || !errors.Is(l.Err(), process.ErrStopped) {
		t.Errorf("got alive %v and %v, want it gone", alive(pid), l.Err())
	}
}

func TestSilentChildIsKilledAndItsRequestTimesOut(t *testing.T) {
	spec := fakeSpec("deaf-to-term")
	spec.Limits.Silence = 200 * time.Millisecond
	p := start(t, spec)
	l := ensure(t, p)
	defer l.Release()
	_, err := ask(t, l, "/hang")
	if silent, ok := errors.AsType[*process.Silent](err); !ok || !silent.Timeout() {
		t.Errorf("got %v, want Silent", err)
	}
}

func TestGrandchildEndsWithTheChild(t *testing.T) {
	for _, by := range []string{"stop", "kill -9 of the child"} {
		t.Run(by, func(t *testing.T) {
			spec, pidfile := fakeSpec("grandchild"), filepath.Join(t.TempDir(), "pid")
			spec.Env = append(spec.Env, "TEST_PIDFILE="+pidfile)
			p := start(t, spec)
			l := ensure(t, p)
			l.Release()
			grandchild := readPID(t, pidfile)
			if by == "stop" {
				if err := p.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			} else {
				_ = syscall.Kill(p.State().PID, syscall.SIGKILL)
				_ = waitDied(t, l)
			}
			eventually(t, "grandchild gone", func() bool { return !alive(grandchild) || zombie(grandchild) })
		})
	}
}

func TestNothingSurvivesAKilledGateway(t *testing.T) {
	pidfile := filepath.Join(t.TempDir(), "pid")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fakeVar+"=gateway,deaf-to-term,grandchild", "TEST_PIDFILE="+pidfile)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	grandchild := readPID(t, pidfile)
	if !alive(child) || !alive(grandchild) {
		t.Fatal("the children do not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for _, pid := range []int{child, grandchild} {
		eventually(t, "orphan gone", func() bool { return !alive(pid) || zombie(pid) })
	}
}

func TestAHundredCyclesLeaveNothingBehind(t *testing.T) {
	p := start(t, fakeSpec())
	cycle := func() int {
		ensure(t, p).Release()
		pid := p.State().PID
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		return pid
	}
	cycle()
	before := descriptors(t)
	for range 100 {
		if pid := cycle(); alive(pid) {
			t.Fatalf("process %d is left", pid)
		}
	}
	const others = 5 // the runtime and other tests open a few; a leak would be one for each cycle
	if after := descriptors(t); after > before+others {
		t.Errorf("got %d descriptors after, %d before", after, before)
	}
	if got := children(t); got != 0 {
		t.Errorf("got %d processes left, want none", got)
	}
}

func readPID(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestLlamaServerIsReadyOnceItHasComputed(t *testing.T) {
	spec := process.Spec{
		Engine:    process.Engine{Kind: process.LlamaServer, Argv: []string{os.Args[0], "--own", "flag"}},
		ModelPath: "m.gguf", Context: 2048, Slots: 2, Threads: 1, GPULayers: process.AllLayers,
		Env: []string{fakeVar + "=llama-server"},
	}
	l := ensure(t, start(t, spec))
	l.Release()
	if l.Key == "" {
		t.Error("got no key")
	}
	spec.Context = 1024
	_, err := start(t, spec).Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "refused its first question with status 400") {
		t.Errorf("got %v, want its refusal", err)
	}
}
