// One question, one answer.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ingot-llm/ingot/client"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Messages:    []client.Message{client.System("Be brief."), client.User("What is the capital of France?")},
		Temperature: new(0.0),
		MaxTokens:   new(100),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
	fmt.Printf("%s: %d tokens in, %d out\n", reply.Model, reply.Usage.PromptTokens, reply.Usage.CompletionTokens)
}
