// Package limit counts requests and tokens by the minute, for keys and for deployments.
package limit

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// window is the time in which a limit holds, whenever it begins.
const window = time.Minute

// Memory counts in this process. It is exact: in no minute are more requests granted than a quota has.
// Nor are more tokens used, as far as no request uses more than it reserved: a reservation holds from
// the grant until it is settled, and what was used then counts for a minute. Where more was used, it is
// counted in full, and those who follow wait for it. The zero value is ready, for concurrent use.
type Memory struct {
	mu      sync.Mutex // guards all below
	began   time.Time  // with the first request; times are counted from it, in lists of which the garbage collector looks at nothing
	holders map[string]*account
	swept   time.Duration
}

// account is what one holder used in the last minute and holds now. Every list begins with the oldest.
type account struct {
	requests []time.Duration // when they came
	held     []*hold         // by requests that go on
	spent    []spending
	tokens   int // of held and spent
}

type hold struct {
	began  time.Duration
	tokens int
	of     *Memory
	by     []*account // which count it
	room   [2]*account
}

type spending struct {
	at     time.Duration
	tokens int
}

// Reserve takes one request out of every quota, and as many tokens as all of them have, most at most; or nothing
// at all where one has less than least. An error means that nothing could be decided.
func (m *Memory) Reserve(ctx context.Context, least, most int, quotas ...llm.Quota) (llm.Grant, error) {
	if err := ctx.Err(); err != nil {
		return llm.Grant{}, err
	}
	least = max(least, 0)
	tokens := max(most, least)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holders == nil {
		m.holders, m.began = map[string]*account{}, time.Now()
	}
	now := time.Since(m.began) // under the lock, so that times are in order
	m.sweep(now)
	var g llm.Grant
	for _, q := range quotas {
		if q.Tokens > 0 && least > q.Tokens {
			g.Wait, g.Lack, g.By = -1, llm.CodeTokens, q
			break
		}
		a := m.account(q.Holder, now)
		if wait := a.untilRequest(now, q.Requests); wait > g.Wait {
			g.Wait, g.Lack, g.By = wait, llm.CodeRequests, q
		}
		if wait := a.untilTokens(now, least, q.Tokens); wait > g.Wait {
			g.Wait, g.Lack, g.By = wait, llm.CodeTokens, q
		}
		if q.Tokens > 0 {
			tokens = min(tokens, q.Tokens-a.tokens)
		}
	}
	if g.Wait == 0 {
		g.Settle = m.take(now, tokens, quotas)
	}
	for _, q := range quotas {
		g.Limits = g.Limits.Tighter(m.account(q.Holder, now).left(now, q))
	}
	return g, nil
}

// take counts what was granted, and returns what settles it.
func (m *Memory) take(now time.Duration, tokens int, quotas []llm.Quota) func(context.Context, llm.Usage) {
	h := &hold{began: now, tokens: tokens, of: m}
	h.by = h.room[:0]
	for _, q := range quotas {
		a := m.account(q.Holder, now)
		if q.Requests > 0 {
			a.requests = append(a.requests, now)
		}
		if q.Tokens > 0 {
			a.held, a.tokens = append(a.held, h), a.tokens+tokens
			h.by = append(h.by, a)
		}
	}
	return h.settle
}

// settle counts what was used instead of what is held. Whoever settles again changes nothing.
func (h *hold) settle(_ context.Context, u llm.Usage) {
	const most = 1 << 40 // that are believed, so that no sum overflows
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	now := time.Since(h.of.began)
	for _, a := range h.by {
		a.settle(h, spending{now, min(max(u.Prompt, 0), most) + min(max(u.Completion, 0), most)})
	}
	h.by = nil
}

// account finds the account of a holder, or opens one, without what is over.
func (m *Memory) account(holder string, now time.Duration) *account {
	a := m.holders[holder]
	if a == nil {
		a = &account{}
		m.holders[holder] = a
	}
	a.forget(now)
	return a
}

// sweep forgets, once a minute, whoever asked for nothing in the last one.
func (m *Memory) sweep(now time.Duration) {
	if now-m.swept < window {
		return
	}
	m.swept = now
	for holder, a := range m.holders {
		if a.forget(now); len(a.requests)+len(a.held)+len(a.spent) == 0 {
			delete(m.holders, holder)
		}
	}
}

// forget drops what is older than a minute.
func (a *account) forget(now time.Duration) {
	for len(a.requests) > 0 && now-a.requests[0] >= window {
		a.requests = a.requests[1:]
	}
	for len(a.spent) > 0 && now-a.spent[0].at >= window {
		a.tokens -= a.spent[0].tokens
		a.spent = a.spent[1:]
	}
}

func (a *account) settle(h *hold, s spending) {
	i := slices.Index(a.held, h)
	if i < 0 {
		return
	}
	a.held = slices.Delete(a.held, i, i+1)
	a.tokens -= h.tokens
	if s.tokens > 0 {
		a.spent = append(a.spent, s)
		a.tokens += s.tokens
	}
}

// untilRequest is how long until another request is within the limit; 0 where it is now.
func (a *account) untilRequest(now time.Duration, limit int) time.Duration {
	n := len(a.requests)
	if limit <= 0 || n < limit {
		return 0
	}
	return a.requests[n-limit] + window - now
}

// untilTokens is how long until so many more tokens may be within the limit; 0 where they are now. When a
// request will be settled is not known: it is taken to free what it holds a minute after it began, or in
// a second where it goes on for longer.
func (a *account) untilTokens(now time.Duration, tokens, limit int) time.Duration {
	lacking := a.tokens + tokens - limit
	if limit <= 0 || lacking <= 0 {
		return 0
	}
	var wait time.Duration
	spent, held := a.spent, a.held
	for lacking > 0 && len(spent)+len(held) > 0 {
		if len(held) == 0 || len(spent) > 0 && spent[0].at < held[0].began {
			wait = max(wait, spent[0].at+window-now)
			lacking -= spent[0].tokens
			spent = spent[1:]
			continue
		}
		wait = max(wait, held[0].began+window-now, time.Second)
		lacking -= held[0].tokens
		held = held[1:]
	}
	return wait
}

// left is what of a quota is left.
func (a *account) left(now time.Duration, q llm.Quota) (l llm.Limits) {
	if q.Requests > 0 {
		l.Requests = llm.Allowance{Limit: q.Requests, Remaining: max(q.Requests-len(a.requests), 0)}
		if n := len(a.requests); n > 0 {
			l.Requests.Reset = a.requests[n-1] + window - now
		}
	}
	if q.Tokens > 0 {
		l.Tokens = llm.Allowance{Limit: q.Tokens, Remaining: max(q.Tokens-a.tokens, 0)}
		switch n := len(a.spent); {
		case len(a.held) > 0:
			l.Tokens.Reset = window
		case n > 0:
			l.Tokens.Reset = a.spent[n-1].at + window - now
		}
	}
	return l
}
