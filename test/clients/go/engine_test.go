package sdk_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/openai/openai-go/v3"

	"github.com/ingot-llm/ingot/test/clients/served"
)

// capital is a question that smollm2 answers, the same way each time.
func capital() openai.ChatCompletionNewParams {
	asks := says("What is the capital of France?")
	asks.Model, asks.MaxTokens, asks.Temperature, asks.Seed = "smollm2", openai.Int(32), openai.Float(0), openai.Int(7)
	return asks
}

func TestARealModelAnswers(t *testing.T) {
	s := served.Here(t)
	for _, address := range []string{"/v1", "/openai"} {
		t.Run(strings.TrimPrefix(address, "/"), func(t *testing.T) {
			c := client(s, address)
			whole, err := c.Chat.Completions.New(t.Context(), capital())
			text := must(t, whole, err).Choices[0].Message.Content
			if !strings.Contains(text, "Paris") || whole.Choices[0].FinishReason != "stop" {
				t.Fatalf("got %q, %s", text, whole.Choices[0].FinishReason)
			}
			asks := capital()
			asks.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
			chunks := all(t, c.Chat.Completions.NewStreaming(t.Context(), asks))
			equal(t, "streamed", joined(chunks), text)
			equal(t, "tokens", chunks[len(chunks)-1].Usage.CompletionTokens, whole.Usage.CompletionTokens)

			asks = capital()
			asks.Tools, asks.ToolChoice.OfAuto = []openai.ChatCompletionToolUnionParam{tool("get_weather")}, openai.String("required")
			called, err := c.Chat.Completions.New(t.Context(), asks)
			var arguments map[string]string
			call := must(t, called, err).Choices[0].Message.ToolCalls[0].Function
			if err := json.Unmarshal([]byte(call.Arguments), &arguments); err != nil || len(arguments) != 1 {
				t.Errorf("the arguments are %s: %v", call.Arguments, err)
			}

			asks = capital()
			asks.MaxTokens, asks.ResponseFormat.OfJSONSchema = openai.Int(64), inSchema()
			held, err := c.Chat.Completions.New(t.Context(), asks)
			var answer struct{ City *string }
			if err := json.Unmarshal([]byte(must(t, held, err).Choices[0].Message.Content), &answer); err != nil || answer.City == nil {
				t.Errorf("the answer is %s: %v", held.Choices[0].Message.Content, err)
			}
		})
	}

	t.Run("a stream that is left gives its slot back", func(t *testing.T) {
		c := client(s, "/v1")
		asks := capital()
		asks.Messages, asks.MaxTokens = says("Write a long story about a ship.").Messages, openai.Int(1500)
		stream := c.Chat.Completions.NewStreaming(t.Context(), asks)
		equal(t, "there is a chunk", stream.Next(), true)
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		got, err := c.Chat.Completions.New(t.Context(), capital())
		must(t, got, err)
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("the next answer took %v", took)
		}
	})
	t.Run("responses", func(t *testing.T) {
		c := client(s, "/v1")
		asks := responds("What is the capital of France?")
		asks.Model, asks.Temperature, asks.MaxOutputTokens = "smollm2", openai.Float(0), openai.Int(32)
		got, err := c.Responses.New(t.Context(), asks)
		if text := must(t, got, err).OutputText(); !strings.Contains(text, "Paris") {
			t.Errorf("got %q", text)
		}
	})
	t.Run("azopenai", func(t *testing.T) {
		c := azclient(t, s, "/openai", key, -1)
		got, err := c.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{
			DeploymentName: new("smollm2"), Messages: azsays("What is the capital of France?"), MaxTokens: new(int32(32)), Temperature: new(float32(0)),
		}, nil)
		if text := *must(t, got, err).Choices[0].Message.Content; !strings.Contains(text, "Paris") {
			t.Errorf("got %q", text)
		}
		texts := []string{"A cat sleeps.", "A kitten naps.", "The stock market fell."}
		vectors, err := c.GetEmbeddings(t.Context(), azopenai.EmbeddingsOptions{DeploymentName: new("minilm"), Input: texts}, nil)
		data := must(t, vectors, err).Data
		near, far := dot(data[0].Embedding, data[1].Embedding), dot(data[0].Embedding, data[2].Embedding)
		if length := dot(data[0].Embedding, data[0].Embedding); math.Abs(length-1) > 1e-3 || near <= far {
			t.Errorf("length %v, near %v, far %v", length, near, far)
		}
	})
	t.Run("go-openai", func(t *testing.T) {
		asks := gosays("What is the capital of France?")
		asks.Model, asks.Stream, asks.MaxCompletionTokens = "smollm2", true, 32
		asks.Temperature = math.SmallestNonzeroFloat32 // the SDK leaves out 0
		stream, err := goclient(s, "/v1", key).CreateChatCompletionStream(t.Context(), asks)
		if text, _, err := received(must(t, stream, err)); !strings.Contains(text, "Paris") {
			t.Errorf("got %q, %v", text, err)
		}
	})
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
