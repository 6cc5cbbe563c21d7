// Package conformance_test proves that `ingot conformance` passes a server that keeps the contract,
// and that it notices, by name, each single way of breaking it: the mock endpoint, as its users
// start it, behind a proxy that spoils one thing at a time.
package conformance_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-llm/ingot/internal/cli"
	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

const (
	asIngot    = "INGOT_CONFORMANCE_TEST_IS_INGOT"
	key        = "key-of-the-tests"
	limitedKey = "limited-key-of-the-tests"
)

const models = `listen: 127.0.0.1:0
keys:
  - {name: test, key: ` + key + `}
  - {name: limited, key: ` + limitedKey + `, requests_per_minute: 3}
models:
  chat: {provider: mock}
  slow: {provider: mock, mock: {tokens_per_second: 8}}
  embed: {provider: mock, mock: {behaviour: embedding}}
  pictures: {provider: mock, mock: {behaviour: image-embedding}}
  think: {provider: mock, mock: {behaviour: reasoning}}
  fails: {provider: mock, mock: {fault: {error: 3}}}
`

// endpoint is where the server under test listens; TestMain sets it and ends the server.
var endpoint string

func TestMain(m *testing.M) {
	if os.Getenv(asIngot) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Main(ctx, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, "v0-test", os.Args[1:])
		stop()
		os.Exit(code)
	}
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withServer runs the tests while the command serves.
func withServer(run func() int) (int, error) {
	home, err := os.MkdirTemp("", "ingot-conformance")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(home)
	url, stop, err := serve(home, models)
	if err != nil {
		return 0, err
	}
	defer stop()
	endpoint = url
	return run(), nil
}

// serve starts the command with a configuration and says where it listens. stop ends it.
func serve(home, configuration string) (url string, stop func(), err error) {
	file := filepath.Join(home, "ingot.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return "", nil, err
	}
	cmd := ingot(home, "serve", "--config", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), " serves ")
	}
	if url == "" {
		return "", nil, fmt.Errorf("the server does not start (%w):\n%s", cmd.Wait(), log.String())
	}
	drained := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, out)
		close(drained)
	}()
	return url, func() {
		if cmd.Process.Signal(os.Interrupt) != nil { // which Windows does not have
			_ = cmd.Process.Kill()
		}
		<-drained
		_ = cmd.Wait()
	}, nil
}

// ingot is the command, which this test is when it is told so.
func ingot(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asIngot+"=yes", "INGOT_HOME="+home, "INGOT_KEY="+key, "INGOT_LIMITED_KEY="+limitedKey, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// options claim everything that the server has.
func options() conformance.Options {
	return conformance.Options{
		Key: key, LimitedKey: limitedKey, Version: "2024-05-01-preview", Timeout: patience, FilterPrompt: "mock:filter",
		Chat: "chat", Completion: "chat", Embedding: "embed", Reasoning: "think", Failing: "fails",
	}
}

// examine makes all checks.
func examine(t *testing.T, base string, o conformance.Options) *report.Report {
	t.Helper()
	r, err := conformance.Run(t.Context(), base, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes are the names of the checks that ended in one way.
func outcomes(r *report.Report, want ...report.Outcome) []string {
	var names []string
	for i := range r.Results {
		for _, o := range want {
			if r.Results[i].Outcome() == o {
				names = append(names, r.Results[i].Check.Name)
			}
		}
	}
	return names
}
