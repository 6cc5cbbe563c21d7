package reply_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire/openai"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
)

var head = reply.Head{ID: "6d2b", Created: 1763880000, Model: "phi-4"}

func TestAChatStreamHasTheContractsBytes(t *testing.T) {
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{})
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
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{UsageChunk: true})
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

func TestACallEndsWithToolCallsWhereTheContractWantsIt(t *testing.T) {
	for contract, want := range map[llm.Wire]string{llm.WireInference: "tool_calls", llm.WireOpenAI: "stop"} {
		style := reply.Style{Wire: contract}
		call := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.ToolCall{ID: "c", Name: "f"}}, Finish: llm.FinishStop}}}
		e := reply.NewStreamEncoder(llm.OpChat, head, style)
		streamed, whole := string(e.End(e.Fragment(nil, call))), string(reply.AppendChat(nil, call, head, style))
		if !strings.Contains(streamed, `"finish_reason":"`+want+`"`) || !strings.Contains(whole, `"finish_reason":"`+want+`"`) {
			t.Errorf("%s: %s %s", contract, streamed, whole)
		}
		text := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}, Finish: llm.FinishStop}}}
		if got := string(reply.AppendChat(nil, text, head, style)); !strings.Contains(got, `"finish_reason":"stop"`) {
			t.Errorf("%s: %s", contract, got)
		}
	}
}

func TestReasoningGoesWhereTheDoorWantsIt(t *testing.T) {
	answer := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}, llm.NewText("yes")}, Finish: llm.FinishStop}}}
	for place, want := range map[llm.ReasoningPlace][2]string{
		llm.ReasoningContent: {`"content":"<think>hm</think>yes"`, `{"content":"<think>hm"} {"content":"</think>yes"}`},
		llm.ReasoningField:   {`"content":"yes","reasoning_content":"hm"`, `{"content":null,"reasoning_content":"hm"} {"content":"yes"}`},
		llm.ReasoningHidden:  {`"content":"yes","tool_calls"`, `{"content":"yes"}`},
	} {
		whole := string(reply.AppendChat(nil, answer, head, reply.Style{Reasoning: place}))
		if !strings.Contains(whole, want[0]) {
			t.Errorf("%s: %s", place, whole)
		}
		var deltas []string
		e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Reasoning: place})
		for line := range strings.Lines(string(e.End(e.Fragment(nil, answer)))) {
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

func TestBytesThatSayMoreThanTheStyleAreNotPassedOn(t *testing.T) {
	const thought = "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
	const word = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so\"}}]}\n\n"
	for place, want := range map[llm.ReasoningPlace]string{
		llm.ReasoningField:   thought + word,
		llm.ReasoningHidden:  word,
		llm.ReasoningContent: "<think>hm</think>so",
	} {
		d := openai.Codec{Contract: llm.WireInference}.NewDecoder(llm.OpChat)
		e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Wire: llm.WireInference, Reasoning: place})
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

func TestCallsOfAServerOfTheSameContractGoOutAsTheyCame(t *testing.T) {
	const body = `{"a server's":"own words"}`
	whole := &llm.Reply{
		ID: "i", Model: "m", Created: time.Unix(5, 0), Source: llm.Source{Wire: llm.WireOpenAI, Body: []byte(body), Whole: true},
		Choices: []llm.Choice{{Parts: []llm.Part{llm.ToolCall{ID: "c", Name: "f"}}, Finish: llm.FinishToolCalls}},
	}
	events := []byte("data: " + body + "\n\n")
	fragment := &llm.Reply{Choices: whole.Choices, Source: llm.Source{Wire: llm.WireOpenAI, Body: events, Ends: len(events)}}
	for _, c := range []struct {
		name  string
		style reply.Style
		as    string // what stands in an answer that is written anew
	}{
		{"of the same contract", reply.Style{Wire: llm.WireOpenAI}, ""},
		{"of a tool that the caller named", reply.Style{Wire: llm.WireOpenAI, NamedStop: true}, ""},
		{"of another contract", reply.Style{Wire: llm.WireAzure, NamedStop: true}, `"finish_reason":"stop"`},
		{"where the caller spoke of functions", reply.Style{Wire: llm.WireOpenAI, Functions: true}, `"function_call":{"name":"f"`},
		{"by the other contract's words", reply.Style{Wire: llm.WireInference}, `"tool_calls":[{`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := reply.NewStreamEncoder(llm.OpChat, head, c.style)
			for got, own := range map[string]string{
				string(reply.AppendChat(nil, whole, head, c.style)): body,
				string(e.End(e.Fragment(nil, fragment))):            string(events) + "data: [DONE]\n\n",
			} {
				if passed := got == own; passed != (c.as == "") || !strings.Contains(got, c.as) {
					t.Errorf("got %s", got)
				}
			}
		})
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
		if got := string(reply.AppendVector(nil, v, enc)); got != want {
			t.Errorf("%s: %s, want %s", enc, got, want)
		}
	}
	if got := string(reply.AppendVector(nil, []float32{1, -2}, llm.Base64)); got != `"AACAPwAAAMA="` {
		t.Errorf("base64: %s", got)
	}
}

func TestTheUsageOfImagesIsToldAsTheContractSays(t *testing.T) {
	for _, c := range []struct {
		usage llm.Usage
		want  string
	}{
		{llm.Usage{Prompt: 4}, `{"prompt_tokens":4,"completion_tokens":0,"total_tokens":4}`},
		{llm.Usage{Prompt: 1000, Images: 1}, `{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"images":1}`},
		{llm.Usage{Prompt: 7, Images: 2, Patches: 5}, `{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7,"images":2,"prompt_patches":5,"total_patches":5}`},
	} {
		want := `{"id":"i","object":"list","model":"m","data":[{"index":0,"object":"embedding","embedding":[1,0]}],"usage":` + c.want + `}`
		if got := string(reply.AppendEmbed(nil, &llm.EmbedReply{Model: "m", Vectors: [][]float32{{1, 0}}, Usage: &c.usage}, reply.Head{ID: "i", Model: "m"}, llm.Float, reply.Style{})); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkEncodeChat(b *testing.B) {
	r := &llm.Reply{
		Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText(strings.Repeat("word ", 200))}, Finish: llm.FinishStop}},
		Usage:   &llm.Usage{Prompt: 11, Completion: 200},
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = reply.AppendChat(out[:0], r, head, reply.Style{})
	}
}

func BenchmarkEncodeVector(b *testing.B) {
	v := make([]float32, 1536)
	for i := range v {
		v[i] = float32(i) / 40000
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = reply.AppendVector(out[:0], v, llm.Float)
	}
}
