//go:build !windows

package pip_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/library/pip"
)

func TestCancellingKillsPipAndItsChildren(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pid := filepath.Join(dir, "pid")
	script := `#!/bin/sh
[ "$1" = -c ] && { echo '{"Path": "'"$0"'", "Major": 3, "Minor": 12, "Pip": true}'; exit; }
sleep 600 &
echo $! >` + pid + `.new
mv ` + pid + `.new ` + pid + `
wait
`
	python := filepath.Join(dir, "python")
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := pip.Download(ctx, pip.Request{Requirement: "a==1", Dir: filepath.Join(dir, "d"), Limit: 1 << 20, Python: python}, func(int64) {
		if _, err := os.Stat(pid); err == nil {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	data, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if errors.Is(syscall.Kill(child, 0), syscall.ESRCH) || zombie(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d lives on", child)
}

// zombie says that a process has ended and only its parent has not looked yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
