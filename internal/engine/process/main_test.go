//go:build linux

package process_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
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
	case "llama-server":
		fakeLlamaServer()
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
	if has("noisy") {
		for i := range 20_000 {
			fmt.Fprintln(os.Stderr, "line", i)
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

// fakeLlamaServer takes the flags of one and answers its first question when
// everything it was started with is right.
func fakeLlamaServer() {
	f := flag.NewFlagSet("", flag.PanicOnError)
	port := f.String("port", "", "")
	host := f.String("host", "", "")
	for _, name := range []string{"model", "ctx-size", "parallel", "n-gpu-layers", "threads", "threads-batch", "own", "batch-size", "ubatch-size"} {
		f.String(name, "", "")
	}
	f.Bool("jinja", false, "")
	f.Bool("no-prefill-assistant", false, "")
	_ = f.Parse(os.Args[1:])
	var loading atomic.Int32
	http.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if loading.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	http.HandleFunc("POST /completion", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+os.Getenv("LLAMA_API_KEY") {
			w.WriteHeader(http.StatusUnauthorized)
		}
		if f.Lookup("ctx-size").Value.String() != "4096" || f.Lookup("n-gpu-layers").Value.String() != "999" || f.Lookup("own").Value.String() != "flag" {
			http.Error(w, fmt.Sprint(os.Args), http.StatusBadRequest)
		}
	})
	panic(http.ListenAndServe(*host+":"+*port, nil))
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
