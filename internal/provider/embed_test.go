package provider_test

import (
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestNoMoreVectorsAreHandedOnThanWereAskedFor(t *testing.T) {
	every(t, func(t *testing.T, v variant) {
		for _, contract := range []llm.Wire{v.contract, llm.WireInference} { // handed on as they came, and written anew
			b, _ := v.backend(t, whole(`{"object":"list","data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[2]}]}`), embeds)
			got, err := b.Embed(t.Context(), embedding(t, contract, `{"input":"one"}`))
			if err == nil || llm.AsError(err).Kind != llm.Upstream {
				t.Errorf("got %v, %v", got, err)
			}
		}
	})
}
