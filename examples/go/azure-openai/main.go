// Deployments of Azure OpenAI: chat and embeddings.
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
	// Without a list of models of its own the endpoint knows such names and answers with its default models.
	chat, embeddings := deployment("gpt-4o"), deployment("text-embedding-3-small")

	request := &client.ChatRequest{
		Messages:    []client.Message{client.User("What is the capital of France?")},
		Temperature: new(0.0),
		MaxTokens:   new(100),
	}
	for chunk, err := range chat.ChatStream(context.Background(), request) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(chunk.Text())
	}
	vectors, err := embeddings.Embed(context.Background(), &client.EmbedRequest{Input: []string{"a word", "another"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("\n%d vectors of %d numbers by %s\n", len(vectors.Data), len(vectors.Data[0].Floats), vectors.Model)
}

func deployment(name string) *client.Client {
	endpoint := cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080")
	c, err := client.New(endpoint+"/openai/deployments/"+name, client.Key(os.Getenv("INGOT_KEY")), &client.Options{APIVersion: "2024-10-21"})
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	return c
}
