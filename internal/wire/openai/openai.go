// Package openai speaks to servers of the JSON family that Azure AI Model Inference, Azure OpenAI and
// OpenAI v1 share: it encodes what they are asked and decodes what they answer. What doors do with the
// family is in the packages below: they decode with request and answer with reply.
package openai

import (
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// Codec speaks to a server of this family.
type Codec struct {
	// Contract is whose contract the server keeps: a caller's bytes of the same contract are spliced, not rebuilt.
	Contract llm.Wire
}

var _ wire.Codec = Codec{}

// EncodeChat writes a chat request: the caller's own bytes where that is faithful, else from its fields.
func (c Codec) EncodeChat(r *llm.ChatRequest) (*wire.Request, error) {
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		return &wire.Request{Path: "/chat/completions", Pieces: request.Splice(src)}, nil
	}
	return &wire.Request{Path: "/chat/completions", Pieces: [][]byte{request.AppendChat(nil, r)}}, nil
}

// EncodeComplete writes a text completion request.
func (c Codec) EncodeComplete(r *llm.CompleteRequest) (*wire.Request, error) {
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		return &wire.Request{Path: "/completions", Pieces: request.Splice(src)}, nil
	}
	return &wire.Request{Path: "/completions", Pieces: [][]byte{request.AppendComplete(nil, r)}}, nil
}

// EncodeEmbed writes an embedding request; it asks for floats, which the door encodes.
func (c Codec) EncodeEmbed(r *llm.EmbedRequest) (*wire.Request, error) {
	return &wire.Request{Path: "/embeddings", Pieces: [][]byte{request.AppendEmbed(nil, r)}}, nil
}
