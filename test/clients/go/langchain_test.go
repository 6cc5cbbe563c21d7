package sdk_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"

	"github.com/ingot-llm/ingot/test/clients/served"
)

// chain is langchaingo at an address of a server: without TLS at OpenAI's, with it as a client of Azure OpenAI.
func chain(t testing.TB, s *served.Ingot, address, key string, options ...langchain.Option) *langchain.LLM {
	t.Helper()
	given := []langchain.Option{
		langchain.WithToken(key), langchain.WithModel("mock"), langchain.WithEmbeddingModel("mock-embedding"), langchain.WithEmbeddingDimensions(8),
		langchain.WithHTTPClient(s.HTTP), langchain.WithBaseURL(s.At(address)),
	}
	if address == "/openai" {
		given = append(given, langchain.WithBaseURL(s.Over("")), langchain.WithAPIType(langchain.APITypeAzure), langchain.WithAPIVersion("2024-10-21"))
	}
	c, err := langchain.New(append(given, options...)...)
	return must(t, c, err)
}

func TestLangchaingo(t *testing.T) {
	for _, address := range everywhere {
		t.Run("/"+strings.TrimPrefix(address, "/"), func(t *testing.T) {
			t.Parallel()
			c := chain(t, mocks, address, key)
			asks := []llms.MessageContent{
				llms.TextParts(llms.ChatMessageTypeSystem, "Be brief."), llms.TextParts(llms.ChatMessageTypeHuman, hello),
			}
			got, err := c.GenerateContent(t.Context(), asks, llms.WithTemperature(0), llms.WithMaxTokens(50))
			equal(t, "answer", must(t, got, err).Choices[0].Content, hello)
			equal(t, "finish_reason", got.Choices[0].StopReason, "stop")
			equal[any](t, "tokens", got.Choices[0].GenerationInfo["CompletionTokens"], 4)
			results.Note(langchaingo(), address, "chat/completions")

			text := ""
			got, err = c.GenerateContent(t.Context(), asks, llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
				text += string(piece)
				return nil
			}))
			equal(t, "whole of the stream", must(t, got, err).Choices[0].Content, hello)
			equal(t, "streamed", text, hello)
			results.Note(langchaingo(), address, "chat/completions, streamed")

			picture := llms.MessageContent{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("What is this?"), llms.ImageURLPart(red)}}
			got, err = c.GenerateContent(t.Context(), []llms.MessageContent{picture})
			equal(t, "answer to a picture", must(t, got, err).Choices[0].Content, "What is this?")
			results.Note(langchaingo(), address, "chat/completions with images")

			tools := llms.WithTools([]llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "get_weather", Parameters: weather}}})
			asks = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "How is the weather?")}
			got, err = c.GenerateContent(t.Context(), asks, tools, llms.WithToolChoice("required"))
			call := must(t, got, err).Choices[0].ToolCalls[0]
			equal(t, "arguments", call.FunctionCall.Arguments, instance)
			asks = append(asks, llms.MessageContent{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{call}},
				llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: call.ID, Name: "get_weather", Content: "clear"}}})
			got, err = c.GenerateContent(t.Context(), asks, tools)
			equal(t, "answer", must(t, got, err).Choices[0].Content, "How is the weather?")
			results.Note(langchaingo(), address, "chat/completions with tools")

			formed := chain(t, mocks, address, key, langchain.WithResponseFormat(&langchain.ResponseFormat{Type: "json_schema", JSONSchema: &langchain.ResponseFormatJSONSchema{
				Name: "weather", Strict: true, Schema: &langchain.ResponseFormatJSONSchemaProperty{
					Type: "object", Properties: map[string]*langchain.ResponseFormatJSONSchemaProperty{"city": {Type: "string"}}, Required: []string{"city"},
				},
			}}))
			got, err = formed.GenerateContent(t.Context(), asks[:1])
			equal(t, "instance", must(t, got, err).Choices[0].Content, instance)
			results.Note(langchaingo(), address, "chat/completions with a schema")

			vectors, err := c.CreateEmbedding(t.Context(), []string{"Hello there", "Good bye"})
			equal(t, "vectors", len(must(t, vectors, err)), 2)
			equal(t, "dimensions", len(vectors[0]), 8)
			results.Note(langchaingo(), address, "embeddings")

			got, err = chain(t, mocks, address, "wrong").GenerateContent(t.Context(), asks[:1])
			if err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("a wrong key: got %v, %v", got, err)
			}
		})
	}
}
