package route_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

func withTools(r *llm.ChatRequest) {
	r.Tools = []llm.Tool{{Name: "f"}}
	r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolNone}
	r.ParallelToolCalls = new(true)
}

func withFormat(r *llm.ChatRequest) { r.Format = &llm.Format{Type: llm.FormatJSON} }

func withImage(r *llm.ChatRequest) {
	r.Messages[0].Parts = append(r.Messages[0].Parts, llm.Image{Loc: []any{"body", "messages", 0, "content", 1}})
}

func withExtra(r *llm.ChatRequest) {
	r.Extra = llm.Extra{"top_k": json.RawMessage("40"), "zeta": json.RawMessage(`"z"`), "alpha": json.RawMessage("1")}
}

func mayDrop(r *llm.ChatRequest) { r.MayDrop = true }

type change = func(*llm.ChatRequest)

func TestWhatATargetCannotDoIsLeftOutOrRefusedByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		request  []change
		features llm.Features
		want     string // what the caller saw
		message  string
		details  []llm.Detail
	}{
		{name: "plain", want: "+a (d t1/1)"},
		{
			name: "the target can", request: []change{withTools, withFormat, withImage},
			features: llm.Features{Set: llm.FeatureTools | llm.FeatureParallelTools | llm.FeatureFormat | llm.FeatureImages},
			want:     "+a (d t1/1)",
		},
		{
			name: "refused", request: []change{withFormat}, want: "!unsupported (d /0)",
			message: "Deployment 'd' does not support 'response_format'.",
			details: []llm.Detail{{
				Type: "parameter_not_supported", Loc: []any{"body", "response_format"},
				Msg: "Deployment 'd' does not support 'response_format'.",
			}},
		},
		{
			name: "each of several is named", request: []change{withFormat, withTools}, want: "!unsupported (d /0)",
			message: "Deployment 'd' does not support 'tools'.",
			details: []llm.Detail{
				{Type: "parameter_not_supported", Loc: []any{"body", "tools"}, Msg: "Deployment 'd' does not support 'tools'."},
				{
					Type: "parameter_not_supported", Loc: []any{"body", "parallel_tool_calls"},
					Msg: "Deployment 'd' does not support 'parallel_tool_calls'.",
				},
				{
					Type: "parameter_not_supported", Loc: []any{"body", "response_format"},
					Msg: "Deployment 'd' does not support 'response_format'.",
				},
			},
		},
		{
			name: "left out, and said", request: []change{withFormat, mayDrop},
			want: "+a (d t1/1 -response_format)",
		},
		{
			name: "tools take along what means nothing without them", request: []change{withTools, mayDrop},
			features: llm.Features{Set: llm.FeatureParallelTools},
			want:     "+a (d t1/1 -tools -tool_choice -parallel_tool_calls)",
		},
		{
			name: "and each of them once", request: []change{withTools, mayDrop, func(r *llm.ChatRequest) {
				r.ToolChoice.Mode = llm.ToolRequired
			}},
			want: "+a (d t1/1 -tools -tool_choice -parallel_tool_calls)",
		},
		{
			name: "a part is never left out", request: []change{withImage, withFormat, mayDrop}, want: "!unsupported (d /0)",
			message: "Deployment 'd' does not support images in 'messages'.",
			details: []llm.Detail{{
				Type: "parameter_not_supported", Loc: []any{"body", "messages", 0, "content", 1},
				Msg: "Deployment 'd' does not support images in 'messages'.",
			}},
		},
		{
			name: "extra members the target takes", request: []change{withExtra},
			features: llm.Features{Extra: []string{"alpha", "top_k", "zeta"}}, want: "+a (d t1/1)",
		},
		{name: "a target that is asked about any", request: []change{withExtra}, features: llm.Features{Any: true}, want: "+a (d t1/1)"},
		{
			name: "extra members it does not take", request: []change{withExtra},
			features: llm.Features{Extra: []string{"top_k"}}, want: "!invalid (d /0)",
			message: "Extra inputs are not permitted: deployment 'd' does not take 'alpha'.",
			details: []llm.Detail{
				{Type: "extra_forbidden", Loc: []any{"body", "alpha"}, Msg: "Extra inputs are not permitted", Input: json.RawMessage("1")},
				{Type: "extra_forbidden", Loc: []any{"body", "zeta"}, Msg: "Extra inputs are not permitted", Input: json.RawMessage(`"z"`)},
			},
		},
		{
			name: "extra members are left out", request: []change{withExtra, mayDrop},
			features: llm.Features{Extra: []string{"top_k"}}, want: "+a (d t1/1 -alpha -zeta)",
		},
		{
			name: "what the door left out comes first", request: []change{withFormat, mayDrop, func(r *llm.ChatRequest) {
				r.Dropped = []string{"foo"}
			}},
			want: "+a (d t1/1 -foo -response_format)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := table(deployment(c.features, route.Limits{}, "+a")).Chat(t.Context(), chat(c.request...))
			if got := saw(s); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if c.message == "" {
				return
			}
			_, err := s.Collect()
			e := llm.AsError(err)
			if e.Message != c.message {
				t.Errorf("message: got %q, want %q", e.Message, c.message)
			}
			if d := cmp.Diff(c.details, e.Details); d != "" {
				t.Error(d)
			}
			if want := c.details[0].Loc[1]; e.Param != want {
				t.Errorf("param: got %q, want %q", e.Param, want)
			}
		})
	}
}

func TestOtherOperationsAreJudgedLikeChat(t *testing.T) {
	t.Parallel()
	rt := table(deployment(llm.Features{}, route.Limits{}, "+a"))
	env := llm.Envelope{Model: "d"}
	lenient := llm.Envelope{Model: "d", MayDrop: true}
	for _, c := range []struct {
		req  llm.CompleteRequest
		want string
	}{
		{llm.CompleteRequest{Envelope: env, Suffix: new("s")}, "!unsupported (d /0)"},
		{llm.CompleteRequest{Envelope: lenient, Suffix: new("s"), Echo: true}, "+a (d t1/1 -suffix -echo)"},
		{llm.CompleteRequest{Envelope: lenient, Prompts: []llm.Input{llm.Tokens{1}}}, "!unsupported (d /0)"},
	} {
		if got := saw(rt.Complete(t.Context(), &c.req)); got != c.want {
			t.Errorf("complete: got %s, want %s", got, c.want)
		}
	}
	reply, err := rt.Embed(t.Context(), &llm.EmbedRequest{Envelope: lenient, InputType: llm.InputQuery})
	if err != nil || who(reply.Meta) != "(d t1/1 -input_type)" {
		t.Errorf("embed: got %v, %v", reply, err)
	}
	_, err = rt.Embed(t.Context(), &llm.EmbedRequest{Envelope: env, Items: []llm.Input{llm.NewText("a"), llm.Tokens{1}}})
	if e := llm.AsError(err); e.Message != "Deployment 'd' does not support token ids in 'input'." {
		t.Errorf("embed: got %v", err)
	}
}

func TestATargetThatCannotIsSkipped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scripts, want string }{
		{"the next one can", "+a | +b", "+b (d t2/1)"},
		{"the next one can, but fails", "+a | !unavailable", "!unavailable (d t2/1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := deployment(llm.Features{}, route.Limits{}, strings.Split(c.scripts, "|")...)
			d.Targets[1].Info.Features.Set = llm.FeatureFormat
			if got := saw(table(d).Chat(t.Context(), chat(withFormat))); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			d.Targets[1].Info.Operations = nil
			if got := saw(table(d).Chat(t.Context(), chat(withFormat))); got != "!unsupported (d /0)" {
				t.Errorf("with neither: got %s", got)
			}
		})
	}
}

func TestTheTargetGetsTheCallersBytesWithTheMembersCut(t *testing.T) {
	t.Parallel()
	d := deployment(llm.Features{}, route.Limits{}, "+a")
	req := chat(withFormat, withExtra, mayDrop)
	req.SetSource(llm.WireOpenAI, []byte("{}"), nil)
	saw(table(d).Chat(t.Context(), req))
	got := d.Targets[0].Backend.(*scripted).seen[0].(*llm.ChatRequest)
	src, ok := got.Source()
	want := llm.Source{Wire: llm.WireOpenAI, Body: []byte("{}"), Edits: []llm.Edit{
		{Member: "response_format"}, {Member: "alpha"}, {Member: "top_k"}, {Member: "zeta"},
	}}
	if d := cmp.Diff(want, src); !ok || d != "" {
		t.Error(ok, d)
	}
	if got.Format != nil || len(got.Extra) != 0 {
		t.Errorf("the target still sees %v %v", got.Format, got.Extra)
	}
}

// random makes the same request for the same seed.
func random(seed uint64) *llm.ChatRequest {
	r := rand.New(rand.NewPCG(seed, 0))
	all := []change{
		withTools, withFormat, withImage, withExtra, mayDrop,
		func(r *llm.ChatRequest) { r.N = new(2) },
		func(r *llm.ChatRequest) { r.Logprobs, r.TopLogprobs = true, new(3) },
		func(r *llm.ChatRequest) { r.ReasoningEffort = "low" },
		func(r *llm.ChatRequest) { r.LogitBias = json.RawMessage(`{"1":2}`) },
		func(r *llm.ChatRequest) { r.Dropped = append(make([]string, 0, 8), "foo") },
	}
	all = slices.DeleteFunc(all, func(change) bool { return r.IntN(2) == 0 })
	req := chat(all...)
	req.SetSource(llm.WireOpenAI, []byte(`{"a":1}`), nil)
	return req
}

func TestNoRequestIsModifiedAndNoTargetGetsMoreThanItCanDo(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		req, before := random(seed), random(seed)
		set := llm.Feature(seed * 2654435761)
		d := deployment(llm.Features{Set: set, Extra: []string{"top_k"}}, route.Limits{}, "!unavailable", "+a")
		s := table(d).Chat(t.Context(), req)
		saw(s)
		saw(s)
		if !reflect.DeepEqual(req, before) || cap(req.Dropped) > 1 && req.Dropped[:2][1] != "" {
			t.Fatalf("seed %d: the request was modified", seed)
		}
		for _, target := range d.Targets {
			for _, seen := range target.Backend.(*scripted).seen {
				got := seen.(*llm.ChatRequest)
				for _, n := range got.Needs() {
					if set&n.Feature == 0 {
						t.Fatalf("seed %d: the target was asked for %s", seed, n.Member)
					}
				}
				if n := got.ExtraNames(); len(n) > 1 || len(n) == 1 && n[0] != "top_k" {
					t.Fatalf("seed %d: the target was asked for %s", seed, n)
				}
				if _, ok := got.Source(); !ok {
					t.Fatalf("seed %d: the caller's bytes are lost", seed)
				}
			}
		}
	}
}

type steady struct {
	llm.Unimplemented
	fragments []llm.Reply
}

func (s *steady) Chat(context.Context, *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		for i := range s.fragments {
			if !yield(&s.fragments[i], nil) {
				return
			}
		}
	}
}

// BenchmarkChat measures what a request with nothing to leave out costs at one target.
func BenchmarkChat(b *testing.B) {
	target := &steady{fragments: []llm.Reply{
		{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("hello")}}}},
		{Choices: []llm.Choice{{Finish: llm.FinishStop}}},
	}}
	for _, c := range []struct {
		name   string
		limits route.Limits
	}{
		{"no limits", route.Limits{}},
		{"first token", route.Limits{FirstToken: time.Hour}},
		{"both limits", route.Limits{FirstToken: time.Hour, Total: time.Hour}},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := route.Deployment{Targets: []route.Target{{
				Backend: target, Info: llm.ModelInfo{Deployment: "d", Operations: []llm.Operation{llm.OpChat}}, Limits: c.limits,
			}}}
			rt, req := table(d), chat()
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range rt.Chat(b.Context(), req) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
