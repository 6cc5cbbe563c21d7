package llm_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAnAnswerWithoutEndIsNotCollected(t *testing.T) {
	text := llm.NewText(strings.Repeat("x", 1<<20))
	for name, part := range map[string]llm.Part{"text": text, "reasoning": llm.Reasoning{Text: text}, "arguments": llm.ToolCall{Arguments: text}} {
		sent := 0
		_, err := llm.Stream(func(yield func(*llm.Reply, error) bool) {
			for sent < 1000 && yield(&llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{part}}}}, nil) {
				sent++
			}
		}).Collect()
		if err == nil || llm.AsError(err).Kind != llm.Upstream || sent > 64 {
			t.Errorf("%s: %d fragments, %v", name, sent, err)
		}
	}
}

func TestFragmentsBecomeOneReplyThatKeepsNothingOfThem(t *testing.T) {
	shared := []byte(`"Hel\u006co"`)
	f := &llm.Reply{ID: "i", Model: "m", Choices: []llm.Choice{{Index: 1, Parts: []llm.Part{llm.QuotedText(shared)}, Extra: llm.Extra{"x": shared}}}}
	r, err := llm.Stream(func(yield func(*llm.Reply, error) bool) {
		if !yield(f, nil) {
			return
		}
		copy(shared, `"XXXXXXXXXX`)
		f.Choices = []llm.Choice{{Index: 1, Parts: []llm.Part{llm.NewText("!")}, Finish: llm.FinishStop}}
		f.Usage = &llm.Usage{Prompt: 1}
		if yield(f, nil) {
			f.Usage.Prompt = 9
		}
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	c := r.Choices[0]
	if len(r.Choices) != 1 || c.Index != 1 || c.Parts[0].(llm.Text).String() != "Hello!" || c.Finish != llm.FinishStop || r.Usage.Prompt != 1 || string(c.Extra["x"]) != `"Hel\u006co"` {
		t.Errorf("got %+v", r)
	}
}

func TestFragmentsOutOfOrderAreNoReply(t *testing.T) {
	for name, fs := range map[string][]llm.Choice{
		"a gap":               {{At: 1, Parts: []llm.Part{llm.NewText("a")}}},
		"before the first":    {{At: -1, Parts: []llm.Part{llm.NewText("a")}}},
		"another kind":        {{Parts: []llm.Part{llm.NewText("a")}}, {Parts: []llm.Part{llm.ToolCall{}}}},
		"another call":        {{Parts: []llm.Part{llm.ToolCall{ID: "a"}}}, {Parts: []llm.Part{llm.ToolCall{ID: "b"}}}},
		"too many parts":      {{Parts: make([]llm.Part, 1025)}},
		"another after whole": {{Parts: []llm.Part{llm.Image{}}}, {Parts: []llm.Part{llm.Image{}}}},
	} {
		_, err := llm.Whole(&llm.Reply{Choices: fs}).Collect()
		if err == nil || llm.AsError(err).Kind != llm.Upstream {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
