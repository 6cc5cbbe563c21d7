//go:build engine && linux

package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
)

const key = "key-of-the-tests"

// gateway is a running `ingot serve` with a data folder of its own that shares engine and models
// with the cache.
type gateway struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	key    string
	home   string
	file   string // the configuration
	log    *syncBuffer
	exited chan struct{}
	err    error // how it exited
}

// syncBuffer is written by the command's pipes and read by the test.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serve starts a gateway with a configuration, and ends it with the test.
func serve(t testing.TB, config string) *gateway {
	t.Helper()
	home := t.TempDir()
	for _, name := range []string{"engine", "models"} {
		if err := os.Symlink(filepath.Join(cache, name), filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	g := &gateway{t: t, key: key, home: home, file: filepath.Join(home, "ingot.yaml"), log: &syncBuffer{}, exited: make(chan struct{})}
	g.configure(config)
	g.cmd = command(home, "serve", "--config", g.file, "--listen", "127.0.0.1:0")
	g.cmd.Stderr = g.log
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		<-g.exited
		if t.Failed() {
			t.Logf("log of the gateway:\n%s", g.log)
		}
	})
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, url, ok := strings.Cut(lines.Text(), " serves "); ok {
				ready <- url
			}
		}
		g.err = g.cmd.Wait()
		close(g.exited)
	}()
	select {
	case g.url = <-ready:
	case <-g.exited:
		t.Fatalf("the gateway ended: %v", g.err)
	case <-time.After(time.Minute):
		t.Fatal("the gateway did not become ready")
	}
	return g
}

func command(home string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "INGOT_HOME="+home, "INGOT_KEY="+key)
	return cmd
}

// configure writes the configuration file, as an editor does: beside it, then over it.
func (g *gateway) configure(config string) {
	g.t.Helper()
	if err := os.WriteFile(g.file+"~", []byte(config), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(g.file+"~", g.file); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gateway) signal(s syscall.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
}

// logged waits until the gateway has logged a text n times.
func (g *gateway) logged(text string, n int) {
	g.t.Helper()
	eventually(g.t, 20*time.Second, fmt.Sprintf("the log to say %q %d times", text, n), func() bool {
		return strings.Count(g.log.String(), text) >= n
	})
}

func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v in vain for %s", limit, what)
		}
	}
}

// body is a JSON object of a request or an answer.
type body = map[string]any

// open sends a request and returns the answer with its body unread.
func (g *gateway) open(ctx context.Context, path string, b body) (*http.Response, error) {
	g.t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		g.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+path, bytes.NewReader(text))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("extra-parameters", "pass-through")
	return (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
}

// post returns the status and the whole answer.
func (g *gateway) post(path string, b body) (int, body) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	res, err := g.open(ctx, path, b)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer body
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		g.t.Fatalf("POST %s: status %d, %v", path, res.StatusCode, err)
	}
	return res.StatusCode, answer
}

// must posts and expects 200.
func (g *gateway) must(path string, b body) body {
	g.t.Helper()
	status, answer := g.post(path, b)
	if status != http.StatusOK {
		g.t.Fatalf("POST %s: status %d, %v", path, status, answer)
	}
	return answer
}

// refused posts, expects an error and returns its message.
func (g *gateway) refused(path string, b body, status int) string {
	g.t.Helper()
	got, answer := g.post(path, b)
	if got != status {
		g.t.Fatalf("POST %s: status %d instead of %d, %v", path, got, status, answer)
	}
	e, _ := answer["error"].(body)
	return fmt.Sprint(e["message"])
}

// stream is an open streamed answer.
type stream struct {
	t      testing.TB
	res    *http.Response
	lines  *bufio.Scanner
	hangUp func()
}

// stream opens a streamed answer, which ends with the test.
func (g *gateway) stream(path string, b body) *stream {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	b["stream"] = true
	res, err := g.open(ctx, path, b)
	if err != nil {
		cancel()
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { cancel(); _ = res.Body.Close() })
	s := &stream{t: g.t, res: res, lines: bufio.NewScanner(res.Body), hangUp: cancel}
	s.lines.Buffer(nil, 1<<20)
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(res.Body)
		g.t.Fatalf("POST %s: status %d, %s", path, res.StatusCode, text)
	}
	return s
}

// next returns the next event's data, and false at the end of the stream.
func (s *stream) next() (string, bool) {
	for s.lines.Scan() {
		if data, ok := strings.CutPrefix(s.lines.Text(), "data: "); ok {
			return data, true
		}
	}
	return "", false
}

// tokens reads until n pieces of text have come.
func (s *stream) tokens(n int) {
	s.t.Helper()
	for n > 0 {
		data, ok := s.next()
		if !ok {
			s.t.Fatalf("the stream ended %d tokens early: %v", n, s.lines.Err())
		}
		if textOf(s.t, data) != "" {
			n--
		}
	}
}

// rest reads to the end: the text, the last event, and how the connection ended.
func (s *stream) rest() (text, last string, err error) {
	s.t.Helper()
	for {
		data, ok := s.next()
		if !ok {
			return text, last, s.lines.Err()
		}
		last = data
		if data != "[DONE]" {
			text += textOf(s.t, data)
		}
	}
}

// whole expects a complete stream and returns its text.
func (s *stream) whole() string {
	s.t.Helper()
	text, last, err := s.rest()
	if err != nil || last != "[DONE]" {
		s.t.Fatalf("the stream ended with %q and %v", last, err)
	}
	return text
}

// textOf is the text of a chunk, or of a whole answer, of chat or text completions.
func textOf(t testing.TB, data string) string {
	t.Helper()
	var c struct {
		Choices []struct {
			Text           string
			Delta, Message struct{ Content string }
		}
	}
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	var text string
	for _, c := range c.Choices {
		text += c.Text + c.Delta.Content + c.Message.Content
	}
	return text
}

func contentOf(t *testing.T, answer body) string {
	t.Helper()
	b, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	return textOf(t, string(b))
}

// capital is a question that smollm2 answers in a sentence.
func capital() body {
	return body{"model": "smollm2", "messages": []body{{"role": "user", "content": "What is the capital of France?"}}, "temperature": 0, "max_tokens": 24}
}

// ramble asks for a long answer.
func ramble(model string, tokens int) body {
	return body{"model": model, "prompt": "Once upon a time", "max_tokens": tokens, "temperature": 0.8, "seed": 7}
}

// tiny writes a tiny model and returns its path.
func tiny(t *testing.T, name string, o tinymodel.Options) string {
	t.Helper()
	if o.Arch != tinymodel.BERT && o.ChatTemplate == "" {
		o.ChatTemplate = tinymodel.ChatTemplate
	}
	path, err := tinymodel.File(t.TempDir(), name+".gguf", o)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
