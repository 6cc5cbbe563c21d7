package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"math/bits"
	"net/http"
	"slices"
	"strings"
)

// breakage is one way of breaking the contract, and the check that is there to notice it.
type breakage struct {
	name, check string
	spoil       func(*exchange)
}

func breakages() []breakage {
	return slices.Concat(frames(), chunks(), answers(), tools(), requests(), doors(), errors(), embeddings(), images(), texts(), others())
}

// onStream spoils the bytes of streams.
func onStream(change func(text string) string) func(*exchange) {
	return func(x *exchange) {
		if x.streamed() {
			x.body = []byte(change(string(x.body)))
		}
	}
}

func replaced(old, by string, n int) func(*exchange) {
	return onStream(func(s string) string { return strings.Replace(s, old, by, n) })
}

func frames() []breakage {
	const done = "data: [DONE]\n\n"
	header := func(name, value string) func(*exchange) {
		return func(x *exchange) {
			if x.streamed() {
				x.out.Set(name, value)
			}
		}
	}
	return []breakage{
		{"no space after data:", "chat/stream/space", replaced("data: ", "data:", -1)},
		{"no space once", "chat/stream/space", replaced("data: {", "data:{", 1)},
		{"CRLF", "chat/stream/lf", replaced("\n", "\r\n", -1)},
		{"a comment keeps the connection alive", "chat/stream/comments", replaced("data: ", ": ping\n\ndata: ", 1)},
		{"a comment inside an event", "chat/stream/comments", replaced("data: ", ":\ndata: ", 1)},
		{"an event line", "chat/stream/fields", replaced("data: ", "event: message\ndata: ", 1)},
		{"an id line", "chat/stream/fields", replaced("data: ", "id: 1\ndata: ", 1)},
		{"a retry line", "chat/stream/fields", replaced("data: ", "retry: 1000\n\ndata: ", 1)},
		{"no [DONE]", "chat/stream/done", replaced(done, "", 1)},
		{"two [DONE]", "chat/stream/done", replaced(done, done+done, 1)},
		{"a chunk after [DONE]", "chat/stream/done", func(x *exchange) {
			if x.streamed() {
				x.events(func(l []string) []string { return append(l, l[0]) })
			}
		}},
		{"JSON over two lines", "chat/stream/one-line", replaced(`,"object"`, ",\ndata: \"object\"", 1)},
		{"no blank line between two events", "chat/stream/one-line", replaced("}\n\ndata: {", "}\ndata: {", 1)},
		{"no blank line at the end", "chat/stream/one-line", onStream(func(s string) string { return strings.TrimSuffix(s, "\n") })},
		{"two blank lines", "chat/stream/one-line", replaced("\n\n", "\n\n\n", 1)},
		{"a byte order mark", "chat/stream/utf8", onStream(func(s string) string { return "\ufeff" + s })},
		{"half characters", "chat/stream/unicode", onStream(halves)},
		{"a replacement character", "chat/stream/unicode", replaced("größe", "gr\ufffd\ufffde", 1)},
		{"an event that is no JSON", "chat/stream/json", replaced(`data: {"id"`, `data: {id`, 1)},
		{"an event that is a list", "chat/stream/json", replaced(done, "data: []\n\n"+done, 1)},
		{"a connection that breaks after [DONE]", "chat/stream/end", func(x *exchange) { x.broken = x.broken || x.streamed() }},
		{"a stream as plain text", "chat/stream/content-type", header("Content-Type", "text/plain")},
		{"a stream that proxies may keep", "chat/stream/unbuffered", header("X-Accel-Buffering", "yes")},
		{"a stream that may be cached", "chat/stream/unbuffered", header("Cache-Control", "max-age=60")},
		{"a compressed stream", "chat/stream/identity", func(x *exchange) {
			if x.streamed() && strings.Contains(x.in.Get("Accept-Encoding"), "gzip") {
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				_, _ = z.Write(x.body)
				_ = z.Close()
				x.body = b.Bytes()
				x.out.Set("Content-Encoding", "gzip")
			}
		}},
	}
}

// halves splits the first character of several bytes over two events.
func halves(s string) string {
	i := strings.IndexFunc(s, func(c rune) bool { return c > 0x7f })
	if i < 0 {
		return s
	}
	start := strings.LastIndex(s[:i], "data: ")
	end := i + strings.Index(s[i:], "\n\n")
	event := s[start:end]
	head := event[:strings.Index(event, `"content":"`)+len(`"content":"`)]
	tail := event[strings.LastIndex(event, `"},`):]
	split := i - start + 1
	return s[:start] + event[:split] + tail + "\n\n" + head + event[split:] + s[end:]
}

// onChunks spoils the chunks of streams without tools.
func onChunks(change func(i, last int, m map[string]any)) func(*exchange) {
	return func(x *exchange) {
		if x.streamed() && !x.has("tools") {
			x.chunks(change)
		}
	}
}

func chunks() []breakage {
	member := func(name string, value any) func(*exchange) {
		return onChunks(func(i, _ int, m map[string]any) {
			if i > 0 {
				m[name] = value
			}
		})
	}
	return []breakage{
		{"the id changes", "chat/stream/id", member("id", "4c33a38e65852fd1be4e14c5c202df99")},
		{"created changes", "chat/stream/created", member("created", json.Number("1763880001"))},
		{"created is a fraction in chunks", "chat/stream/created", member("created", json.Number("1763880001.5"))},
		{"the model changes", "chat/stream/model", member("model", "another")},
		{"no id in chunks", "chat/stream/id", onChunks(func(_, _ int, m map[string]any) { delete(m, "id") })},
		{"chunks of another object", "chat/stream/object", member("object", "chat.completion")},
		{"a chunk without choices", "chat/stream/choices", onChunks(func(i, _ int, m map[string]any) {
			if i == 1 {
				delete(m, "choices")
			}
		})},
		{"a first frame of filter results", "chat/stream/choices", func(x *exchange) {
			if x.streamed() {
				x.events(func(l []string) []string {
					return append([]string{`{"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[]}`}, l...)
				})
			}
		}},
		{"choices is null", "chat/stream/choices", onChunks(func(i, _ int, m map[string]any) {
			if i == 1 {
				m["choices"] = nil
			}
		})},
		{"no index in chunks", "chat/stream/index", onChunks(func(_, _ int, m map[string]any) { delete(first(m, "choices"), "index") })},
		{"no role", "chat/stream/role", onChunks(func(_, _ int, m map[string]any) { delete(below(first(m, "choices"), "delta"), "role") })},
		{"the first content is missing", "chat/stream/first-content", onChunks(func(i, _ int, m map[string]any) {
			if i == 0 {
				delete(below(first(m, "choices"), "delta"), "content")
			}
		})},
		{"no delta", "chat/stream/delta", onChunks(func(i, _ int, m map[string]any) {
			if i == 1 {
				delete(first(m, "choices"), "delta")
			}
		})},
		{"null tool calls in deltas", "chat/stream/delta", onChunks(func(_, _ int, m map[string]any) {
			below(first(m, "choices"), "delta")["tool_calls"] = nil
		})},
		{"no finish_reason at the end", "chat/stream/finish", onChunks(func(_, _ int, m map[string]any) { first(m, "choices")["finish_reason"] = nil })},
		{"no finish_reason member", "chat/stream/finish", onChunks(func(_, _ int, m map[string]any) { delete(first(m, "choices"), "finish_reason") })},
		{"finish_reason in every chunk", "chat/stream/finish", onChunks(func(_, _ int, m map[string]any) { first(m, "choices")["finish_reason"] = "stop" })},
		{"an unknown finish_reason", "chat/stream/finish", replaced(`"finish_reason":"stop"`, `"finish_reason":"eos"`, 1)},
		{"no usage", "chat/stream/usage", onChunks(func(_, _ int, m map[string]any) { delete(m, "usage") })},
		{"usage in a chunk of its own, unasked", "chat/stream/usage", func(x *exchange) {
			if !x.streamed() || x.has("stream_options") || x.has("tools") {
				return
			}
			var usage any
			x.chunks(func(i, last int, m map[string]any) {
				if i == last {
					usage = m["usage"]
					delete(m, "usage")
				}
			})
			text, _ := json.Marshal(map[string]any{"id": "x", "object": "chat.completion.chunk", "created": 1763880000, "model": "m", "choices": []any{}, "usage": usage})
			x.events(func(l []string) []string { return slices.Insert(l, len(l)-1, string(text)) })
		}},
		{"usage in every chunk", "chat/stream/usage", onChunks(func(_, _ int, m map[string]any) {
			m["usage"] = map[string]any{"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
		})},
		{"a wrong sum in a stream", "chat/stream/usage", onChunks(func(_, _ int, m map[string]any) {
			if m["usage"] != nil {
				below(m, "usage")["total_tokens"] = 1
			}
		})},
		{"a piece of text is lost", "chat/stream/same-text", func(x *exchange) {
			if x.streamed() {
				x.events(func(l []string) []string { return slices.Delete(l, len(l)/2, len(l)/2+1) })
			}
		}},
		{"all text is lost", "chat/stream/text", onChunks(func(_, _ int, m map[string]any) {
			if d := below(first(m, "choices"), "delta"); d["content"] != nil {
				d["content"] = ""
			}
		})},
		{"include_usage is ignored", "chat/stream/include-usage", func(x *exchange) {
			if x.streamed() && x.has("stream_options") {
				x.events(func(l []string) []string { return slices.Delete(l, len(l)-2, len(l)-1) })
			}
		}},
		{"a refusal comes as a stream", "chat/stream/refused", func(x *exchange) {
			if x.chat() && x.sent["stream"] == true && x.status == http.StatusUnprocessableEntity {
				x.status = http.StatusOK
				x.out.Set("Content-Type", "text/event-stream")
				x.body = []byte("data: " + string(x.body) + "\n\ndata: [DONE]\n\n")
			}
		}},
		{"a cut stream says stop", "chat/stream/length", replaced(`"finish_reason":"length"`, `"finish_reason":"stop"`, 1)},
		{"a late error, then [DONE]", "chat/stream/late-error", func(x *exchange) {
			if x.broken {
				x.broken = false
				x.body = append(x.body, "data: [DONE]\n\n"...)
			}
		}},
		{"a late error, then a clean end", "chat/stream/late-error", func(x *exchange) { x.broken = false }},
		{"a late error as a text", "chat/stream/late-error", func(x *exchange) {
			if i := bytes.Index(x.body, []byte(`data: {"error"`)); x.broken && i >= 0 {
				x.body = append(x.body[:i], "data: {\"error\":\"it broke\"}\n\n"...)
			}
		}},
	}
}

// onAnswer spoils whole plain chat answers.
func onAnswer(change func(m map[string]any)) func(*exchange) {
	return func(x *exchange) {
		if x.chat() && x.status == http.StatusOK && !x.streamed() && !x.has("tools") {
			x.edit(change)
		}
	}
}

func answers() []breakage {
	set := func(name string, value any) func(*exchange) {
		return onAnswer(func(m map[string]any) { m[name] = value })
	}
	choice := func(name string, value any) func(*exchange) {
		return onAnswer(func(m map[string]any) { first(m, "choices")[name] = value })
	}
	message := func(change func(m map[string]any)) func(*exchange) {
		return onAnswer(func(m map[string]any) { change(below(first(m, "choices"), "message")) })
	}
	usage := func(name string, value any) func(*exchange) {
		return onAnswer(func(m map[string]any) { below(m, "usage")[name] = value })
	}
	return []breakage{
		{"status 201", "chat/answer/status", func(x *exchange) {
			if x.chat() && x.status == http.StatusOK {
				x.status = http.StatusCreated
			}
		}},
		{"an id of another shape", "chat/answer/id", set("id", "answer 1")},
		{"always the same id", "chat/answer/id-unique", set("id", "4c33a38e65852fd1be4e14c5c202df99")},
		{"another object", "chat/answer/object", set("object", "chat")},
		{"created is a fraction", "chat/answer/created", set("created", json.Number("1763880000.25"))},
		{"created has an exponent", "chat/answer/created", set("created", json.Number("1.76388e9"))},
		{"created is null", "chat/answer/created", set("created", nil)},
		{"created in milliseconds", "chat/answer/created", set("created", json.Number("1763880000000"))},
		{"created is a text", "chat/answer/created", set("created", "2025-11-23")},
		{"no model", "chat/answer/model", set("model", "")},
		{"two choices", "chat/answer/choices", onAnswer(func(m map[string]any) { m["choices"] = append(m["choices"].([]any), m["choices"].([]any)...) })},
		{"another role", "chat/answer/role", message(func(m map[string]any) { m["role"] = "model" })},
		{"no content member", "chat/answer/content", message(func(m map[string]any) { delete(m, "content") })},
		{"content as parts", "chat/answer/content", message(func(m map[string]any) { m["content"] = []any{map[string]any{"type": "text", "text": "x"}} })},
		{"a finish_reason of its own", "chat/answer/finish", choice("finish_reason", "eos_token")},
		{"finish_reason null", "chat/answer/finish", choice("finish_reason", nil)},
		{"a call that nobody offered", "chat/answer/tool-calls", message(func(m map[string]any) { m["tool_calls"] = []any{map[string]any{"id": "1"}} })},
		{"log probabilities unasked", "chat/answer/logprobs", choice("logprobs", map[string]any{"content": []any{}})},
		{"no usage in an answer", "chat/answer/usage", onAnswer(func(m map[string]any) { delete(m, "usage") })},
		{"a wrong sum", "chat/answer/usage", usage("total_tokens", 1)},
		{"counts as fractions", "chat/answer/usage", usage("prompt_tokens", json.Number("3.0"))},
		{"always the same count", "chat/answer/usage-counts", onAnswer(func(m map[string]any) {
			m["usage"] = map[string]any{"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
		})},
		{"filter results without a filter", "chat/answer/no-filter", set("prompt_filter_results", []any{})},
		{"an answer as plain text", "headers/content-type", func(x *exchange) {
			if x.chat() && x.status == http.StatusOK && !x.streamed() {
				x.out.Set("Content-Type", "text/plain")
			}
		}},
		{"stream false is a stream", "chat/answer/not-streamed", func(x *exchange) {
			if s, ok := x.sent["stream"].(bool); ok && !s && x.status == http.StatusOK {
				x.out.Set("Content-Type", "text/event-stream")
				x.body = []byte("data: " + string(x.body) + "\n\ndata: [DONE]\n\n")
			}
		}},
		{"max_tokens is ignored", "chat/request/max-tokens", choice("finish_reason", "stop")},
		{"the stop sequence is in the text", "chat/request/stop", func(x *exchange) {
			if stop, ok := x.sent["stop"].([]any); ok && x.chat() && x.status == http.StatusOK && len(stop) == 1 {
				word, _ := stop[0].(string)
				x.edit(func(m map[string]any) {
					msg := below(first(m, "choices"), "message")
					text, _ := msg["content"].(string)
					msg["content"] = text + word
				})
			}
		}},
		{"an empty answer to max_tokens 0 says stop", "chat/request/max-tokens-zero", choice("finish_reason", "stop")},
	}
}

// onCall spoils whole answers with a tool call.
func onCall(change func(call map[string]any)) func(*exchange) {
	return func(x *exchange) {
		if x.chat() && x.status == http.StatusOK && x.has("tools") && !x.streamed() {
			x.edit(func(m map[string]any) {
				if c := first(below(first(m, "choices"), "message"), "tool_calls"); len(c) > 0 {
					change(c)
				}
			})
		}
	}
}

// onPieces spoils the pieces of streamed calls.
func onPieces(change func(i int, call map[string]any)) func(*exchange) {
	return func(x *exchange) {
		if x.chat() && x.streamed() && x.has("tools") {
			n := 0
			x.chunks(func(_, _ int, m map[string]any) {
				if c := first(below(first(m, "choices"), "delta"), "tool_calls"); len(c) > 0 {
					change(n, c)
					n++
				}
			})
		}
	}
}

func tools() []breakage {
	finish := func(x *exchange) {
		x.body = bytes.Replace(x.body, []byte(`"finish_reason":"tool_calls"`), []byte(`"finish_reason":"stop"`), 1)
	}
	return []breakage{
		{"a call without id", "tools/id", onCall(func(c map[string]any) { delete(c, "id") })},
		{"a call without type", "tools/type", onCall(func(c map[string]any) { delete(c, "type") })},
		{"arguments as an object", "tools/arguments", onCall(func(c map[string]any) {
			var args any
			_ = json.Unmarshal([]byte(below(c, "function")["arguments"].(string)), &args)
			below(c, "function")["arguments"] = args
		})},
		{"arguments that are no JSON", "tools/arguments", onCall(func(c map[string]any) { below(c, "function")["arguments"] = "{city: Paris}" })},
		{"arguments that break the schema", "tools/arguments", onCall(func(c map[string]any) { below(c, "function")["arguments"] = `{"city":"Rome"}` })},
		{"no arguments where there are no parameters", "tools/no-parameters", onCall(func(c map[string]any) { below(c, "function")["arguments"] = "" })},
		{"another function is called", "tools/named", onCall(func(c map[string]any) { below(c, "function")["name"] = "get_time" })},
		{"a function that nobody offered is called", "tools/required", onCall(func(c map[string]any) { below(c, "function")["name"] = "search" })},
		{"no call though one is required", "tools/required", func(x *exchange) {
			if x.has("tools") && !x.streamed() {
				x.edit(func(m map[string]any) { below(first(m, "choices"), "message")["tool_calls"] = nil })
			}
		}},
		{"a call though none is wanted", "tools/none", func(x *exchange) {
			if x.sent["tool_choice"] == "none" {
				x.edit(func(m map[string]any) {
					below(first(m, "choices"), "message")["tool_calls"] = []any{map[string]any{"id": "1", "type": "function"}}
				})
			}
		}},
		{"stop beside a call", "tools/finish", finish},
		{"stop beside a named call", "tools/finish-named", finish},
		{"stop after a streamed call", "tools/stream/finish", finish},
		{"tool_calls without a call", "tools/auto", func(x *exchange) {
			if x.has("tools") && !x.has("tool_choice") {
				x.body = bytes.Replace(x.body, []byte(`"finish_reason":"stop"`), []byte(`"finish_reason":"tool_calls"`), 1)
			}
		}},
		{"text beside a call", "tools/content", func(x *exchange) {
			if x.has("tools") && !x.streamed() && x.status == http.StatusOK {
				x.edit(func(m map[string]any) { below(first(m, "choices"), "message")["content"] = "I call a tool." })
			}
		}},
		{"a call without content is refused", "tools/loop/absent", refusing(func(x *exchange) bool {
			return x.has("tools") && strings.Contains(messages(x), `"assistant"`) && !strings.Contains(messages(x), `"content":null`) && strings.Count(messages(x), `"content"`) < 3
		})},
		{"arguments as an object are refused", "tools/loop/object", refusing(func(x *exchange) bool { return strings.Contains(messages(x), `"arguments":{`) })},
		{"empty arguments are refused", "tools/loop/no-arguments", refusing(func(x *exchange) bool { return strings.Contains(messages(x), `"arguments":""`) })},
		{"unknown members in a call are refused", "tools/loop/unknown-members", refusing(func(x *exchange) bool { return strings.Contains(messages(x), `"call_id"`) })},
		{"pieces without index", "tools/stream/index", onPieces(func(_ int, c map[string]any) { delete(c, "index") })},
		{"pieces without type", "tools/stream/type", onPieces(func(_ int, c map[string]any) { delete(c, "type") })},
		{"pieces without name", "tools/stream/type", onPieces(func(_ int, c map[string]any) { delete(below(c, "function"), "name") })},
		{"the id in every piece", "tools/stream/id", onPieces(func(_ int, c map[string]any) { c["id"] = "call_1" })},
		{"no id in a stream", "tools/stream/id", onPieces(func(_ int, c map[string]any) { delete(c, "id") })},
		{"a piece of the arguments is lost", "tools/stream/arguments", onPieces(func(i int, c map[string]any) {
			if i == 1 {
				below(c, "function")["arguments"] = ""
			}
		})},
		{"null calls in a stream of calls", "tools/stream/no-nulls", func(x *exchange) {
			if x.has("tools") && x.streamed() {
				x.chunks(func(i, last int, m map[string]any) {
					if i == last {
						below(first(m, "choices"), "delta")["tool_calls"] = nil
					}
				})
			}
		}},
		{"a stream of calls without role", "tools/stream/role", func(x *exchange) {
			if x.has("tools") && x.streamed() {
				x.chunks(func(_, _ int, m map[string]any) { delete(below(first(m, "choices"), "delta"), "role") })
			}
		}},
		{"a stream of calls without [DONE]", "tools/stream/framing", func(x *exchange) {
			if x.has("tools") && x.streamed() {
				x.body = bytes.Replace(x.body, []byte("data: [DONE]\n\n"), nil, 1)
			}
		}},
		{"prose for json_object", "format/json-object", prose("json_object", false, "It is Paris.")},
		{"prose for json_object in a stream", "format/json-object-stream", prose("json_object", true, "It is Paris.")},
		{"a member lacks", "format/json-schema", prose("json_schema", false, `{"color":"red","ripe":true}`)},
		{"a value that is no choice", "format/json-schema-stream", prose("json_schema", true, `{"color":"blue","ripe":true,"sizes":["S"]}`)},
		{"json_schema only in newer versions", "format/any-version", refusing(func(x *exchange) bool {
			return kind(x) == "json_schema" && strings.Contains(x.query, "2024-05-01")
		})},
		{"the word json is demanded", "format/no-word", func(x *exchange) {
			if kind(x) == "json_object" && !strings.Contains(messages(x), "JSON") && x.sent["max_tokens"] != 1.0 {
				x.refuse(http.StatusBadRequest, "invalid_value")
			}
		}},
	}
}

// messages are the request's, as JSON.
func messages(x *exchange) string {
	text, _ := json.Marshal(x.sent["messages"])
	return string(text)
}

// kind is the response_format's type.
func kind(x *exchange) any { return below(x.sent, "response_format")["type"] }

// prose puts a text in place of a structured answer.
func prose(format string, stream bool, text string) func(*exchange) {
	return func(x *exchange) {
		switch {
		case kind(x) != format || x.status != http.StatusOK || x.streamed() != stream:
		case !stream:
			x.edit(func(m map[string]any) { below(first(m, "choices"), "message")["content"] = text })
		default:
			x.chunks(func(i, _ int, m map[string]any) {
				d := below(first(m, "choices"), "delta")
				if _, ok := d["content"]; ok && i > 0 {
					d["content"] = ""
				} else if i == 0 {
					d["content"] = text
				}
			})
		}
	}
}

// refusing answers 422 to chats that are meant.
func refusing(meant func(*exchange) bool) func(*exchange) {
	return func(x *exchange) {
		if x.chat() && x.status == http.StatusOK && meant(x) {
			x.refuse(http.StatusUnprocessableEntity, "Invalid input")
		}
	}
}

func requests() []breakage {
	contains := func(text string) func(*exchange) {
		return refusing(func(x *exchange) bool { return strings.Contains(messages(x), text) })
	}
	member := func(name string, is func(v any) bool) func(*exchange) {
		return refusing(func(x *exchange) bool { return x.has(name) && is(x.sent[name]) })
	}
	return []breakage{
		{"nulls are refused", "chat/request/nulls", member("stop", func(v any) bool { return v == nil })},
		{"a bare string as stop is refused", "chat/request/stop-string", member("stop", func(v any) bool { _, ok := v.(string); return ok })},
		{"a list as stop is refused", "chat/request/stop-list", member("stop", func(v any) bool { l, ok := v.([]any); return ok && len(l) == 2 })},
		{"temperatures above 1 are refused", "chat/request/bounds", member("temperature", func(v any) bool { n, ok := v.(float64); return ok && n > 1 })},
		{"large seeds are refused", "chat/request/seed", member("seed", func(v any) bool { return v != nil })},
		{"max_completion_tokens is refused", "chat/request/max-completion-tokens", member("max_completion_tokens", func(any) bool { return true })},
		{"parts are refused", "chat/request/parts", contains(`"type":"text"`)},
		{"500 for an image", "chat/request/image", func(x *exchange) {
			if strings.Contains(messages(x), "image_url") {
				x.refuse(http.StatusInternalServerError, "500")
			}
		}},
		{"an image is refused somewhere", "chat/request/image", func(x *exchange) {
			if strings.Contains(messages(x), "image_url") {
				x.refuse(http.StatusUnprocessableEntity, "Invalid input")
			}
		}},
		{"several system messages are refused", "chat/request/system", refusing(func(x *exchange) bool { return strings.Count(messages(x), `"system"`) > 1 })},
		{"the role developer is refused", "chat/request/developer", contains(`"developer"`)},
		{"names are refused", "chat/request/names", contains(`"name":"u"`)},
		{"history with nulls is refused", "chat/request/history", contains(`"audio":null`)},
		{"thoughts in the history are refused", "chat/request/thoughts", contains(`"reasoning_content":"`)},
		{"unknown members below are refused", "extra/nested", contains(`"annotations"`)},
		{"the last message alone counts", "chat/request/prompt-arrives", onAnswer(func(m map[string]any) {
			m["usage"] = map[string]any{"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
		})},
	}
}

func doors() []breakage {
	// keyed refuses requests by how they bring their key.
	keyed := func(bad func(h http.Header) bool) func(*exchange) {
		return func(x *exchange) {
			if bad(x.in) {
				x.refuse(http.StatusUnauthorized, "401")
			}
		}
	}
	ok := func(x *exchange) bool { return x.status == http.StatusOK }
	drop := func(name string) func(*exchange) { return func(x *exchange) { x.out.Del(name) } }
	return []breakage{
		{"doubled slashes are redirected", "routes/double-slash", func(x *exchange) {
			if strings.Contains(x.path, "//") {
				x.status = http.StatusTemporaryRedirect
				x.out.Set("Location", strings.ReplaceAll(x.path, "//", "/"))
			}
		}},
		{"a slash at the end is unknown", "routes/trailing-slash", func(x *exchange) {
			if strings.HasSuffix(x.path, "/") {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"an unknown path is answered 200", "routes/unknown-path", func(x *exchange) {
			if x.to("route") {
				x.grant()
			}
		}},
		{"an unknown path is a page", "routes/unknown-path", func(x *exchange) {
			if x.to("route") {
				x.out.Set("Content-Type", "text/html")
				x.body = []byte("<h1>Not Found</h1>")
			}
		}},
		{"a wrong method is unknown", "routes/method", func(x *exchange) {
			if x.status == http.StatusMethodNotAllowed {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"no Allow", "routes/method", drop("Allow")},
		{"no Allow at /info", "routes/method-info", drop("Allow")},
		{"nobody says what is doubled", "routes/doubled", func(x *exchange) {
			if x.status == http.StatusNotFound {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"the default version is unknown", "versions/default", func(x *exchange) {
			if x.chat() && ok(x) && x.query == "api-version=2024-05-01-preview" {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"no version is a failure", "versions/absent", func(x *exchange) {
			if x.chat() && ok(x) && x.query == "" {
				x.refuse(http.StatusInternalServerError, "500")
			}
		}},
		{"the first of two versions counts", "versions/repeated", func(x *exchange) {
			if strings.HasPrefix(x.query, "api-version=zzz") {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"api-key is not read", "keys/api-key", keyed(func(h http.Header) bool { return h.Get("Authorization") == "" })},
		{"Bearer is not read", "keys/bearer", keyed(func(h http.Header) bool { return h.Get("Api-Key") == "" })},
		{"bearer in lower case is not read", "keys/bearer-case", keyed(func(h http.Header) bool { return strings.HasPrefix(h.Get("Authorization"), "bearer") })},
		{"a bare key is not read", "keys/bare", keyed(func(h http.Header) bool {
			return h.Get("Authorization") == key
		})},
		{"two keys at once are refused", "keys/both", keyed(func(h http.Header) bool { return h.Get("Api-Key") != "" && h.Get("Authorization") != "" })},
		{"an empty Bearer counts", "keys/empty-bearer", keyed(func(h http.Header) bool { return strings.TrimSpace(h.Get("Authorization")) == "Bearer" })},
		{"only the first key counts", "keys/any-bearer", keyed(func(h http.Header) bool {
			return h.Get("Api-Key") != "" && h.Get("Api-Key") != key && h.Get("Api-Key") != limitedKey
		})},
		{"no key is needed", "keys/none", func(x *exchange) {
			if x.status == http.StatusUnauthorized {
				x.grant()
			}
		}},
		{"403 without a key", "keys/wrong", func(x *exchange) {
			if x.status == http.StatusUnauthorized {
				x.refuse(http.StatusForbidden, "403")
			}
		}},
		{"/info is open", "keys/info", func(x *exchange) {
			if x.to("info") && x.status == http.StatusUnauthorized {
				x.status = http.StatusOK
				x.body = []byte(`{"model_name":"m","model_type":"chat_completion","model_provider_name":"p"}`)
			}
		}},
		{"404 before 401", "keys/before-route", func(x *exchange) {
			if x.to("route") {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"405 before 401", "keys/before-method", func(x *exchange) {
			if x.chat() && x.method == http.MethodGet {
				x.refuse(http.StatusMethodNotAllowed, "405")
			}
		}},
		{"400 before 401", "keys/before-body", func(x *exchange) {
			if x.status == http.StatusUnauthorized && x.chat() && x.method == http.MethodPost && x.sent == nil {
				x.refuse(http.StatusBadRequest, "invalid_json")
			}
		}},
		{"another sentence for a wrong key", "keys/message", func(x *exchange) {
			if x.status == http.StatusUnauthorized {
				x.refuse(http.StatusUnauthorized, "401")
			}
		}},
		{"no challenge", "keys/challenge", drop("Www-Authenticate")},
		{"no request id", "headers/request-id", drop("X-Request-Id")},
		{"one request id for all", "headers/request-id-unique", func(x *exchange) { x.out.Set("X-Request-Id", "1") }},
		{"the caller's request id", "headers/request-id-own", func(x *exchange) {
			if id := x.in.Get("X-Request-Id"); id != "" {
				x.out.Set("X-Request-Id", id)
			}
		}},
		{"the client's id is not echoed", "headers/client-request-id", drop("X-Ms-Client-Request-Id")},
		{"the client's id is echoed as it is", "headers/client-request-id-clean", func(x *exchange) {
			if id := x.in.Get("X-Ms-Client-Request-Id"); id != "" {
				x.out.Set("X-Ms-Client-Request-Id", id)
			}
		}},
		{"another apim-request-id", "headers/apim-request-id", func(x *exchange) { x.out.Set("Apim-Request-Id", "2") }},
		{"no nosniff", "headers/nosniff", drop("X-Content-Type-Options")},
	}
}

func errors() []breakage {
	failing := func(change func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.status >= http.StatusBadRequest {
				change(x)
			}
		}
	}
	with := func(status int, change func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.status == status {
				change(x)
			}
		}
	}
	inError := func(change func(e map[string]any)) func(*exchange) {
		return failing(func(x *exchange) { x.edit(func(m map[string]any) { change(below(m, "error")) }) })
	}
	status := func(from, to int) func(*exchange) { return with(from, func(x *exchange) { x.status = to }) }
	const invalid = http.StatusUnprocessableEntity
	return []breakage{
		{"error is a text", "errors/object", failing(func(x *exchange) { x.edit(func(m map[string]any) { m["error"] = "it is wrong" }) })},
		{"error is missing", "errors/object", failing(func(x *exchange) { x.edit(func(m map[string]any) { delete(m, "error") }) })},
		{"no code", "errors/code", inError(func(e map[string]any) { delete(e, "code") })},
		{"a number as code", "errors/code", inError(func(e map[string]any) { e["code"] = 400 })},
		{"no message", "errors/message", inError(func(e map[string]any) { e["message"] = "" })},
		{"details is a text", "errors/details", inError(func(e map[string]any) { e["details"] = "more" })},
		{"details without code", "errors/details", inError(func(e map[string]any) { delete(first(e, "details"), "code") })},
		{"no x-ms-error-code", "errors/header", failing(func(x *exchange) { x.out.Del("X-Ms-Error-Code") })},
		{"another x-ms-error-code", "errors/header", failing(func(x *exchange) { x.out.Set("X-Ms-Error-Code", "Error") })},
		{"Retry-After on 422", "errors/no-retry", with(invalid, func(x *exchange) { x.out.Set("Retry-After", "1") })},
		{"Retry-After on 401", "errors/no-retry", with(http.StatusUnauthorized, func(x *exchange) { x.out.Set("Retry-After", "1") })},
		{"errors as plain text", "errors/content-type", failing(func(x *exchange) { x.out.Set("Content-Type", "text/plain") })},
		{"no flat members", "errors/flat", with(invalid, func(x *exchange) { x.edit(func(m map[string]any) { delete(m, "status") }) })},
		{"no flat members for 401", "keys/flat", with(http.StatusUnauthorized, func(x *exchange) { x.edit(func(m map[string]any) { delete(m, "statusCode") }) })},
		{"400 for wrong values", "values/temperature", status(invalid, http.StatusBadRequest)},
		{"500 for wrong values", "values/role", status(invalid, http.StatusInternalServerError)},
		{"a wrong value is taken", "values/top-p", with(invalid, func(x *exchange) {
			if x.has("top_p") {
				x.grant()
			}
		})},
		{"places without body", "values/stop", with(invalid, func(x *exchange) { x.body = bytes.ReplaceAll(x.body, []byte(`["body",`), []byte(`[`)) })},
		{"no input", "values/detail", with(invalid, func(x *exchange) { x.body = bytes.ReplaceAll(x.body, []byte(`"input":2.5`), []byte(`"given":2.5`)) })},
		{"another input", "values/detail", with(invalid, func(x *exchange) { x.body = bytes.ReplaceAll(x.body, []byte(`"input":2.5`), []byte(`"input":"2.5"`)) })},
		{"detail is an object", "values/detail-list", with(invalid, func(x *exchange) { x.edit(func(m map[string]any) { m["detail"] = first(m, "detail") }) })},
		{"one fault of two", "values/several", with(invalid, func(x *exchange) {
			x.edit(func(m map[string]any) {
				if l, ok := m["detail"].([]any); ok && len(l) > 1 {
					m["detail"] = l[:1]
					e := below(m, "error")
					e["details"] = e["details"].([]any)[:1]
				}
			})
		})},
		{"both limits are taken", "values/both-max-tokens", with(invalid, func(x *exchange) {
			if x.has("max_completion_tokens") {
				x.grant()
			}
		})},
		{"500 for what is no JSON", "body/malformed", func(x *exchange) {
			if x.status == http.StatusBadRequest && x.sent == nil {
				x.status = http.StatusInternalServerError
			}
		}},
		{"a list as body is taken", "body/array", func(x *exchange) {
			if x.sent == nil && x.chat() && x.method == http.MethodPost && x.in.Get("Api-Key") != "" {
				x.grant()
			}
		}},
		{"a second member of one name is taken", "body/duplicate-member", with(http.StatusBadRequest, (*exchange).grant)},
		{"charset is refused", "body/type-parameters", func(x *exchange) {
			if strings.Contains(x.in.Get("Content-Type"), "charset") {
				x.refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType")
			}
		}},
		{"no Content-Type is refused", "body/type-missing", func(x *exchange) {
			if x.method == http.MethodPost && x.in.Get("Content-Type") == "" {
				x.refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType")
			}
		}},
		{"multipart is 400", "body/media-type", status(http.StatusUnsupportedMediaType, http.StatusBadRequest)},
		{"too large is 500", "body/too-large", status(http.StatusRequestEntityTooLarge, http.StatusInternalServerError)},
	}
}

func images() []breakage {
	asked := func(x *exchange) bool { return strings.HasSuffix(x.path, "/images/embeddings") }
	reply := func(change func(m map[string]any)) func(*exchange) {
		return func(x *exchange) {
			if asked(x) && x.status == http.StatusOK {
				x.edit(change)
			}
		}
	}
	taken := func(meant func(x *exchange) bool) func(*exchange) {
		return func(x *exchange) {
			if asked(x) && x.status == http.StatusUnprocessableEntity && meant(x) {
				x.grant()
			}
		}
	}
	input := func(x *exchange) []any {
		l, _ := x.sent["input"].([]any)
		return l
	}
	// placeless refuses the second image without its place.
	placeless := func(ends string) func(*exchange) {
		return func(x *exchange) {
			if l := input(x); asked(x) && x.status == http.StatusUnprocessableEntity && len(l) == 2 && strings.HasSuffix(l[1].(map[string]any)["image"].(string), ends) {
				x.edit(func(m map[string]any) { first(below(m, "error"), "details")["loc"] = []any{"body", "input"} })
			}
		}
	}
	without := func(member string) func(x *exchange) bool {
		return func(x *exchange) bool {
			l := input(x)
			return len(l) == 1 && l[0].(map[string]any)[member] == nil
		}
	}
	return []breakage{
		{"an image's vector is another object", "images/answer/object", reply(func(m map[string]any) { first(m, "data")["object"] = "vector" })},
		{"an image's vector without id", "images/answer/id", reply(func(m map[string]any) { delete(m, "id") })},
		{"an image's vector without model", "images/answer/model", reply(func(m map[string]any) { m["model"] = "" })},
		{"an image's vector without usage", "images/answer/usage", reply(func(m map[string]any) { delete(m, "usage") })},
		{"vectors of other images", "images/answer/order", reply(func(m map[string]any) {
			l := m["data"].([]any)
			slices.Reverse(l)
			for i, e := range l {
				e.(map[string]any)["index"] = i
			}
		})},
		{"one vector for all images", "images/answer/different", reply(func(m map[string]any) {
			for _, e := range m["data"].([]any) {
				e.(map[string]any)["embedding"] = []any{1, 0, 0}
			}
		})},
		{"floats of an image for base64", "images/encoding/base64", func(x *exchange) {
			if asked(x) && x.status == http.StatusOK && x.sent["encoding_format"] == "base64" {
				x.edit(func(m map[string]any) { first(m, "data")["embedding"] = []any{1, 0} })
			}
		}},
		{"dimensions of an image are ignored", "images/dimensions", func(x *exchange) {
			if asked(x) && x.status == http.StatusOK && x.sent["dimensions"] != nil {
				x.edit(func(m map[string]any) { first(m, "data")["embedding"] = []any{1, 0} })
			}
		}},
		{"500 for an image with a text", "images/input/text", func(x *exchange) {
			if l := input(x); asked(x) && x.status == http.StatusOK && len(l) == 1 && l[0].(map[string]any)["text"] != nil {
				x.refuse(http.StatusInternalServerError, "500")
			}
		}},
		{"no images are embedded", "images/values/input", taken(func(x *exchange) bool { return !x.has("input") })},
		{"an empty list of images is embedded", "images/values/input-empty", taken(func(x *exchange) bool { return x.has("input") && len(input(x)) == 0 })},
		{"a text alone is embedded as an image", "images/values/image", taken(without("image"))},
		{"what is no base64 has no place", "images/values/base64", placeless("%%%")},
		{"what is no image has no place", "images/values/not-an-image", placeless("aGVsbG8=")},
		{"a cut image is embedded", "images/values/cut", taken(func(x *exchange) bool { return len(input(x)) == 2 })},
	}
}

func embeddings() []breakage {
	// vector spoils the vector in one encoding.
	vector := func(format string, change func(v any) any) func(*exchange) {
		return func(x *exchange) {
			if x.to("embeddings") && x.status == http.StatusOK && x.sent["encoding_format"] == format {
				x.edit(func(m map[string]any) {
					e := first(m, "data")
					e["embedding"] = change(e["embedding"])
				})
			}
		}
	}
	raw := func(change func(b []byte) []byte) func(v any) any {
		return func(v any) any {
			b, _ := base64.StdEncoding.DecodeString(v.(string))
			return base64.StdEncoding.EncodeToString(change(b))
		}
	}
	each := func(change func(n int64) any) func(v any) any {
		return func(v any) any {
			l := v.([]any)
			for i := range l {
				n, _ := l[i].(json.Number).Int64()
				l[i] = change(n)
			}
			return l
		}
	}
	reply := func(change func(m map[string]any)) func(*exchange) {
		return func(x *exchange) {
			if x.to("embeddings") && x.status == http.StatusOK {
				x.edit(change)
			}
		}
	}
	swapped := func(alsoIndex bool) func(*exchange) {
		return reply(func(m map[string]any) {
			l := m["data"].([]any)
			slices.Reverse(l)
			for i, e := range l {
				if alsoIndex {
					e.(map[string]any)["index"] = i
				}
			}
		})
	}
	taken := func(meant func(x *exchange) bool) func(*exchange) {
		return func(x *exchange) {
			if x.to("embeddings") && x.status == http.StatusUnprocessableEntity && meant(x) {
				x.grant()
			}
		}
	}
	return []breakage{
		{"floats for base64", "embeddings/encoding/base64", vector("base64", func(any) any { return []any{1, 0} })},
		{"big-endian", "embeddings/encoding/base64", vector("base64", raw(func(b []byte) []byte {
			for q := range slices.Chunk(b, 4) {
				slices.Reverse(q)
			}
			return b
		}))},
		{"float64 in base64", "embeddings/encoding/base64", vector("base64", raw(func(b []byte) []byte { return append(b, b...) }))},
		{"base64 of URLs", "embeddings/encoding/base64", vector("base64", func(v any) any {
			return strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(v.(string))
		})},
		{"base64 for floats", "embeddings/encoding/float", vector("float", func(any) any { return "AACAPwAAAMA=" })},
		{"the lowest bit first", "embeddings/encoding/binary", vector("binary", each(func(n int64) any {
			return int64(bits.Reverse8(uint8(n+128))) - 128
		}))},
		{"bits that are not signed", "embeddings/encoding/binary", vector("binary", each(func(n int64) any { return n + 128 }))},
		{"bits inverted", "embeddings/encoding/ubinary", vector("ubinary", each(func(n int64) any { return 255 - n }))},
		{"bits as base64", "embeddings/encoding/ubinary", vector("ubinary", func(any) any { return "AAAA" })},
		{"int8 in quotes", "embeddings/encoding/int8", vector("int8", each(func(n int64) any { return string(rune('0' + n%10)) }))},
		{"int8 of half the size", "embeddings/encoding/int8", vector("int8", each(func(n int64) any { return n / 2 }))},
		{"uint8 around 0", "embeddings/encoding/uint8", vector("uint8", each(func(n int64) any { return n - 128 }))},
		{"data in another order", "embeddings/answer/index", swapped(false)},
		{"vectors of other texts", "embeddings/answer/order", swapped(true)},
		{"one vector for all", "embeddings/answer/different", reply(func(m map[string]any) {
			for _, e := range m["data"].([]any) {
				e.(map[string]any)["embedding"] = []any{json.Number("1"), json.Number("0")}
			}
		})},
		{"one vector for three texts", "embeddings/input/strings", reply(func(m map[string]any) { m["data"] = m["data"].([]any)[:1] })},
		{"total is not prompt", "embeddings/answer/usage", reply(func(m map[string]any) { below(m, "usage")["total_tokens"] = 1000 })},
		{"completion tokens of an embedding", "embeddings/answer/completion-tokens", reply(func(m map[string]any) { below(m, "usage")["completion_tokens"] = 1 })},
		{"an embedding of another object", "embeddings/answer/object", reply(func(m map[string]any) { first(m, "data")["object"] = "vector" })},
		{"an embedding without id", "embeddings/answer/id", reply(func(m map[string]any) { delete(m, "id") })},
		{"an embedding without model", "embeddings/answer/model", reply(func(m map[string]any) { m["model"] = "" })},
		{"base64 unasked", "embeddings/answer/floats", func(x *exchange) {
			if x.to("embeddings") && !x.has("encoding_format") && x.status == http.StatusOK {
				x.edit(func(m map[string]any) { first(m, "data")["embedding"] = "AACAPwAAAMA=" })
			}
		}},
		{"an empty 200", "embeddings/answer/object", func(x *exchange) {
			if x.to("embeddings") {
				x.body = nil
			}
		}},
		{"dimensions are ignored", "embeddings/dimensions", func(x *exchange) {
			if x.has("dimensions") && x.status == http.StatusOK {
				x.edit(func(m map[string]any) { first(m, "data")["embedding"] = []any{1, 2, 3} })
			}
		}},
		{"an empty text is embedded", "embeddings/values/input-blank", taken(func(x *exchange) bool {
			l, ok := x.sent["input"].([]any)
			return ok && len(l) == 1
		})},
		{"an unknown encoding is floats", "embeddings/values/encoding-format", taken(func(x *exchange) bool { return x.sent["encoding_format"] == "morse" })},
		{"a bare string is refused", "embeddings/input/string", func(x *exchange) {
			if _, ok := x.sent["input"].(string); ok {
				x.refuse(http.StatusUnprocessableEntity, "Invalid input")
			}
		}},
		{"500 for tokens", "embeddings/input/tokens", func(x *exchange) {
			if l, ok := x.sent["input"].([]any); ok && len(l) > 0 {
				if _, isNumber := l[0].(float64); isNumber {
					x.refuse(http.StatusInternalServerError, "500")
				}
			}
		}},
		{"a chat model that embeds nothing says so in other words", "embeddings/other-model", func(x *exchange) {
			if x.to("embeddings") && x.status == http.StatusNotFound {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
	}
}

func texts() []breakage {
	reply := func(change func(m map[string]any)) func(*exchange) {
		return func(x *exchange) {
			if x.text() && x.status == http.StatusOK && !x.streamed() {
				x.edit(change)
			}
		}
	}
	stream := func(change func(i, last int, m map[string]any)) func(*exchange) {
		return func(x *exchange) {
			if x.text() && x.streamed() {
				x.chunks(change)
			}
		}
	}
	return []breakage{
		{"a text of another object", "completions/answer/object", reply(func(m map[string]any) { m["object"] = "chat.completion" })},
		{"a text without id", "completions/answer/id", reply(func(m map[string]any) { delete(m, "id") })},
		{"a message for a text", "completions/answer/choice", reply(func(m map[string]any) {
			c := first(m, "choices")
			c["message"] = map[string]any{"content": c["text"]}
			delete(c, "text")
		})},
		{"a text's finish_reason is null", "completions/answer/finish", reply(func(m map[string]any) { first(m, "choices")["finish_reason"] = nil })},
		{"a text without usage", "completions/answer/usage", reply(func(m map[string]any) { delete(m, "usage") })},
		{"a text's created is a fraction", "completions/answer/created", reply(func(m map[string]any) { m["created"] = json.Number("1763880000.5") })},
		{"a batch in another order", "completions/batch", reply(func(m map[string]any) { slices.Reverse(m["choices"].([]any)) })},
		{"a batch with each other's texts", "completions/batch-text", reply(func(m map[string]any) {
			if l := m["choices"].([]any); len(l) > 1 {
				a, b := l[0].(map[string]any), l[1].(map[string]any)
				a["text"], b["text"] = b["text"], a["text"]
			}
		})},
		{"a cut text says stop", "completions/max-tokens", reply(func(m map[string]any) { first(m, "choices")["finish_reason"] = "stop" })},
		{"the stop sequence is in a text", "completions/stop", func(x *exchange) {
			if word, ok := x.sent["stop"].(string); ok && x.text() {
				x.edit(func(m map[string]any) { first(m, "choices")["text"] = word })
			}
		}},
		{"chunks of chats for texts", "completions/stream/object", stream(func(_, _ int, m map[string]any) { m["object"] = "chat.completion.chunk" })},
		{"deltas for texts", "completions/stream/object", stream(func(_, _ int, m map[string]any) { delete(first(m, "choices"), "text") })},
		{"a stream of texts without usage", "completions/stream/usage", stream(func(_, _ int, m map[string]any) { delete(m, "usage") })},
		{"a stream of texts without [DONE]", "completions/stream/done", func(x *exchange) {
			if x.text() {
				x.body = bytes.Replace(x.body, []byte("data: [DONE]\n\n"), nil, 1)
			}
		}},
		{"a piece of a text is lost", "completions/stream/same-text", stream(func(i, _ int, m map[string]any) {
			if i == 1 {
				first(m, "choices")["text"] = ""
			}
		})},
		{"500 without prompt", "completions/values/prompt", func(x *exchange) {
			if x.text() && !x.has("prompt") {
				x.refuse(http.StatusInternalServerError, "500")
			}
		}},
	}
}

func others() []breakage {
	info := func(change func(m map[string]any)) func(*exchange) {
		return func(x *exchange) {
			if x.to("info") && x.status == http.StatusOK {
				x.edit(change)
			}
		}
	}
	// unknown grants what is refused for an unknown member.
	unknown := func(operation string) func(*exchange) {
		return func(x *exchange) {
			if x.to(operation) && x.has("no_such_member") && x.status == http.StatusBadRequest {
				x.grant()
			}
		}
	}
	extra := func(value string, change func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.in.Get("Extra-Parameters") == value {
				change(x)
			}
		}
	}
	refuse := func(x *exchange) { x.refuse(http.StatusBadRequest, "extra_parameters_not_allowed") }
	limited := func(change func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.status == http.StatusTooManyRequests {
				change(x)
			}
		}
	}
	thinking := func(change func(x *exchange)) func(*exchange) {
		return func(x *exchange) {
			if x.sent["model"] == "think" {
				change(x)
			}
		}
	}
	return []breakage{
		{"model_type in capitals", "info/type", info(func(m map[string]any) { m["model_type"] = "Chat_Completion" })},
		{"model_type of its own", "info/type", info(func(m map[string]any) { m["model_type"] = "llm" })},
		{"model_type with a hyphen", "info/spelling", info(func(m map[string]any) { m["model_type"] = "chat-completion" })},
		{"no provider", "info/members", info(func(m map[string]any) { delete(m, "model_provider_name") })},
		{"a provider that is null", "info/members", info(func(m map[string]any) { m["model_provider_name"] = nil })},
		{"no /info", "info/answer", func(x *exchange) {
			if x.to("info") && x.status == http.StatusOK {
				x.refuse(http.StatusNotFound, "404")
			}
		}},
		{"/info is a page", "info/content-type", func(x *exchange) {
			if x.to("info") {
				x.out.Set("Content-Type", "text/html")
			}
		}},
		{"unknown members of a chat are taken", "extra/chat/refused", unknown("chat/completions")},
		{"unknown members of a text are taken", "extra/completions/refused", unknown("completions")},
		{"unknown members of an embedding are taken", "extra/embeddings/refused", unknown("embeddings")},
		{"a refusal without detail", "extra/sentence", func(x *exchange) {
			if x.has("no_such_member") {
				x.edit(func(m map[string]any) { delete(m, "detail") })
			}
		}},
		{"422 for unknown members", "extra/chat/refused", func(x *exchange) {
			if x.has("no_such_member") && x.status == http.StatusBadRequest {
				x.status = http.StatusUnprocessableEntity
			}
		}},
		{"drop is not known", "extra/chat/drop", extra("drop", refuse)},
		{"drop is not known to embeddings", "extra/embeddings/drop", extra("drop", refuse)},
		{"any value is taken", "extra/bad-value", extra("sometimes", (*exchange).grant)},
		{"pass-through fails", "extra/chat/pass-through", extra("pass-through", func(x *exchange) { x.refuse(http.StatusInternalServerError, "500") })},
		{"n of 1 is refused", "extra/known", extra("pass-through", refuse)},
		{"an unknown model is answered", "model/unknown", func(x *exchange) {
			if x.sent["model"] == "no-such-deployment" {
				x.grant()
			}
		}},
		{"an unknown model is a failure", "model/unknown-stream", func(x *exchange) {
			if x.sent["model"] == "no-such-deployment" {
				x.refuse(http.StatusInternalServerError, "500")
			}
		}},
		{"another code for an unknown model", "model/unknown-code", func(x *exchange) {
			if x.sent["model"] == "no-such-deployment" {
				x.refuse(http.StatusBadRequest, "400")
			}
		}},
		{"names must be spelled exactly", "model/case", func(x *exchange) {
			if x.sent["model"] == "CHAT" {
				x.refuse(http.StatusBadRequest, "unknown_model")
			}
		}},
		{"429 without Retry-After", "limits/retry-after", limited(func(x *exchange) { x.out.Del("Retry-After") })},
		{"Retry-After as a date", "limits/retry-after", limited(func(x *exchange) { x.out.Set("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT") })},
		{"429 without retry-after-ms", "limits/retry-after-ms", limited(func(x *exchange) { x.out.Del("Retry-After-Ms") })},
		{"503 past the limit", "limits/status", limited(func(x *exchange) { x.status = http.StatusServiceUnavailable })},
		{"another code for filtered prompts", "filter/prompt", func(x *exchange) {
			if strings.Contains(messages(x), "mock:filter") {
				x.refuse(http.StatusBadRequest, "filtered")
			}
		}},
		{"thoughts in the content", "reasoning/field", thinking(func(x *exchange) {
			x.edit(func(m map[string]any) {
				msg := below(first(m, "choices"), "message")
				if r, ok := msg["reasoning_content"].(string); ok {
					msg["content"] = "<think>" + r + "</think>x"
					delete(msg, "reasoning_content")
				}
			})
		})},
		{"thoughts are lost", "reasoning/content", thinking(func(x *exchange) {
			x.edit(func(m map[string]any) { below(first(m, "choices"), "message")["content"] = "x" })
		})},
		{"streamed thoughts are lost", "reasoning/stream-field", thinking(func(x *exchange) {
			if x.streamed() {
				x.body = bytes.ReplaceAll(x.body, []byte(`"reasoning_content"`), []byte(`"thinking"`))
			}
		})},
		{"streamed thoughts without marks", "reasoning/stream-content", thinking(func(x *exchange) {
			if x.streamed() {
				x.body = bytes.ReplaceAll(x.body, []byte("think>"), []byte("thought>"))
			}
		})},
		{"thoughts do not count", "reasoning/tokens", thinking(func(x *exchange) {
			x.edit(func(m map[string]any) { delete(below(m, "usage"), "completion_tokens_details") })
		})},
	}
}
