package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

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

func TestVectorsAreHandedOnInTheFormThatWasAskedForOrNotAtAll(t *testing.T) {
	const numbers, base64 = `[1,-2.5e0]`, `"AACAPwAAIMA="`
	for name, c := range map[string]struct {
		asked, came string
		passes, ok  bool
	}{
		"numbers":                   {``, numbers, true, true},
		"base64":                    {`"base64"`, base64, true, true},
		"numbers where base64 was":  {`"base64"`, numbers, false, true},
		"base64 where numbers were": {`"float"`, base64, false, true},
		"words":                     {``, `["1","2"]`, false, false},
		"true":                      {``, `[1,true]`, false, false},
		"false":                     {``, `[1,false]`, false, false},
		"null":                      {``, `[1,null]`, false, false},
		"lists":                     {``, `[[1,2]]`, false, false},
		"objects":                   {``, `[{"1":2}]`, false, false},
		"a word":                    {`"base64"`, `"word"`, false, false},
		"half a number":             {`"base64"`, `"AACA"`, false, false},
		"no base64":                 {`"base64"`, `"AACAPwAAIMA"`, false, false},
	} {
		for _, v := range variants() {
			b, _ := v.backend(t, whole(`{"object":"list","data":[{"index":0,"embedding":`+c.came+`}]}`), embeds)
			asked := `{"input":"one"}`
			if c.asked != "" {
				asked = `{"input":"one","encoding_format":` + c.asked + `}`
			}
			got, err := b.Embed(t.Context(), embedding(t, v.contract, asked))
			switch {
			case !c.ok:
				if err == nil || llm.AsError(err).Kind != llm.Upstream {
					t.Errorf("%s, %s: got %v, %v", v.name, name, got, err)
				}
			case err != nil:
				t.Errorf("%s, %s: %v", v.name, name, err)
			case (got.Source.Body != nil) != c.passes:
				t.Errorf("%s, %s: its bytes are handed on: %t", v.name, name, !c.passes)
			case !c.passes:
				if d := cmp.Diff([][]float32{{1, -2.5}}, got.Vectors); d != "" {
					t.Errorf("%s, %s: %s", v.name, name, d)
				}
			}
		}
	}
}

func TestWholeNumbersThatWereAskedForAreNoFractions(t *testing.T) {
	for came, passes := range map[string]bool{`[127,-128]`: true, `[0.5,-0.25]`: false, `[1e0,0]`: false} {
		for _, v := range variants() {
			if v.contract != llm.WireInference {
				continue
			}
			b, _ := v.backend(t, whole(`{"object":"list","data":[{"index":0,"embedding":`+came+`}]}`), embeds)
			got, err := b.Embed(t.Context(), embedding(t, v.contract, `{"input":"one","encoding_format":"int8"}`))
			if err != nil || (got.Source.Body != nil) != passes {
				t.Errorf("%s, %s: %v, its bytes are handed on: %t", v.name, came, err, !passes)
			}
		}
	}
}
