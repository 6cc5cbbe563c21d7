package llm_test

import (
	"testing"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAModelOfTheSameNameNeedsNoCopy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		said, field, name string
		same              bool
	}{
		{`"gpt"`, "gpt", "gpt", true},
		{`"GPT"`, "gpt", "gpt", false}, // which the server may not know
		{`"gpt"`, "gpt", "other", false},
		{`"alias"`, "gpt", "gpt", false},
	} {
		r := &llm.ChatRequest{Envelope: llm.Envelope{Model: c.field}}
		body := []byte(`{"model":` + c.said + `}`)
		root, err := jsonx.ParseMembers(body, 1)
		if err != nil {
			t.Fatal(err)
		}
		r.SetSource(llm.WireOpenAI, body, root.Members)
		if got := r.WithModel(c.name); (got == r) != c.same || got.Model != c.name {
			t.Errorf("%s for %s: the same: %t, %q", c.said, c.name, got == r, got.Model)
		}
		again := r.WithModel("x").WithModel("gpt")
		if src, ok := again.Source(); !ok || len(src.Edits) != 2 || again.Model != "gpt" {
			t.Errorf("%s: renamed twice it has %d edits", c.said, len(src.Edits))
		}
	}
}
