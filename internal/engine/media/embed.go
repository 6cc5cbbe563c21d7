package media

import (
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// Prompt is an image to embed, with what stands before and behind it.
type Prompt struct {
	Before, Behind string // Behind is not empty: a prompt that ends in an image ends the server
	Image          *picture.Picture
}

// EmbedBody is the server's own form of a request to embed an image; marker is what stands for an image in its prompts.
func EmbedBody(marker string, p Prompt) []byte {
	w := jsonx.Writer{}
	w.BeginObject()
	w.Member("content")
	w.BeginArray()
	w.BeginObject()
	w.Str("prompt_string", p.Before+marker+p.Behind)
	w.Member("multimodal_data")
	w.BeginArray()
	w.Bytes = append(w.Next(), '"')
	w.Bytes = append(base64.StdEncoding.AppendEncode(w.Bytes, p.Image.Data), '"')
	w.EndArray()
	w.EndObject()
	w.EndArray()
	w.EndObject()
	return w.Bytes
}

// Vector reads the answer to such a request: a list of vectors for each prompt, with one in it.
func Vector(body []byte) ([]float32, error) {
	var answers []struct{ Embedding [][]float32 }
	err := json.Unmarshal(body, &answers)
	if err == nil && (len(answers) != 1 || len(answers[0].Embedding) != 1 || len(answers[0].Embedding[0]) == 0) {
		err = fmt.Errorf("%d answers, or not one vector in the first", len(answers))
	}
	if err != nil {
		return nil, &llm.Error{Kind: llm.Upstream, Message: "The engine's embedding of an image is not understood: it is older or newer than what Ingot was tested with.", Err: err}
	}
	return answers[0].Embedding[0], nil
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
