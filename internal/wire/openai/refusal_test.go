package openai_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
)

func TestARefusalIsToldAtEveryDoor(t *testing.T) {
	const (
		whole = `{"id":"i","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I \"won't\"."},"finish_reason":"stop"}]}`
		words = `I \"won't\".`
	)
	decoded, err := openai.Codec{Contract: llm.WireOpenAI}.DecodeReply(llm.OpChat, []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	streamed := decodeStream(t, llm.OpChat, `data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null}}]}

data: {"choices":[{"index":0,"delta":{"refusal":"I \"wo"}}]}

data: {"choices":[{"index":0,"delta":{"refusal":"n't\"."},"finish_reason":"stop"}]}

data: [DONE]

`)
	for wire, want := range map[llm.Wire]struct{ whole, delta string }{
		llm.WireOpenAI:    {`"message":{"role":"assistant","content":null,"refusal":"` + words + `","annotations":[]}`, `"delta":{"refusal":"` + words + `"}`},
		llm.WireAzure:     {`"message":{"role":"assistant","content":null,"refusal":"` + words + `","annotations":[]}`, `"delta":{"refusal":"` + words + `"}`},
		llm.WireInference: {`"message":{"role":"assistant","content":"` + words + `","tool_calls":null}`, `"content":"` + words + `"`},
	} {
		for name, r := range map[string]*llm.Reply{"whole": decoded, "streamed": streamed} {
			r = r.Clone()
			r.Source = llm.Source{}
			if got := string(reply.AppendChat(nil, r, head, reply.Style{Wire: wire})); !strings.Contains(got, want.whole) {
				t.Errorf("%s, %s: got %s", wire, name, got)
			}
			e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Wire: wire})
			if got := string(e.End(e.Fragment(nil, r))); !strings.Contains(got, want.delta) {
				t.Errorf("%s, %s: streamed %s", wire, name, got)
			}
		}
	}
}
