package tool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/collect"
	"github.com/ingot-llm/ingot/client/tool"
)

type place struct {
	City string `json:"city" jsonschema:"description=with its country"`
}

type weather struct {
	Celsius float64 `json:"celsius"`
}

func forecast(_ context.Context, p place) (weather, error) {
	if p.City == "" {
		return weather{}, errors.New("which city?")
	}
	return weather{21.5}, nil
}

func ExampleRun() {
	look, err := tool.New("look_up_weather", "The weather of today", forecast)
	if err != nil {
		log.Fatal(err)
	}
	endpoint := clienttest.New(
		clienttest.Call("look_up_weather", `{"city":"Paris, France"}`),
		clienttest.Chat("It is 21.5 degrees in Paris."),
	)
	reply, history, err := tool.Run(context.Background(), endpoint.Client(), &client.ChatRequest{
		Messages: []client.Message{client.User("How warm is it in Paris?")},
	}, 5, look)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range history {
		fmt.Printf("%s %q\n", m.Role, m.Content.Text())
	}
	fmt.Println(reply.Text())
	// Output:
	// user "How warm is it in Paris?"
	// assistant ""
	// tool "{\"celsius\":21.5}"
	// assistant "It is 21.5 degrees in Paris."
	// It is 21.5 degrees in Paris.
}

func ExampleFunc_Tool() {
	look, err := tool.NewStrict("look_up_weather", "The weather of today", forecast)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(look.Tool().Function.Parameters), *look.Tool().Function.Strict)
	// Output: {"type":"object","properties":{"city":{"type":"string","description":"with its country"}},"required":["city"],"additionalProperties":false} true
}

// A loop of one's own can show answers while they are made.
func ExampleAnswer() {
	look, err := tool.New("look_up_weather", "The weather of today", forecast)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	c := clienttest.New(clienttest.Call("look_up_weather", `{"city":"Paris"}`), clienttest.Chat("It is warm.")).Client()

	request := &client.ChatRequest{Messages: []client.Message{client.User("How warm is it in Paris?")}, Tools: tool.Tools(look)}
	for range 5 {
		var answer collect.Answer
		for chunk, err := range c.ChatStream(ctx, request) {
			if err == nil {
				err = answer.Add(chunk)
			}
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(chunk.Text())
		}
		message := answer.Reply().Message()
		request.Messages = append(request.Messages, message)
		if len(message.ToolCalls) == 0 {
			break
		}
		for _, call := range message.ToolCalls {
			result, err := tool.Answer(ctx, call, look)
			if err != nil {
				log.Fatal(err)
			}
			request.Messages = append(request.Messages, result)
		}
	}
	// Output: It is warm.
}

func newFunc[A, R any](t *testing.T, name string, f func(context.Context, A) (R, error)) tool.Func {
	t.Helper()
	made, err := tool.New(name, "", f)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func ask() *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User("Go.")}, ToolChoice: &client.ToolChoice{Mode: client.ToolRequired}}
}

func TestWhatWentWrongIsToldToTheModel(t *testing.T) {
	t.Parallel()
	look := newFunc(t, "look", forecast)
	shout := newFunc(t, "shout", func(_ context.Context, _ struct{}) (string, error) { return "HO", nil })
	endpoint := clienttest.New(
		clienttest.Calls("look", `{"city":""}`, "look", `{"city":`, "find", `{}`, "shout", ``),
		clienttest.Chat("Well."),
	)
	reply, history, err := tool.Run(t.Context(), endpoint.Client(), ask(), 2, look, shout)
	if err != nil || reply.Text() != "Well." {
		t.Fatalf("got %v, %v", reply, err)
	}
	for i, want := range []string{"error: which city?", "error: decode arguments: ", `error: there is no function "find"`, "HO"} {
		m := history[2+i]
		if m.Role != client.RoleTool || !strings.HasPrefix(m.Content.Text(), want) {
			t.Errorf("got %+v, want %s", m, want)
		}
	}
	var sent struct {
		Tools      []map[string]any `json:"tools"`
		ToolChoice any              `json:"tool_choice"`
		Messages   []map[string]any `json:"messages"`
	}
	asked := endpoint.Requests()
	if err := asked[0].Decode(&sent); err != nil || len(sent.Tools) != 2 || sent.ToolChoice != "required" {
		t.Errorf("got %+v, %v", sent, err)
	}
	sent.ToolChoice = nil
	if err := asked[1].Decode(&sent); err != nil || len(sent.Tools) != 2 || sent.ToolChoice != nil || len(sent.Messages) != 6 {
		t.Errorf("got %+v, %v", sent, err)
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	look := newFunc(t, "look", forecast)
	again := clienttest.Call("look", `{"city":"Rome"}`)
	if _, history, err := tool.Run(t.Context(), clienttest.New(again, again, again).Client(), ask(), 2, look); !errors.Is(err, tool.ErrRounds) || len(history) != 5 {
		t.Errorf("got %v after %d messages", err, len(history))
	}
	ctx, cancel := context.WithCancel(t.Context())
	leave := newFunc(t, "leave", func(context.Context, struct{}) (string, error) {
		cancel()
		return "", nil
	})
	if _, _, err := tool.Run(ctx, clienttest.New(clienttest.Call("leave", "{}"), again).Client(), ask(), 9, leave); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	refused := clienttest.Error(400, "x", "no", 0)
	if _, history, err := tool.Run(t.Context(), clienttest.New(refused).Client(), ask(), 9, look); err == nil || len(history) != 1 {
		t.Errorf("got %v, %v", history, err)
	}
	if _, _, err := tool.Run(t.Context(), clienttest.New().Client(), nil, 9); err == nil {
		t.Error("a request of nil passed")
	}
}

func TestAToolNeedsATypeWithASchema(t *testing.T) {
	t.Parallel()
	if _, err := tool.New("f", "", func(context.Context, chan int) (string, error) { return "", nil }); err == nil {
		t.Error("a channel passed")
	}
	if _, err := tool.New("look up", "", forecast); err == nil {
		t.Error("a name of two words passed")
	}
	if _, err := tool.NewStrict("f", "", func(context.Context, struct{ A any }) (string, error) { return "", nil }); err == nil {
		t.Error("anything passed as strict")
	}
	if _, err := tool.New("f", "", func(context.Context, string) (string, error) { return "", nil }); err == nil {
		t.Error("a text passed, where services want an object")
	}
}
