package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeEmbed reads an embedding answer, in any order of index: a vector for each item of r. One that is passed on as it came
// has what r asked for, numbers or base64; it is not read number by number.
func (c Codec) DecodeEmbed(r *llm.EmbedRequest, body []byte) (*llm.EmbedReply, error) {
	root, err := jsonx.ParseMembers(body, maxRoot)
	if err != nil {
		return nil, malformed("a body that is not JSON")
	}
	out := &llm.EmbedReply{}
	vectors := make([]jsonx.Value, len(r.Items))
	n := 0
	for _, m := range root.Members {
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
	if c.passes(r) && !slices.ContainsFunc(vectors, func(x jsonx.Value) bool { return !suits(x, r.Encoding) }) {
		out.Source = llm.Source{Wire: c.Contract, Body: root.Value, Whole: true}
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

// suits reports whether an embedding is in the form of an encoding.
func suits(v jsonx.Value, want llm.Encoding) bool {
	inner := v[1 : len(v)-1]
	if v.Kind() == jsonx.Array {
		fractions := want == "" || want == llm.Float
		return want != llm.Base64 && numeric(inner) && (fractions || !bytes.ContainsAny(inner, ".eE"))
	}
	const group, size = 4, 4
	filled := len(inner)/group*(group-1) - (len(inner) - len(bytes.TrimRight(inner, "=")))
	return want == llm.Base64 && len(inner)%group == 0 && filled%size == 0
}

// numeric reports whether the elements of a JSON array are numbers, without reading them: they have no quotes, and no letters
// or brackets but the e of an exponent.
func numeric(elements []byte) bool {
	const (
		eight   = 8
		letters = 0xc0c0c0c0c0c0c0c0 // none of which is set in what else numbers are made of
	)
	for rest := elements; len(rest) > 0; {
		n := min(eight, len(rest))
		if n < eight || binary.LittleEndian.Uint64(rest)&letters != 0 {
			for _, c := range rest[:n] {
				if c >= '@' && c != 'e' && c != 'E' {
					return false
				}
			}
		}
		rest = rest[n:]
	}
	return bytes.IndexByte(elements, '"') < 0
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
