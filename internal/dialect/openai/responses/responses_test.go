package responses_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

// part is a fragment of one part.
func part(at int, p llm.Part) *llm.Reply {
	return &llm.Reply{Choices: []llm.Choice{{At: at, Parts: []llm.Part{p}}}}
}

func text(at int, s string) *llm.Reply { return part(at, llm.NewText(s)) }

func thought(at int, s string) *llm.Reply { return part(at, llm.Reasoning{Text: llm.NewText(s)}) }

func call(at int, id, name, arguments string) *llm.Reply {
	return part(at, llm.ToolCall{ID: id, Name: name, Arguments: llm.NewText(arguments)})
}

func end(f llm.Finish) *llm.Reply {
	return &llm.Reply{Choices: []llm.Choice{{Finish: f}}, Usage: &llm.Usage{Prompt: 8, Completion: 3, Cached: 2, Reasoning: 1}}
}

func says(words ...string) *script.Model {
	s := &script.Model{}
	for _, w := range words {
		s.Fragments = append(s.Fragments, text(0, w))
	}
	s.Fragments = append(s.Fragments, end(llm.FinishStop))
	return s
}

// api serves the handler as a door does; the caller is who the header says.
func api(b llm.Backend, store *responses.Store, change ...func(*responses.Options)) http.Handler {
	o := responses.Options{Options: dialect.Options{Backend: b, MaxBody: 1 << 20, Logger: slog.New(slog.DiscardHandler)}, Store: store}
	for _, c := range change {
		c(&o)
	}
	h := responses.New(o)
	return h.Serve(func(w http.ResponseWriter, r *http.Request) error {
		caller := llm.Caller{Name: r.Header.Get("Caller")}
		_, below, _ := strings.Cut(r.URL.Path, "/responses")
		if rest := dialect.Segments(below); len(rest) > 0 {
			return h.Item(w, r, caller, rest)
		}
		body, err := h.Body(w, r)
		if err != nil {
			return err
		}
		return h.Create(w, r, caller, body, func(model string) (llm.ModelInfo, error) {
			if model == "nobody" {
				return llm.ModelInfo{}, &llm.Error{Kind: llm.UnknownModel, Param: "model", Message: "There is no nobody."}
			}
			return llm.ModelInfo{Deployment: model, Model: "parrot-1"}, nil
		})
	}, func(w http.ResponseWriter, _ *http.Request, e *llm.Error) {
		h.JSON(w, http.StatusTeapot, []byte(e.Kind.String()+" "+e.Param+": "+e.Message))
	})
}

var ids = regexp.MustCompile(`[a-z2-7]{26}`)

// ask returns the answer's body with the random part of ids as X, and what it says after a broken connection.
func ask(t testing.TB, h http.Handler, request, body string, headers ...string) string {
	t.Helper()
	got, _ := exchange(t, h, request, body, headers...)
	return got
}

func exchange(t testing.TB, h http.Handler, request, body string, headers ...string) (string, http.Header) {
	t.Helper()
	raw, header := send(t.Context(), h, request, body, headers...)
	return ids.ReplaceAllString(raw, "X"), header
}

func send(ctx context.Context, h http.Handler, request, body string, headers ...string) (string, http.Header) {
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	broken := ""
	func() {
		defer func() {
			if p := recover(); p != nil {
				err, _ := p.(error)
				if !errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				broken = "<broken>"
			}
		}()
		h.ServeHTTP(w, r)
	}()
	status := ""
	if w.Code != http.StatusOK && w.Code != http.StatusTeapot {
		status = fmt.Sprintf("%d ", w.Code)
	}
	return status + w.Body.String() + broken, w.Header()
}

// The clock of a test begins in the year 2000.
const (
	begun = `"created_at":946684800`
	echo  = `"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{},"parallel_tool_calls":true,"previous_response_id":null,` +
		`"reasoning":{"effort":null,"summary":null},"temperature":1,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":1,"truncation":"disabled","user":null`
	usage = `{"input_tokens":8,"input_tokens_details":{"cached_tokens":2,"cache_write_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":11}`
)

func response(status, output, usage string) string {
	when, details := "", "null"
	switch status {
	case "completed":
		when = `,"completed_at":946684800`
	case "incomplete":
		details = `{"reason":"max_output_tokens"}`
	}
	return `{"id":"resp_X","object":"response",` + begun + when + `,"status":"` + status + `","background":false,"error":null,"incomplete_details":` + details +
		`,"model":"parrot-1","output":[` + output + `],"store":false,` + echo + `,"usage":` + usage + `}`
}

func said(index int, status, s string) string {
	return fmt.Sprintf(`{"id":"msg_X_%d","type":"message","status":"%s","role":"assistant","content":[{"type":"output_text","text":"%s","annotations":[],"logprobs":[]}]}`, index, status, s)
}

func called(index int, status, id, name, arguments string) string {
	return fmt.Sprintf(`{"id":"fc_X_%d","type":"function_call","status":"%s","call_id":"%s","name":"%s","arguments":"%s"}`, index, status, id, name, arguments)
}

func reasoned(index int, status, s string) string {
	return fmt.Sprintf(`{"id":"rs_X_%d","type":"reasoning","status":"%s","summary":[],"content":[{"type":"reasoning_text","text":"%s"}]}`, index, status, s)
}

// stream writes events of alternating type and members, numbered.
func stream(events ...string) string {
	var b strings.Builder
	for i := 0; i < len(events); i += 2 {
		fmt.Fprintf(&b, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%d,%s}\n\n", events[i], events[i], i/2, events[i+1])
	}
	return b.String()
}

const hi = `{"model":"echo","input":"Hi"}`

func TestAnAnswerIsAResponse(t *testing.T) {
	for name, c := range map[string]struct {
		fragments []*llm.Reply
		body      string
		want      string
	}{
		"a text": {
			says("Hi", " you").Fragments, hi, response("completed", said(0, "completed", "Hi you"), usage),
		},
		"cut by length": {
			[]*llm.Reply{text(0, "Hi"), end(llm.FinishLength)}, hi, response("incomplete", said(0, "incomplete", "Hi"), usage),
		},
		"cut by a filter": {
			[]*llm.Reply{text(0, "Hi"), end(llm.FinishFilter)},
			hi,
			strings.Replace(response("incomplete", said(0, "incomplete", "Hi"), usage), "max_output_tokens\"}", "content_filter\"}", 1),
		},
		"nothing": {
			[]*llm.Reply{end(llm.FinishStop)}, hi, response("completed", "", usage),
		},
		"thoughts, a text and two calls": {
			[]*llm.Reply{thought(0, "Hm"), text(1, "Look"), call(2, "call_1", "f", `{}`), call(3, "", "g", ""), end(llm.FinishToolCalls)},
			hi,
			response("completed", reasoned(0, "completed", "Hm")+","+said(1, "completed", "Look")+","+called(2, "completed", "call_1", "f", "{}")+","+
				called(3, "completed", "call_X_3", "g", "{}"), usage),
		},
		"a call that is cut": {
			[]*llm.Reply{call(0, "call_1", "f", `{"a`), end(llm.FinishLength)}, hi, response("incomplete", called(0, "incomplete", "call_1", "f", `{\"a`), usage),
		},
		"calls of which one is cut in the middle of another": {
			[]*llm.Reply{call(0, "call_1", "f", `{"a`), call(1, "call_2", "g", ""), call(2, "call_3", "h", "{}"), end(llm.FinishLength)},
			hi,
			response("incomplete", called(0, "incomplete", "call_1", "f", `{\"a`)+","+called(1, "completed", "call_2", "g", "{}")+","+called(2, "incomplete", "call_3", "h", "{}"), usage),
		},
		"another choice, which nobody asked for": {
			[]*llm.Reply{text(0, "Hi"), {Choices: []llm.Choice{{Index: 1, Parts: []llm.Part{llm.NewText("Ho")}}}}, end(llm.FinishStop)},
			hi,
			response("completed", said(0, "completed", "Hi"), usage),
		},
		"all that is repeated": {
			says("Hi").Fragments, `{"model":"echo","input":"Hi","instructions":"Be\u0020brief.","max_output_tokens":9,"max_tool_calls":3,"metadata":{"a":"b"},"parallel_tool_calls":false,
				"reasoning":{"effort":"low"},"safety_identifier":"s","temperature":0.5,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},
				"tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f","parameters":{"type":"object"},"strict":true},{"type":"function","name":"g","description":"d"}],
				"top_logprobs":2,"top_p":0.25,"truncation":"disabled","user":"u","store":false,"background":false,"stream":false,"include":[],"previous_response_id":null}`,
			strings.Replace(response("completed", said(0, "completed", "Hi"), usage), echo,
				`"instructions":"Be\u0020brief.","max_output_tokens":9,"max_tool_calls":3,"metadata":{"a":"b"},"parallel_tool_calls":false,"previous_response_id":null,`+
					`"reasoning":{"effort":"low","summary":null},"safety_identifier":"s","temperature":0.5,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},`+
					`"tool_choice":{"type":"function","name":"f"},"tools":[{"type":"function","name":"f","description":null,"parameters":{"type":"object"},"strict":true},`+
					`{"type":"function","name":"g","description":"d","parameters":null,"strict":null}],"top_logprobs":2,"top_p":0.25,"truncation":"disabled","user":"u"`, 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if d := cmp.Diff(c.want, ask(t, api(&script.Model{Fragments: c.fragments}, nil), "POST /v1/responses", c.body)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
			})
		})
	}
}

const hiStreamed = `{"model":"echo","input":"Hi","stream":true}`

// opened is how every stream begins.
func opened() []string {
	r := `"response":` + response("in_progress", "", "null")
	return []string{"response.created", r, "response.in_progress", r}
}

func textEvents(index int, status, whole string, deltas ...string) []string {
	at := fmt.Sprintf(`"item_id":"msg_X_%d","output_index":%d,"content_index":0`, index, index)
	events := []string{
		"response.output_item.added", fmt.Sprintf(`"output_index":%d,"item":{"id":"msg_X_%d","type":"message","status":"in_progress","role":"assistant","content":[]}`, index, index),
		"response.content_part.added", at + `,"part":{"type":"output_text","text":"","annotations":[],"logprobs":[]}`,
	}
	for _, d := range deltas {
		events = append(events, "response.output_text.delta", at+`,"delta":"`+d+`","logprobs":[]`)
	}
	return append(
		events, "response.output_text.done", at+`,"text":"`+whole+`","logprobs":[]`,
		"response.content_part.done", at+`,"part":{"type":"output_text","text":"`+whole+`","annotations":[],"logprobs":[]}`,
		"response.output_item.done", fmt.Sprintf(`"output_index":%d,"item":%s`, index, said(index, status, whole)),
	)
}

func callBegins(index int, id, name string, deltas ...string) []string {
	events := []string{"response.output_item.added", fmt.Sprintf(`"output_index":%d,"item":%s`, index, called(index, "in_progress", id, name, ""))}
	for _, d := range deltas {
		events = append(events, "response.function_call_arguments.delta", fmt.Sprintf(`"item_id":"fc_X_%d","output_index":%d,"delta":"%s"`, index, index, d))
	}
	return events
}

func callEnds(index int, id, name, arguments string) []string {
	return []string{
		"response.function_call_arguments.done", fmt.Sprintf(`"item_id":"fc_X_%d","output_index":%d,"name":"%s","arguments":"%s"`, index, index, name, arguments),
		"response.output_item.done", fmt.Sprintf(`"output_index":%d,"item":%s`, index, called(index, "completed", id, name, arguments)),
	}
}

func all(parts ...[]string) string {
	var events []string
	for _, p := range parts {
		events = append(events, p...)
	}
	return stream(events...)
}

func TestAStreamTellsEveryEventInOrder(t *testing.T) {
	completed := func(output string) []string {
		return []string{"response.completed", `"response":` + response("completed", output, usage)}
	}
	for name, c := range map[string]struct {
		fragments []*llm.Reply
		want      string
	}{
		"a text": {
			says("Hi", " you").Fragments,
			all(opened(), textEvents(0, "completed", "Hi you", "Hi", " you"), completed(said(0, "completed", "Hi you"))),
		},
		"a text that is cut": {
			[]*llm.Reply{text(0, "Hi"), end(llm.FinishLength)},
			all(opened(), textEvents(0, "incomplete", "Hi", "Hi"), []string{"response.incomplete", `"response":` + response("incomplete", said(0, "incomplete", "Hi"), usage)}),
		},
		"thoughts and a text": {
			[]*llm.Reply{thought(0, "Hm"), thought(0, "m"), text(1, "Hi"), end(llm.FinishStop)},
			all(opened(), []string{
				"response.output_item.added", `"output_index":0,"item":{"id":"rs_X_0","type":"reasoning","status":"in_progress","summary":[],"content":[]}`,
				"response.content_part.added", `"item_id":"rs_X_0","output_index":0,"content_index":0,"part":{"type":"reasoning_text","text":""}`,
				"response.reasoning_text.delta", `"item_id":"rs_X_0","output_index":0,"content_index":0,"delta":"Hm"`,
				"response.reasoning_text.delta", `"item_id":"rs_X_0","output_index":0,"content_index":0,"delta":"m"`,
				"response.reasoning_text.done", `"item_id":"rs_X_0","output_index":0,"content_index":0,"text":"Hmm"`,
				"response.content_part.done", `"item_id":"rs_X_0","output_index":0,"content_index":0,"part":{"type":"reasoning_text","text":"Hmm"}`,
				"response.output_item.done", `"output_index":0,"item":` + reasoned(0, "completed", "Hmm"),
			}, textEvents(1, "completed", "Hi", "Hi"), completed(reasoned(0, "completed", "Hmm")+","+said(1, "completed", "Hi"))),
		},
		"a call": {
			[]*llm.Reply{call(0, "call_1", "f", ""), call(0, "", "", `{"a"`), call(0, "", "", `:1}`), end(llm.FinishToolCalls)},
			all(opened(), callBegins(0, "call_1", "f", `{\"a\"`, `:1}`), callEnds(0, "call_1", "f", `{\"a\":1}`), completed(called(0, "completed", "call_1", "f", `{\"a\":1}`))),
		},
		"a text, a call, and a call without arguments": {
			[]*llm.Reply{text(0, "Hi"), call(1, "call_1", "f", `{}`), call(2, "call_2", "g", ""), end(llm.FinishToolCalls)},
			all(opened(), textEvents(0, "completed", "Hi", "Hi"), callBegins(1, "call_1", "f", `{}`), callEnds(1, "call_1", "f", `{}`),
				callBegins(2, "call_2", "g", `{}`), callEnds(2, "call_2", "g", `{}`),
				completed(said(0, "completed", "Hi")+","+called(1, "completed", "call_1", "f", `{}`)+","+called(2, "completed", "call_2", "g", `{}`))),
		},
		"calls that come at the same time": {
			[]*llm.Reply{call(0, "call_1", "f", `{`), call(1, "call_2", "g", `{`), call(0, "", "", `}`), call(1, "", "", `}`), end(llm.FinishToolCalls)},
			all(opened(), callBegins(0, "call_1", "f", `{`), callBegins(1, "call_2", "g", `{`), callBegins(0, "", "", `}`)[2:], callBegins(1, "", "", `}`)[2:],
				callEnds(0, "call_1", "f", `{}`), callEnds(1, "call_2", "g", `{}`),
				completed(called(0, "completed", "call_1", "f", `{}`)+","+called(1, "completed", "call_2", "g", `{}`))),
		},
		"a text that goes on after a call": {
			[]*llm.Reply{text(0, "Hi"), call(1, "call_1", "f", `{}`), text(0, " you"), end(llm.FinishStop)},
			all(opened(), textEvents(0, "completed", "Hi", "Hi"), callBegins(1, "call_1", "f", `{}`), callEnds(1, "call_1", "f", `{}`), textEvents(2, "completed", " you", " you"),
				completed(said(0, "completed", "Hi")+","+called(1, "completed", "call_1", "f", `{}`)+","+said(2, "completed", " you"))),
		},
		"the model's own name": {
			[]*llm.Reply{{Model: "parrot-1", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("")}}}}, text(0, "Hi"), end(llm.FinishStop)},
			all(opened(), textEvents(0, "completed", "Hi", "Hi"), completed(said(0, "completed", "Hi"))),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, h := exchange(t, api(&script.Model{Fragments: c.fragments}, nil), "POST /v1/responses", hiStreamed)
				if d := cmp.Diff(c.want, got); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				if h.Get("Content-Type") != "text/event-stream" {
					t.Errorf("headers are %v", h)
				}
			})
		})
	}
}
