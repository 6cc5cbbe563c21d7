//go:build engine && linux

package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
)

const smollm2 = `
models:
  smollm2: {local: smollm2, threads: 1, slots: 2, context: 1024}
`

func TestAnswers(t *testing.T) {
	g := serve(t, smollm2)
	t.Run("unstreamed", func(t *testing.T) {
		answer := g.must("/chat/completions", capital())
		if text := contentOf(t, answer); !strings.Contains(text, "Paris") {
			t.Errorf("got %q", text)
		}
		usage := answer["usage"].(body)
		if answer["model"] != "smollm2" || usage["prompt_tokens"].(float64) < 10 || usage["completion_tokens"].(float64) < 5 {
			t.Errorf("got %v", answer)
		}
		if whole := fmt.Sprint(answer); strings.Contains(whole, ".gguf") || strings.Contains(whole, "timings") {
			t.Errorf("the engine's own shines through: %s", whole)
		}
	})
	t.Run("streamed as unstreamed", func(t *testing.T) {
		whole := contentOf(t, g.must("/chat/completions", capital()))
		if text := g.stream("/chat/completions", capital()).whole(); text != whole {
			t.Errorf("streamed %q, whole %q", text, whole)
		}
	})
	t.Run("completions in order, each prompt and choice counted once", func(t *testing.T) {
		usage := func(prompt any, n int) (body, []any) {
			answer := g.must("/completions", body{"model": "smollm2", "prompt": prompt, "max_tokens": 4, "n": n, "seed": 1, "temperature": 0.9})
			return answer["usage"].(body), answer["choices"].([]any)
		}
		one, _ := usage("The sky is", 1)
		two, _ := usage("Water boils at a temperature of", 1)
		both, choices := usage([]string{"The sky is", "Water boils at a temperature of"}, 2)
		if len(choices) != 4 {
			t.Fatalf("%d choices", len(choices))
		}
		for i, c := range choices {
			if c.(body)["index"] != float64(i) {
				t.Errorf("choice %d: %v", i, c)
			}
		}
		if want := one["prompt_tokens"].(float64) + two["prompt_tokens"].(float64); both["prompt_tokens"] != want || both["completion_tokens"].(float64) > 16 {
			t.Errorf("got %v, want %v prompt tokens", both, want)
		}
	})
	t.Run("a seed decides, and choices differ", func(t *testing.T) {
		ask := func(seed int) []string {
			answer := g.must("/completions", body{"model": "smollm2", "prompt": "My favourite", "max_tokens": 12, "n": 2, "seed": seed, "temperature": 1.2})
			var texts []string
			for _, c := range answer["choices"].([]any) {
				texts = append(texts, c.(body)["text"].(string))
			}
			return texts
		}
		a, b := ask(5), ask(5)
		if a[0] != b[0] || a[0] == a[1] {
			t.Errorf("got %q and %q", a, b)
		}
	})
	t.Run("max_tokens 0 counts the prompt only", func(t *testing.T) {
		b := capital()
		want := g.must("/chat/completions", b)["usage"].(body)["prompt_tokens"]
		b["max_tokens"] = 0
		answer := g.must("/chat/completions", b)
		usage, choice := answer["usage"].(body), answer["choices"].([]any)[0].(body)
		if usage["prompt_tokens"] != want || usage["completion_tokens"] != 0.0 || choice["finish_reason"] != "length" || contentOf(t, answer) != "" {
			t.Errorf("got %v, want %v prompt tokens", answer, want)
		}
	})
	t.Run("a prompt that is too long is refused with both numbers", func(t *testing.T) {
		b := capital()
		b["messages"] = []body{{"role": "user", "content": strings.Repeat("word ", 1500)}}
		if m := g.refused("/chat/completions", b, http.StatusBadRequest); !strings.Contains(m, "1024 tokens") || !strings.Contains(m, "the prompt has 15") {
			t.Errorf("got %q", m)
		}
	})
	t.Run("an answer ends where the context does", func(t *testing.T) {
		answer := g.must("/completions", body{"model": "smollm2", "prompt": strings.Repeat("word ", 1000), "max_tokens": 200, "temperature": 1.5})
		usage, choice := answer["usage"].(body), answer["choices"].([]any)[0].(body)
		total := usage["prompt_tokens"].(float64) + usage["completion_tokens"].(float64)
		if choice["finish_reason"] == "length" && total > 1025 {
			t.Errorf("%v tokens in a context of 1024: %v", total, choice["finish_reason"])
		}
	})
}

func TestTinyModelsOfBothFamilies(t *testing.T) {
	g := serve(t, fmt.Sprintf(`
models:
  llama: {local: %s, threads: 1, slots: 2, context: 512}
  phi3: {local: %s, threads: 1, slots: 2, context: 512}
`, tiny(t, "llama", tinymodel.Options{Arch: tinymodel.Llama}), tiny(t, "phi3", tinymodel.Options{Arch: tinymodel.Phi3})))
	for _, model := range []string{"llama", "phi3"} {
		b := body{"messages": []body{{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}}, "max_tokens": 20}
		path := "/deployments/" + model + "/chat/completions"
		answer := g.must(path, b)
		if n := len(contentOf(t, answer)); n != 20 {
			t.Errorf("%s: %d characters in an answer of 20 tokens of one: %v", model, n, answer)
		}
		if text := g.stream(path, b).whole(); len(text) != 20 {
			t.Errorf("%s: streamed %q", model, text)
		}
	}
}

func TestACallerWhoHangsUpStopsTheEngine(t *testing.T) {
	g := serve(t, fmt.Sprintf(`
models:
  tiny: {local: %s, threads: 1, slots: 1, context: 4096}
`, tiny(t, "tiny", tinymodel.Options{Arch: tinymodel.Llama, Width: 512, Layers: 8})))
	g.must("/completions", ramble("tiny", 1))
	pid := g.engine()
	idle := func(what string) {
		t.Helper()
		time.Sleep(time.Second)
		before := cpu(t, pid)
		time.Sleep(500 * time.Millisecond)
		if used := cpu(t, pid) - before; used > 10 {
			t.Errorf("%s: a second after, the engine still computes: %d0 ms of 500", what, used)
		}
		start := time.Now()
		g.must("/completions", ramble("tiny", 1))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: the next waited %v for the slot", what, took)
		}
	}

	s := g.stream("/completions", ramble("tiny", 4000))
	s.tokens(3)
	s.hangUp()
	idle("streamed")

	for _, path := range []string{"/completions", "/chat/completions"} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		b := ramble("tiny", 4000)
		if path == "/chat/completions" {
			delete(b, "prompt")
			b["messages"] = []body{{"role": "user", "content": "Hello"}}
		}
		before := cpu(t, pid)
		if res, err := g.open(ctx, path, b); err == nil {
			t.Fatalf("it answered %d in time: the model is too fast for this test", res.StatusCode)
		}
		cancel()
		if cpu(t, pid) == before {
			t.Error("the engine did not compute at all")
		}
		idle("unstreamed " + path)
	}
}
