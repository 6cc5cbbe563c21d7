package policy_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/limit"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/policy"
)

func broken(context.Context, int, int, ...llm.Quota) (llm.Grant, error) {
	return llm.Grant{}, errors.New("no connection")
}

func unlimited(context.Context, int, int, ...llm.Quota) (llm.Grant, error) {
	return llm.Grant{Settle: func(context.Context, llm.Usage) {}}, nil
}

// book is a counter that answers as told and writes down what it was asked for and what was settled.
type book struct {
	grant llm.Grant
	lines []string
}

func (b *book) reserve(_ context.Context, least, most int, quotas ...llm.Quota) (llm.Grant, error) {
	tokens := strconv.Itoa(most)
	if least != most {
		tokens = strconv.Itoa(least) + " to " + tokens
	}
	b.lines = append(b.lines, fmt.Sprint("reserve ", tokens, " ", quotas))
	g := b.grant
	if g.Wait == 0 {
		g.Settle = func(ctx context.Context, u llm.Usage) {
			line := fmt.Sprintf("settle %d+%d", u.Prompt, u.Completion)
			if u.Estimated {
				line += " estimated"
			}
			if ctx.Err() != nil {
				line += " too late"
			}
			b.lines = append(b.lines, line)
		}
	}
	return g, nil
}

func (b *book) over(m llm.Backend, models ...llm.ModelInfo) llm.Backend {
	return policy.Limit(b.reserve, models)(m)
}

func TestRequestsOverALimitAreRefusedWithTheTimeToWait(t *testing.T) {
	t.Parallel()
	key := llm.Quota{Holder: "key alice", Requests: 2, Tokens: 50}
	for _, op := range all {
		for _, c := range []struct {
			wait time.Duration
			lack string
			by   llm.Quota
			kind llm.Kind
			want string
		}{
			{50 * time.Second, llm.CodeRequests, key, llm.RateLimited, "Rate limit is exceeded. Try again in 50 seconds. The limit of the key is 2 requests a minute."},
			{42100 * time.Millisecond, llm.CodeTokens, key, llm.RateLimited, "Rate limit is exceeded. Try again in 43 seconds. The limit of the key is 50 tokens a minute."},
			{time.Millisecond, llm.CodeTokens, llm.Quota{Holder: "deployment d", Tokens: 9}, llm.RateLimited, "Rate limit is exceeded. Try again in 1 seconds. The limit of the deployment is 9 tokens a minute."},
			{-1, llm.CodeTokens, llm.Quota{Holder: "deployment d", Tokens: 2}, llm.OverBudget, "tokens, and the limit of the deployment is 2 a minute: send less at once."},
		} {
			left := llm.Limits{Requests: llm.Allowance{Limit: 2, Reset: time.Second}}
			m, counter := &model{}, &book{grant: llm.Grant{Wait: c.wait, Lack: c.lack, By: c.by, Limits: left}}
			err := ask(t.Context(), counter.over(m), op, envelope(2), 0)
			if err == nil {
				t.Errorf("%s: it is answered", op)
				continue
			}
			e := llm.AsError(err)
			if !strings.HasSuffix(e.Message, c.want) || e.Kind != c.kind || e.RetryAfter != max(c.wait, 0) || e.Code != c.lack || e.Meta.Limits != left || e.Meta.Deployment != "d" {
				t.Errorf("%s: got %+v, want %q", op, e, c.want)
			}
			if m.calls != 0 || len(counter.lines) != 1 {
				t.Errorf("%s: the model was asked %d times, the counter %q", op, m.calls, counter.lines)
			}
		}
	}
}

func TestACounterThatFailsLetsNobodyPast(t *testing.T) {
	t.Parallel()
	for _, op := range all {
		m := &model{}
		err := ask(t.Context(), policy.Limit(broken, nil)(m), op, envelope(1), 0)
		if e := llm.AsError(err); err == nil || e.Kind != llm.Internal || m.calls != 0 {
			t.Errorf("%s: got %v after %d calls", op, err, m.calls)
		}
	}
}

func TestEveryRequestIsSettledHoweverItEnds(t *testing.T) {
	t.Parallel()
	usage, spent := &llm.Usage{Prompt: 7, Completion: 5}, &llm.Usage{Prompt: 7, Completion: 2}
	for _, c := range []struct {
		name    string
		model   model
		embeds  bool // it is about embeddings too
		leave   int
		hangsUp bool
		want    string // what is settled
		guessed bool   // the prompt is estimated: a message takes four tokens, too
	}{
		{name: "the end tells", model: model{pieces: 3, usage: usage, spent: spent}, embeds: true, want: "settle 7+5"},
		{name: "nothing was told", model: model{pieces: 3}, want: "settle 7+8 estimated", guessed: true},
		{name: "the caller leaves", model: model{pieces: 3, usage: usage, spent: spent}, leave: 3, want: "settle 7+2"},
		{name: "the caller leaves and nothing was told", model: model{pieces: 3, usage: usage}, leave: 3, want: "settle 7+5 estimated", guessed: true},
		{name: "the caller hangs up before it begins", model: model{pieces: 3, usage: usage}, embeds: true, hangsUp: true, want: "settle 7+0 estimated", guessed: true},
		{name: "it fails in the middle", model: model{pieces: 2, spent: spent, err: errors.New("cut")}, want: "settle 7+2"},
		{name: "only the answer is counted", model: model{pieces: 2, spent: &llm.Usage{Completion: 4}, err: errors.New("cut")}, want: "settle 7+4 estimated", guessed: true},
		{name: "it panics", model: model{pieces: 2, spent: spent, panics: true}, want: "settle 7+2"},
		{name: "it fails at once", model: model{failsFirst: true, err: errors.New("busy")}, embeds: true, want: "settle 0+0"},
	} {
		for _, op := range all {
			if op == llm.OpEmbed && !c.embeds {
				continue
			}
			t.Run(c.name+" "+string(op), func(t *testing.T) {
				t.Parallel()
				counter, m := &book{}, c.model
				e := envelope(0)
				e.Caller.TokensPerMinute = 1000
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				m.quick = true
				if c.hangsUp {
					m.before = cancel
				}
				func() {
					defer func() { _ = recover() }()
					_ = ask(ctx, counter.over(&m), op, e, c.leave)
				}()
				want := c.want
				if c.guessed && op != llm.OpChat {
					want = strings.Replace(want, "settle 7+", "settle 3+", 1)
				}
				if len(counter.lines) != 2 || counter.lines[1] != want {
					t.Errorf("got %q, want %q", counter.lines, want)
				}
			})
		}
	}
}

func TestTheFirstFragmentAndErrorsTellWhatIsLeft(t *testing.T) {
	t.Parallel()
	ours := llm.Limits{Tokens: llm.Allowance{Limit: 100, Remaining: 40, Reset: time.Minute}}
	counter := &book{grant: llm.Grant{Limits: ours}}
	e := envelope(5)
	for _, op := range all {
		m := &model{pieces: 2, quick: true, usage: &llm.Usage{}}
		var metas []llm.Meta
		switch op {
		case llm.OpEmbed:
			r, err := counter.over(m).Embed(t.Context(), &llm.EmbedRequest{Envelope: e})
			if err != nil {
				t.Fatal(err)
			}
			metas = append(metas, r.Meta)
		case llm.OpComplete, llm.OpChat, llm.OpEmbedImages:
			s := counter.over(m).Chat(t.Context(), &llm.ChatRequest{Envelope: e})
			for f, err := range s {
				if err != nil {
					t.Fatal(err)
				}
				metas = append(metas, f.Meta)
			}
		}
		want := llm.Meta{Deployment: "d", Attempts: 2, Dropped: []string{"tools"}, Limits: ours}
		if d := cmp.Diff(want, metas[0]); d != "" {
			t.Errorf("%s (-want +got):\n%s", op, d)
		}
	}
	theirs := llm.Limits{Tokens: llm.Allowance{Limit: 50, Remaining: 1}, Requests: llm.Allowance{Limit: 3, Remaining: 2}}
	failure := &llm.Error{Kind: llm.Upstream, Meta: llm.Meta{Deployment: "d", Limits: theirs}}
	for _, op := range all {
		err := ask(t.Context(), counter.over(&model{failsFirst: true, err: failure}), op, e, 0)
		if got := llm.AsError(err).Meta; got.Limits != theirs || got.Deployment != "d" {
			t.Errorf("%s: the upstream's limits are tighter, got %+v", op, got)
		}
	}
}

func TestWhatIsReservedIsThePromptAndTheLongestAnswer(t *testing.T) {
	t.Parallel()
	say := func(n int) []llm.Message {
		return []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText(strings.Repeat("x", n))}}}
	}
	info := llm.ModelInfo{Deployment: "d", Context: 500, RequestsPerMinute: 6, TokensPerMinute: 300}
	e := envelope(2)
	e.Caller.TokensPerMinute = 400
	both := " [{key alice 2 400} {deployment d 6 300}]"
	text := llm.NewText("12345678")
	for name, c := range map[string]struct {
		ask  func(llm.Backend)
		want string
	}{
		"a chat": {func(b llm.Backend) {
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say(40), Sampling: llm.Sampling{MaxTokens: new(20)}, N: new(3)}).Collect()
		}, "reserve 74" + both},
		"a chat with an image and a tool": {func(b llm.Backend) {
			m := []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.Image{URL: llm.NewText(strings.Repeat("x", 1<<20))}, llm.Audio{Data: llm.NewText(strings.Repeat("x", 4096))}}}}
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{
				Envelope: e, Messages: m, Sampling: llm.Sampling{MaxTokens: new(0)},
				Tools: []llm.Tool{{Name: "look", Description: &text, Parameters: []byte(`{}..`)}},
			}).Collect()
		}, "reserve 1036" + both},
		"no more than the context": {func(b llm.Backend) {
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say(40), Sampling: llm.Sampling{MaxTokens: new(1 << 62)}}).Collect()
		}, "reserve 514" + both},
		"no overflow": {func(b llm.Backend) {
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say(40), Sampling: llm.Sampling{MaxTokens: new(1 << 62)}, N: new(1 << 62)}).Collect()
		}, "reserve 1073741838" + both},
		"an answer of no given length": {func(b llm.Backend) {
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say(40)}).Collect()
		}, "reserve 15 to 500" + both},
		"a prompt that is too long, and no given length": {func(b llm.Backend) {
			_, _ = b.Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say(4000)}).Collect()
		}, "reserve 1005" + both},
		"texts": {func(b llm.Backend) {
			r := &llm.CompleteRequest{Envelope: e, Prompts: []llm.Input{text, llm.Tokens{1, 2, 3}}, Sampling: llm.Sampling{MaxTokens: new(10)}, N: new(2), BestOf: new(4), Suffix: new("abcd")}
			_, _ = b.Complete(t.Context(), r).Collect()
		}, "reserve 86" + both},
		"embeddings": {func(b llm.Backend) {
			_, _ = b.Embed(t.Context(), &llm.EmbedRequest{Envelope: e, Items: []llm.Input{text, llm.Tokens{1, 2, 3}}})
		}, "reserve 5" + both},
		"images": {func(b llm.Backend) {
			_, _ = b.Embed(t.Context(), &llm.EmbedRequest{Envelope: e, Items: []llm.Input{llm.Picture{}, llm.Picture{Text: &text}}})
		}, "reserve 2050" + both},
	} {
		counter := &book{}
		c.ask(counter.over(&model{quick: true, pieces: 1}, info))
		if counter.lines[0] != c.want {
			t.Errorf("%s: got %q, want %q", name, counter.lines[0], c.want)
		}
	}
}

func TestWhereNothingIsLimitedNothingIsCounted(t *testing.T) {
	t.Parallel()
	for _, op := range all {
		counter, m := &book{}, &model{quick: true, pieces: 1}
		if err := ask(t.Context(), counter.over(m, llm.ModelInfo{Deployment: "other", TokensPerMinute: 1}), op, envelope(0), 0); err != nil {
			t.Error(err)
		}
		if m.calls != 1 || counter.lines != nil {
			t.Errorf("%s: the model was asked %d times, the counter %q", op, m.calls, counter.lines)
		}
	}
}

// spender uses 3 tokens for a prompt and 2 for each of four fragments, and notes what it used. Every fifth request fails.
type spender struct {
	llm.Unimplemented

	requests, used *atomic.Int64
}

func (s spender) Chat(ctx context.Context, _ *llm.ChatRequest) llm.Stream { return s.stream(ctx) }

func (s spender) Complete(ctx context.Context, _ *llm.CompleteRequest) llm.Stream {
	return s.stream(ctx)
}

func (s spender) Embed(ctx context.Context, _ *llm.EmbedRequest) (*llm.EmbedReply, error) {
	s.requests.Add(1)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.used.Add(3)
	return &llm.EmbedReply{Usage: &llm.Usage{Prompt: 3}}, nil
}

func (s spender) stream(ctx context.Context) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		n := s.requests.Add(1)
		const prompt, piece, pieces = 3, 2, 4
		for i := 1; i <= pieces; i++ {
			u := &llm.Usage{Prompt: prompt, Completion: i * piece}
			if i == 1 {
				s.used.Add(prompt)
			}
			s.used.Add(piece)
			f := &llm.Reply{Spent: u}
			if i == pieces {
				f = &llm.Reply{Usage: u}
			}
			if !yield(f, nil) {
				return
			}
			if n%5 == 0 && i == 2 || ctx.Err() != nil {
				yield(nil, errors.New("cut"))
				return
			}
		}
	}
}

// Some answers end, some callers leave early, some hang up at once, and some requests fail.
func TestWhatIsCountedIsWhatWasUsedWhoeverComesAtOnce(t *testing.T) {
	t.Parallel()
	const most, workers, rounds = 100_000, 16, 40
	var counter limit.Memory
	var requests, used atomic.Int64
	info := llm.ModelInfo{Deployment: "d", TokensPerMinute: most, RequestsPerMinute: workers * rounds / 2}
	b := policy.Limit(counter.Reserve, []llm.ModelInfo{info})(spender{requests: &requests, used: &used})
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for i := range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				leave := 0
				switch (worker + i) % 4 {
				case 1:
					leave = 1 + i%3
				case 2:
					cancel()
				}
				e := envelope(0)
				e.Caller.TokensPerMinute = most
				_ = ask(ctx, b, all[i%len(all)], e, leave)
				cancel()
			}
		})
	}
	group.Wait()
	if n := requests.Load(); n != workers*rounds/2 {
		t.Errorf("%d requests went through, the limit is %d", n, workers*rounds/2)
	}
	for _, holder := range []string{"deployment d", "key alice"} {
		g, err := counter.Reserve(t.Context(), 0, 0, llm.Quota{Holder: holder, Tokens: most})
		if err != nil {
			t.Fatal(err)
		}
		if counted := most - g.Limits.Tokens.Remaining; counted == 0 || int64(counted) != used.Load() {
			t.Errorf("of the %s %d tokens are counted, %d were used", holder, counted, used.Load())
		}
	}
}

func TestWhatNoMinuteHasRoomForIsToldWithTheFix(t *testing.T) {
	t.Parallel()
	counter := &book{grant: llm.Grant{Wait: -1, Lack: llm.CodeTokens, By: llm.Quota{Holder: "key alice", Tokens: 10}}}
	e := envelope(0)
	e.Caller.TokensPerMinute = 10
	say := []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText(strings.Repeat("x", 40))}}}
	_, err := counter.over(&model{}).Chat(t.Context(), &llm.ChatRequest{Envelope: e, Messages: say, Sampling: llm.Sampling{MaxTokens: new(20)}}).Collect()
	const want = "The request may take 34 tokens, and the limit of the key is 10 a minute: 14 of them are for the prompt and the rest for the answer, so ask for a shorter one (max_tokens) or send less."
	if err == nil || llm.AsError(err).Message != want {
		t.Errorf("got %v", err)
	}
}
