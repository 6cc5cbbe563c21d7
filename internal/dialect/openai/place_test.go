package openai_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/llm"
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
		"/openai//deployments//echo//chat/completions":                          "echo",
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

func TestAPathThatIsNotServedNamesTheOneThatWasMeant(t *testing.T) {
	t.Parallel()
	azure := func(hint string) string {
		return refusal(404, "404", "Resource not found. Azure OpenAI is served at /openai/deployments/{name}/chat/completions, /completions and /embeddings, and at /openai/models and /openai/responses."+hint, "not_found_error", "")
	}
	v1 := func(request, hint string) string {
		return refusal(404, "unknown_url", "Unknown request URL: "+request+". OpenAI is served at /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses and /v1/models, and the same below /openai/v1."+hint, wrong, "")
	}
	const doubled = " The address that the client was given names an operation already: remove /chat/completions from it, the client appends its own."
	compare(t, door(t, nil), []exchange{
		{"info of a deployment", "GET /openai/deployments/echo/info?api-version=2024-10-21", "", nil, azure("")},
		{"On Your Data", "POST /openai/deployments/echo/extensions/chat/completions", "{}", nil, azure(" Did you mean POST /openai/deployments/echo/chat/completions?")},
		{"embeddings of images", "POST /openai/deployments/echo/images/embeddings", `{"input": [{"image": "data:image/png;base64,AA=="}]}`, nil, azure(" Did you mean POST /openai/deployments/echo/embeddings?")},
		{"no deployment", "POST /openai/chat/completions", "{}", nil, azure(" Did you mean POST /openai/deployments/{name}/chat/completions?")},
		{"an empty name", "POST /openai/deployments//chat/completions", "{}", nil, azure(" Did you mean POST /openai/deployments/{name}/chat/completions?")},
		{"an empty name and a text", "POST /openai/deployments//completions", "{}", nil, azure(" Did you mean POST /openai/deployments/{name}/completions?")},
		{"a wrong end", "POST /openai/deployments/echo/embedding", "{}", nil, azure(" Did you mean POST /openai/deployments/echo/embeddings?")},
		{"the root", "GET /openai", "", nil, azure("")},
		{"nothing alike", "GET /v1/audio/speech", "", nil, v1("GET /v1/audio/speech", "")},
		{"an address pasted whole", "POST /v1/chat/completions/chat/completions", "{}", nil, v1("POST /v1/chat/completions/chat/completions", doubled)},
		{"a wrong end of v1", "POST /v1/chat/completion", "{}", nil, v1("POST /v1/chat/completion", " Did you mean POST /v1/chat/completions?")},
		{"a wrong end of v1 of Azure", "GET /openai/v1/model", "", nil, v1("GET /openai/v1/model", " Did you mean GET /openai/v1/models?")},
		{"responses that there are none of", "POST /v1/responses", "{}", nil, v1("POST /v1/responses", "")},
		{
			"an address of a deployment pasted whole", "POST /openai/deployments/echo/chat/completions/chat/completions", `{` + asked + `}`, nil,
			refusal(404, "DeploymentNotFound", "The API deployment 'echo/chat/completions' for this resource does not exist."+doubled, "not_found_error", ""),
		},
		{"a wrong method", "GET /v1/chat/completions", "", nil, refusal(405, "method_not_allowed", "Method Not Allowed: chat/completions takes POST.", wrong, "", "allow: POST, OPTIONS")},
		{"a wrong method of Azure OpenAI", "PUT /openai/deployments/echo/embeddings", "", nil, refusal(405, "MethodNotAllowed", "Method Not Allowed: embeddings takes POST.", wrong, "", "allow: POST, OPTIONS")},
		{"what it takes", "OPTIONS /v1/embeddings", "", nil, "204\nallow: POST, OPTIONS\n\n"},
		{"the head of a list", "HEAD /v1/models/echo", "", nil, answer(t, door(t, nil), "GET /v1/models/echo", "")},
	})
}

// listener answers responses with what it was asked.
type listener struct{}

func (listener) Create(w http.ResponseWriter, _ *http.Request, caller llm.Caller, body []byte, resolve func(string) (llm.ModelInfo, error)) error {
	info, err := resolve(string(body))
	if err != nil {
		return err
	}
	_, _ = io.WriteString(w, caller.Name+" asks "+info.Deployment)
	return nil
}

func (listener) Item(w http.ResponseWriter, r *http.Request, caller llm.Caller, rest []string) error {
	_, _ = io.WriteString(w, caller.Name+" asks with "+r.Method+" for "+strings.Join(rest, " "))
	return nil
}

func TestResponsesAreGivenToWhoAnswersThem(t *testing.T) {
	t.Parallel()
	h := door(t, func(o *openai.Options) { o.Responses = listener{} })
	compare(t, h, []exchange{
		{"one is made", "POST /v1/responses", "think", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks think"},
		{"one is made at v1 of Azure", "POST /openai/v1/responses/", "openai/gpt-4o", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks openai/gpt-4o"},
		{"one is made at Azure OpenAI", "POST /openai/responses?api-version=2025-03-01-preview", "echo", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks echo"},
		{"one is looked at there", "GET /openai/responses/resp_1", "", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks with GET for resp_1"},
		{"by a model that is not there", "POST /v1/responses", "gpt-9", nil, refusal(404, "model_not_found", "The model 'gpt-9' does not exist or you do not have access to it. "+names, wrong, "model")},
		{"one is looked at", "GET /v1/responses/resp_1/input_items", "", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks with GET for resp_1 input_items"},
		{"one is deleted", "DELETE /openai/v1/responses/resp_1", "", nil, "200\ncontent-type: text/plain; charset=utf-8\n\ntester asks with DELETE for resp_1"},
		{"all of them are asked for", "GET /v1/responses", "", nil, refusal(405, "method_not_allowed", "Method Not Allowed: responses takes POST.", wrong, "", "allow: POST, OPTIONS")},
	})
}

func TestEveryRouteIsServed(t *testing.T) {
	t.Parallel()
	h := door(t, func(o *openai.Options) { o.Responses = listener{} })
	for _, r := range openai.Routes() {
		path := strings.NewReplacer("{deployment}", "echo", "{model}", "echo", "{response_id}", "resp_1").Replace(r.Path)
		got := answer(t, h, r.Method+" "+path, "{}")
		if strings.HasPrefix(got, "405") || strings.Contains(got, "unknown_url") || strings.Contains(got, `"404"`) {
			t.Errorf("%s %s: %s", r.Method, r.Path, got)
		}
	}
}
