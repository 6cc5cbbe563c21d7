package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/ingot-llm/ingot/client"
)

func Example() {
	endpoint := httptest.NewServer(answer(http.StatusOK, wholeReply)) // your own: http://127.0.0.1:8080
	defer endpoint.Close()

	c, err := client.New(endpoint.URL, client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Model:     "phi-4",
		Messages:  []client.Message{client.System("Be brief."), client.User(client.Text("Hello?"))},
		MaxTokens: new(64),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reply.Text(), reply.Usage.TotalTokens)
	// Output: Hello. 14
}

func ExampleClient_ChatStream() {
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		io.WriteString(w, first+hel+lo+last+done)
	}))
	defer endpoint.Close()

	c, err := client.New(endpoint.URL, client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := &client.ChatRequest{Messages: []client.Message{client.User(client.Text("Hello?"))}}
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if refusal, ok := errors.AsType[*client.Error](err); ok {
			fmt.Println(refusal.Code, refusal.Message)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(chunk.Text())
	}
	// Output: Hello.
}
