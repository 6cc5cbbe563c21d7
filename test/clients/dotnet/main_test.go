// Package dotnet_test sends to the real binary the bytes that Azure.AI.Inference 1.0.0-beta.5 for .NET sends, and reads the
// answers by the rules of its parser, both from reading its source (doc/protocol.md). No .NET runtime is run.
package dotnet_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	key    = "key-of-the-tests"
	client = "Azure.AI.Inference-replayed 1.0.0-beta.5 (.NET)"
)

const faulty = `
models:
  good: {provider: mock}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 300ms}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  cut: {provider: mock, mock: {fault: {cut: 3}}}
`

// The endpoints of these tests: of all mock models, and of failing ones.
var mocks, faults *ingot

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	folder, err := os.MkdirTemp("", "ingot-dotnet-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	program, err := built(folder)
	if err == nil {
		mocks, err = start(program, filepath.Join(folder, "mock"), "", "--mock")
	}
	if err == nil {
		faults, err = start(program, filepath.Join(folder, "faulty"), faulty)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code = m.Run()
	if err := errors.Join(mocks.stop(), faults.stop(), leave()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// built is INGOT_BIN, or made in the folder where there is none.
func built(folder string) (string, error) {
	if program := os.Getenv("INGOT_BIN"); program != "" {
		return program, nil
	}
	program := filepath.Join(folder, "ingot")
	build := exec.Command("go", "build", "-o", program, "./cmd/ingot")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ingot: %w\n%s", err, out)
	}
	return program, nil
}

// An ingot is a running `ingot serve` on a port that the kernel chose, with TLS and without on the same port.
type ingot struct {
	address string
	ca      string // file of the authority that signed the certificate
	process *exec.Cmd
	log     string
}

var serves = regexp.MustCompile(` serves https?://(\S+)`)

// start runs the program in the folder, with the configuration unless it is empty.
func start(program, folder, configuration string, arguments ...string) (*ingot, error) {
	home := filepath.Join(folder, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, err
	}
	if configuration != "" {
		file := filepath.Join(folder, "ingot.yaml")
		if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
			return nil, err
		}
		arguments = append(arguments, "--config", file)
	}
	s := &ingot{log: filepath.Join(folder, "ingot.log"), ca: filepath.Join(home, "tls", "ca.pem")}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.process = exec.Command(program, append([]string{"serve", "--tls", "auto", "--listen", "127.0.0.1:0"}, arguments...)...)
	s.process.Env = append(os.Environ(), "INGOT_KEY="+key, "INGOT_HOME="+home)
	s.process.Stderr = log
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	limit := time.AfterFunc(time.Minute, func() { _ = s.process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	limit.Stop()
	found := serves.FindStringSubmatch(line)
	if err != nil || found == nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		said, _ := os.ReadFile(s.log)
		return nil, fmt.Errorf("start ingot: %q: %w\n%s", line, err, said)
	}
	s.address = found[1]
	return s, nil
}

// stop ends it as an operator does.
func (s *ingot) stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	limit := time.AfterFunc(15*time.Second, func() { _ = s.process.Process.Kill() })
	defer limit.Stop()
	if err := s.process.Wait(); err != nil {
		said, _ := os.ReadFile(s.log)
		return fmt.Errorf("ingot ended: %w\n%s", err, said)
	}
	return nil
}

// rows are the operations that were tried at the addresses (test/clients/table.py).
var (
	rows   [][]string
	rowsMu sync.Mutex
)

// note keeps that an operation succeeded at an address, or, with a reason, that it failed as it must.
func note(address, operation string, why ...string) {
	rowsMu.Lock()
	defer rowsMu.Unlock()
	rows = append(rows, append([]string{client, address, operation}, why...))
}

// leave writes the rows where somebody collects them.
func leave() error {
	folder := os.Getenv("INGOT_TEST_DOORS")
	if folder == "" {
		return nil
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(strings.Join(a, "\n"), strings.Join(b, "\n")) })
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "dotnet.json"), text, 0o600)
}
