package openai_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	wrong = "invalid_request_error"
	names = "Deployments: echo, think, vectors, openai/gpt-4o, two words, cut, fail, chat."
)

func TestEveryKindOfErrorHasItsStatusCodeAndHeadersAtBothDoors(t *testing.T) {
	t.Parallel()
	const m = "It went wrong."
	retry := []string{"retry-after: 2", "retry-after-ms: 1500"}
	filtered := func(kind string) string {
		return "400\ncontent-type: application/json\nx-ms-error-code: content_filter\n\n" +
			`{"error":{"message":"It went wrong.","type":` + kind + `,"param":null,"code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`
	}
	for kind, want := range map[llm.Kind]struct{ v1, azure string }{
		llm.Malformed:       {refusal(400, "invalid_json", m, wrong, ""), refusal(400, "invalid_json", m, wrong, "")},
		llm.Invalid:         {refusal(400, "invalid_value", m, wrong, ""), refusal(400, "invalid_value", m, wrong, "")},
		llm.UnknownParam:    {refusal(400, "unknown_parameter", m, wrong, ""), refusal(400, "unknown_parameter", m, wrong, "")},
		llm.NoVersion:       {refusal(400, "missing_required_parameter", m, wrong, ""), refusal(400, "MissingApiVersionParameter", m, wrong, "")},
		llm.NoModel:         {refusal(400, "missing_required_parameter", m, wrong, ""), refusal(400, "missing_required_parameter", m, wrong, "")},
		llm.UnknownModel:    {refusal(404, "model_not_found", m, wrong, ""), refusal(404, "DeploymentNotFound", m, "not_found_error", "")},
		llm.NoDeployment:    {refusal(404, "DeploymentNotFound", m, wrong, ""), refusal(404, "DeploymentNotFound", m, "not_found_error", "")},
		llm.NoOperation:     {refusal(404, "not_found", m, "not_found_error", ""), refusal(404, "NotFound", m, "not_found_error", "")},
		llm.NotFound:        {refusal(404, "not_found", m, "not_found_error", ""), refusal(404, "NotFound", m, "not_found_error", "")},
		llm.NoRoute:         {refusal(404, "unknown_url", m, wrong, ""), refusal(404, "404", m, "not_found_error", "")},
		llm.BadHost:         {refusal(403, "permission_denied", m, "permission_error", ""), refusal(403, "PermissionDenied", m, "permission_error", "")},
		llm.Method:          {refusal(405, "method_not_allowed", m, wrong, ""), refusal(405, "MethodNotAllowed", m, wrong, "")},
		llm.MediaType:       {refusal(415, "unsupported_media_type", m, wrong, ""), refusal(415, "UnsupportedMediaType", m, wrong, "")},
		llm.TooLarge:        {refusal(413, "request_too_large", m, wrong, ""), refusal(413, "RequestEntityTooLarge", m, wrong, "")},
		llm.Late:            {refusal(408, "request_timeout", m, wrong, "", "connection: close"), refusal(408, "RequestTimeout", m, wrong, "", "connection: close")},
		llm.TooLong:         {refusal(400, "context_length_exceeded", m, wrong, ""), refusal(400, "context_length_exceeded", m, wrong, "")},
		llm.Unauthenticated: {refusal(401, "invalid_api_key", m, "authentication_error", "", "www-authenticate: Bearer"), refusal(401, "401", m, "authentication_error", "", "www-authenticate: Bearer")},
		llm.Denied:          {refusal(403, "permission_denied", m, "permission_error", ""), refusal(403, "PermissionDenied", m, "permission_error", "")},
		llm.Unsupported:     {refusal(400, "unsupported_parameter", m, wrong, ""), refusal(400, "unsupported_parameter", m, wrong, "")},
		llm.RateLimited:     {refusal(429, "rate_limit_exceeded", m, "rate_limit_error", "", retry...), refusal(429, "429", m, "rate_limit_error", "", retry...)},
		llm.OverBudget:      {refusal(429, "insufficient_quota", m, "insufficient_quota", "", "x-should-retry: false"), refusal(429, "insufficient_quota", m, "insufficient_quota", "", "x-should-retry: false")},
		llm.Filtered:        {filtered(`"invalid_request_error"`), filtered("null")},
		llm.Canceled:        {refusal(499, "request_canceled", m, wrong, ""), refusal(499, "RequestCanceled", m, wrong, "")},
		llm.Timeout:         {refusal(504, "timeout", m, "server_error", ""), refusal(504, "Timeout", m, "server_error", "")},
		llm.Unavailable:     {refusal(503, "service_unavailable", m, "server_error", "", retry...), refusal(503, "ServiceUnavailable", m, "server_error", "", retry...)},
		llm.Upstream:        {refusal(502, "upstream_error", m, "server_error", ""), refusal(502, "BackendError", m, "server_error", "")},
	} {
		h := door(t, backed(&script.Model{Err: &llm.Error{Kind: kind, Message: m, RetryAfter: wait}}))
		for path, want := range map[string]string{v1Chat: want.v1, azureChat: want.azure} {
			for _, body := range []string{`{` + asked + `}`, `{"stream":true,` + asked + `}`} { // which fails as any other before the first byte
				t.Run(kind.String()+" "+path+body[:4], func(t *testing.T) {
					t.Parallel()
					if d := cmp.Diff(want, answer(t, h, path, body)); d != "" {
						t.Errorf("-want +got:\n%s", d)
					}
				})
			}
		}
	}
}

func TestALimitSaysWhatThereIsTooLittleOf(t *testing.T) {
	t.Parallel()
	h := door(t, backed(&script.Model{Err: &llm.Error{Kind: llm.RateLimited, Message: "Slow down.", Code: llm.CodeTokens, RetryAfter: wait}}))
	compare(t, h, []exchange{
		{"at v1", v1Chat, `{` + asked + `}`, nil, refusal(429, "rate_limit_exceeded", "Slow down.", "tokens", "", "retry-after: 2", "retry-after-ms: 1500")},
		{"at Azure OpenAI", azureChat, `{` + asked + `}`, nil, refusal(429, "429", "Slow down.", "rate_limit_error", "", "retry-after: 2", "retry-after-ms: 1500")},
	})
}

func TestAServersOwnWordsForAFaultAreKept(t *testing.T) {
	t.Parallel()
	h := door(t, backed(&script.Model{Err: &llm.Error{Kind: llm.Invalid, Status: 400, Code: "invalid_type", Param: "tools[0].function", Message: "Invalid type for 'tools[0].function'."}}))
	if d := cmp.Diff(refusal(400, "invalid_type", "Invalid type for 'tools[0].function'.", wrong, "tools[0].function"), answer(t, h, v1Chat, `{`+asked+`}`)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestABugOfOursIsToldByItsIDOnly(t *testing.T) {
	t.Parallel()
	h := door(t, backed(&script.Model{Err: context.Canceled}))
	if got := answer(t, h, v1Chat, `{`+asked+`}`); !strings.HasPrefix(got, "499\n") {
		t.Error(got)
	}
	h = door(t, backed(&script.Model{Err: errors.New("secret")}))
	got := answer(t, h, azureChat, `{`+asked+`}`)
	if strings.Contains(got, "secret") || !strings.HasPrefix(got, "500\n") || !strings.Contains(got, `"code":"InternalServerError"`) {
		t.Error(got)
	}
}

func TestWhatAFilterFoundIsTold(t *testing.T) {
	t.Parallel()
	found := `{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":true,"detected":true},"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}`
	head := "400\ncontent-type: application/json\nx-ingot-attempts: 1\nx-ingot-deployment: echo\nx-ingot-provider: mock\nx-ms-error-code: content_filter\n\n"
	body := `{"error":{"message":"The response was filtered: the prompt contains mock:filter, which this mock model refuses as a content filter would.","type":KIND,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":` + found + `}}}`
	asks := `{"model":"echo","messages":[{"role":"user","content":"mock:filter"}]}`
	compare(t, door(t, nil), []exchange{
		{"at Azure OpenAI", azureChat, asks, nil, head + strings.Replace(body, "KIND", "null", 1)},
		{"at v1", v1Chat, asks, nil, head + strings.Replace(body, "KIND", `"invalid_request_error"`, 1)},
	})
	annotated := &script.Model{Fragments: []*llm.Reply{
		{Model: "m", Extra: llm.Extra{"prompt_filter_results": []byte(`[{"prompt_index":0}]`)}},
		{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("Hi")}}}},
		{Choices: []llm.Choice{{Finish: llm.FinishFilter, Extra: llm.Extra{"content_filter_results": []byte(`{"hate":{}}`)}}}},
	}}
	plainChat := strings.TrimSuffix(chat("m", "content_filter", `"content":"Hi"`, ""), ",}") + "}"
	told := strings.Replace(strings.TrimSuffix(plainChat, "}]}"), `"logprobs":null`, `"logprobs":null,"content_filter_results":{"hate":{}}`, 1) + `}],"prompt_filter_results":[{"prompt_index":0}]}`
	ends := strings.TrimSuffix(end("m", "content_filter"), "}]}")
	compare(t, door(t, backed(annotated)), []exchange{
		{"kept back", azureChat, `{` + asked + `}`, nil, plain(plainChat)},
		{"kept back from a stream", azureChat, `{"stream":true,` + asked + `}`, nil, streamOf(chunk("m", role), chunk("m", `"content":"Hi"`), ends+"}]}", "[DONE]")},
	})
	compare(t, door(t, func(o *openai.Options) { o.Backend, o.Annotations = annotated, true }), []exchange{
		{"let out", azureChat, `{` + asked + `}`, nil, plain(told)},
		{
			"let out in a stream", azureChat, `{"stream":true,` + asked + `}`, nil,
			streamOf(`{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}`,
				chunk("m", role), chunk("m", `"content":"Hi"`), ends+`,"content_filter_results":{"hate":{}}}]}`, "[DONE]"),
		},
	})
}

// streamOf is a streamed answer of a backend that says nothing of itself.
func streamOf(data ...string) string {
	return "200\ncache-control: no-cache\ncontent-type: text/event-stream\nx-accel-buffering: no\n\n" + frames(data...)
}

func TestAStreamThatFailsSaysSoAndBreaksOff(t *testing.T) {
	t.Parallel()
	h := door(t, nil)
	begun := func(deployment, model string) string {
		return events(deployment, chunk(model, role), chunk(model, `"content":"Hi"`))
	}
	const broken = "<net/http: abort Handler>"
	failed := func(code string) string {
		return frames(failure(code, "The mock model fails on purpose after 1 tokens.", "server_error", ""))
	}
	compare(t, h, []exchange{
		{"at v1", v1Chat, `{"stream":true,` + strings.Replace(asked, "echo", "fail", 1) + `}`, nil, begun("fail", "parrot-5") + failed("upstream_error") + broken},
		{"at Azure OpenAI", "POST /openai/deployments/fail/chat/completions", `{"stream":true,` + asked + `}`, nil, begun("fail", "parrot-5") + failed("BackendError") + broken},
		{"cut without a word", v1Chat, `{"stream":true,` + strings.Replace(asked, "echo", "cut", 1) + `}`, nil, begun("cut", "parrot-4") + broken},
	})
}

func TestWhoMayNotCallIsToldFirst(t *testing.T) {
	t.Parallel()
	const noKey = "Auth token validation failed. Please provide a valid key or a valid AAD token"
	v1 := refusal(401, "invalid_api_key", noKey, "authentication_error", "", "www-authenticate: Bearer")
	azure := refusal(401, "401", noKey, "authentication_error", "", "www-authenticate: Bearer")
	none := []string{"api-key: other"}
	compare(t, door(t, nil), []exchange{
		{"at v1", v1Chat, `{`, none, v1},
		{"at Azure OpenAI", azureChat, `{`, none, azure},
		{"at a path of v1 that is none", "GET /v1/nothing", "", none, v1},
		{"at a path of Azure OpenAI that is none", "GET /openai/nothing", "", none, azure},
	})
	h := door(t, func(o *openai.Options) { o.AllowHost = func(string) bool { return false } })
	if got := answer(t, h, "GET /v1/models", ""); !strings.HasPrefix(got, "403\n") || !strings.Contains(got, `"code":"permission_denied"`) {
		t.Error(got)
	}
}
