package openai_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
)

func TestThePathsOfOpenAIAndOfAzureOpenAIBelongHere(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/v1/chat/completions": true, "//v1/chat/completions": true, "/v1": true, "/v1/anything": true, "/openai/v1/models": true,
		"/openai/deployments/d/chat/completions": true, "/openai/": true, "/inference/v1/chat/completions": true,
		"/inference//v1/chat/completions": true, "/inference/openai/deployments/openai/gpt-4o-mini/chat/completions": true,
		"/orgs/acme/inference/v1/models": true, "/orgs/acme/inference/chat/completions": false,
		"/": false, "/chat/completions": false, "/models/chat/completions": false, "/inference/chat/completions": false,
		"/deployments/v1/chat/completions": false, "/V1/models": false, "/v1%zz": false,
	} {
		if got := openai.Serves(dialect.Segments(path)); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

func TestThePlacesOfAModel(t *testing.T) {
	t.Parallel()
	h := door(t, nil)
	const hi = `{"model":"echo","messages":[{"role":"user","content":"Hi"}]}`
	who := func(path, body string) string { return deploymentOf(answer(t, h, "POST "+path, body)) }
	got := map[string]string{}
	want := map[string]string{
		"/v1/chat/completions":                                                  "echo",
		"//v1//chat/completions/":                                               "echo",
		"/openai/v1/chat/completions":                                           "echo",
		"/inference/v1/chat/completions":                                        "echo",
		"/orgs/acme/inference/v1/chat/completions":                              "echo",
		"/openai/deployments/think/chat/completions":                            "think",
		"/openai/deployments/two%20words/chat/completions":                      "two words",
		"/openai/deployments/openai/gpt-4o/chat/completions":                    "openai/gpt-4o",
		"/openai/deployments/openai%2Fgpt-4o/chat/completions":                  "openai/gpt-4o",
		"/inference/openai/deployments/openai/gpt-4o/chat/completions?a=b":      "openai/gpt-4o",
		"/openai/deployments/ECHO/chat/completions?api-version=2024-10-21":      "echo",
		"/openai/deployments/chat/chat/completions?api-version=2024-10-21":      "chat",
		"/openai/deployments/chat/chat/completions?api-version=2025-01-preview": "404",
	}
	for path := range want {
		got[path] = who(path, hi)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
