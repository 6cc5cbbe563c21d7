package clienttest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
)

func Example() {
	endpoint := clienttest.New(
		clienttest.Error(429, "RateLimitReached", "Slow down.", time.Millisecond),
		clienttest.Chat("Paris."),
	)
	reply, err := endpoint.Client().Chat(context.Background(), &client.ChatRequest{
		Model:    "phi-4",
		Messages: []client.Message{client.User("What is the capital of France?")},
	})
	if err != nil {
		log.Fatal(err)
	}
	var asked struct{ Messages []client.Message }
	if err := endpoint.Requests()[1].Decode(&asked); err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text(), len(endpoint.Requests()), endpoint.Left(), asked.Messages[0].Content.Text())
	// Output: Paris. 2 0 What is the capital of France?
}

// A program that takes an address is given that of a server.
func ExampleEndpoint_ServeHTTP() {
	server := httptest.NewServer(clienttest.New(clienttest.Break(clienttest.Chat("The capital is Paris."), 3)))
	defer server.Close()

	c, err := client.New(server.URL, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := collect.Chat(c.ChatStream(context.Background(), &client.ChatRequest{Messages: []client.Message{client.User("?")}}))
	fmt.Println(reply.Text(), errors.Is(err, client.ErrTruncated))
	// Output: The capi true
}

func hello() *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User("Hello?")}}
}

func TestAnswersAreTheSameWholeAndStreamed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]clienttest.Answer{
		"text":      clienttest.Chat("Größe: 日本語, and more."),
		"no text":   clienttest.Chat(""),
		"thoughts":  clienttest.Reasoning("hm", "well"),
		"calls":     clienttest.Calls("f", `{"a":1}`, "g", `{}`),
		"cut short": clienttest.ChatFinish("So", client.FinishLength),
	} {
		c := clienttest.New(answer, answer).Client()
		whole, err := c.Chat(t.Context(), hello())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		streamed, err := collect.Chat(c.ChatStream(t.Context(), hello()))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, b := whole.Choices[0], streamed.Choices[0]
		if a.Message.Content.Text() != b.Message.Content.Text() || a.Message.ReasoningContent != b.Message.ReasoningContent ||
			a.FinishReason != b.FinishReason || len(a.Message.ToolCalls) != len(b.Message.ToolCalls) || whole.Usage.TotalTokens != streamed.Usage.TotalTokens {
			t.Errorf("%s: got %+v whole and %+v streamed", name, a, b)
		}
	}
}

func TestAScriptThatIsOverSaysSo(t *testing.T) {
	t.Parallel()
	endpoint := clienttest.New()
	if _, err := endpoint.Client().Chat(t.Context(), hello()); !errors.Is(err, clienttest.ErrOver) || len(endpoint.Requests()) != 1 {
		t.Errorf("got %v", err)
	}
	server := httptest.NewServer(endpoint)
	defer server.Close()
	c, err := client.New(server.URL, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Chat(t.Context(), hello()); err == nil {
		t.Error("no error of a server without a script")
	}
	endpoint.Add(clienttest.Complete("b"), clienttest.Fail(errors.New("gone")), clienttest.Break(clienttest.Chat("x"), 9))
	if got, err := c.Complete(t.Context(), &client.CompletionRequest{Prompt: []string{"a"}}); err != nil || got.Text() != "b" {
		t.Errorf("got %v, %v", got, err)
	}
	for range 2 {
		once, err := client.New(server.URL, nil, &client.Options{Retry: client.Retry{Max: -1}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := once.Chat(t.Context(), hello()); err == nil {
			t.Errorf("got %+v", got)
		}
	}
}

func TestACallerThatHasLeftIsNotAnswered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	endpoint := clienttest.New(clienttest.Chat("x"))
	if _, err := endpoint.Client().Chat(ctx, hello()); !errors.Is(err, context.Canceled) || endpoint.Left() != 1 {
		t.Errorf("got %v", err)
	}
}
