package policy

import (
	"github.com/ingot-llm/ingot/internal/llm"
)

// claim is how many tokens a request may take.
type claim struct {
	prompt int  // estimated
	answer int  // the longest of all choices together
	said   bool // by the caller
}

func (c claim) total() int { return c.prompt + c.answer }

// The measures of estimates. A model's tokenizer would tell exactly, at the price of reading everything twice.
const (
	bytesPerToken  = 4
	tokensPerImage = 1024
	audioPerToken  = 1024 // bytes, as base64
	tokensPerTurn  = 4
	unknownAnswer  = 4096
	mostOfAnything = 1 << 30 // so that no sum overflows
)

func tokens(bytes int) int { return (bytes + bytesPerToken - 1) / bytesPerToken }

func claimOfChat(r *llm.ChatRequest, context int) claim {
	n := 0
	for i := range r.Messages {
		n += tokensPerTurn + partsTokens(r.Messages[i].Parts)
	}
	for i := range r.Tools {
		t := &r.Tools[i]
		size := len(t.Name) + len(t.Parameters)
		if t.Description != nil {
			size += t.Description.Size()
		}
		n += tokens(size)
	}
	if r.Format != nil {
		n += tokens(len(r.Format.Schema))
	}
	return claimOf(n, r.MaxTokens, times(r.N, nil), context)
}

func claimOfComplete(r *llm.CompleteRequest, context int) claim {
	n := inputTokens(r.Prompts)
	if r.Suffix != nil {
		n += tokens(len(*r.Suffix))
	}
	return claimOf(n, r.MaxTokens, saturated(max(len(r.Prompts), 1), times(r.N, r.BestOf)), context)
}

// claimOf is the claim of a prompt and of so many answers, of a model with so long a context; 0: unknown.
func claimOf(prompt int, longest *int, answers, context int) claim {
	switch {
	case longest == nil && context <= 0:
		return claim{prompt: prompt, answer: saturated(unknownAnswer, answers)}
	case longest == nil:
		return claim{prompt: prompt, answer: saturated(max(context-prompt, 1), answers)}
	case context <= 0:
		context = mostOfAnything
	}
	return claim{prompt: prompt, answer: saturated(min(max(*longest, 0), context), answers), said: true}
}

// times is how many answers are made to a prompt.
func times(n, best *int) int {
	most := 1
	for _, p := range []*int{n, best} {
		if p != nil {
			most = max(most, *p)
		}
	}
	return most
}

func saturated(a, b int) int {
	if a > mostOfAnything/b {
		return mostOfAnything
	}
	return a * b
}

func inputTokens(list []llm.Input) (n int) {
	for _, in := range list {
		switch in := in.(type) {
		case llm.Text:
			n += tokens(in.Size())
		case llm.Tokens:
			n += len(in)
		case llm.Picture:
			n += tokensPerImage
			if in.Text != nil {
				n += tokens(in.Text.Size())
			}
		}
	}
	return n
}

func partsTokens(parts []llm.Part) (n int) {
	for _, p := range parts {
		switch p := p.(type) {
		case llm.Text:
			n += tokens(p.Size())
		case llm.Reasoning:
			n += tokens(p.Text.Size())
		case llm.Refusal:
			n += tokens(p.Text.Size())
		case llm.ToolCall:
			n += tokens(len(p.Name) + p.Arguments.Size())
		case llm.ToolResult:
			n += partsTokens(p.Content)
		case llm.Image:
			n += tokensPerImage
		case llm.Audio:
			n += (p.Data.Size() + p.URL.Size()) / audioPerToken
		case llm.Opaque:
			n += tokens(len(p.Raw))
		}
	}
	return n
}

// replySize is how many bytes a fragment says.
func replySize(f *llm.Reply) (n int) {
	for i := range f.Choices {
		for _, p := range f.Choices[i].Parts {
			switch p := p.(type) {
			case llm.Text:
				n += p.Size()
			case llm.Reasoning:
				n += p.Text.Size()
			case llm.Refusal:
				n += p.Text.Size()
			case llm.ToolCall:
				n += len(p.Name) + p.Arguments.Size()
			case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
			}
		}
	}
	return n
}
