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
	v, members, err := jsonx.ParseMembers(body, maxRoot)
	if err != nil {
		return nil, malformed("a body that is not JSON")
	}
	out := &llm.EmbedReply{}
	vectors := make([]jsonx.Value, len(r.Items))
	n := 0
	for _, m := range members {
		switch m.Name {
		case "id":
			out.ID = m.Value.Text()
		case "model":
			out.Model = m.Value.Text()
		case "usage":
			if u, ok := decodeUsage(m.Value); ok {
				out.Usage = &u
			}
		case "data":
			n = place(vectors, m.Value)
		}
	}
	for _, vec := range vectors {
		if vec.Kind() != jsonx.Array && vec.Kind() != jsonx.String || len(vec) == len(`""`) {
			return nil, malformed(fmt.Sprintf("an embedding is missing among %d for %d inputs", n, len(vectors)))
		}
	}
	if n != len(vectors) {
		return nil, malformed(fmt.Sprintf("%d embeddings for %d inputs", n, len(vectors)))
	}
	if c.passes(r) {
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

// maxRoot is how many members of an answer are looked at.
const maxRoot = 64

// place puts each embedding of data at its index, and returns how many there are.
func place(vectors []jsonx.Value, data jsonx.Value) (n int) {
	for i, e := range data.Elements() {
		n++
		index := int64(i)
		var vec jsonx.Value
		for name, x := range e.Members() {
			switch name {
			case "index":
				if at, err := x.Int(); err == nil {
					index = at
				}
			case "embedding":
				vec = x
			}
		}
		if index >= 0 && index < int64(len(vectors)) && vectors[index] == nil {
			vectors[index] = vec
		}
	}
	return n
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
