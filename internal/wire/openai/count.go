package openai

import (
	"math"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

func decodeUsage(v jsonx.Value) (llm.Usage, bool) {
	if v.Kind() != jsonx.Object {
		return llm.Usage{}, false
	}
	var u llm.Usage
	for name, m := range v.Members() {
		switch name {
		case "prompt_tokens":
			u.Prompt = count(m)
		case "completion_tokens":
			u.Completion = count(m)
		case "prompt_tokens_details":
			u.Cached = count(m.Get("cached_tokens"))
		case "completion_tokens_details":
			u.Reasoning = count(m.Get("reasoning_tokens"))
		case "images":
			u.Images = count(m)
		case "prompt_patches":
			u.Patches = count(m)
		}
	}
	return u, true
}

// count reads a number of things; 0 where it is none.
func count(v jsonx.Value) int {
	const far = 1 << 40
	i, err := v.Int()
	if err != nil {
		return 0
	}
	return int(max(0, min(i, far)))
}

// decodeLogprobs reads the shape of chat completions, which some servers also use for text completions, and that of those.
func decodeLogprobs(v jsonx.Value) []llm.TokenLogprob {
	if tokens := v.Get("tokens"); tokens.Kind() == jsonx.Array {
		return decodeTextLogprobs(tokens, v)
	}
	var out []llm.TokenLogprob
	for _, t := range v.Get("content").Elements() {
		p := decodeToken(t)
		for _, a := range t.Get("top_logprobs").Elements() {
			p.Top = append(p.Top, decodeToken(a))
		}
		out = append(out, p)
	}
	return out
}

func decodeToken(v jsonx.Value) llm.TokenLogprob {
	p := llm.TokenLogprob{Token: v.Get("token").Text()}
	p.Logprob, _ = v.Get("logprob").Float()
	for _, b := range v.Get("bytes").Elements() {
		if n, err := b.Int(); err == nil && n >= 0 && n < 256 {
			p.Bytes = append(p.Bytes, byte(n))
		}
	}
	return p
}

// decodeTextLogprobs reads lists that go side by side.
func decodeTextLogprobs(tokens, v jsonx.Value) []llm.TokenLogprob {
	var out []llm.TokenLogprob
	for _, t := range tokens.Elements() {
		out = append(out, llm.TokenLogprob{Token: t.Text()})
	}
	for i, p := range v.Get("token_logprobs").Elements() {
		if i < len(out) {
			out[i].Logprob, _ = p.Float()
			if p.Null() {
				out[i].Logprob = math.NaN() // nothing predicts the first token of a prompt
			}
		}
	}
	for i, top := range v.Get("top_logprobs").Elements() {
		if i >= len(out) {
			break
		}
		for token, p := range top.Members() {
			f, _ := p.Float()
			out[i].Top = append(out[i].Top, llm.TokenLogprob{Token: strings.Clone(token), Logprob: f})
		}
	}
	return out
}
