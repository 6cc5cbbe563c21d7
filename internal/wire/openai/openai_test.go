package openai_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire/openai"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

var head = reply.Head{ID: "6d2b", Created: 1763880000, Model: "phi-4"}

func TestOwnBytesGoOnlyToAServerOfTheSameContract(t *testing.T) {
	const body = `{ "messages":[{"role":"user","content":"x"}],"b":1,"a":2 }`
	const fields = `{"model":"m","messages":[{"role":"user","content":"x"}],"a":2,"b":1}`
	contract := request.Contract{Wire: llm.WireOpenAI, Admit: func(string) request.Admission { return request.Take }}
	r, err := request.DecodeChat([]byte(body), contract)
	if err != nil {
		t.Fatal(err)
	}
	r = r.WithModel("m")
	edited := r.Edit()
	edited.Temperature = new(0.25)
	for _, c := range []struct {
		name   string
		server llm.Wire
		r      *llm.ChatRequest
		want   string
	}{
		{"the same", llm.WireOpenAI, r, `{ "messages":[{"role":"user","content":"x"}],"b":1,"a":2,"model":"m" }`},
		{"another", llm.WireInference, r, fields},
		{"the same after an edit", llm.WireOpenAI, edited, strings.Replace(fields, `}],`, `}],"temperature":0.25,`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := openai.Codec{Contract: c.server}.EncodeChat(c.r)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(slices.Concat(got.Pieces...))); d != "" || got.Path != "/chat/completions" {
				t.Errorf("%s: %s", got.Path, d)
			}
		})
	}
}

func decodeStream(t *testing.T, op llm.Operation, stream string) *llm.Reply {
	t.Helper()
	d := openai.Codec{Contract: llm.WireOpenAI}.NewDecoder(op)
	in := sse.NewReader(strings.NewReader(stream))
	r, err := llm.Stream(func(yield func(*llm.Reply, error) bool) {
		for {
			events, err := in.Next()
			if err != nil {
				return
			}
			f, err := d.Decode(events, in.Raw())
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
	if !d.Complete(1) {
		t.Error("the reply is not complete")
	}
	return r
}

func TestAnEncodedStreamIsDecodedToTheSameReply(t *testing.T) {
	want := &llm.Reply{
		Model: "phi-4", ID: "6d2b", Created: time.Unix(1763880000, 0),
		Choices: []llm.Choice{
			{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}, llm.NewText("yes \"é\""), llm.ToolCall{ID: "a", Name: "f", Arguments: llm.NewText("{}")}, llm.ToolCall{ID: "b", Name: "g", Arguments: llm.NewText(`{"x":1}`)}}, Finish: llm.FinishToolCalls},
			{Index: 1, Parts: []llm.Part{llm.NewText("no")}, Finish: llm.FinishLength, Logprobs: []llm.TokenLogprob{{Token: "no", Logprob: -0.5, Bytes: []byte("no"), Top: []llm.TokenLogprob{{Token: "yes", Logprob: -1, Bytes: []byte("yes")}}}}},
		},
		Usage: &llm.Usage{Prompt: 5, Completion: 9, Reasoning: 1, Cached: 2},
	}
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Top: 1})
	got := decodeStream(t, llm.OpChat, string(e.End(e.Fragment(nil, want))))
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
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

func TestNothingPredictsTheFirstTokenOfAPrompt(t *testing.T) {
	d := openai.Codec{}.NewDecoder(llm.OpComplete)
	f, err := d.Decode([]sse.Event{{Data: []byte(`{"choices":[{"index":0,"text":"a b","logprobs":{"tokens":["a"," b"],"token_logprobs":[null,-0.5],"top_logprobs":[null,{" b":-0.5}],"text_offset":[0,1]}}]}`)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ps := f.Choices[0].Logprobs; len(ps) != 2 || !math.IsNaN(ps[0].Logprob) || ps[1].Logprob != -0.5 {
		t.Errorf("%+v", ps)
	}
}

func TestWhatAServerAddsDoesNotComeTwice(t *testing.T) {
	r := decodeStream(t, llm.OpChat, `data: {"id":"i","model":"m","created":1e300,"object":"x","system_fingerprint":"f","extra":1,"choices":[{"index":0,"message":{"role":"x"},"delta":{"content":"a"},"finish_reason":"stop","more":2}]}

data: [DONE]

`)
	got := reply.AppendChat(nil, r, head, reply.Style{Top: 1})
	if _, err := jsonx.Parse(got); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	if !r.Created.IsZero() || !strings.Contains(string(got), `"more":2`) || !strings.Contains(string(got), `"extra":1`) {
		t.Errorf("got %s", got)
	}
}

func FuzzDecodeStream(f *testing.F) {
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Top: 1})
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
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Top: 1})
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
