package azureai_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	allNames   = "Deployments: echo, think, vectors, openai/gpt-4o, two words, cut, fail, busy, slow, chat."
	noRoute    = "Resource not found. Azure AI Model Inference is served at the root, /models, /inference and /deployments/{name}: GET /info and POST /chat/completions, /completions, /embeddings and /images/embeddings. OpenAI's API is at /v1, Azure OpenAI's at /openai."
	noKey      = "Auth token validation failed. Please provide a valid key or a valid AAD token"
	wrongValue = "invalid_request_error"
)

// quote is a JSON string; the texts of these tests need no escapes that Go writes otherwise.
func quote(s string) string { return strconv.Quote(s) }

func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return quote(s)
}

// nested is the error of doc/protocol.md §7.1 without the braces around it.
func nested(status int, code, message, kind, param, details string) string {
	target := ""
	if param != "" {
		target = `"target":` + quote(param) + ","
	}
	return fmt.Sprintf(`"error":{"code":%s,"message":%s,"type":%s,"param":%s,%s"status":%d,"details":[%s]}`,
		quote(code), quote(message), orNull(kind), orNull(param), target, status, details)
}

// heads are the status and the headers of an error in order of their names.
func heads(status int, code string, more []string) string {
	all := append([]string{"content-type: application/json", "x-ms-error-code: " + code}, more...)
	slices.SortFunc(all, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	return strconv.Itoa(status) + "\n" + strings.Join(all, "\n") + "\n\n"
}

// refusal is an error whose body is only the nested one.
func refusal(status int, code, message, kind, param string, headers ...string) string {
	return heads(status, code, headers) + "{" + nested(status, code, message, kind, param, "") + "}"
}

// unauthorized is the answer of doc/protocol.md §7.4.
func unauthorized() string {
	return heads(401, "401", []string{"www-authenticate: Bearer"}) +
		"{" + nested(401, "401", noKey, "authentication_error", "", "") + `,"statusCode":401,"message":"` + noKey + `"}`
}

// unprocessable is the answer of doc/protocol.md §7.3 with one detail.
func unprocessable(code, message, param, typ, msg, loc, input string, headers ...string) string {
	plain := fmt.Sprintf(`"type":"%s","loc":[%s],"msg":%s,"input":%s}`, typ, loc, quote(msg), input)
	return heads(422, code, headers) + "{" +
		nested(422, code, message, wrongValue, param, fmt.Sprintf(`{"code":"%s","message":%s,`, typ, quote(msg))+plain) +
		fmt.Sprintf(`,"status":422,"code":%s,"message":%s,"detail":[{%s]}`, quote(code), quote(message), plain)
}

// extra is the answer of doc/protocol.md §3.6 to members that the contract does not have.
func extra(param, names string) string {
	sentence := "Extra parameters [" + names + "] are not allowed when extra-parameters is not set or set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model."
	return heads(400, "extra_parameters_not_allowed", nil) +
		"{" + nested(400, "extra_parameters_not_allowed", sentence, wrongValue, param, "") + `,"detail":` + quote(sentence) + "}"
}

const wentWrong = "It went wrong."

// answersOf are the answers to errors of each kind, which say that it went wrong and that 1.5 s from now it may not.
func answersOf() map[llm.Kind]string {
	const m = wentWrong
	retry := []string{"retry-after: 2", "retry-after-ms: 1500"}
	return map[llm.Kind]string{
		llm.Malformed: refusal(400, "invalid_json", m, wrongValue, ""),
		llm.Invalid: heads(422, "Invalid input", nil) + "{" + nested(422, "Invalid input", m, wrongValue, "", "") +
			`,"status":422,"code":"Invalid input","message":"It went wrong.","detail":[]}`,
		llm.UnknownParam: heads(400, "extra_parameters_not_allowed", nil) + "{" + nested(400, "extra_parameters_not_allowed", m, wrongValue, "", "") +
			`,"detail":"It went wrong."}`,
		llm.NoVersion:    refusal(400, "MissingApiVersionParameter", m, wrongValue, ""),
		llm.NoModel:      refusal(400, "no_model_name", m, wrongValue, ""),
		llm.UnknownModel: refusal(400, "unknown_model", m, wrongValue, ""),
		llm.NoDeployment: refusal(404, "DeploymentNotFound", m, "not_found_error", ""),
		llm.NoOperation:  refusal(404, "NotFound", m, "not_found_error", ""),
		llm.NotFound:     refusal(404, "NotFound", m, "not_found_error", ""),
		llm.NoRoute:      refusal(404, "404", m, "not_found_error", ""),
		llm.BadHost:      refusal(403, "PermissionDenied", m, "permission_error", ""),
		llm.Method:       refusal(405, "MethodNotAllowed", m, wrongValue, ""),
		llm.MediaType:    refusal(415, "UnsupportedMediaType", m, wrongValue, ""),
		llm.TooLarge:     refusal(413, "RequestEntityTooLarge", m, wrongValue, ""),
		llm.Late:         refusal(408, "RequestTimeout", m, wrongValue, ""),
		llm.TooLong:      refusal(400, "context_length_exceeded", m, wrongValue, ""),
		llm.Unauthenticated: heads(401, "401", []string{"www-authenticate: Bearer"}) + "{" + nested(401, "401", m, "authentication_error", "", "") +
			`,"statusCode":401,"message":"It went wrong."}`,
		llm.Denied: refusal(403, "PermissionDenied", m, "permission_error", ""),
		llm.Unsupported: heads(422, "parameter_not_supported", nil) + "{" + nested(422, "parameter_not_supported", m, wrongValue, "", "") +
			`,"status":422,"code":"parameter_not_supported","message":"It went wrong.","detail":[]}`,
		llm.RateLimited: refusal(429, "429", m, "rate_limit_error", "", retry...),
		llm.OverBudget:  refusal(429, "insufficient_quota", m, "rate_limit_error", "", "x-should-retry: false"),
		llm.Filtered: heads(400, "content_filter", nil) + `{"error":{"code":"content_filter","message":"It went wrong.","type":null,"param":null,` +
			`"status":400,"details":[],"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
		llm.Canceled:    refusal(499, "RequestCanceled", m, wrongValue, ""),
		llm.Timeout:     refusal(504, "Timeout", m, "server_error", ""),
		llm.Unavailable: refusal(503, "ServiceUnavailable", m, "server_error", "", retry...),
		llm.Upstream:    refusal(502, "BackendError", m, "server_error", ""),
	}
}

func TestEveryKindOfErrorHasItsStatusCodeAndHeaders(t *testing.T) {
	t.Parallel()
	const m = wentWrong
	wait := 1500 * time.Millisecond
	answers := answersOf()
	for kind := llm.Malformed; kind <= llm.Upstream; kind++ {
		want, ok := answers[kind]
		if !ok {
			t.Errorf("kind %d has no expectation", kind)
		}
		addr := door(t, backed(&script.Model{Err: &llm.Error{Kind: kind, Message: m, RetryAfter: wait, Code: "theirs", Status: 418}}))
		compare(t, addr, []exchange{
			{fmt.Sprint(kind, " whole"), post("/chat/completions", hi), want},
			{fmt.Sprint(kind, " streamed"), post("/chat/completions", `{"stream":true,`+asked+`}`), want},
			{fmt.Sprint(kind, " completion"), post("/completions", `{"stream":true,"prompt":"x"}`), want},
			{fmt.Sprint(kind, " embedding"), post("/embeddings", `{"input":"x"}`), want},
		})
		_, body, _ := strings.Cut(want, "\n\n")
		var in struct{ Error json.RawMessage }
		if err := json.Unmarshal([]byte(body), &in); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		begun := []*llm.Reply{{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}}}}}
		late := door(t, backed(&script.Model{Fragments: begun, Err: &llm.Error{Kind: kind, Message: m, RetryAfter: wait}}))
		compare(t, late, []exchange{{
			fmt.Sprint(kind, " in mid-stream"), post("/chat/completions", `{"stream":true,`+asked+`}`),
			"200\ncache-control: no-cache\ncontent-type: text/event-stream\nx-accel-buffering: no\n\n" + frames(
				chunk("m", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
				chunk("m", `"delta":{"content":"a"},"finish_reason":null}]}`),
				`{"error":`+string(in.Error)+`}`) + broken,
		}})
	}
}

func TestAnErrorOfOursTellsTheCallerNothingButItsID(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		fmt.Errorf("open /secret/place: %w", errors.New("denied")),
		&llm.Error{Kind: llm.Internal, Message: "at /secret/place", Err: errors.New("/secret/place")},
	} {
		got := answer(t, door(t, backed(&script.Model{Err: err})), post("/chat/completions", hi))
		want := refusal(500, "InternalServerError", "Internal error. The log has more under the id GUID.", "server_error", "")
		if d := cmp.Diff(want, anyGUID.ReplaceAllString(got, "GUID")); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}

func TestAnErrorSaysWhoFailedAndWhatWasDropped(t *testing.T) {
	t.Parallel()
	compare(t, door(t, nil), []exchange{
		{
			"busy", post("/deployments/busy/chat/completions", `{"top_k":1,`+asked+`}`, "extra-parameters: drop"),
			refusal(429, "429", "The mock model fails on purpose with status 429.", "rate_limit_error", "", "retry-after: 2", "retry-after-ms: 1500",
				"x-ingot-attempts: 1", "x-ingot-deployment: busy", "x-ingot-dropped: top_k", "x-ingot-provider: mock"),
		},
		{
			"an operation that the model does not have", post("/deployments/vectors/chat/completions", hi),
			refusal(404, "NotFound", "NOT FOUND: model 'vectors' does not support chat completions.", "not_found_error", "", "x-ingot-deployment: vectors"),
		},
		{
			"a filtered prompt", post("/chat/completions", `{"messages":[{"role":"user","content":"mock:filter"}]}`),
			heads(400, "content_filter", []string{"x-ingot-attempts: 1", "x-ingot-deployment: echo", "x-ingot-provider: mock"}) +
				`{"error":{"code":"content_filter","message":"The response was filtered: the prompt contains mock:filter, which this mock model refuses as a content filter would.",` +
				`"type":null,"param":"prompt","target":"prompt","status":400,"details":[],"innererror":{"code":"ResponsibleAIPolicyViolation",` +
				`"content_filter_result":{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":true,"detected":true},"self_harm":{"filtered":false,"severity":"safe"},` +
				`"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}}}`,
		},
	})
}

func TestWhatIsWrongInABodyIsNamedWithItsPlace(t *testing.T) {
	t.Parallel()
	notJSON := func(what string) string {
		return refusal(400, "invalid_json", "The request body is not valid JSON: "+what+".", wrongValue, "")
	}
	compare(t, door(t, nil), []exchange{
		{"no body", post("/chat/completions", ""), notJSON("unexpected end of the JSON document at byte 0")},
		{"no object", post("/chat/completions", "[]"), refusal(400, "invalid_json", "The request body must be a JSON object.", wrongValue, "")},
		{"a name twice", post("/chat/completions", `{"model":"a","mod\u0065l":"b"}`), notJSON(`duplicate member "mod\u0065l" at byte 13`)},
		{"half a rune", post("/chat/completions", "{\"model\":\"\xe2\x82\"}"), notJSON("invalid UTF-8 in a string at byte 10")},
		{"nested too deep", post("/chat/completions", `{"messages":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`), notJSON("nested too deep at byte 139")},
		{
			"no messages", post("/chat/completions", `{}`),
			unprocessable("Invalid input", "Invalid input: messages: Field required.", "messages", "missing", "Field required", `"body","messages"`, "null"),
		},
		{
			"too hot", post("/chat/completions", `{"temperature":2.5,`+asked+`}`),
			unprocessable("Invalid input", "Invalid input: temperature: Input should be less than or equal to 2.", "temperature", "less_than_equal",
				"Input should be less than or equal to 2", `"body","temperature"`, "2.5"),
		},
		{
			"beyond numbers", post("/chat/completions", `{"temperature":1e999,`+asked+`}`),
			unprocessable("Invalid input", "Invalid input: temperature: Input should be less than or equal to 2.", "temperature", "less_than_equal",
				"Input should be less than or equal to 2", `"body","temperature"`, "1e999"),
		},
		{
			"a role that does not exist", post("/chat/completions", `{"messages":[{"role":"user","content":""},{"role":"pope","content":""}]}`),
			unprocessable("Invalid input", "Invalid input: messages[1].role: Input should be 'system', 'developer', 'user', 'assistant' or 'tool'.", "messages", "enum",
				"Input should be 'system', 'developer', 'user', 'assistant' or 'tool'", `"body","messages",1,"role"`, `"pope"`),
		},
		{
			"a tool that is not there", post("/chat/completions", `{`+asked+`,`+tools+`,"tool_choice":{"type":"function","function":{"name":"see"}}}`),
			unprocessable("Invalid input", "Invalid input: tool_choice.function.name: tool_choice names a function that is not in tools.", "tool_choice", "value_error",
				"tool_choice names a function that is not in tools", `"body","tool_choice","function","name"`, `"see"`),
		},
		{
			"an unknown tool_choice", post("/chat/completions", `{`+asked+`,`+tools+`,"tool_choice":"any"}`),
			unprocessable("Invalid input", "Invalid input: tool_choice: Input should be 'auto', 'none' or 'required'.", "tool_choice", "enum",
				"Input should be 'auto', 'none' or 'required'", `"body","tool_choice"`, `"any"`),
		},
		{
			"a sound for a model that reads", post("/chat/completions", `{"messages":[{"role":"user","content":[{"input_audio":{"data":"AA==","format":"wav"},"type":"input_audio"}]}]}`),
			unprocessable("parameter_not_supported", "One of the parameters contains invalid values: messages. Deployment 'echo' does not support audio in 'messages'.", "messages",
				"parameter_not_supported", "Deployment 'echo' does not support audio in 'messages'.", `"body","messages",0,"content",0`, `{"input_audio":{"data":"AA==","format":"wav"},"type":"input_audio"}`, "x-ingot-deployment: echo"),
		},
		{
			"an image that is none", post("/chat/completions", `{"messages":[{"role":"user","content":[{"image_url":{"url":"data:image/png;base64,AA=="},"type":"image_url"}]}]}`),
			unprocessable("Invalid input", "Invalid input: messages[0].content[0]: This is no image that is known here: send PNG, JPEG, GIF, WebP or BMP.", "messages",
				"value_error", "This is no image that is known here: send PNG, JPEG, GIF, WebP or BMP", `"body","messages",0,"content",0`, `{"image_url":{"url":"data:image/png;base64,AA=="},"type":"image_url"}`,
				"x-ingot-attempts: 1", "x-ingot-deployment: echo", "x-ingot-provider: mock"),
		},
		{
			"an empty input", post("/embeddings", `{"input":["a",""]}`),
			unprocessable("Invalid input", "Invalid input: input[1]: String should have at least 1 character.", "input", "string_too_short",
				"String should have at least 1 character", `"body","input",1`, `""`),
		},
		{
			"an unknown input type", post("/embeddings", `{"input":"a","input_type":"foo"}`),
			unprocessable("Invalid input", "Invalid input: input_type: Input should be 'text', 'query' or 'document'.", "input_type", "enum",
				"Input should be 'text', 'query' or 'document'", `"body","input_type"`, `"foo"`),
		},
		{
			"bits that 8 does not divide", post("/embeddings", `{"input":"a","dimensions":12,"encoding_format":"binary"}`),
			unprocessable("Invalid input", "Invalid input: encoding_format: Bits need a number of dimensions that 8 divides.", "encoding_format", "value_error",
				"Bits need a number of dimensions that 8 divides", `"body","encoding_format"`, `"binary"`, "x-ingot-attempts: 1", "x-ingot-deployment: vectors", "x-ingot-provider: mock"),
		},
		{
			"a long value is cut", post("/chat/completions", `{"temperature":"`+strings.Repeat("x", 5000)+`",`+asked+`}`),
			unprocessable("Invalid input", "Invalid input: temperature: Input should be a valid number.", "temperature", "float_type",
				"Input should be a valid number", `"body","temperature"`, `"\"`+strings.Repeat("x", 1023)+`…"`),
		},
	})
}

func TestExtraParametersAreRefusedDroppedOrPassedOn(t *testing.T) {
	t.Parallel()
	chat := func(version, more, header string) string {
		headers := []string{}
		if header != "" {
			headers = append(headers, "extra-parameters: "+header)
		}
		return post("/chat/completions"+version, `{"max_tokens":0,`+more+asked+`}`, headers...)
	}
	plain := `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"length",` +
		`"message":{"role":"assistant","content":"","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5}}`
	dropped := strings.Replace(ok("echo", plain), "x-ingot-provider", "x-ingot-dropped: n, top_k\nx-ingot-provider", 1)
	forbidden := func(name, input string) string {
		return unprocessable("Invalid input", "Invalid input: "+name+": Extra inputs are not permitted.", name, "extra_forbidden", "Extra inputs are not permitted",
			`"body","`+name+`"`, input, "x-ingot-deployment: echo")
	}
	option := func(value string) string {
		sentence := "Unexpected EXTRA_PARAMETERS option " + value + ", expected options are ['error', 'drop', 'pass-through']"
		return heads(400, "extra_parameters_not_allowed", nil) +
			"{" + nested(400, "extra_parameters_not_allowed", sentence, wrongValue, "extra-parameters", "") + `,"detail":` + quote(sentence) + "}"
	}
	addr := door(t, nil)
	compare(t, addr, []exchange{
		{"refused, no header", chat(v2024, `"n":1,"top_k":1,`, ""), extra("n", "'n', 'top_k'")},
		{"refused, blank header", chat(v2024, `"n":1,`, " "), extra("n", "'n'")},
		{"refused, error", chat(v2024, `"n":1,`, "ERROR"), extra("n", "'n'")},
		{"refused before a bad value", chat(v2024, `"n":1,"temperature":9,`, ""), extra("n", "'n'")},
		{"refused without a version too, when the header is there", chat("", `"n":1,`, "error"), extra("n", "'n'")},
		{"a blank version is none", chat("?api-version=", `"n":1,`, ""), ok("echo", plain)},
		{"OpenAI's without a version", chat("", `"n":1,"user":"u",`, ""), ok("echo", plain)},
		{"what neither contract knows", chat("", `"n":1,"top_k":1,`, ""), extra("top_k", "'top_k'")},
		{"dropped", chat(v2024, `"n":2,"top_k":1,`, " Drop "), dropped},
		{"passed on and understood", chat(v2024, `"n":1,`, "Pass-Through"), ok("echo", plain)},
		{"passed on and unknown to the model", chat(v2024, `"top_k":[1,2],`, "pass-through"), forbidden("top_k", "[1,2]")},
		{"null is passed on as well", chat(v2024, `"top_k":null,`, "pass-through"), forbidden("top_k", "null")},
		{"an old word", chat(v2024, ``, "ignore"), option("ignore")},
		{"an unknown word comes back as it was", chat(v2024, ``, " Ignore "), option("Ignore")},
		{"two words", chat(v2024, ``, "drop, error"), option("drop, error")},
		{"one word twice", chat(v2024, `"n":2,"top_k":1,`, "drop, DROP,"), dropped},
		{"two lines that agree", post("/chat/completions"+v2024, `{"max_tokens":0,"n":2,"top_k":1,`+asked+`}`, "Extra-Parameters: Drop", "extra-parameters: drop"), dropped},
		{"two lines, one of them blank", post("/chat/completions"+v2024, `{"max_tokens":0,"n":2,"top_k":1,`+asked+`}`, "extra-parameters:", "extra-parameters: drop"), dropped},
		{"two lines that do not agree", post("/chat/completions"+v2024, `{`+asked+`}`, "extra-parameters: drop", "extra-parameters: pass-through"), option("drop,pass-through")},
		{"OpenAI's that ask for nothing", chat("", `"metadata":{"a":"b"},"safety_identifier":"s",`, ""), ok("echo", plain)},
		{
			"OpenAI's that are not obeyed", chat("", `"store":true,"service_tier":"flex","prompt_cache_options":{},"verbosity":"low",`, ""),
			strings.Replace(ok("echo", plain), "x-ingot-provider", "x-ingot-dropped: store, service_tier, prompt_cache_options, verbosity\nx-ingot-provider", 1),
		},
		{"OpenAI's that are not obeyed, with a version", chat(v2024, `"store":true,`, ""), extra("store", "'store'")},
		{"OpenAI's that are not obeyed, passed on", chat("", `"store":true,`, "pass-through"), forbidden("store", "true")},
		{"no word", chat(v2024, ``, "1"), option("1")},
		{"the last of the versions counts", chat("?api-version=&api-version=2024-05-01-preview", `"n":1,`, ""), extra("n", "'n'")},
		{"of completions", post("/completions"+v2024, `{"prompt":"a","best_of":1}`), extra("best_of", "'best_of'")},
		{"of embeddings", post("/embeddings"+v2024, `{"input":"a","user":"u"}`), extra("user", "'user'")},
		{"no header for info", get("/info", "extra-parameters: ignore"), "200\ncontent-type: application/json\nx-ingot-deployment: echo\nx-ingot-provider: mock\n\n" +
			`{"model_name":"parrot-1","model_type":"chat_completion","model_provider_name":"Ingot"}`},
		{"a bad word for completions", post("/completions", `{"prompt":"a"}`, "extra-parameters: x"), option("x")},
		{"a bad word for embeddings", post("/embeddings", `{"input":"a"}`, "extra-parameters: x"), option("x")},
		{"a quoted name", chat(v2024, `"a\"\\\u003c":1,`, ""), strings.ReplaceAll(extra(`a"\<`, `'a"\<'`), "<", `\u003c`)},
	})
	legacy := door(t, func(o *azureai.Options) { o.LegacyExtras = true })
	compare(t, legacy, []exchange{
		{"ignore is drop", chat(v2024, `"n":2,"top_k":1,`, "ignore"), dropped},
		{"allow is pass-through", chat(v2024, `"n":1,`, "Allow"), ok("echo", plain)},
	})
}

func TestAnErrorIsBoundedWhateverItRepeats(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100<<10)
	odd := make(chan int)
	loc := make([]any, 1000)
	for i := range loc {
		loc[i] = long
	}
	for name, err := range map[string]*llm.Error{
		"many details":    {Kind: llm.Invalid, Details: make([]llm.Detail, 1<<16)},
		"long texts":      {Kind: llm.Unsupported, Message: long, Param: long, Details: []llm.Detail{{Type: "t", Msg: long, Loc: []any{"body", long}}}},
		"a long place":    {Kind: llm.Invalid, Details: []llm.Detail{{Loc: loc}}},
		"a long value":    {Kind: llm.Invalid, Details: []llm.Detail{{Loc: []any{"header"}, Input: []byte(quote(long))}}},
		"odd places":      llm.Faulty(llm.Detail{Type: "t", Msg: "m", Loc: []any{"body", odd, 1.5, nil, []any{odd}}}),
		"no place":        llm.Faulty(llm.Detail{}),
		"no body in it":   llm.Faulty(llm.Detail{Loc: []any{3}}),
		"a value no JSON": {Kind: llm.Invalid, Details: []llm.Detail{{Loc: []any{"query"}, Input: []byte(`{"`)}}},
		"invalid UTF-8":   {Kind: llm.Invalid, Message: "\xff", Param: "\xff", Details: []llm.Detail{{Type: "\xff", Msg: "\xff", Loc: []any{"\xff"}}}},
	} {
		got := answer(t, door(t, backed(&script.Model{Err: err})), post("/chat/completions", hi))
		_, body, _ := strings.Cut(got, "\n\n")
		if !strings.HasPrefix(got, "422\n") || len(body) > 64<<10 || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d bytes: %.300s", name, len(got), got)
		}
		if strings.Contains(got, "InternalServerError") {
			t.Errorf("%s: %.300s", name, got)
		}
	}
	images := `{"messages":[{"role":"user","content":[` + strings.Repeat(`{"type":"image_url","image_url":{"url":"data:,"}},`, 10_000) + `{"type":"text","text":""}]}]}`
	var extras strings.Builder
	for i := range 900 {
		fmt.Fprintf(&extras, `"%s%d":%s,`, strings.Repeat("n", 500), i, quote(strings.Repeat("v", 500)))
	}
	for name, request := range map[string]string{
		"images":          post("/chat/completions", images),
		"extras":          post("/chat/completions", "{"+extras.String()+asked+"}", "extra-parameters: pass-through"),
		"refused members": post("/chat/completions", "{"+extras.String()+asked+"}", "extra-parameters: error"),
		"dropped members": post("/chat/completions", "{"+extras.String()+asked+"}", "extra-parameters: drop"),
	} {
		start := time.Now()
		got := answer(t, door(t, nil), request)
		if len(got) > 64<<10 || time.Since(start) > 5*time.Second {
			t.Errorf("%s: %d bytes after %s", name, len(got), time.Since(start))
		}
		if name == "dropped members" && !strings.Contains(got, ", ...\n") {
			t.Errorf("the list of what was dropped does not say that it is cut: %.6000s", got)
		}
	}
}

func TestNothingFromOutsideBreaksOutOfAHeader(t *testing.T) {
	t.Parallel()
	addr := door(t, nil)
	got := answer(t, addr, post("/chat/completions", `{"max_tokens":0,"a\r\nSet-Cookie: x":1,"b,c":1,"é\u0000":1,"":1,`+asked+`}`, "extra-parameters: drop"))
	if want := "x-ingot-dropped: " + `"a\r\nSet-Cookie: x", "b,c", "\u00e9\x00", ""` + "\n"; !strings.Contains(got, want) || strings.Contains(got, "\nset-cookie") {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, request := range []string{
		get("/deployments/a%0d%0aSet-Cookie:%20x/info"),
		get("/models/info?model=a%0d%0aSet-Cookie:%20x"),
		get("/info", "azureml-model-deployment: \xff\xfe"),
		post("/chat/completions", hi, "extra-parameters: \xff<script>"),
		post("/models/chat/completions", `{"model":"a\r\nSet-Cookie: x",`+asked+`}`),
	} {
		got := answer(t, addr, request)
		_, body, _ := strings.Cut(got, "\n\n")
		if !strings.HasPrefix(got, "40") || strings.Contains(got, "\nset-cookie") || !json.Valid([]byte(body)) {
			t.Errorf("%q: got %s", request, got)
		}
	}
}
