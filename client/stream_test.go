package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
)

const (
	head = `{"id":"6d2b","object":"chat.completion.chunk","created":1763880000,"model":"phi-4","choices":[{"index":0,`

	first = "data: " + head + `"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	hel   = "data: " + head + `"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n"
	lo    = "data: " + head + `"delta":{"content":"lo."},"finish_reason":null}]}` + "\n\n"
	last  = "data: " + head + `"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}}` + "\n\n"
	done  = "data: [DONE]\n\n"
)

// transport answers every request without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(status int, body io.Reader, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(body)}
}

func offline(t testing.TB, o client.Options, f transport) *client.Client {
	t.Helper()
	o.HTTPClient = &http.Client{Transport: f}
	return newClient(t, "http://offline", &o)
}

// replay streams what body holds through a client.
func replay(t testing.TB, body io.Reader, o client.Options) (string, *client.ChatReply, error) {
	t.Helper()
	c := offline(t, o, func(*http.Request) (*http.Response, error) { return response(200, body, nil), nil })
	var text strings.Builder
	reply, err := collect.Chat(func(yield func(*client.Chunk, error) bool) {
		failed := false
		for chunk, err := range c.ChatStream(t.Context(), hello()) {
			if failed {
				t.Fatal("the stream goes on after an error")
			}
			if failed = err != nil; !failed {
				text.WriteString(chunk.Text())
			}
			if !yield(chunk, err) {
				return
			}
		}
	})
	return text.String(), reply, err
}

func TestStreamArrivesInOrderOverHTTP(t *testing.T) {
	t.Parallel()
	url, last2 := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, event := range []string{first, hel, lo, last, done} {
			io.WriteString(w, event)
			http.NewResponseController(w).Flush()
		}
	})
	var texts []string
	var usage *client.Usage
	for chunk, err := range newClient(t, url, nil).ChatStream(t.Context(), hello()) {
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, chunk.Text())
		usage = chunk.Usage
	}
	if want := []string{"", "Hel", "lo.", ""}; !slices.Equal(texts, want) || usage == nil || usage.TotalTokens != 14 {
		t.Errorf("got %q and %+v", texts, usage)
	}
	if want := `{"messages":[{"role":"user","content":"Hello?"}],"stream":true}`; last2.body != want {
		t.Errorf("got body %s, want %s", last2.body, want)
	}
}

func TestStreamsOfEverySpelling(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"as written down":          first + hel + lo + last + done,
		"CRLF":                     strings.ReplaceAll(first+hel+lo+last+done, "\n", "\r\n"),
		"no space after the colon": strings.ReplaceAll(first+hel+lo+last+done, "data: ", "data:"),
		"comments and pings":       ": hi\n\n" + first + ":\n\n\n" + hel + "event: ping\n\n" + lo + last + done,
		"other fields":             "id: 1\nevent: message\nretry: 5\nnonsense\n" + first + hel + lo + last + done,
		"data in several lines":    strings.ReplaceAll(first+hel+lo+last, `,"model"`, ",\ndata: \"model\"") + done,
		"a byte order mark":        "\ufeff" + first + hel + lo + last + done,
		"no DONE, but a finish":    first + hel + lo + last,
		"no last blank line":       strings.TrimRight(first+hel+lo+last+done, "\n"),
		"usage in its own chunk":   first + hel + lo + strings.Replace(last, `,"usage":`, `,"x":`, 1) + `data: {"choices":[],"usage":{"total_tokens":14}}` + "\n\n" + done,
		"text after the end":       first + hel + lo + last + done + "data: {\n\n",
	} {
		for kind, r := range map[string]io.Reader{"whole": strings.NewReader(body), "by bytes": iotest.OneByteReader(strings.NewReader(body))} {
			text, reply, err := replay(t, r, client.Options{})
			if err != nil || text != "Hello." || reply.Text() != "Hello." || reply.Usage.TotalTokens != 14 || reply.Choices[0].FinishReason != client.FinishStop {
				t.Errorf("%s, %s: got %q, %+v, %v", name, kind, text, reply, err)
			}
		}
	}
}

func TestStreamsThatBreakAreErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		body io.Reader
		want error
	}{
		"nothing":                  {strings.NewReader(""), client.ErrTruncated},
		"before the finish":        {strings.NewReader(first + hel), client.ErrTruncated},
		"inside an event":          {strings.NewReader(first + hel + lo[:40]), client.ErrTruncated},
		"connection broken":        {io.MultiReader(strings.NewReader(first+hel), iotest.ErrReader(io.ErrUnexpectedEOF)), client.ErrTruncated},
		"broken after the finish":  {io.MultiReader(strings.NewReader(first+last), iotest.ErrReader(io.ErrUnexpectedEOF)), client.ErrTruncated},
		"another transport error":  {io.MultiReader(strings.NewReader(first+hel), iotest.ErrReader(broken)), broken},
		"and it is cut":            {io.MultiReader(strings.NewReader(first+hel), iotest.ErrReader(broken)), client.ErrTruncated},
		"one of two choices ended": {strings.NewReader(strings.Replace(hel, `"index":0`, `"index":1`, 1) + last), client.ErrTruncated},
		"an event that is no JSON": {strings.NewReader(first + "data: {\n\n" + done), nil},
		"an event without an end":  {io.MultiReader(strings.NewReader("data: "), endless{}), nil},
		"a line without an end":    {endless{}, nil},
	} {
		_, _, err := replay(t, c.body, client.Options{MaxEvent: 1 << 16})
		if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestErrorsInsideAStream(t *testing.T) {
	t.Parallel()
	for name, event := range map[string]string{
		"error member, then DONE": `data: {"error":{"code":"BackendError","message":"gone","type":"server_error","param":null}}` + "\n\n" + done,
		"error event":             `event: error` + "\n" + `data: {"code":"BackendError","message":"gone"}` + "\n\n",
	} {
		text, reply, err := replay(t, strings.NewReader(first+hel+event), client.Options{})
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.Code != "BackendError" || e.Message != "gone" || e.Status != 200 {
			t.Errorf("%s: got %#v", name, err)
		}
		if text != "Hel" || reply.Text() != "Hel" {
			t.Errorf("%s: got text %q, %q", name, text, reply.Text())
		}
	}
}

func TestStreamRefusedBeforeItBegins(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"status":              answer(400, `{"error":{"code":"unknown_model","message":"Unknown model: x"}}`),
		"JSON error with 200": answer(200, `{"error":{"code":"unknown_model","message":"Unknown model: x"}}`),
		"JSON with 200":       answer(200, wholeReply),
	} {
		url, _ := serve(t, h)
		n := 0
		for chunk, err := range newClient(t, url, nil).ChatStream(t.Context(), hello()) {
			if n++; chunk != nil || err == nil {
				t.Errorf("%s: got %v, %v", name, chunk, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: got %d pairs, want one", name, n)
		}
	}
}

func TestStreamIsLazyAndLeavingItHangsUp(t *testing.T) {
	t.Parallel()
	hungUp := make(chan struct{})
	calls := 0
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls++
		io.WriteString(w, first)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(hungUp)
	})
	stream := newClient(t, url, nil).ChatStream(t.Context(), hello())
	if calls != 0 {
		t.Fatal("called before ranging")
	}
	for _, err := range stream {
		if err != nil {
			t.Error(err)
		}
		break
	}
	<-hungUp
}

func TestCancellingEndsTheStream(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, first)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	var last error
	for _, err := range newClient(t, url, nil).ChatStream(ctx, hello()) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("got %v", last)
	}
}

func TestConnectionIsUsedAgainAfterAStream(t *testing.T) {
	t.Parallel()
	peers := map[string]bool{}
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		io.WriteString(w, first+last)
		http.NewResponseController(w).Flush()
		io.WriteString(w, done)
	})
	c := newClient(t, url, &client.Options{HTTPClient: &http.Client{Transport: &http.Transport{}}})
	for range 5 {
		if _, err := collect.Chat(c.ChatStream(t.Context(), hello())); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 1 {
		t.Errorf("got %d connections for five streams, want one", len(peers))
	}
}

func TestCollectJoinsToolCallsAndChoices(t *testing.T) {
	t.Parallel()
	delta := func(d string) string { return "data: " + head + `"delta":` + d + `,"finish_reason":null}]}` + "\n\n" }
	call := func(id, name, arguments string, index *int) client.ToolCall {
		return client.ToolCall{Index: index, ID: id, Type: "function", Function: client.FunctionCall{Name: name, Arguments: client.Arguments(arguments)}}
	}
	for name, c := range map[string]struct {
		body string
		want []client.ToolCall
	}{
		"by index": {
			delta(`{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_a1","type":"function","function":{"name":"get_time","arguments":""}}]}`) +
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"tz\":"}}]}`) +
				delta(`{"tool_calls":[{"index":1,"id":"call_a2","type":"function","function":{"name":"f","arguments":"{}"}}]}`) +
				delta(`{"tool_calls":[{"index":0,"function":{"arguments":"\"UTC\"}"}}]}`),
			[]client.ToolCall{call("call_a1", "get_time", `{"tz":"UTC"}`, new(0)), call("call_a2", "f", "{}", new(1))},
		},
		"by id": {
			delta(`{"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}},{"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}`) +
				delta(`{"tool_calls":[{"id":"a","function":{"arguments":"}"}}]}`),
			[]client.ToolCall{call("a", "f", "{}", nil), call("b", "g", "{}", nil)},
		},
		"by neither": {
			delta(`{"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{"}}]}`) + delta(`{"tool_calls":[{"function":{"arguments":"}"}}]}`),
			[]client.ToolCall{call("a", "f", "{}", nil)},
		},
	} {
		_, reply, err := replay(t, strings.NewReader(c.body+last+done), client.Options{})
		if err != nil || !reflect.DeepEqual(reply.Choices[0].Message.ToolCalls, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, reply.Choices[0].Message.ToolCalls, err, c.want)
		}
	}

	two := strings.NewReader(strings.ReplaceAll(hel, `"index":0`, `"index":1`) + hel + lo + last + done)
	if _, reply, err := replay(t, two, client.Options{}); err != nil || len(reply.Choices) != 2 || reply.Choices[1].Message.Content.Text() != "Hel" || reply.Text() != "Hello." {
		t.Errorf("two choices: got %+v, %v", reply, err)
	}
}

func FuzzChatStream(f *testing.F) {
	f.Add([]byte(first + hel + lo + last + done))
	f.Add([]byte("\ufeff: x\r\nevent: error\r\ndata:{\"error\":\"x\"}\r\n\r\n"))
	f.Add([]byte("data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":1}]}}]}\n\ndata"))
	f.Add([]byte("data: null\n\ndata: {\"choices\":[null],\"usage\":null,\"created\":1e99}\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		o := client.Options{MaxEvent: 1 << 12}
		text, whole, err := replay(t, strings.NewReader(string(body)), o)
		text2, bytewise, err2 := replay(t, iotest.OneByteReader(strings.NewReader(string(body))), o)
		whole.Meta, bytewise.Meta = client.Meta{}, client.Meta{}
		if text != text2 || !reflect.DeepEqual(whole, bytewise) || (err == nil) != (err2 == nil) {
			t.Errorf("got %+v, %v whole and %+v, %v by bytes", whole, err, bytewise, err2)
		}
		if err == nil && !strings.Contains(string(body), "[DONE]") && !strings.Contains(strings.ToLower(string(body)), "finish_reason") {
			t.Error("a stream without an end passed as complete")
		}
	})
}

func BenchmarkChatStream(b *testing.B) {
	body := first + strings.Repeat(hel, 1000) + last + done
	c := offline(b, client.Options{}, func(*http.Request) (*http.Response, error) { return response(200, strings.NewReader(body), nil), nil })
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range c.ChatStream(b.Context(), hello()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/fragment")
}
