package azureai_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/route"
)

// limited is a door over mocks whose records are changed.
func limited(t *testing.T, change func(*llm.ModelInfo)) string {
	t.Helper()
	var ds []route.Deployment
	for _, n := range mocks[:3] {
		m := mock.New(n.options)
		infos, err := m.Models(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		infos[0].Deployment = n.deployment
		change(&infos[0])
		ds = append(ds, route.Deployment{Targets: []route.Target{{Backend: m, Info: infos[0]}}})
	}
	rt := route.New(ds, "", route.Aliases{})
	return door(t, func(o *azureai.Options) { o.Backend, o.Models = rt, rt })
}

func TestWhatAModelCannotDoIsRefusedByNameOrDropped(t *testing.T) {
	t.Parallel()
	addr := limited(t, func(m *llm.ModelInfo) { m.Features, m.Inputs = llm.Features{}, 2 })
	cannot := func(member, what, loc, input string) string {
		msg := "Deployment 'echo' does not support " + what + "."
		return unprocessable("parameter_not_supported", "One of the parameters contains invalid values: "+member+". "+msg, member, "parameter_not_supported", msg, loc, input, "x-ingot-deployment: echo")
	}
	without := func(members string) string {
		return strings.Replace(ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"length",`+
			`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`),
			"x-ingot-provider", members+"x-ingot-provider", 1)
	}
	chat := func(members string, headers ...string) string {
		return post("/chat/completions"+v2024, `{"max_tokens":0,`+asked+members+`}`, headers...)
	}
	const drop = "extra-parameters: drop"
	prefix := `{"max_tokens":0,"messages":[{"role":"user","content":"Hi you"},{"role":"assistant","prefix":true}]}`
	compare(t, addr, []exchange{
		{"audio", chat(`,"modalities":["audio","text"]`), cannot("modalities", "'modalities'", `"body","modalities"`, `["audio","text"]`)},
		{"audio, dropped", chat(`,"modalities":["audio","text"]`, drop), without("x-ingot-dropped: modalities\n")},
		{"text alone", chat(`,"modalities":["text"]`), without("")},
		{"a schema", chat(`,"response_format":{"type":"json_object"}`), cannot("response_format", "'response_format'", `"body","response_format"`, `{"type":"json_object"}`)},
		{"tools", chat(`,"tools":[{"type":"function","function":{"name":"f"}}]`), cannot("tools", "'tools'", `"body","tools"`, `[{"type":"function","function":{"name":"f"}}]`)},
		{"tools, dropped with what goes with them", chat(`,"tool_choice":"required","tools":[{"type":"function","function":{"name":"f"}}],"n":2,"x":1`, drop), without("x-ingot-dropped: n, x, tools, tool_choice\n")},
		{"no tools to choose from", chat(`,"tool_choice":"auto"`), without("")},
		{"a prefix", post("/chat/completions"+v2024, prefix), cannot("messages", "prefix in 'messages'", `"body","messages",1,"prefix"`, "true")},
		{"a prefix is never dropped", post("/chat/completions"+v2024, prefix, drop), cannot("messages", "prefix in 'messages'", `"body","messages",1,"prefix"`, "true")},
		{
			"an image", post("/chat/completions", `{"messages":[{"role":"user","content":[{"image_url":{"url":"data:image/png;base64,AA=="},"type":"image_url"}]}]}`),
			cannot("messages", "images in 'messages'", `"body","messages",0,"content",0`, `{"image_url":{"url":"data:image/png;base64,AA=="},"type":"image_url"}`),
		},
		{"token ids", post("/completions", `{"prompt":[[1]]}`), cannot("prompt", "token ids in 'prompt'", `"body","prompt",0`, "[1]")},
		{"a suffix", post("/completions", `{"prompt":"a","suffix":"b"}`), cannot("suffix", "'suffix'", `"body","suffix"`, `"b"`)},
		{
			"too many inputs", post("/embeddings", `{"input":["a","b","c"]}`),
			unprocessable("Invalid input", "Invalid input: input: List should have at most 2 items after validation, not 3.", "input", "too_long",
				"List should have at most 2 items after validation, not 3", `"body","input"`, `["a","b","c"]`, "x-ingot-deployment: vectors"),
		},
	})
	if got := answer(t, addr, post("/embeddings", `{"input":["a","b"]}`)); !strings.HasPrefix(got, "200\n") {
		t.Errorf("as many as allowed: %s", got)
	}
}

func TestAPermanentFailureAsksNobodyToTryAgain(t *testing.T) {
	t.Parallel()
	for kind, want := range map[llm.Kind]string{
		llm.Unavailable: refusal(503, "ServiceUnavailable", "No.", "server_error", "", "x-should-retry: false"),
		llm.RateLimited: refusal(429, "429", "No.", "rate_limit_error", ""),
		llm.Upstream:    refusal(502, "BackendError", "No.", "server_error", ""),
	} {
		addr := door(t, backed(&script.Model{Err: &llm.Error{Kind: kind, Message: "No."}}))
		compare(t, addr, []exchange{{kind.String(), post("/chat/completions", hi), want}})
	}
}
