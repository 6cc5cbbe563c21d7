package responses

import (
	"bytes"
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/output"
	"github.com/ingot-llm/ingot/internal/llm"
)

// start lets a response come about after its request is answered, and returns what it is before; ctx has the request's values and
// is not cancelled with it.
func (s *Store) start(ctx context.Context, log *slog.Logger, e *entry, a *output.Answer, chat func(context.Context) llm.Stream) ([]byte, error) {
	const pause = 2 * time.Second
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	e.cancel, e.done, e.more = cancel, make(chan struct{}), make(chan struct{})
	a.Queue()
	e.note(a)
	e.publish(a)
	switch {
	case s.running[e.owner] >= s.free():
		cancel()
		return nil, &llm.Error{Kind: llm.Unavailable, RetryAfter: pause, Message: "As many responses come about in the background as may at once. Try again in a moment."}
	case !s.add(e):
		cancel()
		return nil, &llm.Error{Kind: llm.Unavailable, Message: "There is no room to store this response (responses.bytes, responses.entries). Send less, or ask without 'background'."}
	}
	s.running[e.owner]++
	s.jobs.Go(func() {
		s.finish(e, a, run(ctx, log, s, e, a, chat))
		cancel()
	})
	return e.body, nil
}

// free is how many more may come about. A caller who has as many is refused another, so that nobody takes all of them.
func (s *Store) free() int {
	n := s.o.Background
	for _, r := range s.running {
		n -= r
	}
	return n
}

// run reads the answer to its end and returns why it failed.
func run(ctx context.Context, log *slog.Logger, s *Store, e *entry, a *output.Answer, chat func(context.Context) llm.Stream) (failure error) {
	defer func() {
		if p := recover(); p != nil {
			log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("request_id", dialect.RequestID(ctx)), slog.Any("value", p), slog.String("stack", string(debug.Stack())))
			failure = hidden(ctx)
		}
	}()
	for _, err := range chat(ctx) {
		if e := llm.AsError(err); err != nil && e.Kind == llm.Internal && e.Backend == "" {
			log.LogAttrs(ctx, slog.LevelError, "internal error", slog.String("request_id", dialect.RequestID(ctx)), slog.Any("error", err))
			return hidden(ctx)
		} else if err != nil {
			return err
		}
		if !s.progress(e, a) {
			return &llm.Error{Kind: llm.Canceled, Message: "The response was forgotten."}
		}
	}
	return nil
}

// hidden is what a caller may see of what is wrong with us.
func hidden(ctx context.Context) error {
	return &llm.Error{Kind: llm.Internal, Message: "Internal error. The log has more under the id " + dialect.RequestID(ctx) + "."}
}

// progress notes what has come about and reports whether it is still wanted.
func (s *Store) progress(e *entry, a *output.Answer) bool {
	const step = 64 << 10 // bytes that need not be counted at once
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.status != a.Status() {
		e.note(a)
	}
	before := e.told
	e.publish(a)
	e.pending += e.told - before + int64(a.Size()) - e.said
	e.said = int64(a.Size())
	if e.pending < step {
		return e.place != nil
	}
	e.pending = 0
	return s.weigh(e)
}

// publish moves the events of a to the entry.
func (e *entry) publish(a *output.Answer) {
	events := a.Flush(nil)
	if len(events) == 0 {
		return
	}
	for event := range bytes.SplitAfterSeq(events, []byte("\n\n")) {
		if len(event) > 0 {
			e.events = append(e.events, event)
		}
	}
	e.told += int64(len(events))
	e.tell()
}

// finish notes how a response in the background ended.
func (s *Store) finish(e *entry, a *output.Answer, failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(e.done)
	if s.running[e.owner]--; s.running[e.owner] == 0 {
		delete(s.running, e.owner)
	}
	if e.place == nil { // nobody is told how
		return
	}
	switch {
	case e.canceled:
		a.Cancel()
	case failure != nil:
		a.Fail(llm.AsError(failure))
	default:
		a.End()
	}
	e.note(a)
	e.publish(a)
	e.tell()
	e.since = time.Now()
	s.byAge.MoveToBack(e.place)
	s.weigh(e)
}

// stop cancels a response, waits until it has ended, and returns how.
func (s *Store) stop(ctx context.Context, e *entry) (body []byte, ended bool) {
	s.mu.Lock()
	if !e.ended() {
		e.canceled = true
		e.cancel()
	}
	s.mu.Unlock()
	select {
	case <-e.done:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.body, e.ended()
}

// follow is a stream of a fragment for each time that there are events after the first so many; next returns them.
func (s *Store) follow(ctx context.Context, e *entry, from int) (fragments llm.Stream, next func() [][]byte) {
	var fresh [][]byte
	return func(yield func(*llm.Reply, error) bool) {
		for first := true; ; first = false {
			s.mu.Lock()
			fresh, from = e.events[min(from, len(e.events)):], max(from, len(e.events))
			ended, forgotten, more := e.ended(), e.place == nil, e.more
			s.mu.Unlock()
			if (first || len(fresh) > 0) && !yield(&llm.Reply{}, nil) || ended {
				return
			}
			if forgotten {
				yield(nil, &llm.Error{Kind: llm.Upstream, Code: llm.CodeCut, Message: "The response was forgotten."})
				return
			}
			select {
			case <-more:
			case <-ctx.Done():
				yield(nil, ctx.Err())
				return
			}
		}
	}, func() [][]byte { return fresh }
}
