package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/client"
)

const wholeReply = `{"id":"9e5fc5b7c40c4a1fb9f4ba2ffd34c1de","object":"chat.completion","created":1763880000,"model":"phi-4",
"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hello.","tool_calls":null}}],
"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14,"completion_tokens_details":{"reasoning_tokens":2}},
"system_fingerprint":"fp_1"}`

// seen is what a server got: the request and its body.
type seen struct {
	*http.Request

	body string
}

// serve starts a server on loopback that records the last request and answers with h.
func serve(t testing.TB, h http.HandlerFunc) (url string, last *seen) {
	t.Helper()
	last = new(seen)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		*last = seen{r, string(body)}
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, last
}

func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func newClient(t testing.TB, url string, o *client.Options) *client.Client {
	t.Helper()
	c, err := client.New(url, client.Key("K"), o)
	if err != nil {
		t.Fatalf("New(%q): %v", url, err)
	}
	return c
}

func hello() *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}}
}

func TestChatReturnsTheWholeReply(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, answer(200, wholeReply, "X-Ingot-Deployment", "phi-4"))
	got, err := newClient(t, url, nil).Chat(t.Context(), hello())
	if err != nil {
		t.Fatal(err)
	}
	if got.Text() != "Hello." || got.Choices[0].FinishReason != client.FinishStop || got.Model != "phi-4" {
		t.Errorf("got %+v", got)
	}
	if got.Usage.TotalTokens != 14 || string(got.Usage.Extra["completion_tokens_details"]) != `{"reasoning_tokens":2}` {
		t.Errorf("got usage %+v", got.Usage)
	}
	if string(got.Extra["system_fingerprint"]) != `"fp_1"` {
		t.Errorf("unknown member is lost: %v", got.Extra)
	}
	if !got.Created.Time().Equal(time.Unix(1763880000, 0)) || got.Header.Get("X-Ingot-Deployment") != "phi-4" {
		t.Errorf("got created %v, header %v", got.Created, got.Header)
	}
}

func TestRequestIsWhatTheOfficialSDKsSend(t *testing.T) {
	t.Parallel()
	url, last := serve(t, answer(200, wholeReply))
	req := &client.ChatRequest{
		Model: "phi-4", MaxTokens: new(64), Temperature: new(0.0), Seed: new(int64(5)), Stop: []string{"END"},
		Messages: []client.Message{
			client.System("Be <brief>."),
			client.User("What is this?", client.Image("data:image/png;base64,AA==")),
			{Role: client.RoleAssistant, ReasoningContent: "hm", ToolCalls: []client.ToolCall{
				{ID: "c1", Type: "function", Function: client.FunctionCall{Name: "look", Arguments: "{}"}},
			}},
			client.ToolResult("c1", ""),
		},
		Tools:          []client.Tool{{Function: client.Function{Name: "look", Parameters: json.RawMessage(`{"type":"object"}`)}}},
		ToolChoice:     &client.ToolChoice{Function: "look"},
		ResponseFormat: &client.ResponseFormat{Type: "text"},
		Extra:          map[string]any{"top_k": json.RawMessage("3"), "n": json.RawMessage("1")},
		Header:         http.Header{"azureml-model-deployment": {"blue"}},
	}
	if _, err := newClient(t, url+"/models/", &client.Options{ApplicationID: "app"}).Chat(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	want := `{"model":"phi-4","messages":[{"role":"system","content":"Be <brief>."},` +
		`{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},` +
		`{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}}]},` +
		`{"role":"tool","content":"","tool_call_id":"c1"}],"max_tokens":64,"temperature":0,"seed":5,"stop":["END"],` +
		`"tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}],` +
		`"tool_choice":{"type":"function","function":{"name":"look"}},"response_format":{"type":"text"},"n":1,"top_k":3}`
	if last.body != want {
		t.Errorf("body\n got %s\nwant %s", last.body, want)
	}
	if got := last.Method + " " + last.RequestURI; got != "POST /models/chat/completions?api-version=2024-05-01-preview" {
		t.Errorf("got %s", got)
	}
	for name, want := range map[string]string{
		"Api-Key":                  "^K$",
		"Authorization":            "^Bearer K$",
		"Accept":                   "^application/json$",
		"Content-Type":             "^application/json$",
		"Extra-Parameters":         "^pass-through$",
		"Azureml-Model-Deployment": "^blue$",
		"X-Ms-Client-Request-Id":   "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
		"User-Agent":               `^app ingot-go-client/\d`,
	} {
		if got := last.Header.Get(name); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: got %q, want %s", name, got, want)
		}
	}
}

func TestExtraParametersAndDefaults(t *testing.T) {
	t.Parallel()
	url, last := serve(t, answer(200, wholeReply))
	if _, err := newClient(t, url, nil).Chat(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	if _, ok := last.Header["Extra-Parameters"]; ok || last.body != `{"messages":[{"role":"user","content":"Hello?"}]}` {
		t.Errorf("got header %v, body %s", last.Header, last.body)
	}
	req := hello()
	req.Extra = map[string]any{"top_k": 3}
	if _, err := newClient(t, url, &client.Options{ExtraParameters: client.ExtraDrop}).Chat(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := last.Header.Get("Extra-Parameters"); got != "drop" {
		t.Errorf("got extra-parameters %q", got)
	}
}

func TestEndpointsMayBeWrittenInManyWays(t *testing.T) {
	t.Parallel()
	url, last := serve(t, answer(200, wholeReply))
	for endpoint, want := range map[string]string{
		"":                  "/chat/completions?api-version=2024-05-01-preview",
		"/models///":        "/models/chat/completions?api-version=2024-05-01-preview",
		"/deployments/a%2F": "/deployments/a%2F/chat/completions?api-version=2024-05-01-preview",
		"/models/chat/completions?api-version=2025-04-01": "/models/chat/completions?api-version=2025-04-01",
		"/openai/v1/":     "/openai/v1/chat/completions",
		"/models?team=a":  "/models/chat/completions?api-version=2024-05-01-preview&team=a",
		"/deployments/d1": "/deployments/d1/chat/completions?api-version=2024-05-01-preview",
	} {
		if _, err := newClient(t, url+endpoint, nil).Chat(t.Context(), hello()); err != nil {
			t.Fatal(err)
		}
		if last.RequestURI != want {
			t.Errorf("endpoint %q: got %s, want %s", endpoint, last.RequestURI, want)
		}
	}
	if _, err := newClient(t, url, &client.Options{APIVersion: client.NoAPIVersion}).Chat(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	if last.RequestURI != "/chat/completions" {
		t.Errorf("without api-version: got %s", last.RequestURI)
	}
	for _, bad := range []string{"", "host/models", "ftp://host", "http://", "http://u:secret@host", "http://a\x00b"} {
		if _, err := client.New(bad, nil, nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q): got %v", bad, err)
		}
	}
}

func TestRequestsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	c := newClient(t, "http://127.0.0.1:1", nil)
	for name, req := range map[string]*client.ChatRequest{
		"nothing":                 nil,
		"no messages":             {},
		"a field as extra member": {Messages: hello().Messages, Extra: map[string]any{"model": json.RawMessage(`"m"`)}},
		"stream as extra member":  {Messages: hello().Messages, Extra: map[string]any{"stream": json.RawMessage("true")}},
		"an extra member no JSON": {Messages: hello().Messages, Extra: map[string]any{"x": json.RawMessage("{")}},
	} {
		if _, err := c.Chat(t.Context(), req); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: got %v, want an error before any call", name, err)
		}
	}
}

func TestAnAnswerGoesBackAsHistory(t *testing.T) {
	t.Parallel()
	url, last := serve(t, answer(200, `{"created":1763880000.9,"choices":[{"message":{"role":"assistant","content":null,"reasoning_content":"hm",`+
		`"mood":"good","tool_calls":[{"id":"c1","type":"function","function":{"call_id":null,"name":"f","arguments":{"a": 1}}}]},"finish_reason":"tool_calls"}]}`))
	c := newClient(t, url, nil)
	got, err := c.Chat(t.Context(), hello())
	if err != nil {
		t.Fatal(err)
	}
	m := got.Choices[0].Message
	if m.Content != nil || m.ReasoningContent != "hm" || m.ToolCalls[0].Function.Arguments != `{"a": 1}` || got.Created != 1763880000 {
		t.Errorf("got %+v", got)
	}
	if _, err := c.Chat(t.Context(), &client.ChatRequest{Messages: []client.Message{m}}); err != nil {
		t.Fatal(err)
	}
	want := `{"messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"function",` +
		`"function":{"name":"f","arguments":"{\"a\": 1}","call_id":null}}],"mood":"good"}]}`
	if last.body != want {
		t.Errorf("body\n got %s\nwant %s", last.body, want)
	}
}

func TestContentListsAreRead(t *testing.T) {
	t.Parallel()
	var m client.Message
	if err := json.Unmarshal([]byte(`{"content":[{"type":"text","text":"a"},{"type":"mood","mood":1},{"type":"text","text":"b"}]}`), &m); err != nil {
		t.Fatal(err)
	}
	if m.Content.Text() != "ab" || !reflect.DeepEqual(m.Content[1].Extra, client.Extra{"mood": json.RawMessage("1")}) {
		t.Errorf("got %+v", m.Content)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	url, last := serve(t, answer(200, `{"model_name":"phi-4","model_type":"chat_completion","model_provider_name":"Microsoft","served_model_name":"p"}`))
	got, err := newClient(t, url+"/models", nil).Info(t.Context(), "phi 4")
	if err != nil {
		t.Fatal(err)
	}
	want := &client.Info{
		ModelName: "phi-4", ModelType: "chat_completion", ModelProviderName: "Microsoft",
		Extra: client.Extra{"served_model_name": json.RawMessage(`"p"`)},
	}
	got.Meta = client.Meta{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := last.Method + " " + last.RequestURI; got != "GET /models/info?api-version=2024-05-01-preview&model=phi+4" {
		t.Errorf("got %s", got)
	}
}

func TestRepliesThatAreNoAnswer(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"HTML":           "<html>",
		"cut":            wholeReply[:100],
		"no choices":     `{"object":"chat.completion"}`,
		"null":           "null",
		"error with 200": `{"error":{"code":"x","message":"no"}}`,
		"too long":       `{"choices":[{"message":{"content":"` + strings.Repeat("a", 1<<16) + `"}}]}`,
	} {
		url, _ := serve(t, answer(200, body))
		if got, err := newClient(t, url, &client.Options{MaxReply: 1 << 16}).Chat(t.Context(), hello()); err == nil {
			t.Errorf("%s: got %+v and no error", name, got)
		}
	}
}

func TestTheKeyDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	elsewhere, last := serve(t, answer(200, wholeReply))
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	_, err := newClient(t, url, nil).Chat(t.Context(), hello())
	if err == nil || !strings.Contains(err.Error(), elsewhere) {
		t.Errorf("got %v, want an error that names %s", err, elsewhere)
	}
	if last.Request != nil {
		t.Errorf("the redirect was followed with %v", last.Header)
	}
}

// The connection that follows a 101 is no body, and no context ends it.
func TestAServerThatSwitchesProtocolsUnaskedIsNotListenedTo(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "other")
		w.WriteHeader(http.StatusSwitchingProtocols)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-t.Context().Done():
		}
	})
	done := make(chan error, 1)
	go func() {
		_, err := newClient(t, url, nil).Chat(t.Context(), hello())
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "switched protocols") {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the client waits without end")
	}
}

func TestCancellingEndsTheCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := newClient(t, url, nil).Chat(ctx, hello()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
