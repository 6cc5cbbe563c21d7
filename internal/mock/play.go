package mock

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// script is an answer worked out before any of it is sent.
type script struct {
	model   string
	prompt  int // tokens
	choices [][]step
	finish  []llm.Finish
	extra   llm.Extra // of each choice's end
	whole   bool      // the caller wants one reply
	probs   bool      // log probabilities are asked for
	top     int
	weight  int // tokens of all choices, with what their log probabilities count for
}

// step is one piece of a choice: a token, or the prompt given back. Its part is made when it is
// sent: a slow stream holds thousands of steps.
type step struct {
	text   string
	part   func(text string) llm.Part
	at     int32 // position of the part in the choice
	tokens int8  // that it counts for in the usage
	echoed bool  // the prompt given back, whose first token nothing predicts
}

func textPart(text string) llm.Part     { return llm.NewText(text) }
func thoughtPart(text string) llm.Part  { return llm.Reasoning{Text: llm.NewText(text)} }
func argumentPart(text string) llm.Part { return llm.ToolCall{Arguments: llm.NewText(text)} }

// stepsOf makes of the tokens of a part one step each.
func stepsOf(tokens []string, at int32, part func(string) llm.Part) []step {
	list := make([]step, len(tokens))
	for i, token := range tokens {
		list[i] = step{text: token, part: part, at: at, tokens: 1}
	}
	return list
}

// add adds n equal choices, within the bound of what one reply holds.
func (s *script) add(steps []step, finish llm.Finish, n int) error {
	weight := 0
	for _, p := range steps {
		if weight += int(p.tokens); p.echoed && s.probs {
			weight += countTokens(p.text)
		}
	}
	if s.probs {
		weight *= 1 + perLogprob*(1+s.top)
	}
	if s.weight += weight * n; s.weight > maxAnswer {
		return invalid("too_long", fmt.Sprintf("the answer would be longer than %d tokens over all choices, where each log probability counts as %d: "+
			"ask for fewer tokens, choices or alternatives", maxAnswer, perLogprob), "max_tokens")
	}
	for range n {
		s.choices = append(s.choices, steps)
		s.finish = append(s.finish, finish)
	}
	return nil
}

// play sends a script at the model's pace, with its faults. Each round is one
// step of every choice, as a model decodes a batch.
func (m *Model) play(ctx context.Context, s *script, fault Fault, yield func(*llm.Reply, error) bool) {
	created := time.Now()
	pace := newPace(m.options)
	defer pace.stop()
	usage := llm.Usage{Prompt: s.prompt}
	meta := llm.Meta{Deployment: m.options.Name, Provider: "mock"}
	reply := func() *llm.Reply {
		r := &llm.Reply{Model: s.model, Created: created, Meta: meta}
		meta = llm.Meta{}
		return r
	}
	whole := reply()
	send := func(r *llm.Reply) bool {
		if !s.whole {
			r.Meta, whole.Meta = whole.Meta, llm.Meta{}
			return yield(r, nil)
		}
		if err := whole.Append(r); err != nil {
			yield(nil, err)
			return false
		}
		return true
	}
	ends := 0
	for round := 0; ends < len(s.choices); round++ {
		if err := m.breaks(ctx, fault, round, s); err != nil {
			yield(nil, err)
			return
		}
		if err := pace.wait(ctx, round); err != nil {
			yield(nil, err)
			return
		}
		for i, steps := range s.choices {
			switch {
			case round < len(steps):
				p := steps[round]
				part := p.part(p.text)
				usage.Completion += int(p.tokens)
				if _, thinks := part.(llm.Reasoning); thinks {
					usage.Reasoning += int(p.tokens)
				}
				r := reply()
				r.Choices = []llm.Choice{{Index: i, At: int(p.at), Parts: []llm.Part{part}, Logprobs: s.logprobs(p, part)}}
				if !send(r) {
					return
				}
			case round == len(steps):
				r := reply()
				r.Choices = []llm.Choice{{Index: i, Finish: s.finish[i], Extra: s.extra}}
				if ends++; ends == len(s.choices) {
					r.Usage = &usage
				}
				if !send(r) {
					return
				}
			}
		}
	}
	if s.whole {
		yield(whole, nil)
	}
}

// breaks is the error with which the answer ends before this round, if it does.
func (m *Model) breaks(ctx context.Context, f Fault, round int, s *script) error {
	due := func(after int) bool { return after > 0 && round == min(after, len(s.choices[0])) }
	switch {
	case due(f.Stall):
		<-ctx.Done()
		return llm.AsError(context.Cause(ctx))
	case s.whole:
		return nil
	case due(f.Cut):
		return &llm.Error{Kind: llm.Upstream, Code: llm.CodeCut, Backend: "mock", Message: fmt.Sprintf("The mock model cuts its streams after %d tokens.", f.Cut)}
	case due(f.Error):
		return &llm.Error{Kind: llm.Upstream, Backend: "mock", Message: fmt.Sprintf("The mock model fails on purpose after %d tokens.", f.Error)}
	}
	return nil
}

// logprobs invents the log probabilities of a step's tokens.
func (s *script) logprobs(p step, part llm.Part) []llm.TokenLogprob {
	if _, ok := part.(llm.Text); !s.probs || !ok {
		return nil
	}
	var list []llm.TokenLogprob
	for i, text := range Tokens(p.text) {
		if p.echoed && i == 0 {
			list = append(list, llm.TokenLogprob{Token: text, Logprob: math.NaN(), Bytes: []byte(text)})
			continue
		}
		t := llm.TokenLogprob{Token: text, Logprob: -0.1, Bytes: []byte(text)}
		for k := range s.top {
			alternative := llm.TokenLogprob{Token: text, Logprob: -0.1, Bytes: []byte(text)}
			if k > 0 {
				name := fmt.Sprintf("~%d", k)
				alternative = llm.TokenLogprob{Token: name, Logprob: float64(-3 - k), Bytes: []byte(name)}
			}
			t.Top = append(t.Top, alternative)
		}
		list = append(list, t)
	}
	return list
}

// pace holds the moments at which rounds are due.
type pace struct {
	start    time.Time
	first    time.Duration
	interval time.Duration
	timer    *time.Timer
}

func newPace(o Options) *pace {
	p := &pace{start: time.Now(), first: o.FirstToken}
	if o.TokensPerSecond > 0 {
		p.interval = time.Duration(float64(time.Second) / o.TokensPerSecond)
	}
	return p
}

// wait returns when a round is due, or with the context's error.
func (p *pace) wait(ctx context.Context, round int) error {
	if err := ctx.Err(); err != nil {
		return llm.AsError(context.Cause(ctx))
	}
	if p.first == 0 && p.interval == 0 {
		return nil
	}
	d := time.Until(p.start.Add(p.first + time.Duration(round)*p.interval))
	if d <= 0 {
		return nil
	}
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	select {
	case <-p.timer.C:
		return nil
	case <-ctx.Done():
		return llm.AsError(context.Cause(ctx))
	}
}

func (p *pace) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
