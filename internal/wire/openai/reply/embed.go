package reply

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// AppendEmbed appends an embedding answer (doc/protocol.md §§5.2, 5.3, 6.1). Vectors whose length 8
// does not divide cannot be written as bits; the caller has refused them.
func AppendEmbed(dst []byte, r *llm.EmbedReply, h Head, enc llm.Encoding, s Style) []byte {
	if r.Source.Body != nil {
		return joined(dst, r.Source.Body)
	}
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	if !s.openAI() {
		w.Str("id", h.ID)
	}
	w.Str("object", "list")
	w.Str("model", h.Model)
	w.Member("data")
	w.BeginArray()
	for i, v := range r.Vectors {
		w.BeginObject()
		w.Int("index", int64(i))
		w.Str("object", "embedding")
		w.Member("embedding")
		w.Bytes = AppendVector(w.Next(), v, enc)
		w.EndObject()
	}
	w.EndArray()
	if u := r.Usage; u != nil {
		s.writeUsage(w, &llm.Usage{Prompt: u.Prompt, Images: u.Images, Patches: u.Patches}, llm.OpEmbed)
	}
	w.EndObject()
	return w.Bytes
}

// AppendVector appends a vector of L2 norm 1 in an encoding of doc/protocol.md §5.3. int8 is
// round(127x) clamped to −128…127 and uint8 is int8 + 128; bits are signs (≥ 0 is 1), most significant first.
func AppendVector(dst []byte, v []float32, enc llm.Encoding) []byte {
	switch enc {
	case llm.Base64:
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, raw), '"')
	case llm.Int8:
		return appendInts(dst, len(v), func(i int) int { return quantize(v[i]) })
	case llm.Uint8:
		return appendInts(dst, len(v), func(i int) int { return quantize(v[i]) + 128 })
	case llm.Binary:
		return appendInts(dst, len(v)/8, func(i int) int { return signs(v[8*i:]) - 128 })
	case llm.Ubinary:
		return appendInts(dst, len(v)/8, func(i int) int { return signs(v[8*i:]) })
	case llm.Float:
	}
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonx.AppendFloat(dst, float64(x), 32)
	}
	return append(dst, ']')
}

func appendInts(dst []byte, n int, at func(i int) int) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(at(i)), 10)
	}
	return append(dst, ']')
}

func quantize(x float32) int {
	return int(max(-128, min(127, math.Round(float64(x)*127))))
}

func signs(v []float32) int {
	b := 0
	for i := range 8 {
		if v[i] >= 0 {
			b |= 0x80 >> i
		}
	}
	return b
}
