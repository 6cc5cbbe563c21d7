package provider_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
)

func TestErrorsCallTheModelWhatCallersCallIt(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for said, want := range map[string]string{
			"Deployment 'served-there' does not hear.":    "Deployment 'asked' does not hear.",
			"The model `served-there` is a served-there.": "The model `asked` is a served-there.",
		} {
			b, _ := v.backend(t, failing(http.StatusBadRequest, `{"error":{"message":"`+said+`"}}`), func(c *provider.Config) { c.Model = "served-there" })
			_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
			if got := llm.AsError(err).Message; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		const gone = "The model 'served-there' is gone"
		b, _ := v.backend(t, failing(http.StatusNotFound, `{"error":{"message":"`+gone+`"}}`), func(c *provider.Config) { c.Model = "served-there" })
		_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
		if e := llm.AsError(err); e.Err == nil || !strings.Contains(e.Err.Error(), gone) || strings.Contains(e.Message, "served-there") {
			t.Errorf("the log has %v, the caller %s", e.Err, e.Message)
		}
	})
}

func TestAnotherIngotIsAskedInTheContractOfTheCaller(t *testing.T) {
	for endpoint, root := range map[string]string{
		"http://127.0.0.1:9": "http://127.0.0.1:9", "http://127.0.0.1:9/v1": "http://127.0.0.1:9", "http://127.0.0.1:9/openai/v1": "http://127.0.0.1:9",
		"https://models.example/team/v1/": "https://models.example/team",
	} {
		v := variant{kind: "openai", c: provider.Config{Endpoint: endpoint, Flavour: "ingot", Model: "theirs"}}
		b, s := v.backend(t, whole(full))
		const sent = `{"max_tokens":0,"messages":[{"role":"user","content":"Hi"}],"model":`
		for _, r := range []*llm.ChatRequest{chat(t, llm.WireInference, sent+`"asked"}`), chat(t, llm.WireInference, sent+`"asked"}`).Edit()} {
			reply, err := b.Chat(t.Context(), r).Collect()
			if err != nil {
				t.Fatal(err)
			}
			if got := s.last(t); got.url != root+"/models/chat/completions?api-version=2025-04-01" || reply.Source.Wire != llm.WireInference || !strings.Contains(got.body, `"max_tokens":0`) {
				t.Errorf("asked %s with %s", got.url, got.body)
			}
		}
		if _, err := b.Chat(t.Context(), chat(t, llm.WireAzure, plain)).Collect(); err != nil || !strings.HasSuffix(s.last(t).url, "/v1/chat/completions") {
			t.Errorf("asked %s: %v", s.last(t).url, err)
		}
	}
}

func TestWhatAnotherIngotDroppedIsSaid(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for body, reply := range map[string]func(*http.Request) (*http.Response, error){plain: whole(full), streamed: events(role, hello, stop, done)} {
			b, _ := v.backend(t, func(r *http.Request) (*http.Response, error) {
				res, err := reply(r)
				res.Header.Set("X-Ingot-Dropped", `top_k, "a, b", logit_bias`)
				return res, err
			})
			got, err := b.Chat(t.Context(), chat(t, v.contract, body)).Collect()
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{"top_k", "a, b", "logit_bias"}; !slices.Equal(got.Meta.Dropped, want) {
				t.Errorf("got %q, want %q", got.Meta.Dropped, want)
			}
		}
	})
}
