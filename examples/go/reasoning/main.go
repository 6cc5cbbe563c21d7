// Thoughts and answer of a model that reasons, told apart while they are made.
//
// INGOT_ENDPOINT names such a model, for example http://127.0.0.1:8080/deployments/mock-reasoning.
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
	// Since this version thoughts have a member of their own; before it they stood as <think>…</think> in the content.
	options := &client.Options{APIVersion: "2025-04-01"}
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), options)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	request := &client.ChatRequest{
		Messages: []client.Message{client.User("A train leaves at 9:40 and rides for 95 minutes. When does it arrive?")},
	}
	thinking := false
	for chunk, err := range c.ChatStream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		for _, choice := range chunk.Choices {
			if thought := choice.Delta.ReasoningContent; thought != "" {
				if !thinking {
					fmt.Print("Thoughts: ")
				}
				fmt.Print(thought)
				thinking = true
			}
		}
		if text := chunk.Text(); text != "" {
			if thinking {
				fmt.Print("\nAnswer: ")
			}
			fmt.Print(text)
			thinking = false
		}
	}
	fmt.Println()
}
