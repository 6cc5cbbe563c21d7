package azureai_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

func TestGitHubModelsSamplesFindWhatTheyLookFor(t *testing.T) {
	t.Parallel()
	by := func(deployment, model string) string {
		return ok(deployment, `{"id":"ID","object":"chat.completion","created":NOW,"model":"`+model+`","choices":[{"index":0,"finish_reason":"length",`+
			`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`)
	}
	dropped := func(members string) string {
		return strings.Replace(by("echo", "parrot-1"), "x-ingot-provider", "x-ingot-dropped: "+members+"\nx-ingot-provider", 1)
	}
	chat := func(path, model string, headers ...string) string {
		return post(path, `{"model":`+quote(model)+`,"max_tokens":0,`+asked+`}`, headers...)
	}
	with := func(path, members string, headers ...string) string {
		return post(path, `{"max_tokens":0,`+asked+`,`+members+`}`, headers...)
	}
	unknown := func(name string) string {
		return refusal(400, "unknown_model", "Unknown model: "+name+". "+allNames, wrongValue, "model")
	}
	const hub, v2025 = "/inference/chat/completions", "?api-version=2025-04-01"
	echo := by("echo", "parrot-1")
	effort := faulty(t, fault("enum", `"body","reasoning_effort"`, "Input should be 'none', 'minimal', 'low', 'medium', 'high' or 'xhigh'", `"most"`))
	compare(t, door(t, nil), []exchange{
		{"a publisher in the name", chat(hub, "openai/gpt-4o"), by("openai/gpt-4o", "parrot-2")},
		{"an organisation's", chat("/orgs/contoso/inference/chat/completions", "echo"), echo},
		{"no model", with(hub, `"n":1`), echo},
		{"an unknown model", chat(hub, "gpt-9"), unknown("gpt-9")},
		{"a model of that time, without aliases", chat(hub, "openai/gpt-4o-mini"), unknown("openai/gpt-4o-mini")},
		{"the mesh header", with(hub, `"n":1`, "x-ms-model-mesh-model-name: openai/gpt-4o"), by("openai/gpt-4o", "parrot-2")},
		{"OpenAI's members", with(hub, `"n":1,"logprobs":null,"user":"u","parallel_tool_calls":true,"metadata":{},"store":true`), dropped("store")},
		{"OpenAI's members beside a version", with(hub+v2025, `"n":1,"user":"u"`), echo},
		{"OpenAI's members beside the header", with(hub+v2025, `"n":1,"store":false`, "extra-parameters: error"), dropped("store")},
		{"OpenAI's members elsewhere beside a version", with("/models/chat/completions"+v2025, `"n":1`), extra("n", "'n'")},
		{"an effort that nobody knows", with(hub, `"reasoning_effort":"most"`), effort},
		{"an effort that nobody knows, elsewhere without a version", with("/models/chat/completions", `"reasoning_effort":"most"`), effort},
		{"what neither contract has", with(hub, `"n":1,"shots":3`), extra("shots", "'shots'")},
		{"what neither contract has, dropped", with(hub, `"n":1,"shots":3`, "extra-parameters: drop"), dropped("shots")},
		{
			"a text completion", post("/inference/completions", `{"prompt":"a","best_of":1}`),
			ok("echo", `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"text":"a","finish_reason":"stop","logprobs":null}],`+
				`"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`),
		},
		{
			"a stream", post(hub, `{"model":"openai/gpt-4o","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`),
			events(`openai/gpt-4o`, chunk("parrot-2", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-2", `"delta":{"content":"hi"},"finish_reason":null}]}`),
				chunk("parrot-2", `"delta":{"content":""},"finish_reason":"stop"}]}`),
				`{"id":"ID","object":"chat.completion.chunk","created":NOW,"model":"parrot-2","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":5}}`, "[DONE]"),
		},
	})
	compare(t, serve(t, azureai.Handler(options(aliased(t, route.Aliases{GitHubModels: true}, mocks...), nil))), []exchange{
		{"a model of that time", chat(hub, "openai/gpt-4o-mini"), echo},
		{"a deployment of that name comes first", chat(hub, "openai/gpt-4o"), by("openai/gpt-4o", "parrot-2")},
		{"in another case, elsewhere", chat("/models/chat/completions", "mistral-LARGE"), echo},
		{"in a path", chat("/deployments/Phi-4/chat/completions", "x"), echo},
		{"in a header", chat("/chat/completions", "think", "azureml-model-deployment: gpt-4o-mini"), echo},
		{"at the root", chat("/chat/completions", "gpt-4o-mini"), echo},
		{"a name that was never there", chat(hub, "gpt-9"), unknown("gpt-9")},
	})
}

func TestAnEffortThatIsPassedThroughIsTheModelsToJudge(t *testing.T) {
	t.Parallel()
	s := &script.Model{Fragments: []*llm.Reply{{Choices: []llm.Choice{{Finish: llm.FinishStop}}}}}
	answer(t, door(t, backed(s)), post("/models/chat/completions"+v2024, `{`+asked+`,"reasoning_effort":"default"}`, "extra-parameters: pass-through"))
	if len(s.Asked()) != 1 || s.Asked()[0].ReasoningEffort != "default" {
		t.Errorf("the model was asked %+v", s.Asked())
	}
}

func TestANamedToolEndsAsTheFlavourHasIt(t *testing.T) {
	t.Parallel()
	addr := door(t, nil)
	body := `{` + asked + `,` + tools + `,"tool_choice":{"type":"function","function":{"name":"look"}}}`
	for path, want := range map[string]string{
		"/inference/chat/completions": "stop", "/orgs/x/inference/chat/completions": "stop",
		"/models/chat/completions": "tool_calls", "/chat/completions": "tool_calls",
	} {
		for _, stream := range []string{"false", "true"} {
			got := answer(t, addr, post(path+v2024, strings.Replace(body, "{", `{"stream":`+stream+`,`, 1)))
			if !strings.Contains(got, `"finish_reason":"`+want+`"`) {
				t.Errorf("%s, stream %s: %s", path, stream, got)
			}
		}
	}
}

func TestFunctionsAreAnsweredInTheirForm(t *testing.T) {
	t.Parallel()
	body := func(members string) string {
		return `{` + members + asked + `,"functions":[{"name":"look","parameters":{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}}],"function_call":{"name":"look"}}`
	}
	called := func(finish string) string {
		return ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"`+finish+`",`+
			`"message":{"role":"assistant","content":null,"function_call":{"name":"look","arguments":"{\"n\":0}"}}}],"usage":{"prompt_tokens":5,"completion_tokens":8,"total_tokens":13}}`)
	}
	compare(t, door(t, nil), []exchange{
		{"at inference, whatever the version", post("/inference/chat/completions"+v2024, body("")), called("stop")},
		{"elsewhere without a version", post("/models/chat/completions", body("")), called("function_call")},
		{"elsewhere with one", post("/models/chat/completions"+v2024, body("")), extra("functions", "'functions', 'function_call'")},
	})
	s := &script.Model{Fragments: []*llm.Reply{{Choices: []llm.Choice{{Finish: llm.FinishStop}}}}}
	answer(t, door(t, backed(s)), post("/inference/chat/completions", body("")))
	if _, ok := s.Asked()[0].Source(); ok || len(s.Asked()[0].Tools) != 1 {
		t.Error("a target is sent the old form, whose answer nobody would understand")
	}
}

func TestTheCatalogueIsGitHubModels(t *testing.T) {
	t.Parallel()
	rt := route.New([]route.Deployment{
		{Targets: []route.Target{{Info: llm.ModelInfo{
			Deployment: "phi-4", Model: "Phi 4 mini", Publisher: "Microsoft", Provider: "local", Summary: "Small and quick.", Licence: "MIT", Created: time.Unix(1, 0),
			Operations: []llm.Operation{llm.OpChat, llm.OpComplete}, Context: 8192, Features: llm.Features{Set: llm.FeatureTools | llm.FeatureImages},
		}}}},
		{Targets: []route.Target{{Info: llm.ModelInfo{Deployment: "a/b", Operations: []llm.Operation{llm.OpEmbed}, Context: 512}}}},
		{Targets: []route.Target{{Info: llm.ModelInfo{Deployment: "eye", Operations: []llm.Operation{llm.OpEmbedImages}}}}},
	}, "", route.Aliases{GitHubModels: true})
	const plain = "200\ncontent-type: application/json\n\n"
	entries := `[{"id":"phi-4","name":"Phi 4 mini","publisher":"Microsoft","registry":"local","summary":"Small and quick.","html_url":"","version":"",` +
		`"capabilities":["streaming","tool-calling"],"limits":{"max_input_tokens":8192,"max_output_tokens":8192},"rate_limit_tier":"custom",` +
		`"supported_input_modalities":["text","image"],"supported_output_modalities":["text"],"tags":["MIT"]},` +
		`{"id":"a/b","name":"","publisher":"","registry":"","summary":"","html_url":"","version":"",` +
		`"capabilities":[],"limits":{"max_input_tokens":512,"max_output_tokens":null},"rate_limit_tier":"custom",` +
		`"supported_input_modalities":["text"],"supported_output_modalities":["embeddings"],"tags":[]},` +
		`{"id":"eye","name":"","publisher":"","registry":"","summary":"","html_url":"","version":"",` +
		`"capabilities":[],"limits":{"max_input_tokens":null,"max_output_tokens":null},"rate_limit_tier":"custom",` +
		`"supported_input_modalities":["image"],"supported_output_modalities":["embeddings"],"tags":[]}]`
	compare(t, serve(t, azureai.Handler(options(rt, func(o *azureai.Options) { o.StrictVersions = true }))), []exchange{
		{"the list", get("/catalog/models"), plain + entries},
		{"its head", strings.Replace(get("/catalog/models/"), "GET", "HEAD", 1), plain},
		{"without a key", get("/catalog/models", "api-key: x"), unauthorized()},
	})
	compare(t, serve(t, azureai.Handler(options(table(t), nil))), []exchange{{"no models", get("/catalog/models"), plain + "[]"}})
}

func TestRoutesAreWhatIsServed(t *testing.T) {
	t.Parallel()
	addr := door(t, func(o *azureai.Options) { o.Endpoint = &azureai.Endpoint{} })
	fill := strings.NewReplacer("{org}", "contoso", "{deployment}", "echo")
	var names []string
	for _, r := range azureai.Routes(true) {
		names = append(names, r.Method+" "+r.Path)
		if !strings.HasSuffix(r.Path, "/"+r.Operation) {
			t.Errorf("%s is called %s", r.Path, r.Operation)
		}
		want := r.Method + ", OPTIONS"
		if r.Method == http.MethodGet {
			want = "GET, HEAD, OPTIONS"
		}
		if got := answer(t, addr, strings.Replace(get(fill.Replace(r.Path)), "GET", "OPTIONS", 1)); got != "204\nallow: "+want+"\n\n" {
			t.Errorf("%s %s: %s", r.Method, r.Path, got)
		}
	}
	var want []string
	for _, base := range []string{"", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{deployment}"} {
		want = append(want, "POST "+base+"/chat/completions", "POST "+base+"/completions", "POST "+base+"/embeddings", "POST "+base+"/images/embeddings", "GET "+base+"/info")
	}
	want = append(want, "GET /catalog/models", "POST /score")
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	if n := len(azureai.Routes(false)); n != len(want)-1 {
		t.Errorf("%d routes without an endpoint", n)
	}
}
