//go:build unix

package process

import (
	"errors"
	"io"
	"os/exec"
	"syscall"
)

// guardScript waits in the child's process group until the gateway's end of
// its standard input closes, and then ends the whole group.
const guardScript = `trap '' TERM INT HUP; read -r _; kill -9 0`

// group is a child's process group. Its leader is a guard that outlives the
// gateway just long enough to kill the group, whatever a wrapper has started;
// without a shell on the machine the child leads it itself.
type group struct {
	id    int
	guard *exec.Cmd
	hold  io.Closer
}

func startGroup(cmd *exec.Cmd) (*group, error) {
	g := new(group)
	guard := exec.Command("/bin/sh", "-c", guardScript) //nolint:noctx // it must live as long as the group
	guard.Env = []string{}
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	hold, err := guard.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := guard.Start(); err == nil {
		g.id, g.guard, g.hold = guard.Process.Pid, guard, hold
	}
	cmd.SysProcAttr = attributes(g.id)
	if err := start(cmd); err != nil {
		g.end()
		return nil, err
	}
	if g.id == 0 {
		g.id = cmd.Process.Pid
	}
	return g, nil
}

// ask tells every process of the group to end.
func (g *group) ask() { g.signal(syscall.SIGTERM) }

// kill ends every process of the group.
func (g *group) kill() { g.signal(syscall.SIGKILL) }

func (g *group) signal(s syscall.Signal) {
	if g.id > 0 {
		_ = syscall.Kill(-g.id, s) // the group may be gone already
	}
}

// end kills what is left of the group and releases it; the child has been waited for.
func (g *group) end() {
	g.kill()
	if g.guard != nil {
		_ = g.hold.Close()
		_ = g.guard.Wait() // reaping the leader last keeps the group's number ours until here
	}
}

func signalName(err *exec.ExitError) string {
	if ws, ok := err.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return ws.Signal().String()
	}
	return ""
}

func addressInUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
