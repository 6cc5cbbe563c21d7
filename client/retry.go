package client

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/ingot-llm/ingot/client/internal/again"
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
	r.Max = cmp.Or(r.Max, 3)
	r.Delay = cmp.Or(r.Delay, 800*time.Millisecond)
	r.MaxDelay = cmp.Or(r.MaxDelay, time.Minute)
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
	passing := []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
	return slices.Contains(passing, e.Status) && e.Header.Get("X-Should-Retry") != "false"
}

func (c *Client) policy(ctx context.Context) again.Policy {
	r := c.options.Retry
	return again.Policy{
		Max: r.Max, Delay: r.Delay, MaxDelay: r.MaxDelay, If: r.If,
		Asked: func(err error) time.Duration {
			if refusal, ok := errors.AsType[*Error](err); ok {
				return refusal.RetryAfter
			}
			return 0
		},
		Wait: func(wait time.Duration, cause error) {
			if t := c.options.Trace; t != nil && t.Wait != nil {
				t.Wait(ctx, wait, cause)
			}
		},
	}
}
