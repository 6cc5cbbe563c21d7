// Package ability gives a local model what it lacks: tools where its chat template has no place for them, answers
// that follow a schema, and thoughts told apart from the answer. Each is a matter of what the model is asked, of a
// grammar that its engine enforces, and of reading and checking what it says. What text completions lack is in ability/text.
package ability

import (
	"context"
	"slices"

	"github.com/ingot-llm/ingot/internal/ability/text"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Features are those that Wrap adds to a target.
const Features = llm.FeatureTools | llm.FeatureFormat | llm.FeatureParallelTools | text.Features

// Options say what the model brings itself.
type Options struct {
	Template string // its chat template
	System   string // its prompt for chats that bring none
	// Spaced tells that its tokenizer puts a space before each text: llguidance does not see the spaces that its tokens begin with.
	Spaced bool
	// Marks are the tokens by which it knows where a message begins and ends. In what callers say they are only text.
	Marks []string
}

// Wrap decorates a model whose engine obeys llm.ChatRequest.Grammar in llguidance's dialect.
func Wrap(b llm.Backend, o Options) llm.Backend {
	return &model{text.Wrap(b), o.System, tellsTools(o.Template), opensThoughts(o.Template), o.Spaced, newMarks(o.Marks)}
}

type model struct {
	llm.Backend
	system string
	tells  bool // its template tells tools, calls and results in the words of this package
	thinks bool // its answers begin inside a thought
	spaced bool
	marks  marks
}

// Chat asks the model for what the request demands, in a way that it knows, and checks its answer before its end is told.
func (m *model) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	p, err := m.plan(r)
	if err != nil {
		return llm.Fail(err)
	}
	return p.read(m.Backend.Chat(ctx, p.request))
}

// read turns what the model says into the answer.
func (p *plan) read(said llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		a := answer{plan: p}
		for f, err := range said {
			if err != nil {
				yield(nil, err)
				return
			}
			out, err := a.fragment(f)
			if err != nil {
				yield(nil, err)
				return
			}
			if out != nil && !yield(out, nil) || a.over {
				return
			}
		}
	}
}

// answer is what was read of an answer.
type answer struct {
	plan    *plan
	choices []*choice
	meta    *llm.Meta // of the first fragment, which nothing may come of
	begun   bool
	over    bool // the rest is not wanted
	spent   int  // completion tokens so far
}

// fragment reads the next one. It returns nil where nothing can be told of it yet.
func (a *answer) fragment(f *llm.Reply) (*llm.Reply, error) {
	out := *f
	out.Choices = nil
	for i := range f.Choices {
		c := a.choice(f.Choices[i].Index)
		before := c.thoughts.at == thinking
		told, err := c.read(&f.Choices[i])
		if err != nil {
			return nil, err
		}
		if before || c.thinks() {
			c.reasoned += len(f.Choices[i].Parts) // a token each, as engines send them
		}
		out.Choices = append(out.Choices, told...)
		if c.repeats && a.plan.single && f.Spent != nil && f.Choices[i].Finish == "" {
			out.Choices = append(out.Choices, llm.Choice{Index: c.index, Finish: llm.FinishToolCalls})
			out.Usage, a.over = f.Spent, true
			break
		}
	}
	a.count(f, &out)
	if a.meta == nil {
		a.meta = &llm.Meta{Deployment: f.Meta.Deployment, Provider: f.Meta.Provider, Attempts: f.Meta.Attempts, Dropped: slices.Clone(f.Meta.Dropped)}
	}
	if len(out.Choices) == 0 && len(f.Choices) > 0 && f.Usage == nil {
		return nil, nil
	}
	if !a.begun {
		out.Meta, a.begun = *a.meta, true
	}
	return &out, nil
}

// count adds to the usage what was spent on thoughts. While nothing else is said, the engine's own count is better than ours.
func (a *answer) count(f, out *llm.Reply) {
	if f.Spent != nil {
		a.spent = f.Spent.Completion
		if c := a.choices; len(c) > 0 && c[len(c)-1].thinks() {
			c[len(c)-1].reasoned = a.spent - c[len(c)-1].before
		}
	}
	if out.Usage == nil || out.Usage.Reasoning > 0 {
		return
	}
	counted := *out.Usage
	for _, c := range a.choices {
		counted.Reasoning += c.reasoned
	}
	out.Usage = &counted
}

func (a *answer) choice(index int) *choice {
	for _, c := range a.choices {
		if c.index == index {
			return c
		}
	}
	c := newChoice(a.plan, index)
	c.before = a.spent
	a.choices = append(a.choices, c)
	return c
}
