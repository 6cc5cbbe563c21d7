//go:build engine && linux

// Package engine_test runs the ingot command with the real engine and real models, and looks at
// its children from outside.
package engine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What TestMain makes, for all tests: they only read it.
var (
	root    string // of the repository
	program string
	cache   string // the data folder with engine and models
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	var err error
	if root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return 0, err
	}
	dir, err := os.MkdirTemp("", "ingot-engine")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ingot")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/ingot")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build ingot: %w\n%s", err, out)
	}
	cache = os.Getenv("INGOT_TEST_CACHE")
	if cache == "" {
		cache = filepath.Join(root, ".cache", "test")
	}
	cache = filepath.Join(cache, "home")
	for _, args := range [][]string{{"engine", "install"}, {"pull", "smollm2", "minilm"}} {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "INGOT_HOME="+cache)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("ingot %v: %w\n%s", args, err, out)
		}
	}
	return m.Run(), nil
}
