// An answer that has the shape of a Go type.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/typed"
)

type recipe struct {
	Name        string   `json:"name" jsonschema:"maxLength=40"`
	Minutes     int      `json:"minutes" jsonschema:"minimum=1,maximum=240"`
	Ingredients []string `json:"ingredients" jsonschema:"minItems=1,maxItems=6,maxLength=30"`
}

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	dish, _, err := typed.Chat[recipe](context.Background(), c, &client.ChatRequest{
		Messages:    []client.Message{client.User("Write a recipe for a simple soup.")},
		Temperature: new(0.0),
		MaxTokens:   new(400),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q takes %d min and %s\n", dish.Name, dish.Minutes, strings.Join(dish.Ingredients, ", "))
}
