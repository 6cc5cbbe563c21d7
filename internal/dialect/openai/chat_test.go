package openai_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	v1Chat    = "POST /v1/chat/completions"
	azureChat = "POST /openai/deployments/echo/chat/completions?api-version=2024-10-21"
	asked     = `"model":"echo","messages":[{"role":"user","content":"Hi you"}]`
	look      = `{"name":"look","parameters":{"type":"object","properties":{"at":{"type":"string"}},"required":["at"]}}`
	tools     = `"tools":[{"type":"function","function":` + look + `}]`
	functions = `"functions":[` + look + `]`
	call      = `{"id":"CALL","type":"function","function":{"name":"look","arguments":"{\"at\":\"\"}"}}`
	noDetails = `,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0},"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"rejected_prediction_tokens":0}}`
)

// usage counts what a chat took, of which nothing was cached or thought.
func usage(counts string) string { return `"usage":{` + counts + noDetails }

const used = `"prompt_tokens":5,"completion_tokens":2,"total_tokens":7`

// chat is a whole answer with one choice.
func chat(model, finish, message, usage string) string {
	return `{"id":"ID","object":"chat.completion","created":NOW,"model":"` + model + `","choices":[{"index":0,"finish_reason":"` + finish +
		`","message":{"role":"assistant",` + message + `,"refusal":null,"annotations":[]},"logprobs":null}],` + usage + "}"
}

// chunk is a chunk with one choice that goes on; end is one that ends it.
func chunk(model, delta string) string {
	return `{"id":"ID","object":"chat.completion.chunk","created":NOW,"model":"` + model + `","choices":[{"index":0,"delta":{` + delta +
		`},"logprobs":null,"finish_reason":null}]}`
}

func end(model, finish string) string {
	return strings.Replace(chunk(model, ""), `"finish_reason":null`, `"finish_reason":"`+finish+`"`, 1)
}

// uncounted is a chunk whose usage comes later.
func uncounted(chunk string) string { return strings.TrimSuffix(chunk, "}") + `,"usage":null}` }

const role = `"role":"assistant","content":"","refusal":null`

func TestAChatIsAnsweredAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	h := door(t, nil)
	whole := ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)))
	streamed := events("echo", chunk("parrot-1", role), chunk("parrot-1", `"content":"Hi"`), chunk("parrot-1", `"content":" you"`), end("parrot-1", "stop"), "[DONE]")
	compare(t, h, []exchange{
		{"v1", v1Chat, `{` + asked + `}`, nil, whole},
		{"v1 of Azure", "POST /openai/v1/chat/completions?api-version=preview", `{` + asked + `}`, nil, whole},
		{"Azure OpenAI, where the path names the model", azureChat, strings.Replace(`{`+asked+`}`, "echo", "gpt-4o", 1), nil, whole},
		{"Azure OpenAI without a version", "POST /openai/deployments/echo/chat/completions", `{` + asked + `}`, nil, whole},
		{"streamed without usage", v1Chat, `{` + asked + `,"stream":true}`, nil, streamed},
		{"streamed without usage at Azure OpenAI", azureChat, `{` + asked + `,"stream":true,"stream_options":{"include_usage":false,"include_obfuscation":false}}`, nil, streamed},
		{
			"streamed with usage", v1Chat, `{` + asked + `,"stream":true,"stream_options":{"include_usage":true}}`, nil,
			events("echo", uncounted(chunk("parrot-1", role)), uncounted(chunk("parrot-1", `"content":"Hi"`)), uncounted(chunk("parrot-1", `"content":" you"`)),
				uncounted(end("parrot-1", "stop")),
				`{"id":"ID","object":"chat.completion.chunk","created":NOW,"model":"parrot-1","choices":[],`+usage(used)+`}`, "[DONE]"),
		},
		{
			"max_completion_tokens", v1Chat, `{` + asked + `,"max_completion_tokens":1}`, nil,
			ok("echo", chat("parrot-1", "length", `"content":"Hi"`, usage(`"prompt_tokens":5,"completion_tokens":1,"total_tokens":6`))),
		},
		{
			"thoughts in a member of their own", v1Chat, strings.Replace(`{`+asked+`,"reasoning_effort":"low"}`, "echo", "think", 1), nil,
			ok("think", chat("thinker-1", "stop", `"content":"Hi you","reasoning_content":"The answer is what was said."`,
				`"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14`+strings.Replace(noDetails, `"reasoning_tokens":0`, `"reasoning_tokens":7`, 1))),
		},
		{
			"two choices", v1Chat, `{` + asked + `,"n":2}`, nil,
			ok("echo", strings.Replace(chat("parrot-1", "stop", `"content":"Hi you"`, usage(`"prompt_tokens":5,"completion_tokens":4,"total_tokens":9`)), `}],"usage"`,
				`},{"index":1,"finish_reason":"stop","message":{"role":"assistant","content":"Hi you","refusal":null,"annotations":[]},"logprobs":null}],"usage"`, 1)),
		},
		{
			"log probabilities", v1Chat, `{` + asked + `,"logprobs":true,"top_logprobs":1,"max_tokens":1}`, nil,
			ok("echo", strings.Replace(chat("parrot-1", "length", `"content":"Hi"`, usage(`"prompt_tokens":5,"completion_tokens":1,"total_tokens":6`)), `"logprobs":null`,
				`"logprobs":{"content":[{"token":"Hi","logprob":-0.1,"bytes":[72,105],"top_logprobs":[{"token":"Hi","logprob":-0.1,"bytes":[72,105]}]}],"refusal":null}`, 1)),
		},
		{
			"log probabilities, streamed", azureChat, `{` + asked + `,"logprobs":true,"max_tokens":1,"stream":true}`, nil,
			events("echo", chunk("parrot-1", role),
				strings.Replace(chunk("parrot-1", `"content":"Hi"`), `"logprobs":null`, `"logprobs":{"content":[{"token":"Hi","logprob":-0.1,"bytes":[72,105],"top_logprobs":[]}],"refusal":null}`, 1),
				end("parrot-1", "length"), "[DONE]"),
		},
		{
			"members that tell who asks", v1Chat, `{` + asked + `,"user":"u","metadata":{"a":"b"},"safety_identifier":"s","logit_bias":{"5":-100},"seed":1,"store":false}`, nil, whole,
		},
		{
			"members that no model here obeys", v1Chat, `{` + asked + `,"store":true,"service_tier":"auto","prompt_cache_key":"k","prompt_cache_options":{"mode":"explicit"},"verbosity":"low","prediction":{"type":"content","content":"x"}}`, nil,
			ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)), "x-ingot-dropped: prediction, prompt_cache_key, prompt_cache_options, service_tier, store, verbosity"),
		},
		{
			"unknown members that may be dropped", v1Chat, `{` + asked + `,"top_k":5,"data_sources":[]}`,
			[]string{"extra-parameters: drop"},
			ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)), "x-ingot-dropped: top_k, data_sources"),
		},
		{
			"a developer speaks, and a whole round of tools was played", v1Chat, `{"model":"echo","messages":[{"role":"developer","content":"x"},{"role":"assistant","content":[{"type":"refusal","refusal":"x"}]},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"look","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"62"},{"role":"user","content":[{"type":"text","text":"Hi you"}]}]}`, nil,
			ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(`"prompt_tokens":23,"completion_tokens":2,"total_tokens":25`))),
		},
		{
			"json_schema", azureChat, `{` + asked + `,"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","properties":{},"additionalProperties":false}}}}`, nil,
			ok("echo", chat("parrot-1", "stop", `"content":"{}"`, usage(used))),
		},
	})
}

func TestCallsOfToolsAreToldAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	h := door(t, nil)
	const spent = `"prompt_tokens":5,"completion_tokens":9,"total_tokens":14`
	const named = `"tool_choice":{"type":"function","function":{"name":"look"}}`
	asCall := `"content":null,"tool_calls":[` + call + `]`
	asFunction := `"content":null,"function_call":{"name":"look","arguments":"{\"at\":\"\"}"}`
	args := []string{"{", `\"`, "at", `\"`, ":", `\"`, `\"`, "}"}
	compare(t, h, []exchange{
		{"that the model decided", v1Chat, `{` + asked + `,` + tools + `,"tool_choice":"required","parallel_tool_calls":false}`, nil, ok("echo", chat("parrot-1", "tool_calls", asCall, usage(spent)))},
		{"that the caller named", v1Chat, `{` + asked + `,` + tools + `,` + named + `}`, nil, ok("echo", chat("parrot-1", "stop", asCall, usage(spent)))},
		{"that the caller named, at Azure OpenAI", azureChat, `{` + asked + `,` + tools + `,` + named + `}`, nil, ok("echo", chat("parrot-1", "stop", asCall, usage(spent)))},
		{"as a function", v1Chat, `{` + asked + `,` + functions + `,"function_call":{"name":"look"}}`, nil, ok("echo", chat("parrot-1", "stop", asFunction, usage(spent)))},
		{"none of the functions", azureChat, `{` + asked + `,` + functions + `,"function_call":"none"}`, nil, ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)))},
	})
	streamed := func(first, each, finish string) string {
		want := []string{chunk("parrot-1", `"role":"assistant","content":null,`+first)}
		for _, a := range args {
			want = append(want, chunk("parrot-1", strings.ReplaceAll(each, "ARGS", a)))
		}
		return events("echo", append(want, end("parrot-1", finish), "[DONE]")...)
	}
	compare(t, h, []exchange{
		{
			"streamed", v1Chat, `{` + asked + `,` + tools + `,"tool_choice":"required","stream":true}`, nil,
			streamed(`"tool_calls":[{"index":0,"id":"CALL","type":"function","function":{"name":"look","arguments":""}}]`, `"tool_calls":[{"index":0,"function":{"arguments":"ARGS"}}]`, "tool_calls"),
		},
		{
			"streamed as a function", azureChat, `{` + asked + `,` + functions + `,"function_call":{"name":"look"},"stream":true}`, nil,
			streamed(`"function_call":{"name":"look","arguments":""}`, `"function_call":{"arguments":"ARGS"}`, "stop"),
		},
	})
}

func TestNoMoreAlternativesAreToldThanWereAskedFor(t *testing.T) {
	t.Parallel()
	token := llm.TokenLogprob{Token: "a", Logprob: -1, Top: []llm.TokenLogprob{{Token: "a", Logprob: -1}, {Token: "b", Logprob: -2}, {Token: "c", Logprob: -3}}}
	s := &script.Model{Fragments: []*llm.Reply{{Model: "parrot-1", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}, Logprobs: []llm.TokenLogprob{token}, Finish: llm.FinishStop}}}}}
	h := door(t, backed(s))
	told := func(top string) string {
		return plain(strings.Replace(strings.TrimSuffix(chat("parrot-1", "stop", `"content":"a"`, ""), ",}")+"}", `"logprobs":null`,
			`"logprobs":{"content":[{"token":"a","logprob":-1,"bytes":[97],"top_logprobs":[`+top+`]}],"refusal":null}`, 1))
	}
	const first, second = `{"token":"a","logprob":-1,"bytes":[97]}`, `{"token":"b","logprob":-2,"bytes":[98]}`
	written := func(top string) string {
		return plain(`{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"text":"a","finish_reason":"stop","logprobs":{"tokens":["a"],"token_logprobs":[-1],"top_logprobs":[{` + top + `}],"text_offset":[0]}}]}`)
	}
	compare(t, h, []exchange{
		{"none", v1Chat, `{` + asked + `,"logprobs":true}`, nil, told("")},
		{"two", v1Chat, `{` + asked + `,"logprobs":true,"top_logprobs":2}`, nil, told(first + "," + second)},
		{"none of a text", v1Text, `{"model":"echo","prompt":"x","logprobs":0}`, nil, written("")},
		{"one of a text", v1Text, `{"model":"echo","prompt":"x","logprobs":1}`, nil, written(`"a":-1`)},
	})
}

func TestFunctionsBecomeToolsAndTheirCallsFunctions(t *testing.T) {
	t.Parallel()
	s := &script.Model{Fragments: []*llm.Reply{
		{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.ToolCall{ID: "a", Name: "look", Arguments: llm.NewText(`{}`)}, llm.ToolCall{ID: "b", Name: "look", Arguments: llm.NewText(`{"at":1}`)}}}}},
		{Choices: []llm.Choice{{Finish: llm.FinishToolCalls}}, Usage: &llm.Usage{Prompt: 5, Completion: 2}},
	}}
	h := door(t, backed(s))
	const body = `{"model":"echo","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"look","arguments":"{\"at\":\"home\"}"}},{"role":"function","name":"look","content":"62"}],` + functions + `}`
	want := "200\ncontent-type: application/json\n\n" + chat("m", "function_call", `"content":null,"function_call":{"name":"look","arguments":"{}"}`, usage(used))
	if got := answer(t, h, v1Chat, body); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	want = strings.Replace(events("x", chunk("m", `"role":"assistant","content":null,"function_call":{"name":"look","arguments":"{}"}`), end("m", "function_call"), "[DONE]"),
		"x-ingot-attempts: 1\nx-ingot-deployment: x\nx-ingot-provider: mock\n", "", 1)
	if got := answer(t, h, v1Chat, strings.Replace(body, `{"model"`, `{"stream":true,"model"`, 1)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	r := s.Asked()[0]
	history := r.Messages[1].Parts[0].(llm.ToolCall)
	result := r.Messages[2].Parts[0].(llm.ToolResult)
	if len(r.Tools) != 1 || r.Tools[0].Name != "look" || history.Name != "look" || history.Arguments.String() != `{"at":"home"}` ||
		result.CallID != history.ID || history.ID == "" || r.Messages[2].Role != llm.ToolRole || r.ParallelToolCalls == nil || *r.ParallelToolCalls {
		t.Errorf("%+v", r)
	}
}
