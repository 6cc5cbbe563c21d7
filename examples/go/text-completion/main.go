// A text that the model goes on with.
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
	const text = "Once upon a time there was"
	reply, err := c.Complete(context.Background(), &client.CompletionRequest{Prompt: []string{text}, MaxTokens: new(40), Temperature: new(0.0)})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
	fmt.Printf("(%s, %s)\n", reply.Model, reply.Choices[0].FinishReason)
}
