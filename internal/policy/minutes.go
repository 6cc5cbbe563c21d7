package policy

import (
	"context"
	"sync"
	"time"
)

// Minutes is a Counter in memory. A caller's minute begins with a request and ends 60
// seconds later; the next request begins another. The zero Minutes is ready to use.
type Minutes struct {
	mu      sync.Mutex // guards callers
	callers map[string]minute
}

var _ Counter = (*Minutes)(nil)

type minute struct {
	start time.Time
	count int
}

// Take counts a request; it never fails.
func (m *Minutes) Take(_ context.Context, caller string, perMinute int) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	w, known := m.callers[caller]
	left := time.Minute - now.Sub(w.start)
	switch {
	case !known:
		m.forget(now)
		w = minute{start: now}
	case left <= 0:
		w = minute{start: now}
	case w.count >= perMinute:
		return left, nil
	}
	w.count++
	m.callers[caller] = w
	return 0, nil
}

// forget makes room for a new caller by dropping those whose minute is over.
func (m *Minutes) forget(now time.Time) {
	if m.callers == nil {
		m.callers = map[string]minute{}
	}
	for name, w := range m.callers {
		if now.Sub(w.start) >= time.Minute {
			delete(m.callers, name)
		}
	}
}
