//go:build linux

package hostile_test

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestGarbageIsLeftForLaterOnlyWithinTheMemoryOfTheMachine(t *testing.T) {
	t.Parallel()
	const most = 1 << 30
	info, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	machine, err := strconv.ParseFloat(string(regexp.MustCompile(`MemTotal:\s+(\d+) kB`).FindSubmatch(info)[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[string]float64{"": min(most, machine*1024/4), "300MiB": 300 << 20} {
		resp, err := once.Get(serveWithin(t, limit, "").url("/metrics"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		m := regexp.MustCompile(`(?m)^go_gc_gomemlimit_bytes (\S+)$`).FindSubmatch(text)
		if m == nil {
			t.Fatal("the metrics do not say it")
		}
		if got, err := strconv.ParseFloat(string(m[1]), 64); err != nil || got > want || limit != "" && got != want {
			t.Errorf("GOMEMLIMIT=%s: %v bytes, %v at most: %v", limit, got, want, err)
		}
	}
}
