package policy

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Counter counts one more request of a caller who may make so many a minute. Where that is
// one too many it is not counted, and wait says how long until the next may come. It outlives
// a reload of the configuration and is called concurrently.
type Counter func(ctx context.Context, caller string, perMinute int) (wait time.Duration, err error)

// Limit refuses the requests of callers who make more of them than they may. Where the
// counter fails, so does the request.
func Limit(c Counter) llm.Policy {
	return func(next llm.Backend) llm.Backend { return &limiter{next: next, count: c} }
}

type limiter struct {
	next  llm.Backend
	count Counter
}

var _ llm.Backend = (*limiter)(nil)

func (l *limiter) Chat(ctx context.Context, req *llm.ChatRequest) llm.Stream {
	return l.stream(ctx, req.Caller, l.next.Chat(ctx, req))
}

func (l *limiter) Complete(ctx context.Context, req *llm.CompleteRequest) llm.Stream {
	return l.stream(ctx, req.Caller, l.next.Complete(ctx, req))
}

func (l *limiter) Embed(ctx context.Context, req *llm.EmbedRequest) (*llm.EmbedReply, error) {
	if err := l.take(ctx, req.Caller); err != nil {
		return nil, err
	}
	return l.next.Embed(ctx, req)
}

// Models is no request to a model and not counted.
func (l *limiter) Models(ctx context.Context) ([]llm.ModelInfo, error) { return l.next.Models(ctx) }

func (l *limiter) stream(ctx context.Context, who llm.Caller, s llm.Stream) llm.Stream {
	if who.RequestsPerMinute <= 0 {
		return s
	}
	return func(yield func(*llm.Reply, error) bool) {
		if err := l.take(ctx, who); err != nil {
			yield(nil, err)
			return
		}
		s(yield)
	}
}

func (l *limiter) take(ctx context.Context, who llm.Caller) error {
	if who.RequestsPerMinute <= 0 {
		return nil
	}
	wait, err := l.count(ctx, who.Name, who.RequestsPerMinute)
	if err != nil {
		return llm.AsError(fmt.Errorf("count request: %w", err))
	}
	if wait <= 0 {
		return nil
	}
	seconds := max(1, math.Ceil(wait.Seconds()))
	return &llm.Error{
		Kind:       llm.RateLimited,
		Message:    fmt.Sprintf("Rate limit is exceeded. Try again in %.0f seconds.", seconds),
		RetryAfter: wait,
	}
}
