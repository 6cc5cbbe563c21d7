package typed_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
	"github.com/ingot-llm/ingot/client/typed"
)

func ExampleChat() {
	type country struct {
		Capital    string   `json:"capital"`
		Population int      `json:"population" jsonschema:"minimum=0"`
		Languages  []string `json:"languages" jsonschema:"minItems=1"`
	}
	c := clienttest.New(clienttest.Chat(`{"capital":"Paris","population":68000000,"languages":["French"]}`)).Client()

	answer, _, err := typed.Chat[country](context.Background(), c, &client.ChatRequest{
		Messages: []client.Message{client.User("Tell me about France.")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Capital, answer.Languages)
	// Output: Paris [French]
}

func ExampleFormat() {
	type color struct {
		Name string `json:"name" jsonschema:"enum=red,enum=blue"`
	}
	format, err := typed.Format[color]()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(format.JSONSchema.Schema))

	// A stream has the form, too.
	c := clienttest.New(clienttest.Chat(`{"name":"red"}`)).Client()
	reply, err := collect.Chat(c.ChatStream(context.Background(), &client.ChatRequest{
		Messages: []client.Message{client.User("Which colour has a rose?")}, ResponseFormat: format,
	}))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := typed.Decode[color](reply)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Name)
	// Output:
	// {"type":"object","properties":{"name":{"type":"string","enum":["red","blue"]}},"required":["name"],"additionalProperties":false}
	// red
}
