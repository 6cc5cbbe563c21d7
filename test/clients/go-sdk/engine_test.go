package sdk_test

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
	"github.com/ingot-llm/ingot/client/tool"
	"github.com/ingot-llm/ingot/client/typed"
	"github.com/ingot-llm/ingot/test/clients/served"
)

type recipe struct {
	Name    string   `json:"name" jsonschema:"minLength=1,maxLength=40"`
	Minutes int      `json:"minutes" jsonschema:"minimum=1,maximum=240"`
	Kind    string   `json:"kind" jsonschema:"enum=soup,enum=cake"`
	Note    *string  `json:"note" jsonschema:"maxLength=20"`
	Needs   []string `json:"needs" jsonschema:"minItems=1,maxItems=3,maxLength=20"`
}

func TestRealModelsAnswer(t *testing.T) {
	s := served.Here(t)
	c := of(t, s, "", nil)
	ask := func(text string) *client.ChatRequest {
		r := says(text)
		r.MaxTokens, r.Temperature, r.Seed = new(64), new(0.0), new(int64(7))
		return r
	}
	t.Run("chat", func(t *testing.T) {
		whole, err := c.Chat(t.Context(), ask(france))
		if text := must(t, whole, err).Text(); !strings.Contains(text, "Paris") {
			t.Errorf("got %q", text)
		}
		streamed, err := collect.Chat(c.ChatStream(t.Context(), ask(france)))
		if must(t, streamed, err).Text() != whole.Text() || streamed.Usage.TotalTokens != whole.Usage.TotalTokens {
			t.Errorf("got %q streamed and %q whole", streamed.Text(), whole.Text())
		}
	})
	t.Run("structured output", func(t *testing.T) {
		r := ask("Write a recipe for a simple soup.")
		r.MaxTokens = new(300)
		dish, _, err := typed.Chat[recipe](t.Context(), c, r)
		if must(t, dish, err); dish.Name == "" || dish.Minutes < 1 || dish.Minutes > 240 || dish.Kind != "soup" && dish.Kind != "cake" || len(dish.Needs) == 0 {
			t.Errorf("got %+v", dish)
		}
	})
	t.Run("tools", func(t *testing.T) {
		type place struct {
			City string `json:"city" jsonschema:"maxLength=40"`
		}
		var asked []string
		look, err := tool.NewStrict("get_weather", "Tells the weather of a city.", func(_ context.Context, p place) (string, error) {
			asked = append(asked, p.City)
			return "21 degrees and sunny", nil
		})
		must(t, look, err)
		r := ask("What is the weather in Paris?")
		r.ToolChoice = &client.ToolChoice{Mode: client.ToolRequired}
		reply, _, err := tool.Run(t.Context(), c, r, 5, look)
		if must(t, reply, err); len(asked) == 0 || !strings.Contains(asked[0], "Paris") || reply.Text() == "" {
			t.Errorf("got %q, and it asked for %q", reply.Text(), asked)
		}
	})
	t.Run("examples", func(t *testing.T) {
		at := []string{"INGOT_ENDPOINT=" + s.At(""), "INGOT_KEY=" + key}
		for name, pattern := range map[string]string{
			"basic-chat":        `(?s)Paris.*\nsmollm2: \d+ tokens in, \d+ out\n$`,
			"model-info":        `^smollm2 of .+: chat_completion\n$`,
			"structured-output": `^".+" takes \d+ min and .+\n$`,
			"text-completion":   `(?s)^.+\n\(smollm2, length\)\n$`,
			"tools":             `^\(the weather of ".*Paris.*" is looked up\)\n.+`,
		} {
			if out, failed := example(t, name, at...); !regexp.MustCompile(pattern).MatchString(out) {
				t.Errorf("%s: got %q, %s", name, out, failed)
			}
		}
		for question, nearest := range map[string]string{"": "bicycle", "Why does the ocean come and go?": "tides", "How do I keep my king safe?": "chess"} {
			arguments := at
			if question != "" {
				arguments = append(slices.Clone(at), question)
			}
			out, failed := example(t, "embedding-search", arguments...)
			ranks(t, out, failed, nearest)
		}
	})
}

// ranks checks a ranking: every text, the nearest first and by far.
func ranks(t *testing.T, out, failed, nearest string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
	texts, err := filepath.Glob(filepath.Join(examplesSource(), "..", "texts", "*.txt"))
	if must(t, texts, err); len(lines) != len(texts) || len(lines) < 2 {
		t.Fatalf("got %q, %s", out, failed)
	}
	score := func(line string) float64 {
		f, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
		return must(t, f, err)
	}
	if strings.Fields(lines[0])[1] != nearest || score(lines[0]) < score(lines[1])+0.1 {
		t.Errorf("got %q, want %s first", out, nearest)
	}
	if !slices.IsSortedFunc(lines, func(a, b string) int { return -int(1000*score(a)) + int(1000*score(b)) }) {
		t.Errorf("got %q, not in order", out)
	}
}
