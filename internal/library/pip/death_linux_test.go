package pip_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/library/pip"
)

// idlePython answers the question what it is, and as pip notes its number and sleeps.
const idlePython = `#!/bin/sh
case "$1" in
-c) echo '{"Path": "'"$0"'", "Major": 3, "Minor": 12, "Pip": true, "Venv": true}' ;;
*) echo $$ > "$INGOT_TEST_PID.new" && mv "$INGOT_TEST_PID.new" "$INGOT_TEST_PID" && exec sleep 60 ;;
esac
`

// TestDownloadUntilKilled is the process that the next test kills; by itself it does nothing.
func TestDownloadUntilKilled(t *testing.T) {
	if python := os.Getenv("INGOT_TEST_PYTHON"); python != "" {
		_, err := pip.Download(t.Context(), pip.Request{Requirement: "tiny-model==1.0", Dir: filepath.Dir(python), Limit: 1 << 20, Python: python}, nil)
		t.Errorf("the download ended: %v", err)
	}
}

func TestAKilledProcessTakesItsPipAlong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	python, note := filepath.Join(dir, "python"), filepath.Join(dir, "pid")
	if err := os.WriteFile(python, []byte(idlePython), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDownloadUntilKilled$")
	cmd.Env = append(os.Environ(), "INGOT_TEST_PYTHON="+python, "INGOT_TEST_PID="+note)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	eventually(t, "pip starts", func() bool {
		text, err := os.ReadFile(note)
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	eventually(t, "pip ends", func() bool {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		return errors.Is(err, os.ErrNotExist) || strings.Contains(string(state), ") Z ")
	})
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}
