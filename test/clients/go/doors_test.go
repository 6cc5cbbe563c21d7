package sdk_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// Addresses of Model Inference at which OpenAI's SDK does its operations too.
var elsewhere = []string{"", "/models", "/deployments/{name}", "/inference", "/orgs/{org}/inference", "/openai/deployments/{name}"}

// at is a client at one of these addresses, which may hold the name of a deployment.
func at(address, model string, options ...option.RequestOption) openai.Client {
	place := strings.NewReplacer("{name}", model, "{org}", "acme").Replace(address)
	return client(mocks, place, options...)
}

func TestModelInferencesAddressesServeTheSDKOfOpenAI(t *testing.T) {
	for _, address := range elsewhere {
		t.Run("/"+address, func(t *testing.T) {
			t.Parallel()
			c := at(address, "mock")
			got, err := c.Chat.Completions.New(t.Context(), says(hello))
			equal(t, "answer", must(t, got, err).Choices[0].Message.Content, hello)
			results.Note(openAI(), address, "chat/completions")

			asks := says(hello)
			asks.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
			chunks := all(t, c.Chat.Completions.NewStreaming(t.Context(), asks))
			equal(t, "streamed", joined(chunks), hello)
			equal(t, "usage", chunks[len(chunks)-1].Usage.TotalTokens, 11)
			results.Note(openAI(), address, "chat/completions, streamed")

			asks = says("How is the weather?")
			asks.Tools = []openai.ChatCompletionToolUnionParam{tool("get_weather")}
			asks.ToolChoice.OfAuto = openai.String("required")
			got, err = c.Chat.Completions.New(t.Context(), asks)
			equal(t, "arguments", must(t, got, err).Choices[0].Message.ToolCalls[0].Function.Arguments, instance)
			results.Note(openAI(), address, "chat/completions with tools")

			asks = says(hello)
			asks.ResponseFormat.OfJSONSchema = inSchema()
			got, err = c.Chat.Completions.New(t.Context(), asks)
			equal(t, "instance", must(t, got, err).Choices[0].Message.Content, instance)
			results.Note(openAI(), address, "chat/completions with a schema")

			got, err = c.Chat.Completions.New(t.Context(), shows("What is this?", red))
			equal(t, "answer to a picture", must(t, got, err).Choices[0].Message.Content, "What is this?")
			results.Note(openAI(), address, "chat/completions with images")

			text, err := c.Completions.New(t.Context(), openai.CompletionNewParams{
				Model: "mock", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(hello)},
			})
			equal(t, "text", must(t, text, err).Choices[0].Text, hello)
			results.Note(openAI(), address, "completions")

			e := at(address, "mock-embedding")
			vectors, err := e.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
				Model: "mock-embedding", Dimensions: openai.Int(8), EncodingFormat: "base64",
				Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("Hello")},
			})
			equal(t, "dimensions", len(must(t, vectors, err).Data[0].Embedding), 8)
			results.Note(openAI(), address, "embeddings")
		})
	}
}

func TestWhatModelInferenceHasNotIsRefusedThere(t *testing.T) {
	const why = "served at OpenAI's and Azure OpenAI's addresses alone"
	for _, address := range elsewhere {
		c := at(address, "mock")
		list, err := c.Models.List(t.Context())
		equal(t, "status of models at "+address, refusal(t, list, err).StatusCode, http.StatusNotFound)
		results.Note(openAI(), address, "models", why)

		response, err := c.Responses.New(t.Context(), responds(hello))
		equal(t, "status of responses at "+address, refusal(t, response, err).StatusCode, http.StatusNotFound)
		results.Note(openAI(), address, "responses", why)
	}
}
