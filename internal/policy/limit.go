package policy

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Counter takes one request out of every quota, and as many tokens as all of them have, most at most; or nothing at all
// where one has less than least. It outlives a
// reload of the configuration and is called concurrently.
type Counter func(ctx context.Context, least, most int, quotas ...llm.Quota) (llm.Grant, error)

// Limit refuses requests beyond what their key and their deployment may be asked in a minute. Before a
// request goes on, tokens are reserved for its prompt and for the longest answer that it allows; when it
// ends, in whichever way, what it did not use is given back. Where the counter fails, so does the request.
func Limit(count Counter, models []llm.ModelInfo) llm.Policy {
	known := map[string]*llm.ModelInfo{}
	for i := range models {
		known[models[i].Deployment] = &models[i]
	}
	return func(next llm.Backend) llm.Backend { return &limiter{next: next, count: count, models: known} }
}

type limiter struct {
	next   llm.Backend
	count  Counter
	models map[string]*llm.ModelInfo
}

var _ llm.Backend = (*limiter)(nil)

func (l *limiter) Chat(ctx context.Context, req *llm.ChatRequest) llm.Stream {
	s, quotas := l.next.Chat(ctx, req), l.quotas(&req.Envelope)
	if len(quotas) == 0 {
		return s
	}
	return l.stream(ctx, req.Model, quotas, claimOfChat(req, l.context(req.Model)), s)
}

func (l *limiter) Complete(ctx context.Context, req *llm.CompleteRequest) llm.Stream {
	s, quotas := l.next.Complete(ctx, req), l.quotas(&req.Envelope)
	if len(quotas) == 0 {
		return s
	}
	return l.stream(ctx, req.Model, quotas, claimOfComplete(req, l.context(req.Model)), s)
}

func (l *limiter) Embed(ctx context.Context, req *llm.EmbedRequest) (reply *llm.EmbedReply, err error) {
	quotas := l.quotas(&req.Envelope)
	if len(quotas) == 0 {
		return l.next.Embed(ctx, req)
	}
	c := claim{prompt: inputTokens(req.Items)}
	g, err := l.reserve(ctx, req.Model, quotas, c)
	if err != nil {
		return nil, err
	}
	use := llm.Usage{}
	defer func() { g.Settle(context.WithoutCancel(ctx), use) }()
	reply, err = l.next.Embed(ctx, req)
	switch {
	case err == nil && reply.Usage != nil:
		use = *reply.Usage
	case err == nil || ctx.Err() != nil:
		use = llm.Usage{Prompt: c.prompt, Estimated: true}
	}
	if err != nil {
		return nil, limited(err, g.Limits)
	}
	told := *reply
	told.Meta.Limits = told.Meta.Limits.Tighter(g.Limits)
	return &told, nil
}

// Models is no request to a model and not counted.
func (l *limiter) Models(ctx context.Context) ([]llm.ModelInfo, error) { return l.next.Models(ctx) }

// context is how long one of a deployment may be, in tokens; 0: unknown.
func (l *limiter) context(deployment string) int {
	if m := l.models[deployment]; m != nil {
		return m.Context
	}
	return 0
}

// stream counts a stream.
func (l *limiter) stream(ctx context.Context, deployment string, quotas []llm.Quota, c claim, s llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		g, err := l.reserve(ctx, deployment, quotas, c)
		if err != nil {
			yield(nil, err)
			return
		}
		t := tally{claim: c, limits: g.Limits, yield: yield}
		defer func() { g.Settle(context.WithoutCancel(ctx), t.used(ctx)) }()
		s(t.fragment)
	}
}

// quotas are those that a request counts against; none where nothing limits it.
func (l *limiter) quotas(e *llm.Envelope) (quotas []llm.Quota) {
	if c := &e.Caller; c.RequestsPerMinute > 0 || c.TokensPerMinute > 0 {
		quotas = append(quotas, llm.Quota{Holder: ofKey + c.Name, Requests: c.RequestsPerMinute, Tokens: c.TokensPerMinute})
	}
	if m := l.models[e.Model]; m != nil && (m.RequestsPerMinute > 0 || m.TokensPerMinute > 0) {
		quotas = append(quotas, llm.Quota{Holder: ofDeployment + e.Model, Requests: m.RequestsPerMinute, Tokens: m.TokensPerMinute})
	}
	return quotas
}

// What the names of holders begin with, so that a key and a deployment of one name are two.
const (
	ofKey        = "key "
	ofDeployment = "deployment "
)

func (l *limiter) reserve(ctx context.Context, deployment string, quotas []llm.Quota, c claim) (llm.Grant, error) {
	least := c.total()
	if !c.said { // nobody asked for that much: it must not keep the request from being answered at all
		least = c.prompt + min(c.answer, 1)
	}
	g, err := l.count(ctx, least, c.total(), quotas...)
	meta := llm.Meta{Deployment: deployment, Limits: g.Limits}
	switch {
	case err != nil:
		return g, llm.AsError(fmt.Errorf("count request: %w", err))
	case g.Wait == 0:
		return g, nil
	case g.Wait < 0:
		of := "send less at once"
		if c.said && c.answer > 0 {
			of = fmt.Sprintf("%d of them are for the prompt and the rest for the answer, so ask for a shorter one (max_tokens) or send less", c.prompt)
		}
		return g, &llm.Error{
			Kind: llm.OverBudget, Code: g.Lack, Meta: meta,
			Message: fmt.Sprintf("The request may take %d tokens, and the limit of the %s is %d a minute: %s.", least, holder(g.By), g.By.Tokens, of),
		}
	}
	most := g.By.Requests
	if g.Lack == llm.CodeTokens {
		most = g.By.Tokens
	}
	return g, &llm.Error{
		Kind: llm.RateLimited, Code: g.Lack, Meta: meta, RetryAfter: g.Wait,
		Message: fmt.Sprintf("Rate limit is exceeded. Try again in %.0f seconds. The limit of the %s is %d %s a minute.",
			max(1, math.Ceil(g.Wait.Seconds())), holder(g.By), most, g.Lack),
	}
}

// holder says whose limit it is. A key's name is the operator's word for a caller and not told.
func holder(q llm.Quota) string {
	if strings.HasPrefix(q.Holder, ofKey) {
		return "key"
	}
	return "deployment"
}

// limited adds to an error what is left.
func limited(err error, left llm.Limits) error {
	e := *llm.AsError(err)
	e.Meta.Limits = e.Meta.Limits.Tighter(left)
	return &e
}

// tally passes a stream on and notes what it used.
type tally struct {
	claim
	limits    llm.Limits
	yield     func(*llm.Reply, error) bool
	seen      bool // a fragment
	told      bool
	usage     llm.Usage // that the answer told
	forwarded int       // bytes of the answer
}

func (t *tally) fragment(f *llm.Reply, err error) bool {
	if err != nil {
		t.yield(nil, limited(err, t.limits))
		return false
	}
	if !t.seen {
		f.Meta.Limits = f.Meta.Limits.Tighter(t.limits) // the router's own copy (see route)
		t.seen = true
	}
	switch {
	case f.Usage != nil:
		t.told, t.usage = true, *f.Usage
	case f.Spent != nil:
		t.told, t.usage = true, *f.Spent
	}
	t.forwarded += replySize(f)
	return t.yield(f, nil)
}

// used is what the answer told of itself, else what can be told of it: nothing where it failed before
// it began, the prompt where the caller left first.
func (t *tally) used(ctx context.Context) llm.Usage {
	switch {
	case t.told && t.usage.Prompt > 0:
		return t.usage
	case t.told:
		u := t.usage
		u.Prompt, u.Estimated = t.prompt, true
		return u
	case t.seen || ctx.Err() != nil:
		return llm.Usage{Prompt: t.prompt, Completion: tokens(t.forwarded), Estimated: true}
	}
	return llm.Usage{}
}
