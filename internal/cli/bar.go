package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar shows the progress of long work on standard error: a bar on a terminal, a line for each
// stage elsewhere.
type bar struct {
	out      io.Writer
	terminal bool
	what     string
	bar      *progressbar.ProgressBar
}

func (a *app) newBar() *bar {
	f, ok := a.Err.(*os.File)
	return &bar{out: a.Err, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// show says how far a stage is, in bytes; total 0 is not known.
func (b *bar) show(what string, done, total int64) {
	if what != b.what {
		b.finish()
		b.what = what
		if !b.terminal {
			_, _ = io.WriteString(b.out, what+"\n")
			return
		}
		if total <= 0 {
			total = -1
		}
		const redraw = 100 * time.Millisecond
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionThrottle(redraw), progressbar.OptionSetPredictTime(total > 0))
	}
	if b.bar != nil {
		_ = b.bar.Set64(done)
	}
}

// finish ends the line of the stage in progress.
func (b *bar) finish() {
	if b.bar != nil {
		_ = b.bar.Finish()
		_, _ = io.WriteString(b.out, "\n")
		b.bar = nil
	}
}
