//go:build engine && linux

package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What only OpenAI's contract asks of a local model.
func TestOpenAIsMembers(t *testing.T) {
	g := serve(t, smollm2)
	sky := func(more body) body {
		b := body{"model": "smollm2", "prompt": "The sky is", "max_tokens": 4, "temperature": 0}
		maps.Copy(b, more)
		return b
	}
	texts := func(b body) (out []string) {
		for _, c := range g.must("/v1/completions", b)["choices"].([]any) {
			out = append(out, c.(body)["text"].(string))
		}
		return out
	}
	plain := texts(sky(nil))[0]
	t.Run("the prompt is given back", func(t *testing.T) {
		if got := texts(sky(body{"echo": true}))[0]; got != "The sky is"+plain {
			t.Errorf("got %q", got)
		}
		if got := g.stream("/v1/completions", sky(body{"echo": true})).whole(); got != "The sky is"+plain {
			t.Errorf("streamed %q", got)
		}
	})
	t.Run("the best of several is the most probable", func(t *testing.T) {
		ask := body{"temperature": 1.5, "seed": 3, "max_tokens": 6, "logprobs": 0}
		mean := func(b body) (means []float64) {
			for _, c := range g.must("/v1/completions", sky(b))["choices"].([]any) {
				sum, ps := 0.0, c.(body)["logprobs"].(body)["token_logprobs"].([]any)
				for _, p := range ps {
					sum += p.(float64)
				}
				means = append(means, sum/float64(len(ps)))
			}
			return means
		}
		ask["n"] = 4
		all := mean(ask)
		ask["n"], ask["best_of"] = 1, 4
		if best := mean(ask)[0]; best < slices.Max(all)-0.2 {
			t.Errorf("%v is the best of %v", best, all)
		}
		if usage := g.must("/v1/completions", sky(ask))["usage"].(body); usage["completion_tokens"] != 24.0 {
			t.Errorf("usage is %v", usage)
		}
	})
	t.Run("token ids are the text they stand for", func(t *testing.T) {
		if got := texts(sky(body{"prompt": []int{504, 6376, 314}}))[0]; got != plain {
			t.Errorf("got %q, want %q", got, plain)
		}
	})
	t.Run("a bias decides", func(t *testing.T) {
		got := texts(sky(body{"logit_bias": body{"100": 100}}))[0]
		if got == plain || strings.Trim(got, got[:1]) != "" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("as many alternatives as were asked for", func(t *testing.T) {
		for asked, want := range map[any]int{nil: 0, 0: 0, 3: 3} {
			b := capital()
			b["logprobs"], b["top_logprobs"], b["max_tokens"] = true, asked, 1
			choice := g.must("/v1/chat/completions", b)["choices"].([]any)[0].(body)
			token := choice["logprobs"].(body)["content"].([]any)[0].(body)
			if top := token["top_logprobs"].([]any); len(top) != want || token["logprob"].(float64) > 0 {
				t.Errorf("asked for %v: %v", asked, token)
			}
		}
	})
	t.Run("functions are called in their form", func(t *testing.T) {
		b := capital()
		b["functions"] = []body{{"name": "look_up", "parameters": body{"type": "object", "properties": body{"city": body{"type": "string", "maxLength": 20}}, "required": []string{"city"}}}}
		b["function_call"], b["max_tokens"] = body{"name": "look_up"}, 64
		message := g.must("/openai/deployments/smollm2/chat/completions", b)["choices"].([]any)[0].(body)["message"].(body)
		if call, ok := message["function_call"].(body); !ok || call["name"] != "look_up" || !strings.Contains(fmt.Sprint(call["arguments"]), `"city"`) {
			t.Errorf("got %v", message)
		}
	})
	t.Run("what it cannot do is refused by name", func(t *testing.T) {
		for member, v := range (body{"suffix": "x", "logprobs": 1}) {
			if why := g.refused("/v1/completions", sky(body{"echo": true, member: v}), 400); !strings.Contains(why, "'") {
				t.Errorf("%s: %s", member, why)
			}
		}
		if why := g.refused("/v1/chat/completions", body{"model": "smollm2", "messages": capital()["messages"], "reasoning_effort": "low"}, 400); !strings.Contains(why, "'reasoning_effort'") {
			t.Error(why)
		}
	})
}
