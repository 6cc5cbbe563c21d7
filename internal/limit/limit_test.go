package limit_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ingot-llm/ingot/internal/limit"
	"github.com/ingot-llm/ingot/internal/llm"
)

func reserve(t *testing.T, m *limit.Memory, tokens int, quotas ...llm.Quota) llm.Grant {
	t.Helper()
	g, err := m.Reserve(t.Context(), tokens, tokens, quotas...)
	if err != nil {
		t.Fatal(err)
	}
	if (g.Wait == 0) != (g.Settle != nil) {
		t.Fatalf("wait %v, and what settles it is there: %v", g.Wait, g.Settle != nil)
	}
	return g
}

func used(n int) llm.Usage { return llm.Usage{Prompt: n - n/2, Completion: n / 2} }

// check compares all of a grant but what settles it.
func check(t *testing.T, what string, got, want llm.Grant) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(llm.Grant{}, "Settle")); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func requests(of string, n int) llm.Quota { return llm.Quota{Holder: of, Requests: n} }

func tokens(of string, n int) llm.Quota { return llm.Quota{Holder: of, Tokens: n} }

func left(limit, remaining int, reset time.Duration) llm.Allowance {
	return llm.Allowance{Limit: limit, Remaining: remaining, Reset: reset}
}

func TestTheSixthOfFiveIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		q := requests("a", 5)
		for i := range 5 {
			check(t, fmt.Sprint("request ", i+1), reserve(t, &m, 0, q), llm.Grant{Limits: llm.Limits{Requests: left(5, 4-i, time.Minute)}})
			time.Sleep(time.Second)
		}
		for range 3 {
			want := llm.Grant{Wait: 55 * time.Second, Lack: llm.CodeRequests, By: q, Limits: llm.Limits{Requests: left(5, 0, 59*time.Second)}}
			check(t, "the sixth, which must not count", reserve(t, &m, 0, q), want)
		}
		if g := reserve(t, &m, 0, requests("b", 5)); g.Wait != 0 {
			t.Error("another holder is refused too")
		}
		time.Sleep(55*time.Second - time.Nanosecond)
		if g := reserve(t, &m, 0, q); g.Wait != time.Nanosecond {
			t.Errorf("one nanosecond early: got %+v", g)
		}
		time.Sleep(time.Nanosecond)
		if g := reserve(t, &m, 0, q); g.Wait != 0 || g.Limits.Requests.Remaining != 0 {
			t.Errorf("in time: got %+v", g)
		}
	})
}

func TestTokensAreHeldUntilSettledAndThenCountForAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		q := tokens("a", 100)
		first := reserve(t, &m, 60, q)
		check(t, "the first", first, llm.Grant{Limits: llm.Limits{Tokens: left(100, 40, time.Minute)}})
		time.Sleep(10 * time.Second)
		check(t, "more than is left", reserve(t, &m, 41, q),
			llm.Grant{Wait: 50 * time.Second, Lack: llm.CodeTokens, By: q, Limits: llm.Limits{Tokens: left(100, 40, time.Minute)}})
		time.Sleep(2 * time.Minute)
		check(t, "it still goes on", reserve(t, &m, 41, q),
			llm.Grant{Wait: time.Second, Lack: llm.CodeTokens, By: q, Limits: llm.Limits{Tokens: left(100, 40, time.Minute)}})
		first.Settle(t.Context(), used(10))
		first.Settle(t.Context(), used(70)) // a second time changes nothing
		time.Sleep(5 * time.Second)
		second := reserve(t, &m, 90, q)
		check(t, "what was not used", second, llm.Grant{Limits: llm.Limits{Tokens: left(100, 0, time.Minute)}})
		second.Settle(t.Context(), llm.Usage{})
		check(t, "what was given back", reserve(t, &m, 91, q),
			llm.Grant{Wait: 55 * time.Second, Lack: llm.CodeTokens, By: q, Limits: llm.Limits{Tokens: left(100, 90, 55*time.Second)}})
		time.Sleep(55 * time.Second)
		reserve(t, &m, 100, q).Settle(t.Context(), used(130))
		check(t, "more was used than reserved", reserve(t, &m, 1, q),
			llm.Grant{Wait: time.Minute, Lack: llm.CodeTokens, By: q, Limits: llm.Limits{Tokens: left(100, 0, time.Minute)}})
	})
}

func TestWhoNeedsLittleGetsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		ask := func(least, most int, quotas ...llm.Quota) llm.Grant {
			t.Helper()
			g, err := m.Reserve(t.Context(), least, most, quotas...)
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		wide := ask(10, 5000, tokens("a", 1000))
		check(t, "all that there is", wide, llm.Grant{Limits: llm.Limits{Tokens: left(1000, 0, time.Minute)}})
		if g := ask(10, 5000, tokens("a", 1000)); g.Wait != time.Minute || g.Lack != llm.CodeTokens {
			t.Errorf("while it is held: got %+v, want a wait of a minute for tokens", g)
		}
		wide.Settle(t.Context(), used(7))
		check(t, "what is left after seven", ask(10, 5000, tokens("a", 1000), tokens("b", 400)), llm.Grant{Limits: llm.Limits{Tokens: left(400, 0, time.Minute)}})
		check(t, "and of that what a tighter quota did not have", ask(10, 500, tokens("a", 1000)), llm.Grant{Limits: llm.Limits{Tokens: left(1000, 93, time.Minute)}})
	})
}

func TestARequestThatNoMinuteHasRoomForIsToldSo(t *testing.T) {
	t.Parallel()
	var m limit.Memory
	q := llm.Quota{Holder: "a", Requests: 1, Tokens: 100}
	for range 2 { // it does not count
		g := reserve(t, &m, 101, requests("b", 1), q)
		if g.Wait >= 0 || g.Lack != llm.CodeTokens || g.By != q {
			t.Errorf("got %+v", g)
		}
	}
	if g := reserve(t, &m, 100, requests("b", 1), q); g.Wait != 0 {
		t.Errorf("all of it: got %+v", g)
	}
}

func TestWhatOneQuotaRefusesCountsAgainstNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		key, deployment := llm.Quota{Holder: "k", Requests: 10, Tokens: 1000}, llm.Quota{Holder: "d", Requests: 3, Tokens: 5000}
		reserve(t, &m, 400, key, deployment).Settle(t.Context(), used(400))
		for range 5 {
			g := reserve(t, &m, 700, key, deployment)
			if g.By != key || g.Lack != llm.CodeTokens {
				t.Errorf("got %+v", g)
			}
		}
		check(t, "the tighter of each is shown", reserve(t, &m, 100, key, deployment),
			llm.Grant{Limits: llm.Limits{Requests: left(3, 1, time.Minute), Tokens: left(1000, 500, time.Minute)}})
		time.Sleep(time.Second)
		reserve(t, &m, 1, key, deployment)
		g := reserve(t, &m, 1, key, deployment)
		if g.By != deployment || g.Lack != llm.CodeRequests || g.Wait != 59*time.Second {
			t.Errorf("got %+v", g)
		}
	})
}

func TestNoMinuteHoldsMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		var granted []time.Time
		random := rand.New(rand.NewPCG(1, 2))
		for range 5_000 {
			if reserve(t, &m, 0, requests("a", 7)).Wait == 0 {
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

// Every request spends its tokens in the moment of its end.
func TestNoMinuteSpendsMoreTokensThanTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 1000
		var m limit.Memory
		type spending struct {
			at     time.Time
			tokens int
		}
		var mu sync.Mutex
		var list []spending
		var all sync.WaitGroup
		for worker := range 8 {
			random := rand.New(rand.NewPCG(3, uint64(worker)))
			all.Go(func() {
				for range 500 {
					n := 1 + random.IntN(400)
					g, err := m.Reserve(t.Context(), n, n, tokens("a", most))
					if err != nil || g.Wait > 0 {
						time.Sleep(max(g.Wait, time.Millisecond))
						continue
					}
					time.Sleep(time.Duration(random.IntN(90_000)) * time.Millisecond)
					n = random.IntN(n + 1)
					mu.Lock()
					list = append(list, spending{time.Now(), n})
					mu.Unlock()
					g.Settle(t.Context(), used(n))
				}
			})
		}
		all.Wait()
		if len(list) < 500 {
			t.Fatalf("only %d requests were granted", len(list))
		}
		for i := range list {
			sum := 0
			for k := i; k < len(list) && list[k].at.Sub(list[i].at) < time.Minute; k++ {
				sum += list[k].tokens
			}
			if sum > most {
				t.Fatalf("%d tokens were spent within a minute", sum)
			}
		}
	})
}

func TestAChangedLimitHoldsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m limit.Memory
		for range 5 {
			reserve(t, &m, 0, requests("a", 5))
			time.Sleep(time.Second)
		}
		if g := reserve(t, &m, 0, requests("a", 6)); g.Wait != 0 {
			t.Errorf("raised: got %+v", g)
		}
		if g := reserve(t, &m, 0, requests("a", 2)); g.Wait != 59*time.Second {
			t.Errorf("lowered: got %+v", g)
		}
	})
}

func TestNoLimitCountsNothing(t *testing.T) {
	t.Parallel()
	var m limit.Memory
	for range 100 {
		check(t, "without a limit", reserve(t, &m, 1<<20, requests("a", 0)), llm.Grant{})
	}
	if g := reserve(t, &m, 1, llm.Quota{Holder: "a", Requests: 1, Tokens: 1}); g.Wait != 0 {
		t.Errorf("got %+v", g)
	}
}

func TestItIsExactUnderConcurrency(t *testing.T) {
	t.Parallel()
	var m limit.Memory
	var granted, spent atomic.Int64
	var all sync.WaitGroup
	key, deployment := llm.Quota{Holder: "k", Requests: 100}, llm.Quota{Holder: "d", Tokens: 5000}
	for worker := range 16 {
		all.Go(func() {
			for i := range 100 {
				g, err := m.Reserve(t.Context(), 100, 100, key, deployment)
				if err != nil || g.Wait != 0 {
					continue
				}
				granted.Add(1)
				n := (worker + i) % 101
				spent.Add(int64(n))
				g.Settle(t.Context(), used(n))
			}
		})
	}
	all.Wait()
	if n := granted.Load(); n > 100 {
		t.Errorf("granted %d requests of 100", n)
	}
	g := reserve(t, &m, 0, deployment)
	if n := spent.Load(); n > 5000 || g.Limits.Tokens.Remaining != 5000-int(n) {
		t.Errorf("%d of 5000 tokens were spent, %d are left", n, g.Limits.Tokens.Remaining)
	}
	g = reserve(t, &m, 0, requests("k", 101))
	if n := granted.Load(); g.Limits.Requests.Remaining != 100-int(n) {
		t.Errorf("%d of 101 requests were granted, %d are left after one more", n, g.Limits.Requests.Remaining)
	}
}

func TestHoldersWhoLeftAreForgotten(t *testing.T) {
	t.Parallel()
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
				reserve(t, &m, 5, llm.Quota{Holder: fmt.Sprintf("%d-%d", minute, i), Requests: 5, Tokens: 5}).Settle(t.Context(), used(5))
			}
			time.Sleep(time.Minute)
		}
		if after := heap(); after > before+8<<20 {
			t.Errorf("100,000 holders left %d KiB behind", (after-before)>>10)
		}
		runtime.KeepAlive(&m)
	})
}

func TestACallerWhoHungUpIsNotCounted(t *testing.T) {
	t.Parallel()
	var m limit.Memory
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Reserve(gone, 0, 0, requests("a", 1)); err == nil {
		t.Error("want an error")
	}
	if g := reserve(t, &m, 0, requests("a", 1)); g.Wait != 0 {
		t.Errorf("got %+v", g)
	}
}

func BenchmarkReserve(b *testing.B) {
	var m limit.Memory
	b.ReportAllocs()
	for b.Loop() {
		g, err := m.Reserve(b.Context(), 100, 100, llm.Quota{Holder: "k", Requests: 600, Tokens: 1 << 30}, llm.Quota{Holder: "d", Tokens: 1 << 40})
		if err != nil {
			b.Fatal(err)
		}
		if g.Settle != nil {
			g.Settle(b.Context(), llm.Usage{Prompt: 1})
		}
	}
}

func TestUsageThatCannotBeTrueOpensNothing(t *testing.T) {
	t.Parallel()
	for _, u := range []llm.Usage{{Prompt: math.MaxInt, Completion: math.MaxInt}, {Prompt: math.MinInt, Completion: 100}} {
		var m limit.Memory
		for range 3 {
			if g := reserve(t, &m, 1, tokens("a", 100)); g.Settle != nil {
				g.Settle(t.Context(), u)
			}
		}
		if g := reserve(t, &m, 1, tokens("a", 100)); g.Wait <= 0 || g.Limits.Tokens.Remaining != 0 {
			t.Errorf("after %+v: got %+v", u, g)
		}
	}
}
