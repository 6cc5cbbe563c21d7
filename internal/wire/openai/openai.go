// Package openai speaks to servers of the JSON family that Azure AI Model Inference, Azure OpenAI and
// OpenAI v1 share: it encodes what they are asked and decodes what they answer. What doors do with the
// family is in the packages below: they decode with request and answer with reply.
package openai

import (
	"net/http"
	"strconv"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire"
	"github.com/ingot-llm/ingot/internal/wire/openai/encode"
)

// Codec speaks to a server of this family.
type Codec struct {
	// Contract is whose contract the server keeps: a caller's bytes of the same contract are spliced, not rebuilt.
	Contract llm.Wire
	// AskUsage asks for the usage of streams also where the caller does not. Servers of Model Inference tell it unasked.
	AskUsage bool
}

var _ wire.Codec = Codec{}

// EncodeChat writes a chat request: the caller's own bytes where that is faithful, else from its fields.
func (c Codec) EncodeChat(r *llm.ChatRequest) (*wire.Request, error) {
	if c.AskUsage && r.Stream && !r.UsageChunk {
		r = r.WithUsageChunk()
	}
	out := &wire.Request{Path: "/chat/completions", Choices: times(r.N)}
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		out.Pieces = encode.Splice(src)
	} else {
		if c.Contract == llm.WireInference && r.UsageChunk {
			r = r.Edit()
			r.UsageChunk = false
		}
		out.Pieces = [][]byte{encode.AppendChat(nil, r)}
	}
	beyond := r.N != nil || r.Logprobs || r.TopLogprobs != nil || r.LogitBias != nil || r.User != "" ||
		r.ParallelToolCalls != nil || r.ReasoningEffort != "" || r.UsageChunk
	out.Header = c.header(&r.Envelope, beyond)
	return out, nil
}

// times is how many choices n asks for.
func times(n *int) int {
	if n == nil {
		return 1
	}
	return *n
}

// EncodeComplete writes a text completion request.
func (c Codec) EncodeComplete(r *llm.CompleteRequest) (*wire.Request, error) {
	if c.AskUsage && r.Stream && !r.UsageChunk {
		r = r.WithUsageChunk()
	}
	out := &wire.Request{Path: "/completions", Choices: len(r.Prompts) * times(r.N)}
	if src, ok := r.Source(); ok && src.Wire == c.Contract {
		out.Pieces = encode.Splice(src)
	} else {
		if c.Contract == llm.WireInference && r.UsageChunk {
			r = r.Edit()
			r.UsageChunk = false
		}
		out.Pieces = [][]byte{encode.AppendComplete(nil, r)}
	}
	beyond := r.N != nil || r.BestOf != nil || r.Echo || r.Suffix != nil || r.Logprobs != nil || r.LogitBias != nil ||
		r.User != "" || r.UsageChunk
	out.Header = c.header(&r.Envelope, beyond)
	return out, nil
}

// EncodeEmbed writes an embedding request. It asks for floats, which the door encodes, unless the answer is passed on as it comes.
func (c Codec) EncodeEmbed(r *llm.EmbedRequest) (*wire.Request, error) {
	out := &wire.Request{Path: "/embeddings", Header: c.header(&r.Envelope, r.User != "")}
	if r.Operation() == llm.OpEmbedImages {
		out.Path = "/images/embeddings"
	}
	if c.passes(r) {
		src, _ := r.Source()
		out.Pieces = encode.Splice(src)
	} else {
		out.Pieces = [][]byte{encode.AppendEmbed(nil, r)}
	}
	return out, nil
}

// passes reports whether the answer to r is what its caller asked for, byte for byte.
func (c Codec) passes(r *llm.EmbedRequest) bool {
	src, ok := r.Source()
	return ok && src.Wire == c.Contract
}

// header counts the Ingots that a request went through, so that one which leads back to itself notices it, and hands on the
// caller's own id of the request, and what is to become of members beyond the contract (doc/protocol.md
// §3.6): what the caller allowed to be dropped may be, and what it was let through with is let through.
func (c Codec) header(e *llm.Envelope, beyond bool) http.Header {
	h := http.Header{"X-Ingot-Hops": {strconv.Itoa(e.Caller.Hops + 1)}}
	if id := e.Caller.RequestID; id != "" {
		h["X-Ms-Client-Request-Id"] = []string{id}
	}
	switch {
	case e.MayDrop:
		h["Extra-Parameters"] = []string{"drop"}
	case len(e.Extra) > 0 || beyond && c.Contract == llm.WireInference:
		h["Extra-Parameters"] = []string{"pass-through"}
	}
	return h
}
