package client_test

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/clienttest"
)

func TestTheLargestBoundIsNone(t *testing.T) {
	endpoint := clienttest.New(clienttest.Chat("Hello."))
	options := endpoint.Options()
	options.MaxReply = math.MaxInt64
	if reply, err := newClient(t, "http://endpoint.test", options).Chat(t.Context(), hello()); err != nil || reply.Text() != "Hello." {
		t.Errorf("got %+v, %v", reply, err)
	}
}

func TestAnErrorInPlaceOfAReplyIsKeptUpToItsBound(t *testing.T) {
	const most = 1 << 20
	endpoint := clienttest.New(clienttest.JSON(http.StatusOK, `{"error":{"message":"`+strings.Repeat("x", 3*most)+`"}}`))
	_, err := endpoint.Client().Chat(t.Context(), hello())
	if refusal, ok := errors.AsType[*client.Error](err); !ok || len(refusal.Body) != most || len(err.Error()) > most {
		t.Errorf("got %T of %d bytes", err, len(err.Error()))
	}
}

func TestAnEmbeddingThatIsNoneIsAnError(t *testing.T) {
	for _, vector := range []any{nil, []int{}, "", "AADAfw==", "AACAfw=="} {
		endpoint := clienttest.New(clienttest.Embeddings(vector))
		if reply, err := endpoint.Client().Embed(t.Context(), &client.EmbedRequest{Input: []string{"a"}}); err == nil {
			t.Errorf("%v: got %v", vector, reply.Data[0].Floats)
		}
	}
}
