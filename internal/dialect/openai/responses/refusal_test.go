package responses_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

func refuses(words ...string) *script.Model {
	m := &script.Model{}
	for _, w := range words {
		m.Fragments = append(m.Fragments, part(0, llm.Refusal{Text: llm.NewText(w)}))
	}
	m.Fragments = append(m.Fragments, end(llm.FinishStop))
	return m
}

func TestARefusalIsAPartOfItsOwn(t *testing.T) {
	const (
		at      = `"item_id":"msg_X_0","output_index":0,"content_index":0`
		refused = `{"id":"msg_X_0","type":"message","status":"completed","role":"assistant","content":[{"type":"refusal","refusal":"I won't."}]}`
	)
	synctest.Test(t, func(t *testing.T) {
		m := refuses("I wo", "n't.")
		if d := cmp.Diff(response("completed", refused, usage), ask(t, api(m, nil), "POST /v1/responses", hi)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		want := all(opened(), []string{
			"response.output_item.added", `"output_index":0,"item":{"id":"msg_X_0","type":"message","status":"in_progress","role":"assistant","content":[]}`,
			"response.content_part.added", at + `,"part":{"type":"refusal","refusal":""}`,
			"response.refusal.delta", at + `,"delta":"I wo"`,
			"response.refusal.delta", at + `,"delta":"n't."`,
			"response.refusal.done", at + `,"refusal":"I won't."`,
			"response.content_part.done", at + `,"part":{"type":"refusal","refusal":"I won't."}`,
			"response.output_item.done", `"output_index":0,"item":` + refused,
			"response.completed", `"response":` + response("completed", refused, usage),
		})
		got, _ := exchange(t, api(m, nil), "POST /v1/responses", hiStreamed)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestAConversationGoesOnAfterARefusal(t *testing.T) {
	m := refuses("I won't.")
	h := api(m, store(t))
	create(t, h, body("b", `"previous_response_id":"`+create(t, h, body("a"))+`"`))
	want := `{"role":"user","content":"a"},{"role":"assistant","content":"I won't."},{"role":"user","content":"b"}`
	if got := string(encode.AppendChat(nil, m.Last())); !strings.Contains(got, want) {
		t.Errorf("got %s", got)
	}
}
