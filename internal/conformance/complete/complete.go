// Package complete checks POST /completions.
package complete

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Checks lists the checks of this package.
func Checks() []check.Check {
	stream := check.Framing("completions/stream/", "4.2", func(t *check.T, o ...check.Option) *check.Stream {
		return t.Complete(check.M{"stream": true}, o...).Stream()
	})
	return check.For(check.Completions, slices.Concat(answers(), stream, more()))
}

func answers() []check.Check {
	choice := func(t *check.T) check.Value { return t.Complete(nil).OK().At("choices", 0) }
	const written = "Clients written from the reference: no SDK has a client for it, so that all are hand-written."
	return []check.Check{
		{
			Name: "completions/answer/id", Section: "4.2", Requires: "id is a GUID, 32 hexadecimal digits, or `cmpl-` with letters and digits.", Breaks: written,
			Run: func(t *check.T) { check.ID(t.Complete(nil).OK().At("id")) },
		},
		{
			Name: "completions/answer/object", Section: "4.2", Requires: "object is text_completion.", Breaks: "OpenAI's typed clients tell answers by it.",
			Run: func(t *check.T) { t.Complete(nil).OK().At("object").Is("text_completion") },
		},
		{
			Name: "completions/answer/created", Section: "4.2", Requires: "created is Unix seconds as an integer.", Breaks: written,
			Run: func(t *check.T) { check.Created(t.Complete(nil).OK().At("created")) },
		},
		{
			Name: "completions/answer/model", Section: "4.2", Requires: "model is not empty.", Breaks: written,
			Run: func(t *check.T) { t.Complete(nil).OK().At("model").NonEmpty() },
		},
		{
			Name: "completions/answer/choice", Section: "4.2", Requires: "The choice has index 0, a string `text`, and logprobs null or absent.", Breaks: written,
			Run: func(t *check.T) {
				c := choice(t)
				c.At("index").Is(0)
				c.At("text").Text()
				if l := c.Maybe("logprobs"); l.Exists() && !l.Null() {
					l.Fault("is %s", l)
				}
			},
		},
		{
			Name: "completions/answer/finish", Section: "4.2", Requires: "finish_reason is stop, length or content_filter.", Breaks: written,
			Run: func(t *check.T) { choice(t).At("finish_reason").OneOf("stop", "length", "content_filter") },
		},
		{
			Name: "completions/answer/usage", Section: "4.2", Requires: "usage has all three counts, and total = prompt + completion.", Breaks: "Whoever counts costs.",
			Run: func(t *check.T) { check.Usage(t.Complete(nil).OK().At("usage")) },
		},
		{
			Name: "completions/batch", Section: "4.2",
			Requires: "For several prompts there is a choice for each, in their order, with its index.",
			Breaks:   "Evaluation harnesses, which put answers to prompts by it.",
			Run: func(t *check.T) {
				list := t.Complete(check.M{"prompt": check.L{"one two", "three four", "five six"}}).OK().At("choices")
				all := list.List()
				if list.Exists() && len(all) != 3 {
					list.Fault("has %d elements for 3 prompts", len(all))
				}
				for i, c := range all {
					c.At("index").Is(i)
				}
			},
		},
		{
			Name: "completions/batch-text", Section: "4.2", Should: true,
			Requires: "At temperature 0 each prompt of several is continued as alone.",
			Breaks:   "Evaluation harnesses.",
			Run: func(t *check.T) {
				prompts := check.L{"one two", "three four"}
				check.SameText(t, func(o ...check.Option) (alone, together string) {
					both := t.Complete(check.M{"prompt": prompts}, o...).OK().At("choices")
					for i, p := range prompts {
						alone += t.Complete(check.M{"prompt": p}, o...).OK().At("choices", 0, "text").TextOrNull() + "|"
						together += both.At(i, "text").TextOrNull() + "|"
					}
					return alone, together
				})
			},
		},
	}
}

func more() []check.Check {
	refused := func(name, requires string, m check.M) check.Check {
		return check.Check{
			Name: "completions/values/" + name, Section: "4.1", Requires: requires + " is refused with 422.",
			Breaks: "Clients, which check nothing themselves.",
			Run:    func(t *check.T) { t.Complete(m).Refused(http.StatusUnprocessableEntity) },
		}
	}
	return []check.Check{
		{
			Name: "completions/prompt-list", Section: "4.1", Requires: "prompt may be a list of one string.", Breaks: "Clients written from the reference.",
			Run: func(t *check.T) {
				t.Complete(check.M{"prompt": check.L{"one two"}}).OK().At("choices", 0, "text").Text()
			},
		},
		{
			Name: "completions/prompt-tokens", Section: "4.1", Requires: "prompt may be tokens, a list or several, or they are refused with 422.", Breaks: "Evaluation harnesses, which send tokens.",
			Run: func(t *check.T) {
				for _, p := range []check.L{{1, 2, 3}, {check.L{1, 2}, check.L{3}}} {
					t.Complete(check.M{"prompt": p}).OKOrRefused(http.StatusUnprocessableEntity)
				}
			},
		},
		{
			Name: "completions/max-tokens", Section: "4.1", Requires: "A continuation that max_tokens cuts ends with length, and has no more tokens than that.", Breaks: "Whoever pays by the token.",
			Run: func(t *check.T) {
				if n := t.Complete(nil).OK().At("usage", "completion_tokens"); !n.Exists() || n.Int() < 2 {
					return
				}
				v := t.Complete(check.M{"max_tokens": 1}).OK()
				v.At("choices", 0, "finish_reason").Is("length")
				v.At("usage", "completion_tokens").Is(1)
			},
		},
		{
			Name: "completions/stop", Section: "4.1", Requires: "The text excludes the stop sequence, given as a string or in a list.", Breaks: "Prompts of examples: the model answers its own questions.",
			Run: func(t *check.T) {
				text := t.Complete(nil).OK().At("choices", 0, "text").TextOrNull()
				words := strings.Fields(text)
				if len(words) < 3 {
					return
				}
				word := words[len(words)/2]
				for _, stop := range []any{word, check.L{word}} {
					if c := t.Complete(check.M{"stop": stop}).OK().At("choices", 0, "text"); strings.Contains(c.TextOrNull(), word) {
						c.Fault("holds the stop sequence %q: %s", word, c)
					}
				}
			},
		},
		{
			Name: "completions/stream/object", Section: "4.2", Requires: "Chunks have the object text_completion, like whole answers, and their choices a string `text`.", Breaks: "Clients written from the reference.",
			Run: func(t *check.T) {
				s := t.Complete(check.M{"stream": true}).Stream()
				for _, c := range s.Chunks {
					c.At("object").Is("text_completion")
				}
				for _, c := range s.Choices() {
					c.At("text").Text()
				}
			},
		},
		{
			Name: "completions/stream/same-text", Section: "4.2", Should: true, Requires: "At temperature 0 the chunks join to the text of the whole answer.", Breaks: "Users: text is lost or doubled in streams.",
			Run: func(t *check.T) {
				check.SameText(t, func(o ...check.Option) (whole, streamed string) {
					return t.Complete(nil, o...).OK().At("choices", 0, "text").TextOrNull(), t.Complete(check.M{"stream": true}, o...).Stream().Text("text")
				})
			},
		},
		{
			Name: "completions/logprobs", Section: "4.2",
			Requires: "Where logprobs are taken, there are tokens, token_logprobs, top_logprobs and text_offset of one length; else they are refused with 400 or 422.",
			Breaks:   "Evaluation harnesses, which weigh continuations.",
			Run: func(t *check.T) {
				a := t.Complete(check.M{"logprobs": 1, "max_tokens": 2}, check.PassThrough)
				if !a.OKOrRefused(http.StatusBadRequest, http.StatusUnprocessableEntity) {
					return
				}
				l := a.OK().At("choices", 0, "logprobs")
				n := len(l.At("tokens").List())
				for _, name := range []string{"token_logprobs", "top_logprobs", "text_offset"} {
					if v := l.At(name); v.Exists() && len(v.List()) != n {
						v.Fault("has %d elements for %d tokens", len(v.List()), n)
					}
				}
			},
		},
		refused("prompt", "A request without prompt", check.M{"prompt": check.Absent}),
		refused("prompt-type", "A number as prompt", check.M{"prompt": 1}),
		refused("temperature", "A temperature of 2.1", check.M{"temperature": 2.1}),
		refused("max-tokens", "A negative max_tokens", check.M{"max_tokens": -1}),
	}
}
