package ability_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/ability"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// chat decodes a request as a door does.
func chat(t *testing.T, body string) *llm.ChatRequest {
	t.Helper()
	r, err := request.DecodeChat([]byte(body), request.Contract{Wire: llm.WireInference, Admit: func(string) request.Admission { return request.Take }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// asked is the request that the model gets, as its members.
func asked(t *testing.T, o ability.Options, body string) map[string]any {
	t.Helper()
	s := &scripted{say: text(llm.FinishStop, "Yes")}
	_, err := ability.Wrap(s, o).Chat(t.Context(), chat(t, body)).Collect()
	if s.asked == nil {
		t.Fatalf("it was not asked: %v", err)
	}
	var members map[string]any
	if err := json.Unmarshal(encode.AppendChat(nil, s.asked), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// spoken lists the messages as "role: content".
func spoken(members map[string]any) []string {
	var out []string
	for _, m := range members["messages"].([]any) {
		m := m.(map[string]any)
		content, _ := m["content"].(string)
		if parts, ok := m["content"].([]any); ok {
			for _, p := range parts {
				said, _ := p.(map[string]any)["text"].(string)
				content += "[" + said + "]"
			}
		}
		out = append(out, m["role"].(string)+": "+content)
	}
	return out
}

const (
	called = `{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"look","arguments":"{ \"at\": 1 }"}},{"id":"b","type":"function","function":{"name":"wait","arguments":""}}]}`
	offer  = `"tools":[{"type":"function","function":{"name":"look","parameters":{"properties":{"at":{"type":"integer"}}}}},{"type":"function","function":{"name":"wait"}}]`
)

func TestCallsAndResultsOfAConversationAreSpelledOut(t *testing.T) {
	const said = `assistant: <tool_call>{"name":"look","arguments":{"at":1}}</tool_call><tool_call>{"name":"wait","arguments":{}}</tool_call>`
	for name, c := range map[string]struct {
		messages string
		want     []string
	}{
		"results in another order": {
			`{"role":"user","content":"Go"},` + called + `,{"role":"tool","tool_call_id":"b","content":"done"},{"role":"tool","tool_call_id":"a","content":"{ \"seen\": [1] }"}`,
			[]string{"user: Go", said, `user: <tool_response>{"name":"look","content":{"seen":[1]}}</tool_response>` + "\n" + `<tool_response>{"name":"wait","content":"done"}</tool_response>`},
		},
		"what clients leave out": {
			`{"role":"user","content":"Go"},` + called + `,{"role":"tool","tool_call_id":"a"},{"role":"tool","tool_call_id":"never","content":""},{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}`,
			[]string{"user: Go", said, `user: <tool_response>{"name":"look","content":""}</tool_response>` + "\n" + `<tool_response>{"name":"wait","content":"xy"}</tool_response>` + "\n" + `<tool_response>{"content":""}</tool_response>`},
		},
		"the user goes on": {
			`{"role":"user","content":"Go"},` + called + `,{"role":"tool","tool_call_id":"a","content":"1"},{"role":"user","content":"And?"}`,
			[]string{"user: Go", said, `user: <tool_response>{"name":"look","content":1}</tool_response>` + "\n\nAnd?"},
		},
		"the user goes on in parts": {
			`{"role":"user","content":"Go"},` + called + `,{"role":"tool","tool_call_id":"a","content":"1"},{"role":"user","content":[{"type":"text","text":"And?"}]}`,
			[]string{"user: Go", said, `user: [<tool_response>{"name":"look","content":1}</tool_response>][` + "\n\n" + `][And?]`},
		},
		"a result from nowhere": {
			`{"role":"user","content":"Go"},{"role":"tool","tool_call_id":"x","content":"1"}`,
			[]string{"user: Go\n\n<tool_response>{\"content\":1}</tool_response>"},
		},
		"words and thoughts with a call": {
			`{"role":"user","content":"Go"},{"role":"assistant","reasoning_content":"secret","content":"<think>secret</think>I look.","tool_calls":[{"id":"a","type":"function","function":{"name":"look","arguments":{"at":2}}}]}`,
			[]string{"user: Go", "assistant: I look.\n" + `<tool_call>{"name":"look","arguments":{"at":2}}</tool_call>`},
		},
		"arguments that are no JSON": {
			`{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"look","arguments":"{at"}}]}`,
			[]string{`assistant: <tool_call>{"name":"look","arguments":"{at"}</tool_call>`},
		},
		"an empty answer": {`{"role":"assistant"},{"role":"assistant","content":null},{"role":"assistant","content":null,"tool_calls":null}`, []string{"assistant: ", "assistant: ", "assistant: "}},
		"nothing of the kind": {
			`{"role":"system","content":"S"},{"role":"user","content":"Go"},{"role":"assistant","content":" kept as it is "}`,
			[]string{"system: S", "user: Go", "assistant:  kept as it is "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := asked(t, ability.Options{System: "Be brief."}, `{"messages":[`+c.messages+`]}`)
			if diff := cmp.Diff(c.want, spoken(got)); diff != "" {
				t.Error(diff)
			}
			if text, _ := json.Marshal(got); strings.Contains(string(text), "secret") || strings.Contains(string(text), "tool_calls") {
				t.Errorf("the model gets %s", text)
			}
		})
	}
}

func TestToolsAreOfferedInTheFirstSystemMessage(t *testing.T) {
	for name, c := range map[string]struct{ messages, begins string }{
		"the caller's":      {`{"role":"user","content":"Go"},{"role":"system","content":"S"}`, "S\n\nYou can call functions"},
		"the caller's list": {`{"role":"developer","content":[{"type":"text","text":"S"}]},{"role":"user","content":"Go"}`, "[S][\n\nYou can call functions"},
		"the model's":       {`{"role":"user","content":"Go"}`, "Be brief.\n\nYou can call functions"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asked(t, ability.Options{System: "Be brief."}, `{"messages":[`+c.messages+`],`+offer+`}`)
			said := strings.Join(spoken(got), "|")
			for _, want := range []string{c.begins, `{"name":"look","parameters":{"type":"object","properties":{"at":{"type":"integer"}}}}`, `{"name":"wait",`} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in %q", want, said)
				}
			}
			if got["tools"] != nil || got["tool_choice"] != nil || got["parallel_tool_calls"] != nil {
				t.Errorf("the engine gets %v", got)
			}
		})
	}
}

func TestTheGrammarSaysWhatIsAllowed(t *testing.T) {
	for name, c := range map[string]struct{ more, start, has, lacks string }{
		"auto":              {offer, "TEXT | TEXT? calls", "calls: call{1,8}", "format:"},
		"one call":          {offer + `,"parallel_tool_calls":false`, "TEXT | TEXT? calls", "calls: call\n", "{1,"},
		"required":          {offer + `,"tool_choice":"required"`, "calls", `"{\"name\":\"look\",\"arguments\":" takes0 "}"`, "TEXT"},
		"named":             {offer + `,"tool_choice":{"type":"function","function":{"name":"wait"}}`, "calls", "wait", "look"},
		"none":              {offer + `,"tool_choice":"none"`, "", "", ""},
		"a schema":          {`"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object","properties":{"age":{"type":"integer"}}}}}`, "format", "age", "call"},
		"an object":         {`"response_format":{"type":"json_object"}`, "format", "format: %json {", "call"},
		"text":              {`"response_format":{"type":"text"}`, "", "", ""},
		"tools or a schema": {offer + `,"response_format":{"type":"json_object"}`, "format | calls", "format: %json {", "TEXT"},
	} {
		t.Run(name, func(t *testing.T) {
			got := asked(t, ability.Options{}, `{"messages":[{"role":"user","content":"Go"}],`+c.more+`}`)
			grammar, _ := got["grammar"].(string)
			if c.start == "" {
				if grammar != "" {
					t.Errorf("got %s", grammar)
				}
				return
			}
			if !strings.HasPrefix(grammar, "%llguidance {}\nstart: "+c.start+"\n") || !strings.Contains(grammar, c.has) || c.lacks != "" && strings.Contains(grammar, c.lacks) {
				t.Errorf("got %s", grammar)
			}
			if got["response_format"] != nil {
				t.Error("the engine gets response_format, too")
			}
		})
	}
}

// The ends of templates, shortened.
const (
	hermes = `{%- if tools %}{{ "<tools>" }}{%- for tool in tools %}{{ tool | tojson }}{%- endfor %}{{ "</tools> <tool_call>\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>" }}{% endif %}` +
		`{% for message in messages %}{% if message.role == "tool" %}{{ "<tool_response>" + message.content }}{% endif %}{% endfor %}` + asks
	asks      = `{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`
	thinks    = `{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think>\n' }}{% endif %}`
	wontThink = `{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}`
)

func TestATemplateThatTellsToolsInTheSameWordsIsLeftToIt(t *testing.T) {
	conversation := `{"messages":[{"role":"user","content":"Go"},` + called + `,{"role":"tool","tool_call_id":"a"}],` + offer
	got := asked(t, ability.Options{Template: hermes, System: "S"}, conversation+`}`)
	if got["grammar"] == nil || got["tools"] != nil {
		t.Errorf("got %v", got)
	}
	if diff := cmp.Diff([]string{"user: Go", "assistant: ", "tool: "}, spoken(got)); diff != "" {
		t.Error(diff)
	}
	told, _ := json.Marshal(got["chat_template_kwargs"])
	if !strings.Contains(string(told), `{"tools":[{"function":{"name":"look","parameters":`) {
		t.Errorf("the template gets %s", told)
	}
	if calls, _ := json.Marshal(got["messages"]); !strings.Contains(string(calls), `"arguments":"{}"`) {
		t.Errorf("got %s", calls)
	}
	got = asked(t, ability.Options{Template: hermes}, conversation+`,"tool_choice":"none"}`)
	if got["grammar"] != nil || got["chat_template_kwargs"] != nil || len(got["messages"].([]any)) != 3 {
		t.Errorf("none: got %v", got)
	}
	for name, template := range map[string]string{
		"other words":  strings.ReplaceAll(hermes, "<tool_call>", "[TOOL_CALLS]"),
		"another form": hermes + "<function=",
		"no place":     "{% for message in messages %}<tool_call>{\"arguments\"}<tool_response>{% endfor %}",
	} {
		got := asked(t, ability.Options{Template: template}, conversation+`}`)
		if got["chat_template_kwargs"] != nil || !strings.Contains(spoken(got)[0], "You can call functions") {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestAnAnswerMayBeginInsideAThought(t *testing.T) {
	for name, c := range map[string]struct {
		template string
		request  llm.ChatRequest
		says     string
		want     heard
	}{
		"inside":                 {thinks, llm.ChatRequest{}, "hm\n</think>\n\nYes", heard{Thought: "hm\n", Text: "Yes", Finish: "stop"}},
		"not inside":             {asks, llm.ChatRequest{}, "hm</think>Yes", heard{Text: "hm</think>Yes", Finish: "stop"}},
		"a thought that is over": {wontThink, llm.ChatRequest{}, "hm</think>Yes", heard{Text: "hm</think>Yes", Finish: "stop"}},
		"with calls":             {thinks, llm.ChatRequest{Tools: tools}, "hm</think>" + pause, heard{Thought: "hm", Calls: []string{"wait({})"}, Finish: "tool_calls"}},
		"with a schema":          {thinks, llm.ChatRequest{Format: person}, `{"age":1}`, heard{Text: `{"age":1}`, Finish: "stop"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.request.Messages = ask("Go")
			s := &scripted{say: text(llm.FinishStop, c.says)}
			got := hear(ability.Wrap(s, ability.Options{Template: c.template}).Chat(t.Context(), &c.request))
			got.Usage = llm.Usage{}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatAGrammarForcedIsNoThought(t *testing.T) {
	s := &scripted{say: []llm.Reply{{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText(`{"age":1}`)}}, Finish: llm.FinishStop}}}}}
	got := hear(ability.Wrap(s, ability.Options{Template: thinks}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Go"), Format: person}))
	if diff := cmp.Diff(heard{Text: `{"age":1}`, Finish: "stop"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestThoughtsThatTheEngineTellsApartStayApart(t *testing.T) {
	s := &scripted{say: []llm.Reply{
		{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}}}}},
		{Choices: []llm.Choice{{At: 1, Parts: []llm.Part{llm.NewText("<think>Yes")}, Finish: llm.FinishStop}}},
	}}
	got := hear(ability.Wrap(s, ability.Options{Template: thinks}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Go")}))
	if diff := cmp.Diff(heard{Thought: "hm", Text: "<think>Yes", Finish: "stop"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeEnforcedIsNamedWithItsPlace(t *testing.T) {
	strictTool := `"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b","strict":true,"parameters":{"type":"object","properties":{"x":{"type":"string","pattern":"(["}}}}}]`
	for name, c := range map[string]struct {
		body, param string
		loc         []any
	}{
		"a format": {
			`{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","properties":{"x/y":{"type":"string","pattern":"(["}}}}}}`,
			"response_format",
			[]any{"body", "response_format", "json_schema", "schema", "properties", "x/y", "pattern"},
		},
		"a tool": {
			`{"messages":[],` + strictTool + `}`,
			"tools",
			[]any{"body", "tools", 1, "function", "parameters", "properties", "x", "pattern"},
		},
		"a beginning": {
			`{"messages":[{"role":"user","content":"Go"},{"role":"assistant","content":"So","prefix":true}],` + offer + `}`,
			"messages",
			[]any{"body", "messages", 1, "prefix"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := chat(t, strings.Replace(c.body, `"messages":[]`, `"messages":[{"role":"user","content":"Go"}]`, 1))
			_, err := ability.Wrap(&scripted{}, ability.Options{}).Chat(t.Context(), r).Collect()
			e := llm.AsError(err)
			if e.Kind != llm.Unsupported || e.Param != c.param || len(e.Details) != 1 {
				t.Fatalf("got %+v", e)
			}
			if diff := cmp.Diff(c.loc, e.Details[0].Loc); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzSplit: however an answer is cut, the same is heard of it.
func FuzzSplit(f *testing.F) {
	for _, d := range dialogues {
		f.Add(d.says, uint8(3), uint8(0))
	}
	f.Add("<think>a</think>"+look+look+pause, uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, says string, size, way uint8) {
		r := &llm.ChatRequest{Messages: ask("Go"), N: new(2)}
		if way&1 == 0 {
			r.Tools = tools
		}
		if way&2 != 0 {
			r.Format = person
		}
		if way&4 != 0 {
			r.ToolChoice = choose(llm.ToolRequired)
		}
		finish := llm.FinishStop
		if way&8 != 0 {
			finish = llm.FinishLength
		}
		var pieces []string
		n := int(size%7) + 1
		for rest := says; rest != ""; rest = rest[min(n, len(rest)):] {
			pieces = append(pieces, rest[:min(n, len(rest))])
		}
		whole := hear(ability.Wrap(&scripted{say: text(finish, says)}, ability.Options{}).Chat(t.Context(), r))
		cut := hear(ability.Wrap(&scripted{say: text(finish, pieces...)}, ability.Options{}).Chat(t.Context(), r))
		whole.Usage, cut.Usage = llm.Usage{}, llm.Usage{}
		if whole.Err != "" && cut.Err != "" {
			return
		}
		if diff := cmp.Diff(whole, cut); diff != "" {
			t.Error(diff)
		}
	})
}
