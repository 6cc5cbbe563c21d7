package upstream_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestAVectorForEachInputIsNeitherLackingNorTooMuch(t *testing.T) {
	two := &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a"), llm.NewText("b")}}
	for data, valid := range map[string]bool{
		`{"index":0,"embedding":[1]},{"index":1,"embedding":[2]}`:                             true,
		`{"index":0,"embedding":[1]}`:                                                         false,
		`{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}`:                             false,
		`{"index":0,"embedding":[1]},{"index":1,"embedding":[2]},{"index":2,"embedding":[3]}`: false,
		`{"index":0,"embedding":[1]},{"index":1,"embedding":[1e39]}`:                          false,
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `{"data":[`+data+`]}`) })
		r, err := c.Embed(t.Context(), two)
		if valid != (err == nil) || err != nil && llm.AsError(err).Kind != llm.Upstream {
			t.Errorf("%s: got %v, %v", data, r, err)
		}
	}
}
