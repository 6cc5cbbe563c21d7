package client

import (
	"context"
	"errors"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Retry says how calls are repeated, always before the first byte of an answer. By default they are where the connection failed,
// and where the service refused for the time being (Error.Temporary). A wait that the service asks for is kept; where it is longer
// than MaxDelay, or than the context lasts, the error is returned at once.
type Retry struct {
	Max      int           // further attempts: 3; negative for none
	Delay    time.Duration // first wait where the service names none, doubled each time, then drawn between half and all of it: 800 ms
	MaxDelay time.Duration // longest wait: 60 s

	// If decides in place of the default whether a failure is worth another attempt. Its error is an *Error where a response came.
	If func(error) bool
}

func (r *Retry) fill() {
	r.Max = orDefault(r.Max, 3)
	r.Delay = orDefault(r.Delay, 800*time.Millisecond)
	r.MaxDelay = orDefault(r.MaxDelay, time.Minute)
	if r.If == nil {
		r.If = mayPass
	}
}

// mayPass says whether a failure is of the kind that passes.
func mayPass(err error) bool {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Temporary()
	}
	var timeout net.Error
	_, broken := errors.AsType[*net.OpError](err)
	return broken || errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// Temporary says whether another attempt may help: 408, 429, 500, 502, 503 or 504, without x-should-retry: false.
func (e *Error) Temporary() bool {
	if e.Header.Get("X-Should-Retry") == "false" {
		return false
	}
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// wait says after how long to try again, if at all.
func (r *Retry) wait(ctx context.Context, attempt int, err error) (time.Duration, bool) {
	if attempt >= r.Max || ctx.Err() != nil || !r.If(err) {
		return 0, false
	}
	wait := r.backOff(attempt)
	if refusal, ok := errors.AsType[*Error](err); ok && refusal.RetryAfter > 0 {
		if wait = refusal.RetryAfter; wait > r.MaxDelay {
			return 0, false
		}
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
		return 0, false
	}
	return wait, true
}

func (r *Retry) backOff(attempt int) time.Duration {
	wait := max(r.Delay, 0)
	for range attempt {
		if wait < r.MaxDelay {
			wait *= 2
		}
	}
	wait = max(min(wait, r.MaxDelay), 0)
	// Clients that failed together shall not come back together.
	return wait/2 + mathrand.N(wait/2+1) //nolint:gosec // jitter needs no secrecy
}

// retryAfter reads how long a service asks to wait: the header in milliseconds is the more exact one.
func retryAfter(h http.Header) time.Duration {
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
