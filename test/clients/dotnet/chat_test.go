package dotnet_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	chatPath  = "/chat/completions"
	embedPath = "/embeddings"
)

var (
	hex     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	weather = `"tools":[{"type":"function","function":{"name":"get_weather","description":"Tells the weather.","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},{"type":"function","function":{"name":"get_time"}}]`
)

// chat is the answer to a whole chat.
func chat(t *testing.T, c call) completion {
	t.Helper()
	c.path = chatPath
	e := answer(t, c.do(t))
	return parsed(t, func() completion { return readCompletion(e) })
}

// streamed are the updates of a stream, and what ended it before its end.
func streamed(t *testing.T, c call) (updates []update, err error) {
	t.Helper()
	c.path = chatPath
	resp := c.do(t)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("got %+v", failed(t, resp))
	}
	err = catch(func() { stream(resp.Body, func(u update) { updates = append(updates, u) }) })
	return updates, err
}

// joined is the text of all updates together.
func joined(updates []update) string {
	var b strings.Builder
	for _, u := range updates {
		b.WriteString(u.Content)
	}
	return b.String()
}

func TestAnAnswerHasWhatTheParserAsksFor(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		got := chat(t, call{secure: secure, body: `{` + user("Hello there, world") + `}`})
		if !hex.MatchString(got.ID) || time.Since(time.Unix(got.Created, 0)).Abs() > time.Minute {
			t.Errorf("id %q, created %d", got.ID, got.Created)
		}
		got.ID, got.Created = "", 0
		want := completion{Model: "mock", Role: "assistant", Content: "Hello there, world", FinishReason: "stop", Choices: 1, Usage: usage{7, 4, 11}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}

func TestAnyTextSurvivesTheEscapesOfTheWriter(t *testing.T) {
	t.Parallel()
	const text = "Grüße, 世界! 🚀 <b>'quoted' & \"so\" + on</b> \\ \n\u2028"
	body := `{` + user(text) + `}`
	if !strings.Contains(body, `Gr\u00FC\u00DFe, \u4E16\u754C! \uD83D\uDE80 \u003Cb\u003E\u0027quoted\u0027 \u0026 \u0022so\u0022 \u002B on`) {
		t.Errorf("the writer made %s", body)
	}
	if got := chat(t, call{body: body}).Content; got != text {
		t.Errorf("got %q", got)
	}
	updates, err := streamed(t, call{body: `{` + user(text) + `,"stream":true}`})
	if got := joined(updates); got != text || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEveryMemberIsTaken(t *testing.T) {
	t.Parallel()
	const body = `{"messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":"Be kind."},{"role":"user","content":"One"},` +
		`{"role":"assistant","content":"One"},{"role":"user","content":[{"type":"text","text":"a b c d"}]}],"max_tokens":2,"temperature":1,"top_p":0.5,` +
		`"stop":["never"],"presence_penalty":2,"frequency_penalty":-2,"seed":9223372036854775807,"model":"mock","response_format":{"type":"text"}}`
	got := chat(t, call{base: "/models", body: body})
	if got.Content != "a b" || got.FinishReason != "length" {
		t.Errorf("got %+v", got)
	}
}

func TestAResponseFormatShapesTheAnswer(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		`{"type":"json_object"}`: "{}",
		`{"type":"json_schema","json_schema":{"name":"number","schema":{"type":"object","properties":{"n":{"type":"integer","minimum":3}},"required":["n"],` +
			`"additionalProperties":false},"description":"A number.","strict":true}}`: `{"n":3}`,
	} {
		if got := chat(t, call{body: `{` + user("Hi") + `,"response_format":` + format + `}`}); got.Content != want {
			t.Errorf("%s: got %+v", format, got)
		}
	}
}

func TestToolsAreCalledUntilThereIsAnAnswer(t *testing.T) {
	t.Parallel()
	for choice, name := range map[string]string{`"required"`: "get_weather", `{"type":"function","function":{"name":"get_time"}}`: "get_time"} {
		got := chat(t, call{body: `{` + user("How is the weather?") + `,` + weather + `,"tool_choice":` + choice + `}`})
		if len(got.ToolCalls) != 1 || got.ToolCalls[0].Name != name || got.ToolCalls[0].Type != "function" || got.FinishReason != "tool_calls" {
			t.Fatalf("%s: got %+v", choice, got)
		}
		c := got.ToolCalls[0]
		// An assistant's message has its text where that is empty, and has none where it was null.
		for _, content := range []string{`"content":"",`, ""} {
			history := `{"messages":[{"role":"user","content":"How is the weather?"},{"role":"assistant",` + content + `"tool_calls":[{"id":"` + c.ID +
				`","type":"function","function":{"name":"` + c.Name + `","arguments":"` + escaped(c.Arguments) + `"}}]},{"role":"tool","content":"clear","tool_call_id":"` +
				c.ID + `"}],` + weather + `}`
			if got := chat(t, call{body: history}); got.Content != "How is the weather?" || got.ToolCalls != nil {
				t.Errorf("%s: got %+v", choice, got)
			}
		}
	}
}

func TestToolsAreCalledInAStream(t *testing.T) {
	t.Parallel()
	updates, err := streamed(t, call{body: `{` + user("How is the weather?") + `,"stream":true,` + weather + `,"tool_choice":"required"}`})
	if err != nil {
		t.Fatal(err)
	}
	var id, name, arguments string
	for _, u := range updates {
		if u.Call == nil {
			continue
		}
		id += u.Call.ID
		name += u.Call.Name
		arguments += u.Call.Arguments
		if u.Call.Index != 0 {
			t.Errorf("got index %d", u.Call.Index)
		}
	}
	if !strings.HasPrefix(id, "call_") || strings.Count(id, "call_") != 1 || name != "get_weather" || arguments != `{"city":""}` {
		t.Errorf("got %q %q %q", id, name, arguments)
	}
	if last := updates[len(updates)-1]; last.FinishReason != "tool_calls" || last.Usage == nil {
		t.Errorf("the last is %+v", last)
	}
}

func TestAStreamHasWhatTheParserAsksFor(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		updates, err := streamed(t, call{secure: secure, body: `{` + user("Hello there") + `,"stream":true,"model":"mock"}`})
		if err != nil || len(updates) == 0 {
			t.Fatalf("%d updates, %v", len(updates), err)
		}
		first := updates[0]
		if !hex.MatchString(first.ID) || first.Created == 0 {
			t.Errorf("got %+v", first)
		}
		var got []update
		for _, u := range updates {
			if u.ID != first.ID || u.Created != first.Created {
				t.Errorf("got %+v after %+v", u, first)
			}
			u.ID, u.Created = "", 0
			got = append(got, u)
		}
		want := []update{
			{Model: "mock", Role: "assistant"},
			{Model: "mock", Content: "Hello"},
			{Model: "mock", Content: " there"},
			{Model: "mock", FinishReason: "stop", Usage: &usage{5, 2, 7}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}
}

func TestAStreamThatFailsThrowsAfterWhatArrived(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"breaks", "cut"} {
		updates, err := streamed(t, call{server: faults, body: `{` + user("a b c d e") + `,"stream":true,"model":"` + model + `"}`})
		if err == nil || !slices.Contains([]string{"", "a", "a b", "a b c"}, joined(updates)) {
			t.Errorf("%s: got %q, %v", model, joined(updates), err)
		}
	}
}

func TestAnAnswerIsReadByRulesThatRefuse(t *testing.T) {
	t.Parallel()
	const good = `{"id":"1","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":null}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	read := func(text string) error { return catch(func() { readCompletion(document([]byte(text))) }) }
	if err := read(good); err != nil {
		t.Error(err)
	}
	for _, change := range [][2]string{
		{`"created":1`, `"created":null`},
		{`"created":1`, `"created":1.0`},
		{`"id":"1"`, `"id":1`},
		{`"role":"assistant"`, `"role":null`},
		{`"choices":[`, `"choices":[],"more":[`},
		{`"index":0`, `"index":"0"`},
		{`"total_tokens":2`, `"total_tokens":4294967296`},
		{`"id":"1",`, `"id":"1",,`},
	} {
		if err := read(strings.Replace(good, change[0], change[1], 1)); err == nil {
			t.Errorf("%s is taken", change[1])
		}
	}
	const done = "data: [DONE]\n\n"
	taken := []string{"data: {\"choices\":[]}\n\n" + done, "data:{}\r\n\r\ndata:[DONE]\r\n\r\n", ": hello\n\n" + done}
	refused := []string{
		": hello\n" + done,
		"event: chunk\ndata: {}\n\n" + done,
		"data: {}\n\n",
		"data: {\ndata: }\n\n" + done,
		"data: {\"choices\":[{\"delta\":{\"tool_calls\":null}}]}\n\n" + done,
	}
	for i, text := range slices.Concat(taken, refused) {
		if err := catch(func() { stream(strings.NewReader(text), func(update) {}) }); (err == nil) != (i < len(taken)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
