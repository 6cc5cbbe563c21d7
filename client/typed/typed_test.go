package typed_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
	"github.com/ingot-llm/ingot/client/typed"
)

type point struct {
	X int `json:"x"`
}

type pair[T any] struct {
	A, B T
}

func request() *client.ChatRequest {
	return &client.ChatRequest{Messages: []client.Message{client.User("Where?")}}
}

func TestTheSchemaIsAskedForAndTheRequestIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	endpoint := clienttest.New(clienttest.Chat("<think>hm</think>\n\n{\"x\":1}"))
	asked := request()
	got, reply, err := typed.Chat[point](t.Context(), endpoint.Client(), asked)
	if err != nil || got.X != 1 || reply == nil || asked.ResponseFormat != nil {
		t.Errorf("got %+v, %v, and the request has %+v", got, err, asked.ResponseFormat)
	}
	want := `"response_format":{"type":"json_schema","json_schema":{"name":"point","schema":{"type":"object","properties":{"x":{"type":"integer"}},` +
		`"required":["x"],"additionalProperties":false},"strict":true}}`
	if body := string(endpoint.Requests()[0].Body); !strings.Contains(body, want) {
		t.Errorf("got %s", body)
	}
	format, err := typed.Format[pair[int]]()
	if err != nil || format.JSONSchema.Name != "answer" {
		t.Errorf("got %+v, %v", format, err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for says, answer := range map[string]clienttest.Answer{
		"limit of tokens":     clienttest.ChatFinish(`{"x":`, client.FinishLength),
		"content filter":      clienttest.ChatFinish(`{"x":`, client.FinishContentFilter),
		"calls tools":         clienttest.Call("f", "{}"),
		"refused: I will not": clienttest.JSON(200, `{"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"I will not"}}]}`),
		"decode answer":       clienttest.Chat("It is at 1."),
		"cannot unmarshal":    clienttest.Chat(`{"x":"one"}`),
		"invalid character":   clienttest.Chat(`{"x":1} {}`),
	} {
		_, reply, err := typed.Chat[point](t.Context(), clienttest.New(answer).Client(), request())
		if err == nil || !strings.Contains(err.Error(), says) || reply == nil {
			t.Errorf("got %v and reply %v, want one that says %s", err, reply, says)
		}
	}
	if _, _, err := typed.Chat[point](t.Context(), clienttest.New().Client(), request()); err == nil {
		t.Error("no error of the transport")
	}
	if _, _, err := typed.Chat[point](t.Context(), clienttest.New().Client(), nil); err == nil {
		t.Error("a request of nil passed")
	}
	if _, err := typed.Decode[point](&client.ChatReply{}); err == nil {
		t.Error("a reply without choices passed")
	}
}

func TestTypesThatAreNoAnswer(t *testing.T) {
	t.Parallel()
	if _, err := typed.Format[[]int](); err == nil || !strings.Contains(err.Error(), "wrap it") {
		t.Errorf("got %v", err)
	}
	if _, _, err := typed.Chat[struct{ A any }](t.Context(), clienttest.New().Client(), request()); err == nil || !strings.Contains(err.Error(), "anything") {
		t.Errorf("got %v", err)
	}
}
