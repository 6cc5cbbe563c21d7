//go:build linux

package hostile_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// peak is the most memory that the endpoint ever had, in bytes.
func (s *server) peak(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatal("no VmHWM")
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func TestManyIdleAndSlowConnectionsLockNobodyOut(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	before := s.mustUsage(t)
	const idle, slow = 2000, 500
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range idle + slow {
		c, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		text := ""
		switch {
		case i >= idle:
			text = without + "Content-Length: 33554432\r\n\r\n" + strings.Repeat(" ", 4000)
		case i%2 == 0: // idle after an answer
			text = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
	}
	var slowest time.Duration
	for range 20 {
		took, err := s.plain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, took)
	}
	now := s.mustUsage(t)
	t.Logf("%d idle and %d slow connections: slowest of 20 plain requests %s; %s; before %s", idle, slow, slowest.Round(time.Millisecond), now, before)
	limit := time.Second
	if raced {
		limit = 10 * time.Second
	}
	if slowest > limit {
		t.Errorf("a plain request took %s", slowest)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	t.Logf("afterwards %s", s.settles(t, before))
}

func TestLargeBodiesAtOnceStayWithinTheirMemory(t *testing.T) {
	t.Parallel()
	const (
		size   = 30 << 20 / scale
		budget = 64 << 20 / scale
	)
	many := 40
	if v, err := strconv.Atoi(os.Getenv("INGOT_TEST_LARGE_BODIES")); err == nil {
		many = v
	}
	s := serveWithin(t, strconv.Itoa(2*budget), fmt.Sprintf("listen: 127.0.0.1:0\nlog: {level: debug}\nlimits: {body: %d, body_memory: %d}\nmodels: {mock: {provider: mock}}\n", budget/2, budget))
	before := s.mustUsage(t)
	text := []byte(`{"messages":[{"role":"user","content":"` + strings.Repeat("x", size) + `"}]}`)
	last := make(chan struct{}) // when the last byte is sent
	var answered, all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	answered.Add(many)
	for range many {
		all.Go(func() {
			done := sync.OnceFunc(answered.Done)
			defer done()
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			answers := make(chan answer, 1)
			go func() {
				a, err := read(bufio.NewReader(c))
				if err != nil {
					t.Errorf("read: %v", err)
				}
				done()
				answers <- a
			}()
			_, err = io.WriteString(c, without+"Content-Length: "+strconv.Itoa(len(text))+"\r\n\r\n")
			if err == nil {
				_, err = c.Write(text[:len(text)-1]) // of a refused body, the end need not arrive
			}
			if err == nil {
				// Those who are not refused wait here with all but a byte of their bodies in the endpoint's memory.
				time.AfterFunc(3*time.Second, done)
				<-last
				_, _ = c.Write(text[len(text)-1:])
			}
			a := <-answers
			mu.Lock()
			got[a.status]++
			mu.Unlock()
		})
	}
	answered.Wait()
	if took, err := s.plain(t.Context()); err != nil {
		t.Errorf("a plain request beside them: %v", err)
	} else {
		t.Logf("a plain request beside them took %s", took.Round(time.Millisecond))
	}
	close(last)
	all.Wait()
	// A text of that length is more than the model's context holds.
	if got[http.StatusServiceUnavailable] == 0 || got[http.StatusBadRequest] == 0 || got[http.StatusServiceUnavailable]+got[http.StatusBadRequest] != many {
		t.Errorf("got %v", got)
	}
	peak := s.peak(t)
	t.Logf("%d bodies of %d MiB at once, %d MiB for bodies: statuses %v, at most %d MiB resident", many, size>>20, budget>>20, got, peak>>20)
	if !raced && peak > 4*budget {
		t.Errorf("%d MiB were resident", peak>>20)
	}
	s.works(t)
	t.Logf("afterwards %s", s.settles(t, before))
}
