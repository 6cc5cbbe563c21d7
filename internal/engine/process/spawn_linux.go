package process

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

func attributes(pgid int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pgid: pgid, Pdeathsig: syscall.SIGKILL}
}

type spawning struct {
	cmd *exec.Cmd
	err chan error
}

// spawner is the thread that forks every child. The kernel sends the
// parent-death signal when the forking thread ends, not the process, so this
// one never does.
var spawner = sync.OnceValue(func() chan<- spawning {
	orders := make(chan spawning)
	go func() {
		runtime.LockOSThread()
		for o := range orders {
			o.err <- o.cmd.Start()
		}
	}()
	return orders
})

func start(cmd *exec.Cmd) error {
	o := spawning{cmd, make(chan error)}
	spawner() <- o
	return <-o.err
}
