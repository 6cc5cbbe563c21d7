package azureai_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// fault is a detail as the contract wants it.
func fault(typ, loc, msg, input string) string {
	return fmt.Sprintf(`{"type":"%s","loc":[%s],"msg":%s,"input":%s}`, typ, loc, quote(msg), input)
}

// faulty is the answer of doc/protocol.md §7.3 to values at fault; the first one's place is told as a sentence does.
func faulty(t *testing.T, details ...string) string {
	t.Helper()
	var first struct {
		Type, Msg string
		Loc       []any
	}
	full := make([]string, len(details))
	for i, d := range details {
		var x struct{ Type, Msg string }
		if err := json.Unmarshal([]byte(d), &x); err != nil {
			t.Fatalf("%s: %v", d, err)
		}
		full[i] = `{"code":"` + x.Type + `","message":` + quote(x.Msg) + `,` + d[1:]
	}
	if err := json.Unmarshal([]byte(details[0]), &first); err != nil {
		t.Fatal(err)
	}
	place := ""
	for i, l := range first.Loc[1:] {
		if n, ok := l.(float64); ok {
			place += fmt.Sprintf("[%.0f]", n)
			continue
		}
		if i > 0 {
			place += "."
		}
		place += l.(string)
	}
	message := "Invalid input: " + place + ": " + first.Msg + "."
	return heads(422, "Invalid input", nil) + "{" +
		nested(422, "Invalid input", message, wrongValue, first.Loc[1].(string), strings.Join(full, ",")) +
		fmt.Sprintf(`,"status":422,"code":"Invalid input","message":%s,"detail":[%s]}`, quote(message), strings.Join(details, ","))
}

const (
	required = "Field required"
	noNumber = "Input should be a valid number"
	noInt    = "Input should be a valid integer"
	noBool   = "Input should be a valid boolean"
	noString = "Input should be a valid string"
	noList   = "Input should be a valid list"
	noDict   = "Input should be a valid dictionary"
	tooShort = "List should have at least 1 item after validation, not 0"
	empty    = "String should have at least 1 character"
	noName   = "String should match pattern '^[A-Za-z0-9_-]{1,64}$'"
	noText   = "Input should be a valid string or a list of parts"
)

func most(n string) string  { return "Input should be less than or equal to " + n }
func least(n string) string { return "Input should be greater than or equal to " + n }

// bad is a request's body and the details of what is wrong with it.
type bad struct {
	body    string
	details []string
}

func one(body, typ, loc, msg, input string) bad {
	return bad{body, []string{fault(typ, loc, msg, input)}}
}

func refuses(t *testing.T, path string, cases []bad) {
	t.Helper()
	addr := door(t, nil)
	exchanges := make([]exchange, len(cases))
	for i, c := range cases {
		exchanges[i] = exchange{c.body, post(path, c.body), faulty(t, c.details...)}
	}
	compare(t, addr, exchanges)
}

func TestEveryMemberOfAChatHasItsRange(t *testing.T) {
	t.Parallel()
	const null = "null"
	long := strings.Repeat("n", 65)
	var cases []bad
	add := func(member, value, typ, msg string) {
		cases = append(cases, one("{"+asked+`,"`+member+`":`+value+"}", typ, `"body","`+member+`"`, msg, value))
	}
	for _, c := range []struct{ member, low, high string }{{"frequency_penalty", "-2", "2"}, {"presence_penalty", "-2", "2"}, {"temperature", "0", "2"}, {"top_p", "0", "1"}} {
		add(c.member, c.high+".01", "less_than_equal", most(c.high))
		add(c.member, "1e999", "less_than_equal", most(c.high))
		below := "-0.01"
		if c.low != "0" {
			below = c.low + ".01"
		}
		add(c.member, below, "greater_than_equal", least(c.low))
		for _, v := range []string{`"1"`, `true`, `[]`, `{}`} {
			add(c.member, v, "float_type", noNumber)
		}
	}
	for _, member := range []string{"max_tokens", "max_completion_tokens"} {
		add(member, "-1", "greater_than_equal", least("0"))
		add(member, "-1e30", "greater_than_equal", least("0"))
	}
	for _, member := range []string{"max_tokens", "max_completion_tokens", "seed", "n"} {
		for _, v := range []string{`1.5`, `"1"`, `false`, `[1]`, `{}`, `1e-1`} {
			add(member, v, "int_type", noInt)
		}
	}
	add("seed", "9223372036854775808", "less_than_equal", most("9223372036854775807"))
	add("seed", "1e19", "less_than_equal", most("9223372036854775807"))
	add("seed", "-9223372036854775809", "greater_than_equal", least("-9223372036854775808"))
	add("n", "0", "greater_than_equal", least("1"))
	for _, v := range []string{`"true"`, `1`, `0`, `[]`} {
		add("stream", v, "bool_type", noBool)
		add("parallel_tool_calls", v, "bool_type", noBool)
	}
	for _, v := range []string{`1`, `true`, `["a"]`, `{}`} {
		add("model", v, "string_type", noString)
	}
	add("stop", `[]`, "too_short", tooShort)
	add("stop", `""`, "string_too_short", empty)
	add("stop", `5`, "list_type", noList)
	add("stop", `{}`, "list_type", noList)
	add("tools", `[]`, "too_short", tooShort)
	add("tools", `{}`, "list_type", noList)
	add("tool_choice", `"any"`, "enum", "Input should be 'auto', 'none' or 'required'")
	add("tool_choice", `5`, "enum", "Input should be 'auto', 'none' or 'required'")
	add("tool_choice", `"required"`, "value_error", "tool_choice 'required' needs tools")
	add("response_format", `"json_object"`, "dict_type", noDict)
	add("response_format", `[]`, "dict_type", noDict)
	add("modalities", `"text"`, "list_type", noList)
	add("modalities", `[]`, "too_short", tooShort)
	add("user_security_context", `"x"`, "dict_type", noDict)
	add("top_logprobs", "21", "less_than_equal", most("20"))
	add("top_logprobs", "2", "value_error", "top_logprobs needs logprobs")
	add("logit_bias", "[]", "dict_type", noDict)
	at := func(member, value, loc, typ, msg, input string) {
		cases = append(cases, one("{"+asked+`,"`+member+`":`+value+"}", typ, `"body","`+member+`",`+loc, msg, input))
	}
	at("stop", `["a",""]`, "1", "string_too_short", empty, `""`)
	at("stop", `["a",null]`, "1", "string_type", noString, null)
	at("stop", `[5]`, "0", "string_type", noString, "5")
	at("modalities", `["text","video"]`, "1", "enum", "Input should be 'text' or 'audio'", `"video"`)
	at("logit_bias", `{"5":101}`, `"5"`, "less_than_equal", most("100"), "101")
	at("logit_bias", `{"5":"x"}`, `"5"`, "float_type", noNumber, `"x"`)
	at("logit_bias", `{"a":1}`, `"a"`, "int_parsing", "Its names should be token ids", `"a"`)
	at("stream_options", `{"include_usage":1}`, `"include_usage"`, "bool_type", noBool, "1")
	at("user_security_context", `{"application_name":"`+strings.Repeat("a", 101)+`"}`, `"application_name"`, "string_too_long", "String should have at most 100 characters", quote(strings.Repeat("a", 101)))
	at("user_security_context", `{"end_user_id":"me"}`, `"end_user_id"`, "uuid_parsing", "Input should be a valid UUID", `"me"`)
	at("user_security_context", `{"end_user_tenant_id":5}`, `"end_user_tenant_id"`, "string_type", noString, "5")
	at("user_security_context", `{"source_ip":"1"}`, `"source_ip"`, "string_too_short", "String should have at least 2 characters", `"1"`)
	const rf = "response_format"
	at(rf, `{}`, `"type"`, "missing", required, null)
	at(rf, `{"type":"xml"}`, `"type"`, "enum", "Input should be 'text', 'json_object' or 'json_schema'", `"xml"`)
	at(rf, `{"type":null}`, `"type"`, "enum", "Input should be 'text', 'json_object' or 'json_schema'", null)
	at(rf, `{"type":"json_schema"}`, `"json_schema"`, "missing", required, null)
	at(rf, `{"type":"json_schema","json_schema":[]}`, `"json_schema"`, "dict_type", noDict, "[]")
	at(rf, `{"json_schema":{"schema":{}},"type":"json_schema"}`, `"json_schema","name"`, "missing", required, null)
	at(rf, `{"json_schema":{"schema":{},"name":null},"type":"json_schema"}`, `"json_schema","name"`, "string_type", noString, null)
	at(rf, `{"json_schema":{"schema":{},"name":"a b"},"type":"json_schema"}`, `"json_schema","name"`, "string_pattern_mismatch", noName, `"a b"`)
	at(rf, `{"json_schema":{"schema":{},"name":"`+long+`"},"type":"json_schema"}`, `"json_schema","name"`, "string_pattern_mismatch", noName, quote(long))
	at(rf, `{"json_schema":{"name":"a"},"type":"json_schema"}`, `"json_schema","schema"`, "missing", required, null)
	at(rf, `{"json_schema":{"name":"a","schema":null},"type":"json_schema"}`, `"json_schema","schema"`, "dict_type", noDict, null)
	at(rf, `{"json_schema":{"name":"a","schema":"{}"},"type":"json_schema"}`, `"json_schema","schema"`, "dict_type", noDict, `"{}"`)
	at(rf, `{"json_schema":{"name":"a","schema":{},"strict":"yes"},"type":"json_schema"}`, `"json_schema","strict"`, "bool_type", noBool, `"yes"`)
	at(rf, `{"json_schema":{"name":"a","schema":{},"description":5},"type":"json_schema"}`, `"json_schema","description"`, "string_type", noString, "5")
	at("tools", `[5]`, "0", "dict_type", noDict, "5")
	at("tools", `[{"function":{"name":"a"}}]`, `0,"type"`, "missing", required, null)
	at("tools", `[{"function":{"name":"a"},"type":"retrieval"}]`, `0,"type"`, "enum", "Input should be 'function'", `"retrieval"`)
	at("tools", `[{"type":"function"}]`, `0,"function"`, "missing", required, null)
	at("tools", `[{"type":"function","function":"a"}]`, `0,"function"`, "dict_type", noDict, `"a"`)
	at("tools", `[{"type":"function","function":{}}]`, `0,"function","name"`, "missing", required, null)
	at("tools", `[{"type":"function","function":{"name":""}}]`, `0,"function","name"`, "string_pattern_mismatch", noName, `""`)
	at("tools", `[{"type":"function","function":{"name":"a.b"}}]`, `0,"function","name"`, "string_pattern_mismatch", noName, `"a.b"`)
	at("tools", `[{"type":"function","function":{"name":5}}]`, `0,"function","name"`, "string_type", noString, "5")
	at("tools", `[{"type":"function","function":{"name":"a","description":[]}}]`, `0,"function","description"`, "string_type", noString, "[]")
	at("tools", `[{"type":"function","function":{"name":"a","parameters":[]}}]`, `0,"function","parameters"`, "dict_type", noDict, "[]")
	at("tools", `[{"type":"function","function":{"name":"a","strict":"x"}}]`, `0,"function","strict"`, "bool_type", noBool, `"x"`)
	at("tools", `[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"a"}}]`, `1,"function","name"`, "value_error", "An earlier tool has this name", `"a"`)
	at("tool_choice", `{"type":"function"}`, `"function"`, "missing", required, null)
	at("tool_choice", `{"function":{"name":"a"}}`, `"type"`, "missing", required, null)
	at("tool_choice", `{"type":"function","function":{}}`, `"function","name"`, "missing", required, null)
	at("tool_choice", `{"type":"function","function":{"name":"a"}}`, `"function","name"`, "value_error", "tool_choice names a function that is not in tools", `"a"`)
	both := "{" + asked + `,"max_completion_tokens":2,"max_tokens":1}`
	cases = append(cases, one(both, "value_error", `"body","max_completion_tokens"`, "max_tokens and max_completion_tokens cannot be given together", "1"))
	for i := range cases {
		// What two members at fault have in common is told once for each.
		if strings.Contains(cases[i].body, `"tool_choice":{"function":{"name":"a"}}`) {
			cases[i].details = append(cases[i].details, fault("value_error", `"body","tool_choice","function","name"`, "tool_choice names a function that is not in tools", `"a"`))
		}
	}
	refuses(t, "/chat/completions", cases)
}

func TestEveryMessageHasItsForm(t *testing.T) {
	t.Parallel()
	const null, m0 = "null", `"body","messages",0`
	in := func(m string) string { return `{"messages":[` + m + `]}` }
	roles := "Input should be 'system', 'developer', 'user', 'assistant' or 'tool'"
	part := func(p string) string { return in(`{"content":[` + p + `],"role":"user"}`) }
	call := func(c string) string { return in(`{"role":"assistant","tool_calls":[` + c + `]}`) }
	p0, c0 := m0+`,"content",0`, m0+`,"tool_calls",0`
	cases := []bad{
		one(`{}`, "missing", `"body","messages"`, required, null),
		one(`{"messages":null}`, "list_type", `"body","messages"`, noList, null),
		one(`{"messages":"hi"}`, "list_type", `"body","messages"`, noList, `"hi"`),
		one(`{"messages":{}}`, "list_type", `"body","messages"`, noList, `{}`),
		one(`{"messages":[]}`, "too_short", `"body","messages"`, tooShort, `[]`),
		one(in(`"hi"`), "dict_type", m0, noDict, `"hi"`),
		one(in(`{"content":"x"}`), "missing", m0+`,"role"`, required, null),
		one(in(`{"content":"x","role":null}`), "enum", m0+`,"role"`, roles, null),
		one(in(`{"content":"x","role":"function"}`), "enum", m0+`,"role"`, roles, `"function"`),
		one(in(`{"content":"x","role":5}`), "enum", m0+`,"role"`, roles, `5`),
		one(in(`{"content":"x","role":"user","name":5}`), "string_type", m0+`,"name"`, noString, "5"),
		one(in(`{"role":"user","content":[]}`), "too_short", m0+`,"content"`, tooShort, `[]`),
		one(in(`{"role":"tool","content":"x"}`), "missing", m0+`,"tool_call_id"`, required, null),
		one(in(`{"role":"tool","content":"x","tool_call_id":null}`), "string_type", m0+`,"tool_call_id"`, noString, null),
		one(in(`{"role":"tool","content":"x","tool_call_id":5}`), "string_type", m0+`,"tool_call_id"`, noString, "5"),
		one(part(`5`), "dict_type", p0, noDict, "5"),
		one(part(`{"text":"x"}`), "missing", p0+`,"type"`, required, null),
		one(part(`{"image":"x","type":"image"}`), "enum", p0+`,"type"`, "Input should be 'text', 'image_url', 'input_audio' or 'audio_url'", `"image"`),
		one(part(`{"type":"text"}`), "missing", p0+`,"text"`, required, null),
		one(part(`{"type":"text","text":null}`), "string_type", p0+`,"text"`, noString, null),
		one(part(`{"type":"image_url"}`), "missing", p0+`,"image_url"`, required, null),
		one(part(`{"type":"image_url","image_url":"data:,"}`), "dict_type", p0+`,"image_url"`, noDict, `"data:,"`),
		one(part(`{"type":"image_url","image_url":{}}`), "missing", p0+`,"image_url","url"`, required, null),
		one(part(`{"type":"image_url","image_url":{"url":"data:,","detail":"huge"}}`), "enum", p0+`,"image_url","detail"`, "Input should be 'auto', 'low' or 'high'", `"huge"`),
		one(part(`{"type":"input_audio","input_audio":{"format":"wav"}}`), "missing", p0+`,"input_audio","data"`, required, null),
		one(part(`{"type":"input_audio","input_audio":{"data":"AA==","format":"ogg"}}`), "enum", p0+`,"input_audio","format"`, "Input should be 'wav' or 'mp3'", `"ogg"`),
		one(part(`{"type":"audio_url","audio_url":{}}`), "missing", p0+`,"audio_url","url"`, required, null),
		one(in(`{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"x"}}]}`), "enum", p0+`,"type"`, "Input should be 'text'", `"image_url"`),
		one(in(`{"role":"assistant","tool_calls":{}}`), "list_type", m0+`,"tool_calls"`, noList, "{}"),
		one(call(`5`), "dict_type", c0, noDict, "5"),
		one(call(`{"id":"a","type":"function"}`), "missing", c0+`,"function"`, required, null),
		one(call(`{"id":"a","function":{"arguments":"{}"}}`), "missing", c0+`,"function","name"`, required, null),
		one(call(`{"id":5,"function":{"name":"a"}}`), "string_type", c0+`,"id"`, noString, "5"),
		one(call(`{"id":"a","function":{"name":"a"},"type":"custom"}`), "enum", c0+`,"type"`, "Input should be 'function'", `"custom"`),
		one(call(`{"id":"a","function":{"name":"a","arguments":[1]}}`), "string_type", c0+`,"function","arguments"`, noString, "[1]"),
		{`{"messages":[{"role":"pope","content":"x"},{"role":"user"},{"role":"tool"}],"temperature":3,"top_p":"x","max_tokens":-1}`, []string{
			fault("less_than_equal", `"body","temperature"`, most("2"), "3"),
			fault("float_type", `"body","top_p"`, noNumber, `"x"`),
			fault("greater_than_equal", `"body","max_tokens"`, least("0"), "-1"),
			fault("enum", m0+`,"role"`, roles, `"pope"`),
			fault("missing", `"body","messages",1,"content"`, required, null),
			fault("missing", `"body","messages",2,"tool_call_id"`, required, null),
		}},
	}
	for _, role := range []string{"system", "developer", "user"} {
		cases = append(cases,
			one(in(`{"role":"`+role+`"}`), "missing", m0+`,"content"`, required, null),
			one(in(`{"role":"`+role+`","content":null}`), "string_type", m0+`,"content"`, noText, null))
	}
	for _, role := range []string{"system", "developer", "user", "assistant", "tool"} {
		for _, v := range []string{"5", "true", `{"a":1}`} {
			cases = append(cases, one(in(`{"tool_call_id":"c","role":"`+role+`","content":`+v+`}`), "string_type", m0+`,"content"`, noText, v))
		}
	}
	refuses(t, "/models/chat/completions"+v2024, cases)
}

func TestEveryShapeThatClientsSendIsTaken(t *testing.T) {
	t.Parallel()
	const user = `{"role":"user","content":"Hi you"}`
	more := func(members string) string { return `{` + asked + `,"max_tokens":0,` + members + `}` }
	history := func(messages string) string { return `{"max_tokens":0,"messages":[` + messages + `]}` }
	addr := door(t, nil)
	for _, body := range []string{
		more(`"temperature":null,"top_p":null,"frequency_penalty":null,"presence_penalty":null,"stop":null,"seed":null,"stream":null,"tools":null,"tool_choice":null,"response_format":null,"modalities":null,"user_security_context":null,"model":null,"max_completion_tokens":null`),
		more(`"temperature":2,"top_p":0,"frequency_penalty":-2,"presence_penalty":2.0,"seed":-9223372036854775808,"stop":["a","b","c","d","e"]`),
		more(`"seed":1e2,"temperature":1e0,"stop":"x","stream":false,"modalities":["text"],"response_format":{"type":"text"}`),
		more(`"tool_choice":"none"`), more(`"tool_choice":"auto"`), more(`"model":""`),
		more(`"response_format":{"type":"json_object","schema":null}`),
		more(`"response_format":{"json_schema":{"strict":null,"schema":{},"name":"a","description":null,"other":1},"type":"json_schema"}`),
		more(`"tools":[{"function":{"name":"f"},"type":"function"},{"type":"function","function":{"name":"g","description":null,"parameters":null,"strict":null,"other":{}},"other":1}],"tool_choice":{"function":{"name":"g","x":1},"type":"function","y":2}`),
		more(`"user_security_context":{"application_name":"a","end_user_id":"382dcf4c-e717-11f1-bd2a-02fc00000001","end_user_tenant_id":"382DCF4C-E717-11F1-BD2A-02FC00000001","source_ip":"::","other":[]}`),
		`{"max_completion_tokens":0,` + asked + `}`,
		`{"max_tokens":0.0,` + asked + `}`,
		`{"max_tokens":0,"messages":[{"role":"system","content":""},{"role":"developer","content":[{"type":"text","text":"x"}]},` + user + `,{"role":"system","content":[]}]}`,
		history(user + `,{"role":"assistant"},{"role":"assistant","content":null,"tool_calls":null},{"role":"assistant","content":"","tool_calls":[]},{"role":"assistant","content":[],"audio":{"id":"a"},"refusal":null}`),
		history(user + `,{"role":"assistant","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"","call_id":null}},{"id":"b","type":"function","function":{"arguments":{"a":1},"name":"f"}},{"id":"c","type":null,"function":{"name":"f"}}]},` +
			`{"role":"tool","tool_call_id":"a"},{"role":"tool","tool_call_id":"never issued","content":null,"name":"f"},{"role":"tool","tool_call_id":"","content":[{"type":"text","text":"62"}]}`),
		history(`{"content":"x","name":"bob","role":"user","other":{"a":[1]}},{"role":"user","content":[{"text":"x","type":"text","other":1}]}`),
		history(user + `,{"role":"assistant","content":"Hi","prefix":true}`),
		history(user + `,{"role":"assistant","content":"Hi","prefix":"yes","reasoning_content":"hm"}`),
	} {
		got := answer(t, addr, post("/chat/completions", body))
		if !strings.HasPrefix(got, "200\n") || !strings.Contains(got, `"finish_reason":"length","message":{"role":"assistant","content":"","tool_calls":null}`) && !strings.Contains(got, `"content":"","tool_calls":null`) {
			t.Errorf("%s: %s", body, got)
		}
	}
	for _, limit := range []string{"2147483648", "9223372036854775807", "1e30", "1e400"} {
		got := answer(t, addr, post("/chat/completions", `{`+asked+`,"max_tokens":`+limit+`}`))
		if !strings.Contains(got, `"content":"Hi you"`) {
			t.Errorf("%s: %s", limit, got)
		}
	}
}

func TestEveryMemberOfATextCompletionHasItsRange(t *testing.T) {
	t.Parallel()
	const null, prompt = "null", `"body","prompt"`
	refuses(t, "/completions", []bad{
		one(`{}`, "missing", prompt, required, null),
		one(`{"prompt":null}`, "string_type", prompt, "Input should be a valid string, a list of strings or token ids", null),
		one(`{"prompt":{}}`, "string_type", prompt, "Input should be a valid string, a list of strings or token ids", "{}"),
		one(`{"prompt":5}`, "string_type", prompt, "Input should be a valid string, a list of strings or token ids", "5"),
		one(`{"prompt":[]}`, "too_short", prompt, tooShort, "[]"),
		one(`{"prompt":[[]]}`, "too_short", prompt+",0", tooShort, "[]"),
		one(`{"prompt":["a",null]}`, "string_type", prompt+",1", noString, null),
		one(`{"prompt":["a",{}]}`, "string_type", prompt+",1", noString, "{}"),
		one(`{"prompt":[1,"a"]}`, "int_type", prompt+",1", noInt, `"a"`),
		one(`{"prompt":[1,2.5]}`, "int_type", prompt+",1", noInt, "2.5"),
		one(`{"prompt":[-1]}`, "greater_than_equal", prompt+",0", least("0"), "-1"),
		one(`{"prompt":[[1],[2147483648]]}`, "less_than_equal", prompt+",1,0", most("2147483647"), "2147483648"),
		one(`{"prompt":"a","max_tokens":-1}`, "greater_than_equal", `"body","max_tokens"`, least("0"), "-1"),
		one(`{"prompt":"a","temperature":2.1}`, "less_than_equal", `"body","temperature"`, most("2"), "2.1"),
		one(`{"prompt":"a","top_p":-1}`, "greater_than_equal", `"body","top_p"`, least("0"), "-1"),
		one(`{"prompt":"a","stop":[]}`, "too_short", `"body","stop"`, tooShort, "[]"),
		one(`{"prompt":"a","stream":"x"}`, "bool_type", `"body","stream"`, noBool, `"x"`),
		one(`{"prompt":"a","n":0}`, "greater_than_equal", `"body","n"`, least("1"), "0"),
		one(`{"prompt":"a","n":129}`, "less_than_equal", `"body","n"`, most("128"), "129"),
		one(`{"prompt":"a","best_of":129}`, "less_than_equal", `"body","best_of"`, most("128"), "129"),
		one(`{"prompt":[`+strings.TrimSuffix(strings.Repeat(`"a",`, 65), ",")+`],"n":127}`, "value_error", `"body","n"`, "n times prompts should be at most 8192", "127"),
		one(`{"prompt":"a","logprobs":6}`, "less_than_equal", `"body","logprobs"`, most("5"), "6"),
		one(`{"prompt":"a","logprobs":true}`, "int_type", `"body","logprobs"`, noInt, "true"),
		one(`{"prompt":"a","echo":"x"}`, "bool_type", `"body","echo"`, noBool, `"x"`),
		one(`{"prompt":"a","suffix":5}`, "string_type", `"body","suffix"`, noString, "5"),
		one(`{"prompt":"a","n":3,"best_of":2}`, "value_error", `"body","best_of"`, "best_of should be at least n", "2"),
		one(`{"prompt":"a","best_of":2,"stream":true}`, "value_error", `"body","best_of"`, "best_of cannot be streamed", "2"),
		one(`{"prompt":"a","logit_bias":{"1":-100.5}}`, "greater_than_equal", `"body","logit_bias","1"`, least("-100"), "-100.5"),
	})
}

func TestEveryMemberOfAnEmbeddingHasItsRange(t *testing.T) {
	t.Parallel()
	const null, input = "null", `"body","input"`
	formats := "Input should be 'float', 'base64', 'binary', 'ubinary', 'int8' or 'uint8'"
	refuses(t, "/embeddings", []bad{
		one(`{}`, "missing", input, required, null),
		one(`{"input":null}`, "string_type", input, "Input should be a valid string, a list of strings or token ids", null),
		one(`{"input":""}`, "string_too_short", input, empty, `""`),
		one(`{"input":[]}`, "too_short", input, tooShort, "[]"),
		one(`{"input":[[]]}`, "too_short", input+",0", tooShort, "[]"),
		one(`{"input":["a",""]}`, "string_too_short", input+",1", empty, `""`),
		one(`{"input":["a",5]}`, "string_type", input+",1", noString, "5"),
		one(`{"input":["a",{"image":"x"}]}`, "string_type", input+",1", noString, `{"image":"x"}`),
		one(`{"input":"a","dimensions":0}`, "greater_than_equal", `"body","dimensions"`, least("1"), "0"),
		one(`{"input":"a","dimensions":"8"}`, "int_type", `"body","dimensions"`, noInt, `"8"`),
		one(`{"input":"a","encoding_format":"hex"}`, "enum", `"body","encoding_format"`, formats, `"hex"`),
		one(`{"input":"a","encoding_format":5}`, "enum", `"body","encoding_format"`, formats, "5"),
		one(`{"input":"a","input_type":"passage"}`, "enum", `"body","input_type"`, "Input should be 'text', 'query' or 'document'", `"passage"`),
		one(`{"input":"a","model":5}`, "string_type", `"body","model"`, noString, "5"),
		one(`{"input":"a","user":5}`, "string_type", `"body","user"`, noString, "5"),
	})
}
