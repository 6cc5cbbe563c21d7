// Package policy holds what happens to every request between a door and the router, one
// concern a file. Each policy answers all operations itself, so that none gets past it.
package policy

import (
	"context"
	"errors"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Observer is told about every request, however it ends; see Trace and Meter.
type Observer func(context.Context, *outcome)

// Observe tells observers, in their order, about every request.
func Observe(observers ...Observer) llm.Policy {
	return func(next llm.Backend) llm.Backend { return &observer{next, observers} }
}

type observer struct {
	next      llm.Backend
	observers []Observer
}

var _ llm.Backend = (*observer)(nil)

// outcome is what can be told of a request that ended.
type outcome struct {
	op     llm.Operation
	env    *llm.Envelope
	start  time.Time
	took   time.Duration
	first  time.Duration // until the answer began; 0: it did not, or is an embedding
	pieces int           // fragments since then
	meta   llm.Meta
	usage  llm.Usage  // the last one told
	err    *llm.Error // nil: success
}

func (o *observer) Chat(ctx context.Context, req *llm.ChatRequest) llm.Stream {
	return o.stream(ctx, llm.OpChat, &req.Envelope, o.next.Chat(ctx, req))
}

func (o *observer) Complete(ctx context.Context, req *llm.CompleteRequest) llm.Stream {
	return o.stream(ctx, llm.OpComplete, &req.Envelope, o.next.Complete(ctx, req))
}

func (o *observer) Embed(ctx context.Context, req *llm.EmbedRequest) (reply *llm.EmbedReply, err error) {
	w := watch{outcome: outcome{op: req.Operation(), env: &req.Envelope, start: time.Now()}}
	defer func() { o.tell(ctx, w.end()) }()
	reply, err = o.next.Embed(ctx, req)
	switch {
	case err != nil:
		w.fail(err)
	default:
		w.meta = reply.Meta
		if reply.Usage != nil {
			w.usage = *reply.Usage
		}
	}
	w.returned = true
	return reply, err
}

func (o *observer) tell(ctx context.Context, out *outcome) {
	for _, observe := range o.observers {
		observe(ctx, out)
	}
}

func (o *observer) Models(ctx context.Context) ([]llm.ModelInfo, error) { return o.next.Models(ctx) }

func (o *observer) stream(ctx context.Context, op llm.Operation, env *llm.Envelope, s llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		w := &watch{outcome: outcome{op: op, env: env, start: time.Now()}, yield: yield}
		defer func() { o.tell(ctx, w.end()) }()
		s(w.fragment)
		w.returned = true
	}
}

// watch passes a stream on and notes what it sees.
type watch struct {
	outcome
	yield    func(*llm.Reply, error) bool
	seen     bool // a fragment
	complete bool // the last fragment was there
	left     bool // the caller wanted no more
	returned bool // nobody panicked
}

func (w *watch) fragment(f *llm.Reply, err error) bool {
	if err != nil {
		w.fail(err)
		w.yield(nil, err)
		return false
	}
	if !w.seen {
		w.seen, w.meta = true, f.Meta
	}
	switch {
	case w.pieces > 0:
		w.pieces++
	case f.Begins():
		w.pieces, w.first = 1, time.Since(w.start)
	}
	switch {
	case f.Usage != nil:
		w.usage, w.complete = *f.Usage, true
	case f.Spent != nil:
		w.usage = *f.Spent
	}
	w.left = !w.yield(f, nil)
	return !w.left
}

func (w *watch) fail(err error) {
	w.err = llm.AsError(err)
	if w.meta.Deployment == "" {
		w.meta = w.err.Meta
	}
}

func (w *watch) end() *outcome {
	w.took = time.Since(w.start)
	switch {
	case w.err != nil:
	case w.left && !w.complete:
		w.err = &llm.Error{Kind: llm.Canceled, Message: "The caller left."}
	case !w.left && !w.returned:
		w.err = &llm.Error{Kind: llm.Internal, Message: "Internal error.", Err: errors.New("panic")}
	}
	return &w.outcome
}

// perToken is the time from token to token after the first, 0 where that cannot be told: an
// answer that came as a whole has no pace.
func (o *outcome) perToken() time.Duration {
	if o.pieces < 2 || o.usage.Completion < 2 || o.usage.Estimated {
		return 0
	}
	return (o.took - o.first) / time.Duration(o.usage.Completion-1)
}

// errorType names what went wrong in metrics and logs, empty for success.
func (o *outcome) errorType() string {
	if o.err == nil {
		return ""
	}
	return o.err.Kind.String()
}
