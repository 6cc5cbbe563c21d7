package media

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// Prompt is an image to embed, with what stands before and behind it.
type Prompt struct {
	Before, Behind string // Behind is not empty: a prompt that ends in an image ends the server
	Image          *picture.Picture
}

// EmbedBody is the server's own form of a request to embed images; marker is what stands for an image in its prompts.
func EmbedBody(marker string, prompts []Prompt) []byte {
	w := jsonx.Writer{}
	w.BeginObject()
	w.Member("content")
	w.BeginArray()
	for _, p := range prompts {
		w.BeginObject()
		w.Str("prompt_string", p.Before+marker+p.Behind)
		w.Member("multimodal_data")
		w.BeginArray()
		w.Bytes = append(w.Next(), '"')
		w.Bytes = append(base64.StdEncoding.AppendEncode(w.Bytes, p.Image.Data), '"')
		w.EndArray()
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	return w.Bytes
}

// Vectors reads the answer to n prompts: a list of vectors for each, with one in it, in any order.
func Vectors(body []byte, n int) ([][]float32, error) {
	var answers []struct {
		Index     int
		Embedding [][]float32
	}
	bad := func(err error) error {
		return &llm.Error{Kind: llm.Upstream, Message: "The engine's embeddings of images are not understood: it is older or newer than what Ingot was tested with.", Err: err}
	}
	if err := json.Unmarshal(body, &answers); err != nil {
		return nil, bad(err)
	}
	vectors := make([][]float32, n)
	for _, a := range answers {
		if a.Index < 0 || a.Index >= n || len(a.Embedding) != 1 || len(a.Embedding[0]) == 0 {
			return nil, bad(fmt.Errorf("embedding %d has %d vectors", a.Index, len(a.Embedding)))
		}
		vectors[a.Index] = a.Embedding[0]
	}
	if i := slices.IndexFunc(vectors, func(v []float32) bool { return v == nil }); i >= 0 {
		return nil, bad(fmt.Errorf("embedding %d of %d is missing", i, n))
	}
	return vectors, nil
}

// Marker reads from what the server says of itself what stands for an image in its prompts; empty where it takes none.
func Marker(props []byte) (string, error) {
	v, err := jsonx.Parse(props)
	if err != nil {
		return "", fmt.Errorf("read properties of the model server: %w", err)
	}
	if string(v.Get("modalities").Get("vision")) != "true" {
		return "", nil
	}
	return v.Get("media_marker").Text(), nil
}
