package cli

import "os"

// reloadSignals is empty: Windows has no SIGHUP, and a changed file is noticed anyway.
var reloadSignals []os.Signal
