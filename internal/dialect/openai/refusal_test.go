package openai_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/llm"
)

// bad is a request's body, and the code, the param and the message of what is wrong with it.
type bad struct{ body, code, param, message string }

// with is a chat with one more member.
func with(member string) string { return `{` + asked + `,` + member + `}` }

// said is a chat of these messages.
func said(messages string) string { return `{"model":"echo","messages":[` + messages + `]}` }

func refuses(t *testing.T, request string, cases []bad) {
	t.Helper()
	h := door(t, nil)
	exchanges := make([]exchange, len(cases))
	for i, c := range cases {
		exchanges[i] = exchange{c.body, request, c.body, nil, refusal(400, c.code, c.message, wrong, c.param)}
	}
	compare(t, h, exchanges)
}

func TestWhatIsWrongWithAChatIsNamedAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	const user = `{"role":"user","content":"x"}`
	const out, in = " The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.", "Invalid value for '"
	pairs := make([]string, 17)
	for i := range pairs {
		pairs[i] = `"` + string(rune('a'+i)) + `":""`
	}
	refuses(t, v1Chat, []bad{
		{`{"messages":[` + user + `]}`, "missing_required_parameter", "model", "Missing required parameter: 'model'. " + names},
		{`{"model":"echo"}`, "missing_required_parameter", "messages", "Missing required parameter: 'messages'."},
		{`{"model":"echo","messages":[]}`, "invalid_value", "messages", in + "messages': List should have at least 1 item after validation, not 0."},
		{`{"model":"echo","messages":"x"}`, "invalid_type", "messages", "Invalid type for 'messages': expected an array, but got a string instead."},
		{said(`{"role":"user"}`), "missing_required_parameter", "messages[0].content", "Missing required parameter: 'messages[0].content'."},
		{said(`{"role":"user","content":5}`), "invalid_type", "messages[0].content", "Invalid type for 'messages[0].content': expected a valid string or a list of parts, but got an integer instead."},
		{said(`{"role":"robot","content":"x"}`), "invalid_value", "messages[0].role", "Invalid value: 'robot'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', and 'function'."},
		{said(user + `,{"role":"tool","tool_call_id":"c","content":"x"}`), "invalid_value", "messages[1].tool_call_id", in + "messages[1].tool_call_id': A message of a tool must answer a call of a message before it."},
		{said(user + `,{"role":"function","name":"f","content":"x"}`), "invalid_value", "messages[1].name", in + "messages[1].name': A message of a function must name one that a message before it calls."},
		{said(user + `,{"role":"assistant","function_call":"f"}`), "invalid_type", "messages[1].function_call", "Invalid type for 'messages[1].function_call': expected an object, but got a string instead."},
		{with(`"temperature":2.1`), "invalid_value", "temperature", in + "temperature': Input should be less than or equal to 2."},
		{with(`"temperature":"1"`), "invalid_type", "temperature", "Invalid type for 'temperature': expected a number, but got a string instead."},
		{with(`"top_p":-1`), "invalid_value", "top_p", in + "top_p': Input should be greater than or equal to 0."},
		{with(`"max_tokens":0`), "invalid_value", "max_tokens", in + "max_tokens': Input should be greater than or equal to 1."},
		{with(`"max_completion_tokens":1.5`), "invalid_type", "max_completion_tokens", "Invalid type for 'max_completion_tokens': expected an integer, but got a decimal instead."},
		{with(`"max_tokens":1,"max_completion_tokens":1`), "invalid_parameter_combination", "max_completion_tokens", in + "max_completion_tokens': max_tokens and max_completion_tokens cannot be given together."},
		{with(`"stop":["a","b","c","d","e"]`), "invalid_value", "stop", in + "stop': List should have at most 4 items."},
		{with(`"stream":"yes"`), "invalid_type", "stream", "Invalid type for 'stream': expected a boolean, but got a string instead."},
		{with(`"stream_options":{"include_usage":true}`), "invalid_parameter_combination", "stream_options", in + "stream_options': stream_options is only allowed where stream is true."},
		{with(`"response_format":"json_object"`), "invalid_type", "response_format", "Invalid type for 'response_format': expected an object, but got a string instead."},
		{with(`"response_format":{"type":"xml"}`), "invalid_value", "response_format.type", "Invalid value: 'xml'. Supported values are: 'text', 'json_object', and 'json_schema'."},
		{with(`"reasoning_effort":"most"`), "invalid_value", "reasoning_effort", "Invalid value: 'most'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and 'xhigh'."},
		{with(`"n":0`), "invalid_value", "n", in + "n': Input should be greater than or equal to 1."},
		{with(`"n":129`), "invalid_value", "n", in + "n': Input should be less than or equal to 128."},
		{with(`"top_logprobs":2`), "invalid_parameter_combination", "top_logprobs", in + "top_logprobs': top_logprobs needs logprobs."},
		{with(`"logprobs":true,"top_logprobs":21`), "invalid_value", "top_logprobs", in + "top_logprobs': Input should be less than or equal to 20."},
		{with(`"logit_bias":{"5":101}`), "invalid_value", "logit_bias.5", in + "logit_bias.5': Input should be less than or equal to 100."},
		{with(`"tools":[` + strings.TrimSuffix(strings.Repeat(`{"type":"function","function":{"name":"f"}},`, 129), ",") + `]`), "invalid_value", "tools", in + "tools': List should have at most 128 items."},
		{with(`"tools":[{"type":"web_search"}]`), "invalid_value", "tools[0].type", "Invalid value: 'web_search'. Supported values are: 'function'."},
		{with(tools + `,"tool_choice":{"type":"function","function":{"name":"f"}}`), "invalid_value", "tool_choice.function.name", in + "tool_choice.function.name': tool_choice names a function that is not in tools."},
		{with(functions + `,"function_call":{"name":"f"}`), "invalid_value", "function_call.name", in + "function_call.name': function_call names a function that is not in functions."},
		{with(functions + `,` + tools), "invalid_parameter_combination", "functions", in + "functions': functions and tools cannot be given together."},
		{with(functions + `,"function_call":"required"`), "invalid_value", "function_call", "Invalid value: 'required'. Supported values are: 'auto' and 'none'."},
		{with(`"metadata":{` + strings.Join(pairs, ",") + `}`), "invalid_value", "metadata", in + "metadata': Dictionary should have at most 16 items."},
		{with(`"metadata":{"a":1}`), "invalid_type", "metadata.a", "Invalid type for 'metadata.a': expected a string, but got an integer instead."},
		{with(`"metadata":{"a":"` + strings.Repeat("x", 513) + `"}`), "invalid_value", "metadata.a", in + "metadata.a': String should have at most 512 characters."},
		{with(`"max_token":1`), "unknown_parameter", "max_token", "Unknown parameter: 'max_token'. Did you mean 'max_tokens'?" + out},
		{with(`"top_k":1`), "unknown_parameter", "top_k", "Unknown parameter: 'top_k'." + out},
		{with(`"data_sources":[]`), "unsupported_parameter", "data_sources", "Unsupported parameter: 'data_sources'. On Your Data is not available here."},
		{with(`"web_search_options":{}`), "unsupported_parameter", "web_search_options", "Unsupported parameter: 'web_search_options'. There is no web search here."},
		{with(`"moderation":{"model":"m"}`), "unsupported_parameter", "moderation", "Unsupported parameter: 'moderation'. Nothing is moderated here."},
		{`[]`, "invalid_json", "", "The request body must be a JSON object."},
		{`{"model":`, "invalid_json", "", "The request body is not valid JSON: unexpected end of the JSON document at byte 9."},
	})
}

func TestWhatIsWrongWithATextOrAnEmbeddingIsNamedAsOpenAIDoes(t *testing.T) {
	t.Parallel()
	const in = "Invalid value for '"
	refuses(t, v1Text, []bad{
		{`{"model":"echo"}`, "missing_required_parameter", "prompt", "Missing required parameter: 'prompt'."},
		{`{"model":"echo","prompt":"a","best_of":129}`, "invalid_value", "best_of", in + "best_of': Input should be less than or equal to 128."},
		{`{"model":"echo","prompt":"a","best_of":1,"n":2}`, "invalid_parameter_combination", "best_of", in + "best_of': best_of should be at least n."},
		{`{"model":"echo","prompt":"a","best_of":2,"stream":true}`, "invalid_parameter_combination", "best_of", in + "best_of': best_of cannot be streamed."},
		{`{"model":"echo","prompt":"a","logprobs":6}`, "invalid_value", "logprobs", in + "logprobs': Input should be less than or equal to 5."},
		{`{"model":"echo","prompt":"a","stream_options":{}}`, "invalid_parameter_combination", "stream_options", in + "stream_options': stream_options is only allowed where stream is true."},
		{`{"model":"echo","prompt":"a","messages":[]}`, "unknown_parameter", "messages", "Unknown parameter: 'messages'. The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model."},
	})
	refuses(t, azureEmbed, []bad{
		{`{}`, "missing_required_parameter", "input", "Missing required parameter: 'input'."},
		{`{"input":""}`, "invalid_value", "input", in + "input': String should have at least 1 character."},
		{`{"input":["a",""]}`, "invalid_value", "input[1]", in + "input[1]': String should have at least 1 character."},
		{`{"input":"a","encoding_format":"int8"}`, "invalid_value", "encoding_format", "Invalid value: 'int8'. Supported values are: 'float' and 'base64'."},
		{`{"input":"a","dimensions":0}`, "invalid_value", "dimensions", in + "dimensions': Input should be greater than or equal to 1."},
	})
}

func TestWhatATargetCannotDoIsRefusedByName(t *testing.T) {
	t.Parallel()
	h := limited(t, func(m *llm.ModelInfo) { m.Features.Set, m.Inputs = 0, 2 })
	refused := func(deployment, code, message, param string) string {
		return strings.Replace(refusal(400, code, message, wrong, param), "x-ms-error-code", "x-ingot-deployment: "+deployment+"\nx-ms-error-code", 1)
	}
	lacks := func(deployment, param, what string) string {
		return refused(deployment, "unsupported_parameter", "Unsupported parameter: '"+param+"' is not supported with this model. Deployment '"+deployment+"' does not support "+what+".", param)
	}
	cases := []exchange{
		{"an image", v1Chat, said(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}`), nil, lacks("echo", "messages[0].content[0]", "images in 'messages'")},
		{"token ids", v1Embed, `{"model":"vectors","input":[1]}`, nil, lacks("vectors", "input[0]", "token ids in 'input'")},
		{"too many inputs", v1Embed, `{"model":"vectors","input":["a","b","c"]}`, nil, refused("vectors", "invalid_value", "Invalid value for 'input': List should have at most 2 items after validation, not 3.", "input")},
		{
			"what is unknown even to the model", v1Chat, with(`"top_k":1`),
			[]string{"extra-parameters: pass-through"},
			refused("echo", "unknown_parameter", "Extra inputs are not permitted: deployment 'echo' does not take 'top_k'.", "top_k"),
		},
		{"what may be dropped", v1Chat, with(`"n":2,"logit_bias":{}`), []string{"extra-parameters: drop"}, ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)), "x-ingot-dropped: n, logit_bias")},
	}
	for _, member := range []string{`"n":2`, `"logprobs":true`, `"logit_bias":{}`, `"parallel_tool_calls":false`, `"reasoning_effort":"low"`, `"modalities":["text","audio"]`} {
		name, _, _ := strings.Cut(member[1:], `"`)
		cases = append(cases, exchange{name, v1Chat, with(member), nil, lacks("echo", name, "'"+name+"'")})
	}
	for _, member := range []string{`"n":2`, `"logprobs":1`, `"logit_bias":{}`, `"suffix":"x"`, `"echo":true`, `"best_of":2`} {
		name, _, _ := strings.Cut(member[1:], `"`)
		cases = append(cases, exchange{name + " of a text", azureText, `{"prompt":"a",` + member + `}`, nil, lacks("echo", name, "'"+name+"'")})
	}
	compare(t, h, cases)
}

func TestAModelOrDeploymentThatIsNotThereIsToldByEachDoor(t *testing.T) {
	t.Parallel()
	other := strings.Replace(`{`+asked+`}`, "echo", "gpt-9", 1)
	const gone = "The API deployment 'gpt-9' for this resource does not exist. "
	absent := `{"messages":[{"role":"user","content":"Hi you"}]}`
	does := func(what string) string { return "NOT FOUND: model 'echo' does not support " + what + "." }
	served := strings.Replace(refusal(404, "not_found", does("embeddings"), "not_found_error", ""), "x-ms-", "x-ingot-deployment: echo\nx-ms-", 1)
	compare(t, door(t, nil), []exchange{
		{"v1", v1Chat, other, nil, refusal(404, "model_not_found", "The model 'gpt-9' does not exist or you do not have access to it. "+names, wrong, "model")},
		{"v1 of Azure", "POST /openai/v1/chat/completions", other, nil, refusal(404, "DeploymentNotFound", gone+names, wrong, "model")},
		{"Azure OpenAI", "POST /openai/deployments/gpt-9/embeddings", `{"input":"a"}`, nil, refusal(404, "DeploymentNotFound", gone+names, "not_found_error", "")},
		{"an SDK of Model Inference names none", "POST /v1/chat/completions?api-version=2024-05-01-preview", absent, nil, ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)))},
		{"and embeds with none", "POST /openai/v1/embeddings?api-version=preview", `{"input":"a","encoding_format":"base64"}`, nil, answer(t, door(t, nil), v1Embed, `{"model":"vectors","input":"a","encoding_format":"base64"}`)},
		{"embeddings of a chat model", v1Embed, `{"model":"echo","input":"a"}`, nil, served},
	})
}

func TestTheVersionIsReadAtAzureOpenAIOnly(t *testing.T) {
	t.Parallel()
	strict := door(t, func(o *openai.Options) { o.StrictVersions = true })
	body := `{` + asked + `}`
	fine := ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)))
	none := refusal(404, "404", "Resource not found: there is no api-version 'x'. The usual one is 2024-10-21.", "not_found_error", "api-version")
	const at = "POST /openai/deployments/echo/chat/completions"
	compare(t, door(t, nil), []exchange{
		{"anything that looks like one", at + "?api-version=2099-01-01-preview", body, nil, fine},
		{"the last of two", at + "?api-version=x&api-version=2024-10-21", body, nil, fine},
		{"what does not", at + "?api-version=x", body, nil, none},
		{"v1 takes anything", "POST /v1/chat/completions?api-version=x", body, nil, fine},
	})
	compare(t, strict, []exchange{
		{"strict: one is needed", at, body, nil, refusal(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.", wrong, "api-version")},
		{"strict: anything that looks like one", azureChat, body, nil, fine},
		{"strict: v1 needs none", v1Chat, body, nil, fine},
		{"strict: the list needs one", "GET /openai/models?api-version=x", "", nil, none},
	})
}

func TestSettingsOfTheDoors(t *testing.T) {
	t.Parallel()
	lenient := door(t, func(o *openai.Options) { o.IgnoreUnknown, o.LegacyExtras = true, true })
	told := ok("echo", chat("parrot-1", "stop", `"content":"Hi you"`, usage(used)), "x-ingot-dropped: top_k")
	const bad = "Unexpected EXTRA_PARAMETERS option allow, expected options are ['error', 'drop', 'pass-through']"
	compare(t, lenient, []exchange{
		{"unknown members are left out", v1Chat, with(`"top_k":1`), nil, told},
		{"unless the caller says otherwise", v1Chat, with(`"top_k":1`), []string{"extra-parameters: error"}, answer(t, door(t, nil), v1Chat, with(`"top_k":1`))},
		{"an old word", v1Chat, with(`"top_k":1`), []string{"extra-parameters: ignore"}, told},
	})
	compare(t, door(t, nil), []exchange{
		{"an old word that is not known", v1Chat, with(`"top_k":1`), []string{"extra-parameters: allow"}, refusal(400, "unknown_parameter", bad, wrong, "extra-parameters")},
	})
	strict := door(t, func(o *openai.Options) { o.StrictReasoning, o.Reasoning = true, llm.ReasoningContent })
	no := func(param, hint string) string {
		return refusal(400, "unsupported_parameter", "Unsupported parameter: '"+param+"' is not supported with this model."+hint, wrong, param)
	}
	compare(t, strict, []exchange{
		{"max_tokens for a model that reasons", v1Chat, with(`"max_tokens":5`), nil, no("max_tokens", " Use 'max_completion_tokens' instead.")},
		{"temperature for a model that reasons", v1Chat, with(`"temperature":0.5`), nil, no("temperature", "")},
		{
			"what asks for the default", v1Chat, strings.Replace(with(`"temperature":1,"top_p":1,"max_completion_tokens":8`), "echo", "think", 1), nil,
			ok("think", chat("thinker-1", "length", `"content":"<think>The answer is what was said.</think>Hi"`,
				`"usage":{"prompt_tokens":5,"completion_tokens":8,"total_tokens":13`+strings.Replace(noDetails, `"reasoning_tokens":0`, `"reasoning_tokens":7`, 1))),
		},
	})
}
