//go:build linux

package process_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
)

const fakeVar = "TEST_FAKE" // what the re-executed test binary shall be

func TestMain(m *testing.M) {
	manners := strings.Split(os.Getenv(fakeVar), ",")
	switch manners[0] {
	case "server":
		fakeServer(manners[1:])
	case "gateway":
		fakeGateway(manners[1:])
	case "sleeper":
		signal.Ignore(syscall.SIGTERM)
		select {}
	default:
		os.Exit(m.Run())
	}
}

// fakeServer is a model server with the manners of its worst days.
func fakeServer(manners []string) {
	has := func(m string) bool { return slices.Contains(manners, m) }
	if has("deaf-to-term") {
		signal.Ignore(syscall.SIGTERM)
	}
	if has("grandchild") {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fakeVar+"=sleeper")
		cmd.Stderr = os.Stderr // it keeps the pipe open
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		fmt.Fprintf(os.Stderr, "grandchild %d\n", cmd.Process.Pid)
		if f := os.Getenv("TEST_PIDFILE"); f != "" {
			if err := os.WriteFile(f, fmt.Append(nil, cmd.Process.Pid), 0o600); err != nil {
				panic(err)
			}
		}
	}
	if has("slow") {
		time.Sleep(300 * time.Millisecond)
	}
	if has("dies") {
		fmt.Fprintln(os.Stderr, "0.00.004 E gguf_init: failed to open '/secret/folder/model.gguf': it is corrupt")
		fmt.Fprintln(os.Stderr, "Traceback, and so on")
		os.Exit(3)
	}
	if has("never") {
		select {}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/tokens", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprintln(w, "token")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}

// fakeGateway starts a child, tells its pid and waits to be killed.
func fakeGateway(manners []string) {
	p := process.New(fakeSpec(manners...), process.Options{})
	if _, err := p.Ensure(context.Background()); err != nil {
		panic(err)
	}
	fmt.Println(p.State().PID)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// fakeSpec starts the test binary as a server.
func fakeSpec(manners ...string) process.Spec {
	return process.Spec{
		Name:    "fake",
		Engine:  process.Engine{Kind: process.Command},
		Command: fmt.Sprintf("%q {port}", os.Args[0]),
		Ready:   "ready",
		Env:     []string{fakeVar + "=" + strings.Join(append([]string{"server"}, manners...), ",")},
		Limits:  process.Limits{Start: 20 * time.Second, StopGrace: 200 * time.Millisecond},
	}
}
