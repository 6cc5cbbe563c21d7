// An answer printed while it is made.
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
	request := &client.ChatRequest{
		Messages:  []client.Message{client.User("Tell me a very short story about a lighthouse.")},
		MaxTokens: new(200),
	}
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text())
		if chunk.Usage != nil {
			fmt.Printf("\n(%d tokens)\n", chunk.Usage.CompletionTokens)
		}
	}
}
