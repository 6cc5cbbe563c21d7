package mock_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
)

func TestStreamsJoinToTheWholeReply(t *testing.T) {
	t.Parallel()
	words := []string{"alpha", " beta", "\n", "é", " 你好", "!", "👍", "{", "x1", "  ", "stop"}
	for seed := range uint64(120) {
		draw := rand.New(rand.NewPCG(seed, 1))
		text := ""
		for range draw.IntN(20) {
			text += words[draw.IntN(len(words))]
		}
		r := say(text)
		r.Seed = new(int64(seed))
		if draw.IntN(2) == 0 {
			r.MaxTokens = new(draw.IntN(12))
		}
		if draw.IntN(2) == 0 {
			r.Stop = []string{words[draw.IntN(len(words))] + words[draw.IntN(len(words))], words[draw.IntN(len(words))]}
		}
		if draw.IntN(3) == 0 {
			r.N = new(1 + draw.IntN(3))
		}
		r.Logprobs = draw.IntN(2) == 0
		r.TopLogprobs = new(draw.IntN(3))
		if draw.IntN(4) == 0 {
			r.Tools = []llm.Tool{{Name: "f", Parameters: []byte(`{"type":"object","required":["a","b"],"properties":{"a":{"enum":["x"]},"b":{"type":"number","minimum":1.5}}}`)}}
			r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolRequired}
		}
		m := mock.New(mock.Options{Name: "m", Behaviour: []mock.Behaviour{mock.Echo, mock.Count, mock.Reasoning}[draw.IntN(3)], MaxTokens: 40})
		joined, err := m.Chat(t.Context(), r).Collect()
		if err != nil {
			t.Fatal(err)
		}
		whole := r.Edit()
		whole.Stream = false
		fragments := 0
		for reply, err := range m.Chat(t.Context(), whole) {
			if fragments++; err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(joined, reply, sameReply); diff != "" {
				t.Errorf("seed %d: %s", seed, diff)
			}
		}
		if fragments != 1 {
			t.Errorf("seed %d: the whole reply came in %d fragments", seed, fragments)
		}
		for _, c := range joined.Choices {
			for _, p := range c.Parts {
				text, _ := p.(llm.Text)
				for _, stop := range r.Stop {
					if strings.Contains(text.String(), stop) {
						t.Errorf("seed %d: %q contains the stop %q", seed, text.String(), stop)
					}
				}
			}
		}
		c := &llm.CompleteRequest{Envelope: llm.Envelope{Stream: true}, Sampling: r.Sampling, Prompts: []llm.Input{llm.NewText(text), llm.Tokens{1, 2}}, N: r.N, Echo: draw.IntN(2) == 0, Logprobs: new(draw.IntN(3))}
		m = mock.New(mock.Options{Behaviour: []mock.Behaviour{mock.Echo, mock.Count}[draw.IntN(2)], MaxTokens: 40})
		joined, err = m.Complete(t.Context(), c).Collect()
		if err != nil {
			t.Fatal(err)
		}
		unstreamed := c.Edit()
		unstreamed.Stream = false
		for reply, err := range m.Complete(t.Context(), unstreamed) {
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(joined, reply, sameReply); diff != "" {
				t.Errorf("seed %d: %s", seed, diff)
			}
		}
	}
}
