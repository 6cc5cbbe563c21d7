package telemetry

import (
	"io"
	"sync"
	"time"
)

const (
	mostLines = 1 << 20               // bytes that wait to be written
	gather    = 20 * time.Millisecond // how long lines are gathered for one write
)

// Lines writes lines in the background, many at once, so that nobody who logs waits for a terminal or a disk. What does not
// fit into its bounded memory is dropped and counted. It may be used concurrently; close it to have all of them written.
type Lines struct {
	w io.Writer
	// Lost is told how many lines were dropped since the last time; nil: nobody is. It must not change once lines come.
	Lost func(n int)

	mu   sync.Mutex // guards what follows
	buf  []byte
	lost int

	wake, stop, done chan struct{}
	once             sync.Once
}

// NewLines writes to w, in one goroutine that Close ends.
func NewLines(w io.Writer) *Lines {
	l := &Lines{w: w, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go l.run()
	return l
}

// Write takes a line. It never fails.
func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	if len(l.buf)+len(p) > mostLines {
		l.lost++
	} else {
		l.buf = append(l.buf, p...)
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

// Close writes what is left. Lines that come later are lost.
func (l *Lines) Close() error {
	l.once.Do(func() { close(l.stop) })
	<-l.done
	return nil
}

func (l *Lines) run() {
	defer close(l.done)
	var spare []byte
	for open := true; open; {
		select {
		case <-l.wake:
			wait := time.NewTimer(gather)
			select {
			case <-wait.C:
			case <-l.stop:
				wait.Stop()
			}
		case <-l.stop:
			open = false
		}
		l.mu.Lock()
		full, lost := l.buf, l.lost
		l.buf, l.lost = spare[:0], 0
		l.mu.Unlock()
		if len(full) > 0 {
			_, _ = l.w.Write(full) // there is nobody to tell
		}
		spare = full
		if lost > 0 && l.Lost != nil && open {
			l.Lost(lost)
		}
	}
}
