package sdk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	goopenai "github.com/sashabaranov/go-openai"

	"github.com/ingot-llm/ingot/test/clients/served"
)

// goclient is go-openai at an address of a server: without TLS at OpenAI's, with it as a client of Azure OpenAI.
func goclient(s *served.Ingot, address, key string) *goopenai.Client {
	config := goopenai.DefaultConfig(key)
	config.BaseURL = s.At(address)
	if address == "/openai" {
		config = goopenai.DefaultAzureConfig(key, s.Over(""))
		config.APIVersion = "2024-10-21"
	}
	config.HTTPClient = s.HTTP
	return goopenai.NewClientWithConfig(config)
}

func atEachOfGo(t *testing.T, addresses []string, test func(t *testing.T, address string, c *goopenai.Client)) {
	t.Helper()
	for _, address := range addresses {
		t.Run("/"+strings.TrimPrefix(address, "/"), func(t *testing.T) {
			t.Parallel()
			test(t, address, goclient(mocks, address, key))
		})
	}
}

var everywhere = append([]string{"", "/models", "/inference"}, doors...)

func gosays(text string) goopenai.ChatCompletionRequest {
	return goopenai.ChatCompletionRequest{Model: "mock", Messages: []goopenai.ChatCompletionMessage{{Role: goopenai.ChatMessageRoleUser, Content: text}}}
}

// received is the text of a stream, and the error it ended with.
func received(stream *goopenai.ChatCompletionStream) (text string, usage *goopenai.Usage, err error) {
	defer func() { _ = stream.Close() }()
	for {
		chunk, err := stream.Recv()
		if err != nil {
			return text, usage, err
		}
		for _, choice := range chunk.Choices {
			text += choice.Delta.Content
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
	}
}

func TestGoOpenAIChats(t *testing.T) {
	atEachOfGo(t, everywhere, func(t *testing.T, address string, c *goopenai.Client) {
		got, err := c.CreateChatCompletion(t.Context(), gosays(hello))
		equal(t, "answer", must(t, got, err).Choices[0].Message.Content, hello)
		equal(t, "finish_reason", got.Choices[0].FinishReason, goopenai.FinishReasonStop)
		equal(t, "tokens", got.Usage.TotalTokens, 11)
		results.Note(goOpenAI(), address, "chat/completions")

		asks := gosays(hello)
		asks.Stream, asks.StreamOptions = true, &goopenai.StreamOptions{IncludeUsage: true}
		stream, err := c.CreateChatCompletionStream(t.Context(), asks)
		text, usage, err := received(must(t, stream, err))
		if !errors.Is(err, io.EOF) || usage == nil || usage.TotalTokens != 11 {
			t.Errorf("the stream ended with %v, usage %v", err, usage)
		}
		equal(t, "streamed", text, hello)
		results.Note(goOpenAI(), address, "chat/completions, streamed")

		asks = gosays("What is this?")
		asks.Messages[0] = goopenai.ChatCompletionMessage{Role: goopenai.ChatMessageRoleUser, MultiContent: []goopenai.ChatMessagePart{
			{Type: goopenai.ChatMessagePartTypeText, Text: "What is this?"},
			{Type: goopenai.ChatMessagePartTypeImageURL, ImageURL: &goopenai.ChatMessageImageURL{URL: red}},
		}}
		got, err = c.CreateChatCompletion(t.Context(), asks)
		equal(t, "answer to a picture", must(t, got, err).Choices[0].Message.Content, "What is this?")
		results.Note(goOpenAI(), address, "chat/completions with images")
	})
}

func TestGoOpenAICallsToolsAndAsksForASchema(t *testing.T) {
	atEachOfGo(t, everywhere, func(t *testing.T, address string, c *goopenai.Client) {
		asks := gosays("How is the weather?")
		asks.Tools = []goopenai.Tool{{Type: goopenai.ToolTypeFunction, Function: &goopenai.FunctionDefinition{Name: "get_weather", Parameters: weather}}}
		asks.ToolChoice = "required"
		first, err := c.CreateChatCompletion(t.Context(), asks)
		message := must(t, first, err).Choices[0].Message
		equal(t, "arguments", message.ToolCalls[0].Function.Arguments, instance)

		asks.ToolChoice = nil
		asks.Messages = append(asks.Messages, message,
			goopenai.ChatCompletionMessage{Role: goopenai.ChatMessageRoleTool, ToolCallID: message.ToolCalls[0].ID, Content: "clear"})
		second, err := c.CreateChatCompletion(t.Context(), asks)
		equal(t, "answer", must(t, second, err).Choices[0].Message.Content, "How is the weather?")
		results.Note(goOpenAI(), address, "chat/completions with tools")

		asks = gosays(hello)
		asks.ResponseFormat = &goopenai.ChatCompletionResponseFormat{Type: goopenai.ChatCompletionResponseFormatTypeJSONObject}
		got, err := c.CreateChatCompletion(t.Context(), asks)
		equal(t, "object", must(t, got, err).Choices[0].Message.Content, "{}")
		results.Note(goOpenAI(), address, "chat/completions with a schema")
	})
}

func TestGoOpenAICompletesAndEmbeds(t *testing.T) {
	atEachOfGo(t, everywhere, func(t *testing.T, address string, c *goopenai.Client) {
		text, err := c.CreateCompletion(t.Context(), goopenai.CompletionRequest{Model: "mock", Prompt: hello})
		equal(t, "text", must(t, text, err).Choices[0].Text, hello)
		results.Note(goOpenAI(), address, "completions")

		asks := goopenai.EmbeddingRequest{Model: "mock-embedding", Input: []string{"Hello there"}, Dimensions: 8}
		floats, err := c.CreateEmbeddings(t.Context(), asks)
		must(t, floats, err)
		asks.EncodingFormat = goopenai.EmbeddingEncodingFormatBase64
		packed, err := c.CreateEmbeddings(t.Context(), asks)
		equal(t, "vectors", cmp.Diff(floats.Data[0].Embedding, must(t, packed, err).Data[0].Embedding), "")
		equal(t, "dimensions", len(floats.Data[0].Embedding), 8)
		results.Note(goOpenAI(), address, "embeddings")
	})
}

func TestGoOpenAIListsModels(t *testing.T) {
	atEachOfGo(t, doors, func(t *testing.T, address string, c *goopenai.Client) {
		list, err := c.ListModels(t.Context())
		equal(t, "models", len(must(t, list, err).Models), 6)
		one, err := c.GetModel(t.Context(), "mock")
		equal(t, "id", must(t, one, err).ID, "mock")
		results.Note(goOpenAI(), address, "models")
	})
}

func TestGoOpenAIAsksForResponses(t *testing.T) {
	atEachOfGo(t, doors, func(t *testing.T, address string, c *goopenai.Client) {
		asks := goopenai.CreateResponseRequest{Model: "mock", Input: hello}
		got, err := c.CreateResponse(t.Context(), asks)
		equal(t, "text", must(t, got, err).GetOutputText(), hello)

		stream, err := c.CreateResponseStream(t.Context(), asks)
		must(t, stream, err)
		defer func() { _ = stream.Close() }()
		text, last := "", goopenai.ResponseStreamEventType("")
		for {
			event, err := stream.Recv()
			if err != nil { // these streams have no [DONE]
				equal(t, "end", err, io.EOF)
				break
			}
			if last = event.Type; last == goopenai.ResponseStreamEventOutputTextDelta {
				text += event.Delta
			}
		}
		equal(t, "streamed", text, hello)
		equal(t, "last event", last, "response.completed")

		c = goclient(faults, address, key)
		kept, err := c.CreateResponse(t.Context(), asks)
		again, err := c.RetrieveResponse(t.Context(), must(t, kept, err).ID)
		equal(t, "kept", must(t, again, err).GetOutputText(), hello)
		results.Note(goOpenAI(), address, "responses")
	})
}

func TestGoOpenAITellsWhatWentWrong(t *testing.T) {
	atEachOfGo(t, everywhere, func(t *testing.T, address string, c *goopenai.Client) {
		var refused *goopenai.APIError
		for _, test := range []struct {
			model, key string
			status     int
		}{
			{"mock", "wrong", http.StatusUnauthorized},
			{"limited", key, http.StatusTooManyRequests},
			{"broken-500", key, http.StatusInternalServerError},
		} {
			asks := gosays(hello)
			asks.Model = test.model
			got, err := goclient(faults, address, test.key).CreateChatCompletion(t.Context(), asks)
			if !errors.As(err, &refused) || refused.HTTPStatusCode != test.status || refused.Code == nil || refused.Message == "" {
				t.Errorf("%s: got %v, %+v", test.model, err, got)
			}
		}

		asks := gosays(hello)
		asks.Model, asks.Stream = "breaks", true
		stream, err := goclient(faults, address, key).CreateChatCompletionStream(t.Context(), asks)
		_, _, err = received(must(t, stream, err))
		if !errors.As(err, &refused) || refused.Message == "" {
			t.Errorf("an error frame became %v", err)
		}
		asks.Model = "mock-cut"
		stream, err = c.CreateChatCompletionStream(t.Context(), asks)
		if _, _, err = received(must(t, stream, err)); errors.Is(err, io.EOF) {
			t.Error("a stream that was cut ended as if it were whole")
		}

		asks.Model = "mock-long"
		ctx, cancel := context.WithCancel(t.Context())
		stream, err = c.CreateChatCompletionStream(ctx, asks)
		must(t, stream, err)
		cancel()
		if _, _, err = received(stream); !errors.Is(err, context.Canceled) {
			t.Errorf("leaving a stream gave %v", err)
		}
	})
}
