//go:build engine && linux

package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
)

func kill(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// brokenOff expects a stream to end with an error frame and a broken connection.
func (s *stream) brokenOff(code string) (message string) {
	s.t.Helper()
	_, last, err := s.rest()
	var frame struct {
		Error struct{ Code, Message string }
	}
	if jsonErr := json.Unmarshal([]byte(last), &frame); jsonErr != nil || frame.Error.Code != code {
		s.t.Errorf("the last event is %q, want an error frame with code %s", last, code)
	}
	if err == nil {
		s.t.Error("the connection ended as if the answer were whole")
	}
	return frame.Error.Message
}

func TestAnEngineThatIsKilledIsStartedAgain(t *testing.T) {
	g := serve(t, smollm2)
	g.must("/chat/completions", capital())
	for _, when := range []string{"in mid-answer", "between answers"} {
		pid := g.engine()
		if when == "between answers" {
			kill(t, pid, syscall.SIGKILL)
		} else {
			s := g.stream("/completions", ramble("smollm2", 900))
			s.tokens(3)
			kill(t, pid, syscall.SIGKILL)
			if m := s.brokenOff("BackendError"); !strings.Contains(m, "killed") {
				t.Errorf("the error says %q", m)
			}
		}
		if text := contentOf(t, g.must("/chat/completions", capital())); !strings.Contains(text, "Paris") {
			t.Errorf("%s: the next answer is %q", when, text)
		}
		if next := g.engine(); next == pid {
			t.Errorf("%s: process %d still runs", when, pid)
		}
	}
}

func TestAnEngineThatIsKilledFailsAnUnstreamedRequestCleanly(t *testing.T) {
	g := serve(t, smollm2)
	g.must("/chat/completions", capital())
	pid := g.engine()
	used := cpu(t, pid)
	go func() {
		for cpu(t, pid) < used+30 { // it is in the middle of the answer
			time.Sleep(10 * time.Millisecond)
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}()
	if m := g.refused("/completions", ramble("smollm2", 900), http.StatusBadGateway); !strings.Contains(m, "killed") {
		t.Errorf("the error says %q", m)
	}
}

func TestABrokenModelFailsAloneAndSaysWhy(t *testing.T) {
	whole := tiny(t, "whole", tinymodel.Options{Arch: tinymodel.Llama})
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name+".gguf") }
	for name, fault := range map[string]tinymodel.Fault{"refused": tinymodel.EngineRefuses, "aborts": tinymodel.EngineAborts} {
		if err := tinymodel.Corrupt(whole, path(name), fault); err != nil {
			t.Fatal(err)
		}
	}
	g := serve(t, fmt.Sprintf(`
models:
  good: {local: %s, threads: 1, context: 512}
  refused: {local: %s, threads: 1, context: 512}
  aborts: {local: %s, threads: 1, context: 512}
`, whole, path("refused"), path("aborts")))
	s := g.stream("/completions", ramble("good", 400))
	s.tokens(1)
	for _, model := range []string{"refused", "aborts"} {
		m := g.refused("/completions", ramble(model, 5), http.StatusServiceUnavailable)
		if !strings.Contains(m, "'"+model+"' could not be started") || strings.Contains(m, dir) {
			t.Errorf("%s: the error says %q", model, m)
		}
		if again := g.refused("/completions", ramble(model, 5), http.StatusServiceUnavailable); !strings.Contains(again, "could not be started") {
			t.Errorf("%s: then it says %q", model, again)
		}
	}
	if n := len(s.whole()); n < 300 {
		t.Errorf("the other model's answer has %d characters", n)
	}
}

func TestAFileThatBreaksLaterFailsAlone(t *testing.T) {
	var paths []string
	var config strings.Builder
	config.WriteString("models:\n")
	faults := []string{"truncated", "garbled"}
	for _, name := range append(faults, "good") {
		path := tiny(t, name, tinymodel.Options{Arch: tinymodel.Llama})
		paths = append(paths, path)
		fmt.Fprintf(&config, "  %s: {local: %s, threads: 1, context: 512}\n", name, path)
	}
	g := serve(t, config.String())
	info, err := os.Stat(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(paths[0], info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := tinymodel.Corrupt(paths[1], paths[1], tinymodel.HeaderGarbled); err != nil {
		t.Fatal(err)
	}
	for _, name := range faults {
		m := g.refused("/completions", ramble(name, 5), http.StatusServiceUnavailable)
		if !strings.Contains(m, "could not be started") || strings.Contains(m, filepath.Dir(paths[0])) {
			t.Errorf("%s: the error says %q", name, m)
		}
	}
	g.must("/completions", ramble("good", 5))
}

func TestABrokenFileIsNamedBeforeServing(t *testing.T) {
	whole := tiny(t, "whole", tinymodel.Options{Arch: tinymodel.Llama})
	broken := filepath.Join(t.TempDir(), "broken.gguf")
	home := t.TempDir()
	config := filepath.Join(home, "ingot.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "models:\n  broken: {local: %s}\n", broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(cache, "engine"), filepath.Join(home, "engine")); err != nil {
		t.Fatal(err)
	}
	for name, fault := range map[string]func() error{
		"truncated":   func() error { return tinymodel.Truncate(whole, broken, 200_000) },
		"not a model": func() error { return tinymodel.Corrupt(whole, broken, tinymodel.NotGGUF) },
		"garbled":     func() error { return tinymodel.Corrupt(whole, broken, tinymodel.HeaderGarbled) },
	} {
		if err := fault(); err != nil {
			t.Fatal(err)
		}
		out, err := command(home, "serve", "--config", config, "--listen", "127.0.0.1:0").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "broken.gguf") {
			t.Errorf("%s: %v, %s", name, err, out)
		}
	}
}

func TestAnEngineThatHangsIsReplaced(t *testing.T) {
	g := serve(t, `
models:
  smollm2: {local: smollm2, threads: 1, slots: 2, context: 1024, timeouts: {first_token: 3s, silence: 2s}}
`)
	g.must("/chat/completions", capital())
	for _, when := range []string{"in mid-answer", "before an answer"} {
		pid := g.engine()
		start := time.Now()
		if when == "in mid-answer" {
			s := g.stream("/completions", ramble("smollm2", 900))
			s.tokens(3)
			kill(t, pid, syscall.SIGSTOP)
			start = time.Now()
			if m := s.brokenOff("Timeout"); !strings.Contains(m, "silent") {
				t.Errorf("%s: the error says %q", when, m)
			}
		} else {
			kill(t, pid, syscall.SIGSTOP)
			g.refused("/completions", ramble("smollm2", 20), http.StatusGatewayTimeout)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s: the request ended after %v", when, took)
		}
		g.must("/chat/completions", capital())
		if next := g.engine(); next == pid || alive(pid) {
			t.Errorf("%s: process %d still runs", when, pid)
		}
	}
}
