// Several questions at the same time: a client is safe for concurrent use.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/client"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()

	questions := []string{"What is the capital of France?", "What is the capital of Italy?"}
	answers := make([]string, len(questions))
	var wait sync.WaitGroup
	for i, question := range questions {
		wait.Go(func() {
			reply, err := c.Chat(ctx, &client.ChatRequest{Messages: []client.Message{client.User(question)}, Temperature: new(0.0), MaxTokens: new(60)})
			if err != nil {
				answers[i] = err.Error()
				return
			}
			answers[i] = reply.Text()
		})
	}
	wait.Wait()
	for i, question := range questions {
		fmt.Println(question, answers[i])
	}
}
