package sdk_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

func TestEachFaultHasItsStatusAndItsCode(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c, failing := client(mocks, address), client(faults, address)
		unknown := map[string]string{"/v1": "model_not_found", "/inference/v1": "model_not_found"}[address]
		if unknown == "" {
			unknown = "DeploymentNotFound"
		}
		tooWarm := says(hello)
		tooWarm.Temperature = openai.Float(3)
		empty := says(hello)
		empty.Messages = []openai.ChatCompletionMessageParamUnion{}
		filtered := says("mock:filter")
		for _, test := range []struct {
			name, code string
			c          openai.Client
			asks       openai.ChatCompletionNewParams
			status     int
		}{
			{"a value out of range", "invalid_value", c, tooWarm, http.StatusBadRequest},
			{"no messages", "invalid_value", c, empty, http.StatusBadRequest},
			{"what a filter refuses", "content_filter", c, filtered, http.StatusBadRequest},
			{"a wrong key", "", client(mocks, address, withKey(address, "wrong")), says(hello), http.StatusUnauthorized},
			{"an unknown deployment", unknown, c, asking("nobody"), http.StatusNotFound},
			{"a limit", "", failing, asking("limited"), http.StatusTooManyRequests},
			{"403", "", failing, asking("broken-403"), http.StatusForbidden},
			{"500", "", failing, asking("broken-500"), http.StatusInternalServerError},
			{"503", "", failing, asking("broken-503"), http.StatusServiceUnavailable},
		} {
			got, err := test.c.Chat.Completions.New(t.Context(), test.asks)
			refused := refusal(t, got, err)
			equal(t, test.name, refused.StatusCode, test.status)
			if refused.Message == "" || refused.Code == "" || test.code != "" && refused.Code != test.code {
				t.Errorf("%s: code %q, message %q", test.name, refused.Code, refused.Message)
			}
			stream := test.c.Chat.Completions.NewStreaming(t.Context(), test.asks)
			equal(t, test.name+" has chunks", stream.Next(), false)
			equal(t, test.name+", streamed", refusal(t, stream, stream.Err()).StatusCode, test.status)
		}
	})
}

func TestWhatIsNotHereIsRefusedByName(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		custom := says(hello)
		custom.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionCustomTool(openai.ChatCompletionCustomToolCustomParam{Name: "f"})}
		allowed := says(hello)
		allowed.Tools = []openai.ChatCompletionToolUnionParam{tool("f")}
		allowed.ToolChoice = openai.ToolChoiceOptionAllowedTools(openai.ChatCompletionAllowedToolsParam{
			Mode: "auto", Tools: []map[string]any{{"type": "function", "function": map[string]any{"name": "f"}}},
		})
		file := says(hello)
		file.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.FileContentPart(openai.ChatCompletionContentPartFileFileParam{FileID: openai.String("file-1")}),
		})}
		heard := says(hello)
		heard.Audio = openai.ChatCompletionAudioParam{Format: "wav", Voice: openai.ChatCompletionAudioParamVoiceUnion{OfString: openai.String("alloy")}}
		searched := says(hello)
		searched.WebSearchOptions = openai.ChatCompletionNewParamsWebSearchOptions{SearchContextSize: "low"}
		for param, asks := range map[string]openai.ChatCompletionNewParams{
			"tools[0].type": custom, "tool_choice.type": allowed, "messages[0].content[0].type": file, "audio": heard, "web_search_options": searched,
		} {
			got, err := c.Chat.Completions.New(t.Context(), asks)
			refused := refusal(t, got, err)
			equal(t, "status", refused.StatusCode, http.StatusBadRequest)
			equal(t, "param", refused.Param, param)
		}
	})
}

// asking is a chat with another model.
func asking(model string) openai.ChatCompletionNewParams {
	asks := says(hello)
	asks.Model = model
	return asks
}

func TestRetriesAreCountedAndWaitAsLongAsTheyAreTold(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		for _, test := range []struct {
			model          string
			allowed, tries int
		}{
			{"limited", 2, 3},    // all are refused, and 20 ms are not long
			{"distant", 2, 1},    // the SDK waits for two minutes at most
			{"broken-500", 1, 2}, // after a wait of the SDK's own
			{"broken-403", 2, 1},
			{"broken-503", 2, 1}, // knows no time after which a try would help, and says so
		} {
			note, sent := counted()
			c := client(faults, address, note, option.WithMaxRetries(test.allowed))
			got, err := c.Chat.Completions.New(t.Context(), asking(test.model))
			_ = refusal(t, got, err)
			equal(t, "tries of "+test.model, len(sent()), test.tries)
			for i, request := range sent() {
				equal(t, "count", request.Header.Get("X-Stainless-Retry-Count"), strconv.Itoa(i))
			}
		}
	})
	for _, address := range doors { // one after the other: they share the count of refusals
		note, sent := counted()
		c := client(faults, address, note, option.WithMaxRetries(2))
		for range 2 {
			got, err := c.Chat.Completions.New(t.Context(), asking("hasty"))
			equal(t, "answer", must(t, got, err).Choices[0].Message.Content, hello)
		}
		if n := len(sent()); n < 3 {
			t.Errorf("%s: %d requests, though every second is refused", address, n)
		}
	}
}

func TestARetryComesWhenItWasToldTo(t *testing.T) {
	note, sent := counted()
	c := client(faults, "/v1", note, option.WithMaxRetries(2))
	for range 2 {
		before, begun := len(sent()), time.Now()
		got, err := c.Chat.Completions.New(t.Context(), asking("slow"))
		must(t, got, err)
		if took := time.Since(begun); len(sent()) == before+2 {
			if took < 850*time.Millisecond || took > 5*time.Second {
				t.Errorf("the retry took %v", took)
			}
			return
		}
	}
	t.Error("nothing was refused")
}

func TestLimitsAreToldWithEachAnswer(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		var response *http.Response
		c := client(faults, address, withKey(address, otherKey), option.WithResponseInto(&response))
		asks := says(hello)
		asks.MaxTokens = openai.Int(16) // as many are set aside meanwhile
		for _, streamed := range []bool{false, true} {
			if streamed {
				all(t, c.Chat.Completions.NewStreaming(t.Context(), asks))
			} else {
				got, err := c.Chat.Completions.New(t.Context(), asks)
				must(t, got, err)
			}
			equal(t, "limit of requests", response.Header.Get("x-ratelimit-limit-requests"), "1000")
			equal(t, "limit of tokens", response.Header.Get("x-ratelimit-limit-tokens"), "100000")
			if left := response.Header.Get("x-ratelimit-remaining-requests"); left == "" || left == "1000" {
				t.Errorf("%q requests are left", left)
			}
		}
	})
}

func TestAStreamThatFailsIsNoAnswer(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		breaks := client(faults, address)
		stream := breaks.Chat.Completions.NewStreaming(t.Context(), asking("breaks"))
		text := ""
		for stream.Next() {
			text += stream.Current().Choices[0].Delta.Content
		}
		var told *ssestream.StreamError
		if !errors.As(stream.Err(), &told) || !strings.Contains(told.Message, "message") {
			t.Errorf("an error frame became %v", stream.Err())
		}
		equal(t, "text before the error", text, "Hello there,")

		cut := client(mocks, address)
		stream = cut.Chat.Completions.NewStreaming(t.Context(), asking("mock-cut"))
		for stream.Next() {
			equal(t, "finish_reason", stream.Current().Choices[0].FinishReason, "")
		}
		if stream.Err() == nil {
			t.Error("a stream that was cut ended without an error")
		}
	})
}

func TestTheRequestIDOfACallerComesBack(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		var response *http.Response
		c := client(mocks, address)
		got, err := c.Chat.Completions.New(t.Context(), says(hello), option.WithResponseInto(&response),
			option.WithHeader("x-ms-client-request-id", "mine-1"))
		must(t, got, err)
		equal(t, "id", response.Header.Get("x-ms-client-request-id"), "mine-1")
		equal(t, "protocol", response.Proto, map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[address == "/openai"])
	})
}
