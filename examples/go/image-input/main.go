// A question about a picture, for a deployment whose model sees.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/dataurl"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	picture, err := dataurl.File("../pictures/circle.png")
	if err != nil {
		log.Fatal(err)
	}
	reply, err := c.Chat(context.Background(), &client.ChatRequest{
		Messages:  []client.Message{client.User("What shape is this, and of which colour?", client.Image(picture))},
		MaxTokens: new(100),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text())
}
