package openai_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	v1Text     = "POST /v1/completions"
	azureText  = "POST /openai/deployments/echo/completions?api-version=2024-10-21"
	v1Embed    = "POST /v1/embeddings"
	azureEmbed = "POST /openai/deployments/vectors/embeddings?api-version=2024-10-21"
)

// text is a whole completion; each choice is what follows its index.
func text(usage string, choices ...string) string {
	for i := range choices {
		choices[i] = `{"index":` + string(rune('0'+i)) + `,` + choices[i] + `}`
	}
	return `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[` + strings.Join(choices, ",") + `],"usage":{` + usage + `}}`
}

// piece is a chunk of a streamed completion; more stands before its end.
func piece(content, finish, more string) string {
	return `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"text":"` + content +
		`","finish_reason":` + finish + `,"logprobs":null}]` + more + `}`
}

func TestATextIsCompletedAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	const two = `"text":"one two","finish_reason":"stop","logprobs":null`
	whole := ok("echo", text(`"prompt_tokens":2,"completion_tokens":2,"total_tokens":4`, two))
	long := strings.TrimSuffix(strings.Repeat("word ", 20), " ")
	compare(t, door(t, nil), []exchange{
		{"v1", v1Text, `{"model":"echo","prompt":"one two"}`, nil, whole},
		{"Azure OpenAI", azureText, `{"prompt":"one two"}`, nil, whole},
		{
			"16 tokens, where nothing is said", v1Text, `{"model":"echo","prompt":"` + long + `"}`, nil,
			ok("echo", text(`"prompt_tokens":20,"completion_tokens":16,"total_tokens":36`, `"text":"`+strings.TrimSuffix(strings.Repeat("word ", 16), " ")+`","finish_reason":"length","logprobs":null`)),
		},
		{
			"streamed without usage", v1Text, `{"model":"echo","prompt":"one two","stream":true}`, nil,
			events("echo", piece("one", "null", ""), piece(" two", "null", ""), piece("", `"stop"`, ""), "[DONE]"),
		},
		{
			"streamed with usage", azureText, `{"prompt":"one two","stream":true,"stream_options":{"include_usage":true}}`, nil,
			events("echo", piece("one", "null", `,"usage":null`), piece(" two", "null", `,"usage":null`), piece("", `"stop"`, `,"usage":null`),
				`{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-1","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}`, "[DONE]"),
		},
		{
			"two of two prompts, of which the best are given", v1Text, `{"model":"echo","prompt":["a","b"],"n":2,"best_of":3}`, nil,
			ok("echo", text(`"prompt_tokens":2,"completion_tokens":4,"total_tokens":6`,
				`"text":"a","finish_reason":"stop","logprobs":null`, `"text":"a","finish_reason":"stop","logprobs":null`,
				`"text":"b","finish_reason":"stop","logprobs":null`, `"text":"b","finish_reason":"stop","logprobs":null`)),
		},
		{
			"the prompt given back, with log probabilities", v1Text, `{"model":"echo","prompt":"one two","echo":true,"logprobs":1,"max_tokens":1}`, nil,
			ok("echo", text(`"prompt_tokens":2,"completion_tokens":1,"total_tokens":3`,
				`"text":"one twoone","finish_reason":"length","logprobs":{"tokens":["one"," two","one"],"token_logprobs":[null,-0.1,-0.1],`+
					`"top_logprobs":[{},{" two":-0.1},{"one":-0.1}],"text_offset":[0,3,7]}`)),
		},
		{
			"token ids", v1Text, `{"model":"echo","prompt":[5,17],"logit_bias":{"5":1},"user":"u","seed":1,"stop":["9"]}`, nil,
			ok("echo", text(`"prompt_tokens":2,"completion_tokens":2,"total_tokens":4`, `"text":"5 17","finish_reason":"stop","logprobs":null`)),
		},
	})
}

func TestEmbeddingsAreAnsweredAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	s := vectors{{1, -2}, {0.5, 0}}
	h := door(t, backed(s))
	list := func(first, second string) string {
		return plain(`{"object":"list","model":"vectors-1","data":[{"index":0,"object":"embedding","embedding":` + first +
			`},{"index":1,"object":"embedding","embedding":` + second + `}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
	}
	floats := list("[1,-2]", "[0.5,0]")
	// The first is the example of doc/protocol.md §5.3.
	encoded := list(`"AACAPwAAAMA="`, `"AAAAPwAAAAA="`)
	compare(t, h, []exchange{
		{"numbers", v1Embed, `{"model":"vectors","input":["a","b"]}`, nil, floats},
		{"numbers at Azure OpenAI", azureEmbed, `{"input":["a","b"],"encoding_format":"float","user":"u","input_type":"query"}`, nil, floats},
		{"base64, as the SDKs ask", v1Embed, `{"model":"vectors","input":[[1,2],[3]],"encoding_format":"base64"}`, nil, encoded},
		{"base64 at Azure OpenAI", azureEmbed, `{"input":["a","b"],"encoding_format":"base64","dimensions":2}`, nil, encoded},
	})
	if got := answer(t, door(t, nil), v1Embed, `{"model":"vectors","input":[[1,2],[3]],"encoding_format":"base64"}`); !strings.Contains(got, `"usage":{"prompt_tokens":3,"total_tokens":3}`) {
		t.Error(got)
	}
}

func TestModelsAreListedAsEachDoorDoes(t *testing.T) {
	t.Parallel()
	h := limited(t, func(m *llm.ModelInfo) {
		if m.Deployment != "echo" {
			m.Created = time.Unix(5, 0)
		}
	})
	v1 := func(id, created string) string {
		return `{"id":"` + id + `","object":"model","created":` + created + `,"owned_by":"Ingot"}`
	}
	azure := func(id, created, model, does string) string {
		return `{"id":"` + id + `","object":"model","created_at":` + created + `,"model":"` + model +
			`","status":"succeeded","lifecycle_status":"generally-available","capabilities":{"inference":true,"fine_tune":false,` + does + `}}`
	}
	const chats, thinks, embeds = `"chat_completion":true,"completion":true,"embeddings":false`, `"chat_completion":true,"completion":false,"embeddings":false`,
		`"chat_completion":false,"completion":false,"embeddings":true`
	const now = "5"
	v1List, azureList := []string{v1("echo", "0")}, []string{azure("echo", "0", "parrot-1", chats)}
	for _, m := range []struct{ id, model, does string }{
		{"think", "thinker-1", thinks},
		{"vectors", "vectors-1", embeds},
		{"openai/gpt-4o", "parrot-2", chats},
		{"two words", "parrot-3", chats},
		{"cut", "parrot-4", chats},
		{"fail", "parrot-5", chats},
		{"chat", "parrot-6", chats},
	} {
		v1List, azureList = append(v1List, v1(m.id, now)), append(azureList, azure(m.id, now, m.model, m.does))
	}
	whole := func(of []string) string { return plain(`{"object":"list","data":[` + strings.Join(of, ",") + `]}`) }
	one := func(deployment, body string) string {
		return "200\ncontent-type: application/json\nx-ingot-deployment: " + deployment + "\nx-ingot-provider: mock\n\n" + body
	}
	compare(t, h, []exchange{
		{"v1", "GET /v1/models", "", nil, whole(v1List)},
		{"v1 of Azure", "GET /openai/v1/models/?api-version=preview", "", nil, whole(v1List)},
		{"Azure OpenAI", "GET /openai/models?api-version=2024-10-21", "", nil, whole(azureList)},
		{"one", "GET /v1/models/echo", "", nil, one("echo", v1("echo", "0"))},
		{"one with a slash in its name", "GET /v1/models/openai/gpt-4o", "", nil, one("openai/gpt-4o", v1("openai/gpt-4o", now))},
		{"one with an escaped slash in its name", "GET /v1/models/openai%2Fgpt-4o", "", nil, one("openai/gpt-4o", v1("openai/gpt-4o", now))},
		{"one of Azure OpenAI, in other letters", "GET /openai/models/VECTORS?api-version=2024-10-21", "", nil, one("vectors", azure("vectors", now, "vectors-1", embeds))},
		{"none", "GET /v1/models/gpt-9", "", nil, refusal(404, "model_not_found", "The model 'gpt-9' does not exist or you do not have access to it. "+names, wrong, "model")},
		{"none of v1 of Azure", "GET /openai/v1/models/gpt-9", "", nil, refusal(404, "DeploymentNotFound", "The API deployment 'gpt-9' for this resource does not exist. "+names, wrong, "model")},
		{"none of Azure OpenAI", "GET /openai/models/gpt-9", "", nil, refusal(404, "DeploymentNotFound", "The API deployment 'gpt-9' for this resource does not exist. "+names, "not_found_error", "model")},
		{"a wrong method", "POST /v1/models", "{}", nil, refusal(405, "method_not_allowed", "Method Not Allowed: models takes GET.", wrong, "", "allow: GET, HEAD, OPTIONS")},
		{"what it takes", "OPTIONS /openai/models", "", nil, "204\nallow: GET, HEAD, OPTIONS\n\n"},
	})
}
