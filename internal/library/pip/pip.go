// Package pip downloads one wheel with the machine's own pip, so that mirrors,
// proxies and certificates are the ones the user has set up, and installs nothing.
package pip

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	watch     = 150 * time.Millisecond
	killGrace = 5 * time.Second
	maxOutput = 16 << 10
)

// Request says which wheel to download.
type Request struct {
	Requirement string   // "name==version", nothing else
	SHA256      []string // the wheel must have one of these; empty: any
	Dir         string   // a folder of the caller's own; everything is written inside it
	Limit       int64    // bytes the download may take; required
	Python      string   // as for Find
}

// Wheel is a downloaded wheel: a zip archive inside the request's folder.
type Wheel struct {
	Path   string
	SHA256 string
	Size   int64 // bytes
}

var requirement = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.!+_-]*$`)

// CheckRequirement refuses what is not exactly "name==version": a line of a
// requirements file could otherwise carry options for pip.
func CheckRequirement(s string) error {
	if !requirement.MatchString(s) {
		return fmt.Errorf("requirement %q is not of the form name==version", s)
	}
	return nil
}

// Download fetches the wheel into r.Dir, which it creates. progress, if not
// nil, gets the bytes written so far, on the caller's goroutine. When ctx ends,
// pip and all its children are killed. pip cannot resume: after an error the
// caller removes the folder and starts again.
func Download(ctx context.Context, r Request, progress func(done int64)) (Wheel, error) {
	if err := CheckRequirement(r.Requirement); err != nil {
		return Wheel{}, err
	}
	py, err := Find(ctx, r.Python)
	if err != nil {
		return Wheel{}, err
	}
	if !py.Pip {
		return Wheel{}, missingPip(py.Path)
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return Wheel{}, err
	}
	temp, wheels, reqs := filepath.Join(dir, "tmp"), filepath.Join(dir, "wheel"), filepath.Join(dir, "requirements.txt")
	for _, d := range []string{temp, wheels} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return Wheel{}, err
		}
	}
	words := []string{r.Requirement}
	for _, h := range r.SHA256 {
		words = append(words, "--hash=sha256:"+h)
	}
	if err := os.WriteFile(reqs, []byte(strings.Join(words, " ")+"\n"), 0o600); err != nil {
		return Wheel{}, err
	}
	args := []string{
		"-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir",
		"--no-input", "--disable-pip-version-check", "--progress-bar=off", "-d", wheels, "-r", reqs,
	}
	if len(r.SHA256) > 0 {
		args = append(args, "--require-hashes")
	}
	if err := runPip(ctx, py.Path, args, temp, dir, r.Limit, progress); err != nil {
		return Wheel{}, fmt.Errorf("download %s with pip: %w", r.Requirement, err)
	}
	return theWheel(ctx, wheels, r)
}

// runPip runs it to its end, watching how much it writes.
func runPip(ctx context.Context, python string, args []string, temp, dir string, limit int64, progress func(int64)) error {
	// To the kernel the parent is the thread: it must not end before pip does.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, python, args...) //nolint:gosec // the machine's own Python
	// Python looks for modules in the working folder first: let that be an empty one.
	cmd.Dir = temp
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "TMP="+temp, "TEMP="+temp, "PIP_REQUIRE_VIRTUALENV=0", "PYTHONUTF8=1")
	out := &tail{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = killGrace
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", python, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(watch)
	defer tick.Stop()
	var most int64 // pip copies and removes: what is shown only grows
	for {
		select {
		case err := <-ended:
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			if err != nil {
				return explain(out.String(), err)
			}
			return nil
		case <-tick.C:
			n := size(dir)
			if n > limit {
				cancel(fmt.Errorf("it wrote more than the %d bytes allowed", limit))
				continue
			}
			most = max(most, n)
			if progress != nil {
				progress(most)
			}
		}
	}
}

func theWheel(ctx context.Context, dir string, r Request) (Wheel, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil {
		return Wheel{}, err
	}
	if len(found) != 1 {
		return Wheel{}, fmt.Errorf("download %s with pip: %d wheels came, want one", r.Requirement, len(found))
	}
	w := Wheel{Path: found[0]}
	f, err := os.Open(w.Path)
	if err != nil {
		return Wheel{}, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if w.Size, err = io.Copy(h, io.LimitReader(f, r.Limit+1)); err != nil {
		return Wheel{}, fmt.Errorf("read %s: %w", filepath.Base(w.Path), err)
	}
	if w.Size > r.Limit {
		return Wheel{}, fmt.Errorf("download %s with pip: larger than the %d bytes allowed", r.Requirement, r.Limit)
	}
	w.SHA256 = hex.EncodeToString(h.Sum(nil))
	if len(r.SHA256) > 0 && !slices.Contains(r.SHA256, w.SHA256) {
		return Wheel{}, fmt.Errorf("download %s with pip: SHA-256 is %s, want %s", r.Requirement, w.SHA256, strings.Join(r.SHA256, " or "))
	}
	return w, context.Cause(ctx)
}

// explain turns pip's output into a cause and a fix.
// broken finds why pip tried again; where it did in vain, it says in the end only that there is nothing.
var broken = regexp.MustCompile(`(?s)\(total=0[^\n]*connection broken by '([^\n]*)': /.*No matching distribution found`)

func explain(out string, err error) error {
	switch {
	case strings.Contains(out, "DO NOT MATCH THE HASHES"):
		return errors.New("the package index sent a file with another SHA-256 than the pinned one: " + got(out))
	case broken.MatchString(out):
		return errors.New("the package index pip is set up for was not reached (see `python3 -m pip config list`; a proxy goes into HTTPS_PROXY, the CA of one that opens TLS into PIP_CERT): " + broken.FindStringSubmatch(out)[1])
	case strings.Contains(out, "No matching distribution found"):
		return errors.New("the package index pip is set up for has no wheel for this machine (see `python3 -m pip config list`): " + lastError(out))
	case strings.Contains(out, "No space left on device"):
		return errors.New("the disk is full: free some space, or choose another data folder with INGOT_HOME")
	}
	return fmt.Errorf("%w: %s", err, lastError(out))
}

// got finds the digests in pip's complaint.
func got(out string) string {
	var lines []string
	for l := range strings.Lines(out) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "Expected ") || strings.HasPrefix(l, "Got ") {
			lines = append(lines, strings.Join(strings.Fields(l), " "))
		}
	}
	return strings.Join(lines, ", ")
}

func lastError(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, l := range slices.Backward(lines) {
		if strings.Contains(l, "ERROR") || strings.Contains(l, "Error") {
			return strings.TrimSpace(l)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// size adds up the files below dir; those that vanish meanwhile count nothing.
func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // pip moves its files while we count
		}
		if fi, err := d.Info(); err == nil {
			n += fi.Size()
		}
		return nil
	})
	return n
}

// tail keeps the last bytes written to it. exec writes to it from one goroutine.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > maxOutput {
		t.b = bytes.Clone(t.b[len(t.b)-maxOutput:])
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }
