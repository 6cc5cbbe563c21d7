package upstream

import (
	"context"
	"sync"
	"time"
)

// silence is the cause of a context that ended because nothing arrived.
type silence struct {
	error
	message string
}

// silent is what a model did that stops in the middle of an answer.
const silent = "fell silent for"

// watch ends a context when what is waited for does not come in time.
type watch struct {
	cancel context.CancelCauseFunc

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	running bool
	most    time.Duration // 0: for ever
	what    string        // is said of the model when it passes
}

// limit begins to wait for no longer than most; 0 is for ever.
func (w *watch) limit(most time.Duration, what string) {
	w.pause()
	w.mu.Lock()
	w.most, w.what = max(most, 0), what
	w.mu.Unlock()
	w.again()
}

// again begins the wait anew.
func (w *watch) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.most == 0:
		return
	case w.timer == nil:
		w.timer = time.AfterFunc(w.most, w.over)
	default:
		w.timer.Reset(w.most)
	}
	w.running = true
}

// pause waits for nothing until the next call of another method.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running {
		w.running = false
		w.timer.Stop()
	}
}

// over ends the context, unless the wait ended in the same moment.
func (w *watch) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running {
		w.running = false
		w.cancel(silence{context.DeadlineExceeded, "The model " + w.what + " " + w.most.String() + "."})
	}
}
