package home_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/home"
)

// TestMain lets the test binary play another process: it does what INGOT_TEST_AS
// says with the data folder in INGOT_HOME.
func TestMain(m *testing.M) {
	switch os.Getenv("INGOT_TEST_AS") {
	case "key":
		h, err := home.Open("")
		if err == nil {
			var key string
			key, err = h.Key()
			fmt.Println(key)
		}
		exit(err)
	case "holder":
		h, err := home.Open("")
		if err == nil {
			_, err = h.Lock("http://127.0.0.1:9")
		}
		if err != nil {
			exit(err)
		}
		fmt.Println("held")
		_, err = io.Copy(io.Discard, os.Stdin) // until the parent lets go
		exit(err)
	default:
		os.Exit(m.Run())
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func open(t *testing.T) home.Home {
	t.Helper()
	h, err := home.Open(filepath.Join(t.TempDir(), "a", "ingot"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func other(t *testing.T, h home.Home, as string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "INGOT_TEST_AS="+as, "INGOT_HOME="+h.Dir())
	cmd.Stderr = os.Stderr
	return cmd
}

func TestTheFolderFollowsTheEnvironment(t *testing.T) {
	base := t.TempDir()
	user := filepath.Join(base, "user")
	t.Setenv("HOME", user)
	t.Setenv("USERPROFILE", user)
	t.Setenv("LocalAppData", "")
	own := map[string]string{
		"windows": filepath.Join(user, "AppData", "Local", "ingot"),
		"darwin":  filepath.Join(user, "Library", "Application Support", "ingot"),
	}[runtime.GOOS]
	xdg := own
	if own == "" {
		own, xdg = filepath.Join(user, ".local", "share", "ingot"), filepath.Join(base, "xdg", "ingot")
	}
	for _, c := range []struct{ name, ingot, xdg, want string }{
		{"nothing set", "", "", own},
		{"a relative XDG_DATA_HOME counts as not set", "", "xdg", own},
		{"XDG_DATA_HOME", "", filepath.Join(base, "xdg"), xdg},
		{"INGOT_HOME wins", filepath.Join(base, "mine"), filepath.Join(base, "xdg"), filepath.Join(base, "mine")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("INGOT_HOME", c.ingot)
			t.Setenv("XDG_DATA_HOME", c.xdg)
			h, err := home.Open("")
			if err != nil || h.Dir() != c.want {
				t.Errorf("got %q, %v; want %q", h.Dir(), err, c.want)
			}
		})
	}
}

func TestFoldersAreForTheOwnerOnly(t *testing.T) {
	h := open(t)
	models, err1 := h.Models()
	engine, err2 := h.Engine()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	key, err := h.Key()
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^ingot-dev-[A-Za-z0-9_-]{32}$`).MatchString(key) {
		t.Errorf("key: got %q", key)
	}
	for path, want := range map[string]os.FileMode{h.Dir(): 0o700, models: 0o700, engine: 0o700, h.Path("key"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); runtime.GOOS != "windows" && got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	entries, err := os.ReadDir(h.Dir())
	if err != nil || len(entries) != 3 {
		t.Errorf("got %v, %v; want engine, key, models and nothing left over", entries, err)
	}
}

func TestAFileInTheWayIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := home.Open(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "INGOT_HOME") {
		t.Errorf("got %v", err)
	}
}

func TestRacingProcessesAndGoroutinesGetOneKey(t *testing.T) {
	h := open(t)
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 4 {
		cmd := other(t, h, "key")
		all.Go(func() {
			out, err := cmd.Output()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[strings.TrimSpace(string(out))]++
		})
	}
	for range 16 {
		all.Go(func() {
			key, err := h.Key()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[key]++
		})
	}
	all.Wait()
	if len(got) != 1 {
		t.Errorf("got %d keys, want one for all", len(got))
	}
}

func TestAKeyFileWithoutAKeyIsAnErrorThatSaysWhatToDo(t *testing.T) {
	h := open(t)
	for _, text := range []string{"\n", "two words", strings.Repeat("k", 5000)} {
		if err := os.WriteFile(h.Path("key"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Key(); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%.20q: got %v", text, err)
		}
	}
}

func TestALockedFolderSaysWhoHasIt(t *testing.T) {
	h := open(t)
	if e, ok := h.Running(); ok {
		t.Errorf("nobody has it, got %+v", e)
	}
	lock, err := h.Lock("")
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := h.Running(); !ok || e.PID != os.Getpid() || e.URL != "" || time.Since(e.Started) > time.Minute {
		t.Errorf("starting: got %+v, %v", e, ok)
	}
	if err := lock.Listening("http://127.0.0.1:4711"); err != nil {
		t.Fatal(err)
	}
	if e, ok := h.Running(); !ok || e.URL != "http://127.0.0.1:4711" {
		t.Errorf("listening: got %+v, %v", e, ok)
	}
	_, err = h.Lock("http://127.0.0.1:1")
	held, ok := errors.AsType[*home.HeldError](err)
	if !ok || held.Holder.PID != os.Getpid() || !strings.Contains(err.Error(), "http://127.0.0.1:4711") || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(lock.Release(), lock.Release()); err != nil {
		t.Errorf("release: %v", err)
	}
	if e, ok := h.Running(); ok {
		t.Errorf("released, got %+v", e)
	}
	if again, err := h.Lock("x"); err != nil || again.Release() != nil {
		t.Errorf("lock again: %v", err)
	}
}

func TestAMockEndpointKeepsOnlyOtherMocksOut(t *testing.T) {
	h := open(t)
	mock, err := h.LockMock("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mock.Release() }()
	if e, ok := h.Running(); !ok || e.URL != "http://127.0.0.1:1" || !e.Mock {
		t.Errorf("the mock alone: got %+v, %v", e, ok)
	}
	if _, err := h.LockMock(""); !errors.As(err, new(*home.HeldError)) {
		t.Errorf("a second mock: got %v", err)
	}
	lock, err := h.Lock("http://127.0.0.1:2")
	if err != nil {
		t.Fatal(err)
	}
	if e, ok := h.Running(); !ok || e.URL != "http://127.0.0.1:2" || e.Mock {
		t.Errorf("both: got %+v, %v", e, ok)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	if e, ok := h.Running(); !ok || !e.Mock {
		t.Errorf("the mock again: got %+v, %v", e, ok)
	}
}

func TestAKilledHolderLeavesTheFolderFree(t *testing.T) {
	h := open(t)
	cmd := other(t, h, "holder")
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	if e, ok := h.Running(); !ok || e.PID != cmd.Process.Pid || e.URL != "http://127.0.0.1:9" {
		t.Errorf("got %+v, %v", e, ok)
	}
	if _, err := h.Lock(""); err == nil {
		t.Error("locked twice")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("the holder ended well, want killed")
	}
	if e, ok := h.Running(); ok {
		t.Errorf("killed, got %+v", e)
	}
	lock, err := h.Lock("")
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestLookingNeverKeepsAStarterOut(t *testing.T) {
	h := open(t)
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-stop:
				return
			case <-look.C:
				h.Running()
			}
		}
	})
	for range 20 {
		lock, err := h.Lock("")
		if err != nil {
			t.Error(err)
			break
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	all.Wait()
}
