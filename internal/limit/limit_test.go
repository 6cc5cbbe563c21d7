package limit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/limit"
)

func take(t *testing.T, c limit.Counter, key string, perMinute int) limit.Grant {
	t.Helper()
	g, err := c.Take(t.Context(), key, perMinute)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestTheSixthOfFiveIsToldWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		for i := range 5 {
			want := limit.Grant{OK: true, Limit: 5, Remaining: 4 - i}
			if g := take(t, &m, "a", 5); g != want {
				t.Errorf("request %d: got %+v, want %+v", i+1, g, want)
			}
			time.Sleep(time.Second)
		}
		want := limit.Grant{Limit: 5, RetryAfter: 55 * time.Second}
		for range 3 {
			if g := take(t, &m, "a", 5); g != want {
				t.Errorf("got %+v, want %+v: a refusal must not count", g, want)
			}
		}
		if g := take(t, &m, "b", 5); !g.OK {
			t.Error("another caller is refused too")
		}
		time.Sleep(want.RetryAfter - time.Nanosecond)
		if g := take(t, &m, "a", 5); g.OK || g.RetryAfter != time.Nanosecond {
			t.Errorf("one nanosecond early: got %+v", g)
		}
		time.Sleep(time.Nanosecond)
		if g := take(t, &m, "a", 5); !g.OK || g.Remaining != 0 {
			t.Errorf("in time: got %+v", g)
		}
	})
}

func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		var granted []time.Time
		random := rand.New(rand.NewPCG(1, 2))
		for range 5_000 {
			if take(t, &m, "a", 7).OK {
				granted = append(granted, time.Now())
			}
			time.Sleep(time.Duration(random.IntN(10_000)) * time.Millisecond)
		}
		for i := 7; i < len(granted); i++ {
			if d := granted[i].Sub(granted[i-7]); d < time.Minute {
				t.Fatalf("eight requests were granted within %v", d)
			}
		}
	})
}

func TestAChangedLimitHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		for range 5 {
			take(t, &m, "a", 5)
			time.Sleep(time.Second)
		}
		if g := take(t, &m, "a", 6); !g.OK {
			t.Errorf("raised: got %+v", g)
		}
		if g := take(t, &m, "a", 2); g.OK || g.RetryAfter != 59*time.Second {
			t.Errorf("lowered: got %+v", g)
		}
	})
}

func TestNoLimitCountsNothing(t *testing.T) {
	var m limit.Memory
	for _, n := range []int{0, -1} {
		for range 100 {
			if g := take(t, &m, "a", n); g != (limit.Grant{OK: true}) {
				t.Fatalf("%d: got %+v", n, g)
			}
		}
	}
	if g := take(t, &m, "a", 1); !g.OK {
		t.Errorf("got %+v", g)
	}
}

func TestItIsExactUnderConcurrency(t *testing.T) {
	var m limit.Memory
	var granted atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				if g, err := m.Take(t.Context(), "a", 100); err == nil && g.OK {
					granted.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := granted.Load(); n != 100 {
		t.Errorf("granted %d, want 100", n)
	}
}

func TestCallersWhoLeftAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		heap := func() uint64 {
			runtime.GC()
			var s runtime.MemStats
			runtime.ReadMemStats(&s)
			return s.HeapAlloc
		}
		before := heap()
		for minute := range 50 {
			for i := range 2_000 {
				take(t, &m, fmt.Sprintf("%d-%d", minute, i), 5)
			}
			time.Sleep(time.Minute)
		}
		if after := heap(); after > before+4<<20 {
			t.Errorf("100,000 callers left %d KiB behind", (after-before)>>10)
		}
		runtime.KeepAlive(&m)
	})
}

func TestACallerWhoHungUpIsNotCounted(t *testing.T) {
	var m limit.Memory
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Take(gone, "a", 1); err == nil {
		t.Error("want an error")
	}
	if g := take(t, &m, "a", 1); !g.OK {
		t.Errorf("got %+v", g)
	}
}

func BenchmarkTake(b *testing.B) {
	var m limit.Memory
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Take(b.Context(), "a", 600); err != nil {
			b.Fatal(err)
		}
	}
}
