package pip

import "syscall"

// dieWithUs has the kernel kill a child whose parent was killed: one that goes on would write into
// a folder that the next run uses.
func dieWithUs(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
