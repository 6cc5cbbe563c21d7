package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Endpoint is where a child listens, and the key it wants as a bearer token;
// a Command gets none.
type Endpoint struct{ URL, Key string }

// child is one running server. exit is set before exited closes, and by then
// its whole process group is gone.
type child struct {
	Endpoint
	pid    int
	exited chan struct{}
	exit   *Exited
	ask    func() // asks it to end
	kill   func() // ends it and all it started, at once
}

// end asks the child to end, kills it after grace, and waits for it.
func (c *child) end(grace time.Duration) {
	c.ask()
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.exited:
	case <-t.C:
		c.kill()
		<-c.exited
	}
}

// readersGrace is how long the end of a child's output is waited for after the
// child is gone: a process that left the group may hold it open.
const readersGrace = 300 * time.Millisecond

// running is a spawned child before it has an address.
type running struct {
	child
	stdin  *os.File
	stderr *tail
	said   chan string // its first line of standard output

	mu      sync.Mutex // guards what follows
	reaped  bool
	isReady bool
}

// spawn starts argv in a process group of its own and follows its output.
func spawn(argv, env []string, stderr *tail, logger *slog.Logger) (*running, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // running what the operator names is the purpose; its life is the owner's
	cmd.Env = env
	var ours, theirs [3]*os.File
	closeAll := func(fs ...*os.File) {
		for _, f := range fs {
			_ = f.Close() // nil files say so, and nothing was written that could be lost
		}
	}
	for i := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(ours[:], theirs[:]...)...)
			return nil, fmt.Errorf("open pipe: %w", err)
		}
		ours[i], theirs[i] = r, w
		if i == 0 {
			ours[i], theirs[i] = w, r
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs[0], theirs[1], theirs[2]
	g, err := startGroup(cmd)
	closeAll(theirs[:]...)
	if err != nil {
		closeAll(ours[:]...)
		return nil, err
	}

	r := &running{stdin: ours[0], stderr: stderr, said: make(chan string, 1)}
	r.pid, r.exited = cmd.Process.Pid, make(chan struct{})
	r.ask = func() {
		_ = r.stdin.Close()
		r.whileAlive(g.ask)
	}
	r.kill = func() { r.whileAlive(g.kill) }

	var readers sync.WaitGroup
	log := logger.With(slog.Int("pid", r.pid))
	readers.Go(func() {
		eachLine(ours[1], func(line string) {
			select {
			case r.said <- line:
			default:
			}
		})
	})
	readers.Go(func() {
		var logged ration
		eachLine(ours[2], func(line string) {
			r.stderr.add(line)
			if !logged.take(time.Now()) {
				return
			}
			log.LogAttrs(context.Background(), slog.LevelDebug, "model server says", slog.String("line", line))
		})
	})
	go func() {
		err := cmd.Wait()
		r.mu.Lock()
		r.reaped = true
		g.end()
		starting := !r.isReady
		r.mu.Unlock()
		cut := time.AfterFunc(readersGrace, func() { closeAll(ours[1:]...) })
		readers.Wait()
		cut.Stop()
		closeAll(ours[:]...)
		r.exit = exitOf(err, r.stderr, starting)
		close(r.exited)
	}()
	return r, nil
}

// whileAlive keeps signals from a process group whose number may be another's by now.
func (r *running) whileAlive(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.reaped {
		f()
	}
}

func exitOf(err error, t *tail, starting bool) *Exited {
	e := &Exited{Stderr: t.copy()}
	if starting { // later lines may be about the requests of others
		e.Hint = t.hint()
	}
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		e.Code, e.Signal = failed.ExitCode(), signalName(failed)
	}
	return e
}
