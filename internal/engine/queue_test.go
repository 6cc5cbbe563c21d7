package engine

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
)

func no() bool  { return false }
func yes() bool { return true }

// enter takes a place at once.
func enter(t *testing.T, q *queue, caller string) (leave func()) {
	t.Helper()
	leave, err := q.enter(t.Context(), caller, 0, time.Second, no)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func TestCallersTakeTurnsAndEachIsServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		leave := enter(t, q, "first")
		var order []string
		for _, who := range []string{"a1", "a2", "a3", "b1", "b2", "c1"} {
			go func() {
				leave, err := q.enter(t.Context(), who[:1], 10, time.Hour, no)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, who)
				leave()
			}()
			synctest.Wait()
		}
		leave()
		synctest.Wait()
		if diff := cmp.Diff([]string{"a1", "b1", "c1", "a2", "b2", "a3"}, order); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAFullQueueSaysHowLongItIsAndWhetherTheModelStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		defer enter(t, q, "a")()
		ctx, cancel := context.WithCancel(t.Context())
		for range 2 {
			go func() { _, _ = q.enter(ctx, "a", 2, time.Hour, no) }()
		}
		synctest.Wait()
		for _, c := range []struct {
			starting func() bool
			kind     llm.Kind
		}{{no, llm.RateLimited}, {yes, llm.Unavailable}} {
			_, err := q.enter(t.Context(), "b", 2, time.Hour, c.starting)
			e := llm.AsError(err)
			if e.Kind != c.kind || e.RetryAfter <= 0 || !strings.Contains(e.Message, "2 requests are waiting") {
				t.Errorf("got %+v", e)
			}
		}
		cancel()
		synctest.Wait()
		if n := q.length(); n != 0 {
			t.Errorf("%d wait after all hung up", n)
		}
	})
}

func TestWaitingHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		leave := enter(t, q, "a")
		_, err := q.enter(t.Context(), "b", 2, time.Minute, no)
		if e := llm.AsError(err); e.Kind != llm.RateLimited || !strings.Contains(e.Message, "within 1m0s") {
			t.Errorf("got %v", err)
		}
		leave()
		enter(t, q, "b")()
	})
}

func TestHangingUpAtAnyMomentLosesNoSlot(t *testing.T) {
	const slots, callers, rounds = 3, 12, 300
	q := newQueue(slots)
	var inside, most, served atomic.Int64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range rounds {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(200))*time.Microsecond)
				leave, err := q.enter(ctx, strconv.Itoa(i%4), 8, time.Duration(r.IntN(300))*time.Microsecond, no)
				if err == nil {
					if n := inside.Add(1); n > most.Load() {
						most.Store(n)
					}
					time.Sleep(time.Duration(r.IntN(50)) * time.Microsecond)
					inside.Add(-1)
					served.Add(1)
					leave()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if q.free != slots || q.length() != 0 || len(q.lines) != 0 {
		t.Errorf("%d of %d slots are free and %d wait in %d lines when all have left", q.free, slots, q.waiting, len(q.lines))
	}
	if most.Load() > slots || served.Load() == 0 {
		t.Errorf("%d at once in %d slots, %d served", most.Load(), slots, served.Load())
	}
}

func TestEachDeploymentOfAModelHasItsOwnBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		leave := enter(t, q, "a")
		waited := make(chan error, 1)
		go func() {
			leave, err := q.enter(t.Context(), "b", 1, time.Hour, no)
			if err == nil {
				leave()
			}
			waited <- err
		}()
		synctest.Wait()
		if _, err := q.enter(t.Context(), "a", 0, time.Hour, no); llm.AsError(err).Kind != llm.RateLimited {
			t.Errorf("where none may wait: %v", err)
		}
		leave()
		if err := <-waited; err != nil {
			t.Errorf("where one may wait: %v", err)
		}
	})
}
