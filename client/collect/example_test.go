package collect_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
)

var request = &client.ChatRequest{Messages: []client.Message{client.User("What is the capital of France?")}}

func ExampleChat() {
	c := clienttest.New(clienttest.Chat("Paris.")).Client()

	reply, err := collect.Chat(c.ChatStream(context.Background(), request))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text(), reply.Usage.TotalTokens)
	// Output: Paris. 15
}

// What had arrived before a stream failed is not lost.
func ExampleChat_broken() {
	c := clienttest.New(clienttest.Break(clienttest.Chat("The capital is Paris."), 3)).Client()

	reply, err := collect.Chat(c.ChatStream(context.Background(), request))
	fmt.Printf("%q %v\n", reply.Text(), errors.Is(err, client.ErrTruncated))
	// Output: "The capi" true
}

func ExampleCompletion() {
	c := clienttest.New(clienttest.Complete(" in a land far away")).Client()

	reply, err := collect.Completion(c.CompleteStream(context.Background(), &client.CompletionRequest{Prompt: []string{"Once upon a time"}}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
	// Output: in a land far away
}

func ExampleAnswer() {
	c := clienttest.New(clienttest.Chat("It is Paris.")).Client()

	var answer collect.Answer
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if err == nil {
			err = answer.Add(chunk)
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text(), "|")
	}
	fmt.Println("", answer.Reply().Choices[0].FinishReason)
	// Output: |It i|s Pa|ris.|| stop
}
