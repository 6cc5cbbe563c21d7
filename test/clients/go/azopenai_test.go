package sdk_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/test/clients/served"
)

// azures are the addresses that azopenai is run at: as a client of Azure OpenAI, which is given the root and makes
// "/openai" of it, and as one of OpenAI.
var azures = []string{"/openai", "/v1", "/openai/v1", "/inference/v1", "/inference"}

// counter is a policy that counts the requests which pass it.
type counter struct{ sent int }

func (c *counter) Do(r *policy.Request) (*http.Response, error) { c.sent++; return r.Next() }

// azclient is azopenai at one of the addresses, which sends keys over TLS alone; it retries as often as is said.
func azclient(t testing.TB, s *served.Ingot, address, key string, retries int32, policies ...policy.Policy) *azopenai.Client {
	t.Helper()
	options := &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{
		Transport: s.HTTP, PerRetryPolicies: policies, Retry: policy.RetryOptions{MaxRetries: retries, RetryDelay: time.Millisecond},
	}}
	if address == "/openai" {
		c, err := azopenai.NewClientWithKeyCredential(s.Over(""), azcore.NewKeyCredential(key), options)
		return must(t, c, err)
	}
	c, err := azopenai.NewClientForOpenAI(s.Over(address), azcore.NewKeyCredential(key), options)
	return must(t, c, err)
}

func atEachAzure(t *testing.T, test func(t *testing.T, address string, c *azopenai.Client)) {
	t.Helper()
	for _, address := range azures {
		t.Run(strings.TrimPrefix(address, "/"), func(t *testing.T) {
			t.Parallel()
			test(t, address, azclient(t, mocks, address, key, -1))
		})
	}
}

func azsays(text string) []azopenai.ChatRequestMessageClassification {
	return []azopenai.ChatRequestMessageClassification{
		&azopenai.ChatRequestSystemMessage{Content: azopenai.NewChatRequestSystemMessageContent("Be brief.")},
		&azopenai.ChatRequestUserMessage{Content: azopenai.NewChatRequestUserMessageContent(text)},
	}
}

// azrefusal is the error of a call, as azcore tells it.
func azrefusal[T any](t testing.TB, _ T, err error) *azcore.ResponseError {
	t.Helper()
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want an error of a response", err)
	}
	return refused
}

// events are all of a stream.
func events[T any](t testing.TB, stream *azopenai.EventReader[T]) []T {
	t.Helper()
	defer func() { _ = stream.Close() }()
	var list []T
	for {
		event, err := stream.Read()
		if errors.Is(err, io.EOF) {
			return list
		}
		list = append(list, must(t, event, err))
	}
}

func TestAzopenaiChats(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
			DeploymentName: new("mock"), Messages: azsays(hello), N: new(int32(2)), Temperature: new(float32(0)),
			LogProbs: new(true), TopLogProbs: new(int32(1)), User: new("me"), Metadata: map[string]*string{"a": new("b")},
		}, nil)
		must(t, got, err)
		equal(t, "content", *got.Choices[1].Message.Content, hello)
		equal(t, "finish_reason", *got.Choices[0].FinishReason, azopenai.CompletionsFinishReasonStopped)
		equal(t, "tokens", *got.Usage.CompletionTokens, 8)
		equal(t, "first token", *got.Choices[0].LogProbs.Content[0].Token, "Hello")
		if age := time.Since(*got.Created); age < -time.Minute || age > time.Minute {
			t.Errorf("it is %v old", age)
		}
		results.Note(azOpenAI(), address, "chat/completions")
	})
}

func TestAzopenaiStreams(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		for _, asked := range []bool{false, true} {
			asks := azopenai.ChatCompletionsStreamOptions{DeploymentName: new("mock"), Messages: azsays(hello)}
			if asked {
				asks.StreamOptions = &azopenai.ChatCompletionStreamOptions{IncludeUsage: new(true)}
			}
			stream, err := c.GetChatCompletionsStream(t.Context(), asks, nil)
			must(t, stream, err)
			text, used := "", int32(0)
			for _, chunk := range events(t, stream.ChatCompletionsStream) {
				for _, choice := range chunk.Choices {
					if choice.Delta.Content != nil {
						text += *choice.Delta.Content
					}
				}
				if chunk.Usage != nil {
					used = *chunk.Usage.TotalTokens
				}
			}
			equal(t, "text", text, hello)
			if told := used != 0; address != "/inference" && told != asked {
				t.Errorf("usage asked for: %v, told: %d", asked, used)
			}
		}
		results.Note(azOpenAI(), address, "chat/completions, streamed")
	})
}

func TestAzopenaiCallsTools(t *testing.T) {
	schema, err := json.Marshal(weather)
	must(t, schema, err)
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		asks := azopenai.ChatCompletionsOptions{
			DeploymentName: new("mock"), Messages: azsays("How is the weather?"),
			Tools: []azopenai.ChatCompletionsToolDefinitionClassification{&azopenai.ChatCompletionsFunctionToolDefinition{
				Function: &azopenai.ChatCompletionsFunctionToolDefinitionFunction{Name: new("get_weather"), Parameters: schema},
			}},
			ToolChoice: azopenai.NewChatCompletionsToolChoice(azopenai.ChatCompletionsToolChoiceFunction{Name: "get_weather"}),
		}
		first, err := c.GetChatCompletions(t.Context(), asks, nil)
		message := must(t, first, err).Choices[0].Message
		call := message.ToolCalls[0].(*azopenai.ChatCompletionsFunctionToolCall)
		equal(t, "arguments", *call.Function.Arguments, instance)

		asks.ToolChoice = azopenai.ChatCompletionsToolChoiceAuto
		asks.Messages = append(asks.Messages,
			&azopenai.ChatRequestAssistantMessage{ToolCalls: message.ToolCalls},
			&azopenai.ChatRequestToolMessage{ToolCallID: call.ID, Content: azopenai.NewChatRequestToolMessageContent("clear")})
		second, err := c.GetChatCompletions(t.Context(), asks, nil)
		equal(t, "answer", *must(t, second, err).Choices[0].Message.Content, "How is the weather?")
		results.Note(azOpenAI(), address, "chat/completions with tools")

		old, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
			DeploymentName: new("mock"), Messages: azsays("Weather?"),
			Functions:    []azopenai.FunctionDefinition{{Name: new("get_weather"), Parameters: schema}},
			FunctionCall: &azopenai.ChatCompletionsOptionsFunctionCall{IsFunction: true, Value: new("get_weather")},
		}, nil)
		equal(t, "arguments of a function", *must(t, old, err).Choices[0].Message.FunctionCall.Arguments, instance)
	})
}

func TestAzopenaiAsksForASchemaAndShowsPictures(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		schema, err := json.Marshal(weather)
		got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
			DeploymentName: new("mock"), Messages: azsays(hello),
			ResponseFormat: &azopenai.ChatCompletionsJSONSchemaResponseFormat{
				JSONSchema: &azopenai.ChatCompletionsJSONSchemaResponseFormatJSONSchema{
					Name: new("weather"), Schema: must(t, schema, err), Strict: new(true),
				},
			},
		}, nil)
		equal(t, "answer", *must(t, got, err).Choices[0].Message.Content, instance)
		results.Note(azOpenAI(), address, "chat/completions with a schema")

		got, err = c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
			DeploymentName: new("mock"), Messages: []azopenai.ChatRequestMessageClassification{&azopenai.ChatRequestUserMessage{
				Content: azopenai.NewChatRequestUserMessageContent([]azopenai.ChatCompletionRequestMessageContentPartClassification{
					&azopenai.ChatCompletionRequestMessageContentPartText{Text: new("What is this?")},
					&azopenai.ChatCompletionRequestMessageContentPartImage{
						ImageURL: &azopenai.ChatCompletionRequestMessageContentPartImageURL{URL: new(red)},
					},
				}),
			}},
		}, nil)
		equal(t, "answer to a picture", *must(t, got, err).Choices[0].Message.Content, "What is this?")
		results.Note(azOpenAI(), address, "chat/completions with images")
	})
}

func TestAzopenaiCompletesTexts(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		got, err := c.GetCompletions(t.Context(), azopenai.CompletionsOptions{
			DeploymentName: new("mock"), Prompt: []string{"a b", "c"}, Echo: new(true), N: new(int32(1)),
		}, nil)
		must(t, got, err)
		equal(t, "texts", *got.Choices[0].Text+"|"+*got.Choices[1].Text, "a ba b|cc")

		stream, err := c.GetCompletionsStream(t.Context(), azopenai.CompletionsStreamOptions{
			DeploymentName: new("mock"), Prompt: []string{"Hi you"},
		}, nil)
		must(t, stream, err)
		text := ""
		for _, chunk := range events(t, stream.CompletionsStream) {
			text += *chunk.Choices[0].Text
		}
		equal(t, "streamed", text, "Hi you")
		results.Note(azOpenAI(), address, "completions")
	})
}

func TestAzopenaiEmbeds(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		asks := azopenai.EmbeddingsOptions{DeploymentName: new("mock-embedding"), Input: []string{"Hello there"}, Dimensions: new(int32(8))}
		floats, err := c.GetEmbeddings(t.Context(), asks, nil)
		must(t, floats, err)
		equal(t, "dimensions", len(floats.Data[0].Embedding), 8)

		asks.EncodingFormat = new(azopenai.EmbeddingEncodingFormatBase64)
		asks.InputType = new("query")
		packed, err := c.GetEmbeddings(t.Context(), asks, nil)
		raw, err := base64.StdEncoding.DecodeString(must(t, packed, err).Data[0].EmbeddingBase64)
		var numbers []float32
		for raw := must(t, raw, err); len(raw) > 0; raw = raw[4:] {
			numbers = append(numbers, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
		}
		equal(t, "numbers", cmp.Diff(floats.Data[0].Embedding, numbers), "")
		results.Note(azOpenAI(), address, "embeddings")
	})
}

func TestAzopenaiTellsWhatWentWrong(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		for _, test := range []struct {
			name, model, key, code string
			status                 int
		}{
			{"a wrong key", "mock", "wrong", "401", http.StatusUnauthorized},
			{"403", "broken-403", key, "PermissionDenied", http.StatusForbidden},
			{"429", "limited", key, "429", http.StatusTooManyRequests},
			{"500", "broken-500", key, "InternalServerError", http.StatusInternalServerError},
			{"503", "broken-503", key, "ServiceUnavailable", http.StatusServiceUnavailable},
		} {
			c := azclient(t, faults, address, test.key, -1)
			got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: &test.model, Messages: azsays(hello)}, nil)
			refused := azrefusal(t, got, err)
			equal(t, test.name, refused.StatusCode, test.status)
			if address == "/openai" {
				equal(t, test.name, refused.ErrorCode, test.code)
			}
			stream, err := c.GetChatCompletionsStream(t.Context(), azopenai.ChatCompletionsStreamOptions{DeploymentName: &test.model, Messages: azsays(hello)}, nil)
			equal(t, test.name+", streamed", azrefusal(t, stream, err).StatusCode, test.status)
		}
		got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new("mock"), Messages: azsays("mock:filter")}, nil)
		var filtered *azopenai.ContentFilterResponseError
		if !errors.As(err, &filtered) {
			t.Fatalf("%v: got %v", got, err)
		}
		equal(t, "code", filtered.ErrorCode, "content_filter")
		if filtered.ContentFilterResults == nil {
			t.Error("it is not told what was filtered")
		}
	})
}

// Streams end with [DONE] or not at all: whatever stops before is an error.
func TestAzopenaiNoticesThatAStreamFails(t *testing.T) {
	atEachAzure(t, func(t *testing.T, address string, c *azopenai.Client) {
		failing := azclient(t, faults, address, key, -1)
		for model, c := range map[string]*azopenai.Client{"mock-cut": c, "breaks": failing} {
			stream, err := c.GetChatCompletionsStream(t.Context(), azopenai.ChatCompletionsStreamOptions{DeploymentName: &model, Messages: azsays(hello)}, nil)
			must(t, stream, err)
			for err == nil {
				_, err = stream.ChatCompletionsStream.Read()
			}
			if errors.Is(err, io.EOF) {
				t.Errorf("%s ended as if it were whole", model)
			}
			_ = stream.ChatCompletionsStream.Close()
		}

		ctx, cancel := context.WithCancel(t.Context())
		stream, err := c.GetChatCompletionsStream(ctx, azopenai.ChatCompletionsStreamOptions{DeploymentName: new("mock-long"), Messages: azsays("go")}, nil)
		must(t, stream, err)
		chunk, err := stream.ChatCompletionsStream.Read()
		must(t, chunk, err)
		cancel()
		for err == nil {
			_, err = stream.ChatCompletionsStream.Read()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("leaving it gave %v", err)
		}
		_ = stream.ChatCompletionsStream.Close()
	})
}

func TestAzcoreRetriesWhatMaySucceed(t *testing.T) {
	for model, tries := range map[string]int{"limited": 4, "broken-500": 4, "broken-503": 4, "broken-403": 1, "hasty": 0} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			passed := &counter{}
			c := azclient(t, faults, "/openai", key, 3, passed)
			got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: &model, Messages: azsays(hello)}, nil)
			if model == "hasty" {
				equal(t, "answer", *must(t, got, err).Choices[0].Message.Content, hello)
				return
			}
			_ = azrefusal(t, got, err)
			equal(t, "tries", passed.sent, tries)
		})
	}
}
