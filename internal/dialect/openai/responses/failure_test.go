package responses_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/openai/responses"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAnErrorBeforeTheAnswerIsAnOrdinaryOne(t *testing.T) {
	upstream := &llm.Error{Kind: llm.Unsupported, Param: "messages", Message: "No 'messages' today.", Backend: "b"}
	for _, body := range []string{hi, hiStreamed} {
		if got := ask(t, api(&script.Model{Err: upstream}, nil), "POST /v1/responses", body); got != "unsupported input: No 'input' today." {
			t.Errorf("got %s", got)
		}
		if got := ask(t, api(&script.Model{}, nil), "POST /v1/responses", body); got != "upstream : The model gave no answer." {
			t.Errorf("got %s", got)
		}
	}
	if got := ask(t, api(says("Hi"), nil), "POST /v1/responses", `{"model":"nobody","input":"Hi"}`); got != "unknown_model model: There is no nobody." {
		t.Errorf("got %s", got)
	}
}

func TestAFailureInAStreamIsToldAndBreaksTheConnection(t *testing.T) {
	// failure is the response that failed after a text.
	failure := func(code, message string) string {
		r := strings.Replace(response("failed", said(0, "incomplete", "Hi"), "null"), `"error":null`, `"error":{"code":"`+code+`","message":"`+message+`"}`, 1)
		begun := textEvents(0, "", "Hi", "Hi")[:6]
		return all(opened(), begun, []string{"response.failed", `"response":` + r}) + "<broken>"
	}
	for name, c := range map[string]struct {
		fragments []*llm.Reply
		err       error
		want      string
	}{
		"of the model": {
			[]*llm.Reply{text(0, "Hi")}, &llm.Error{Kind: llm.Upstream, Message: "It fell over.", Backend: "b"}, failure("server_error", "It fell over."),
		},
		"for a limit": {
			[]*llm.Reply{text(0, "Hi")}, &llm.Error{Kind: llm.RateLimited, Message: "Too much.", Backend: "b"}, failure("rate_limit_exceeded", "Too much."),
		},
		"for the prompt": {
			[]*llm.Reply{text(0, "Hi")}, &llm.Error{Kind: llm.Filtered, Message: "Not this.", Backend: "b"}, failure("invalid_prompt", "Not this."),
		},
		"of ours": {
			[]*llm.Reply{text(0, "Hi")}, errors.New("secret"), failure("server_error", "Internal error. The log has more under the id "),
		},
		"of the order of parts": {
			[]*llm.Reply{text(0, "Hi"), call(0, "c", "f", "")}, nil, failure("server_error", "The model's answer was malformed: a part that changes its kind."),
		},
		"of too many parts": {
			[]*llm.Reply{text(0, "Hi"), text(2000, "Hi")}, nil, failure("server_error", "The model's answer was malformed: too many parts."),
		},
		"without a word": {
			[]*llm.Reply{text(0, "Hi")}, &llm.Error{Kind: llm.Upstream, Code: llm.CodeCut, Message: "Cut."}, all(opened(), textEvents(0, "", "Hi", "Hi")[:6]) + "<broken>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := ask(t, api(&script.Model{Fragments: c.fragments, Err: c.err}, nil), "POST /v1/responses", hiStreamed)
				if before, after, ok := strings.Cut(got, "under the id "); ok { // the id of a request is random
					_, after, _ = strings.Cut(after, `."`)
					got = before + "under the id " + `"` + after
				}
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		})
	}
}

func TestAnAnswerWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	big := text(0, strings.Repeat("x", 1<<20))
	s := &script.Model{}
	for range 80 {
		s.Fragments = append(s.Fragments, big)
	}
	if got := ask(t, api(s, nil), "POST /v1/responses", hi); got != "upstream : The model's answer was malformed: it has no end." {
		t.Errorf("got %.200s", got)
	}
}

func TestLogProbabilitiesComeWhereTheyAreAskedFor(t *testing.T) {
	p := func(token string) []llm.TokenLogprob {
		return []llm.TokenLogprob{{Token: token, Logprob: -0.5, Top: []llm.TokenLogprob{{Token: "x", Logprob: -1, Bytes: []byte{120}}}}}
	}
	s := &script.Model{Fragments: []*llm.Reply{
		{Choices: []llm.Choice{{Parts: []llm.Part{llm.Reasoning{Text: llm.NewText("Hm")}}, Logprobs: p("Hm")}}},
		{Choices: []llm.Choice{{Logprobs: p("?")}}},
		{Choices: []llm.Choice{{At: 1, Parts: []llm.Part{llm.NewText("H")}, Logprobs: p("H")}}},
		{Choices: []llm.Choice{{Logprobs: p("i")}}},
		{Choices: []llm.Choice{{At: 1, Parts: []llm.Part{llm.NewText("i")}, Logprobs: p("i")}}},
		{Choices: []llm.Choice{{Logprobs: p("!")}}},
		end(llm.FinishStop),
	}}
	one := func(token, code string) string {
		return `{"token":"` + token + `","logprob":-0.5,"bytes":[` + code + `],"top_logprobs":[{"token":"x","logprob":-1,"bytes":[120]}]}`
	}
	whole := "[" + one("H", "72") + "," + one("i", "105") + "," + one("i", "105") + "," + one("!", "33") + "]"
	synctest.Test(t, func(t *testing.T) {
		const wish = `,"include":["message.output_text.logprobs"],"top_logprobs":1}`
		got := ask(t, api(s, nil), "POST /v1/responses", strings.TrimSuffix(hi, "}")+wish)
		if !strings.Contains(got, `"text":"Hi","annotations":[],"logprobs":`+whole+`}`) {
			t.Errorf("got %s", got)
		}
		got = ask(t, api(s, nil), "POST /v1/responses", strings.TrimSuffix(hiStreamed, "}")+wish)
		for _, part := range []string{
			`"delta":"H","logprobs":[` + one("H", "72") + `]}`, `"delta":"i","logprobs":[` + one("i", "105") + "," + one("i", "105") + `]}`, `"delta":"","logprobs":[` + one("!", "33") + `]}`,
			`"text":"Hi","logprobs":` + whole + `}`, `"text":"Hi","annotations":[],"logprobs":` + whole + `}`,
		} {
			if !strings.Contains(got, part) {
				t.Errorf("%s is not in %s", part, got)
			}
		}
		if got = ask(t, api(s, nil), "POST /v1/responses", hiStreamed); strings.Contains(got, "token\":") {
			t.Errorf("got %s", got)
		}
	})
}

func TestThoughtsAreHiddenWhereTheOperatorHidesThem(t *testing.T) {
	s := &script.Model{Fragments: []*llm.Reply{thought(0, "Hm"), text(1, "Hi"), end(llm.FinishStop)}}
	hidden := func(o *responses.Options) { o.Reasoning = llm.ReasoningHidden }
	synctest.Test(t, func(t *testing.T) {
		if d := cmp.Diff(response("completed", said(0, "completed", "Hi"), usage), ask(t, api(s, nil, hidden), "POST /v1/responses", hi)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

func TestWhatIsNotObeyedIsSaid(t *testing.T) {
	s := says("Hi")
	s.Fragments[0].Meta = llm.Meta{Deployment: "echo", Provider: "mock", Attempts: 2, Dropped: []string{"store", "response_format"}}
	kept := api(s, store(t))
	_, h := exchange(t, kept, "GET /v1/responses/"+create(t, kept, hi), "")
	if got := h.Get("X-Ingot-Dropped") + "|" + h.Get("X-Ingot-Attempts"); got != "store, text.format|2" {
		t.Errorf("later: got %s", got)
	}
	for _, body := range []string{hi, hiStreamed} {
		_, h := exchange(t, api(s, nil), "POST /v1/responses", strings.TrimSuffix(body, "}")+`,"store":true,"truncation":"auto"}`)
		if got := h.Get("X-Ingot-Dropped") + "|" + h.Get("X-Ingot-Attempts"); got != "store, text.format|2" {
			t.Errorf("got %s", got)
		}
		if got := strings.Join(s.Last().Dropped, " "); got != "truncation store" {
			t.Errorf("the backend was told %s", got)
		}
	}
}

func TestTheHeaderOfExtraParametersIsHeeded(t *testing.T) {
	body := `{"model":"echo","input":"Hi","foo":1}`
	s := says("Hi")
	for value, want := range map[string]string{
		"":             "unknown_parameter foo: Unknown parameter: 'foo'. The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.",
		"error":        "unknown_parameter foo: Unknown parameter: 'foo'. The header extra-parameters: drop leaves out what is unknown, and pass-through hands it to the model.",
		"drop":         "foo||true",
		"pass-through": "|1|false",
		"ignore":       "unknown_parameter extra-parameters: Unexpected EXTRA_PARAMETERS option ignore, expected options are ['error', 'drop', 'pass-through']",
	} {
		got := ask(t, api(s, nil), "POST /v1/responses", body, "Extra-Parameters: "+value)
		if strings.HasPrefix(got, `{"id"`) {
			r := s.Last()
			got = strings.Join(r.Dropped, " ") + "|" + string(r.Extra["foo"]) + "|" + map[bool]string{true: "true", false: "false"}[r.MayDrop]
		}
		if got != want {
			t.Errorf("%s: got %s", value, got)
		}
	}
	ask(t, api(s, nil, func(o *responses.Options) { o.IgnoreUnknown = true }), "POST /v1/responses", body)
	if got := strings.Join(s.Last().Dropped, " "); got != "foo" {
		t.Errorf("got %s", got)
	}
}
