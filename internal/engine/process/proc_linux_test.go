package process_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// zombie is true for a process that ended but that its new parent has not
// waited for.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(b, []byte(") Z "))
}

// children counts the processes this one has started and not waited for.
func children(t *testing.T) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range stats {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it ended meanwhile
		}
		_, rest, _ := bytes.Cut(b, []byte(") "))
		if bytes.HasPrefix(rest, fmt.Appendf(nil, "S %d ", os.Getpid())) || bytes.HasPrefix(rest, fmt.Appendf(nil, "Z %d ", os.Getpid())) {
			n++
		}
	}
	return n
}
