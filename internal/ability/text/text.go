// Package text completes texts as OpenAI's contract has it by a model whose engine only continues them: with the prompt given
// back, and with the best of several continuations.
package text

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Features are those that Wrap adds to a target.
const Features = llm.FeatureEcho | llm.FeatureBestOf

// Wrap decorates a model that tells the probabilities of its tokens, and takes n.
func Wrap(b llm.Backend) llm.Backend { return model{b} }

type model struct{ llm.Backend }

// Complete asks for as many continuations as are to choose from, and puts the prompts before those that are given.
func (m model) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	n, of := count(r.N), count(r.BestOf)
	chooses := of > n
	if !r.Echo && !chooses {
		return m.Backend.Complete(ctx, r)
	}
	if err := judge(r); err != nil {
		return llm.Fail(err)
	}
	one := r.Edit()
	one.Echo, one.BestOf = false, nil
	if chooses {
		one.N, one.Stream = &of, false
		one.Logprobs = new(max(1, count(r.Logprobs)))
	}
	said := m.Backend.Complete(ctx, one)
	if chooses {
		said = best(said, n, of, r.Logprobs == nil)
	}
	if r.Echo {
		said = echo(said, r.Prompts, n)
	}
	return said
}

func count(n *int) int {
	if n == nil {
		return 1
	}
	return max(1, *n)
}

// judge refuses what would need to be known of a prompt.
func judge(r *llm.CompleteRequest) error {
	if !r.Echo {
		return nil
	}
	refuse := func(msg string) error {
		return &llm.Error{
			Kind: llm.Unsupported, Param: "echo", Message: msg + ".",
			Details: []llm.Detail{{Type: "parameter_not_supported", Loc: []any{"body", "echo"}, Msg: msg}},
		}
	}
	if r.Logprobs != nil {
		return refuse("A local model does not tell the probabilities of a prompt, which echo with logprobs asks for")
	}
	for _, p := range r.Prompts {
		if _, ok := p.(llm.Text); !ok {
			return refuse("A local model gives back a prompt that is a text, and no token ids")
		}
	}
	return nil
}

// best keeps, of so many choices for each prompt, the n whose tokens are the most probable on average. What all of them took
// is what is counted.
func best(said llm.Stream, n, of int, quiet bool) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		r, err := said.Collect()
		if err != nil {
			yield(nil, err)
			return
		}
		slices.SortStableFunc(r.Choices, func(a, b llm.Choice) int {
			return cmp.Or(cmp.Compare(a.Index/of, b.Index/of), cmp.Compare(mean(b.Logprobs), mean(a.Logprobs)))
		})
		kept := r.Choices[:0]
		for _, c := range r.Choices {
			prompt := c.Index / of
			if len(kept) == (prompt+1)*n {
				continue
			}
			c.Index = len(kept)
			if quiet {
				c.Logprobs = nil
			}
			kept = append(kept, c)
		}
		r.Choices = kept
		yield(r, nil)
	}
}

// mean is how probable tokens are on average; a text without any is the least.
func mean(ps []llm.TokenLogprob) float64 {
	sum := 0.0
	for i := range ps {
		sum += ps[i].Logprob
	}
	if len(ps) == 0 {
		return math.Inf(-1)
	}
	return sum / float64(len(ps))
}

// echo puts its prompt before each choice.
func echo(said llm.Stream, prompts []llm.Input, n int) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		told := map[int]bool{}
		for f, err := range said {
			if err != nil {
				yield(nil, err)
				return
			}
			out := *f
			out.Choices = nil
			for _, c := range f.Choices {
				if prompt := c.Index / n; !told[c.Index] && prompt < len(prompts) {
					told[c.Index] = true
					if text, ok := prompts[prompt].(llm.Text); ok {
						out.Choices = append(out.Choices, llm.Choice{Index: c.Index, Parts: []llm.Part{text}})
					}
				}
				out.Choices = append(out.Choices, c)
			}
			if !yield(&out, nil) {
				return
			}
		}
	}
}
