package text_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/ability/text"
	"github.com/ingot-llm/ingot/internal/llm"
)

// engine continues prompts, each choice with the tokens of a script and their probabilities.
type engine struct {
	llm.Unimplemented
	script [][]llm.TokenLogprob
	asked  *llm.CompleteRequest
}

func (e *engine) Complete(_ context.Context, r *llm.CompleteRequest) llm.Stream {
	e.asked = r
	return func(yield func(*llm.Reply, error) bool) {
		for i, tokens := range e.script {
			for k, p := range tokens {
				c := llm.Choice{Index: i, Parts: []llm.Part{llm.NewText(p.Token)}}
				if r.Logprobs != nil {
					c.Logprobs = tokens[k : k+1]
				}
				if !yield(&llm.Reply{Model: "m", Choices: []llm.Choice{c}}, nil) {
					return
				}
			}
			f := &llm.Reply{Choices: []llm.Choice{{Index: i, Finish: llm.FinishStop}}}
			if i == len(e.script)-1 {
				f.Usage = &llm.Usage{Prompt: 2, Completion: 9}
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

func said(tokens ...any) (ps []llm.TokenLogprob) {
	for i := 0; i < len(tokens); i += 2 {
		ps = append(ps, llm.TokenLogprob{Token: tokens[i].(string), Logprob: tokens[i+1].(float64)})
	}
	return ps
}

func prompts(texts ...string) (in []llm.Input) {
	for _, t := range texts {
		in = append(in, llm.NewText(t))
	}
	return in
}

// texts are the texts of an answer's choices, in order of their index.
func texts(t *testing.T, s llm.Stream) []string {
	t.Helper()
	r, err := s.Collect()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(r.Choices))
	for _, c := range r.Choices {
		for _, p := range c.Parts {
			out[c.Index] += p.(llm.Text).String()
		}
		if c.Finish != llm.FinishStop {
			t.Errorf("choice %d has no end", c.Index)
		}
	}
	if r.Usage == nil || r.Usage.Completion != 9 {
		t.Errorf("usage is %+v", r.Usage)
	}
	return out
}

func TestTheMostProbableOfSeveralAreGiven(t *testing.T) {
	t.Parallel()
	e := &engine{script: [][]llm.TokenLogprob{
		said("bad", -3.0, "ly", -1.0), said("well", -0.5), said("so", -0.5, " so", -1.0),
		said("first", -0.1), nil, said("second", -0.2),
	}}
	r := &llm.CompleteRequest{Prompts: prompts("a", "b"), N: new(2), BestOf: new(3)}
	if d := cmp.Diff([]string{"well", "so so", "first", "second"}, texts(t, text.Wrap(e).Complete(t.Context(), r))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if *e.asked.N != 3 || e.asked.BestOf != nil || *e.asked.Logprobs != 1 || r.N == nil || *r.N != 2 {
		t.Errorf("asked %+v", e.asked)
	}
	whole, err := text.Wrap(e).Complete(t.Context(), r).Collect()
	if err != nil || whole.Choices[0].Logprobs != nil {
		t.Errorf("%+v, %v", whole, err)
	}
	r.Logprobs = new(2)
	whole, err = text.Wrap(e).Complete(t.Context(), r).Collect()
	if err != nil || len(whole.Choices[1].Logprobs) != 2 || *e.asked.Logprobs != 2 {
		t.Errorf("%+v, %v", whole, err)
	}
}

func TestAPromptIsGivenBackBeforeEachChoice(t *testing.T) {
	t.Parallel()
	e := &engine{script: [][]llm.TokenLogprob{said(" one", -1.0, ".", -1.0), said(" two", -1.0), nil, said(" four", -1.0)}}
	r := &llm.CompleteRequest{Prompts: prompts("a", "b"), N: new(2), Echo: true}
	r.Stream = true
	if d := cmp.Diff([]string{"a one.", "a two", "b", "b four"}, texts(t, text.Wrap(e).Complete(t.Context(), r))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if e.asked.Echo || e.asked.Logprobs != nil || !e.asked.Stream {
		t.Errorf("asked %+v", e.asked)
	}
	for _, err := range text.Wrap(e).Complete(t.Context(), r) {
		if err != nil {
			t.Error(err)
		}
		break // a caller who leaves
	}
	both := &llm.CompleteRequest{Prompts: prompts("a", "b"), BestOf: new(2), Echo: true}
	if d := cmp.Diff([]string{"a one.", "b four"}, texts(t, text.Wrap(e).Complete(t.Context(), both))); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestOtherRequestsGoThroughAsTheyAre(t *testing.T) {
	t.Parallel()
	e := &engine{script: [][]llm.TokenLogprob{said("x", -1.0)}}
	r := &llm.CompleteRequest{Prompts: prompts("a"), N: new(1), BestOf: new(1)}
	if texts(t, text.Wrap(e).Complete(t.Context(), r)); e.asked != r {
		t.Error("the request was changed")
	}
}

func TestWhatIsNotKnownOfAPromptIsRefusedByName(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*llm.CompleteRequest{
		"probabilities": {Prompts: prompts("a"), Echo: true, Logprobs: new(1)},
		"token ids":     {Prompts: []llm.Input{llm.Tokens{1}}, Echo: true},
	} {
		_, err := text.Wrap(&engine{}).Complete(t.Context(), r).Collect()
		if e := llm.AsError(err); e.Kind != llm.Unsupported || e.Param != "echo" || len(e.Details) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
