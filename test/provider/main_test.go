// Package provider_test runs Ingot in front of other servers, as its users do: another Ingot, and a llama.cpp server that
// nobody of us started.
package provider_test

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
)

const (
	asIngot = "INGOT_PROVIDER_TEST_IS_INGOT"
	key     = "key-of-the-tests"
)

func TestMain(m *testing.M) {
	if os.Getenv(asIngot) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Main(ctx, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, "v0-test", os.Args[1:])
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// serve starts the command with a configuration, says where it listens, and ends it with the test.
func serve(t *testing.T, configuration string) string {
	t.Helper()
	home := t.TempDir()
	file := filepath.Join(home, "ingot.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:0\nkeys:\n  - {name: test, key: "+key+"}\n"+configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "serve", "--config", file)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = append(os.Environ(), asIngot+"=yes", "INGOT_HOME="+home, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url, lines := "", bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		_, url, _ = strings.Cut(lines.Text(), " serves ")
	}
	if url == "" {
		t.Fatal(fmt.Errorf("the server does not start (%w):\n%s", cmd.Wait(), log.String()))
	}
	drained := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, out)
		close(drained)
	}()
	t.Cleanup(func() { // when the test's context has ended, and with it the command
		<-drained
		_ = cmd.Wait()
	})
	return url
}
