package azureai_test

import (
	"bufio"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	v2024 = "?api-version=2024-05-01-preview"
	v2025 = "?api-version=2025-04-01"
	hi    = `{"messages":[{"role":"user","content":"Hi you"}]}`
	tools = `"tools":[{"function":{"name":"look","parameters":{"type":"object","properties":{"at":{"type":"string"}},"required":["at"]}},"type":"function"}]`
	asked = `"messages":[{"role":"user","content":"Hi you"}]`
)

func TestAChatIsAnsweredAsTheContractSays(t *testing.T) {
	t.Parallel()
	addr := door(t, nil)
	call := `{"id":"CALL","type":"function","function":{"name":"look","arguments":"{\"at\":\"\"}"}}`
	compare(t, addr, []exchange{
		{
			"whole", post("/chat/completions"+v2024, hi, "Content-Type: application/json", "Accept: application/json"),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"stop",`+
				`"message":{"role":"assistant","content":"Hi you","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`),
		},
		{
			"streamed, with usage on the last chunk", post("/chat/completions"+v2024, `{"stream":true,`+asked+`}`),
			events("echo",
				chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":" you"},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`),
				"[DONE]"),
		},
		{
			"streamed, with usage in a chunk of its own", post("/chat/completions", `{"stream":true,"stream_options":{"include_usage":true},`+asked+`}`),
			events("echo",
				chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":" you"},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":""},"finish_reason":"stop"}]}`),
				`{"id":"ID","object":"chat.completion.chunk","created":NOW,"model":"parrot-1","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`,
				"[DONE]"),
		},
		{
			"nothing may be generated", post("/chat/completions"+v2024, `{"max_tokens":0,`+asked+`}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"length",`+
				`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`),
		},
		{
			"reasoning inside the content, by an old version", post("/deployments/think/chat/completions"+v2024, `{"stream":true,"max_tokens":8,`+asked+`}`),
			events("think",
				chunk("thinker-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":"<think>The"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":" answer"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":" is"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":" what"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":" was"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":" said"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":"."},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":"</think>Hi"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":8,"total_tokens":13,"completion_tokens_details":{"reasoning_tokens":7}}}`),
				"[DONE]"),
		},
		{
			"reasoning in a member of its own, by a new version", post("/deployments/think/chat/completions"+v2025, hi),
			ok("think", `{"id":"ID","object":"chat.completion","created":NOW,"model":"thinker-1","choices":[{"index":0,"finish_reason":"stop",`+
				`"message":{"role":"assistant","content":"Hi you","reasoning_content":"The answer is what was said.","tool_calls":null}}],`+
				`"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":7}}}`),
		},
		{
			"reasoning whole, inside the content, without a version", post("/deployments/think/chat/completions", hi),
			ok("think", `{"id":"ID","object":"chat.completion","created":NOW,"model":"thinker-1","choices":[{"index":0,"finish_reason":"stop",`+
				`"message":{"role":"assistant","content":"<think>The answer is what was said.</think>Hi you","tool_calls":null}}],`+
				`"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":7}}}`),
		},
		{
			"reasoning streamed in a member of its own", post("/deployments/think/chat/completions"+v2025, `{"stream":true,"max_tokens":1,`+asked+`}`),
			events("think",
				chunk("thinker-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":null,"reasoning_content":"The"},"finish_reason":null}]}`),
				chunk("thinker-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,"completion_tokens_details":{"reasoning_tokens":1}}}`),
				"[DONE]"),
		},
		{
			"a tool call whole", post("/chat/completions"+v2024, `{`+asked+`,`+tools+`,"tool_choice":"required"}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"tool_calls",`+
				`"message":{"role":"assistant","content":null,"tool_calls":[`+call+`]}}],"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14}}`),
		},
		{
			"json_object", post("/chat/completions"+v2024, `{`+asked+`,"response_format":{"type":"json_object"}}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"stop",`+
				`"message":{"role":"assistant","content":"{}","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`),
		},
		{
			"json_schema", post("/chat/completions"+v2024, `{`+asked+`,"response_format":{"json_schema":{"strict":true,"schema":{"type":"object","properties":{"n":{"type":"integer","minimum":7}},"required":["n"],"additionalProperties":false},"name":"s"},"type":"json_schema"}}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"stop",`+
				`"message":{"role":"assistant","content":"{\"n\":7}","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}`),
		},
		{
			"two choices, passed through", post("/chat/completions"+v2024, `{`+asked+`,"n":2}`, "extra-parameters: pass-through"),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[`+
				`{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi you","tool_calls":null}},`+
				`{"index":1,"finish_reason":"stop","message":{"role":"assistant","content":"Hi you","tool_calls":null}}],`+
				`"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9}}`),
		},
		{
			"two choices streamed, where no inference SDK is calling", post("/chat/completions", `{"stream":true,"max_tokens":1,`+asked+`,"n":2}`),
			events("echo",
				chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
				strings.Replace(chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`), `"index":0`, `"index":1`, 1),
				strings.Replace(chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`), `"index":0`, `"index":1`, 1),
				chunk("parrot-1", `"delta":{"content":""},"finish_reason":"length"}]}`),
				strings.Replace(chunk("parrot-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`), `"index":0`, `"index":1`, 1),
				"[DONE]"),
		},
	})
	t.Run("a tool call streamed", func(t *testing.T) {
		got := answer(t, addr, post("/chat/completions"+v2024, `{"stream":true,`+asked+`,`+tools+`,"tool_choice":{"type":"function","function":{"name":"look"}}}`))
		args := []string{"{", `\"`, "at", `\"`, ":", `\"`, `\"`, "}"}
		want := []string{
			chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
			chunk("parrot-1", `"delta":{"tool_calls":[{"index":0,"id":"CALL","type":"function","function":{"name":"look","arguments":""}}]},"finish_reason":null}]}`),
		}
		for _, a := range args {
			want = append(want, chunk("parrot-1", `"delta":{"tool_calls":[{"index":0,"function":{"arguments":"`+a+`"}}]},"finish_reason":null}]}`))
		}
		want = append(want, chunk("parrot-1", `"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"completion_tokens":9,"total_tokens":14}}`), "[DONE]")
		if d := cmp.Diff(events("echo", want...), got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestReasoningMayBeHiddenByTheConfigurationAndByTheDeployment(t *testing.T) {
	t.Parallel()
	hidden := door(t, func(o *azureai.Options) { o.Reasoning = llm.ReasoningHidden })
	compare(t, hidden, []exchange{{
		"hidden but counted", post("/deployments/think/chat/completions"+v2025, `{"stream":true,"max_tokens":8,`+asked+`}`),
		events("think",
			chunk("thinker-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
			chunk("thinker-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
			chunk("thinker-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":8,"total_tokens":13,"completion_tokens_details":{"reasoning_tokens":7}}}`),
			"[DONE]"),
	}})
}

func TestEachEventIsFlushedAsOneChunkOfTheTransfer(t *testing.T) {
	t.Parallel()
	c := dial(t, door(t, nil))
	if _, err := io.WriteString(c, post("/chat/completions"+v2024, `{"stream":true,"max_tokens":1,`+asked+`}`, "Connection: close")); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(readAll(t, c), "\r\n\r\n")
	one := frames(chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`), chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`))
	two := frames(chunk("parrot-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}`), "[DONE]")
	r := bufio.NewReader(strings.NewReader(body))
	var got []string
	for {
		size, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("no last chunk after %q", got)
		}
		n := 0
		for _, d := range strings.TrimRight(size, "\r\n") {
			n = n*16 + strings.IndexRune("0123456789abcdef", d)
		}
		data := make([]byte, n+2)
		if _, err := io.ReadFull(r, data); err != nil || string(data[n:]) != "\r\n" {
			t.Fatalf("chunk %q: %v", data, err)
		}
		if n == 0 {
			break
		}
		got = append(got, mask(string(data[:n])))
	}
	if d := cmp.Diff([]string{one, two}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestATextCompletionIsAnsweredAsTheContractSays(t *testing.T) {
	t.Parallel()
	text := func(rest string) string {
		return `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[` + rest
	}
	compare(t, door(t, nil), []exchange{
		{
			"one prompt", post("/completions"+v2024, `{"prompt":"a b"}`),
			ok("echo", text(`{"index":0,"text":"a b","finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`)),
		},
		{
			"a batch, in its order", post("/completions", `{"prompt":["a","b c"],"n":2}`),
			ok("echo", text(`{"index":0,"text":"a","finish_reason":"stop","logprobs":null},{"index":1,"text":"a","finish_reason":"stop","logprobs":null},`+
				`{"index":2,"text":"b c","finish_reason":"stop","logprobs":null},{"index":3,"text":"b c","finish_reason":"stop","logprobs":null}],`+
				`"usage":{"prompt_tokens":3,"completion_tokens":6,"total_tokens":9}}`)),
		},
		{
			"streamed", post("/completions"+v2024, `{"prompt":"a b","stream":true}`),
			events("echo",
				text(`{"index":0,"text":"a","finish_reason":null,"logprobs":null}]}`),
				text(`{"index":0,"text":" b","finish_reason":null,"logprobs":null}]}`),
				text(`{"index":0,"text":"","finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`),
				"[DONE]"),
		},
		{
			"the prompt given back, with log probabilities", post("/completions", `{"prompt":"é b","echo":true,"logprobs":1,"max_tokens":1}`),
			ok("echo", text(`{"index":0,"text":"é bé","finish_reason":"length","logprobs":{"tokens":["é"," b","é"],"token_logprobs":[null,-0.1,-0.1],`+
				`"top_logprobs":[{},{" b":-0.1},{"é":-0.1}],"text_offset":[0,1,3]}}],"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3}}`)),
		},
		{
			"log probabilities streamed", post("/completions", `{"prompt":"é b","logprobs":0,"stream":true}`),
			events("echo",
				text(`{"index":0,"text":"é","finish_reason":null,"logprobs":{"tokens":["é"],"token_logprobs":[-0.1],"top_logprobs":[{}],"text_offset":[0]}}]}`),
				text(`{"index":0,"text":" b","finish_reason":null,"logprobs":{"tokens":[" b"],"token_logprobs":[-0.1],"top_logprobs":[{}],"text_offset":[1]}}]}`),
				text(`{"index":0,"text":"","finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`),
				"[DONE]"),
		},
		{
			"token ids", post("/completions"+v2024, `{"prompt":[5,17]}`),
			ok("echo", text(`{"index":0,"text":"5 17","finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`)),
		},
		{
			"256 tokens where max_tokens is absent", post("/completions"+v2024, `{"prompt":"`+strings.Repeat("x ", 260)+`"}`),
			ok("echo", text(`{"index":0,"text":"x`+strings.Repeat(" x", 255)+`","finish_reason":"length","logprobs":null}],"usage":{"prompt_tokens":261,"completion_tokens":256,"total_tokens":517}}`)),
		},
	})
}

func TestEmbeddingsComeInEveryEncoding(t *testing.T) {
	t.Parallel()
	b := &script.Model{Vectors: [][]float32{{1, -2, 0.5, -0.25, 0, 0, 0, -1}, {1e-7, 3e38, 0.1, 0, 0, 0, 0, 0}}}
	addr := door(t, backed(b))
	half := base64.StdEncoding.EncodeToString([]byte{
		0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0x80, 0xbe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0xbf,
	})
	b64 := `"AACAPwAAAMAAAAA/AACAvgAAAAAAAAAAAAAAAAAAgL8="`
	if b64 != `"`+half+`"` {
		t.Fatal("the expectation is not what §5.3 says")
	}
	var cases []exchange
	for _, c := range []struct{ enc, first, second string }{
		{`"float"`, `[1,-2,0.5,-0.25,0,0,0,-1]`, `[1e-7,3e+38,0.1,0,0,0,0,0]`},
		{`null`, `[1,-2,0.5,-0.25,0,0,0,-1]`, `[1e-7,3e+38,0.1,0,0,0,0,0]`},
		{`"base64"`, b64, `"lb/WM+axYX/NzMw9AAAAAAAAAAAAAAAAAAAAAAAAAAA="`},
		{`"int8"`, `[127,-128,64,-32,0,0,0,-127]`, `[0,127,13,0,0,0,0,0]`},
		{`"uint8"`, `[255,0,192,96,128,128,128,1]`, `[128,255,141,128,128,128,128,128]`},
		{`"binary"`, `[46]`, `[127]`},
		{`"ubinary"`, `[174]`, `[255]`},
	} {
		cases = append(cases, exchange{
			c.enc, post("/embeddings"+v2024, `{"input":["a","b"],"encoding_format":`+c.enc+`}`),
			"200\ncontent-type: application/json\n\n" + `{"id":"ID","object":"list","model":"vectors-1","data":[{"index":0,"object":"embedding","embedding":` + c.first +
				`},{"index":1,"object":"embedding","embedding":` + c.second + `}],"usage":{"prompt_tokens":4,"completion_tokens":0,"total_tokens":4}}`,
		})
	}
	compare(t, addr, cases)
}

func TestInfoDescribesTheDeploymentThatIsMeant(t *testing.T) {
	t.Parallel()
	is := func(deployment, model, kind string) string {
		return "200\ncontent-type: application/json\nx-ingot-deployment: " + deployment + "\nx-ingot-provider: mock\n\n" +
			`{"model_name":"` + model + `","model_type":"` + kind + `","model_provider_name":"Ingot"}`
	}
	echo, vectors := is("echo", "parrot-1", "chat_completion"), is("vectors", "vectors-1", "embeddings")
	compare(t, door(t, nil), []exchange{
		{"at the root", get("/info" + v2024), echo},
		{"at the root by name", get("/info" + v2024 + "&model=vectors"), vectors},
		{"at the root by an unknown name", get("/info" + v2024 + "&model=x"), echo},
		{"at the root by header", get("/info", "azureml-model-deployment: vectors"), vectors},
		{"under models", get("/models/info"), echo},
		{"under models by name", get("/models/info?model=Vectors"), vectors},
		{"under models by the mesh's header", get("/models/info", "x-ms-model-mesh-model-name: vectors"), vectors},
		{"under models by an unknown name", get("/models/info?model=x"), refusal(400, "unknown_model", "Unknown model: x. "+allNames, wrongValue, "model")},
		{"of a deployment", get("/deployments/vectors/info?model=echo"), vectors},
		{"of an unknown deployment", get("/deployments/x/info"), refusal(404, "DeploymentNotFound", "The API deployment 'x' for this resource does not exist. "+allNames, "not_found_error", "")},
	})
	compare(t, door(t, func(o *azureai.Options) { o.ServiceSpelling = true }), []exchange{
		{"a chat model as the service spells it", get("/info"), is("echo", "parrot-1", "chat-completion")},
		{"an embedding model as the service spells it", get("/deployments/vectors/info"), is("vectors", "vectors-1", "embedding")},
	})
	only := func(o *azureai.Options) { o.Models = table(t, mocks[2]) }
	compare(t, door(t, only), []exchange{{"where no deployment chats, the first", get("/info"), vectors}})
	compare(t, door(t, func(o *azureai.Options) { o.Models = table(t) }), []exchange{{
		"where there is none", get("/info"), refusal(400, "no_model_name", "No model specified in request. Please provide a model name in the request body or as a "+
			"x-ms-model-mesh-model-name header. There are no deployments.", wrongValue, ""),
	}})
}

func TestAFilterIsSeenInTheAnswer(t *testing.T) {
	t.Parallel()
	said := func(text string) string { return `"messages":[{"role":"user","content":"` + text + `"}]` }
	const down = `"content_filter_result":{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}`
	compare(t, door(t, nil), []exchange{
		{
			"a completion that is cut", post("/chat/completions"+v2024, `{`+said("Hi mock:censor")+`}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"content_filter",`+
				`"message":{"role":"assistant","content":"Hi ","tool_calls":null}}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}`),
		},
		{
			"a stream that is cut is complete", post("/chat/completions"+v2024, `{"stream":true,`+said("Hi mock:censor")+`}`),
			events("echo",
				chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":" "},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":""},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}`),
				"[DONE]"),
		},
		{
			"a filter that is down", post("/chat/completions"+v2024, `{"max_tokens":0,`+said("mock:no-filter")+`}`),
			ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"length",`+
				`"message":{"role":"assistant","content":"","tool_calls":null},`+down+`}],"usage":{"prompt_tokens":8,"completion_tokens":0,"total_tokens":8}}`),
		},
		{
			"a filter that is down, streamed", post("/chat/completions"+v2024, `{"stream":true,"max_tokens":0,`+said("mock:no-filter")+`}`),
			events("echo",
				chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("parrot-1", `"delta":{"content":""},"finish_reason":"length",`+down+`}],"usage":{"prompt_tokens":8,"completion_tokens":0,"total_tokens":8}}`),
				"[DONE]"),
		},
		{
			"a text completion that is cut", post("/completions"+v2024, `{"prompt":"a mock:censor"}`),
			ok("echo", `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"text":"a ","finish_reason":"content_filter","logprobs":null}],`+
				`"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}}`),
		},
	})
}
