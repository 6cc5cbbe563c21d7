// Package limit counts requests by caller.
package limit

import (
	"context"
	"sync"
	"time"
)

// Counter counts requests against limits. It may be used concurrently.
type Counter interface {
	// Take counts one request of key where fewer than perMinute were counted in
	// the last minute; 0 or less is no limit and counts nothing. An error means
	// that nothing could be decided.
	Take(ctx context.Context, key string, perMinute int) (Grant, error)
}

// Grant is the answer of a Counter.
type Grant struct {
	OK         bool
	Limit      int           // requests a minute; 0: none
	Remaining  int           // requests left in the minute that ends now
	RetryAfter time.Duration // until the next request is granted; 0 where OK
}

// window is the time in which a limit holds, whenever it begins.
const window = time.Minute

// Memory is a Counter in this process. It is exact: in no minute are more
// granted than the limit. It remembers one time for each request of the last
// minute and forgets callers who made none. The zero value is ready.
type Memory struct {
	mu    sync.Mutex // guards all below
	taken map[string][]time.Time
	swept time.Time
}

var _ Counter = (*Memory)(nil)

// Take implements Counter.
func (m *Memory) Take(ctx context.Context, key string, perMinute int) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	if perMinute <= 0 {
		return Grant{OK: true}, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now() // under the lock, so that times are in order
	m.sweep(now)
	times := fresh(m.taken[key], now)
	g := Grant{Limit: perMinute}
	if n := len(times); n < perMinute {
		times = append(times, now)
		g.OK, g.Remaining = true, perMinute-n-1
	} else {
		g.RetryAfter = times[n-perMinute].Add(window).Sub(now)
	}
	m.taken[key] = times
	return g, nil
}

// sweep forgets, once a minute, whoever made no request in the last one.
func (m *Memory) sweep(now time.Time) {
	if m.taken == nil {
		m.taken = map[string][]time.Time{}
	}
	if now.Sub(m.swept) < window {
		return
	}
	m.swept = now
	for key, times := range m.taken {
		if len(fresh(times, now)) == 0 {
			delete(m.taken, key)
		}
	}
}

// fresh is the times that still count.
func fresh(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) >= window {
		times = times[1:]
	}
	return times
}
