package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
	"github.com/ingot-llm/ingot/client/dataurl"
)

// The examples talk to an endpoint that plays a script. A program of yours begins with
//
//	c, err := client.New("http://127.0.0.1:8080", client.Key(os.Getenv("INGOT_KEY")), nil)
func Example() {
	c := clienttest.New(clienttest.Chat("Paris.")).Client()

	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Messages:  []client.Message{client.System("Be brief."), client.User("What is the capital of France?")},
		MaxTokens: new(64),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text(), reply.Choices[0].FinishReason, reply.Usage.TotalTokens)
	// Output: Paris. stop 15
}

func ExampleNew() {
	for _, endpoint := range []string{
		"http://127.0.0.1:8080",
		"https://example.services.ai.azure.com/models",
		"https://example.openai.azure.com/openai/deployments/gpt-4o",
		"https://example.services.ai.azure.com/models/chat/completions?api-version=2025-04-01", // a "target URI" of the portal
	} {
		if _, err := client.New(endpoint, client.Key("key"), &client.Options{ApplicationID: "my-program"}); err != nil {
			fmt.Println(err)
		}
	}
	_, err := client.New("example.com/models", client.Key("key"), nil)
	fmt.Println(err)
	// Output: parse endpoint: want http:// or https:// and a host, such as https://host/models, got "example.com/models"
}

func ExampleOptions() {
	endpoint := clienttest.New(clienttest.Chat("Paris."))
	c, err := client.New("https://example.com/models", client.Key("key"), &client.Options{
		APIVersion:    "2025-04-01",
		Deployment:    "blue",                            // azureml-model-deployment
		Header:        http.Header{"X-Team": {"search"}}, // of every request
		ApplicationID: "my-program/1.2",                  // in front of the User-Agent
		HTTPClient:    &http.Client{Transport: endpoint}, // proxies, certificates and the like
		Retry:         client.Retry{Max: 5},              // 6 attempts
		MaxReply:      1 << 20,                           // bytes
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}}); err != nil {
		log.Fatal(err)
	}
	asked := endpoint.Requests()[0]
	fmt.Println(asked.Path, asked.Header.Get("azureml-model-deployment"), asked.Header.Get("x-team"))
	// Output: /models/chat/completions?api-version=2025-04-01 blue search
}

// Members that the contract does not have are passed on to the model, unless the client says otherwise.
func ExampleExtraParameters() {
	endpoint := clienttest.New(clienttest.Chat("Hello."))
	options := endpoint.Options()
	options.ExtraParameters = client.ExtraDrop
	c, err := client.New("http://127.0.0.1:8080", client.Key("key"), options)
	if err != nil {
		log.Fatal(err)
	}
	request := &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}, Extra: map[string]any{"top_k": 40}}
	if _, err := c.Chat(context.Background(), request); err != nil {
		log.Fatal(err)
	}
	fmt.Println(endpoint.Requests()[0].Header.Get("extra-parameters"))
	// Output: drop
}

// Package tool does the same with a function of Go.
func ExampleTool() {
	c := clienttest.New(clienttest.Call("get_time", `{"zone":"UTC"}`), clienttest.Chat("It is noon.")).Client()

	request := &client.ChatRequest{
		Messages: []client.Message{client.User("What time is it?")},
		Tools: []client.Tool{{Function: client.Function{
			Name:       "get_time",
			Parameters: json.RawMessage(`{"type":"object","properties":{"zone":{"type":"string"}}}`),
		}}},
		ToolChoice: &client.ToolChoice{Mode: client.ToolAuto},
	}
	reply, err := c.Chat(context.Background(), request)
	if err != nil {
		log.Fatal(err)
	}
	request.Messages = append(request.Messages, reply.Message())
	for _, call := range reply.Message().ToolCalls {
		var arguments struct{ Zone string }
		if err := call.Function.Arguments.Decode(&arguments); err != nil {
			log.Fatal(err) // or tell the model
		}
		request.Messages = append(request.Messages, client.ToolResult(call.ID, "12:00 "+arguments.Zone))
	}
	if reply, err = c.Chat(context.Background(), request); err != nil {
		log.Fatal(err)
	}
	fmt.Println(request.Messages[2].Content.Text(), "→", reply.Text())
	// Output: 12:00 UTC → It is noon.
}

// A credential of one's own: a key that changes.
func ExampleCredential() {
	endpoint := clienttest.New(clienttest.Chat("Paris."))
	c, err := client.New("http://127.0.0.1:8080", rotating{}, endpoint.Options())
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(endpoint.Requests()[0].Header.Get("api-key"))
	// Output: key of today
}

type rotating struct{}

func (rotating) Authorize(req *http.Request) error {
	return client.Key("key of today").Authorize(req)
}

func ExampleClient_ChatStream() {
	c := clienttest.New(clienttest.Chat("The capital is Paris.")).Client()

	request := &client.ChatRequest{Messages: []client.Message{client.User("What is the capital of France?")}}
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text())
	}
	// Output: The capital is Paris.
}

func ExampleClient_ChatStream_broken() {
	c := clienttest.New(clienttest.Break(clienttest.Chat("The capital is Paris."), 3)).Client()

	request := &client.ChatRequest{Messages: []client.Message{client.User("What is the capital of France?")}}
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if errors.Is(err, client.ErrTruncated) {
			fmt.Print("… (the answer broke off)")
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text())
	}
	// Output: The capi… (the answer broke off)
}

func ExampleClient_ChatStream_history() {
	c := clienttest.New(clienttest.Chat("Paris.")).Client()

	request := &client.ChatRequest{Messages: []client.Message{client.User("What is the capital of France?")}}
	var answer collect.Answer
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if err == nil {
			err = answer.Add(chunk)
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text()) // as it comes
	}
	request.Messages = append(request.Messages, answer.Reply().Message(), client.User("And of Italy?"))
	fmt.Println("", len(request.Messages), answer.Reply().Usage.TotalTokens)
	// Output: Paris. 3 15
}

func ExampleMessage_Reasoning() {
	c := clienttest.New(clienttest.Reasoning("France? Paris.", "Paris."), clienttest.Chat("<think>\nFrance? Paris.\n</think>\n\nParis.")).Client()

	for range 2 { // services tell thoughts in either way
		reply, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("The capital of France?")}})
		if err != nil {
			log.Fatal(err)
		}
		thought, text := reply.Message().Reasoning()
		fmt.Println(thought, "→", text)
	}
	// Output:
	// France? Paris. → Paris.
	// France? Paris. → Paris.
}

// What the contract has no field for goes into Extra, in both directions.
func ExampleExtra() {
	endpoint := clienttest.New(clienttest.JSON(http.StatusOK, `{"choices":[{"message":{"content":"Hi."},"finish_reason":"stop","logprobs":{"content":[]}}],"mood":"good"}`))

	reply, err := endpoint.Client().Chat(context.Background(), &client.ChatRequest{
		Messages: []client.Message{client.User("Hello?")},
		Extra:    map[string]any{"top_k": 40},
	})
	if err != nil {
		log.Fatal(err)
	}
	var mood string
	if err := reply.Extra.Decode("mood", &mood); err != nil {
		log.Fatal(err)
	}
	fmt.Println(mood, string(reply.Choices[0].Extra["logprobs"]))
	fmt.Println(endpoint.Requests()[0].Header.Get("extra-parameters"), string(endpoint.Requests()[0].Body))
	// Output:
	// good {"content":[]}
	// pass-through {"messages":[{"role":"user","content":"Hello?"}],"top_k":40}
}

func ExampleError() {
	c := clienttest.New(clienttest.Error(http.StatusBadRequest, "content_filter", "The prompt was filtered.", 0)).Client()

	_, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("…")}})
	if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Code == "content_filter" {
		fmt.Println(refusal.Status, refusal.Message, refusal.RequestID)
	}
	// Output: 400 The prompt was filtered. request-of-clienttest
}

func ExampleRetry() {
	endpoint := clienttest.New(
		clienttest.Error(http.StatusTooManyRequests, "RateLimitReached", "Slow down.", time.Millisecond),
		clienttest.Chat("Paris."),
	)
	options := endpoint.Options()
	options.Retry = client.Retry{Max: 5, MaxDelay: 10 * time.Second}
	options.Trace = &client.Trace{Wait: func(_ context.Context, wait time.Duration, cause error) { fmt.Println(wait, cause) }}
	c, err := client.New("http://127.0.0.1:8080", client.Key("key"), options)
	if err != nil {
		log.Fatal(err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
	// Output:
	// 1ms service answered 429 Too Many Requests (RateLimitReached): Slow down. [request request-of-clienttest]
	// Paris.
}

// A span for each operation, and its context for the service. Begin returns the context that carries the span.
func ExampleTrace() {
	type spanKey struct{}
	endpoint := clienttest.New(clienttest.Chat("Paris."))
	options := endpoint.Options()
	options.Trace = &client.Trace{
		Begin: func(ctx context.Context, op *client.Operation) context.Context {
			return context.WithValue(ctx, spanKey{}, op.Name+" "+op.Model)
		},
		Request: func(_ context.Context, req *http.Request) {
			req.Header.Set("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		},
		End: func(ctx context.Context, op *client.Operation) {
			fmt.Println(ctx.Value(spanKey{}), op.Attempts, op.FinishReasons, op.Usage.TotalTokens, op.Err)
		},
	}
	c, err := client.New("http://127.0.0.1:8080", client.Key("key"), options)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Chat(context.Background(), &client.ChatRequest{Model: "phi-4", Messages: []client.Message{client.User("Hello?")}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(endpoint.Requests()[0].Header.Get("traceparent"))
	// Output:
	// chat phi-4 1 [stop] 15 <nil>
	// 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
}

func ExampleClient_Complete() {
	c := clienttest.New(clienttest.Complete(" in a land far away")).Client()

	reply, err := c.Complete(context.Background(), &client.CompletionRequest{Prompt: []string{"Once upon a time"}, MaxTokens: new(16)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("Once upon a time" + reply.Text())
	// Output: Once upon a time in a land far away
}

func ExampleClient_CompleteStream() {
	c := clienttest.New(clienttest.Complete(" in a land far away")).Client()

	for piece, err := range c.CompleteStream(context.Background(), &client.CompletionRequest{Prompt: []string{"Once upon a time"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(piece.Text(), "|")
	}
	// Output: in |a la|nd f|ar a|way||
}

func ExampleClient_Embed() {
	c := clienttest.New(clienttest.Embeddings([]float32{0.6, 0.8}, []float32{1, 0})).Client()

	reply, err := c.Embed(context.Background(), &client.EmbedRequest{Input: []string{"a cat", "a dog"}, InputType: client.InputDocument})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range reply.Data {
		fmt.Println(e.Index, e.Floats)
	}
	// Output:
	// 0 [0.6 0.8]
	// 1 [1 0]
}

// Bits take a thirty-second of the room of floats, and are compared by counting those that differ.
func ExampleClient_Embed_binary() {
	c := clienttest.New(clienttest.Embeddings([]int{52, -128})).Client() // as the wire has it: less 128

	reply, err := c.Embed(context.Background(), &client.EmbedRequest{Input: []string{"a cat"}, EncodingFormat: client.EncodingBinary})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%08b\n", reply.Data[0].Bits)
	// Output: [10110100 00000000]
}

func ExampleClient_EmbedImages() {
	const png = "\x89PNG\r\n\x1a\n…" // a file: dataurl.File("cat.png")
	image, err := dataurl.Reader(strings.NewReader(png))
	if err != nil {
		log.Fatal(err)
	}
	c := clienttest.New(clienttest.Embeddings([]float32{0.6, 0.8})).Client()
	reply, err := c.EmbedImages(context.Background(), &client.EmbedImagesRequest{Input: []client.ImageInput{{Image: image}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Data[0].Floats)
	// Output: [0.6 0.8]
}

func ExampleImage() {
	// For a file: picture, err := dataurl.File("cat.png")
	picture, err := dataurl.Reader(strings.NewReader("\x89PNG\r\n\x1a\n…"))
	if err != nil {
		log.Fatal(err)
	}
	message := client.User("Which of these is a cat?", client.Image(picture), client.Image("https://example.com/cat.png"))
	for _, part := range message.Content[1:] {
		fmt.Println(part.ImageURL.URL)
	}
	// Output:
	// data:image/png;base64,iVBORw0KGgrigKY=
	// https://example.com/cat.png
}

func ExampleClient_Info() {
	c := clienttest.New(clienttest.Info("phi-4", "chat_completion", "Microsoft")).Client()

	info, err := c.Info(context.Background(), "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.ModelName, info.ModelType, info.ModelProviderName)
	// Output: phi-4 chat_completion Microsoft
}
