package chat

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

const (
	weatherName = "get_weather"
	clockName   = "get_time"
	enough      = 256 // tokens for a call
	few         = 16  // tokens where any answer will do
)

func weather() check.M {
	return check.M{"type": "function", "function": check.M{
		"name": weatherName, "description": "Tells the weather of a city.",
		"parameters": check.M{
			"type":     "object",
			"required": check.L{"city", "unit"}, "additionalProperties": false,
			"properties": check.M{
				"city": check.M{"type": "string", "enum": check.L{"Paris", "Oslo"}},
				"unit": check.M{"type": "string", "enum": check.L{"celsius", "fahrenheit"}},
			},
		},
	}}
}

// clock is a tool without parameters.
func clock() check.M {
	return check.M{"function": check.M{"name": clockName}, "type": "function"}
}

func named(name string) check.M {
	return check.M{"function": check.M{"name": name}, "type": "function"}
}

// asked is a request whose answer must be a call, by tool_choice.
func asked(choice any) check.M {
	return check.M{
		"messages": check.L{check.User("What is the weather in Paris, in celsius?")},
		"tools":    check.L{weather(), clock()}, "tool_choice": choice, "max_tokens": enough,
	}
}

// PlainTools are the members of a request that offers tools and does not insist.
func PlainTools() check.M {
	return check.M{"tools": check.L{weather()}, "max_tokens": 1}
}

// weatherArguments requires what the tool's schema does.
func weatherArguments(v check.Value, text string) {
	var args map[string]any
	if err := json.Unmarshal([]byte(text), &args); err != nil || args == nil {
		v.Fault("is no JSON object (%v): %s", err, text)
		return
	}
	city, unit := args["city"], args["unit"]
	if (city != "Paris" && city != "Oslo") || (unit != "celsius" && unit != "fahrenheit") || len(args) != 2 {
		v.Fault("does not satisfy the tool's schema: %s", text)
	}
}

func calls() []check.Check {
	first := func(t *check.T, choice any) check.Value {
		return t.Chat(asked(choice)).OK().At("choices", 0, "message", "tool_calls", 0)
	}
	loop := func(assistant check.M, results ...any) check.M {
		m := asked("auto")
		m["max_tokens"] = few
		m["messages"] = append(check.L{check.User("What is the weather in Paris?"), assistant}, results...)
		return m
	}
	call := func(arguments any) check.L {
		return check.L{check.M{"id": "call_1", "function": check.M{"name": weatherName, "arguments": arguments}, "type": "function"}}
	}
	result := check.M{"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}
	const arguments = `{"city":"Paris","unit":"celsius"}`
	answered := func(name, requires, breaks string, should bool, m check.M) check.Check {
		return check.Check{
			Name: "tools/loop/" + name, Section: "3.2", Should: should, Requires: requires, Breaks: breaks,
			Run: func(t *check.T) { t.Chat(m).OK().At("choices", 0, "message", "role").Is("assistant") },
		}
	}
	return []check.Check{
		{
			Name: "tools/required", Section: "3.3",
			Requires: "With tool_choice required a tool is called.",
			Breaks:   "Agents, which wait for a call.",
			Run: func(t *check.T) {
				first(t, "required").At("function", "name").OneOf(weatherName, clockName)
			},
		},
		{
			Name: "tools/named", Section: "3.3",
			Requires: "With a named tool_choice that function is called.",
			Breaks:   "Programs that read structured data from a call.",
			Run:      func(t *check.T) { first(t, named(weatherName)).At("function", "name").Is(weatherName) },
		},
		{
			Name: "tools/none", Section: "3.3",
			Requires: "With tool_choice none no tool is called.",
			Breaks:   "Programs that ask for the final answer.",
			Run: func(t *check.T) {
				m := asked("none")
				m["max_tokens"] = few
				if c := t.Chat(m).OK().At("choices", 0, "message").Maybe("tool_calls"); c.Exists() && !c.Null() && len(c.List()) > 0 {
					c.Fault("is %s", c)
				}
			},
		},
		{
			Name: "tools/auto", Section: "3.3",
			Requires: "Without tool_choice the answer is text or a call, and finish_reason says which.",
			Breaks:   "Agents, which look at finish_reason or at tool_calls.",
			Run: func(t *check.T) {
				m := asked(check.Absent)
				m["max_tokens"] = few
				c := t.Chat(m).OK().At("choices", 0)
				called := c.At("message").Maybe("tool_calls")
				if called.Exists() && !called.Null() && len(called.List()) > 0 {
					c.At("finish_reason").OneOf("tool_calls", "length")
				} else {
					c.At("finish_reason").OneOf("stop", "length")
				}
			},
		},
		{
			Name: "tools/id", Section: "3.3",
			Requires: "A call has an id that is not empty.",
			Breaks:   "Every client sends it back as tool_call_id.",
			Run:      func(t *check.T) { first(t, "required").At("id").NonEmpty() },
		},
		{
			Name: "tools/type", Section: "3.3",
			Requires: "A call's type is function.",
			Breaks:   "The typed SDKs choose the class by it.",
			Run:      func(t *check.T) { first(t, "required").At("type").Is("function") },
		},
		{
			Name: "tools/arguments", Section: "3.3",
			Requires: "function.arguments is a string, with a JSON object that satisfies the function's schema.",
			Breaks:   "Every client parses the string; .NET and Java throw on an object.",
			Run: func(t *check.T) {
				a := first(t, named(weatherName)).At("function", "arguments")
				if s := a.Text(); a.Exists() {
					weatherArguments(a, s)
				}
			},
		},
		{
			Name: "tools/no-parameters", Section: "3.3",
			Requires: "A function without parameters can be called; its arguments are a JSON object.",
			Breaks:   "azure-ai-inference for Python writes no parameters where there are none.",
			Run: func(t *check.T) {
				a := first(t, named(clockName)).At("function", "arguments")
				if s := a.Text(); a.Exists() && (!json.Valid([]byte(s)) || !strings.HasPrefix(strings.TrimSpace(s), "{")) {
					a.Fault("is no JSON object: %q", s)
				}
			},
		},
		{
			Name: "tools/content", Section: "3.3",
			Requires: "content is null or empty beside a call that was required.",
			Breaks:   "Clients show it as the answer.",
			Run: func(t *check.T) {
				if c := t.Chat(asked("required")).OK().At("choices", 0, "message", "content"); c.TextOrNull() != "" {
					c.Fault("is %s", c)
				}
			},
		},
		{
			Name: "tools/finish", Section: "3.3",
			Requires: "finish_reason is tool_calls where a tool was called.",
			Breaks:   "Agents end their loop on anything else.",
			Run: func(t *check.T) {
				t.Chat(asked("required")).OK().At("choices", 0, "finish_reason").Is("tool_calls")
			},
		},
		{
			Name: "tools/finish-named", Section: "3.3", Should: true,
			Requires: "finish_reason is tool_calls for a named choice, too.",
			Breaks:   "Programs for Model Inference; Azure OpenAI answers stop.",
			Run: func(t *check.T) {
				t.Chat(asked(named(weatherName))).OK().At("choices", 0, "finish_reason").Is("tool_calls")
			},
		},
		answered("absent", "A call comes back without content, its result follows, and it is answered.",
			"azure-ai-inference for Python writes no content then.", false, loop(check.M{"role": "assistant", "tool_calls": call(arguments)}, result)),
		answered("null", "The same with null as content.", "OpenAI's SDKs.", false,
			loop(check.M{"role": "assistant", "content": nil, "tool_calls": call(arguments)}, result)),
		answered("empty", "The same with an empty content.", "The Java SDK.", false,
			loop(check.M{"role": "assistant", "content": "", "tool_calls": call(arguments)}, result)),
		answered("object", "Arguments that come back as an object are taken.", "A test of the SDKs sends them so.", false,
			loop(check.M{"role": "assistant", "tool_calls": call(check.M{"city": "Paris", "unit": "celsius"})}, result)),
		answered("no-arguments", "Arguments that come back as an empty string are taken.", "The JavaScript SDK's sample of streamed tools.", false,
			loop(check.M{"role": "assistant", "tool_calls": call("")}, result)),
		answered("unknown-members", "Unknown members and nulls in a call are ignored.", "azure-ai-inference for Python sends back what it received.", false,
			loop(check.M{"role": "assistant", "tool_calls": check.L{check.M{
				"index": 0, "id": "call_1", "type": "function",
				"function": check.M{"name": weatherName, "arguments": arguments, "call_id": nil},
			}}}, result)),
		answered("no-result", "A result without content is taken.", "The specification makes it optional.", true,
			loop(check.M{"role": "assistant", "tool_calls": call(arguments)}, check.M{"role": "tool", "tool_call_id": "call_1"})),
		answered("unissued", "A result whose id was never issued is taken.", "Clients that shorten the history.", true,
			loop(check.M{"role": "assistant", "content": "One moment."}, check.M{"role": "tool", "tool_call_id": "call_9", "content": "21"})),
		{
			Name: "tools/loop/without-tools", Section: "3.2",
			Requires: "A history with calls is taken though the request offers no tools.",
			Breaks:   "Clients that ask for a summary at the end.",
			Run: func(t *check.T) {
				m := loop(check.M{"role": "assistant", "tool_calls": call(arguments)}, result, check.User("Thanks. Say bye."))
				m["tools"], m["tool_choice"], m["max_tokens"] = check.Absent, check.Absent, few
				t.Chat(m).OK()
			},
		},
	}
}

func streamedCalls() []check.Check {
	open := func(t *check.T) *check.Stream { return t.ChatStream(asked(named(weatherName))) }
	// deltas are the pieces of calls, in order.
	deltas := func(t *check.T) []check.Value {
		s := open(t)
		var all []check.Value
		for _, c := range s.Choices() {
			if d := c.At("delta"); d.Has("tool_calls") {
				all = append(all, d.At("tool_calls").List()...)
			}
		}
		if len(all) == 0 && len(s.Chunks) > 0 {
			t.Fault("no delta has a tool call")
		}
		return all
	}
	return []check.Check{
		{
			Name: "tools/stream/index", Section: "3.8",
			Requires: "Every piece of a call has its index.",
			Breaks:   "OpenAI's SDKs put the pieces together by it.",
			Run: func(t *check.T) {
				for _, d := range deltas(t) {
					d.At("index").Int()
				}
			},
		},
		{
			Name: "tools/stream/id", Section: "3.8",
			Requires: "The first piece of a call has its id, and no other piece has one.",
			Breaks:   "The inference SDKs' samples begin a new call wherever there is an id.",
			Run: func(t *check.T) {
				seen := map[string]bool{}
				for _, d := range deltas(t) {
					at := d.Maybe("index").String()
					if id := d.Maybe("id"); !seen[at] {
						d.At("id").NonEmpty()
					} else if id.Exists() && !id.Null() {
						id.Fault("is there again")
					}
					seen[at] = true
				}
			},
		},
		{
			Name: "tools/stream/type", Section: "3.8",
			Requires: "The piece with the id has the type function and the name.",
			Breaks:   "The typed SDKs choose the class by it.",
			Run: func(t *check.T) {
				for _, d := range deltas(t) {
					if d.Has("id") && !d.At("id").Null() {
						d.At("type").Is("function")
						d.At("function", "name").Is(weatherName)
					}
				}
			},
		},
		{
			Name: "tools/stream/arguments", Section: "3.8",
			Requires: "The pieces of function.arguments are strings that join to what the schema allows.",
			Breaks:   "Every client joins and parses them.",
			Run: func(t *check.T) {
				joined := map[string]string{}
				list := deltas(t)
				for _, d := range list {
					if a := d.Maybe("function").Maybe("arguments"); a.Exists() {
						joined[d.Maybe("index").String()] += a.Text()
					}
				}
				if len(list) > 0 && len(joined) == 0 {
					t.Fault("no piece has arguments")
				}
				for _, text := range joined {
					weatherArguments(list[0], text)
				}
			},
		},
		{
			Name: "tools/stream/finish", Section: "3.8",
			Requires: "The last choice's finish_reason is tool_calls, and it carries usage.",
			Breaks:   "Agents end their loop on anything else.",
			Run: func(t *check.T) {
				last := t.ChatStream(asked("required")).Last()
				last.At("choices", 0, "finish_reason").Is("tool_calls")
				check.Usage(last.At("usage"))
			},
		},
		{
			Name: "tools/stream/no-nulls", Section: "3.5",
			Requires: "tool_calls is never null in a delta.",
			Breaks:   "Older .NET throws.",
			Run: func(t *check.T) {
				for _, c := range open(t).Choices() {
					if d := c.At("delta"); d.Has("tool_calls") {
						d.At("tool_calls").List()
					}
				}
			},
		},
		{
			Name: "tools/stream/role", Section: "3.8",
			Requires: "The first delta has the role assistant.",
			Breaks:   "Clients that build the message for the history from deltas.",
			Run: func(t *check.T) {
				if all := open(t).Choices(); len(all) > 0 {
					all[0].At("delta", "role").Is("assistant")
				}
			},
		},
		{
			Name: "tools/stream/framing", Section: "3.8",
			Requires: "A stream of calls has the bytes of every stream, and [DONE] at its end.",
			Breaks:   "azure-ai-inference for Python raises ValueError, .NET spins.",
			Run: func(t *check.T) {
				s := open(t)
				for _, f := range s.Flaws {
					t.Fault("line %d: %s", f.Line, f.Flaw)
				}
				if n := len(s.Events); n > 0 && s.Events[n-1] != check.Done {
					t.Fault("the last event is not [DONE]")
				}
			},
		},
		{
			Name: "tools/stream/refused", Section: "3.3",
			Requires: "A wrong tool_choice is refused with 422 before the stream.",
			Breaks:   "azure-ai-inference for Python reports nothing for an error inside a stream.",
			Run: func(t *check.T) {
				m := asked(named("nobody"))
				m["stream"] = true
				t.Chat(m).Refused(http.StatusUnprocessableEntity)
			},
		},
	}
}
