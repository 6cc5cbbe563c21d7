package policy_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/policy"
)

// far is the deployment that gets copies: it answers after a time, and notes who asked.
type far struct {
	llm.Unimplemented
	takes  time.Duration
	err    error
	panics bool

	mu     sync.Mutex
	asked  []string
	ended  int
	callID string
}

type callKey struct{}

func (f *far) answer(ctx context.Context, model string) error {
	f.mu.Lock()
	f.asked = append(f.asked, model)
	f.callID, _ = ctx.Value(callKey{}).(string)
	f.mu.Unlock()
	if f.panics {
		panic("broken")
	}
	if f.takes > 0 {
		select {
		case <-time.After(f.takes):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	f.ended++
	f.mu.Unlock()
	return f.err
}

func (f *far) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		if err := f.answer(ctx, r.Model); err != nil {
			yield(nil, err)
			return
		}
		yield(&llm.Reply{}, nil)
	}
}

func (f *far) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	return f.Chat(ctx, &llm.ChatRequest{Envelope: llm.Envelope{Model: r.Model}})
}

func (f *far) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	return &llm.EmbedReply{}, f.answer(ctx, r.Model)
}

// results counts how copies ended.
type results struct {
	mu sync.Mutex
	of map[policy.MirrorResult]int
}

func (r *results) counted(of policy.MirrorResult) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		r.of = map[policy.MirrorResult]int{}
	}
	r.of[of]++
}

func mirror(f *far, r *results, change func(*policy.MirrorOptions)) *policy.Mirror {
	o := policy.MirrorOptions{
		To: llm.ModelInfo{Deployment: "far", Operations: all}, Share: 1, Backend: f, Most: 4, Time: time.Minute, Seed: 1, Counted: r.counted,
	}
	if change != nil {
		change(&o)
	}
	return policy.NewMirror(o)
}

func chatOf(model string) *llm.ChatRequest {
	return &llm.ChatRequest{Envelope: llm.Envelope{Model: model}}
}

func TestACopyNeitherDelaysNorChangesTheAnswer(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*far{
		"a slow one": {takes: 30 * time.Second}, "one that hangs": {takes: time.Hour}, "one that fails": {err: errors.New("no")}, "one that panics": {panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := mirror(f, &results{}, nil)
				defer m.Close()
				near := &model{pieces: 3, usage: &llm.Usage{Prompt: 1, Completion: 3}}
				want, err := near.Chat(t.Context(), chatOf("d")).Collect()
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				got, err := m.Policy(near).Chat(t.Context(), chatOf("d")).Collect()
				if took := time.Since(start); err != nil || took != 3*time.Second {
					t.Errorf("it took %s: %v", took, err)
				}
				if d := cmp.Diff(want.Choices[0].Parts[0].(llm.Text).String(), got.Choices[0].Parts[0].(llm.Text).String()); d != "" || !cmp.Equal(want.Usage, got.Usage) || !cmp.Equal(want.Meta, got.Meta) {
					t.Errorf("another answer: %s", d)
				}
			})
		})
	}
}

func TestACopyLivesOnWhenItsCallerLeavesAndNoLongerThanItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, r := &far{takes: 10 * time.Second}, &results{}
		m := mirror(f, r, nil)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), callKey{}, "call-1"))
		for _, err := range m.Policy(&model{pieces: 5}).Chat(ctx, chatOf("d")) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		cancel()
		time.Sleep(20 * time.Second)
		m.Close()
		if f.ended != 1 || f.callID != "call-1" || r.of[policy.MirrorAnswered] != 1 {
			t.Errorf("ended %d, call %q, %v", f.ended, f.callID, r.of)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f, r := &far{takes: time.Hour}, &results{}
		m := mirror(f, r, nil)
		_, _ = m.Policy(&model{pieces: 1}).Complete(t.Context(), &llm.CompleteRequest{Envelope: llm.Envelope{Model: "d"}}).Collect()
		start := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		if time.Since(start) != time.Minute || r.of[policy.MirrorFailed] != 1 {
			t.Errorf("results are %v", r.of)
		}
		m.Close()
	})
}

func TestCopiesAreDroppedWhileTooManyAreUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, r := &far{takes: 10 * time.Second}, &results{}
		m := mirror(f, r, nil)
		b := m.Policy(&model{})
		ask := func(times int) {
			for range times {
				_, _ = b.Embed(t.Context(), &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}})
			}
			synctest.Wait()
		}
		ask(10)
		time.Sleep(11 * time.Second)
		ask(3)
		m.Close()
		ask(3)
		want := map[policy.MirrorResult]int{policy.MirrorAnswered: 4, policy.MirrorDropped: 6, policy.MirrorFailed: 3} // ended by Close
		if d := cmp.Diff(want, r.of); d != "" {
			t.Error(d)
		}
	})
}

func TestCopiesHoldNoMoreThanTheirMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, r := &far{takes: 10 * time.Second}, &results{}
		m := mirror(f, r, func(o *policy.MirrorOptions) { o.Memory = 100 })
		b := m.Policy(&model{})
		ask := func(bytes int) {
			req := &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}}
			req.SetSource(llm.WireInference, make([]byte, bytes), nil)
			_, _ = b.Embed(t.Context(), req)
		}
		ask(60)
		ask(60) // one too many
		ask(40)
		time.Sleep(11 * time.Second)
		ask(100)
		ask(101) // more than there is ever room for
		time.Sleep(11 * time.Second)
		m.Close()
		want := map[policy.MirrorResult]int{policy.MirrorAnswered: 3, policy.MirrorDropped: 2}
		if d := cmp.Diff(want, r.of); d != "" {
			t.Error(d)
		}
	})
}

func TestOnlyWhatTheOtherCanDoAndWasNotAskedIsCopied(t *testing.T) {
	t.Parallel()
	f, r := &far{}, &results{}
	m := mirror(f, r, func(o *policy.MirrorOptions) { o.To.Operations = []llm.Operation{llm.OpChat} })
	b := m.Policy(&model{})
	_, _ = b.Chat(t.Context(), chatOf("far")).Collect()
	_, _ = b.Embed(t.Context(), &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}})
	_, _ = b.Complete(t.Context(), &llm.CompleteRequest{Envelope: llm.Envelope{Model: "d"}}).Collect()
	_ = b.Chat(t.Context(), chatOf("d")) // nobody ranges over it
	s := b.Chat(t.Context(), chatOf("d"))
	_, _ = s.Collect()
	m.Close()
	if d := cmp.Diff([]string{"far"}, f.asked); d != "" {
		t.Error(d)
	}
}

func TestTheShareOfCopiesIsThatOfTheOptions(t *testing.T) {
	t.Parallel()
	const requests = 10_000
	for _, share := range []float64{0, 0.1, 0.5, 1} {
		f, r := &far{}, &results{}
		m := mirror(f, r, func(o *policy.MirrorOptions) { o.Share, o.Most = share, requests })
		b := m.Policy(&far{})
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				for range requests / 10 {
					_, _ = b.Embed(t.Context(), &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}})
				}
			})
		}
		callers.Wait()
		m.Close()
		// Four standard deviations of a binomial distribution.
		bound := 4 * math.Sqrt(requests*share*(1-share))
		if got := float64(len(f.asked)); math.Abs(got-requests*share) > bound {
			t.Errorf("%v of %d were copied for a share of %v", got, requests, share)
		}
	}
}
