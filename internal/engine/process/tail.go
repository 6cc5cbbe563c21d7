package process

import (
	"bufio"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	lineBytes = 1024
	tailLines = 40
)

// tail keeps the last lines of a child's standard error and the lines that
// tell why it failed.
type tail struct {
	paths []string // never to be told to callers

	mu    sync.Mutex
	lines []string
	first string // the first line that reports an error
}

var (
	errorLine = regexp.MustCompile(`^[\d.]+ E |GGML_ASSERT|GGML_ABORT|(?i:\berror\b)`)
	harmless  = regexp.MustCompile(`^[\d.]+ [DIW] `) // llama.cpp's own log, below an error
	logPrefix = regexp.MustCompile(`^[\d.]+ [A-Z] (?:(?:\S+ +)?\S+: )?`)
)

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
	// The launcher only repeats what the engine's own log has, which may come after it.
	if (t.first == "" || strings.HasPrefix(t.first, "launcher error:")) && errorLine.MatchString(line) {
		t.first = line
	}
}

func (t *tail) copy() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

// hint picks the line that tells most of a start that failed: the first error is the cause
// of the others; without any, the last line, unless that tells of no trouble.
func (t *tail) hint() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := t.first
	if n := len(t.lines); line == "" && n > 0 && !harmless.MatchString(t.lines[n-1]) {
		line = t.lines[n-1]
	}
	for _, p := range t.paths {
		if p != "" {
			line = strings.ReplaceAll(line, p, lastElement(p)) // one with spaces looks like no path
		}
	}
	return withoutPaths(strings.TrimSpace(logPrefix.ReplaceAllString(line, "")))
}

// linesPerSecond is how many of a child's lines are logged: one that never stops must not fill a disk.
const linesPerSecond = 500

// ration grants linesPerSecond.
type ration struct {
	since time.Time
	left  int
}

func (r *ration) take(now time.Time) bool {
	if now.Sub(r.since) >= time.Second {
		r.since, r.left = now, linesPerSecond
	}
	r.left--
	return r.left >= 0
}

// eachLine calls f with every line of r, cut at lineBytes, until r ends.
func eachLine(r io.Reader, f func(string)) {
	br := bufio.NewReaderSize(r, lineBytes)
	continued := false
	for {
		line, more, err := br.ReadLine()
		if err != nil {
			return
		}
		if !continued && len(line) > 0 {
			f(strings.ToValidUTF8(string(line), "?"))
		}
		continued = more
	}
}
