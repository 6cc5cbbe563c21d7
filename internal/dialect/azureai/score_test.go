package azureai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAScoreIsAChat(t *testing.T) {
	t.Parallel()
	addr := endpoint(t, azureai.Endpoint{Traffic: map[string]int{"echo": 1}}, func(o *azureai.Options) { o.StrictVersions = true })
	score := func(data string) string { return post("/score", `{"input_data":{`+data+`}}`) }
	said := func(text string) string { return picked("echo", ok("echo", `{"output":"`+text+`"}`)) }
	// invalid is one fault of a value at place, which loc repeats in JSON.
	invalid := func(place, loc, typ, msg, input string) string {
		return unprocessable("Invalid input", "Invalid input: "+place+": "+msg+".", "input_data", typ, msg, `"body",`+loc, input)
	}
	const (
		at, in     = "input_data.parameters.", `"input_data","parameters",`
		list, inls = "input_data.input_string", `"input_data","input_string"`
		noList     = "Input should be a list of messages, or of one text"
		forbidden  = "Extra inputs are not permitted"
	)
	messages := `"input_string":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi \"you\""}]`
	exchanges := []exchange{
		{"messages", score(messages), said(`Hi \"you\"`)},
		{"a text", score(`"input_string":["Hi"]`), said("Hi")},
		{"parameters", score(messages + `,"parameters":{"max_new_tokens":1,"temperature":0.5,"top_p":0.9,"stop":["x"],"seed":1,"frequency_penalty":0,"presence_penalty":0,"do_sample":true,"return_full_text":false}`), said("Hi")},
		{"no sampling", score(messages + `,"parameters":{"do_sample":false,"temperature":0.7}`), said(`Hi \"you\"`)},
		{"null parameters", score(messages + `,"parameters":null`), said(`Hi \"you\"`)},
		{"a model that is named in a header", post("/score", `{"input_data":{"input_string":["Hi"]}}`, "azureml-model-deployment: openai/gpt-4o"), picked("openai/gpt-4o", ok("openai/gpt-4o", `{"output":"Hi"}`))},
		{"no thoughts", post("/score", `{"input_data":{"input_string":["Hi"]}}`, "azureml-model-deployment: think"), picked("think", ok("think", `{"output":"Hi"}`))},
		{"a filtered answer", score(`"input_string":["Hi mock:censor you"]`), said("Hi ")},
		{"no JSON", post("/score", `{`), refusal(400, "invalid_json", "The request body is not valid JSON: unexpected end of the JSON document at byte 1.", wrongValue, "")},
		{"a list", post("/score", `[]`), unprocessable("Invalid input", "Invalid input: Input should be a valid dictionary.", "", "dict_type", "Input should be a valid dictionary", `"body"`, "[]")},
		{"nothing", post("/score", `{}`), invalid("input_data", `"input_data"`, "missing", "Field required", "null")},
		{"a chat", post("/score", hi), heads(422, "Invalid input", nil) + `{"error":{"code":"Invalid input","message":"Invalid input: messages: Extra inputs are not permitted.","type":"invalid_request_error","param":"messages","target":"messages","status":422,"details":[` +
			`{"code":"extra_forbidden","message":"Extra inputs are not permitted","type":"extra_forbidden","loc":["body","messages"],"msg":"Extra inputs are not permitted","input":[{"role":"user","content":"Hi you"}]},` +
			`{"code":"missing","message":"Field required","type":"missing","loc":["body","input_data"],"msg":"Field required","input":null}]},` +
			`"status":422,"code":"Invalid input","message":"Invalid input: messages: Extra inputs are not permitted.","detail":[` +
			`{"type":"extra_forbidden","loc":["body","messages"],"msg":"Extra inputs are not permitted","input":[{"role":"user","content":"Hi you"}]},` +
			`{"type":"missing","loc":["body","input_data"],"msg":"Field required","input":null}]}`},
		{"an empty one", score(""), invalid(list, inls, "missing", "Field required", "null")},
		{"an empty list", score(`"input_string":[]`), invalid(list, inls, "list_type", noList, "[]")},
		{"two texts", score(`"input_string":["a","b"]`), invalid(list, inls, "list_type", noList, `["a","b"]`)},
		{"a text alone", score(`"input_string":"a"`), invalid(list, inls, "list_type", noList, `"a"`)},
		{"numbers", score(`"input_string":[1]`), invalid(list, inls, "list_type", noList, "[1]")},
		{"a message of nobody", score(`"input_string":[{"role":"me","content":"a"}]`), invalid(list+"[0].role", inls+`,0,"role"`, "enum", "Input should be 'system', 'developer', 'user', 'assistant' or 'tool'", `"me"`)},
		{"a message among texts", score(`"input_string":[{"role":"user","content":"a"},"b"]`), invalid(list+"[1]", inls+`,1`, "dict_type", "Input should be a valid dictionary", `"b"`)},
		{"another member", score(messages + `,"columns":["a"]`), invalid("input_data.columns", `"input_data","columns"`, "extra_forbidden", forbidden, `["a"]`)},
		{"another parameter", score(messages + `,"parameters":{"stream":true}`), invalid(at+"stream", in+`"stream"`, "extra_forbidden", forbidden, "true")},
		{"parameters in a list", score(messages + `,"parameters":[]`), invalid("input_data.parameters", `"input_data","parameters"`, "dict_type", "Input should be a valid dictionary", "[]")},
		{"too hot", score(messages + `,"parameters":{"temperature":3}`), invalid(at+"temperature", in+`"temperature"`, "less_than_equal", "Input should be less than or equal to 2", "3")},
		{"a length that is a text", score(messages + `,"parameters":{"max_new_tokens":"1"}`), invalid(at+"max_new_tokens", in+`"max_new_tokens"`, "int_type", "Input should be a valid integer", `"1"`)},
		{"the prompt again", score(messages + `,"parameters":{"return_full_text":true}`), invalid(at+"return_full_text", in+`"return_full_text"`, "value_error", "The prompt is not given back: input should be false", "true")},
		{"sampling by a number", score(messages + `,"parameters":{"do_sample":1}`), invalid(at+"do_sample", in+`"do_sample"`, "bool_type", "Input should be a valid boolean", "1")},
		{"an image that is none", score(`"input_string":[{"role":"user","content":[{"type":"audio_url","audio_url":{"url":"https://example.com/a"}}]}]`), picked("echo", unprocessable("parameter_not_supported",
			"One of the parameters contains invalid values: input_data. Deployment 'echo' does not support audio in 'messages'.", "input_data", "parameter_not_supported", "Deployment 'echo' does not support audio in 'messages'.",
			`"body",`+inls+`,0,"content",0`, `{"type":"audio_url","audio_url":{"url":"https://example.com/a"}}`, "x-ingot-deployment: echo"))},
		{"by GET", get("/score"), refusal(405, "MethodNotAllowed", "Method Not Allowed: score takes POST.", wrongValue, "", "allow: POST, OPTIONS")},
		{"without a key", post("/score", "{}", "api-key: x"), unauthorized()},
		{"below a base", post("/models/score", "{}"), refusal(404, "404", noRoute+" Did you mean POST /models/chat/completions?", "not_found_error", "")},
	}
	for i, e := range exchanges {
		if e.name != "below a base" && !strings.Contains(e.want, "azureml-model-group") { // a fault that is noticed before anybody is picked
			exchanges[i].want = grouped(e.want)
		}
	}
	compare(t, addr, exchanges)
}

func TestAScoreAsksForWhatItsParametersSay(t *testing.T) {
	t.Parallel()
	s := &script.Model{Fragments: []*llm.Reply{{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}, Finish: llm.FinishStop}}}}}
	addr := endpoint(t, azureai.Endpoint{}, backed(s))
	answer(t, addr, post("/score", `{"input_data":{"parameters":{"do_sample":false,"temperature":1,"max_new_tokens":7,"stop":["x"]},"input_string":["Hi"]}}`))
	answer(t, addr, post("/score", `{"input_data":{"parameters":{"do_sample":true,"temperature":1},"input_string":["Hi"]}}`))
	cool, hot := s.Asked()[0], s.Asked()[1]
	want := []any{0.0, 7, []string{"x"}, "Hi", "tester", "echo", 1.0}
	got := []any{*cool.Temperature, *cool.MaxTokens, cool.Stop, cool.Messages[0].Parts[0].(llm.Text).String(), cool.Caller.Name, cool.Model, *hot.Temperature}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
