//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

func attributes(pgid int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pgid: pgid}
}

func start(cmd *exec.Cmd) error { return cmd.Start() }
