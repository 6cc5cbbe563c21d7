package upstream_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
)

// room is for so many bytes.
type room struct {
	most       int64
	used, peak atomic.Int64
}

func (r *room) Take(n int64) bool {
	now := r.used.Add(n)
	if now > r.most {
		r.used.Add(-n)
		return false
	}
	r.peak.Store(max(r.peak.Load(), now))
	return true
}

func (r *room) Give(n int64) { r.used.Add(-n) }

func TestALargeAnswerNeedsRoom(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		size, room int64
		kind       llm.Kind
	}{{mib, 0, 0}, {3 * mib, 0, 0}, {6 * mib, 64 * mib, 0}, {20 * mib, 64 * mib, 0}, {6 * mib, mib, llm.Unavailable}, {20 * mib, 8 * mib, llm.Unavailable}} {
		content := strings.Repeat("x", int(c.size))
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"content":"%s"},"finish_reason":"stop"}]}`, content)
		})
		have := &room{most: c.room}
		client.Room = have
		r := chat()
		r.Stream = false
		for f, err := range client.Chat(t.Context(), r) {
			if c.kind == 0 && (err != nil || !f.Begins()) || c.kind != 0 && (err == nil || llm.AsError(err).Kind != c.kind || llm.AsError(err).RetryAfter <= 0) {
				t.Errorf("%d MiB with room for %d: %v", c.size/mib, c.room/mib, err)
			}
		}
		if n := have.used.Load(); n != 0 {
			t.Errorf("%d MiB: %d bytes were not given back", c.size/mib, n)
		}
		if peak := have.peak.Load(); c.kind == 0 && c.size > 4*mib && peak < c.size-4*mib {
			t.Errorf("%d MiB took %d bytes", c.size/mib, peak)
		}
	}
}

func TestALargeEventNeedsRoom(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		size, room int64
		kind       llm.Kind
		said       string
	}{{6 * mib, 64 * mib, 0, ""}, {6 * mib, mib, llm.Unavailable, "limits.body_memory"}, {20 * mib, 64 * mib, llm.Upstream, "too large"}} {
		client := serve(t, events(hello, strings.Replace(hello, "Hello", strings.Repeat("x", int(c.size)), 1), stop, done))
		have := &room{most: c.room}
		client.Room = have
		_, err := client.Chat(t.Context(), chat()).Collect()
		if c.kind == 0 && err != nil || c.kind != 0 && (err == nil || llm.AsError(err).Kind != c.kind || !strings.Contains(err.Error(), c.said)) {
			t.Errorf("%d MiB with room for %d: %v", c.size/mib, c.room/mib, err)
		}
		if n := have.used.Load(); n != 0 {
			t.Errorf("%d MiB: %d bytes were not given back", c.size/mib, n)
		}
	}
}
