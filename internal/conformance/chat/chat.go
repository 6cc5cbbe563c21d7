// Package chat checks POST /chat/completions: whole answers, what requests may hold, streams, tools,
// structured output, reasoning, and the refusal of wrong values.
package chat

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Checks lists the checks of this package.
func Checks() []check.Check {
	stream := check.Framing("chat/stream/", "3.8", func(t *check.T, o ...check.Option) *check.Stream { return t.ChatStream(nil, o...) })
	return slices.Concat(
		check.For(check.Chat, answers()), check.For(check.Chat, requests()),
		check.For(check.Chat, stream), check.For(check.Chat, streams()),
		check.For(check.Tools, calls()), check.For(check.Tools, streamedCalls()),
		check.For(check.Format, formats()), check.For(check.Reasoning, thoughts()),
		check.For(check.Chat, values()))
}

func answers() []check.Check {
	choice := func(t *check.T) check.Value { return t.Chat(nil).OK().At("choices", 0) }
	return []check.Check{
		{
			Name: "chat/answer/status", Section: "3.5",
			Requires: "A whole answer has status 200 and one JSON object.",
			Breaks:   ".NET takes exactly 200 for success.",
			Run:      func(t *check.T) { t.Chat(nil).OK() },
		},
		{
			Name: "chat/answer/id", Section: "3.5",
			Requires: "id is 32 hexadecimal digits, a GUID, or `chatcmpl-` with letters and digits.",
			Breaks:   "The Python SDK's own tests match it.",
			Run:      func(t *check.T) { check.ID(t.Chat(nil).OK().At("id")) },
		},
		{
			Name: "chat/answer/id-unique", Section: "3.5",
			Requires: "Two answers have different ids.",
			Breaks:   "Clients and logs that know answers by it.",
			Run: func(t *check.T) {
				a, b := t.Chat(nil).OK().At("id"), t.Chat(nil, check.Again).OK().At("id")
				if a.Exists() && b.Exists() && a.Raw() == b.Raw() {
					b.Fault("is %s twice", a)
				}
			},
		},
		{
			Name: "chat/answer/object", Section: "3.5",
			Requires: "object is chat.completion.",
			Breaks:   "OpenAI's typed clients tell answers by it.",
			Run:      func(t *check.T) { t.Chat(nil).OK().At("object").Is("chat.completion") },
		},
		{
			Name: "chat/answer/created", Section: "3.5",
			Requires: "created is Unix seconds as an integer, never null.",
			Breaks:   ".NET throws otherwise; Python's datetime fails.",
			Run:      func(t *check.T) { check.Created(t.Chat(nil).OK().At("created")) },
		},
		{
			Name: "chat/answer/model", Section: "3.5",
			Requires: "model is not empty.",
			Breaks:   "The SDKs' own tests assert it; cost and trace tools count by it.",
			Run:      func(t *check.T) { t.Chat(nil).OK().At("model").NonEmpty() },
		},
		{
			Name: "chat/answer/choices", Section: "3.5",
			Requires: "There is one choice, with index 0.",
			Breaks:   "Every client reads choices[0]; .NET throws where there is none.",
			Run: func(t *check.T) {
				c := t.Chat(nil).OK().At("choices")
				if c.Exists() && len(c.List()) != 1 {
					c.Fault("has %d elements, not 1", len(c.List()))
				}
				choice(t).At("index").Is(0)
			},
		},
		{
			Name: "chat/answer/role", Section: "3.5",
			Requires: "message.role is assistant.",
			Breaks:   "Typed clients reject it; the message sent back as history is refused.",
			Run:      func(t *check.T) { choice(t).At("message", "role").Is("assistant") },
		},
		{
			Name: "chat/answer/content", Section: "3.5",
			Requires: "message.content is a string or null, and there.",
			Breaks:   "Every client reads it.",
			Run:      func(t *check.T) { choice(t).At("message", "content").TextOrNull() },
		},
		{
			Name: "chat/answer/finish", Section: "3.5",
			Requires: "finish_reason is stop, length, content_filter or tool_calls.",
			Breaks:   "Java's and .NET's enumerations know no other.",
			Run:      func(t *check.T) { choice(t).At("finish_reason").OneOf(check.FinishReasons...) },
		},
		{
			Name: "chat/answer/tool-calls", Section: "3.5",
			Requires: "Without tools, message.tool_calls is absent, null or empty.",
			Breaks:   "Agents run a tool that nobody offered.",
			Run: func(t *check.T) {
				if c := choice(t).At("message").Maybe("tool_calls"); c.Exists() && !c.Null() && len(c.List()) > 0 {
					c.Fault("is %s", c)
				}
			},
		},
		{
			Name: "chat/answer/logprobs", Section: "3.5", Should: true,
			Requires: "logprobs, which were not asked for, are null or absent.",
			Breaks:   "Nobody; it costs bytes.",
			Run: func(t *check.T) {
				if l := choice(t).Maybe("logprobs"); l.Exists() && !l.Null() {
					l.Fault("is %s", l)
				}
			},
		},
		{
			Name: "chat/answer/usage", Section: "3.5",
			Requires: "usage has prompt_tokens, completion_tokens and their sum total_tokens, as integers.",
			Breaks:   "The typed SDKs require all three; their tests assert the sum.",
			Run:      func(t *check.T) { check.Usage(t.Chat(nil).OK().At("usage")) },
		},
		{
			Name: "chat/answer/usage-counts", Section: "3.5",
			Requires: "A prompt has tokens, and a longer one has more.",
			Breaks:   "Whoever counts costs or watches the context.",
			Run: func(t *check.T) {
				short := t.Chat(nil).OK().At("usage", "prompt_tokens")
				long := t.Chat(check.M{"messages": check.L{check.User(strings.Repeat(check.Prompt+" ", 4))}}).OK().At("usage", "prompt_tokens")
				if a, b := short.Int(), long.Int(); short.Exists() && long.Exists() && (a == 0 || b <= a) {
					long.Fault("is %d for four times the text that has %d", b, a)
				}
			},
		},
		{
			Name: "chat/answer/no-filter", Section: "3.5", Should: true,
			Requires: "There are no content_filter_results unless a filter ran.",
			Breaks:   "Users who believe that their text was checked.",
			Run: func(t *check.T) {
				v := t.Chat(nil).OK()
				if v.Has("prompt_filter_results") || choice(t).Has("content_filter_results") {
					v.Fault("holds filter results")
				}
			},
		},
		{
			Name: "chat/answer/not-streamed", Section: "3.1",
			Requires: "With `stream: false` the answer is whole.",
			Breaks:   "Clients that say so explicitly.",
			Run:      func(t *check.T) { t.Chat(check.M{"stream": false}).OK().At("object").Is("chat.completion") },
		},
	}
}

func streams() []check.Check {
	return []check.Check{
		{
			Name: "chat/stream/object", Section: "3.8",
			Requires: "object is chat.completion.chunk in every chunk.",
			Breaks:   "OpenAI's typed clients tell chunks by it.",
			Run: func(t *check.T) {
				for _, c := range t.ChatStream(nil).Chunks {
					c.At("object").Is("chat.completion.chunk")
				}
			},
		},
		{
			Name: "chat/stream/role", Section: "3.8",
			Requires: "The first delta has the role assistant.",
			Breaks:   "Clients that build the message for the history from deltas: it has no role and is refused.",
			Run: func(t *check.T) {
				if all := t.ChatStream(nil).Choices(); len(all) > 0 {
					all[0].At("delta", "role").Is("assistant")
				}
			},
		},
		{
			Name: "chat/stream/first-content", Section: "3.8", Should: true,
			Requires: "The first delta's content is the empty string.",
			Breaks:   "Clients that take the first piece for the head.",
			Run: func(t *check.T) {
				if all := t.ChatStream(nil).Choices(); len(all) > 0 {
					all[0].At("delta", "content").Is("")
				}
			},
		},
		{
			Name: "chat/stream/delta", Section: "3.8",
			Requires: "Every choice has an object `delta`, whose content is a string or null, and whose tool_calls are never null.",
			Breaks:   "Older .NET fails on null tool_calls; samples read delta.content blindly.",
			Run: func(t *check.T) {
				for _, c := range t.ChatStream(nil).Choices() {
					d := c.At("delta")
					d.Object()
					if d.Has("content") {
						d.At("content").TextOrNull()
					}
					if d.Has("tool_calls") {
						d.At("tool_calls").List()
					}
				}
			},
		},
		{
			Name: "chat/stream/same-text", Section: "3.8", Should: true,
			Requires: "At temperature 0 the deltas join to the text of the whole answer.",
			Breaks:   "Users: text is lost or doubled in streams.",
			Run: func(t *check.T) {
				check.SameText(t, func(o ...check.Option) (whole, streamed string) {
					return t.Chat(nil, o...).OK().At("choices", 0, "message", "content").TextOrNull(), t.ChatStream(nil, o...).Text("content")
				})
			},
		},
		{
			Name: "chat/stream/text", Section: "3.8",
			Requires: "The deltas hold text where the whole answer does.",
			Breaks:   "Everybody who streams.",
			Run: func(t *check.T) {
				whole, s := t.Chat(nil).OK().At("choices", 0, "message", "content"), t.ChatStream(nil)
				if whole.Exists() && whole.TextOrNull() != "" && len(s.Chunks) > 0 && s.Text("content") == "" {
					t.Fault("no delta holds any text")
				}
			},
		},
		{
			Name: "chat/stream/unicode", Section: "3.8",
			Requires: "Characters of several bytes are whole in every event.",
			Breaks:   "Clients show � for half characters, and an old Python SDK had a bug there.",
			Run: func(t *check.T) {
				s := t.ChatStream(check.M{"messages": check.L{check.User("Repeat: größe 日本語 😀👍🏽 é")}})
				for _, f := range s.Flaws {
					t.Fault("line %d: %s", f.Line, f.Flaw)
				}
				if strings.ContainsRune(s.Text("content"), '\ufffd') {
					t.Fault("the text holds U+FFFD: %q", s.Text("content"))
				}
			},
		},
		{
			Name: "chat/stream/flushed", Section: "3.8", Should: true,
			Requires: "Chunks arrive while the answer is made, and not all at its end. An answer that takes less than a second is not judged.",
			Breaks:   "Everybody who streams: they wait for the whole answer.",
			Run:      flushed,
		},
		{
			Name: "chat/stream/refused", Section: "3.8",
			Requires: "A request that is refused is answered with an ordinary error, though a stream was asked for.",
			Breaks:   "azure-ai-inference for Python reports nothing for an error inside a stream.",
			Run: func(t *check.T) {
				t.Chat(check.M{"stream": true, "temperature": 3}).Refused(http.StatusUnprocessableEntity)
			},
		},
		{
			Name: "chat/stream/length", Section: "3.8",
			Requires: "A stream that max_tokens cuts ends with length, usage and [DONE].",
			Breaks:   "Clients that continue a cut answer.",
			Run: func(t *check.T) {
				if !longer(t) {
					return
				}
				s := t.ChatStream(check.M{"max_tokens": 1})
				last := s.Last()
				last.At("choices", 0, "finish_reason").Is("length")
				last.At("usage", "completion_tokens").Is(1)
				if n := len(s.Events); n > 0 && s.Events[n-1] != check.Done {
					t.Fault("the last event is not [DONE]")
				}
			},
		},
		{
			Name: "chat/stream/include-usage", Section: "3.8",
			Requires: "Where stream_options.include_usage is taken, usage comes in a chunk of its own with empty choices, after the last that has one.",
			Breaks:   "OpenAI's SDKs, LangChain and litellm, which ask for it.",
			Run:      func(t *check.T) { includeUsage(t, check.PassThrough) },
		},
		{
			Name: "chat/stream/include-usage-without-version", Section: "3.6", Should: true,
			Requires: "Without api-version stream_options is an ordinary member.",
			Breaks:   "OpenAI's SDKs at this address.",
			Run: func(t *check.T) {
				t.ChatStream(usageAsked(), check.Version(""))
				includeUsage(t, check.Version(""))
			},
		},
		{
			Name: "chat/stream/late-error", Section: "3.9", Needs: []check.Feature{check.Failing},
			Requires: "A stream that fails after its beginning ends without [DONE] and with a broken connection; an error frame's `error` is an object.",
			Breaks:   "azure-ai-inference for Python takes a failed answer for complete unless the connection breaks.",
			Run: func(t *check.T) {
				s := t.ChatStream(check.M{"model": t.Failing})
				if len(s.Chunks) == 0 {
					return
				}
				if slices.Contains(s.Events, check.Done) {
					t.Fault("[DONE] was sent")
				}
				if s.Err == nil {
					t.Fault("the connection ended as if the answer were whole")
				}
				if last := s.Chunks[len(s.Chunks)-1]; last.Has("error") {
					last.At("error", "code").NonEmpty()
					last.At("error", "message").NonEmpty()
				}
			},
		},
	}
}

func flushed(t *check.T) {
	const tries, few, part = 3, 8, 20
	for n := range tries {
		s := t.ChatStream(nil, check.Nth(n))
		if len(s.Chunks) < few || s.Took < time.Second || s.Took-s.First > s.Took/part {
			return
		}
	}
	t.Fault("%d times all chunks of an answer came at once, after more than a second", tries)
}

func usageAsked() check.M { return check.M{"stream_options": check.M{"include_usage": true}} }

func includeUsage(t *check.T, o check.Option) {
	m := usageAsked()
	m["stream"] = true
	a := t.Chat(m, o)
	if !a.OKOrRefused(http.StatusBadRequest, http.StatusUnprocessableEntity) {
		return
	}
	s := a.Stream()
	n := len(s.Chunks)
	if n == 0 {
		return
	}
	last := s.Chunks[n-1]
	if len(last.At("choices").List()) != 0 {
		last.Fault("is the last and has choices: the chunk of usage is missing")
	}
	check.Usage(last.At("usage"))
	for _, c := range s.Chunks[:n-1] {
		if u := c.Maybe("usage"); u.Exists() && !u.Null() {
			u.Fault("is there, besides the chunk of its own")
		}
	}
}

// longer says whether the usual answer has more than one token, so that cutting it shows.
func longer(t *check.T) bool {
	n := t.Chat(nil).OK().At("usage", "completion_tokens")
	return n.Exists() && n.Int() > 1
}
