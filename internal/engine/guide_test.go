package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestTheChildGetsTheGrammarThatItObeys(t *testing.T) {
	p := pool(t, 0)
	for name, want := range map[string]string{"guided": "start: x", "unguided": "root ::= x", "refuses": "root ::= x"} {
		m := p.Model(local(name))
		for _, c := range []struct{ grammar, plain, want string }{
			{"start: x", "root ::= x", want},
			{"start: x", "root ::= x", want}, // it is asked once
			{"", "root ::= x", "root ::= x"},
			{"", "", ""},
		} {
			r, err := m.Chat(t.Context(), with(chat("echo"), func(r *llm.ChatRequest) { r.Grammar, r.PlainGrammar = c.grammar, c.plain })).Collect()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := echoed(t, r, 0); got.Grammar != c.want {
				t.Errorf("%s: the child gets %q, want %q", name, got.Grammar, c.want)
			}
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
