package engine_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestUsageCountsEachPromptOnceAndEveryChoice(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	for name, c := range map[string]struct {
		stream llm.Stream
		want   llm.Usage
	}{
		"one chat":             {m.Chat(t.Context(), chat("x")), llm.Usage{Prompt: 5, Completion: 2, Cached: 2}},
		"a chat with n 3":      {m.Chat(t.Context(), with(chat("x"), func(r *llm.ChatRequest) { r.N = new(3) })), llm.Usage{Prompt: 5, Completion: 6, Cached: 2}},
		"three prompts":        {m.Complete(t.Context(), complete(1, "a", "b", "c")), llm.Usage{Prompt: 15, Completion: 6, Cached: 6}},
		"two prompts with n 2": {m.Complete(t.Context(), complete(2, "a", "b")), llm.Usage{Prompt: 10, Completion: 8, Cached: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			r := collect(t, c.stream)
			if diff := cmp.Diff(&c.want, r.Usage); diff != "" {
				t.Error(diff)
			}
			for i := range r.Choices {
				if got := textOf(t, r, i); got != "one two" {
					t.Errorf("choice %d says %q", i, got)
				}
			}
			if len(r.Choices)*2 != r.Usage.Completion {
				t.Errorf("%d choices", len(r.Choices))
			}
		})
	}
}

func TestAConnectionThatTheChildShutsWithoutAWordIsNotUsedAgain(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	const many = 3000
	r := collect(t, m.Chat(t.Context(), with(chat("part"), func(r *llm.ChatRequest) { r.N = new(many) })))
	if len(r.Choices) != many {
		t.Errorf("%d choices", len(r.Choices))
	}
}

func with(r *llm.ChatRequest, change func(*llm.ChatRequest)) *llm.ChatRequest {
	change(r)
	return r
}

func complete(n int, prompts ...string) *llm.CompleteRequest {
	r := &llm.CompleteRequest{N: &n}
	for _, p := range prompts {
		r.Prompts = append(r.Prompts, llm.NewText(p))
	}
	return r
}

func TestWhatIsSpentIsToldWithEveryToken(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	var last llm.Usage
	for f, err := range m.Complete(t.Context(), complete(2, "a")) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Spent == nil {
			continue
		}
		if f.Spent.Completion <= last.Completion || f.Spent.Prompt != 5 {
			t.Errorf("%+v after %+v", *f.Spent, last)
		}
		last = *f.Spent
	}
	if want := (llm.Usage{Prompt: 5, Completion: 4, Cached: 2}); last != want {
		t.Errorf("at the end %+v, want %+v", last, want)
	}
}

func TestNothingOfTheChildsOwnReachesTheCaller(t *testing.T) {
	p := pool(t, 0)
	for _, s := range []engine.Settings{local("m"), command("m")} {
		m := p.Model(s)
		for f, err := range m.Chat(t.Context(), chat("x")) {
			if err != nil {
				t.Fatal(err)
			}
			if f.ID != "" || f.Model != "public-m" || !f.Created.IsZero() || f.Extra != nil || f.Source.Body != nil {
				t.Errorf("got %+v", f)
			}
		}
		r, err := m.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a")}})
		if err != nil || r.Model != "public-m" || r.ID != "" {
			t.Errorf("got %+v, %v", r, err)
		}
		_, err = m.Chat(t.Context(), chat("path")).Collect()
		if e := llm.AsError(err); strings.Contains(e.Message, "folder") && s.Spec.Engine.Kind != process.Command {
			t.Errorf("the error says %q", e.Message)
		}
	}
}

func TestTheChildGetsWhatTheRequestSays(t *testing.T) {
	p := pool(t, 0)
	s := local("m")
	s.System = "Be kind."
	m := p.Model(s)
	ask := func(r *llm.ChatRequest) request {
		t.Helper()
		return echoed(t, collect(t, m.Chat(t.Context(), r)), 0)
	}

	got := ask(chat("echo"))
	if diff := cmp.Diff([]turn{{"system", "Be kind."}, {"user", "echo"}}, got.Messages); diff != "" {
		t.Errorf("without a system prompt: %s", diff)
	}
	if !got.Timings || !got.Stream || got.Model != "" || got.N != nil || got.Seed != nil {
		t.Errorf("got %+v", got)
	}
	for _, role := range []llm.Role{llm.System, llm.Developer} {
		r := chat("echo")
		r.Messages = append([]llm.Message{message(role, "Be brief.")}, r.Messages...)
		if diff := cmp.Diff([]turn{{"system", "Be brief."}, {"user", "echo"}}, ask(r).Messages); diff != "" {
			t.Errorf("with a message of role %s: %s", role, diff)
		}
		if r.Messages[0].Role != role || r.Stream || r.UsageChunk || r.Extra != nil {
			t.Errorf("the caller's request was changed: %+v", r)
		}
	}
	r := chat("echo")
	r.Extra.Keep("top_k", []byte("7"))
	if got := ask(r); got.TopK != 7 {
		t.Errorf("an extra member was lost: %+v", got)
	}
	if len(r.Extra) != 1 {
		t.Errorf("the caller's extra members were changed: %v", r.Extra)
	}
}

func TestATemperatureTooSmallForTheServerIsNone(t *testing.T) {
	p := pool(t, 0)
	for asked, want := range map[float64]float64{0: 0, math.SmallestNonzeroFloat32: 0, 1e-38: 0, 1e-5: 1e-5, 0.7: 0.7} {
		r := with(chat("echo"), func(r *llm.ChatRequest) { r.Temperature = &asked })
		c := complete(1, "echo")
		c.Temperature = &asked
		before := asked
		for name, x := range map[string]struct {
			stream llm.Stream
			want   float64
		}{
			"chat":                   {p.Model(local("m")).Chat(t.Context(), r), want},
			"completion":             {p.Model(local("m")).Complete(t.Context(), c), want},
			"chat of another server": {p.Model(command("m")).Chat(t.Context(), r), asked},
		} {
			if got := echoed(t, collect(t, x.stream), 0).Temperature; got == nil || *got != x.want {
				t.Errorf("%s: of %v became %s", name, asked, cmp.Diff(&x.want, got))
			}
		}
		if asked != before {
			t.Error("the caller's request was changed")
		}
	}
}

func TestAServerOfTheUsersGetsItsOwnModelNameAndRoles(t *testing.T) {
	m := pool(t, 0).Model(command("m"))
	r := chat("echo")
	r.Messages = append([]llm.Message{message(llm.Developer, "Be brief.")}, r.Messages...)
	got := echoed(t, collect(t, m.Chat(t.Context(), r)), 0)
	if got.Model != "remote-m" || got.Messages[0].Role != "developer" || got.Timings {
		t.Errorf("got %+v", got)
	}
}

func TestEveryChoiceHasASeedOfItsOwn(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	r := with(chat("echo"), func(r *llm.ChatRequest) { r.N, r.Seed = new(3), new(int64(40)) })
	reply := collect(t, m.Chat(t.Context(), r))
	c := complete(2, "echo", "echo")
	c.Seed = new(int64(40))
	both := collect(t, m.Complete(t.Context(), c))
	for i, want := range []int64{40, 41, 42} {
		if got := echoed(t, reply, i); got.Seed == nil || *got.Seed != want {
			t.Errorf("choice %d of a chat: %+v", i, got)
		}
	}
	for i, want := range []int64{40, 41, 40, 41} {
		if got := echoed(t, both, i); got.Seed == nil || *got.Seed != want || got.N != nil {
			t.Errorf("choice %d of completions: %+v", i, got)
		}
	}
}

func TestMaxTokensZeroCountsWithoutGenerating(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	r := with(chat("die of this"), func(r *llm.ChatRequest) { r.MaxTokens, r.N = new(0), new(2) })
	c := complete(2, "die", "die of this")
	c.MaxTokens = new(0)
	for name, x := range map[string]struct {
		stream  llm.Stream
		prompt  int
		choices int
	}{
		"chat":        {m.Chat(t.Context(), r), 6, 2}, // with the template around it
		"completions": {m.Complete(t.Context(), c), 4, 4},
	} {
		reply := collect(t, x.stream)
		if len(reply.Choices) != x.choices || *reply.Usage != (llm.Usage{Prompt: x.prompt}) {
			t.Errorf("%s: got %+v", name, reply)
		}
		for _, c := range reply.Choices {
			if c.Finish != llm.FinishLength || len(c.Parts) > 0 {
				t.Errorf("%s: got %+v", name, c)
			}
		}
	}
}

func TestEmbeddings(t *testing.T) {
	p := pool(t, 0)
	s := local("m")
	s.Info.Dimensions = 4
	s.Embedding = engine.Embedding{QueryPrefix: "query: ", DocumentPrefix: "passage: ", MaxTokens: 10}
	plain := p.Model(s)
	s.Embedding.Matryoshka = true
	nested := p.Model(s)
	texts := func(in ...string) *llm.EmbedRequest {
		r := &llm.EmbedRequest{}
		for _, i := range in {
			r.Items = append(r.Items, llm.NewText(i))
		}
		return r
	}
	embed := func(m *engine.Model, r *llm.EmbedRequest) *llm.EmbedReply {
		t.Helper()
		got, err := m.Embed(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	t.Run("prefixes by input type", func(t *testing.T) {
		for kind, want := range map[llm.InputType]float32{"": 1, llm.InputText: 1, llm.InputQuery: 8, llm.InputDocument: 10} {
			r := texts("a")
			r.InputType = kind
			if got := embed(plain, r).Vectors[0][0]; got != want {
				t.Errorf("%q: the child got %v bytes, want %v", kind, got, want)
			}
		}
	})
	t.Run("many items in several calls, in order", func(t *testing.T) {
		var in []string
		for i := range 40 {
			in = append(in, strings.Repeat("x", i%7+1))
		}
		got := embed(plain, texts(in...))
		if got.Usage.Prompt != 40 || len(got.Vectors) != 40 {
			t.Fatalf("%d vectors, %+v", len(got.Vectors), got.Usage)
		}
		for i, v := range got.Vectors {
			if int(v[0]) != i%7+1 || v[1] > 16 {
				t.Errorf("vector %d is %v", i, v)
			}
		}
	})
	t.Run("fewer dimensions", func(t *testing.T) {
		r := texts("abc")
		r.Dimensions = new(2)
		got := embed(nested, r).Vectors[0]
		if len(got) != 2 || got[0]*got[0]+got[1]*got[1] < 0.999 || got[0]*got[0]+got[1]*got[1] > 1.001 || got[0]/got[1] < 2.999 {
			t.Errorf("got %v, want 3:1 of length 1", got)
		}
		for m, dims := range map[*engine.Model]int{plain: 2, nested: 5} {
			r.Dimensions = &dims
			_, err := m.Embed(t.Context(), r)
			if e := llm.AsError(err); e.Kind != llm.Invalid || e.Param != "dimensions" {
				t.Errorf("%d: %+v", dims, e)
			}
		}
		r.Dimensions = new(4)
		if got := embed(plain, r).Vectors[0]; len(got) != 4 || got[0] != 3 {
			t.Errorf("the model's own number: %v", got)
		}
	})
	t.Run("too long", func(t *testing.T) {
		_, err := plain.Embed(t.Context(), texts("a", strings.Repeat("w ", 11)))
		e := llm.AsError(err)
		if e.Kind != llm.TooLong || e.Param != "input" || !strings.Contains(e.Message, "input[1]") || !strings.Contains(e.Message, "10 tokens") || !strings.Contains(e.Message, "11 tokens") {
			t.Errorf("got %+v", e)
		}
		r := &llm.EmbedRequest{Items: []llm.Input{make(llm.Tokens, 11)}}
		if _, err := plain.Embed(t.Context(), r); llm.AsError(err).Kind != llm.TooLong {
			t.Errorf("tokens: %v", err)
		}
	})
	t.Run("a vector that is missing", func(t *testing.T) {
		if _, err := plain.Embed(t.Context(), texts("a", "none")); llm.AsError(err).Kind != llm.Upstream {
			t.Errorf("got %v", err)
		}
	})
}

func TestErrorsOfTheChildInTheWordsOfTheContract(t *testing.T) {
	s := local("m")
	s.First, s.Silence = 400*time.Millisecond, 200*time.Millisecond
	m := pool(t, 0).Model(s)
	collect(t, m.Chat(t.Context(), chat("x")))
	for name, c := range map[string]struct {
		text string
		kind llm.Kind
		says []string
	}{
		"a prompt that is too long": {"long", llm.TooLong, []string{"64 tokens", "99 tokens"}},
		"a message with a path":     {"path", llm.Upstream, []string{"refused"}},
		"death in mid-answer":       {"die", llm.Upstream, []string{"'m'", "code 3", "started again"}},
		"silence in mid-answer":     {"silent", llm.Timeout, []string{"200ms"}},
		"silence from the start":    {"mute", llm.Timeout, []string{"400ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.Chat(t.Context(), chat(c.text)).Collect()
			e := llm.AsError(err)
			if e.Kind != c.kind {
				t.Errorf("kind %d: %v", e.Kind, err)
			}
			for _, s := range c.says {
				if !strings.Contains(e.Message, s) {
					t.Errorf("%q does not say %q", e.Message, s)
				}
			}
			if strings.Contains(e.Message, "folder") {
				t.Errorf("%q names a folder", e.Message)
			}
			collect(t, m.Chat(t.Context(), chat("x"))) // it answers again
		})
	}
	if s, _ := m.State(); s.Starts != 4 {
		t.Errorf("%d starts, want one, and one after each of three ends", s.Starts)
	}
}

func TestAnOperationThatTheModelDoesNotDo(t *testing.T) {
	s := local("m")
	s.Info.Operations = nil
	m := pool(t, 0).Model(s)
	_, embed := m.Embed(t.Context(), &llm.EmbedRequest{})
	_, chats := m.Chat(t.Context(), chat("x")).Collect()
	_, completes := m.Complete(t.Context(), complete(1, "x")).Collect()
	for _, err := range []error{embed, chats, completes} {
		if llm.AsError(err).Kind != llm.NoOperation {
			t.Errorf("got %v", err)
		}
	}
}

func TestAMemberBeyondTheContractIsChecked(t *testing.T) {
	s := local("m")
	s.Info.Context = 2048
	m := pool(t, 0).Model(s)
	for member, want := range map[string]string{
		`top_k: "a"`: "float_type", `top_k: 1.5`: "int_type", `top_k: -2`: "greater_than_equal", `top_k: 1e30`: "less_than_equal",
		`min_p: 1.1`: "less_than_equal", `min_p: {}`: "float_type", `repeat_penalty: 0`: "greater_than_equal",
		`repeat_last_n: 2049`: "less_than_equal", `dry_penalty_last_n: 2000000000`: "less_than_equal", `dry_allowed_length: -1`: "greater_than_equal",
		`cache_prompt: 1`: "bool_type", `mirostat: 3`: "less_than_equal", `xtc_threshold: 1e999`: "less_than_equal",
		`top_k: 40`: "", `top_k: null`: "", `repeat_last_n: 2048`: "", `repeat_last_n: -1`: "", `cache_prompt: true`: "", `repetition_penalty: 1.1`: "",
	} {
		name, value, _ := strings.Cut(member, ": ")
		extra := llm.Extra{name: []byte(value)}
		r, c := chat("x"), complete(1, "x")
		r.Extra, c.Extra = extra, extra
		_, chats := m.Chat(t.Context(), r).Collect()
		_, completes := m.Complete(t.Context(), c).Collect()
		for _, err := range []error{chats, completes} {
			got := ""
			if err != nil {
				e := llm.AsError(err)
				if e.Kind != llm.Invalid || len(e.Details) != 1 || e.Param != name {
					t.Fatalf("%s: %v", member, err)
				}
				got = e.Details[0].Type
			}
			if got != want {
				t.Errorf("%s: %q, want %q", member, got, want)
			}
		}
	}
}

func TestTokenIDsThatTheModelDoesNotHaveAreNamed(t *testing.T) {
	m := pool(t, 0).Model(local("m"))
	r := complete(1, "x")
	r.Prompts = []llm.Input{llm.Tokens{5, 9999}}
	_, completes := m.Complete(t.Context(), r).Collect()
	_, embeds := m.Embed(t.Context(), &llm.EmbedRequest{Items: r.Prompts})
	if _, err := m.Complete(t.Context(), complete(1, "long")).Collect(); llm.AsError(err).Kind != llm.TooLong || llm.AsError(err).Param != "prompt" {
		t.Errorf("a long prompt: %+v", err)
	}
	const told = "Prompt contains invalid tokens: token ids are of the model's own vocabulary, which is not that of OpenAI's; send the text"
	for member, err := range map[string]error{"prompt": completes, "input": embeds} {
		e := llm.AsError(err)
		if err == nil || e.Kind != llm.Invalid || e.Param != member || e.Message != told+"." || len(e.Details) != 1 || e.Details[0].Msg != told {
			t.Errorf("%s: %+v", member, e)
		}
	}
}

func TestAnEmptyPromptBeginsAText(t *testing.T) {
	s := local("m")
	s.Empty = "echo <|endoftext|>"
	m := pool(t, 0).Model(s)
	r := complete(1, "x")
	r.Prompts = []llm.Input{llm.NewText("")}
	if got := collect(t, m.Complete(t.Context(), r)).Choices[0].Parts[0].(llm.Text).String(); !strings.Contains(got, "endoftext") { //nolint:forcetypeassert // a text completion's
		t.Errorf("the child got %s", got)
	}
}
