// Package test runs the ingot command as its users do.
package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ingot-llm/ingot/internal/cli"
	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ingot": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := cli.Main(ctx, cli.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, "v0-test", os.Args[1:])
		stop()
		os.Exit(code)
	}})
}

func TestCommand(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "cli",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("INGOT_HOME", filepath.Join(e.WorkDir, "home"))
			e.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector every command would linger for a second
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":      code,
			"endpoint":  endpoint,
			"get":       get,
			"hangup":    hangUp,
			"tinymodel": tinyModel,
		},
	})
}

// code N program args... runs a program that must end with code N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program args...")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("%v ended with %s, want %s", args[1:], got, args[0])
	}
}

const patience = 10 * time.Second

// endpoint [PREFIX] waits for the endpoint of $INGOT_HOME, the mock one where there is no other, and sets PREFIX_URL and PREFIX_ADDR, or
// URL and ADDR, to where it listens.
func endpoint(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: endpoint [PREFIX]")
	}
	prefix := ""
	if len(args) == 1 {
		prefix = args[0] + "_"
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, lock := range []string{"lock", "lock-mock"} {
			data, err := os.ReadFile(filepath.Join(ts.Getenv("INGOT_HOME"), lock))
			var e struct{ URL string }
			if err != nil || json.Unmarshal(data, &e) != nil || e.URL == "" {
				continue
			}
			if status(ts, e.URL+"/healthz", "") == http.StatusOK {
				ts.Setenv(prefix+"URL", e.URL)
				ts.Setenv(prefix+"ADDR", strings.TrimPrefix(e.URL, "http://"))
				return
			}
		}
	}
	ts.Fatalf("no endpoint within %s", patience)
}

// get STATUS URL [KEYFILE] asks until the answer has the status.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get STATUS URL [KEYFILE]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got, key := 0, ""
	if len(args) == 3 {
		key = strings.TrimSpace(ts.ReadFile(args[2]))
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got = status(ts, args[1], key); got == want {
			return
		}
	}
	ts.Fatalf("%s answers %d, want %d", args[1], got, want)
}

func status(ts *testscript.TestScript, url, key string) int {
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	ts.Check(err)
	if key != "" {
		req.Header.Set("Api-Key", key)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true, TLSClientConfig: trusted(ts)}).RoundTrip(req)
	if err != nil {
		return 0
	}
	resp.Body.Close()
	return resp.StatusCode
}

// trusted is what a client knows that trusts the local CA of $INGOT_HOME, and nobody else.
func trusted(ts *testscript.TestScript) *tls.Config {
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(filepath.Join(ts.Getenv("INGOT_HOME"), "tls", "ca.pem")); err == nil {
		roots.AppendCertsFromPEM(pem)
	}
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// hangup sends SIGHUP to what runs in the background.
func hangUp(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGHUP))
	}
}

// tinymodel FILE writes a model.
func tinyModel(ts *testscript.TestScript, neg bool, args []string) {
	o := tinymodel.Options{Arch: tinymodel.Llama, ChatTemplate: tinymodel.ChatTemplate}
	if len(args) > 0 && args[0] == "-clip" {
		o, args = tinymodel.Options{Arch: tinymodel.CLIP}, args[1:]
	}
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tinymodel [-clip] FILE")
	}
	path := ts.MkAbs(args[0])
	_, err := tinymodel.File(filepath.Dir(path), filepath.Base(path), o)
	ts.Check(err)
}
