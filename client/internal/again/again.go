// Package again repeats calls.
package again

import (
	"context"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Policy says how often and when a call is repeated.
type Policy struct {
	Max             int // further attempts
	Delay, MaxDelay time.Duration
	If              func(error) bool                      // whether a failure is worth another attempt
	Asked           func(error) time.Duration             // the wait that the service asks for; zero for none
	Wait            func(wait time.Duration, cause error) // called before each wait
}

// Do calls try until it succeeds, or until another attempt would not help or would come too late. It returns the last error.
func Do(ctx context.Context, p Policy, try func() error) error {
	for attempt := 0; ; attempt++ {
		err := try()
		if err == nil || attempt >= p.Max || ctx.Err() != nil || !p.If(err) {
			return err
		}
		wait := p.Asked(err)
		if wait == 0 {
			wait = backOff(attempt, p.Delay, p.MaxDelay)
		}
		deadline, ok := ctx.Deadline()
		if wait > p.MaxDelay || ok && time.Until(deadline) < wait {
			return err
		}
		p.Wait(wait, err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait to try again: %w; the last attempt: %w", ctx.Err(), err)
		}
	}
}

// backOff returns the wait before attempt+1: delay, doubled for each attempt, at most limit, and drawn between half and all of it.
func backOff(attempt int, delay, limit time.Duration) time.Duration {
	wait := max(delay, 0)
	for range attempt {
		if wait < limit {
			wait *= 2
		}
	}
	wait = max(min(wait, limit), 0)
	// Clients that failed together shall not come back together.
	return wait/2 + mathrand.N(wait/2+1) //nolint:gosec // jitter needs no secrecy
}

// After reads how long a service asks to wait: the header in milliseconds is the more exact one.
func After(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if d, ok := duration(h.Get(name), time.Millisecond); ok {
			return d
		}
	}
	value := h.Get("Retry-After")
	if d, ok := duration(value, time.Second); ok {
		return d
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

func duration(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(math.MaxInt64/2))), true
}
