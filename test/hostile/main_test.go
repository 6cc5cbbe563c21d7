//go:build linux

// Package hostile_test runs the ingot command against clients that mean harm or know no better:
// raw bytes over sockets, floods, hang-ups, and for a while all of them at once.
package hostile_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the command that TestMain builds.
var program string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "ingot-hostile")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ingot")
	args := []string{"build", "-o", program}
	if raced {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/ingot")...)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("build ingot: %w\n%s", err, out)
	}
	// Most of these tests wait for limits of time, so that more of them than processors may run.
	if err := flag.Set("test.parallel", "64"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

const (
	key = "the-key-of-this-endpoint"
	// marker is in every prompt, and nowhere else.
	marker = "xyzzyMARKERxyzzy"
)

// impatient is an endpoint whose limits are short.
const impatient = `
listen: 127.0.0.1:0
log: {level: debug}
limits: {body: 4MiB, header_timeout: 2s, body_timeout: 1s, body_total: 3s}
models:
  mock: {provider: mock}
  mock-slow: {provider: mock, mock: {behaviour: count, tokens_per_second: 100}}
  mock-reasoning: {provider: mock, mock: {behaviour: reasoning}}
  mock-embedding: {provider: mock, mock: {behaviour: embedding}}
  mock-image-embedding: {provider: mock, mock: {behaviour: image-embedding}}
aliases: github-models
`

// records is a log that grows while it is read.
type records struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// server is a running ingot.
type server struct {
	t    testing.TB
	cmd  *exec.Cmd
	addr string
	log  *records
}

// serve runs the endpoint of a configuration, or the mock one, until the test ends. Its log must
// then hold neither a prompt, nor a key, nor a fault of ours.
func serve(t testing.TB, config string, args ...string) *server {
	t.Helper()
	return serveWithin(t, "", config, args...)
}

// serveWithin sets a limit of memory up to which garbage may be left to be collected, as an operator does with GOMEMLIMIT, so that
// memory beyond it is memory that is held.
func serveWithin(t testing.TB, limit, config string, args ...string) *server {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{"serve"}, args...)
	if config == "" {
		args = append(args, "--mock", "--listen", "127.0.0.1:0", "--log", "debug")
	} else {
		file := filepath.Join(dir, "ingot.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	s := &server{t: t, cmd: exec.Command(program, args...), log: &records{}}
	s.cmd.Env = append(os.Environ(), "INGOT_HOME="+filepath.Join(dir, "home"), "INGOT_KEY="+key, "GOMEMLIMIT="+limit, "GORACE=halt_on_error=0 atexit_sleep_ms=0")
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := regexp.MustCompile(`serves https?://(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			s.addr = m[1]
		}
		if strings.HasPrefix(lines.Text(), "Ready.") {
			break
		}
	}
	if s.addr == "" {
		_ = s.cmd.Wait() // then its log is whole
		t.Fatalf("the endpoint did not start: %s", s.log)
	}
	t.Cleanup(s.stop)
	go io.Copy(io.Discard, out)
	return s
}

// stop ends the endpoint and reads its log.
func (s *server) stop() {
	t := s.t
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("the endpoint is gone: %v", err)
	}
	kill := time.AfterFunc(40*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the endpoint ended with %v", err)
	}
	log := s.log.String()
	for _, bad := range []string{marker, key, "panic", "DATA RACE", "internal error", "goroutine "} {
		if i := strings.Index(log, bad); i >= 0 {
			t.Errorf("the log has %q: …%s", bad, log[max(0, i-300):min(len(log), i+2000)])
		}
	}
}

func (s *server) url(path string) string { return "http://" + s.addr + path }

func (s *server) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.addr, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(40 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// once speaks over a connection of its own.
var once = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// plain asks an ordinary question over a new connection and returns how long the right answer took.
func (s *server) plain(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url("/chat/completions"), strings.NewReader(chat("plain question")))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Api-Key", key)
	resp, err := once.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"content":"plain question"`)) {
		return 0, fmt.Errorf("got %d %.300s", resp.StatusCode, body)
	}
	return time.Since(began), nil
}

// works fails the test unless a plain request is answered.
func (s *server) works(t testing.TB) {
	t.Helper()
	if _, err := s.plain(t.Context()); err != nil {
		t.Errorf("a plain request afterwards: %v", err)
	}
}

// chat is the body of a question.
func chat(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return `{"messages":[{"role":"user","content":` + string(quoted) + `}]}`
}

// usage is what a process holds.
type usage struct {
	goroutines, descriptors int
	rss, heap               int64 // bytes
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d MiB resident, %d MiB heap", u.goroutines, u.descriptors, u.rss>>20, u.heap>>20)
}

// usage asks the endpoint and the system.
func (s *server) usage() (usage, error) {
	var u usage
	resp, err := once.Get(s.url("/metrics"))
	if err != nil {
		return u, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return u, err
	}
	number := func(name string) float64 {
		m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
		if m == nil {
			err = fmt.Errorf("no %s in the metrics", name)
			return 0
		}
		n, _ := strconv.ParseFloat(string(m[1]), 64)
		return n
	}
	u.goroutines = int(number("go_goroutines"))
	u.heap = int64(number("go_memstats_heap_inuse_bytes"))
	u.rss = int64(number("process_resident_memory_bytes"))
	open, dirErr := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if dirErr != nil {
		return u, dirErr
	}
	u.descriptors = len(open)
	return u, err
}

func (s *server) mustUsage(t testing.TB) usage {
	t.Helper()
	u, err := s.usage()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// settles waits until no more goroutines and descriptors are left than there were.
func (s *server) settles(t testing.TB, before usage) usage {
	t.Helper()
	const slack = 2 // what the metrics themselves need
	var now usage
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		now = s.mustUsage(t)
		if now.goroutines <= before.goroutines+slack && now.descriptors <= before.descriptors+slack {
			return now
		}
	}
	t.Errorf("left behind: %s; before: %s", now, before)
	return now
}
