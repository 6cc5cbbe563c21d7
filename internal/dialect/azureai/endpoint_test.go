package azureai_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/policy"
)

// endpoint is a door whose root is the managed endpoint prod.
func endpoint(t testing.TB, e azureai.Endpoint, change func(*azureai.Options)) string {
	t.Helper()
	e.Name = "prod"
	return door(t, func(o *azureai.Options) {
		o.Endpoint = &e
		if change != nil {
			change(o)
		}
	})
}

// picked adds to an answer what a managed endpoint says of it.
func picked(deployment, answer string) string {
	status, rest, _ := strings.Cut(answer, "\n")
	return status + "\nazureml-model-deployment: " + deployment + "\nazureml-model-group: prod\n" + rest
}

// grouped adds to an answer what a managed endpoint says before anybody is picked.
func grouped(answer string) string {
	head, body, _ := strings.Cut(answer, "\n\n")
	lines := append(strings.Split(head, "\n"), "azureml-model-group: prod")
	slices.Sort(lines[1:])
	return strings.Join(lines, "\n") + "\n\n" + body
}

func TestAManagedEndpointSaysWhoWasPicked(t *testing.T) {
	t.Parallel()
	by := func(deployment, model string) string {
		return ok(deployment, `{"id":"ID","object":"chat.completion","created":NOW,"model":"`+model+`","choices":[{"index":0,"finish_reason":"length",`+
			`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`)
	}
	chat := func(path, members string, headers ...string) string {
		return post(path+"/chat/completions"+v2024, `{"max_tokens":0,`+members+asked+`}`, headers...)
	}
	gone := func(name string) string {
		return grouped(refusal(404, "DeploymentNotFound", "The API deployment '"+name+"' for this resource does not exist. "+allNames, "not_found_error", ""))
	}
	think := picked("think", by("think", "thinker-1"))
	const header = "azureml-model-deployment: "
	addr := endpoint(t, azureai.Endpoint{Traffic: map[string]int{"think": 100, "echo": 0}}, nil)
	compare(t, addr, []exchange{
		{"by traffic", chat("", ""), think},
		{"an unknown model is ignored", chat("", `"model":"x",`), think},
		{"a deployment in the body", chat("", `"model":"echo",`), picked("echo", by("echo", "parrot-1"))},
		{"a deployment in the header", chat("", "", header+"openai/gpt-4o"), picked("openai/gpt-4o", by("openai/gpt-4o", "parrot-2"))},
		{"the header before the body", chat("", `"model":"think",`, header+"echo"), picked("echo", by("echo", "parrot-1"))},
		{"an unknown deployment in the header", chat("", "", header+"x"), gone("x")},
		{"a name that no header can hold as it is", chat("", "", header+"two words"), picked(`"two words"`, by(`"two words"`, "parrot-3"))},
		{
			"what none of them does", post("/embeddings"+v2024, `{"input":"a","dimensions":4,"encoding_format":"ubinary"}`),
			picked("vectors", unprocessable("Invalid input", "Invalid input: encoding_format: Bits need a number of dimensions that 8 divides.", "encoding_format", "value_error",
				"Bits need a number of dimensions that 8 divides", `"body","encoding_format"`, `"ubinary"`, "x-ingot-attempts: 1", "x-ingot-deployment: vectors", "x-ingot-provider: mock")),
		},
		{"info", get("/info"), picked("think", "200\ncontent-type: application/json\nx-ingot-deployment: think\nx-ingot-provider: mock\n\n"+
			`{"model_name":"thinker-1","model_type":"chat_completion","model_provider_name":"Ingot"}`)},
		{"models has no manners of its", chat("/models", ""), by("echo", "parrot-1")},
		{"inference has none", chat("/inference", ""), by("echo", "parrot-1")},
		{"a deployment's root has none", chat("/deployments/echo", ""), by("echo", "parrot-1")},
		{"a failing value", chat("", `"top_p":2,`), grouped(unprocessable("Invalid input", "Invalid input: top_p: Input should be less than or equal to 1.", "top_p", "less_than_equal", "Input should be less than or equal to 1", `"body","top_p"`, "2"))},
		{"a wrong method", get("/chat/completions"), grouped(refusal(405, "MethodNotAllowed", "Method Not Allowed: chat/completions takes POST.", wrongValue, "", "allow: POST, OPTIONS"))},
		{"a failing value at models", chat("/models", `"top_p":2,`), unprocessable("Invalid input", "Invalid input: top_p: Input should be less than or equal to 1.", "top_p", "less_than_equal", "Input should be less than or equal to 1", `"body","top_p"`, "2")},
		{"a failing model", post("/chat/completions", hi, header+"busy"), picked("busy", refusal(429, "429", "The mock model fails on purpose with status 429.", "rate_limit_error", "",
			"retry-after: 2", "retry-after-ms: 1500", "x-ingot-attempts: 1", "x-ingot-deployment: busy", "x-ingot-provider: mock"))},
	})
	none := grouped(refusal(404, "DeploymentNotFound", "No deployment of this endpoint gets traffic. Name one in the header azureml-model-deployment, or give one a share (endpoint.traffic).", "not_found_error", ""))
	compare(t, endpoint(t, azureai.Endpoint{Traffic: map[string]int{"think": 0, "echo": 0}}, nil), []exchange{
		{"no traffic", chat("", ""), none},
		{"no traffic, but a header", chat("", "", header+"echo"), picked("echo", by("echo", "parrot-1"))},
	})
	compare(t, endpoint(t, azureai.Endpoint{}, nil), []exchange{{"no split", chat("", ""), picked("echo", by("echo", "parrot-1"))}})
}

func TestEveryKindOfErrorAtAManagedEndpoint(t *testing.T) {
	t.Parallel()
	answers := answersOf()
	failed := func(status string) string {
		return refusal(424, "ModelError", wentWrong, "server_error", "", "ms-azureml-model-error-reason: model_error", "ms-azureml-model-error-statuscode: "+status)
	}
	answers[llm.Timeout] = refusal(408, "Timeout", wentWrong, "server_error", "")
	answers[llm.Upstream] = failed("418")
	for kind, want := range answers {
		e := &llm.Error{Kind: kind, Message: wentWrong, RetryAfter: 1500 * time.Millisecond, Code: "theirs", Status: 418}
		addr := endpoint(t, azureai.Endpoint{}, backed(&script.Model{Err: e}))
		compare(t, addr, []exchange{
			{kind.String() + " whole", post("/chat/completions", hi), picked("echo", want)},
			{kind.String() + " streamed", post("/chat/completions", `{"stream":true,`+asked+`}`), picked("echo", want)},
			{kind.String() + " completion", post("/completions", `{"prompt":"x"}`), picked("echo", want)},
			{kind.String() + " embedding", post("/embeddings", `{"input":"x"}`), picked("vectors", want)},
			{kind.String() + " score", post("/score", `{"input_data":{"input_string":["x"]}}`), picked("echo", want)},
			{kind.String() + " at models", post("/models/chat/completions", hi), answersOf()[kind]},
		})
	}
	compare(t, endpoint(t, azureai.Endpoint{}, backed(&script.Model{Err: &llm.Error{Kind: llm.Upstream, Message: wentWrong}})), []exchange{
		{"a model that said nothing", post("/chat/completions", hi), picked("echo", failed("502"))},
	})
	begun := []*llm.Reply{{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}}}}}
	late := endpoint(t, azureai.Endpoint{}, backed(&script.Model{Fragments: begun, Err: &llm.Error{Kind: llm.Upstream, Message: wentWrong}}))
	compare(t, late, []exchange{{
		"in mid-stream", post("/chat/completions", `{"stream":true,`+asked+`}`),
		picked("echo", "200\ncache-control: no-cache\ncontent-type: text/event-stream\nx-accel-buffering: no\n\n"+frames(
			chunk("m", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
			chunk("m", `"delta":{"content":"a"},"finish_reason":null}]}`),
			`{"error":{"code":"ModelError","message":"It went wrong.","type":"server_error","param":null,"status":424,"details":[]}}`)+broken),
	}})
}

func TestAPrincipalWithoutARoleIsTurnedAwayAsTheFlavourHasIt(t *testing.T) {
	t.Parallel()
	const m = "Principal does not have access to API/Operation."
	addr := door(t, backed(&script.Model{Err: &llm.Error{Kind: llm.Denied, Code: llm.CodeNoRole, Message: m}}))
	compare(t, addr, []exchange{
		{"at models", post("/models/chat/completions", hi), heads(401, "PermissionDenied", []string{"www-authenticate: Bearer"}) +
			"{" + nested(401, "PermissionDenied", m, "permission_error", "", "") + `,"statusCode":401,"message":"` + m + `"}`},
		{"elsewhere", post("/chat/completions", hi), refusal(403, "PermissionDenied", m, "permission_error", "")},
	})
}

// shares asks a door so many times, and counts who answered.
func shares(t *testing.T, h http.Handler, requests int, path string) map[string]int {
	t.Helper()
	const callers = 8
	got := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := c; i < requests; i += callers {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(hi))
				r.Header.Set("api-key", key)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				mu.Lock()
				got[w.Header().Get("azureml-model-deployment")]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return got
}

// within reports whether n of so many is what a share of them comes to, up to four standard deviations.
func within(n, requests int, share float64) bool {
	r := float64(requests)
	return math.Abs(float64(n)-r*share) <= 4*math.Sqrt(r*share*(1-share))
}

func TestTrafficAndMirrorGetTheirSharesOfManyRequests(t *testing.T) {
	t.Parallel()
	const requests = 10_000
	copies := mock.New(mock.Options{Name: "parrot-8"})
	counted := map[policy.MirrorResult]int{}
	var mu sync.Mutex
	m := policy.NewMirror(policy.MirrorOptions{
		To: llm.ModelInfo{Deployment: "chat", Operations: []llm.Operation{llm.OpChat}}, Share: 0.1, Backend: copies, Most: requests, Time: time.Minute, Seed: 1,
		Counted: func(r policy.MirrorResult) {
			mu.Lock()
			defer mu.Unlock()
			counted[r]++
		},
	})
	rt := table(t, mocks...)
	h := azureai.Handler(options(rt, func(o *azureai.Options) {
		o.Endpoint = &azureai.Endpoint{Traffic: map[string]int{"echo": 70, "openai/gpt-4o": 20, "two words": 10}, Seed: 1, Backend: m.Policy(rt)}
	}))
	got := shares(t, h, requests, "/chat/completions")
	shares(t, h, requests/10, "/models/chat/completions") // of which nothing is copied
	m.Close()
	t.Logf("traffic %v, mirror %v", got, counted)
	for name, share := range map[string]float64{"echo": 0.7, "openai/gpt-4o": 0.2, `"two words"`: 0.1} {
		if !within(got[name], requests, share) {
			t.Errorf("%s got %d of %d requests for a share of %v", name, got[name], requests, share)
		}
	}
	if n := counted[policy.MirrorAnswered]; !within(n, requests, 0.1) || len(counted) != 1 {
		t.Errorf("of %d requests copies came to %v", requests, counted)
	}
}

func TestASeedDrawsTheSameAndAnIDSticks(t *testing.T) {
	t.Parallel()
	halves := map[string]int{"echo": 1, "chat": 1}
	order := func(e azureai.Endpoint, id func(int) string) string {
		addr := endpoint(t, e, nil)
		var b strings.Builder
		for i := range 64 {
			b.WriteByte(strings.SplitAfter(answer(t, addr, get("/info", "x-ms-client-request-id: "+id(i))), "azureml-model-deployment: ")[1][0])
		}
		return b.String()
	}
	same, other := func(int) string { return "one" }, func(i int) string { return fmt.Sprint("id-", i) }
	seeded := order(azureai.Endpoint{Traffic: halves, Seed: 7}, same)
	if again := order(azureai.Endpoint{Traffic: halves, Seed: 7}, other); again != seeded || !strings.Contains(seeded, "e") || !strings.Contains(seeded, "c") {
		t.Errorf("a seed drew %s and %s", seeded, again)
	}
	if another := order(azureai.Endpoint{Traffic: halves}, same); another == seeded {
		t.Errorf("without a seed, too: %s", another)
	}
	sticky := order(azureai.Endpoint{Traffic: halves, Sticky: true}, same)
	if strings.Trim(sticky, sticky[:1]) != "" {
		t.Errorf("one id went to several: %s", sticky)
	}
	if got := order(azureai.Endpoint{Traffic: halves, Sticky: true}, other); !strings.Contains(got, "e") || !strings.Contains(got, "c") || got != order(azureai.Endpoint{Traffic: halves, Sticky: true}, other) {
		t.Errorf("many ids went to %s", got)
	}
}
