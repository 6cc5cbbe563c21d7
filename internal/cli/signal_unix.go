//go:build unix

package cli

import (
	"os"
	"syscall"
)

// reloadSignals ask a running endpoint to read its file again.
var reloadSignals = []os.Signal{syscall.SIGHUP}
