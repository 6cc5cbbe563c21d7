package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/ingot-llm/ingot/client/internal/object"
	"github.com/ingot-llm/ingot/client/internal/vector"
)

// EncodingFormat says how embeddings come, and so which field of Embedding they are in.
type EncodingFormat string

// The encodings of the contract.
const (
	EncodingFloat   EncodingFormat = "float"   // Floats
	EncodingBase64  EncodingFormat = "base64"  // Floats; half of the bytes on the wire
	EncodingInt8    EncodingFormat = "int8"    // Int8
	EncodingUint8   EncodingFormat = "uint8"   // Uint8
	EncodingBinary  EncodingFormat = "binary"  // Bits
	EncodingUbinary EncodingFormat = "ubinary" // Bits
)

// InputType says what a text is for, where a model embeds questions in another way than what answers them.
type InputType string

// The input types of the contract.
const (
	InputText     InputType = "text"
	InputQuery    InputType = "query"
	InputDocument InputType = "document"
)

// EmbedRequest asks for embeddings of texts. Fields left at zero are not sent.
type EmbedRequest struct {
	Model          string         `json:"model,omitempty"` // the deployment; may be left out where the endpoint has one
	Input          []string       `json:"-"`
	Tokens         [][]int        `json:"-"` // in place of Input: texts as the model's tokens
	Dimensions     *int           `json:"dimensions,omitempty"`
	EncodingFormat EncodingFormat `json:"encoding_format,omitempty"`
	InputType      InputType      `json:"input_type,omitempty"`

	Extra  map[string]any `json:"-"` // members that are not part of the contract
	Header http.Header    `json:"-"` // added to this call
}

// EmbedImagesRequest asks for embeddings of pictures. Fields left at zero are not sent.
type EmbedImagesRequest struct {
	Model          string         `json:"model,omitempty"` // the deployment; may be left out where the endpoint has one
	Input          []ImageInput   `json:"input"`
	Dimensions     *int           `json:"dimensions,omitempty"`
	EncodingFormat EncodingFormat `json:"encoding_format,omitempty"`
	InputType      InputType      `json:"input_type,omitempty"`

	Extra  map[string]any `json:"-"` // members that are not part of the contract
	Header http.Header    `json:"-"` // added to this call
}

// ImageInput is a picture, for models that take pairs together with a text.
type ImageInput struct {
	Image string `json:"image"` // a data URL, which package dataurl makes of files; some services take https URLs
	Text  string `json:"text,omitempty"`
}

// EmbedReply holds an embedding for each input, in the order of the inputs.
type EmbedReply struct {
	ID     string      `json:"id"`
	Object string      `json:"object"`
	Model  string      `json:"model"`
	Data   []Embedding `json:"data"`
	Usage  *Usage      `json:"usage"`

	Extra Extra `json:"-"`
	Meta  `json:"-"`

	encoding EncodingFormat
	inputs   int
}

// Embedding is the vector of one input. The encoding that was asked for decides which of the four fields is set.
type Embedding struct {
	Index  int
	Floats []float32 // one for each dimension
	Int8   []int8    // one for each dimension
	Uint8  []uint8   // one for each dimension
	Bits   []byte    // eight dimensions in each byte, the first in its highest bit; set means not negative
	Extra  Extra

	raw json.RawMessage // until it is decoded
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *EmbedReply) UnmarshalJSON(data []byte) error {
	type plain EmbedReply
	return object.Decode(data, (*plain)(r), &r.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *Embedding) UnmarshalJSON(data []byte) error {
	var wire struct {
		Object    string          `json:"object"` // always embedding
		Index     int             `json:"index"`
		Embedding json.RawMessage `json:"embedding"`
	}
	err := object.Decode(data, &wire, &e.Extra)
	e.Index, e.raw = wire.Index, wire.Embedding
	return err
}

// Embed asks for embeddings of texts. A refusal by the service is an *Error.
func (c *Client) Embed(ctx context.Context, req *EmbedRequest) (*EmbedReply, error) {
	if req == nil {
		return nil, errors.New("embed: the request has no text")
	}
	reply := &EmbedReply{encoding: req.EncodingFormat, inputs: len(req.Input) + len(req.Tokens)}
	input, err := inputs(req.Input, req.Tokens)
	type plain EmbedRequest
	var call call
	if err == nil {
		call, err = post("embeddings", "embeddings", req.Model, struct {
			Input any `json:"input"`
			plain
		}{input, plain(*req)}, req.Extra, req.Header, false)
	}
	if err == nil {
		err = c.unary(ctx, call, reply)
	}
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return reply, nil
}

// EmbedImages asks for embeddings of pictures. A refusal by the service is an *Error.
func (c *Client) EmbedImages(ctx context.Context, req *EmbedImagesRequest) (*EmbedReply, error) {
	if req == nil || len(req.Input) == 0 {
		return nil, errors.New("embed images: the request has no picture")
	}
	reply := &EmbedReply{encoding: req.EncodingFormat, inputs: len(req.Input)}
	type plain EmbedImagesRequest
	call, err := post("embeddings", "images/embeddings", req.Model, plain(*req), req.Extra, req.Header, false)
	if err == nil {
		err = c.unary(ctx, call, reply)
	}
	if err != nil {
		return nil, fmt.Errorf("embed images: %w", err)
	}
	return reply, nil
}

func (r *EmbedReply) accept(op *Operation, meta Meta) error {
	r.Meta = meta
	op.learn(r.ID, r.Model, r.Usage, meta)
	if len(r.Data) != r.inputs {
		return fmt.Errorf("the reply has %d embeddings for %d inputs", len(r.Data), r.inputs)
	}
	slices.SortStableFunc(r.Data, func(a, b Embedding) int { return cmp.Compare(a.Index, b.Index) })
	for i := range r.Data {
		e := &r.Data[i]
		v, err := vector.Decode(string(r.encoding), e.raw)
		if err != nil {
			return fmt.Errorf("decode embedding %d: %w", i, err)
		}
		e.Floats, e.Int8, e.Uint8, e.Bits, e.raw = v.Floats, v.Int8, v.Uint8, v.Bits, nil
	}
	return nil
}
