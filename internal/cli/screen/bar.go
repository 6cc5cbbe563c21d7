package screen

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// Bar shows the progress of long work on standard error: a bar on a terminal, a line for each
// stage elsewhere. One goroutine uses it.
type Bar struct {
	out      io.Writer
	terminal bool
	what     string
	bar      *progressbar.ProgressBar
	spins    bool // the stage's length is not known
	complete bool
}

// NewBar makes a bar that shows nothing yet.
func (s *Screen) NewBar() *Bar { return &Bar{out: s.Err, terminal: Terminal(s.Err)} }

// Show says how far a stage is, in bytes; total 0 is not known.
func (b *Bar) Show(what string, done, total int64) {
	if what != b.what {
		b.Finish()
		b.what = what
		if !b.terminal {
			if total > 0 {
				what += ", " + disk.Bytes(total)
			}
			_, _ = io.WriteString(b.out, what+"\n")
			return
		}
		if total <= 0 {
			total = -1
		}
		const redraw = 100 * time.Millisecond
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionShowCount(),
			progressbar.OptionSetRenderBlankState(true), progressbar.OptionThrottle(redraw), progressbar.OptionSetPredictTime(total > 0),
			progressbar.OptionSetSpinnerChangeInterval(0)) // a spinner that turns by itself outlives Exit
		b.spins = total <= 0
	}
	if b.bar != nil {
		_ = b.bar.Set64(done)
		b.complete = done == total
	}
}

// Finish ends the line of the stage in progress, and clears one whose length was not known. What
// was not complete is not shown as such.
func (b *Bar) Finish() {
	if b.bar == nil {
		return
	}
	end := "\n"
	if b.spins {
		end = "\r\x1b[K"
	}
	if b.complete {
		_ = b.bar.Finish()
	} else {
		_ = b.bar.Exit()
	}
	_, _ = io.WriteString(b.out, end)
	b.bar = nil
}
