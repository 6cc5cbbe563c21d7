package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAGrammarGoesOnlyToAChildThatObeysIt(t *testing.T) {
	p := pool(t, 0)
	guided := with(chat("echo"), func(r *llm.ChatRequest) { r.Grammar = "start: x" })
	for name, obeys := range map[string]bool{"guided": true, "unguided": false, "refuses": false} {
		m := p.Model(local(name))
		for range 2 { // it is asked once
			r, err := m.Chat(t.Context(), guided).Collect()
			if !obeys {
				e := llm.AsError(err)
				if e.Kind != llm.Unsupported || !strings.Contains(e.Message, "LLAMA_LLGUIDANCE") || !strings.Contains(e.Message, "ingot engine install") {
					t.Errorf("%s: got %v", name, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := echoed(t, r, 0); got.Grammar != "start: x" {
				t.Errorf("%s: the child gets %+v", name, got)
			}
		}
		if _, err := m.Chat(t.Context(), chat("hello")).Collect(); err != nil {
			t.Errorf("%s without a grammar: %v", name, err)
		}
	}
}

func TestALastMessageIsContinuedWhereTheRequestSaysSo(t *testing.T) {
	p := pool(t, 0)
	m, old := p.Model(local("new")), p.Model(local("old"))
	begun := &llm.ChatRequest{Messages: []llm.Message{message(llm.User, "Go"), message(llm.Assistant, "echo")}}
	ask := func() request {
		r, err := m.Chat(t.Context(), begun).Collect()
		if err != nil {
			t.Fatal(err)
		}
		return echoed(t, r, 0)
	}
	if got := ask(); got.Continue || got.Begin != nil {
		t.Errorf("unasked: %+v", got)
	}
	begun.Messages[1].Prefix = true
	if got := ask(); !got.Continue || got.Begin == nil || *got.Begin {
		t.Errorf("asked: %+v", got)
	}
	_, err := old.Chat(t.Context(), begun).Collect()
	if e := llm.AsError(err); e.Kind != llm.Unsupported || len(e.Details) != 1 || cmp.Diff([]any{"body", "messages", 1, "prefix"}, e.Details[0].Loc) != "" {
		t.Errorf("an old server: %v", err)
	}
}
