package door

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// provoke makes one error of each kind that every endpoint has.
func provoke(t *check.T) []*check.Answer {
	list := []*check.Answer{
		t.Send(http.MethodPost, chatPath, "{"),
		t.Send(http.MethodPost, "/no/such/route", plainChat),
		t.Send(http.MethodGet, chatPath, ""),
		t.Chat(check.M{"temperature": 3}),
		t.Chat(check.M{"no_such_member": 1}),
	}
	if t.Key != "" {
		list = append(list, t.Chat(nil, check.NoKey))
	}
	return list
}

// eachError looks at each of those that is an error.
func eachError(look func(t *check.T, a *check.Answer)) func(t *check.T) {
	return func(t *check.T) {
		seen := false
		for _, a := range provoke(t) {
			if a.Status() >= http.StatusBadRequest {
				look(t, a)
				seen = true
			}
		}
		if !seen {
			t.Fault("nothing that is wrong was answered with an error")
		}
	}
}

func refusals() []check.Check {
	return check.For(check.Chat, []check.Check{
		{
			Name: "errors/object", Section: "7.2",
			Requires: "Every error's body is JSON whose `error` is an object.",
			Breaks:   "azure-core for Python cannot parse a string there and hides the text; JavaScript samples throw it.",
			Run:      eachError(func(_ *check.T, a *check.Answer) { a.JSON().At("error").Object() }),
		},
		{
			Name: "errors/code", Section: "7.2",
			Requires: "error.code is a string that is not empty.",
			Breaks:   ".NET's RequestFailedException.ErrorCode, and str(e) in Python, which begins with it.",
			Run:      eachError(func(_ *check.T, a *check.Answer) { a.JSON().At("error", "code").NonEmpty() }),
		},
		{
			Name: "errors/message", Section: "7.2",
			Requires: "error.message is a string that is not empty.",
			Breaks:   "Every SDK: users see no more than `Operation returned an invalid status`.",
			Run:      eachError(func(_ *check.T, a *check.Answer) { a.JSON().At("error", "message").NonEmpty() }),
		},
		{
			Name: "errors/details", Section: "7.2",
			Requires: "error.details is a list or not there, and its entries have code and message as strings.",
			Breaks:   "azure-core for Python iterates it, and drops entries without code and message.",
			Run: eachError(func(_ *check.T, a *check.Answer) {
				d := a.JSON().At("error").Maybe("details")
				if !d.Exists() || d.Null() {
					return
				}
				for _, e := range d.List() {
					e.At("code").NonEmpty()
					e.At("message").NonEmpty()
				}
			}),
		},
		{
			Name: "errors/header", Section: "2.2",
			Requires: "The header x-ms-error-code equals error.code.",
			Breaks:   "JavaScript's typed responses read it, and .NET where the body cannot be read.",
			Run: eachError(func(t *check.T, a *check.Answer) {
				code := a.JSON().At("error", "code")
				if got := a.Header.Get("X-Ms-Error-Code"); code.Exists() && got != code.Text() {
					t.Fault("status %d: x-ms-error-code is %q, error.code is %s", a.Status(), got, code)
				}
			}),
		},
		{
			Name: "errors/no-retry", Section: "7.9",
			Requires: "Retry-After comes with 429 and 503 only, never with 400, 401, 404, 405 or 422.",
			Breaks:   "azure-core for Python repeats any error that carries it, up to four times.",
			Run: eachError(func(t *check.T, a *check.Answer) {
				for _, h := range []string{"Retry-After", "Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
					if v := a.Header.Get(h); v != "" && a.Status() < http.StatusInternalServerError && a.Status() != http.StatusTooManyRequests {
						t.Fault("status %d carries %s: %s", a.Status(), h, v)
					}
				}
			}),
		},
		{
			Name: "errors/content-type", Section: "7.2",
			Requires: "An error's Content-Type is application/json.",
			Breaks:   "JavaScript's res.body is a string then, and has no error.",
			Run: eachError(func(t *check.T, a *check.Answer) {
				if a.MediaType() != "application/json" {
					t.Fault("status %d: Content-Type is %q", a.Status(), a.Header.Get("Content-Type"))
				}
			}),
		},
		{
			Name: "errors/flat", Section: "7.3", Should: true,
			Requires: "A 422 has status, code and message at the top level, too.",
			Breaks:   "Clients written from the reference pages, whose errors are flat.",
			Run: func(t *check.T) {
				v := t.Chat(check.M{"temperature": 3}).Refused(http.StatusUnprocessableEntity)
				v.At("status").Is(http.StatusUnprocessableEntity)
				v.At("code").NonEmpty()
				v.At("message").NonEmpty()
			},
		},
	})
}

func extra() []check.Check {
	sentence := func(v check.Value, word string) {
		d := v.At("detail")
		m := v.At("error", "message")
		if d.Exists() && m.Exists() && (d.Text() != m.Text() || !strings.Contains(m.Text(), word)) {
			d.Fault("and error.message are not one sentence with %s: %s, %s", word, d, m)
		}
	}
	unknown := check.M{"no_such_member": 1}
	operations := []struct {
		name    string
		feature check.Feature
		send    func(t *check.T, o ...check.Option) *check.Answer
	}{
		{"chat", check.Chat, func(t *check.T, o ...check.Option) *check.Answer { return t.Chat(unknown, o...) }},
		{"completions", check.Completions, func(t *check.T, o ...check.Option) *check.Answer { return t.Complete(unknown, o...) }},
		{"embeddings", check.Embeddings, func(t *check.T, o ...check.Option) *check.Answer { return t.Embed(unknown, o...) }},
	}
	header := func(v string) check.Option { return check.Header("Extra-Parameters", v) }
	var list []check.Check
	for _, op := range operations {
		needs := []check.Feature{op.feature}
		list = append(list, check.Check{
			Name: "extra/" + op.name + "/refused", Section: "3.6", Needs: needs,
			Requires: "An unknown member at the root is refused with 400 where extra-parameters is absent or `error`.",
			Breaks:   "Everybody who misspells a member: their setting counts for nothing and nobody says so.",
			Run: func(t *check.T) {
				op.send(t).Refused(http.StatusBadRequest)
				op.send(t, header("error")).Refused(http.StatusBadRequest)
			},
		}, check.Check{
			Name: "extra/" + op.name + "/drop", Section: "3.6", Needs: needs,
			Requires: "With `extra-parameters: drop` unknown members are left out and the request is answered.",
			Breaks:   "JavaScript and Java programs that ask for it.",
			Run:      func(t *check.T) { op.send(t, header("drop")).OK() },
		}, check.Check{
			Name: "extra/" + op.name + "/pass-through", Section: "3.6", Needs: needs,
			Requires: "With `extra-parameters: pass-through` an unknown member goes to the model, which obeys it or refuses it with 400 or 422.",
			Breaks:   "The Python and .NET SDKs, which send this header whenever there are extras.",
			Run: func(t *check.T) {
				op.send(t, check.PassThrough).OKOrRefused(http.StatusBadRequest, http.StatusUnprocessableEntity)
			},
		})
	}
	return append(list, check.For(check.Chat, []check.Check{
		{
			Name: "extra/sentence", Section: "3.6",
			Requires: "The refusal names the member, in error.message and in a top-level `detail` string alike.",
			Breaks:   "azure-core hides a bare detail; clients of the real service read nothing else.",
			Run: func(t *check.T) {
				sentence(t.Chat(unknown).Refused(http.StatusBadRequest), "no_such_member")
			},
		},
		{
			Name: "extra/bad-value", Section: "3.6",
			Requires: "Another value of extra-parameters is refused with 400, in a sentence that names the three that there are.",
			Breaks:   "Users of old documentation: they cannot know that the header does nothing.",
			Run: func(t *check.T) {
				sentence(t.Chat(unknown, header("sometimes")).Refused(http.StatusBadRequest), "pass-through")
			},
		},
		{
			Name: "extra/case", Section: "3.6", Should: true,
			Requires: "The value is read in any case and without the spaces around it.",
			Breaks:   "Hand-written clients.",
			Run:      func(t *check.T) { t.Chat(unknown, header(" Drop ")).OK() },
		},
		{
			Name: "extra/nested", Section: "3.2",
			Requires: "Unknown members below the root are ignored.",
			Breaks:   "azure-ai-inference for Python sends back what it received, with members and nulls of every service.",
			Run: func(t *check.T) {
				t.Chat(check.M{"messages": check.L{check.M{"role": "user", "content": check.Prompt, "refusal": nil, "annotations": check.L{}}}}).OK()
			},
		},
		{
			Name: "extra/known", Section: "3.6",
			Requires: "With pass-through, `n` of 1 is taken.",
			Breaks:   "Python programs with model_extras: it is the commonest extra.",
			Run:      func(t *check.T) { t.Chat(check.M{"n": 1, "max_tokens": 2}, check.PassThrough).OK() },
		},
		{
			Name: "extra/n", Section: "3.6",
			Requires: "Where `n` of 2 is taken there are two choices, with indices 0 and 1, and usage counts both; else it is refused with 400 or 422.",
			Breaks:   "Programs that choose among answers.",
			Run: func(t *check.T) {
				a := t.Chat(check.M{"n": 2, "max_tokens": 1}, check.PassThrough)
				if !a.OKOrRefused(http.StatusBadRequest, http.StatusUnprocessableEntity) {
					return
				}
				v := a.OK()
				if c := v.At("choices"); len(c.List()) != 2 {
					c.Fault("has %d elements", len(c.List()))
				}
				v.At("choices", 0, "index").Is(0)
				v.At("choices", 1, "index").Is(1)
				check.Usage(v.At("usage"))
			},
		},
		{
			Name: "extra/logprobs", Section: "8.5.2",
			Requires: "Where logprobs are taken, each token of the choice has token, logprob, bytes and top_logprobs; else they are refused with 400 or 422.",
			Breaks:   "Programs that weigh answers; typed clients, which require all four.",
			Run: func(t *check.T) {
				a := t.Chat(check.M{"logprobs": true, "top_logprobs": 2, "max_tokens": 2}, check.PassThrough)
				if !a.OKOrRefused(http.StatusBadRequest, http.StatusUnprocessableEntity) {
					return
				}
				for _, e := range a.OK().At("choices", 0, "logprobs", "content").List() {
					e.At("token").Text()
					e.At("logprob")
					e.At("bytes")
					e.At("top_logprobs").List()
				}
			},
		},
		{
			Name: "extra/without-version", Section: "3.6", Should: true,
			Requires: "Without api-version and header, OpenAI's members are ordinary: `n` of 1 and `user` are taken.",
			Breaks:   "OpenAI's SDKs and litellm at this address.",
			Run:      func(t *check.T) { t.Chat(check.M{"n": 1, "user": "u", "max_tokens": 2}, check.Version("")).OK() },
		},
	})...)
}
