package process

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

var (
	// ErrClosed is the answer of a Process after Close.
	ErrClosed = errors.New("the model server is shut down")
	// ErrStopped reaches users whose child was stopped or killed on purpose.
	ErrStopped = errors.New("the model server was stopped")
)

// StartError reports a child that did not come up. Whoever asks again before
// RetryAfter has passed gets it again, and nothing is started.
type StartError struct {
	Err        error // what went wrong: an *Exited, a *StartTimeout or what starting it said; may hold paths
	RetryAfter time.Duration
}

// Error is safe to show: it holds no paths of the machine.
func (e *StartError) Error() string { return "start model server: " + withoutPaths(e.Err.Error()) }

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Exited reports a child that ended by itself.
type Exited struct { //nolint:errname // it names what happened
	Code   int      // the exit code, -1 when a signal ended it
	Signal string   // the signal's name, empty when none ended it
	Hint   string   // why it did not start, by its standard error, without paths; may be empty
	Stderr []string // the last lines of its standard error, as they were: for the log
}

// Error is safe to show: it holds no paths of the machine.
func (e *Exited) Error() string {
	s := fmt.Sprintf("the model server ended with code %d", e.Code)
	if e.Signal != "" {
		s = "the model server was ended by signal " + e.Signal
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// StartTimeout reports a child that was not ready in time and was killed.
type StartTimeout struct { //nolint:errname // it names what happened
	After  time.Duration
	Stderr []string // the last lines of its standard error, as they were: for the log
}

func (e *StartTimeout) Error() string {
	return fmt.Sprintf("the model server was not ready after %v", e.After)
}

// Silent reports a child that was killed because it made no progress while
// somebody waited for it.
type Silent struct{ For time.Duration } //nolint:errname // it names what happened

func (e *Silent) Error() string {
	return fmt.Sprintf("the model server was silent for %v and was killed", e.For.Round(time.Millisecond))
}

// Timeout is true, as for net.Error.
func (*Silent) Timeout() bool { return true }

var absolutePath = regexp.MustCompile(`(^|[\s(=])((?:[A-Za-z]:)?[/\\][^\s'":;,()]+)|(['"])((?:[A-Za-z]:)?[/\\][^'"]+)`)

// withoutPaths keeps only the last element of each absolute path in s.
func withoutPaths(s string) string {
	return absolutePath.ReplaceAllStringFunc(s, func(p string) string {
		lead := ""
		if strings.ContainsAny(p[:1], " \t\n\r('\"=") {
			lead, p = p[:1], p[1:]
		}
		return lead + lastElement(p)
	})
}

func lastElement(p string) string { return path.Base(strings.ReplaceAll(p, `\`, "/")) }
