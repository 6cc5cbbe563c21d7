//go:build linux

package hostile_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestLargeAnswersThatNobodyReadsStayWithinTheirMemory(t *testing.T) {
	t.Parallel()
	const (
		less   = 1 + scale/8 // yet more than the system buffers between the two
		many   = 8
		budget = 64 << 20 / less
		width  = 32768 / less
	)
	s := serveWithin(t, strconv.Itoa(2*budget), fmt.Sprintf("listen: 127.0.0.1:0\nlimits: {body: 1MiB, body_memory: %d}\nmodels: {mock: {provider: mock}, wide: {provider: mock, mock: {behaviour: embedding, dimensions: %d}}}\n", budget, width))
	before := s.mustUsage(t)
	body := `{"input":[` + strings.TrimSuffix(strings.Repeat(`"`+marker+`",`, 60), ",") + `]}`
	got := map[string]int{}
	var conns []net.Conn
	for range many {
		c := s.dial(t)
		conns = append(conns, c)
		if _, err := io.WriteString(c, request(http.MethodPost, "/embeddings", body)); err != nil {
			t.Fatal(err)
		}
		status := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, status); err != nil {
			t.Fatal(err)
		}
		got[string(status)]++
	}
	s.works(t)
	peak := s.peak(t)
	t.Logf("%d answers that nobody reads, %d MiB for them: %v, at most %d MiB resident", many, budget>>20, got, peak>>20)
	if got["HTTP/1.1 200"] == 0 || got["HTTP/1.1 503"] == 0 || len(got) > 2 {
		t.Errorf("got %v", got)
	}
	if !raced && peak > 4*budget {
		t.Errorf("%d MiB were resident", peak>>20)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	s.settles(t, before)
}
