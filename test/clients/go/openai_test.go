package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"

	"github.com/ingot-llm/ingot/test/clients/served"
)

const hello = "Hello there, world"

// doors are the addresses of all that the SDK does; "/openai" is what the options for Azure make of the root.
var doors = []string{"/v1", "/openai/v1", "/inference/v1", "/openai"}

// client is the SDK at an address of a server: without TLS at OpenAI's, with it as a client of Azure OpenAI.
func client(s *served.Ingot, address string, options ...option.RequestOption) openai.Client {
	given := []option.RequestOption{option.WithMaxRetries(0), option.WithHTTPClient(s.HTTP)}
	if address == "/openai" {
		given = append(given, azure.WithEndpoint(s.Over(""), "2024-10-21"), azure.WithAPIKey(key))
	} else {
		given = append(given, option.WithBaseURL(s.At(address)), option.WithAPIKey(key))
	}
	return openai.NewClient(append(given, options...)...)
}

// withKey is another key than that of the tests.
func withKey(address, key string) option.RequestOption {
	if address == "/openai" {
		return option.WithHeader("Api-Key", key)
	}
	return option.WithAPIKey(key)
}

// counted notes what goes out, retries included.
func counted() (option.RequestOption, func() []*http.Request) {
	var mu sync.Mutex
	var sent []*http.Request
	note := option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		mu.Lock()
		sent = append(sent, r)
		mu.Unlock()
		return next(r)
	})
	return note, func() []*http.Request {
		mu.Lock()
		defer mu.Unlock()
		return sent
	}
}

// says is a chat with the mock model.
func says(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: "mock", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}}
}

// shows is a chat about a picture.
func shows(text, url string) openai.ChatCompletionNewParams {
	asks := says(text)
	asks.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
		openai.TextContentPart(text),
		openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: url, Detail: "low"}),
	})}
	return asks
}

// inSchema asks for an answer in the schema of the weather.
func inSchema() *shared.ResponseFormatJSONSchemaParam {
	return &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "weather", Schema: weather, Strict: openai.Bool(true)},
	}
}

// all are the events of a stream.
func all[T any](t testing.TB, stream *ssestream.Stream[T]) []T {
	t.Helper()
	var events []T
	for stream.Next() {
		events = append(events, stream.Current())
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// joined is the text of all chunks.
func joined(chunks []openai.ChatCompletionChunk) string {
	var text strings.Builder
	for _, chunk := range chunks {
		for _, choice := range chunk.Choices {
			text.WriteString(choice.Delta.Content)
		}
	}
	return text.String()
}

// refusal is the error of a call, as the SDK tells it.
func refusal[T any](t testing.TB, _ T, err error) *openai.Error {
	t.Helper()
	var refused *openai.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want an error of the API", err)
	}
	if refused.Response.Header.Get("X-Request-Id") == "" {
		t.Error("a refusal has no request id")
	}
	return refused
}

// atEach runs a test at each of the doors.
func atEach(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	for _, address := range doors {
		t.Run(strings.TrimPrefix(address, "/"), func(t *testing.T) {
			t.Parallel()
			test(t, address)
		})
	}
}

func tool(name string) openai.ChatCompletionToolUnionParam {
	return openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: name, Parameters: weather})
}

func TestACompletionHasTheMembersOfTheContract(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		must(t, got, err)

		equal(t, "object", string(got.Object), "chat.completion")
		equal(t, "model", got.Model, "mock")
		equal(t, "prefix of the id", got.ID[:9], "chatcmpl-")
		equal(t, "content", got.Choices[0].Message.Content, hello)
		equal(t, "finish_reason", got.Choices[0].FinishReason, "stop")
		equal(t, "refusal", got.Choices[0].Message.JSON.Refusal.Raw(), "null")
		if age := time.Since(time.Unix(got.Created, 0)); age < -time.Minute || age > time.Minute {
			t.Errorf("it is %v old", age)
		}
		usage := [3]int64{got.Usage.PromptTokens, got.Usage.CompletionTokens, got.Usage.TotalTokens}
		equal(t, "usage", usage, [3]int64{7, 4, 11})
		results.Note(openAI(), address, "chat/completions")
	})
}

func TestAStreamCarriesUsageOnlyWhereItIsAskedFor(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		chunks := all(t, c.Chat.Completions.NewStreaming(t.Context(), says(hello)))
		equal(t, "text", joined(chunks), hello)
		equal(t, "finish_reason", chunks[len(chunks)-1].Choices[0].FinishReason, "stop")
		for _, chunk := range chunks {
			equal(t, "choices", len(chunk.Choices), 1)
			if chunk.JSON.Usage.Valid() {
				t.Errorf("usage was not asked for: %s", chunk.RawJSON())
			}
		}

		asks := says(hello)
		asks.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
		var whole openai.ChatCompletionAccumulator
		chunks = all(t, c.Chat.Completions.NewStreaming(t.Context(), asks))
		for _, chunk := range chunks {
			if !whole.AddChunk(chunk) {
				t.Fatalf("does not fit the rest: %s", chunk.RawJSON())
			}
		}
		last := chunks[len(chunks)-1]
		equal(t, "choices of the last chunk", len(last.Choices), 0)
		equal(t, "usage of the last chunk", last.Usage.TotalTokens, 11)
		equal(t, "usage of the first", chunks[0].JSON.Usage.Raw(), "null")
		equal(t, "accumulated", whole.Choices[0].Message.Content, hello)
		equal(t, "accumulated usage", whole.Usage.TotalTokens, 11)
		results.Note(openAI(), address, "chat/completions, streamed")
	})
}

func TestToolsAreCalledUntilThereIsAnAnswer(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := says("How is the weather?")
		asks.Tools = []openai.ChatCompletionToolUnionParam{tool("get_weather"), tool("get_time")}
		asks.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("required")}
		first, err := c.Chat.Completions.New(t.Context(), asks)
		must(t, first, err)
		equal(t, "finish_reason", first.Choices[0].FinishReason, "tool_calls")
		call := first.Choices[0].Message.ToolCalls[0]
		equal(t, "arguments", call.Function.Arguments, instance)

		again := asks
		again.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{}
		again.Messages = append(again.Messages, first.Choices[0].Message.ToParam(), openai.ToolMessage("clear", call.ID))
		second, err := c.Chat.Completions.New(t.Context(), again)
		must(t, second, err)
		equal(t, "answer", second.Choices[0].Message.Content, "How is the weather?")

		named := asks
		named.ToolChoice = openai.ToolChoiceOptionFunctionToolChoice(openai.ChatCompletionNamedToolChoiceFunctionParam{Name: "get_time"})
		third, err := c.Chat.Completions.New(t.Context(), named)
		must(t, third, err)
		equal(t, "finish_reason of a named choice", third.Choices[0].FinishReason, "stop")
		equal(t, "named tool", third.Choices[0].Message.ToolCalls[0].Function.Name, "get_time")

		var whole openai.ChatCompletionAccumulator
		finished := 0
		for _, chunk := range all(t, c.Chat.Completions.NewStreaming(t.Context(), asks)) {
			whole.AddChunk(chunk)
			if streamed, ok := whole.JustFinishedToolCall(); ok {
				finished++
				equal(t, "streamed tool", streamed.Name, "get_weather")
				equal(t, "streamed arguments", streamed.Arguments, instance)
			}
		}
		equal(t, "finished calls", finished, 1)
		results.Note(openAI(), address, "chat/completions with tools")
	})
}

func TestAnswersKeepASchema(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := says(hello)
		asks.ResponseFormat.OfJSONSchema = inSchema()
		got, err := c.Chat.Completions.New(t.Context(), asks)
		must(t, got, err)
		equal(t, "answer", got.Choices[0].Message.Content, instance)

		asks.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONObject: &shared.ResponseFormatJSONObjectParam{}}
		got, err = c.Chat.Completions.New(t.Context(), asks)
		must(t, got, err)
		equal(t, "object", got.Choices[0].Message.Content, "{}")
		results.Note(openAI(), address, "chat/completions with a schema")
	})
}

func TestPicturesAreShown(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		got, err := c.Chat.Completions.New(t.Context(), shows("What is this?", red))
		must(t, got, err)
		equal(t, "answer", got.Choices[0].Message.Content, "What is this?")
		got, err = c.Chat.Completions.New(t.Context(), shows("What is this?", "data:image/png;base64,AAAA"))
		equal(t, "status of what is no picture", refusal(t, got, err).StatusCode, http.StatusBadRequest)
		results.Note(openAI(), address, "chat/completions with images")
	})
}

func TestChoicesLogProbabilitiesAndWhatIsNotObeyed(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := says(hello)
		asks.N, asks.Logprobs, asks.TopLogprobs, asks.Seed = openai.Int(2), openai.Bool(true), openai.Int(1), openai.Int(5)
		asks.LogitBias, asks.Store = map[string]int64{"5": 1}, openai.Bool(true)
		var response *http.Response
		got, err := c.Chat.Completions.New(t.Context(), asks, option.WithResponseInto(&response))
		must(t, got, err)

		equal(t, "choices", len(got.Choices), 2)
		equal(t, "second", got.Choices[1].Message.Content, hello)
		equal(t, "tokens", len(got.Choices[0].Logprobs.Content), 4)
		equal(t, "first token", got.Choices[0].Logprobs.Content[0].Token, "Hello")
		equal(t, "dropped", response.Header.Get("x-ingot-dropped"), "store")
		equal(t, "deployment", response.Header.Get("x-ingot-deployment"), "mock")
	})
}

func TestStreamsOfSeveralChoicesAreAccumulated(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := says("thrée \U0001F600 \"q\"\n")
		asks.N, asks.Logprobs, asks.TopLogprobs = openai.Int(3), openai.Bool(true), openai.Int(2)
		var whole openai.ChatCompletionAccumulator
		for _, chunk := range all(t, c.Chat.Completions.NewStreaming(t.Context(), asks)) {
			if !whole.AddChunk(chunk) {
				t.Fatalf("does not fit the rest: %s", chunk.RawJSON())
			}
		}
		equal(t, "choices", len(whole.Choices), 3)
		for i, choice := range whole.Choices {
			equal(t, "index", choice.Index, int64(i))
			equal(t, "text", choice.Message.Content, "thrée \U0001F600 \"q\"\n")
			tokens := ""
			for _, token := range choice.Logprobs.Content {
				tokens += token.Token
				equal(t, "alternatives", len(token.TopLogprobs), 2)
			}
			equal(t, "tokens", tokens, choice.Message.Content)
		}
	})
}

func TestExtraParametersAreTheCallersChoice(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		got, err := c.Chat.Completions.New(t.Context(), says(hello), option.WithJSONSet("foo", 1))
		refused := refusal(t, got, err)
		equal(t, "code", refused.Code, "unknown_parameter")
		equal(t, "param", refused.Param, "foo")
		equal(t, "type", refused.Type, "invalid_request_error")

		var response *http.Response
		got, err = c.Chat.Completions.New(t.Context(), says(hello), option.WithJSONSet("foo", 1),
			option.WithHeader("extra-parameters", "drop"), option.WithResponseInto(&response))
		must(t, got, err)
		equal(t, "dropped", response.Header.Get("x-ingot-dropped"), "foo")
	})
}

func TestTextsAreCompleted(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		got, err := c.Completions.New(t.Context(), openai.CompletionNewParams{
			Model: "mock", N: openai.Int(2), Prompt: openai.CompletionNewParamsPromptUnion{OfArrayOfStrings: []string{"a b", "c"}},
		})
		must(t, got, err)
		var texts []string
		for i, choice := range got.Choices {
			equal(t, "index", choice.Index, int64(i))
			texts = append(texts, choice.Text)
		}
		equal(t, "texts", cmp.Diff([]string{"a b", "a b", "c", "c"}, texts), "")

		asks := openai.CompletionNewParams{
			Model: "mock", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Hi you")},
			StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
		}
		text, total := "", int64(0)
		for _, chunk := range all(t, c.Completions.NewStreaming(t.Context(), asks)) {
			for _, choice := range chunk.Choices {
				text += choice.Text
			}
			total = chunk.Usage.TotalTokens
		}
		equal(t, "streamed", text, "Hi you")
		equal(t, "usage", total, 4)

		asks.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
		asks.Model, asks.Prompt = "mock-long", openai.CompletionNewParamsPromptUnion{OfArrayOfTokens: []int64{1, 2}}
		long, err := c.Completions.New(t.Context(), asks)
		must(t, long, err)
		equal(t, "tokens where none said how many", long.Usage.CompletionTokens, 16)
		results.Note(openAI(), address, "completions")
	})
}

func TestEmbeddingsAreTheSameInEveryEncoding(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		var raw json.RawMessage
		embed := func(encoding openai.EmbeddingNewParamsEncodingFormat) [][]float64 {
			got, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
				Model: "mock-embedding", Dimensions: openai.Int(16), EncodingFormat: encoding,
				Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"Hello there", "Good bye"}},
			})
			must(t, got, err)
			equal(t, "tokens", got.Usage.TotalTokens, 4)
			raw = json.RawMessage(got.Data[0].JSON.Embedding.Raw())
			return [][]float64{narrowed(got.Data[0].Embedding), narrowed(got.Data[1].Embedding)}
		}
		floats := embed("float")
		equal(t, "dimensions", len(floats[0]), 16)
		if diff := cmp.Diff(floats, embed("")); diff != "" || raw[0] != '[' {
			t.Errorf("where no encoding is asked for, %.40s: %s", raw, diff)
		}
		if diff := cmp.Diff(floats, embed("base64")); diff != "" || raw[0] != '"' {
			t.Errorf("as base64, %.40s: %s", raw, diff)
		}
		results.Note(openAI(), address, "embeddings")
	})
}

// narrowed are numbers as float32 holds them.
func narrowed(numbers []float64) []float64 {
	for i, n := range numbers {
		numbers[i] = float64(float32(n))
	}
	return numbers
}

func TestModelsAreListedAndFound(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		pager := c.Models.ListAutoPaging(t.Context())
		ids := map[string]bool{}
		for pager.Next() {
			ids[pager.Current().ID] = true
		}
		if err := pager.Err(); err != nil || !ids["mock"] || !ids["mock-embedding"] || len(ids) != 6 {
			t.Fatalf("the list is %v: %v", ids, err)
		}
		for _, id := range []string{"mock", "openai/gpt-4o-mini"} {
			other := client(faults, address)
			got, err := other.Models.Get(t.Context(), id)
			equal(t, "id", must(t, got, err).ID, id)
		}
		got, err := c.Models.Get(t.Context(), "nobody")
		equal(t, "status", refusal(t, got, err).StatusCode, http.StatusNotFound)
		results.Note(openAI(), address, "models")
	})
}

func TestAStreamMayBeLeftInTheMiddle(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := says("go")
		asks.Model = "mock-long"
		ctx, cancel := context.WithCancel(t.Context())
		stream := c.Chat.Completions.NewStreaming(ctx, asks)
		text := ""
		for stream.Next() {
			if text += stream.Current().Choices[0].Delta.Content; strings.HasSuffix(text, "3") {
				cancel()
			}
		}
		cancel()
		if !errors.Is(stream.Err(), context.Canceled) || !strings.HasPrefix(text, "1 2 3") {
			t.Fatalf("after %q: %v", text, stream.Err())
		}

		closed := c.Chat.Completions.NewStreaming(t.Context(), asks)
		equal(t, "there is a chunk", closed.Next(), true)
		if err := closed.Close(); err != nil {
			t.Error(err)
		}
		asks.MaxTokens = openai.Int(3) // a space counts
		got, err := c.Chat.Completions.New(t.Context(), asks)
		equal(t, "afterwards", must(t, got, err).Choices[0].FinishReason, "length")
	})
}

func TestACallMayTakeNoLongerThanItsCallerSays(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(faults, address)
		asks := says(hello)
		asks.Model = "stalls"
		_, err := c.Chat.Completions.New(t.Context(), asks, option.WithRequestTimeout(100*time.Millisecond))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
	})
}
