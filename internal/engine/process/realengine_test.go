//go:build engine && linux

package process_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/process"
)

// realSpec is the engine in the folder that INGOT_TEST_ENGINE names, with the
// model that INGOT_TEST_MODEL names.
func realSpec(t *testing.T) process.Spec {
	t.Helper()
	engine, model := os.Getenv("INGOT_TEST_ENGINE"), os.Getenv("INGOT_TEST_MODEL")
	if engine == "" || model == "" {
		t.Fatal("INGOT_TEST_ENGINE (the folder of the unpacked engine) and INGOT_TEST_MODEL (a GGUF file) must be set")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	return process.Spec{
		Name:      "real",
		Engine:    process.Engine{Kind: process.Xllamacpp, Python: python, PythonPath: engine},
		ModelPath: model, Context: 512, Slots: 2, Threads: 1,
		Limits: process.Limits{Start: time.Minute},
	}
}

func post(t *testing.T, l *process.Lease, path string, body any) (*http.Response, error) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.URL+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return l.Transport(&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
}

// ramble streams an answer that does not end soon.
func ramble(t *testing.T, l *process.Lease) (*http.Response, error) {
	t.Helper()
	return post(t, l, "/completion", map[string]any{"prompt": "Once upon a time", "stream": true, "ignore_eos": true, "n_predict": 400})
}

func TestRealEngineAnswers(t *testing.T) {
	l := ensure(t, start(t, realSpec(t)))
	defer l.Release()
	resp, err := post(t, l, "/v1/chat/completions", map[string]any{
		"messages": []map[string]string{
			{"role": "system", "content": "You are a helpful assistant."},
			{"role": "user", "content": "What is the capital of France?"},
		},
		"temperature": 0, "max_tokens": 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(b), "Paris") {
		t.Errorf("got %d %s (%v), want Paris", resp.StatusCode, b, err)
	}
}

func TestRealEngineWantsItsKey(t *testing.T) {
	p := start(t, realSpec(t))
	l := ensure(t, p)
	defer l.Release()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/props", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := new(http.Transport).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d without the key, want 401", resp.StatusCode)
	}
	for _, f := range []string{"cmdline", "environ"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.State().PID, f))
		if err != nil || bytes.Contains(b, []byte(l.Key)) {
			t.Errorf("the key is in %s (%v)", f, err)
		}
	}
}

func TestRealEngineEmbeds(t *testing.T) {
	spec := realSpec(t)
	spec.Embedding, spec.Pooling = true, "mean"
	l := ensure(t, start(t, spec))
	defer l.Release()
	resp, err := post(t, l, "/v1/embeddings", map[string]any{"input": "a cat"})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Data []struct{ Embedding []float64 }
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || len(got.Data) != 1 || len(got.Data[0].Embedding) == 0 {
		t.Errorf("got %v (%v), want one vector", got, err)
	}
}

func TestRealEngineKilledInMidAnswerAndBetween(t *testing.T) {
	p := start(t, realSpec(t))
	l := ensure(t, p)
	resp, err := ramble(t, l)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Kill(p.State().PID, syscall.SIGKILL)
	_, err = io.Copy(io.Discard, resp.Body)
	if e, ok := errors.AsType[*process.Exited](err); !ok || e.Signal != "killed" {
		t.Errorf("got %v in mid-answer, want the exit by signal", err)
	}
	l.Release()
	l = ensure(t, p)
	l.Release()
	_ = syscall.Kill(p.State().PID, syscall.SIGKILL)
	_ = waitDied(t, l)
	ensure(t, p).Release()
	if got := p.State().Starts; got != 3 {
		t.Errorf("got %d starts, want 3", got)
	}
}

func TestRealEngineThatHangsIsKilled(t *testing.T) {
	spec := realSpec(t)
	spec.Limits.Silence = time.Second
	p := start(t, spec)
	l := ensure(t, p)
	defer l.Release()
	if err := syscall.Kill(p.State().PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err := ramble(t, l)
	if _, ok := errors.AsType[*process.Silent](err); !ok {
		t.Errorf("got %v, want Silent", err)
	}
	ensure(t, p).Release()
}

func TestRealEngineSaysWhatIsWrongWithAFile(t *testing.T) {
	spec := realSpec(t)
	whole, err := os.ReadFile(spec.ModelPath)
	if err != nil {
		t.Fatal(err)
	}
	corrupt := bytes.Clone(whole[:4096])
	for i := 2000; i < len(corrupt); i++ {
		corrupt[i] = byte(i * 7)
	}
	tests := []struct {
		name, want string
		bytes      []byte
	}{
		{"truncated", "data is not within the file bounds, model is corrupted or incomplete", whole[:len(whole)/3]},
		{"corrupt", "", corrupt},
		{"not a model", "invalid magic characters", bytes.Repeat([]byte("noise"), 1000)},
		{"empty", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := spec
			spec.ModelPath = filepath.Join(t.TempDir(), "folder", "m.gguf")
			if err := os.MkdirAll(filepath.Dir(spec.ModelPath), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(spec.ModelPath, tt.bytes, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := start(t, spec).Ensure(t.Context())
			e, ok := errors.AsType[*process.Exited](err)
			if !ok || !strings.Contains(e.Hint, tt.want) || e.Hint == "" || strings.Contains(err.Error(), "folder") {
				t.Errorf("got %v, want an exit that says %q and no folder", err, tt.want)
			}
			t.Log(err)
		})
	}
}

func TestRealEngineIsNotReadyWithoutItsPackage(t *testing.T) {
	spec := realSpec(t)
	spec.Engine.PythonPath = t.TempDir()
	_, err := start(t, spec).Ensure(t.Context())
	if err == nil || !strings.Contains(err.Error(), "No module named 'xllamacpp'") {
		t.Errorf("got %v, want the missing module", err)
	}
}

func TestRealEngineAHundredCyclesLeaveNothingBehind(t *testing.T) {
	p := start(t, realSpec(t))
	cycle := func() {
		ensure(t, p).Release()
		pid := p.State().PID
		if err := p.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive(pid) {
			t.Fatalf("process %d is left", pid)
		}
	}
	cycle()
	before := descriptors(t)
	for range 100 {
		cycle()
	}
	const others = 5 // the runtime opens a few; a leak would be one for each cycle
	if after := descriptors(t); after > before+others {
		t.Errorf("got %d descriptors after, %d before", after, before)
	}
	if got := children(t); got != 0 {
		t.Errorf("got %d processes left, want none", got)
	}
}

func TestRealEngineDoesNotSurviveAKilledGateway(t *testing.T) {
	realSpec(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestRealEngineOfAGateway$")
	cmd.Env = append(os.Environ(), "TEST_REAL_GATEWAY=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(out, "child %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatal("the child does not run")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "orphan gone", func() bool { return !alive(pid) || zombie(pid) })
}

// TestRealEngineOfAGateway is the gateway of the test above when it is
// re-executed, and else starts and stops as one would.
func TestRealEngineOfAGateway(t *testing.T) {
	p := start(t, realSpec(t))
	l := ensure(t, p)
	defer l.Release()
	if os.Getenv("TEST_REAL_GATEWAY") == "" {
		return
	}
	fmt.Printf("child %d\n", p.State().PID)
	<-context.Background().Done()
}
