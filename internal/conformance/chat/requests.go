package chat

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// taken is a check that a request with some members is answered.
func taken(name, section, requires, breaks string, should bool, m check.M) check.Check {
	return check.Check{
		Name: "chat/request/" + name, Section: section, Should: should, Requires: requires, Breaks: breaks,
		Run: func(t *check.T) {
			members := check.Brief()
			maps.Copy(members, m)
			t.Chat(members).OK()
		},
	}
}

// The smallest picture and the shortest sound.
const (
	dot     = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
	silence = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="
)

// offered is a check that a part of a message is understood or refused.
func offered(name, what string, part check.M) check.Check {
	return check.Check{
		Name: "chat/request/" + name, Section: "3.2",
		Requires: what + " is taken, or refused with 422 at messages where the model cannot use it.",
		Breaks:   "Users who believe that the model has looked, and programs that fall back to another.",
		Run: func(t *check.T) {
			a := t.Chat(check.M{"messages": check.L{check.User(check.L{check.M{"type": "text", "text": "What is this?"}, part})}, "max_tokens": 4})
			if a.OKOrRefused(http.StatusUnprocessableEntity) || a.Status() != http.StatusUnprocessableEntity {
				return
			}
			if v := a.JSON(); v.Exists() && !placed(v, []string{"messages"}) {
				v.Fault("names no place that begins with body, messages: %s", v.At("error"))
			}
		},
	}
}

func says(role string, content any) check.M { return check.M{"role": role, "content": content} }

func talk(messages ...any) check.M { return check.M{"messages": check.L(messages)} }

func requests() []check.Check {
	user := check.User(check.Prompt)
	nulls := check.M{}
	for name := range strings.FieldsSeq("frequency_penalty presence_penalty temperature top_p max_tokens stop stream seed response_format tools tool_choice") {
		nulls[name] = nil
	}
	nulls["max_tokens"] = 4
	return []check.Check{
		taken("nulls", "3.1", "null as an optional member's value means that it is not given.",
			"Hand-written clients, and typed ones that write every member.", false, nulls),
		taken("stop-string", "3.1", "stop may be a bare string.", "Clients of the reference's own sample, and of OpenAI's.", false, check.M{"stop": "###"}),
		taken("stop-list", "3.1", "stop may be a list of strings.", "Every SDK.", false, check.M{"stop": check.L{"###", "@@@"}}),
		taken("bounds", "3.1", "The ends of all ranges are taken: temperature 2, top_p 1, penalties -2 and 2.",
			"Programs written for Azure OpenAI.", false, check.M{"temperature": 2, "top_p": 1, "presence_penalty": -2, "frequency_penalty": 2}),
		taken("seed", "3.1", "seed may be any integer of 64 bits.", "Clients that draw it at random.", false, check.M{"seed": json.Number("9007199254740993")}),
		taken("max-completion-tokens", "3.1", "max_completion_tokens is taken in max_tokens' place.",
			"Programs for newer models, which send only this.", true, check.M{"max_tokens": check.Absent, "max_completion_tokens": 4}),
		taken("whole-numbers", "3.1", "A whole number may be written with a fraction of 0.", "Languages whose numbers are all of one kind.", true, check.M{"max_tokens": json.Number("2.0")}),
		taken("security-context", "3.1", "user_security_context is taken.", "Clients of api-version 2025-05-15-preview.", true,
			check.M{"user_security_context": check.M{"application_name": "conformance", "source_ip": "127.0.0.1"}}),
		taken("modalities", "3.1", "modalities of text is taken.", "Clients of the service specification.", true, check.M{"modalities": check.L{"text"}}),
		taken("parts", "3.2", "A user's content may be a list of text parts.", "Every SDK: it is how images are sent, too.", false,
			talk(check.User(check.L{check.M{"type": "text", "text": "Say"}, check.M{"type": "text", "text": " this"}}))),
		taken("system", "3.2", "There may be system messages, several, at any place, and empty.",
			"Frameworks that add their own instructions.", false,
			talk(says("system", "Be brief."), user, says("system", ""), says("system", "Be polite."), user)),
		taken("system-parts", "3.2", "A system message's content may be a list of text parts.", "Clients that write all content so.", true,
			talk(says("system", check.L{check.M{"type": "text", "text": "Be brief."}}), user)),
		taken("developer", "3.2", "The role developer is taken as system.", "Programs written for newer OpenAI models.", false,
			talk(says("developer", "Be brief."), user)),
		taken("names", "3.2", "name is taken on messages of every role.", "AutoGen and others that write it.", false,
			talk(check.M{"role": "system", "content": "Be brief.", "name": "s"}, check.M{"role": "user", "content": "Hi", "name": "u"},
				check.M{"role": "assistant", "content": "Hello.", "name": "a"}, check.M{"role": "user", "content": check.Prompt, "name": "u"})),
		taken("history", "3.2", "An assistant's message as it was answered is taken back, with its nulls and unknown members.",
			"azure-ai-inference for Python, which feeds back the object that it received.", false,
			talk(user, check.M{"role": "assistant", "content": "One.", "tool_calls": nil, "refusal": nil, "reasoning_content": nil, "audio": nil}, user)),
		taken("thoughts", "3.2", "reasoning_content in the history is taken and not refused.", "Clients of reasoning models that feed back what they received.", false,
			talk(user, check.M{"role": "assistant", "content": "One.", "reasoning_content": "They want one."}, user)),
		offered("image", "An image", check.M{"type": "image_url", "image_url": check.M{"url": "data:image/png;base64," + dot, "detail": "low"}}),
		offered("audio", "A sound", check.M{"type": "input_audio", "input_audio": check.M{"data": silence, "format": "wav"}}),
		{
			Name: "chat/request/order", Section: "3.1",
			Requires: "Members may come in any order: content before role, a part's type last.",
			Breaks:   "The official SDKs, which write type after what it is the type of.",
			Run: func(t *check.T) {
				t.Send(http.MethodPost, "/chat/completions", reordered(t)).OK()
			},
		},
		{
			Name: "chat/request/max-tokens", Section: "3.1",
			Requires: "An answer that max_tokens cuts ends with length, and has no more tokens than that.",
			Breaks:   "Whoever pays by the token, and clients that continue a cut answer.",
			Run: func(t *check.T) {
				if longer(t) {
					v := t.Chat(check.M{"max_tokens": 1}).OK()
					v.At("choices", 0, "finish_reason").Is("length")
					v.At("usage", "completion_tokens").Is(1)
				}
			},
		},
		{
			Name: "chat/request/max-tokens-zero", Section: "3.1", Should: true,
			Requires: "max_tokens of 0 is answered with no text, length and no completion tokens.",
			Breaks:   "Programs that ask for the count of a prompt's tokens.",
			Run: func(t *check.T) {
				v := t.Chat(check.M{"max_tokens": 0}).OK()
				if c := v.At("choices", 0, "message", "content"); c.TextOrNull() != "" {
					c.Fault("is %s", c)
				}
				v.At("choices", 0, "finish_reason").Is("length")
				v.At("usage", "completion_tokens").Is(0)
			},
		},
		{
			Name: "chat/request/stop", Section: "3.1",
			Requires: "The text ends before a stop sequence, which is not part of it, and finish_reason is stop.",
			Breaks:   "Prompts of examples: the model answers its own questions.",
			Run: func(t *check.T) {
				text := t.Chat(nil).OK().At("choices", 0, "message", "content").TextOrNull()
				words := strings.Fields(text)
				if len(words) < 3 {
					return
				}
				word := words[len(words)/2]
				c := t.Chat(check.M{"stop": check.L{word}}).OK().At("choices", 0)
				if got := c.At("message", "content").TextOrNull(); strings.Contains(got, word) {
					c.Fault("holds the stop sequence %q: %q", word, got)
				}
				c.At("finish_reason").Is("stop")
			},
		},
		{
			Name: "chat/request/prompt-arrives", Section: "3.2",
			Requires: "Every message counts: a conversation of three has more prompt tokens than its last.",
			Breaks:   "Everybody: the model does not know what was said.",
			Run: func(t *check.T) {
				one := t.Chat(nil).OK().At("usage", "prompt_tokens")
				all := t.Chat(talk(user, says("assistant", "One two three."), user)).OK().At("usage", "prompt_tokens")
				if a, b := one.Int(), all.Int(); one.Exists() && all.Exists() && b <= a {
					all.Fault("is %d for three messages, %d for one", b, a)
				}
			},
		},
	}
}

// reordered is a chat whose members are in an order of their own.
func reordered(t *check.T) string {
	model := ""
	if t.Subject.Chat != "" {
		name, err := json.Marshal(t.Subject.Chat)
		if err == nil {
			model = `,"model":` + string(name)
		}
	}
	return `{"temperature":0,"max_tokens":4,"messages":[{"content":"Be brief.","role":"system"},{"content":[{"text":"Say this","type":"text"}],"role":"user"}]` + model + `}`
}

// values are the checks that wrong values are refused, and how.
func values() []check.Check {
	wrong := func(name, requires string, m check.M, loc ...string) check.Check {
		return check.Check{
			Name: "values/" + name, Section: "3.1",
			Requires: requires + " is refused with 422, at " + strings.Join(append([]string{"body"}, loc...), ".") + ".",
			Breaks:   "The SDKs check nothing themselves: the server is the only one who can say what is wrong.",
			Run: func(t *check.T) {
				v := t.Chat(m).Refused(http.StatusUnprocessableEntity)
				if v.Exists() && !placed(v, loc) {
					v.Fault("names no place that begins with body, %s: %s", strings.Join(loc, ", "), v.At("error"))
				}
			},
		}
	}
	message := func(m check.M) check.M { return check.M{"messages": check.L{m}} }
	const messages = "messages"
	list := []check.Check{
		wrong("messages-missing", "A chat without messages", check.M{messages: check.Absent}, messages),
		wrong("messages-empty", "An empty list of messages", check.M{messages: check.L{}}, messages),
		wrong("messages-type", "A text as messages", check.M{messages: "hello"}, messages),
		wrong("role", "An unknown role", message(says("robot", "x")), messages),
		wrong("role-missing", "A message without role", message(check.M{"content": "x"}), messages),
		wrong("content-missing", "A user's message without content", message(check.M{"role": "user"}), messages),
		wrong("content-empty", "An empty list as a user's content", message(says("user", check.L{})), messages),
		wrong("content-type", "A number as content", message(says("user", 1)), messages),
		wrong("part-type", "An unknown type of part", message(says("user", check.L{check.M{"type": "smell", "smell": "rose"}})), messages),
		wrong("tool-call-id", "A tool's message without tool_call_id", talk(check.User("x"), says("tool", "1")), messages),
		wrong("temperature", "A temperature of 2.1", check.M{"temperature": 2.1}, "temperature"),
		wrong("temperature-low", "A negative temperature", check.M{"temperature": -0.1}, "temperature"),
		wrong("temperature-type", "A text as temperature", check.M{"temperature": "hot"}, "temperature"),
		wrong("top-p", "A top_p of 1.1", check.M{"top_p": 1.1}, "top_p"),
		wrong("presence-penalty", "A presence_penalty of 2.1", check.M{"presence_penalty": 2.1}, "presence_penalty"),
		wrong("frequency-penalty", "A frequency_penalty of -2.1", check.M{"frequency_penalty": -2.1}, "frequency_penalty"),
		wrong("max-tokens", "A negative max_tokens", check.M{"max_tokens": -1}, "max_tokens"),
		wrong("max-tokens-fraction", "A max_tokens of 1.5", check.M{"max_tokens": 1.5}, "max_tokens"),
		wrong("max-tokens-type", "A text as max_tokens", check.M{"max_tokens": "many"}, "max_tokens"),
		wrong("seed", "A text as seed", check.M{"seed": "x"}, "seed"),
		wrong("stream", "A text as stream", check.M{"stream": "yes"}, "stream"),
		wrong("stop", "A number as stop", check.M{"stop": 1}, "stop"),
		wrong("stop-empty", "An empty list as stop", check.M{"stop": check.L{}}, "stop"),
		wrong("response-format", "A text as response_format", check.M{"response_format": "json_object"}, "response_format"),
		wrong("response-format-type", "An unknown type of response_format", check.M{"response_format": check.M{"type": "xml"}}, "response_format"),
		wrong("json-schema", "A json_schema without name", check.M{"response_format": check.M{"type": "json_schema", "json_schema": check.M{"schema": check.M{}}}}, "response_format"),
		wrong("tools-empty", "An empty list of tools", check.M{"tools": check.L{}}, "tools"),
		wrong("tool-type", "A tool of another type than function", check.M{"tools": check.L{check.M{"type": "robot"}}}, "tools"),
		wrong("tool-name", "A function without name", check.M{"tools": check.L{check.M{"type": "function", "function": check.M{}}}}, "tools"),
		wrong("tool-choice", "An unknown word as tool_choice", check.M{"tools": check.L{weather()}, "tool_choice": "sometimes"}, "tool_choice"),
		wrong("tool-choice-unknown", "A tool_choice that names no tool of the request", check.M{"tools": check.L{weather()}, "tool_choice": named("nobody")}, "tool_choice"),
	}
	ours := []check.Check{
		wrong("tool-choice-without-tools", "tool_choice required without tools", check.M{"tool_choice": "required"}, "tool_choice"),
		wrong("tools-twice", "Two tools of one name", check.M{"tools": check.L{weather(), weather()}}, "tools"),
		wrong("tool-name-form", "A function's name with a space", check.M{"tools": check.L{check.M{"type": "function", "function": check.M{"name": "two words"}}}}, "tools"),
		wrong("json-schema-schema", "A json_schema without schema", check.M{"response_format": check.M{"type": "json_schema", "json_schema": check.M{"name": "x"}}}, "response_format"),
		wrong("stop-type", "A list of numbers as stop", check.M{"stop": check.L{1}}, "stop"),
		wrong("model-type", "A number as model", check.M{"model": 1}, "model"),
	}
	for i := range ours {
		ours[i].Should = true
	}
	return append(append(list, ours...),
		check.Check{
			Name: "values/both-max-tokens", Section: "3.1", Should: true,
			Requires: "max_tokens together with max_completion_tokens is refused with 422.",
			Breaks:   "Programs that send both: one of them counts for nothing.",
			Run: func(t *check.T) {
				t.Chat(check.M{"max_completion_tokens": 4}).Refused(http.StatusUnprocessableEntity)
			},
		},
		check.Check{
			Name: "values/detail", Section: "7.3",
			Requires: "A 422 has a list `detail`, or error.details, whose entries have loc, msg and the offending input verbatim.",
			Breaks:   "The reference's Python and JavaScript samples loop over it.",
			Run: func(t *check.T) {
				v := t.Chat(check.M{"temperature": 2.5}).Refused(http.StatusUnprocessableEntity)
				for _, e := range entries(v) {
					e.At("loc").List()
					e.At("msg").NonEmpty()
					if in := e.At("input"); in.Exists() && in.String() != "2.5" {
						in.Fault("is %s, and 2.5 was sent", in)
					}
				}
				if v.Exists() && len(entries(v)) == 0 {
					v.Fault("has no entry of what is wrong")
				}
			},
		},
		check.Check{
			Name: "values/detail-list", Section: "7.3", Should: true,
			Requires: "Both a top-level list `detail` and error.details are there.",
			Breaks:   "Samples read the one, azure-core the other.",
			Run: func(t *check.T) {
				v := t.Chat(check.M{"temperature": 2.5}).Refused(http.StatusUnprocessableEntity)
				v.At("detail", 0, "loc", 0).Is("body")
				v.At("error", "details", 0, "loc", 0).Is("body")
			},
		},
		check.Check{
			Name: "values/several", Section: "7.3", Should: true,
			Requires: "Two wrong members are both named in one refusal.",
			Breaks:   "Users, who mend one and are refused again.",
			Run: func(t *check.T) {
				v := t.Chat(check.M{"temperature": 3, "top_p": 3}).Refused(http.StatusUnprocessableEntity)
				if v.Exists() && (!placed(v, []string{"temperature"}) || !placed(v, []string{"top_p"})) {
					v.Fault("does not name both: %s", v.At("error"))
				}
			},
		})
}

// entries are what a refusal says in particular, in either place.
func entries(v check.Value) []check.Value {
	var all []check.Value
	for _, d := range []check.Value{v.Maybe("detail"), v.Maybe("error").Maybe("details")} {
		if _, ok := d.Raw().([]any); ok {
			all = append(all, d.List()...)
		}
	}
	return all
}

// placed says whether an entry's loc begins with body and the members.
func placed(v check.Value, members []string) bool {
	for _, e := range entries(v) {
		loc, _ := e.Maybe("loc").Raw().([]any)
		found := len(loc) > len(members) && loc[0] == "body"
		for i, m := range members {
			found = found && loc[i+1] == m
		}
		if found {
			return true
		}
	}
	return false
}
