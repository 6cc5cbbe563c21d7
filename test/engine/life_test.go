//go:build engine && linux

package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

func TestTwoModelsShareMemoryForOne(t *testing.T) {
	const context = 2048
	model := func(name string) string {
		return tiny(t, name, tinymodel.Options{Arch: tinymodel.Llama, Width: 512, Layers: 4})
	}
	one := model("one")
	header, err := gguf.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	need := header.Memory(context, 1).Total()
	g := serve(t, fmt.Sprintf(`
engine: {memory: %d}
models:
  one: {local: %s, threads: 1, slots: 1, context: %d}
  two: {local: %s, threads: 1, slots: 1, context: %[3]d}
  vast: {local: %[2]s, threads: 1, slots: 64, context: 4096}
`, need+need/2, one, context, model("two")))
	g.must("/completions", ramble("one", 2))
	first := g.engine()
	g.must("/completions", ramble("two", 2))
	if second := g.engine(); second == first {
		t.Error("the idle model was not unloaded")
	}

	s := g.stream("/completions", ramble("two", 2000))
	s.tokens(1)
	began := make(chan time.Time, 1)
	go func() {
		g.must("/completions", ramble("one", 2))
		began <- time.Now()
	}()
	if n := len(s.whole()); n < 1500 {
		t.Errorf("the model in use gave %d characters", n)
	}
	ended := time.Now()
	if at := <-began; at.Before(ended.Add(-time.Second)) {
		t.Error("the second model answered while the first was in use")
	}
	g.engine()

	if m := g.refused("/completions", ramble("vast", 2), http.StatusServiceUnavailable); !strings.Contains(m, "'vast'") || strings.Count(m, "iB") != 2 || !strings.Contains(m, "engine.memory") {
		t.Errorf("the error says %q", m)
	}
}

func TestAHundredCyclesLeaveNothingBehind(t *testing.T) {
	g := serve(t, fmt.Sprintf(`
models:
  tiny: {local: %s, threads: 1, slots: 1, context: 128, keep_alive: 0s}
`, tiny(t, "tiny", tinymodel.Options{Arch: tinymodel.Llama, Width: 32, Layers: 1})))
	pid := g.cmd.Process.Pid
	cycle := func() {
		g.must("/completions", ramble("tiny", 1))
		g.childless()
	}
	cycle()
	before := descriptors(t, pid)
	for range 100 {
		cycle()
	}
	var after []string
	eventually(t, 5*time.Second, "its descriptors", func() bool {
		after = descriptors(t, pid)
		return len(after) <= len(before)
	})
	g.logged("model server ready", 101) // the log is written in the background
	if got := strings.Count(g.log.String(), "model server ready"); got != 101 {
		t.Errorf("%d starts, want 101", got)
	}
	if left := children(t, pid); len(left) > 0 {
		t.Errorf("%d processes are left", len(left))
	}
}

func TestNothingSurvivesAKilledGateway(t *testing.T) {
	g := serve(t, smollm2)
	s := g.stream("/completions", ramble("smollm2", 900))
	s.tokens(1)
	all := children(t, g.cmd.Process.Pid)
	if len(all) == 0 {
		t.Fatal("no child runs")
	}
	g.signal(syscall.SIGKILL)
	eventually(t, 5*time.Second, "the end of its children", func() bool { return !slices.ContainsFunc(all, alive) })
}

func TestASignalDrainsAndEndsAll(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			g := serve(t, smollm2)
			s := g.stream("/completions", ramble("smollm2", 120))
			s.tokens(3)
			all := children(t, g.cmd.Process.Pid)
			g.signal(sig)
			if text := s.whole(); text == "" {
				t.Error("the open answer was lost")
			}
			select {
			case <-g.exited:
				if g.err != nil {
					t.Errorf("the gateway ended with %v", g.err)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the gateway did not end")
			}
			if slices.ContainsFunc(all, alive) {
				t.Error("a child is left")
			}
			if _, err := http.Get(g.url + "/healthz"); err == nil {
				t.Error("it still answers")
			}
		})
	}
}

func TestASecondGatewayOnTheSameFolderIsRefused(t *testing.T) {
	g := serve(t, smollm2)
	out, err := command(g.home, "serve", "--config", g.file, "--listen", "127.0.0.1:0").CombinedOutput()
	if pid := strconv.Itoa(g.cmd.Process.Pid); err == nil || !strings.Contains(string(out), pid) || !strings.Contains(string(out), g.home) {
		t.Errorf("got %v: %s; want the folder and process %s named", err, out, pid)
	}
	g.must("/chat/completions", capital())
}

func TestAReloadKeepsStreamsAndUnchangedEngines(t *testing.T) {
	other := tiny(t, "other", tinymodel.Options{Arch: tinymodel.Llama, Width: 256, Layers: 6})
	config := func(more string) string {
		return smollm2 + more + fmt.Sprintf("  other: {local: %s, threads: 1, context: 4096}\n", other)
	}
	g := serve(t, config(""))
	g.must("/chat/completions", capital())
	kept := g.engine()
	going := g.stream("/completions", ramble("other", 2500))
	going.tokens(1)
	staying := g.stream("/completions", ramble("smollm2", 300))
	staying.tokens(1)
	if n := len(g.engines()); n != 2 {
		t.Fatalf("%d engines", n)
	}

	g.configure(config("  added: {provider: mock}\n"))
	g.logged("configuration reloaded", 1)
	g.must("/chat/completions", body{"model": "added", "messages": []body{{"role": "user", "content": "x"}}})
	g.configure(smollm2 + "    # and nothing else\n")
	g.logged("configuration reloaded", 2)
	if m := g.refused("/models/completions", ramble("other", 5), http.StatusBadRequest); !strings.Contains(m, "other") {
		t.Errorf("the model that was removed: %q", m)
	}
	g.configure("models: {smollm2: {local: smollm2, treads: 1}}\n")
	g.logged("configuration refused", 1)

	if n := len(going.whole()); n < 2000 {
		t.Errorf("the removed model's stream has %d characters", n)
	}
	staying.whole()
	eventually(t, 10*time.Second, "the removed model's end", func() bool { return cmp.Equal(g.engines(), []int{kept}) })
	g.must("/chat/completions", capital())
	if pid := g.engine(); pid != kept {
		t.Errorf("the unchanged engine was started again: process %d, then %d", kept, pid)
	}
	g.signal(syscall.SIGHUP)
	g.logged("configuration refused", 2)
}
