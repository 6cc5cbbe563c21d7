// A conversation: every request carries what was said before.
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
	messages := []client.Message{client.System("You help with cooking. Answer in one sentence.")}
	for _, question := range []string{"What can I make of three eggs?", "And without a pan?"} {
		messages = append(messages, client.User(question))
		reply, err := c.Chat(context.Background(), &client.ChatRequest{Messages: messages, Temperature: new(0.0), MaxTokens: new(100)})
		if err != nil {
			log.Fatal(err)
		}
		messages = append(messages, reply.Message())
		fmt.Printf("> %s\n%s\n(%d tokens in)\n", question, reply.Text(), reply.Usage.PromptTokens)
	}
}
