package openai

import (
	"math"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeEmbed reads an embedding answer with vectors of numbers, in any order of index.
func (c Codec) DecodeEmbed(body []byte) (*llm.EmbedReply, error) {
	v, err := jsonx.Parse(body)
	if err != nil {
		return nil, malformed("a body that is not JSON")
	}
	r := &llm.EmbedReply{ID: v.Get("id").Text(), Model: v.Get("model").Text()}
	if u, ok := decodeUsage(v.Get("usage")); ok {
		r.Usage = &u
	}
	byIndex := map[int64][]float32{}
	for i, e := range v.Get("data").Elements() {
		index, err := e.Get("index").Int()
		if err != nil {
			index = int64(i)
		}
		var vec []float32
		for _, x := range e.Get("embedding").Elements() {
			f, err := x.Float()
			if err != nil || math.Abs(f) > math.MaxFloat32 {
				return nil, malformed("an embedding that is not a list of numbers")
			}
			vec = append(vec, float32(f))
		}
		byIndex[index] = vec
	}
	for i := range int64(len(byIndex)) {
		if len(byIndex[i]) == 0 {
			return nil, malformed("an embedding is missing")
		}
		r.Vectors = append(r.Vectors, byIndex[i])
	}
	return r, nil
}
