package request_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

func contract() request.Contract {
	return request.Contract{
		Wire: llm.WireInference,
		Admit: func(m string) request.Admission {
			switch m {
			case "dropped":
				return request.Drop
			case "ignored":
				return request.Ignore
			case "refused":
				return request.Refuse
			}
			return request.Take
		},
		Refused: func(ms []string, _ jsonx.Value) *llm.Error {
			return &llm.Error{Kind: llm.UnknownParam, Message: strings.Join(ms, ",")}
		},
	}
}

// chats are requests as clients send them.
var chats = []string{
	`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","prefix":true}],"modalities":["text","audio"]}`,
	`{"messages":[{"role":"user","content":"Hi"}]}`,
	`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"a\u00e9\ud83d\ude00"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"high"}}]}],"temperature":0.5,"top_p":1,"frequency_penalty":-2,"presence_penalty":2,"max_tokens":0,"seed":-5,"stop":["END"],"stream":true}`,
	`{"messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"62"},{"role":"assistant","content":null}],"tools":[{"type":"function","function":{"name":"look","description":"d","parameters":{"z":1,"a":{}},"strict":true}}],"tool_choice":{"type":"function","function":{"name":"look"}}}`,
	`{"messages":[{"role":"developer","content":"x"}],"max_completion_tokens":7,"n":2,"logprobs":true,"top_logprobs":3,"logit_bias":{"5":-100},"parallel_tool_calls":false,"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"},"strict":true,"description":"q"}},"reasoning_effort":"low","user":"u","top_k":40,"zz":{"b":1,"a":[1,2.50,1e2]}}`,
	`{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}},{"type":"audio_url","audio_url":{"url":"https://example.com/a.wav"}}],"name":"bob"}],"tool_choice":"none","response_format":{"type":"json_object"},"stream_options":{"include_usage":true},"stream":true}`,
}

func same(t *testing.T, got, want []byte) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatalf("%s: %v", want, err)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("-want +got: %s", d)
	}
}

func TestARequestIsEncodedAsItWasDecoded(t *testing.T) {
	for _, body := range chats {
		r, err := request.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		same(t, encode.AppendChat(nil, r), []byte(body))
	}
}

func TestSplicedBytesSayWhatTheFieldsSay(t *testing.T) {
	big := `{"messages":[{"role":"user","content":"` + strings.Repeat("long ", 1000) + `"}],"dropped":1,"ignored":[2],"logit_bias":{"1":2},"a":1}`
	for _, body := range append(slices.Clone(chats), big) {
		r, err := request.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]*llm.ChatRequest{
			"as it came": r, "another model": r.WithModel(`new "name"`), "without a member": r.Without("logit_bias"),
			"both": r.WithModel("x").Without("top_k").WithModel("y"),
		} {
			t.Run(name, func(t *testing.T) {
				src, ok := r.Source()
				if !ok {
					t.Fatal("the source is lost")
				}
				pieces := encode.Splice(src)
				if body == big && name == "as it came" && len(pieces) < 2 {
					t.Error("the large member was copied")
				}
				same(t, slices.Concat(pieces...), encode.AppendChat(nil, r.Edit()))
			})
		}
	}
}

func TestOnlyWhatIsNotObeyedIsListed(t *testing.T) {
	r, err := request.DecodeChat([]byte(`{"ignored":1,"messages":[{"role":"user","content":"x"}],"dropped":2}`), contract())
	if err != nil || !slices.Equal(r.Dropped, []string{"dropped"}) || r.Extra != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatIsWrongWithARequestIsNamedWithItsPlace(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:               `missing ["body","messages"]`,
		`{"messages":[]}`:  `too_short ["body","messages"]`,
		`{"messages":"x"}`: `list_type ["body","messages"]`,
		`{"messages":[{"role":"robot","content":"x"}]}`:                                                                           `enum ["body","messages",0,"role"]`,
		`{"messages":[{"content":"x"}]}`:                                                                                          `missing ["body","messages",0,"role"]`,
		`{"messages":[{"role":"user"}]}`:                                                                                          `missing ["body","messages",0,"content"]`,
		`{"messages":[{"role":"user","content":5}]}`:                                                                              `string_type ["body","messages",0,"content"]`,
		`{"messages":[{"role":"user","content":[{"type":"image","x":1}]}]}`:                                                       `enum ["body","messages",0,"content",0,"type"]`,
		`{"messages":[{"role":"user","content":[{"text":5,"type":"text"}]}]}`:                                                     `string_type ["body","messages",0,"content",0,"text"]`,
		`{"messages":[{"role":"tool","content":"x"}]}`:                                                                            `missing ["body","messages",0,"tool_call_id"]`,
		`{"messages":[{"role":"user","content":"x"}],"temperature":2.5}`:                                                          `less_than_equal ["body","temperature"]`,
		`{"messages":[{"role":"user","content":"x"}],"temperature":"hot"}`:                                                        `float_type ["body","temperature"]`,
		`{"messages":[{"role":"user","content":"x"}],"max_tokens":-1}`:                                                            `greater_than_equal ["body","max_tokens"]`,
		`{"messages":[{"role":"user","content":"x"}],"max_tokens":1.5}`:                                                           `int_type ["body","max_tokens"]`,
		`{"messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":1}`:                                   `value_error ["body","max_completion_tokens"]`,
		`{"messages":[{"role":"user","content":"x"}],"response_format":"json_object"}`:                                            `dict_type ["body","response_format"]`,
		`{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a b"}}]}`:                    `string_pattern_mismatch ["body","tools",0,"function","name"]`,
		`{"messages":[{"role":"user","content":"x"}],"tool_choice":{"type":"function","function":{"name":"f"}}}`:                  `value_error ["body","tool_choice","function","name"]`,
		`{"messages":[{"role":"user","content":"x"}],"stop":[]}`:                                                                  `too_short ["body","stop"]`,
		`{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n"}}}`:        `missing ["body","response_format","json_schema","schema"]`,
		`{"messages":[{"role":"user","content":"x"}],"stream":"yes"}`:                                                             `bool_type ["body","stream"]`,
		`{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":[1]},"type":"function"}]}]}`: `string_type ["body","messages",0,"tool_calls",0,"function","arguments"]`,
	} {
		_, err := request.DecodeChat([]byte(body), contract())
		e := llm.AsError(err)
		if err == nil || e.Kind != llm.Invalid || len(e.Details) == 0 {
			t.Errorf("%s: %v", body, err)
			continue
		}
		loc, _ := json.Marshal(e.Details[0].Loc)
		if got := e.Details[0].Type + " " + string(loc); got != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
}

func TestNullMeansNotGivenAndHistoryMayHoldAnything(t *testing.T) {
	body := `{"messages":[{"role":"user","content":"x","tool_calls":null},
	 {"role":"assistant","content":"","tool_calls":null,"refusal":null,"audio":null},
	 {"role":"assistant","tool_calls":[{"function":{"call_id":null,"name":"f","arguments":{"a":1}},"id":"i","type":"function","index":0}]},
	 {"role":"tool","tool_call_id":"i"}],
	 "stop":null,"temperature":null,"max_tokens":null,"tools":null,"tool_choice":null,"response_format":null,"seed":null,"stream":null,"n":null}`
	r, err := request.DecodeChat([]byte(body), contract())
	if err != nil {
		t.Fatal(err)
	}
	if r.Stop != nil || r.Temperature != nil || r.MaxTokens != nil || r.Tools != nil || r.Seed != nil || r.N != nil || len(r.Messages) != 4 {
		t.Errorf("%+v", r)
	}
	call := r.Messages[2].Parts[0].(llm.ToolCall)
	if call.Arguments.String() != `{"a":1}` {
		t.Errorf("arguments %q", call.Arguments)
	}
}

func TestPastThinkingIsNotSentBack(t *testing.T) {
	for content, want := range map[string]string{
		`"<think>hm\n</think>\n\nHello."`: `"Hello."`,
		`"\u003cthink>hm</think>Hello."`:  `"Hello."`,
		`"<think>hm"`:                     `""`,
		`"a <think>hm</think>"`:           `"a <think>hm</think>"`,
		`"a\tb"`:                          `"a\tb"`,
		`""`:                              `""`,
		`null`:                            `null`,
		`[{"type":"text","text":"<think>x</think>y"},{"type":"text","text":"z"}]`: `[{"type":"text","text":"y"},{"type":"text","text":"z"}]`,
	} {
		body := `{"messages":[{"role":"user","content":"<think>mine</think>"},{"role":"assistant","content":` + content + `,"reasoning_content":"hm"}]}`
		r, err := request.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		same(t, encode.AppendChat(nil, r), []byte(`{"messages":[{"role":"user","content":"<think>mine</think>"},{"role":"assistant","content":`+want+`}]}`))
	}
}

func TestTheDeprecatedFormOfToolsIsReadWhereItIsTaken(t *testing.T) {
	const body = `{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}],` +
		`"functions":[{"name":"f"}],"function_call":{"name":"f"}}`
	r, err := request.DecodeChat([]byte(body), contract())
	if err != nil || !r.Functions {
		t.Fatalf("%+v, %v", r, err)
	}
	same(t, encode.AppendChat(nil, r), []byte(`{"messages":[{"role":"user","content":"x"},`+
		`{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},`+
		`{"role":"tool","tool_call_id":"call_1","content":"1"}],`+
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`))
	c := contract()
	admit := c.Admit
	c.Admit = func(m string) request.Admission {
		if strings.HasPrefix(m, "function") {
			return request.Drop
		}
		return admit(m)
	}
	_, err = request.DecodeChat([]byte(body), c)
	if e := llm.AsError(err); len(e.Details) != 1 || e.Details[0].Msg != "Input should be 'system', 'developer', 'user', 'assistant' or 'tool'" {
		t.Errorf("%+v", e)
	}
}

func TestADetailShowsTheValueItIsAbout(t *testing.T) {
	body := `{"tools":[{"n":1},{"n":[2,{"deep":"x"}]}],"long":"` + strings.Repeat("é", 600) + `"}`
	for _, c := range []struct {
		name string
		loc  []any
		has  string
		want string
	}{
		{"a member", []any{"body", "tools", 0}, "", `{"n":1}`},
		{"deep inside", []any{"body", "tools", 1, "n", 1, "deep"}, "", `"x"`},
		{"what is absent", []any{"body", "other", 3, "n"}, "", ""},
		{"a position too far", []any{"body", "tools", 2}, "", ""},
		{"outside the body", []any{"query", "tools"}, "", ""},
		{"the value it has", []any{"body", "tools"}, "7", "7"},
		{"a long value it has", []any{"body"}, `"` + strings.Repeat("x", 5000) + `"`, `"\"` + strings.Repeat("x", 1023) + `…"`},
		{"the beginning of a long one", []any{"body", "long"}, "", `"\"` + strings.Repeat("é", 511) + `…"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := llm.Faulty(llm.Detail{Loc: c.loc})
			defer func(had string) {
				if string(e.Details[0].Input) != had {
					t.Error("the error itself was changed")
				}
			}(c.has)
			if c.has != "" {
				e.Details[0].Input = []byte(c.has)
			}
			got := string(request.WithInputs(e, []byte(body)).Details[0].Input)
			if got != c.want {
				t.Errorf("input is %s, want %s", got, c.want)
			}
		})
	}
}

func FuzzDecodeChat(f *testing.F) {
	for _, c := range chats {
		f.Add([]byte(c))
	}
	f.Add([]byte(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}},{"role":"function","name":"f","content":"1"}],"functions":[{"name":"f"}],"function_call":"auto","metadata":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, wire := range []llm.Wire{llm.WireInference, llm.WireOpenAI} {
			c := contract()
			c.Wire = wire
			r, err := request.DecodeChat(body, c)
			if err != nil {
				continue
			}
			once := encode.AppendChat(nil, r)
			again, err := request.DecodeChat(once, c)
			if err != nil {
				t.Fatalf("%s was encoded as %s: %v", body, once, err)
			}
			if twice := encode.AppendChat(nil, again); string(twice) != string(once) {
				t.Fatalf("not a fixed point: %s, then %s", once, twice)
			}
		}
	})
}

func FuzzDecodeText(f *testing.F) {
	f.Add([]byte(`{"prompt":["a",[1,2]],"n":2,"echo":true}`))
	f.Add([]byte(`{"input":"a","dimensions":3,"encoding_format":"int8","input_type":"query"}`))
	f.Add([]byte(`{"input":[{"image":"data:image/png;base64,AA==","text":"a\u00e9"},{"image":"https://h/i.png"}],"encoding_format":"base64"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := request.DecodeEmbedImages(body, contract()); err == nil {
			once := encode.AppendEmbed(nil, r)
			again, err := request.DecodeEmbedImages(once, contract())
			if err != nil || r.Operation() != llm.OpEmbedImages {
				t.Fatalf("%s was encoded as %s: %v", body, once, err)
			}
			if twice := encode.AppendEmbed(nil, again); string(twice) != string(once) {
				t.Fatalf("not a fixed point: %s, then %s", once, twice)
			}
		}
		for _, wire := range []llm.Wire{llm.WireInference, llm.WireAzure} {
			c := contract()
			c.Wire = wire
			if r, err := request.DecodeComplete(body, c); err == nil {
				encode.AppendComplete(nil, r)
			}
			if r, err := request.DecodeEmbed(body, c); err == nil {
				encode.AppendEmbed(nil, r)
			}
		}
	})
}

func BenchmarkDecodeChat1KB(b *testing.B) {
	body := []byte(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}],"temperature":0.5,"max_tokens":64,"stream":true}`)
	c := contract()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := request.DecodeChat(body, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeChat1KB(b *testing.B) {
	body := []byte(`{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}],"temperature":0.5,"max_tokens":64,"stream":true}`)
	r, err := request.DecodeChat(body, contract())
	if err != nil {
		b.Fatal(err)
	}
	var out []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		out = encode.AppendChat(out[:0], r)
	}
}
