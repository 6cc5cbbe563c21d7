package input_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/input"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// chat is the chat that a request becomes, as a server of the family is asked.
func chat(body string, extras dialect.Extras, before ...string) (string, *input.Request, error) {
	r, err := input.Decode([]byte(body), extras)
	if err != nil {
		return "", nil, err
	}
	var history [][]byte
	for _, item := range before {
		history = append(history, []byte(item))
	}
	if err := r.Converse(history, nil); err != nil {
		return "", nil, err
	}
	return string(encode.AppendChat(nil, &r.Chat)), r, nil
}

var refuse = dialect.Extras{Unknown: request.Refuse}

func TestARequestBecomesAChat(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"a text": {
			`{"model":"m","input":"Hi\u0021"}`, `{"model":"m","messages":[{"role":"user","content":"Hi\u0021"}]}`,
		},
		"instructions come first": {
			`{"input":"Hi","instructions":"Be brief."}`, `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]}`,
		},
		"messages of all roles and forms": {
			`{"input":[{"role":"developer","content":"a"},{"type":"message","role":"system","content":[{"type":"input_text","text":"b"}],"id":"msg_1","status":"completed"},
				{"role":"user","content":[{"type":"input_text","text":"c"},{"type":"input_image","image_url":"data:,","detail":"low","file_id":null}]},
				{"role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"d","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"e"}]},
				{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}]}`,
			`{"messages":[{"role":"developer","content":"a"},{"role":"system","content":"b"},
				{"role":"user","content":[{"type":"text","text":"c"},{"type":"image_url","image_url":{"url":"data:,","detail":"low"}}]},
				{"role":"assistant","content":[{"type":"text","text":"d"},{"type":"text","text":"e"}]},
				{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]}]}`,
		},
		"thoughts are not sent back, calls beside each other are one message, and results follow": {
			`{"input":[{"role":"user","content":"Hi"},{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hm"}],"encrypted_content":null},
				{"role":"assistant","content":"Look"},{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{}","status":"completed"},
				{"type":"function_call","call_id":"c2","name":"g","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"c1","output":"1"},
				{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"2"},{"type":"input_image","image_url":"data:,x"}]}]}`,
			`{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Look","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},
				{"id":"c2","type":"function","function":{"name":"g","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"},
				{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"2"},{"type":"image_url","image_url":{"url":"data:,x"}}]}]}`,
		},
		"what was said after a call is one message with it": {
			`{"input":[{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"role":"assistant","content":"Look"},{"type":"function_call_output","call_id":"c1","output":"1"}]}`,
			`{"messages":[{"role":"assistant","content":"Look","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}]}`,
		},
		"a call without a text": {
			`{"input":[{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}]}`,
			`{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}]}`,
		},
		"sampling": {
			`{"input":"Hi","max_output_tokens":9,"temperature":0,"top_p":0.5,"stream":true,"user":"u","reasoning":{"effort":"low"},"include":["message.output_text.logprobs"],"top_logprobs":2}`,
			`{"messages":[{"role":"user","content":"Hi"}],"stream":true,"max_completion_tokens":9,"temperature":0,"top_p":0.5,"logprobs":true,"top_logprobs":2,"reasoning_effort":"low","user":"u"}`,
		},
		"log probabilities that are not included are not asked for": {
			`{"input":"Hi","top_logprobs":2}`, `{"messages":[{"role":"user","content":"Hi"}]}`,
		},
		"tools": {
			`{"input":"Hi","tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},{"type":"function","name":"g","parameters":null,"strict":null}],
				"tool_choice":"required","parallel_tool_calls":false}`,
			`{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"},"strict":true}},
				{"type":"function","function":{"name":"g"}}],"tool_choice":"required","parallel_tool_calls":false}`,
		},
		"a tool by name": {
			`{"input":"Hi","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"}}`,
			`{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`,
		},
		"allowed tools are the only ones": {
			`{"input":"Hi","tools":[{"type":"function","name":"f"},{"type":"function","name":"g"}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"g"}]}}`,
			`{"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}`,
		},
		"parallel calls of no tools ask for nothing": {
			`{"input":"Hi","parallel_tool_calls":true,"tools":[]}`, `{"messages":[{"role":"user","content":"Hi"}]}`,
		},
		"any object": {
			`{"input":"Hi","text":{"format":{"type":"json_object"}}}`, `{"messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_object"}}`,
		},
		"a schema": {
			`{"input":"Hi","text":{"format":{"type":"json_schema","name":"n","description":"d","schema":{"b":1,"a":2},"strict":true}}}`,
			`{"messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","schema":{"b":1,"a":2},"strict":true}}}`,
		},
		"what asks for nothing": {
			`{"input":"Hi","metadata":{"a":"b"},"safety_identifier":"s","truncation":"disabled","max_tool_calls":1,"stream_options":{"include_obfuscation":true},"conversation":null,"prompt":null,
				"include":["message.input_image.image_url"],"text":{"format":null},"reasoning":{"effort":null,"summary":null},"foo":null}`,
			`{"messages":[{"role":"user","content":"Hi"}]}`,
		},
		"what a target may obey": {
			`{"input":"Hi","service_tier":"flex","prompt_cache_key":"k","text":{"verbosity":"low"}}`,
			`{"messages":[{"role":"user","content":"Hi"}],"prompt_cache_key":"k","service_tier":"flex","verbosity":"low"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := chat(c.body, refuse)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.NewReplacer("\n", "", "\t", "").Replace(c.want)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestAConversationGoesOnFromWhatCameBefore(t *testing.T) {
	got, _, err := chat(`{"instructions":"Be brief.","input":[{"type":"function_call_output","call_id":"c1","output":"1"}]}`, refuse,
		`{"id":"msg_1","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"Hi"}]}`,
		`{"id":"rs_1","type":"reasoning","status":"completed","summary":[],"content":[]}`,
		`{"id":"fc_1","type":"function_call","status":"completed","call_id":"c1","name":"f","arguments":"{}"}`)
	want := `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},` +
		`{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"1"}]}`
	if err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestWhatIsNotObeyedIsNamed(t *testing.T) {
	for body, want := range map[string]string{
		`{"input":"Hi","truncation":"auto"}`:                                                        "truncation",
		`{"input":"Hi","reasoning":{"summary":"auto","generate_summary":"auto"}}`:                   "reasoning.summary, reasoning.generate_summary",
		`{"input":"Hi","include":["reasoning.encrypted_content"]}`:                                  "include.reasoning.encrypted_content",
		`{"input":"Hi","prompt_cache_options":{"mode":"implicit"},"foo":1,"conversation":{"id":1}}`: "prompt_cache_options, foo, conversation",
	} {
		_, r, err := chat(body, dialect.Extras{Given: true, Unknown: request.Drop, MayDrop: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Chat.Dropped, ", "); got != want || !r.Chat.MayDrop {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}

func TestUnknownMembersArePassedThroughWhereTheCallerAsksForIt(t *testing.T) {
	got, _, err := chat(`{"input":"Hi","top_k":4,"a":{"b":[1.50]}}`, dialect.Extras{Given: true, Unknown: request.Take})
	if want := `{"messages":[{"role":"user","content":"Hi"}],"a":{"b":[1.50]},"top_k":4}`; err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
	for _, name := range []string{"messages", "max_tokens", "n", "response_format"} {
		if _, _, err := chat(`{"input":"Hi","`+name+`":1}`, dialect.Extras{Given: true, Unknown: request.Take}); err == nil || llm.AsError(err).Kind != llm.UnknownParam {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

const tool = `"tools":[{"type":"function","name":"f"}]`

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct{ body, param, message string }{
		"no JSON":        {`{`, "", "The request body is not valid JSON: unexpected end of the JSON document at byte 1."},
		"no object":      {`[]`, "", "The request body must be a JSON object."},
		"no input":       {`{}`, "input", "Missing required parameter: 'input'."},
		"an empty input": {`{"input":[]}`, "input", "Missing required parameter: 'input'."},
		"an input of another type": {
			`{"input":1}`, "input", "Invalid type for 'input': expected one of a string or an array, but got an integer instead.",
		},
		"an item of another type":  {`{"input":["a"]}`, "input[0]", "Invalid type for 'input[0]': expected an object, but got a string instead."},
		"an unknown member of one": {`{"input":[{"role":"user","content":"a","x":1}]}`, "input[0].x", "Unknown parameter: 'input[0].x'."},
		"an unknown item": {
			`{"input":[{"type":"web_search_call","id":"x"}]}`, "input[0].type",
			"Unsupported parameter: 'input[0].type' is not supported by this endpoint: items of type 'web_search_call' are not understood here; 'message', 'function_call', 'function_call_output', 'item_reference' and 'reasoning' are.",
		},
		"too many wishes": {
			`{"input":"a","include":[` + strings.Repeat(`"message.output_text.logprobs",`, 16) + `"x"]}`, "include", "Invalid 'include': array too long. Expected an array with maximum length 16.",
		},
		"tokens that are no number": {`{"input":"a","max_output_tokens":true}`, "max_output_tokens", "Invalid type for 'max_output_tokens': expected an integer, but got a boolean instead."},
		"a mode of thinking":        {`{"input":"a","reasoning":{"depth":1.5}}`, "reasoning.depth", "Unknown parameter: 'reasoning.depth'."},
		"tools that are no list":    {`{"input":"a","tools":{}}`, "tools", "Invalid type for 'tools': expected an array, but got an object instead."},
		"a text that is a number":   {`{"input":[{"role":"user","content":[{"type":"input_text","text":1.5}]}]}`, "input[0].content[0].text", "Invalid type for 'input[0].content[0].text': expected a string, but got a decimal instead."},
		"a reference without a type": {
			`{"input":[{"id":"x"}]}`, "input[0].type",
			"Unsupported parameter: 'input[0].type' is not supported by this endpoint: nothing is stored here that an item could refer to (responses.store is off). Send the items themselves, as clients do that are told 'store': false.",
		},
		"a reference": {
			`{"input":[{"type":"item_reference","id":"x"}]}`, "input[0].type",
			"Unsupported parameter: 'input[0].type' is not supported by this endpoint: nothing is stored here that an item could refer to (responses.store is off). Send the items themselves, as clients do that are told 'store': false.",
		},
		"an item's type":   {`{"input":[{"type":1}]}`, "input[0].type", "Invalid type for 'input[0].type': expected a string, but got an integer instead."},
		"no role":          {`{"input":[{"content":"a"}]}`, "input[0].role", "Missing required parameter: 'input[0].role'."},
		"an unknown role":  {`{"input":[{"role":"tool","content":"a"}]}`, "input[0].role", "Invalid value: 'tool'. Supported values are: 'user', 'assistant', 'system', and 'developer'."},
		"no content":       {`{"input":[{"role":"user"}]}`, "input[0].content", "Missing required parameter: 'input[0].content'."},
		"no text":          {`{"input":[{"role":"user","content":[{"type":"input_text"}]}]}`, "input[0].content[0].text", "Missing required parameter: 'input[0].content[0].text'."},
		"an unknown part":  {`{"input":[{"role":"system","content":[{"type":"input_image","image_url":"x"}]}]}`, "input[0].content[0].type", "Invalid value: 'input_image'. Supported values are: 'input_text'."},
		"an image's file":  {`{"input":[{"role":"user","content":[{"type":"input_image","file_id":"x"}]}]}`, "input[0].content[0].file_id", "Unsupported parameter: 'input[0].content[0].file_id' is not supported by this endpoint: there are no files here; send the image as a data URL in 'image_url'."},
		"an image's place": {`{"input":[{"role":"user","content":[{"type":"input_image","image_url":{"url":"x"}}]}]}`, "input[0].content[0].image_url", "Invalid type for 'input[0].content[0].image_url': expected a string, but got an object instead."},
		"a file":           {`{"input":[{"role":"user","content":[{"type":"input_file"}]}]}`, "input[0].content[0].type", "Unsupported parameter: 'input[0].content[0].type' is not supported by this endpoint: files are not read here; send their text or images."},
		"a result of no call": {
			`{"input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`, "input[0].call_id", "No tool call found for function call output with call_id c.",
		},
		"a result that is nothing": {
			`{"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":null}]}`, "input[1].output",
			"Invalid type for 'input[1].output': expected one of a string or an array, but got null instead.",
		},
		"a temperature":      {`{"input":"a","temperature":2.5}`, "temperature", "Invalid 'temperature': expected a decimal from 0 to 2, but got 2.5 instead."},
		"a number in quotes": {`{"input":"a","top_p":"1"}`, "top_p", "Invalid type for 'top_p': expected a decimal, but got a string instead."},
		"no tokens":          {`{"input":"a","max_output_tokens":0}`, "max_output_tokens", "Invalid 'max_output_tokens': expected an integer from 1 to 2147483647, but got 0 instead."},
		"half a token":       {`{"input":"a","max_output_tokens":1.5}`, "max_output_tokens", "Invalid 'max_output_tokens': expected an integer from 1 to 2147483647, but got 1.5 instead."},
		"a stream":           {`{"input":"a","stream":"yes"}`, "stream", "Invalid type for 'stream': expected a boolean, but got a string instead."},
		"usage in a stream":  {`{"input":"a","stream_options":{"include_usage":true}}`, "stream_options.include_usage", "Unknown parameter: 'stream_options.include_usage'."},
		"a conversation": {
			`{"input":"a","conversation":"c"}`, "conversation",
			"Unsupported parameter: 'conversation' is not supported by this endpoint: there are no conversations here; send the earlier items in 'input'.",
		},
		"a stranger": {
			`{"input":"a","tempersture":1}`, "tempersture",
			"Unknown parameter: 'tempersture'. Did you mean 'temperature'? The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.",
		},
		"a member of chats":    {`{"input":"a","stop":"x"}`, "stop", "Unknown parameter: 'stop'. Chat completions have it, responses do not."},
		"a truncation":         {`{"input":"a","truncation":"some"}`, "truncation", "Invalid value: 'some'. Supported values are: 'auto' and 'disabled'."},
		"a format":             {`{"input":"a","text":{"format":{"type":"xml"}}}`, "text.format.type", "Invalid value: 'xml'. Supported values are: 'text', 'json_object', and 'json_schema'."},
		"a schema in a schema": {`{"input":"a","text":{"format":{"type":"json_schema","json_schema":{}}}}`, "text.format.json_schema", "Unknown parameter: 'text.format.json_schema'."},
		"no schema":            {`{"input":"a","text":{"format":{"type":"json_schema","name":"n"}}}`, "text.format.schema", "Missing required parameter: 'text.format.schema'."},
		"an effort":            {`{"input":"a","reasoning":{"effort":"much"}}`, "reasoning.effort", "Invalid value: 'much'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'."},
		"an unknown wish":      {`{"input":"a","include":["x"]}`, "include[0]", "Invalid value: 'x'. Supported values are: 'message.output_text.logprobs', 'message.input_image.image_url', 'reasoning.encrypted_content', 'file_search_call.results', 'web_search_call.results', 'web_search_call.action.sources', 'computer_call_output.output.image_url', and 'code_interpreter_call.outputs'."},
		"another tool's":       {`{"input":"a","include":["file_search_call.results"]}`, "include[0]", "Unsupported parameter: 'include[0]' is not supported by this endpoint: there is no tool of that kind here."},
		"a built-in tool":      {`{"input":"a","tools":[{"type":"web_search"}]}`, "tools[0].type", "Unsupported parameter: 'tools[0].type' is not supported by this endpoint: tools of type 'web_search' are not run here, only functions are told to the model."},
		"a nested tool":        {`{"input":"a","tools":[{"type":"function","function":{"name":"f"}}]}`, "tools[0].name", "Missing required parameter: 'tools[0].name'."},
		"a tool's name":        {`{"input":"a","tools":[{"type":"function","name":"a b"}]}`, "tools[0].name", "Invalid 'tools[0].name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'."},
		"the same tool":        {`{"input":"a","tools":[{"type":"function","name":"f"},{"type":"function","name":"f"}]}`, "tools[1].name", "Invalid 'tools[1].name': an earlier tool has this name."},
		"a choice of none":     {`{"input":"a","tool_choice":"required"}`, "tool_choice", "Tool choice 'required' must be specified with 'tools' parameter."},
		"a choice":             {`{"input":"a",` + tool + `,"tool_choice":{"type":"function","name":"g"}}`, "tool_choice.name", "Tool choice 'g' not found in 'tools' parameter."},
		"a nested choice":      {`{"input":"a",` + tool + `,"tool_choice":{"type":"function","function":{"name":"f"}}}`, "tool_choice.function", "Unknown parameter: 'tool_choice.function'."},
		"a choice of a tool":   {`{"input":"a",` + tool + `,"tool_choice":{"type":"file_search"}}`, "tool_choice.type", "Unsupported parameter: 'tool_choice.type' is not supported by this endpoint: there is no tool of type 'file_search' here."},
		"an allowed tool":      {`{"input":"a",` + tool + `,"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"g"}]}}`, "tool_choice.tools[0].name", "Tool choice 'g' not found in 'tools' parameter."},
		"metadata":             {`{"input":"a","metadata":{"a":1}}`, "metadata.a", "Invalid type for 'metadata.a': expected a string, but got an integer instead."},
		"long metadata":        {`{"input":"a","metadata":{"a":"` + long(513) + `"}}`, "metadata.a", "Invalid 'metadata.a': string too long. Expected a string with maximum length 512."},
		"a long name":          {`{"input":"a","metadata":{"` + long(65) + `":""}}`, "metadata", "Invalid 'metadata': a name is too long. Expected names of at most 64 characters."},
		"much metadata":        {`{"input":"a","metadata":` + many(17) + `}`, "metadata", "Invalid 'metadata': too many properties. Expected an object with at most 16 properties."},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := chat(c.body, refuse)
			if err == nil {
				t.Fatal("nothing is wrong")
			}
			e := llm.AsError(err)
			if d := cmp.Diff([]string{c.param, c.message}, []string{e.Param, e.Message}); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func many(n int) string {
	m := map[string]string{}
	for i := range n {
		m[strconv.Itoa(i)] = ""
	}
	b, _ := json.Marshal(m)
	return string(b)
}

func TestAnErrorAboutTheChatNamesTheMembersOfTheRequest(t *testing.T) {
	for name, c := range map[string]struct {
		from, want *llm.Error
	}{
		"a root member": {
			&llm.Error{Kind: llm.Unsupported, Param: "response_format", Message: "Deployment 'm' does not support 'response_format'.", Details: []llm.Detail{
				{Loc: []any{"body", "response_format"}, Msg: "Deployment 'm' does not support 'response_format'."},
			}},
			&llm.Error{Kind: llm.Unsupported, Param: "text.format", Message: "Deployment 'm' does not support 'text.format'.", Details: []llm.Detail{
				{Loc: []any{"body", "text", "format"}, Msg: "Deployment 'm' does not support 'text.format'."},
			}},
		},
		"a schema's keyword": {
			llm.Faulty(llm.Detail{Loc: []any{"body", "response_format", "json_schema", "schema", "json_schema"}}),
			&llm.Error{Kind: llm.Invalid, Param: "text.format.schema.json_schema", Message: llm.FaultyMessage, Details: []llm.Detail{{Loc: []any{"body", "text", "format", "schema", "json_schema"}}}},
		},
		"a tool's parameters": {
			llm.Faulty(llm.Detail{Loc: []any{"body", "tools", 1, "function", "parameters", "function"}}),
			&llm.Error{Kind: llm.Invalid, Param: "tools[1].parameters.function", Message: llm.FaultyMessage, Details: []llm.Detail{{Loc: []any{"body", "tools", 1, "parameters", "function"}}}},
		},
		"a message": {
			&llm.Error{Kind: llm.TooLong, Param: "messages", Message: "Too long."}, &llm.Error{Kind: llm.TooLong, Param: "input", Message: "Too long."},
		},
		"an image, whose place is the request's": {
			&llm.Error{Kind: llm.Unsupported, Param: "messages", Message: "No images in 'messages'.", Details: []llm.Detail{{Loc: []any{"body", "input", 0, "content", 1}, Msg: "No images in 'messages'."}}},
			&llm.Error{Kind: llm.Unsupported, Param: "input[0].content[1]", Message: "No images in 'input'.", Details: []llm.Detail{{Loc: []any{"body", "input", 0, "content", 1}, Msg: "No images in 'input'."}}},
		},
		"what was dropped": {
			&llm.Error{Kind: llm.Upstream, Meta: llm.Meta{Dropped: []string{"response_format", "tools"}}},
			&llm.Error{Kind: llm.Upstream, Meta: llm.Meta{Dropped: []string{"text.format", "tools"}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, err := range input.Translate(llm.Fail(c.from)) {
				if d := cmp.Diff(c.want, llm.AsError(err)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			}
		})
	}
}

func TestItemsAreStoredWithIdTypeAndParts(t *testing.T) {
	for body, want := range map[string][]string{
		`{"input":"Hi\u0021"}`: {`{"id":"msg_1_in0","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"Hi\u0021"}]}`},
		`{"input":[{"role":"assistant","content":"a"},{"type":"function_call","id":"fc_9","call_id":"c","name":"f","arguments":"{}"},
			{"type":"function_call_output","call_id":"c","output":"o","status":"incomplete"}, {"role":"user","id":"` + strings.Repeat("x", 200) + `","content":[{"type":"input_text","text":"b"}]}]}`: {
			`{"id":"msg_1_in0","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"a","annotations":[]}]}`,
			`{"id":"fc_9","type":"function_call","status":"completed","call_id":"c","name":"f","arguments":"{}"}`,
			`{"id":"fco_1_in2","type":"function_call_output","status":"incomplete","call_id":"c","output":"o"}`,
			`{"id":"msg_1_in3","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"b"}]}`,
		},
	} {
		_, r, err := chat(body, refuse)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, item := range r.Items("resp_1") {
			got = append(got, string(item))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}

// FuzzDecode reads anything: what is taken becomes a chat that is JSON, can be repeated as JSON, and its items can be gone on from.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"input":"Hi"}`, `{"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:,"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{"},{"type":"function_call_output","call_id":"c","output":[]}]}`,
		`{"input":"a",` + tool + `,"tool_choice":{"type":"allowed_tools","mode":"auto","tools":[{"type":"function","name":"f"}]},"metadata":{"\u0000":"x"}}`,
		`{"input":[{"type":"reasoning"},{"role":"assistant","content":""}],"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"top_k":1e999,"instructions":"\ud800"}`,
		`{"input":"","previous_response_id":"","include":["message.output_text.logprobs"],"top_logprobs":0,"temperature":-0,"max_output_tokens":2147483647}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := input.Decode(body, dialect.Extras{Given: true, Unknown: request.Take})
		if err == nil {
			err = r.Converse(nil, nil)
		}
		if err != nil {
			if e := llm.AsError(err); e.Kind == llm.Internal || e.Message == "" {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if asked := encode.AppendChat(nil, &r.Chat); !json.Valid(asked) {
			t.Fatalf("%q became %s", body, asked)
		}
		if echo := r.Echo(); !json.Valid([]byte("{" + string(echo) + "}")) {
			t.Fatalf("%q is repeated as %s", body, echo)
		}
		items := r.Items("resp_1")
		for _, item := range items {
			if !json.Valid(item) {
				t.Fatalf("%q has the item %s", body, item)
			}
		}
		again, err := input.Decode([]byte(`{"input":"more"}`), dialect.Extras{})
		if err == nil {
			err = again.Converse(items, nil)
		}
		if err != nil {
			t.Fatalf("nothing goes on from %q: %v", items, err)
		}
	})
}
