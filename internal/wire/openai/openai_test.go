package openai_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire/openai"
)

func contract() openai.Contract {
	return openai.Contract{
		Wire: llm.WireOpenAI,
		Admit: func(m string) openai.Admission {
			switch m {
			case "dropped":
				return openai.Drop
			case "refused":
				return openai.Refuse
			}
			return openai.Take
		},
		Refused: func(ms []string, _ jsonx.Value) *llm.Error {
			return &llm.Error{Kind: llm.UnknownParam, Message: strings.Join(ms, ",")}
		},
	}
}

// chats are requests as clients send them.
var chats = []string{
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
		r, err := openai.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		same(t, openai.AppendChatRequest(nil, r), []byte(body))
	}
}

func TestSplicedBytesSayWhatTheFieldsSay(t *testing.T) {
	big := `{"messages":[{"role":"user","content":"` + strings.Repeat("long ", 1000) + `"}],"dropped":1,"logit_bias":{"1":2},"a":1}`
	codec := openai.Codec{Contract: llm.WireOpenAI}
	for _, body := range append(slices.Clone(chats), big) {
		r, err := openai.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]*llm.ChatRequest{
			"as it came": r, "another model": r.WithModel(`new "name"`), "without a member": r.Without("logit_bias"),
			"both": r.WithModel("x").Without("top_k").WithModel("y"),
		} {
			t.Run(name, func(t *testing.T) {
				req, err := codec.EncodeChat(r)
				if err != nil {
					t.Fatal(err)
				}
				spliced := slices.Concat(req.Pieces...)
				if body == big && name == "as it came" && len(req.Pieces) < 2 {
					t.Error("the large member was copied")
				}
				same(t, spliced, openai.AppendChatRequest(nil, r.Edit()))
			})
		}
	}
	r, _ := openai.DecodeChat([]byte(chats[3]), contract())
	edited := r.Edit()
	edited.Temperature = new(0.25)
	req, err := codec.EncodeChat(edited)
	if err != nil || !strings.Contains(string(slices.Concat(req.Pieces...)), `"temperature":0.25`) {
		t.Errorf("an edit was lost: %s, %v", slices.Concat(req.Pieces...), err)
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
		`{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n"}}}`:        `dict_type ["body","response_format","json_schema","schema"]`,
		`{"messages":[{"role":"user","content":"x"}],"stream":"yes"}`:                                                             `bool_type ["body","stream"]`,
		`{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":[1]},"type":"function"}]}]}`: `string_type ["body","messages",0,"tool_calls",0,"function","arguments"]`,
	} {
		_, err := openai.DecodeChat([]byte(body), contract())
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
	r, err := openai.DecodeChat([]byte(body), contract())
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
		r, err := openai.DecodeChat([]byte(body), contract())
		if err != nil {
			t.Fatal(err)
		}
		same(t, openai.AppendChatRequest(nil, r), []byte(`{"messages":[{"role":"user","content":"<think>mine</think>"},{"role":"assistant","content":`+want+`}]}`))
	}
}

func decodeStream(t *testing.T, op llm.Operation, stream string) *llm.Reply {
	t.Helper()
	d := openai.Codec{Contract: llm.WireOpenAI}.NewDecoder(op)
	r := sse.NewReader(strings.NewReader(stream))
	reply, err := llm.Stream(func(yield func(*llm.Reply, error) bool) {
		for {
			events, err := r.Next()
			if err != nil {
				return
			}
			f, err := d.Decode(events, r.Raw())
			if err != nil {
				return
			}
			if f != nil && !yield(f, nil) {
				return
			}
		}
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if !d.Complete() {
		t.Error("the reply is not complete")
	}
	return reply
}

var head = openai.Head{ID: "6d2b", Created: 1763880000, Model: "phi-4"}

func TestAChatStreamHasTheContractsBytes(t *testing.T) {
	e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{})
	out := e.Fragment(nil, &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("Hel")}}}})
	out = e.Fragment(out, &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.QuotedText([]byte(`"lo\u00e9"`))}}, {Finish: llm.FinishStop}}})
	out = e.Fragment(out, &llm.Reply{Usage: &llm.Usage{Prompt: 11, Completion: 3}})
	out = e.End(out)
	const pre = `data: {"id":"6d2b","object":"chat.completion.chunk","created":1763880000,"model":"phi-4","choices":[{"index":0,`
	want := pre + `"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n" +
		pre + `"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n" +
		pre + `"delta":{"content":"lo\u00e9"},"finish_reason":null}]}` + "\n\n" +
		pre + `"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}` + "\n\n" +
		"data: [DONE]\n\n"
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Error(d)
	}
}

func TestStreamedToolCallsCarryIndexIDAndTypeOnce(t *testing.T) {
	e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{UsageChunk: true})
	out := e.Fragment(nil, &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.ToolCall{ID: "call_a1", Name: "get_time"}}}}})
	out = e.Fragment(out, &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.ToolCall{Arguments: llm.NewText(`{"tz":`)}}}}})
	out = e.Fragment(out, &llm.Reply{Choices: []llm.Choice{{Finish: llm.FinishToolCalls}}, Usage: &llm.Usage{Prompt: 1, Completion: 2}})
	out = e.End(out)
	const pre = `data: {"id":"6d2b","object":"chat.completion.chunk","created":1763880000,"model":"phi-4","choices":[`
	want := pre + `{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n" +
		pre + `{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a1","type":"function","function":{"name":"get_time","arguments":""}}]},"finish_reason":null}]}` + "\n\n" +
		pre + `{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"tz\":"}}]},"finish_reason":null}]}` + "\n\n" +
		pre + `{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n" +
		pre + `],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}` + "\n\n" +
		"data: [DONE]\n\n"
	if d := cmp.Diff(want, string(out)); d != "" {
		t.Error(d)
	}
}

func TestReasoningGoesWhereTheDoorWantsIt(t *testing.T) {
	reply := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}, llm.NewText("yes")}, Finish: llm.FinishStop}}}
	for place, want := range map[llm.ReasoningPlace][2]string{
		llm.ReasoningContent: {`"content":"<think>hm</think>yes"`, `{"content":"<think>hm"} {"content":"</think>yes"}`},
		llm.ReasoningField:   {`"content":"yes","reasoning_content":"hm"`, `{"content":null,"reasoning_content":"hm"} {"content":"yes"}`},
		llm.ReasoningHidden:  {`"content":"yes","tool_calls"`, `{"content":"yes"}`},
	} {
		whole := string(openai.AppendChat(nil, reply, head, openai.Style{Reasoning: place}))
		if !strings.Contains(whole, want[0]) {
			t.Errorf("%s: %s", place, whole)
		}
		var deltas []string
		e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{Reasoning: place})
		for line := range strings.Lines(string(e.End(e.Fragment(nil, reply)))) {
			if _, d, ok := strings.Cut(line, `"delta":`); ok {
				d, _, _ = strings.Cut(d, `,"finish`)
				deltas = append(deltas, d)
			}
		}
		if got := strings.Join(deltas[1:len(deltas)-1], " "); got != want[1] {
			t.Errorf("%s: %s", place, got)
		}
	}
}

func TestAnEncodedStreamIsDecodedToTheSameReply(t *testing.T) {
	reply := &llm.Reply{
		Model: "phi-4", ID: "6d2b", Created: time.Unix(1763880000, 0),
		Choices: []llm.Choice{
			{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}, llm.NewText("yes \"é\""), llm.ToolCall{ID: "a", Name: "f", Arguments: llm.NewText("{}")}, llm.ToolCall{ID: "b", Name: "g", Arguments: llm.NewText(`{"x":1}`)}}, Finish: llm.FinishToolCalls},
			{Index: 1, Parts: []llm.Part{llm.NewText("no")}, Finish: llm.FinishLength, Logprobs: []llm.TokenLogprob{{Token: "no", Logprob: -0.5, Bytes: []byte("no"), Top: []llm.TokenLogprob{{Token: "yes", Logprob: -1, Bytes: []byte("yes")}}}}},
		},
		Usage: &llm.Usage{Prompt: 5, Completion: 9, Reasoning: 1, Cached: 2},
	}
	e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{})
	got := decodeStream(t, llm.OpChat, string(e.End(e.Fragment(nil, reply))))
	if d := cmp.Diff(reply, got); d != "" {
		t.Error(d)
	}
}

func TestVectorsAreEncodedAsTheContractSays(t *testing.T) {
	v := []float32{1, -1, 0, 0.5, -0.25, 1e-7, -0, 0.3333333}
	for enc, want := range map[llm.Encoding]string{
		llm.Float:   `[1,-1,0,0.5,-0.25,1e-7,0,0.3333333]`,
		llm.Int8:    `[127,-127,0,64,-32,0,0,42]`,
		llm.Uint8:   `[255,1,128,192,96,128,128,170]`,
		llm.Binary:  `[55]`,
		llm.Ubinary: `[183]`,
	} {
		if got := string(openai.AppendVector(nil, v, enc)); got != want {
			t.Errorf("%s: %s, want %s", enc, got, want)
		}
	}
	if got := string(openai.AppendVector(nil, []float32{1, -2}, llm.Base64)); got != `"AACAPwAAAMA="` {
		t.Errorf("base64: %s", got)
	}
}

func TestCallsWithoutIndexAreToldApartByTheirIDs(t *testing.T) {
	r := decodeStream(t, llm.OpChat, `data: {"id":"i","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"x","arguments":"{"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"id":"b","function":{"name":"y","arguments":"{}"}},{"id":"c","function":{"name":"z","arguments":"[]"}}]},"finish_reason":"tool_calls"}]}

data: [DONE]

`)
	var got []string
	for _, p := range r.Choices[0].Parts {
		c := p.(llm.ToolCall)
		got = append(got, c.ID+" "+c.Name+" "+c.Arguments.String())
	}
	if want := []string{"a x {}", "b y {}", "c z []"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatAServerAddsDoesNotComeTwice(t *testing.T) {
	r := decodeStream(t, llm.OpChat, `data: {"id":"i","model":"m","created":1e300,"object":"x","system_fingerprint":"f","extra":1,"choices":[{"index":0,"message":{"role":"x"},"delta":{"content":"a"},"finish_reason":"stop","more":2}]}

data: [DONE]

`)
	got := openai.AppendChat(nil, r, head, openai.Style{})
	if _, err := jsonx.Parse(got); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	if !r.Created.IsZero() || !strings.Contains(string(got), `"more":2`) || !strings.Contains(string(got), `"extra":1`) {
		t.Errorf("got %s", got)
	}
}

func TestBytesThatSayMoreThanTheStyleAreNotPassedOn(t *testing.T) {
	const thought = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
	const word = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so\"}}]}\n\n"
	for place, want := range map[llm.ReasoningPlace]string{
		llm.ReasoningField:   thought + word,
		llm.ReasoningHidden:  word,
		llm.ReasoningContent: "<think>hm</think>so",
	} {
		d := openai.Codec{Contract: llm.WireInference}.NewDecoder(llm.OpChat)
		e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{Wire: llm.WireInference, Reasoning: place})
		var out []byte
		for _, raw := range []string{thought, word} {
			r := sse.NewReader(strings.NewReader(raw))
			events, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			f, err := d.Decode(events, r.Raw())
			if err != nil {
				t.Fatal(err)
			}
			out = e.Fragment(out, f)
		}
		got := string(out)
		if place == llm.ReasoningContent {
			got = ""
			for event := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n\n") {
				v, err := jsonx.Parse([]byte(strings.TrimPrefix(event, "data: ")))
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range v.Get("choices").Elements() {
					got += c.Get("delta").Get("content").Text()
				}
			}
		}
		if !strings.HasSuffix(got, want) || place != llm.ReasoningContent && strings.Contains(strings.TrimSuffix(got, want), "hm") {
			t.Errorf("%s: got %s, want %s", place, got, want)
		}
	}
}

func FuzzDecodeChat(f *testing.F) {
	for _, c := range chats {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := openai.DecodeChat(body, contract())
		if err != nil {
			return
		}
		once := openai.AppendChatRequest(nil, r)
		again, err := openai.DecodeChat(once, contract())
		if err != nil {
			t.Fatalf("%s was encoded as %s: %v", body, once, err)
		}
		if twice := openai.AppendChatRequest(nil, again); string(twice) != string(once) {
			t.Fatalf("not a fixed point: %s, then %s", once, twice)
		}
	})
}

func FuzzDecodeText(f *testing.F) {
	f.Add([]byte(`{"prompt":["a",[1,2]],"n":2,"echo":true}`))
	f.Add([]byte(`{"input":"a","dimensions":3,"encoding_format":"int8","input_type":"query"}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		if r, err := openai.DecodeComplete(body, contract()); err == nil {
			openai.AppendCompleteRequest(nil, r)
		}
		if r, err := openai.DecodeEmbed(body, contract()); err == nil {
			openai.AppendEmbedRequest(nil, r)
		}
	})
}

func FuzzDecodeStream(f *testing.F) {
	e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{})
	f.Add(e.End(e.Fragment(nil, &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("x"), llm.ToolCall{ID: "a", Name: "f"}}, Finish: llm.FinishStop}}})))
	f.Fuzz(func(_ *testing.T, stream []byte) {
		for _, op := range []llm.Operation{llm.OpChat, llm.OpComplete} {
			d := openai.Codec{}.NewDecoder(op)
			whole := &llm.Reply{}
			r := sse.NewReader(strings.NewReader(string(stream)))
			for {
				events, err := r.Next()
				if err != nil {
					break
				}
				if fr, err := d.Decode(events, r.Raw()); err == nil && fr != nil {
					_ = whole.Append(fr)
				}
			}
		}
	})
}

func BenchmarkStreamLoop(b *testing.B) {
	const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763880000,"model":"m","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}` + "\n\n"
	events, err := sse.NewReader(strings.NewReader(chunk)).Next()
	if err != nil {
		b.Fatal(err)
	}
	d := openai.Codec{}.NewDecoder(llm.OpChat)
	e := openai.NewStreamEncoder(llm.OpChat, head, openai.Style{})
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		f, err := d.Decode(events, nil)
		if err != nil {
			b.Fatal(err)
		}
		out = e.Fragment(out[:0], f)
	}
}

func BenchmarkDecodeChat1KB(b *testing.B) {
	body := []byte(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + strings.Repeat("word ", 200) + `"}],"temperature":0.5,"max_tokens":64,"stream":true}`)
	c := contract()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := openai.DecodeChat(body, c); err != nil {
			b.Fatal(err)
		}
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
			got := string(openai.WithInputs(e, []byte(body)).Details[0].Input)
			if got != c.want {
				t.Errorf("input is %s, want %s", got, c.want)
			}
		})
	}
}
