package llm

import (
	"context"
	"time"
)

// Quota is what its holder may ask in a minute: a key, or all callers of a deployment. 0 is no limit.
type Quota struct {
	Holder           string
	Requests, Tokens int
}

// Grant is what a counter answers to a request that asks for its share of some quotas.
type Grant struct {
	// Wait is 0 where it is granted, else the time until enough may be free; it is negative where the
	// request asks for more tokens than a quota has, so that no time helps.
	Wait   time.Duration
	Lack   string                       // what there is too little of: CodeRequests or CodeTokens; empty where granted
	By     Quota                        // whose limit refused it
	Limits Limits                       // of each kind, the limit that has least left
	Settle func(context.Context, Usage) // gives back what was not used; nil where refused. Call it once
}

// The Codes of a RateLimited error, and of an OverBudget one by a limit of tokens: what there was too little of.
const (
	CodeRequests = "requests"
	CodeTokens   = "tokens"
)

// Tighter returns the one of two limits that has less left.
func (a Allowance) Tighter(b Allowance) Allowance {
	if a.Limit <= 0 || b.Limit > 0 && (b.Remaining < a.Remaining || b.Remaining == a.Remaining && b.Reset > a.Reset) {
		return b
	}
	return a
}

// Tighter returns of each kind the limit that has less left.
func (l Limits) Tighter(o Limits) Limits {
	return Limits{l.Requests.Tighter(o.Requests), l.Tokens.Tighter(o.Tokens)}
}
