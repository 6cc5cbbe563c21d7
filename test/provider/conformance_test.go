package provider_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

const limitedKey = "key-with-a-small-limit"

// examined is how each check of the contract ended, and what was wrong where it should not be.
func examined(t *testing.T, url string) map[string]string {
	t.Helper()
	r, err := conformance.Run(t.Context(), url, conformance.Options{
		Key: key, LimitedKey: limitedKey, Version: "2024-05-01-preview", Timeout: time.Minute, FilterPrompt: "mock:filter",
		Chat: "chat", Completion: "chat", Embedding: "embed", Images: "pictures", Reasoning: "thinker", Failing: "failing",
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i := range r.Results {
		res := &r.Results[i]
		got[res.Check.Name] = string(res.Outcome())
		for _, fault := range res.Faults {
			if strings.HasSuffix(url, "/v1") { // quotes of ids and times
				break
			}
			got[res.Check.Name] += ": " + fault
		}
	}
	if r.Count(report.OK) < 200 {
		t.Errorf("%s: only %d checks are passed", url, r.Count(report.OK))
	}
	return got
}

// The models have other names at the second Ingot than at the first, as its operator may choose. Foundry is asked in the
// version that tells thoughts from answers.
func TestTwoIngotsInARowKeepTheContractAsOneDoes(t *testing.T) {
	t.Parallel()
	const limited = "  - {name: limited, key: " + limitedKey + ", requests_per_minute: 3}\n"
	one := serve(t, models)
	alone := serve(t, limited+`
models:
  chat: {provider: mock}
  embed: {provider: mock, mock: {behaviour: embedding}}
  pictures: {provider: mock, mock: {behaviour: image-embedding}}
  thinker: {provider: mock, mock: {behaviour: reasoning}}
  failing: {provider: mock, mock: {behaviour: count, max_tokens: 6, tokens_per_second: 50, fault: {error: 3}}}
`)
	// OpenAI's door does not keep this contract, but says what it says in a row of two as well.
	doors := []string{"", "/models", "/v1"}
	single := map[string]map[string]string{}
	for _, door := range doors {
		single[door] = examined(t, alone+door)
	}
	for name, provider := range map[string]string{
		"Ingot":   `{type: openai, endpoint: "` + one + `", flavour: ingot, key: ` + key + `}`,
		"Foundry": `{type: azure, endpoint: "` + one + `/models", api_version: "2025-04-01", key: ` + key + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two := serve(t, limited+`
providers: {up: `+provider+`}
models:
  chat: {provider: up, model: echo}
  embed: {provider: up, model: vec, kind: embedding}
  pictures: {provider: up, model: pix, kind: image-embedding}
  thinker: {provider: up, model: think}
  failing: {provider: up, model: fails}
`)
			for _, door := range doors {
				if d := cmp.Diff(single[door], examined(t, two+door)); d != "" {
					t.Errorf("%s: one (-) and two (+) in a row: %s", door, d)
				}
			}
		})
	}
}
