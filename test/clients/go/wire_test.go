package sdk_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	goopenai "github.com/sashabaranov/go-openai"
)

// What doc/protocol.md says of the parsers and the retries of these clients, measured with a server that says what it is told to.

// reads says how each client reads a stream: the text it found, then "ok" for an end without an error, "error" for one that
// carries what the server said, and "broken" for any other.
var reads = map[string]func(t *testing.T, server string) string{
	"openai-go": func(t *testing.T, server string) string {
		c := openai.NewClient(option.WithBaseURL(server), option.WithAPIKey(key), option.WithMaxRetries(0))
		stream := c.Chat.Completions.NewStreaming(t.Context(), says(hello))
		text := ""
		for stream.Next() {
			for _, choice := range stream.Current().Choices {
				text += choice.Delta.Content
			}
		}
		return text + " " + verdict(stream.Err())
	},
	"azopenai": func(t *testing.T, server string) string {
		c, err := azopenai.NewClientForOpenAI(server, azcore.NewKeyCredential(key), &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{
			Retry: policy.RetryOptions{MaxRetries: -1}, InsecureAllowCredentialWithHTTP: true,
		}})
		must(t, c, err)
		stream, err := c.GetChatCompletionsStream(t.Context(), azopenai.ChatCompletionsStreamOptions{DeploymentName: new("mock"), Messages: azsays(hello)}, nil)
		must(t, stream, err)
		defer func() { _ = stream.ChatCompletionsStream.Close() }()
		text := ""
		for {
			chunk, err := stream.ChatCompletionsStream.Read()
			if err != nil {
				return text + " " + verdict(err)
			}
			for _, choice := range chunk.Choices {
				if choice.Delta != nil && choice.Delta.Content != nil {
					text += *choice.Delta.Content
				}
			}
		}
	},
	"go-openai": func(t *testing.T, server string) string {
		config := goopenai.DefaultConfig(key)
		config.BaseURL = server
		stream, err := goopenai.NewClientWithConfig(config).CreateChatCompletionStream(t.Context(), gosays(hello))
		text, _, err := received(must(t, stream, err))
		return text + " " + verdict(err)
	},
}

func verdict(err error) string {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return "ok"
	case strings.Contains(err.Error(), "overloaded"):
		return "error"
	}
	return "broken"
}

func TestWhatTheParsersOfStreamsDo(t *testing.T) {
	chunk := func(text string) string {
		return `{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"` + text + `"},"finish_reason":null}]}`
	}
	const (
		done   = "data: [DONE]\n\n"
		failed = `data: {"error":{"message":"overloaded","type":"server_error","param":null,"code":"500"}}` + "\n\n"
		abort  = "<abort>"
	)
	a, b := "data: "+chunk("a")+"\n\n", "data: "+chunk("b")+"\n\n"
	for _, test := range []struct {
		name, sent string
		want       [3]string // of openai-go, azopenai, go-openai
	}{
		{"as it should be", a + b + done, [3]string{"ab ok", "ab ok", "ab ok"}},
		{"no space after the colon", "data:" + chunk("a") + "\n\n" + done, [3]string{"a ok", "a ok", "a ok"}},
		{"CRLF", strings.ReplaceAll(a+b+done, "\n", "\r\n"), [3]string{"ab ok", "ab ok", "ab ok"}},
		{"a comment", ": wait\n\n" + a + done, [3]string{"a ok", "a ok", "a ok"}},
		{"an event line", "event: chunk\n" + a + done, [3]string{"a ok", " broken", "a ok"}},
		{"two data lines of one event", "data: " + chunk("a")[:9] + "\ndata: " + chunk("a")[9:] + "\n\n" + done, [3]string{"a ok", " broken", " broken"}},
		{"no [DONE]", a + b, [3]string{"ab ok", "ab broken", "ab ok"}},
		{"no blank line at the end", a + strings.TrimSpace(b), [3]string{"a ok", "a broken", "a ok"}},
		{"no choices, but usage", a + `data: {"id":"1","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}` + "\n\n" + done, [3]string{"a ok", "a ok", "a ok"}},
		{"no choices, no usage", a + `data: {"id":"1","choices":[]}` + "\n\n" + done, [3]string{"a ok", "a ok", "a ok"}},
		{"without choices", a + `data: {"id":"1"}` + "\n\n" + done, [3]string{"a ok", "a ok", "a ok"}},
		{"an unknown finish_reason", strings.Replace(a, "null", `"tired"`, 1) + done, [3]string{"a ok", "a ok", "a ok"}},
		{"error: null in a chunk", strings.Replace(a, `{"id"`, `{"error":null,"id"`, 1) + b + done, [3]string{" broken", "ab ok", " broken"}},
		{"an error frame, then [DONE]", a + failed + done, [3]string{"a error", "a ok", "a error"}},
		{"an error frame, then the end", a + failed, [3]string{"a error", "a broken", "a error"}},
		{"an error frame, then a broken connection", a + failed + abort, [3]string{"a error", "a broken", "a error"}},
		{"an error event, then a broken connection", a + "event: error\n" + failed + abort, [3]string{"a error", "a broken", "a broken"}},
		{"a broken connection", a + abort, [3]string{"a broken", "a broken", "a broken"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent, cut := strings.CutSuffix(test.sent, abort)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, sent)
				_ = http.NewResponseController(w).Flush()
				if cut {
					panic(http.ErrAbortHandler)
				}
			}))
			defer server.Close()
			for i, name := range []string{"openai-go", "azopenai", "go-openai"} {
				if got := reads[name](t, server.URL); got != test.want[i] {
					t.Errorf("%s: got %q, want %q", name, got, test.want[i])
				}
			}
		})
	}
}

func TestWhatIsRetried(t *testing.T) {
	for _, test := range []struct {
		status             int
		header             string
		openai, azure, gos int // requests
	}{
		{429, "", 3, 4, 1},
		{429, "Retry-After: 1", 3, 4, 1},
		{429, "Retry-After: 61", 0, 1, 1}, // nobody waits for openai-go here
		{429, "Retry-After: 121", 1, 1, 1},
		{429, "retry-after-ms: 5", 3, 4, 1},
		{408, "retry-after-ms: 5", 3, 4, 1},
		{409, "retry-after-ms: 5", 3, 1, 1},
		{500, "retry-after-ms: 5", 3, 4, 1},
		{502, "retry-after-ms: 5", 3, 4, 1},
		{503, "retry-after-ms: 5", 3, 4, 1},
		{504, "retry-after-ms: 5", 3, 4, 1},
		{503, "x-should-retry: false", 1, 4, 1},
		{422, "Retry-After: 1", 1, 1, 1},
		{422, "x-should-retry: true", 3, 1, 1},
	} {
		t.Run(fmt.Sprintf("%d %s", test.status, test.header), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				if name, value, found := strings.Cut(test.header, ": "); found {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, `{"error":{"message":"no","type":"x","param":null,"code":"x"}}`)
			}))
			defer server.Close()

			if test.openai > 0 {
				c := openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey(key))
				if test.header == "" || test.header == "x-should-retry: true" { // no need to wait for the SDK's own delays
					c = openai.NewClient(option.WithBaseURL(server.URL), option.WithAPIKey(key), option.WithMaxRetryDelay(time.Millisecond))
				}
				got, err := c.Chat.Completions.New(t.Context(), says(hello))
				var refused *openai.Error
				if !errors.As(err, &refused) || refused.StatusCode != test.status {
					t.Errorf("openai-go: %v, %v", got, err)
				}
				equal(t, "openai-go", int(requests.Swap(0)), test.openai)
			}

			az, err := azopenai.NewClientForOpenAI(server.URL, azcore.NewKeyCredential(key), &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{
				Retry: policy.RetryOptions{RetryDelay: time.Millisecond}, InsecureAllowCredentialWithHTTP: true,
			}})
			must(t, az, err)
			asked, err := az.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new("mock"), Messages: azsays(hello)}, nil)
			equal(t, "status of azopenai", azrefusal(t, asked, err).StatusCode, test.status)
			equal(t, "azopenai", int(requests.Swap(0)), test.azure)

			config := goopenai.DefaultConfig(key)
			config.BaseURL = server.URL
			_, _ = goopenai.NewClientWithConfig(config).CreateChatCompletion(t.Context(), gosays(hello))
			equal(t, "go-openai", int(requests.Load()), test.gos)
		})
	}
}
