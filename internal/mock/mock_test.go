package mock_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
)

func user(text string) llm.Message {
	return llm.Message{Role: llm.User, Parts: []llm.Part{llm.NewText(text)}}
}

func say(text string) *llm.ChatRequest {
	return &llm.ChatRequest{Envelope: llm.Envelope{Stream: true}, Messages: []llm.Message{user(text)}}
}

var sameReply = cmp.Options{
	cmpopts.IgnoreFields(llm.Reply{}, "Created", "Source"),
	cmpopts.EquateEmpty(),
	cmpopts.EquateNaNs(),
}

// pieces writes a stream down: one line for each entry of a fragment.
func pieces(t *testing.T, s llm.Stream) []string {
	t.Helper()
	var lines []string
	for f, err := range s {
		if err != nil {
			e := llm.AsError(err)
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("error %d %s", e.Kind, e.Code)))
			break
		}
		for _, c := range f.Choices {
			line := fmt.Sprintf("%d.%d", c.Index, c.At)
			for _, p := range c.Parts {
				switch p := p.(type) {
				case llm.Text:
					line += fmt.Sprintf(" %q", p.String())
				case llm.Reasoning:
					line += fmt.Sprintf(" thinks %q", p.Text.String())
				case llm.ToolCall:
					id := p.ID
					if len(id) > 5 {
						id = id[:5]
					}
					line += fmt.Sprintf(" %s%s(%q)", id, p.Name, p.Arguments.String())
				default:
					t.Errorf("an unexpected part %T", p)
				}
			}
			if c.Finish != "" {
				line += " " + string(c.Finish)
			}
			lines = append(lines, line)
		}
		if f.Usage != nil {
			lines = append(lines, fmt.Sprintf("%d+%d(%d)", f.Usage.Prompt, f.Usage.Completion, f.Usage.Reasoning))
		}
	}
	return lines
}

func TestTokensJoinToTheText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"Hello, world 42!", []string{"Hello", ",", " world", " 42", "!"}},
		{"  two spaces ", []string{" ", " two", " spaces", " "}},
		{"a\nb", []string{"a", "\n", "b"}},
		{"größe 你好 👍🏽", []string{"größe", " 你好", " ", "👍", "🏽"}},
		{"abcdefghijklmnopqrs", []string{"abcdefghijklmnop", "qrs"}},
		{"\xff\xfe", []string{"\xff", "\xfe"}},
	} {
		got := mock.Tokens(c.text)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
		if joined := strings.Join(got, ""); joined != c.text {
			t.Errorf("%q came back as %q", c.text, joined)
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add("Hello, world 42!")
	f.Add("größe 你好 \xff")
	f.Fuzz(func(t *testing.T, text string) {
		tokens := mock.Tokens(text)
		if joined := strings.Join(tokens, ""); joined != text {
			t.Fatalf("%q came back as %q", text, joined)
		}
		for _, token := range tokens {
			if n := len(mock.Tokens(token)); n != 1 {
				t.Fatalf("token %q is %d tokens", token, n)
			}
		}
	})
}

func TestChatStreams(t *testing.T) {
	t.Parallel()
	weather := llm.Tool{Name: "weather", Parameters: []byte(`{"type":"object","properties":{"city":{"type":"string","minLength":1},"days":{"type":"integer","minimum":1}},"required":["city"]}`)}
	clock := llm.Tool{Name: "clock"}
	for _, c := range []struct {
		name    string
		options mock.Options
		request func(*llm.ChatRequest)
		want    []string
	}{
		{
			"the last user message comes back token by token",
			mock.Options{},
			func(r *llm.ChatRequest) {
				r.Messages = []llm.Message{
					{Role: llm.System, Parts: []llm.Part{llm.NewText("Be brief.")}},
					user("first"),
					{Role: llm.Assistant, Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("not counted at all")}, llm.NewText("ok")}},
					{Role: llm.User, Parts: []llm.Part{llm.NewText("Hi "), llm.NewText("there!")}},
				}
			},
			// 4 messages of 3, and Be| brief|. first ok Hi|⎵ there|!
			[]string{`0.0 "Hi"`, `0.0 " there"`, `0.0 "!"`, "0.0 stop", "21+3(0)"},
		},
		{"a quoted text is read", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0].Parts = []llm.Part{llm.QuotedText([]byte(`"\u00fc\n"`))}
		}, []string{`0.0 "ü"`, `0.0 "\n"`, "0.0 stop", "5+2(0)"}},
		{"what a filter censors is not said", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0] = user("one mock:censor two")
		}, []string{`0.0 "one"`, `0.0 " "`, "0.0 content_filter", "8+2(0)"}},
		{"a stop before what a filter censors", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0], r.Stop = user("one two mock:censor"), []string{" two"}
		}, []string{`0.0 "one"`, "0.0 stop", "8+1(0)"}},
		{"a limit before what a filter censors", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0], r.MaxTokens = user("one two mock:censor"), new(1)
		}, []string{`0.0 "one"`, "0.0 length", "8+1(0)"}},
		{"an answer goes on where the assistant's message ends", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Prefix: true, Parts: []llm.Part{llm.NewText("one")}})
		}, []string{`0.0 " two"`, `0.0 " three"`, "0.0 stop", "10+2(0)"}},
		{"an assistant's message that begins otherwise", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Prefix: true, Parts: []llm.Part{llm.NewText("two")}})
		}, []string{`0.0 "one"`, `0.0 " two"`, `0.0 " three"`, "0.0 stop", "10+3(0)"}},
		{"an assistant's message that is no prefix", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages = append(r.Messages, llm.Message{Role: llm.Assistant, Parts: []llm.Part{llm.NewText("one")}})
		}, []string{`0.0 "one"`, `0.0 " two"`, `0.0 " three"`, "0.0 stop", "10+3(0)"}},
		{"a prompt leaves room for what the context holds besides", mock.Options{Behaviour: mock.Count}, func(r *llm.ChatRequest) {
			r.Messages[0] = user(strings.Repeat("!", mock.Context-4))
		}, []string{`0.0 "1"`, "0.0 length", "131071+1(0)"}},
		{"a prompt that leaves none", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0] = user(strings.Repeat("!", mock.Context-3))
		}, []string{"0.0 length", "131072+0(0)"}},
		{"max_tokens cuts with length", mock.Options{}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(2)
		}, []string{`0.0 "one"`, `0.0 " two"`, "0.0 length", "6+2(0)"}},
		{"an answer that fits exactly is complete", mock.Options{}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(3)
		}, []string{`0.0 "one"`, `0.0 " two"`, `0.0 " three"`, "0.0 stop", "6+3(0)"}},
		{"max_tokens 0 answers nothing", mock.Options{}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(0)
		}, []string{"0.0 length", "6+0(0)"}},
		{"the model's own limit", mock.Options{MaxTokens: 1}, func(*llm.ChatRequest) {}, []string{`0.0 "one"`, "0.0 length", "6+1(0)"}},
		{"the request's limit goes before the model's", mock.Options{MaxTokens: 1}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(2)
		}, []string{`0.0 "one"`, `0.0 " two"`, "0.0 length", "6+2(0)"}},
		{"stop ends inside a token", mock.Options{}, func(r *llm.ChatRequest) {
			r.Stop = []string{"zzz", "hre"}
		}, []string{`0.0 "one"`, `0.0 " two"`, `0.0 " t"`, "0.0 stop", "6+3(0)"}},
		{"stop spans tokens", mock.Options{}, func(r *llm.ChatRequest) {
			r.Stop = []string{"e tw"}
		}, []string{`0.0 "on"`, "0.0 stop", "6+1(0)"}},
		{"the stop that is completed first counts", mock.Options{}, func(r *llm.ChatRequest) {
			r.Stop = []string{"ne two", "e"}
		}, []string{`0.0 "on"`, "0.0 stop", "6+1(0)"}},
		{"a stop beyond the limit does not count", mock.Options{}, func(r *llm.ChatRequest) {
			r.Stop, r.MaxTokens = []string{" two t"}, new(2)
		}, []string{`0.0 "one"`, `0.0 " two"`, "0.0 length", "6+2(0)"}},
		{"a stop at the very beginning", mock.Options{}, func(r *llm.ChatRequest) {
			r.Stop = []string{"one"}
		}, []string{"0.0 stop", "6+0(0)"}},
		{"n choices take turns", mock.Options{}, func(r *llm.ChatRequest) {
			r.N, r.MaxTokens, r.Seed = new(2), new(1), new(int64(7))
		}, []string{`0.0 "one"`, `1.0 "one"`, "0.0 length", "1.0 length", "6+2(0)"}},
		{"no user message, no text", mock.Options{}, func(r *llm.ChatRequest) {
			r.Messages[0].Role = llm.System
		}, []string{"0.0 stop", "6+0(0)"}},
		{"count", mock.Options{Behaviour: mock.Count}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(3)
		}, []string{`0.0 "1"`, `0.0 " 2"`, `0.0 " 3"`, "0.0 length", "6+3(0)"}},
		{"count stops", mock.Options{Behaviour: mock.Count}, func(r *llm.ChatRequest) {
			r.Stop = []string{" 3"}
		}, []string{`0.0 "1"`, `0.0 " 2"`, "0.0 stop", "6+2(0)"}},
		{"reasoning thinks, then answers", mock.Options{Behaviour: mock.Reasoning}, func(r *llm.ChatRequest) {
			r.Messages = []llm.Message{user("Hi")}
		}, []string{
			`0.0 thinks "The"`, `0.0 thinks " answer"`, `0.0 thinks " is"`, `0.0 thinks " what"`, `0.0 thinks " was"`, `0.0 thinks " said"`, `0.0 thinks "."`,
			`0.1 "Hi"`, "0.0 stop", "4+8(7)",
		}},
		{"thinking spends max_tokens", mock.Options{Behaviour: mock.Reasoning}, func(r *llm.ChatRequest) {
			r.MaxTokens = new(2)
		}, []string{`0.0 thinks "The"`, `0.0 thinks " answer"`, "0.0 length", "6+2(2)"}},
		{"json_object", mock.Options{}, func(r *llm.ChatRequest) {
			r.Format = &llm.Format{Type: llm.FormatJSON}
		}, []string{`0.0 "{"`, `0.0 "}"`, "0.0 stop", "6+2(0)"}},
		{"json_schema", mock.Options{}, func(r *llm.ChatRequest) {
			r.Format = &llm.Format{Type: llm.FormatSchema, Schema: []byte(`{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":10}}}`)}
		}, []string{`0.0 "{"`, `0.0 "\""`, `0.0 "n"`, `0.0 "\""`, `0.0 ":"`, `0.0 "10"`, `0.0 "}"`, "0.0 stop", "6+7(0)"}},
		{"the format text changes nothing", mock.Options{}, func(r *llm.ChatRequest) {
			r.Format, r.MaxTokens = &llm.Format{Type: llm.FormatText}, new(1)
		}, []string{`0.0 "one"`, "0.0 length", "6+1(0)"}},
		{"tool_choice required calls the first tool", mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{weather, clock}, &llm.ToolChoice{Mode: llm.ToolRequired}
		}, []string{
			`0.0 call_weather("")`, `0.0 ("{")`, `0.0 ("\"")`, `0.0 ("city")`, `0.0 ("\"")`, `0.0 (":")`, `0.0 ("\"")`, `0.0 ("a")`, `0.0 ("\"")`, `0.0 ("}")`,
			"0.0 tool_calls", "6+10(0)",
		}},
		{"a named tool without parameters", mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{weather, clock}, &llm.ToolChoice{Mode: llm.ToolNamed, Name: "clock"}
		}, []string{`0.0 call_clock("")`, `0.0 ("{")`, `0.0 ("}")`, "0.0 tool_calls", "6+3(0)"}},
		{"a call cut by max_tokens", mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice, r.MaxTokens = []llm.Tool{clock}, &llm.ToolChoice{Mode: llm.ToolRequired}, new(2)
		}, []string{`0.0 call_clock("")`, `0.0 ("{")`, "0.0 length", "6+2(0)"}},
		{"tools are not called by themselves", mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.MaxTokens = []llm.Tool{clock}, new(1)
		}, []string{`0.0 "one"`, "0.0 length", "6+1(0)"}},
		{"tools are called by themselves where the options say so", mock.Options{ToolChoiceAuto: true}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{clock}, &llm.ToolChoice{Mode: llm.ToolAuto}
		}, []string{`0.0 call_clock("")`, `0.0 ("{")`, `0.0 ("}")`, "0.0 tool_calls", "6+3(0)"}},
		{"tool_choice none goes before the options", mock.Options{ToolChoiceAuto: true}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice, r.MaxTokens = []llm.Tool{clock}, &llm.ToolChoice{Mode: llm.ToolNone}, new(1)
		}, []string{`0.0 "one"`, "0.0 length", "6+1(0)"}},
		{"once the tool has answered the loop ends", mock.Options{ToolChoiceAuto: true}, func(r *llm.ChatRequest) {
			r.Tools = []llm.Tool{clock}
			r.Messages = []llm.Message{
				user("time?"),
				{Role: llm.Assistant, Parts: []llm.Part{llm.ToolCall{ID: "c1", Name: "clock", Arguments: llm.NewText("{}")}}},
				{Role: llm.ToolRole, Parts: []llm.Part{llm.ToolResult{CallID: "c1", Content: []llm.Part{llm.NewText("noon")}}}},
			}
		}, []string{`0.0 "time"`, `0.0 "?"`, "0.0 stop", "15+2(0)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := say("one two three")
			c.request(r)
			got := pieces(t, mock.New(c.options).Chat(t.Context(), r))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheDefaultOfCountIs4096Tokens(t *testing.T) {
	t.Parallel()
	r := say("go")
	r.Stream = false
	got, err := mock.New(mock.Options{Behaviour: mock.Count}).Chat(t.Context(), r).Collect()
	if err != nil {
		t.Fatal(err)
	}
	if got.Usage.Completion != 4096 || got.Choices[0].Finish != llm.FinishLength {
		t.Errorf("got %+v, %s", got.Usage, got.Choices[0].Finish)
	}
	if text := got.Choices[0].Parts[0].(llm.Text).String(); !strings.HasSuffix(text, " 4095 4096") {
		t.Errorf("ends with %q", text[len(text)-20:])
	}
}

func TestLogprobsAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	r := say("é !")
	r.Stream, r.Logprobs, r.TopLogprobs = false, true, new(2)
	got, err := mock.New(mock.Options{}).Chat(t.Context(), r).Collect()
	if err != nil {
		t.Fatal(err)
	}
	token := func(text string) llm.TokenLogprob {
		own := llm.TokenLogprob{Token: text, Logprob: -0.1, Bytes: []byte(text)}
		own.Top = []llm.TokenLogprob{{Token: text, Logprob: -0.1, Bytes: []byte(text)}, {Token: "~1", Logprob: -4, Bytes: []byte("~1")}}
		return own
	}
	want := []llm.TokenLogprob{token("é"), token(" "), token("!")}
	if diff := cmp.Diff(want, got.Choices[0].Logprobs); diff != "" {
		t.Error(diff)
	}
}

func TestCallsHaveIdentifiersThatDependOnTheRequestAlone(t *testing.T) {
	t.Parallel()
	id := func(text string) string {
		r := say(text)
		r.Tools, r.ToolChoice = []llm.Tool{{Name: "f"}}, &llm.ToolChoice{Mode: llm.ToolRequired}
		got, err := mock.New(mock.Options{}).Chat(t.Context(), r).Collect()
		if err != nil {
			t.Fatal(err)
		}
		return got.Choices[0].Parts[0].(llm.ToolCall).ID
	}
	if a, b := id("x"), id("x"); a != b || len(a) != len("call_")+24 {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := id("x"), id("y"); a == b {
		t.Errorf("both are %q", a)
	}
}

func TestCompletionsEchoThePrompt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options mock.Options
		request llm.CompleteRequest
		want    []string
	}{
		{"one prompt", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a b")}}, []string{`0.0 "a"`, `0.0 " b"`, "0.0 stop", "2+2(0)"}},
		{"prompts times n in order", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a"), llm.NewText("b c")}, N: new(2)}, []string{
			`0.0 "a"`, `1.0 "a"`, `2.0 "b"`, `3.0 "b"`, "0.0 stop", "1.0 stop", `2.0 " c"`, `3.0 " c"`, "2.0 stop", "3.0 stop", "3+6(0)",
		}},
		{"token ids are numbers", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.Tokens{5, 17}}}, []string{`0.0 "5"`, `0.0 " 17"`, "0.0 stop", "2+2(0)"}},
		{"limits", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a b")}, Sampling: llm.Sampling{MaxTokens: new(1)}}, []string{`0.0 "a"`, "0.0 length", "2+1(0)"}},
		{"stop", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a b")}, Sampling: llm.Sampling{Stop: []string{"b"}}}, []string{`0.0 "a"`, `0.0 " "`, "0.0 stop", "2+2(0)"}},
		{"echo puts the prompt first and does not count it", mock.Options{}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a b")}, Echo: true, Sampling: llm.Sampling{MaxTokens: new(1)}}, []string{`0.0 "a b"`, `0.0 "a"`, "0.0 length", "2+1(0)"}},
		{"count", mock.Options{Behaviour: mock.Count}, llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a")}, Sampling: llm.Sampling{MaxTokens: new(2)}}, []string{`0.0 "1"`, `0.0 " 2"`, "0.0 length", "1+2(0)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.request.Stream = true
			got := pieces(t, mock.New(c.options).Complete(t.Context(), &c.request))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheFirstTokenOfAnEchoedPromptHasNoLogprob(t *testing.T) {
	t.Parallel()
	r := &llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a b")}, Echo: true, Logprobs: new(0), Sampling: llm.Sampling{MaxTokens: new(0)}}
	got, err := mock.New(mock.Options{}).Complete(t.Context(), r).Collect()
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.TokenLogprob{{Token: "a", Logprob: math.NaN(), Bytes: []byte("a")}, {Token: " b", Logprob: -0.1, Bytes: []byte(" b")}}
	if diff := cmp.Diff(want, got.Choices[0].Logprobs, sameReply); diff != "" {
		t.Error(diff)
	}
}

func TestEmbeddingsAreUnitVectors(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Options{Name: "e", Behaviour: mock.Embedding, Dimensions: 16})
	embed := func(dimensions *int, kind llm.InputType, items ...llm.Input) *llm.EmbedReply {
		r, err := m.Embed(t.Context(), &llm.EmbedRequest{Items: items, Dimensions: dimensions, InputType: kind})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	got := embed(nil, "", llm.NewText("a b"), llm.NewText("c"), llm.Tokens{1, 2, 3})
	if got.Model != "e" || len(got.Vectors) != 3 {
		t.Fatalf("got %+v", got)
	}
	if diff := cmp.Diff(&llm.Usage{Prompt: 6}, got.Usage); diff != "" {
		t.Error(diff)
	}
	for i, v := range got.Vectors {
		if n := math.Sqrt(dot(v, v)); len(v) != 16 || math.Abs(n-1) > 1e-6 {
			t.Errorf("vector %d: %d numbers of length %v", i, len(v), n)
		}
	}
	if c := dot(got.Vectors[0], got.Vectors[1]); c > 0.9 {
		t.Errorf("different texts are alike: %v", c)
	}
	again := embed(nil, llm.InputQuery, llm.NewText("a b"), llm.NewText("1 2 3"))
	if diff := cmp.Diff([][]float32{got.Vectors[0], got.Vectors[2]}, again.Vectors); diff != "" {
		t.Errorf("the same text twice: %s", diff)
	}
	short := embed(new(4), "", llm.NewText("a b")).Vectors[0]
	scale := float64(got.Vectors[0][0] / short[0])
	for i := range short {
		if len(short) != 4 || math.Abs(float64(short[i])*scale-float64(got.Vectors[0][i])) > 1e-6 {
			t.Errorf("four dimensions are not the first four: %v of %v", short, got.Vectors[0])
		}
	}
	if n := len(embed(new(3072), "", llm.NewText("x")).Vectors[0]); n != 3072 {
		t.Errorf("%d dimensions", n)
	}
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestModelsSayWhatTheyDo(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[mock.Behaviour][]llm.Operation{
		"":             {llm.OpChat, llm.OpComplete},
		mock.Echo:      {llm.OpChat, llm.OpComplete},
		mock.Count:     {llm.OpChat, llm.OpComplete},
		mock.Reasoning: {llm.OpChat},
		mock.Embedding: {llm.OpEmbed},
	} {
		infos, err := mock.New(mock.Options{Name: "m", Behaviour: behaviour}).Models(t.Context())
		if err != nil || len(infos) != 1 {
			t.Fatalf("%v, %v", infos, err)
		}
		if diff := cmp.Diff(want, infos[0].Operations); diff != "" {
			t.Errorf("%s: %s", behaviour, diff)
		}
		if infos[0].Deployment != "m" || infos[0].Provider != "mock" || infos[0].Publisher == "" || infos[0].Model != "m" {
			t.Errorf("%+v", infos[0])
		}
	}
}

func TestPromptsEachHaveTheWholeContext(t *testing.T) {
	t.Parallel()
	half := llm.NewText(strings.Repeat("!", mock.Context-2))
	got, err := mock.New(mock.Options{Behaviour: mock.Count}).Complete(t.Context(), &llm.CompleteRequest{Prompts: []llm.Input{half, half}}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.Choice{
		{Parts: []llm.Part{llm.NewText("1 2")}, Finish: llm.FinishLength},
		{Index: 1, Parts: []llm.Part{llm.NewText("1 2")}, Finish: llm.FinishLength},
	}
	if d := cmp.Diff(want, got.Choices, sameReply); d != "" || got.Usage.Prompt != 2*(mock.Context-2) {
		t.Errorf("%+v: %s", got.Usage, d)
	}
}

func TestAChoiceSaysThatTheFilterWasDown(t *testing.T) {
	t.Parallel()
	const want = `{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}`
	m := mock.New(mock.Options{})
	for text, said := range map[string]string{"a mock:no-filter b": want, "a b": ""} {
		chat, err := m.Chat(t.Context(), say(text)).Collect()
		if err != nil {
			t.Fatal(err)
		}
		completion, err := m.Complete(t.Context(), &llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("x"), llm.NewText(text)}}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range append(chat.Choices, completion.Choices...) {
			if got := string(c.Extra["content_filter_result"]); got != said {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
}
