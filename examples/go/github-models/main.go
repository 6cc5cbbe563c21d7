// A program of GitHub Models' time: only the address is another.
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
	endpoint := cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080")
	c, err := client.New(endpoint+"/inference", client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Model:       "openai/gpt-4o",
		Messages:    []client.Message{client.System(""), client.User("What is the capital of France?")},
		Temperature: new(1.0),
		TopP:        new(1.0),
		MaxTokens:   new(100),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n(%s)\n", reply.Text(), reply.Model)
}
