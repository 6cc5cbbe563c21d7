package client_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
)

// recorded is a client whose service answers with a file of testdata/recorded: what services were seen to send.
func recorded(t *testing.T, name string) *client.Client {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "recorded", name))
	if err != nil {
		t.Fatal(err)
	}
	media := "application/json"
	if strings.HasPrefix(name, "stream") {
		media = "text/event-stream; charset=utf-8"
	}
	return offline(t, client.Options{}, func(*http.Request) (*http.Response, error) {
		return response(http.StatusOK, io.NopCloser(bytes.NewReader(body)), http.Header{"Content-Type": {media}}), nil
	})
}

func TestRecordedChats(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, model string
		total       int
		extra       string
	}{
		"chat.json":              {"Hello.", "phi-4", 14, ""},
		"chat-azure-openai.json": {"Hi", "gpt-4o-2024-11-20", 9, "prompt_filter_results"},
	} {
		reply, err := recorded(t, name).Chat(t.Context(), hello())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if reply.Text() != c.text || reply.Model != c.model || reply.Usage.TotalTokens != c.total || reply.Choices[0].FinishReason != client.FinishStop {
			t.Errorf("%s: got %+v", name, reply)
		}
		if _, ok := reply.Extra[c.extra]; c.extra != "" && !ok {
			t.Errorf("%s: got %v beside the fields", name, reply.Extra)
		}
	}
}

func TestRecordedStreams(t *testing.T) {
	t.Parallel()
	calls := []client.ToolCall{{Index: new(0), ID: "call_a1", Type: "function", Function: client.FunctionCall{Name: "get_time", Arguments: `{"tz":"UTC"}`}}}
	serverless := []client.ToolCall{{ID: "call_a1", Function: client.FunctionCall{Name: "get_time", Arguments: `{"tz":"UTC"}`}}}
	for name, c := range map[string]struct {
		text, thought string
		calls         []client.ToolCall
		finish        client.FinishReason
	}{
		"stream.txt":                  {"Hello.", "", nil, client.FinishStop},
		"stream-azure-openai.txt":     {"Hello.", "", nil, client.FinishStop},
		"stream-reasoning.txt":        {"Hello.", "Let me see.", nil, client.FinishStop},
		"stream-tools.txt":            {"", "", calls, client.FinishToolCalls},
		"stream-tools-serverless.txt": {"", "", serverless, client.FinishToolCalls},
	} {
		reply, err := collect.Chat(recorded(t, name).ChatStream(t.Context(), hello()))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		thought, text := reply.Message().Reasoning()
		if text != c.text || thought != c.thought || reply.Choices[0].FinishReason != c.finish || reply.Usage.TotalTokens != 14 || reply.ID != "6d2b" || reply.Model != "phi-4" {
			t.Errorf("%s: got %+v", name, reply)
		}
		if got := reply.Message().ToolCalls; !reflect.DeepEqual(got, c.calls) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.calls)
		}
	}
}

func TestRecordedAnswersOfOtherOperations(t *testing.T) {
	t.Parallel()
	if got, err := recorded(t, "completion.json").Complete(t.Context(), &client.CompletionRequest{Prompt: []string{"Hello"}}); err != nil || got.Text() != " world" ||
		got.Choices[0].FinishReason != client.FinishLength || got.Usage.TotalTokens != 3 {
		t.Errorf("completion: got %+v, %v", got, err)
	}
	request := &client.EmbedRequest{Input: []string{"a"}}
	if got, err := recorded(t, "embeddings.json").Embed(t.Context(), request); err != nil || !reflect.DeepEqual(got.Data[0].Floats, []float32{0.0123, -0.0456}) {
		t.Errorf("embeddings: got %+v, %v", got, err)
	}
	if got, err := recorded(t, "embeddings-azure-openai.json").Embed(t.Context(), request); err != nil || !reflect.DeepEqual(got.Data[0].Floats, []float32{1, -2}) {
		t.Errorf("base64: got %+v, %v", got, err)
	}
	images := &client.EmbedImagesRequest{Input: []client.ImageInput{{Image: "data:image/png;base64,iVBORw0KGgo="}}}
	if got, err := recorded(t, "embeddings-images.json").EmbedImages(t.Context(), images); err != nil || string(got.Usage.Extra["images"]) != "1" {
		t.Errorf("image embeddings: got %+v, %v", got, err)
	}
	if got, err := recorded(t, "info.json").Info(t.Context(), ""); err != nil || got.ModelType != "chat-completion" || len(got.Extra) != 2 {
		t.Errorf("info: got %+v, %v", got, err)
	}
}
