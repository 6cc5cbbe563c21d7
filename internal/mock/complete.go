package mock

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Complete answers as the package comment says.
func (m *Model) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		fault := m.fault()
		s, err := m.complete(r)
		if refused := fault.refusal(); refused != nil {
			err = refused
		}
		if err != nil {
			yield(nil, err)
			return
		}
		m.play(ctx, s, fault, yield)
	}
}

// complete works out the answer to a completion request.
func (m *Model) complete(r *llm.CompleteRequest) (*script, error) {
	if err := m.does(llm.OpComplete); err != nil {
		return nil, err
	}
	if r.Suffix != nil {
		return nil, unsupported("The mock model completes a prompt at its end only.", []any{"body", "suffix"})
	}
	n, err := choices(r.N)
	if err != nil {
		return nil, err
	}
	if len(r.Prompts) == 0 || len(r.Prompts)*n > maxPrompts {
		return nil, invalid("too_long", fmt.Sprintf("prompts times n must be from 1 to %d", maxPrompts), "prompt")
	}
	s := &script{model: m.options.Name, whole: !r.Stream}
	if r.Logprobs != nil {
		const most = 5
		if s.probs, s.top = true, *r.Logprobs; s.top > most {
			return nil, atMost(most, "logprobs")
		}
	}
	texts := make([]string, len(r.Prompts))
	for i, prompt := range r.Prompts {
		texts[i] = read(prompt)
		count := countTokens(texts[i])
		if err := screen(texts[i:i+1], count, "prompt"); err != nil {
			return nil, err
		}
		s.prompt += count
	}
	s.extra = annotation(texts)
	for _, text := range texts {
		prompt := Tokens(text)
		answer, limit := prompt, m.limitOf(r.MaxTokens, len(prompt))
		if m.options.Behaviour == Count {
			answer = numbers(limit + 1)
		}
		answer, finish := cut(answer, limit, r.Stop)
		list := stepsOf(answer, 0, textPart)
		if r.Echo && text != "" {
			list = slices.Insert(list, 0, step{text: text, part: textPart, echoed: true})
		}
		if err := s.add(list, finish, n); err != nil {
			return nil, err
		}
	}
	return s, nil
}
