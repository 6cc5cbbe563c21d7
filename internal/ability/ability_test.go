package ability_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/ability"
	"github.com/ingot-llm/ingot/internal/llm"
)

// scripted is a model that says what it is told to.
type scripted struct {
	llm.Unimplemented
	say   []llm.Reply
	fail  error
	asked *llm.ChatRequest
}

func (s *scripted) Chat(_ context.Context, r *llm.ChatRequest) llm.Stream {
	s.asked = r
	return func(yield func(*llm.Reply, error) bool) {
		for i := range s.say {
			if !yield(&s.say[i], nil) {
				return
			}
		}
		if s.fail != nil {
			yield(nil, s.fail)
		}
	}
}

// text is an answer of text in pieces, with its end.
func text(finish llm.Finish, pieces ...string) []llm.Reply {
	var out []llm.Reply
	for i, p := range pieces {
		out = append(out, llm.Reply{
			Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText(p)}}},
			Spent:   &llm.Usage{Prompt: 7, Completion: i + 1},
		})
	}
	out = append(out, llm.Reply{Choices: []llm.Choice{{Finish: finish}}})
	return append(out, llm.Reply{Usage: &llm.Usage{Prompt: 7, Completion: len(pieces) + 1}})
}

// heard is what came of an answer.
type heard struct {
	Thought, Text, Finish string
	Calls                 []string // name(arguments)
	Usage                 llm.Usage
	Err                   string
}

func hear(s llm.Stream) heard {
	var h heard
	r, err := s.Collect()
	if err != nil {
		h.Err = err.Error()
		if llm.AsError(err).Err != nil {
			h.Err = "what the model said would be logged: " + h.Err
		}
		return h
	}
	for _, p := range r.Choices[0].Parts {
		switch p := p.(type) {
		case llm.Text:
			h.Text += p.String()
		case llm.Reasoning:
			h.Thought += p.Text.String()
		case llm.ToolCall:
			if !strings.HasPrefix(p.ID, "call_") || len(p.ID) != 29 {
				h.Err = "the id is " + p.ID
			}
			h.Calls = append(h.Calls, p.Name+"("+p.Arguments.String()+")")
		case llm.Refusal, llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
		}
	}
	h.Finish = string(r.Choices[0].Finish)
	if r.Usage != nil {
		h.Usage = *r.Usage
		h.Usage.Reasoning = 0 // it depends on how the answer is cut
	}
	return h
}

var tools = []llm.Tool{
	{Name: "look", Description: new(llm.NewText("Looks.")), Parameters: json.RawMessage(`{"type":"object","properties":{"at":{"type":"string"}},"required":["at"],"additionalProperties":false}`)},
	{Name: "wait"},
}

func choose(mode llm.ChoiceMode, name ...string) *llm.ToolChoice {
	return &llm.ToolChoice{Mode: mode, Name: strings.Join(name, "")}
}

func ask(s string) []llm.Message {
	return []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText(s)}}}
}

const (
	look  = `<tool_call>{"name":"look","arguments":{"at":"a {\"b\"} c"}}</tool_call>`
	look2 = `<tool_call>{"name":"look","arguments":{"at":"there"}}</tool_call>`
	pause = `<tool_call>{"name":"wait","arguments":{}}</tool_call>`
)

var person = &llm.Format{Type: llm.FormatSchema, Name: "p", Schema: json.RawMessage(`{"type":"object","properties":{"age":{"type":"integer"}},"required":["age"],"additionalProperties":false}`), Strict: new(true)}

const dropped = "The model's answer was malformed: the engine did not keep it to response_format, whose schema may be too much for it: simplify that."

type dialogue struct {
	request llm.ChatRequest
	says    string
	cut     llm.Finish // stop where empty
	want    heard
}

// dialogues are what a model may say, and what must be heard.
var dialogues = map[string]dialogue{
	"plain text":                 {says: "a < b <tool_call>", want: heard{Text: "a < b <tool_call>", Finish: "stop"}},
	"thoughts":                   {says: "<think>\nhm <b> </thin</think>\n\nYes </think>", want: heard{Thought: "\nhm <b> </thin", Text: "Yes </think>", Finish: "stop"}},
	"thoughts after white space": {says: " \n<think>hm</think> Yes", want: heard{Thought: "hm", Text: "Yes", Finish: "stop"}},
	"thoughts only":              {says: "<think>hm </th", cut: llm.FinishLength, want: heard{Thought: "hm </th", Finish: "length"}},
	"no thoughts":                {says: " <thin", want: heard{Text: " <thin", Finish: "stop"}},
	"thoughts later":             {says: "So <think>hm</think>", want: heard{Text: "So <think>hm</think>", Finish: "stop"}},

	"text where calls might be": {request: llm.ChatRequest{Tools: tools}, says: "a <tool_cal b </tool_call> <", want: heard{Text: "a <tool_cal b </tool_call> <", Finish: "stop"}},
	"white space alone":         {request: llm.ChatRequest{Tools: tools}, says: " \n", want: heard{Text: " \n", Finish: "stop"}},
	"a call": {
		request: llm.ChatRequest{Tools: tools}, says: look,
		want: heard{Calls: []string{`look({"at":"a {\"b\"} c"})`}, Finish: "tool_calls"},
	},
	"text and calls": {
		request: llm.ChatRequest{Tools: tools}, says: "\n So:<" + look + pause + look2,
		want: heard{Text: "\n So:<", Calls: []string{`look({"at":"a {\"b\"} c"})`, "wait({})", `look({"at":"there"})`}, Finish: "tool_calls"},
	},
	"white space before a call": {request: llm.ChatRequest{Tools: tools}, says: "\n\n" + pause, want: heard{Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"thoughts and a call":       {request: llm.ChatRequest{Tools: tools}, says: "<think>hm</think>\n\n" + pause, want: heard{Thought: "hm", Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"a call inside thoughts":    {request: llm.ChatRequest{Tools: tools}, says: "<think>hm" + pause, want: heard{Thought: "hm", Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"demanded":                  {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolRequired)}, says: pause, want: heard{Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"by name":                   {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolNamed, "wait")}, says: pause, want: heard{Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"none":                      {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolNone)}, says: pause, want: heard{Text: pause, Finish: "stop"}},

	"cut in text":         {request: llm.ChatRequest{Tools: tools}, says: "a <tool", cut: llm.FinishLength, want: heard{Text: "a <tool", Finish: "length"}},
	"cut in the mark":     {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolRequired)}, says: `<tool_call>{"na`, cut: llm.FinishLength, want: heard{Finish: "length"}},
	"cut in arguments":    {request: llm.ChatRequest{Tools: tools}, says: look[:51], cut: llm.FinishLength, want: heard{Calls: []string{`look({"at":"a {\"b)`}, Finish: "length"}},
	"cut between calls":   {request: llm.ChatRequest{Tools: tools}, says: pause + "<tool_", cut: llm.FinishLength, want: heard{Calls: []string{"wait({})"}, Finish: "length"}},
	"ended in a call":     {request: llm.ChatRequest{Tools: tools}, says: look[:50], want: heard{Err: "The model's answer was malformed: it ended inside a call."}},
	"ended before a call": {request: llm.ChatRequest{Tools: tools}, says: "<tool_call>", want: heard{Err: "The model's answer was malformed: it ended inside a call."}},
	"stopped in a call":   {request: llm.ChatRequest{Tools: tools, Sampling: llm.Sampling{Stop: []string{"b"}}}, says: look[:40], want: heard{Err: "The model's answer was malformed: a stop string ended it inside a call."}},
	"prose for a call":    {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolRequired)}, says: "Well,", want: heard{Err: "The model's answer was malformed: text where a call was demanded."}},
	"nothing for a call":  {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolRequired)}, says: "", want: heard{Err: "The model's answer was malformed: no call where one was demanded."}},
	"text after a call":   {request: llm.ChatRequest{Tools: tools}, says: pause + "x", want: heard{Err: "The model's answer was malformed: something beside its calls."}},
	"an unknown function": {request: llm.ChatRequest{Tools: tools, ToolChoice: choose(llm.ToolNamed, "wait")}, says: look, want: heard{Err: "The model's answer was malformed: a call of a function that was not offered."}},
	"no name":             {request: llm.ChatRequest{Tools: tools}, says: `<tool_call>{"id":"look","arguments":{}}`, want: heard{Err: "The model's answer was malformed: a call without a name."}},
	"an endless name":     {request: llm.ChatRequest{Tools: tools}, says: `<tool_call>{"name":"` + strings.Repeat("x", 300), want: heard{Err: "The model's answer was malformed: a call without a name."}},
	"wrong arguments": {
		request: llm.ChatRequest{Tools: tools}, says: `<tool_call>{"name":"wait","arguments":{"x":1}}</tool_call>`,
		want: heard{Err: "The model called 'wait' with arguments that do not satisfy its parameters: "},
	},

	"json":             {request: llm.ChatRequest{Format: &llm.Format{Type: llm.FormatJSON}}, says: `{"a":[1]}`, want: heard{Text: `{"a":[1]}`, Finish: "stop"}},
	"not json":         {request: llm.ChatRequest{Format: &llm.Format{Type: llm.FormatJSON}}, says: "Sure: {}", want: heard{Err: dropped}},
	"an array":         {request: llm.ChatRequest{Format: &llm.Format{Type: llm.FormatJSON}}, says: "[]", want: heard{Err: "The model's answer does not satisfy response_format: "}},
	"a schema":         {request: llm.ChatRequest{Format: person}, says: `{"age":3}`, want: heard{Text: `{"age":3}`, Finish: "stop"}},
	"another schema":   {request: llm.ChatRequest{Format: person}, says: `{"age":"3"}`, want: heard{Err: "The model's answer does not satisfy response_format: "}},
	"json cut":         {request: llm.ChatRequest{Format: person}, says: `{"age":`, cut: llm.FinishLength, want: heard{Text: `{"age":`, Finish: "length"}},
	"json broken off":  {request: llm.ChatRequest{Format: person}, says: `{"age":`, want: heard{Err: "The model's answer does not satisfy response_format: "}},
	"json and a stop":  {request: llm.ChatRequest{Format: person, Sampling: llm.Sampling{Stop: []string{"3"}}}, says: `{"age":`, want: heard{Text: `{"age":`, Finish: "stop"}},
	"prose cut":        {request: llm.ChatRequest{Format: person}, says: `Sure: {"age":`, cut: llm.FinishLength, want: heard{Err: dropped}},
	"spaced json cut":  {request: llm.ChatRequest{Format: person}, says: "{\n \"age\": 3", cut: llm.FinishLength, want: heard{Err: dropped}},
	"prose and a stop": {request: llm.ChatRequest{Format: person, Sampling: llm.Sampling{Stop: []string{"3"}}}, says: "Age", want: heard{Err: dropped}},
	"json, not a call": {request: llm.ChatRequest{Format: person, Tools: tools}, says: `{"age":3}`, want: heard{Text: `{"age":3}`, Finish: "stop"}},
	"a call, not json": {request: llm.ChatRequest{Format: person, Tools: tools}, says: pause, want: heard{Calls: []string{"wait({})"}, Finish: "tool_calls"}},
	"a mark in json": {
		request: llm.ChatRequest{Tools: tools, Format: &llm.Format{Type: llm.FormatSchema, Name: "s", Schema: json.RawMessage(`{"type":"string"}`)}},
		says:    `"<tool_call>"`, want: heard{Text: `"<tool_call>"`, Finish: "stop"},
	},
}

func TestWhatAModelSaysIsHeardHoweverItIsCut(t *testing.T) {
	for name, d := range dialogues {
		t.Run(name, func(t *testing.T) {
			finish := d.cut
			if finish == "" {
				finish = llm.FinishStop
			}
			var ways [][]string
			for i := range len(d.says) + 1 {
				ways = append(ways, []string{d.says[:i], d.says[i:]})
			}
			for _, size := range []int{1, 2, 3, 5} {
				var pieces []string
				for rest := d.says; rest != ""; rest = rest[min(size, len(rest)):] {
					pieces = append(pieces, rest[:min(size, len(rest))])
				}
				ways = append(ways, pieces)
			}
			for _, pieces := range ways {
				d.request.Messages = ask("Hi")
				m := ability.Wrap(&scripted{say: text(finish, pieces...)}, ability.Options{})
				got := hear(m.Chat(t.Context(), &d.request))
				want := d.want
				if want.Err != "" && strings.HasPrefix(got.Err, want.Err) {
					continue
				}
				want.Usage = llm.Usage{Prompt: 7, Completion: len(pieces) + 1}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("in the pieces %q: %s", pieces, diff)
				}
			}
		})
	}
}

func TestACallThatIsRepeatedEndsTheAnswer(t *testing.T) {
	s := &scripted{say: text(llm.FinishStop, look, look[:30], look[30:], look2)}
	got := hear(ability.Wrap(s, ability.Options{}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Hi"), Tools: tools}))
	want := heard{Calls: []string{`look({"at":"a {\"b\"} c"})`}, Finish: "tool_calls", Usage: llm.Usage{Prompt: 7, Completion: 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = hear(ability.Wrap(s, ability.Options{}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Hi"), Tools: tools, N: new(2)}))
	want = heard{Calls: []string{`look({"at":"a {\"b\"} c"})`, `look({"at":"there"})`}, Finish: "tool_calls", Usage: llm.Usage{Prompt: 7, Completion: 5}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("one of several choices:", diff)
	}
}

func TestArgumentsAreStreamedAsTheyCome(t *testing.T) {
	m := ability.Wrap(&scripted{say: text(llm.FinishStop, "So ", look[:38], look[38:40], look[40:], pause)}, ability.Options{})
	var got []string
	for f, err := range m.Chat(t.Context(), &llm.ChatRequest{Messages: ask("Hi"), Tools: tools}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Choices {
			for k, p := range c.Parts {
				if call, ok := p.(llm.ToolCall); ok {
					got = append(got, fmt.Sprintf("%d %t %s %s", c.At+k, call.ID != "", call.Name, call.Arguments))
				} else {
					got = append(got, fmt.Sprintf("%d %s", c.At+k, p))
				}
			}
			if c.Finish != "" {
				got = append(got, string(c.Finish))
			}
		}
	}
	want := []string{"0 So ", "1 true look ", `1 false  {"`, `1 false  at":"a {\"b\"} c"}`, "2 true wait ", "2 false  {}", "tool_calls"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTokensOfThoughtsAreCounted(t *testing.T) {
	reasoning := llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("hm")}}}}, Spent: &llm.Usage{Completion: 2}}
	told := []llm.Reply{
		reasoning,
		{Choices: []llm.Choice{{At: 1, Parts: []llm.Part{llm.NewText("Yes")}}}, Spent: &llm.Usage{Completion: 3}},
		{Choices: []llm.Choice{{Finish: llm.FinishStop}}},
		{Usage: &llm.Usage{Completion: 3}},
	}
	for name, c := range map[string]struct {
		says []llm.Reply
		want int
	}{
		"none":                      {text(llm.FinishStop, "Yes", "!"), 0},
		"marked":                    {text(llm.FinishStop, "<think>", "h", "m", "</think>", "\n", "Yes", "!"), 4},
		"one token ends and begins": {text(llm.FinishStop, "<think>", "h", "m</think>Yes", "!"), 3},
		"cut":                       {text(llm.FinishLength, "<think>", "h", "m"), 3},
		"told apart by the engine":  {told, 2},
		"several tokens in one read": {[]llm.Reply{
			{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("<think>")}}, {Parts: []llm.Part{llm.NewText("hm")}}}, Spent: &llm.Usage{Completion: 2}},
			{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("</think>")}}, {Parts: []llm.Part{llm.NewText("Yes")}}}, Spent: &llm.Usage{Completion: 4}},
			{Choices: []llm.Choice{{Finish: llm.FinishStop}}},
			{Usage: &llm.Usage{Completion: 4}},
		}, 3},
	} {
		r, err := ability.Wrap(&scripted{say: c.says}, ability.Options{}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Go")}).Collect()
		if err != nil || r.Usage.Reasoning != c.want {
			t.Errorf("%s: %+v, %v, want %d", name, r.Usage, err, c.want)
		}
	}
}

func TestChoicesAndLogprobsKeepTheirPlaces(t *testing.T) {
	piece := func(index int, s string) llm.Choice {
		return llm.Choice{Index: index, Parts: []llm.Part{llm.NewText(s)}, Logprobs: []llm.TokenLogprob{{Token: s}}}
	}
	s := &scripted{say: []llm.Reply{
		{Meta: llm.Meta{Deployment: "d"}, Choices: []llm.Choice{piece(0, "<tool_"), piece(1, "a")}},
		{Choices: []llm.Choice{piece(0, pause[6:]), piece(1, "b"), {Index: 1, Finish: llm.FinishStop}}},
		{Choices: []llm.Choice{{Index: 0, Finish: llm.FinishStop}}},
	}}
	r, err := ability.Wrap(s, ability.Options{}).Chat(t.Context(), &llm.ChatRequest{Messages: ask("Hi"), Tools: tools, N: new(2), Logprobs: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if r.Meta.Deployment != "d" || len(r.Choices) != 2 {
		t.Fatalf("got %+v", r)
	}
	for _, c := range r.Choices {
		if len(c.Logprobs) != 2 || c.Finish == "" || len(c.Parts) != 1 {
			t.Errorf("choice %d: %+v", c.Index, c)
		}
	}
}

func TestTheSchemasOfManyToolsTakeNoLongerThanThoseOfAFew(t *testing.T) {
	var ways []string
	for i := range 60 {
		ways = append(ways, fmt.Sprintf(`{"type":"object","properties":{"k":{"const":%d},"s":{"type":"string","pattern":"^[a-z]*%d.{5}$"}},"required":["k"]}`, i, i))
	}
	r := llm.ChatRequest{Messages: ask("Hi")}
	for i := range 300 {
		r.Tools = append(r.Tools, llm.Tool{Name: fmt.Sprint("f", i), Parameters: json.RawMessage(`{"type":"object","properties":{"x":{"oneOf":[` + strings.Join(ways, ",") + `]}}}`)})
	}
	got := hear(ability.Wrap(&scripted{say: text(llm.FinishStop, "Hi")}, ability.Options{}).Chat(t.Context(), &r))
	if !strings.Contains(got.Err, "too many steps") {
		t.Errorf("got %+v", got)
	}
}
