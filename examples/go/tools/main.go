// A model calls a function of this program, and answers with what it returned.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/tool"
)

type place struct {
	City string `json:"city" jsonschema:"description=such as Paris,maxLength=40"`
}

type weather struct {
	Sky     string `json:"sky"`
	Celsius int    `json:"celsius"`
}

func lookUp(_ context.Context, p place) (weather, error) {
	fmt.Printf("(the weather of %q is looked up)\n", p.City)
	return weather{"sunny", 21}, nil
}

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	look, err := tool.New("get_weather", "Tells the weather of a city.", lookUp)
	if err != nil {
		log.Fatal(err)
	}
	reply, _, err := tool.Run(context.Background(), c, &client.ChatRequest{
		Messages:    []client.Message{client.User("What is the weather in Paris?")},
		ToolChoice:  &client.ToolChoice{Mode: client.ToolRequired}, // auto leaves it to the model
		Temperature: new(0.0),
		MaxTokens:   new(100),
	}, 5, look)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
}
