package openai

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeEmbed reads an embedding answer, in any order of index: a vector for each item of r. One that is passed on as it
// came is only counted.
func (c Codec) DecodeEmbed(r *llm.EmbedRequest, body []byte) (*llm.EmbedReply, error) {
	v, err := jsonx.Parse(body)
	if err != nil {
		return nil, malformed("a body that is not JSON")
	}
	out := &llm.EmbedReply{ID: v.Get("id").Text(), Model: v.Get("model").Text()}
	if u, ok := decodeUsage(v.Get("usage")); ok {
		out.Usage = &u
	}
	passes := c.passes(r)
	vectors := make([]jsonx.Value, len(r.Items))
	n := 0
	for i, e := range v.Get("data").Elements() {
		index, err := e.Get("index").Int()
		if err != nil {
			index = int64(i)
		}
		n++
		if index < 0 || index >= int64(len(vectors)) || vectors[index] != nil {
			continue
		}
		vectors[index] = e.Get("embedding")
	}
	for _, vec := range vectors {
		if vec.Kind() != jsonx.Array && vec.Kind() != jsonx.String || len(vec) == len(`""`) {
			return nil, malformed(fmt.Sprintf("an embedding is missing among %d for %d inputs", n, len(vectors)))
		}
	}
	if n != len(vectors) {
		return nil, malformed(fmt.Sprintf("%d embeddings for %d inputs", n, len(vectors)))
	}
	if passes {
		out.Source = llm.Source{Wire: c.Contract, Body: v, Whole: true}
		return out, nil
	}
	for _, x := range vectors {
		vec, err := vector(x)
		if err != nil {
			return nil, err
		}
		out.Vectors = append(out.Vectors, vec)
	}
	return out, nil
}

// vector decodes an embedding of numbers, or of base64 of little-endian float32 (doc/protocol.md §5.3).
func vector(v jsonx.Value) ([]float32, error) {
	const size = 4
	if v.Kind() == jsonx.String {
		raw, err := base64.StdEncoding.DecodeString(v.Text())
		if err != nil || len(raw)%size != 0 {
			return nil, malformed("an embedding that is not base64 of numbers")
		}
		vec := make([]float32, len(raw)/size)
		for i := range vec {
			vec[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[size*i:]))
			if f := float64(vec[i]); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, malformed("an embedding that is not a list of numbers")
			}
		}
		return vec, nil
	}
	var vec []float32
	for _, x := range v.Elements() {
		f, err := x.Float()
		if err != nil || math.Abs(f) > math.MaxFloat32 {
			return nil, malformed("an embedding that is not a list of numbers")
		}
		vec = append(vec, float32(f))
	}
	return vec, nil
}
