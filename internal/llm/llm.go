// Package llm is the vocabulary that every other package shares: requests, replies,
// streams of fragments, errors, and the Backend that answers. It knows no wire format,
// no HTTP and no configuration.
package llm

import (
	"context"
	"slices"
	"time"
)

// Backend answers requests. The local engine, the mock model, the router and every
// policy are Backends, so they stack like http.Handlers. Methods may be called
// concurrently; requests are read-only for whoever receives them (see Edit).
type Backend interface {
	Chat(ctx context.Context, req *ChatRequest) Stream
	// Complete answers a text completion; the parts of its choices are Text.
	Complete(ctx context.Context, req *CompleteRequest) Stream
	Embed(ctx context.Context, req *EmbedRequest) (*EmbedReply, error)
	Models(ctx context.Context) ([]ModelInfo, error)
}

// Policy wraps a Backend with one concern.
type Policy func(Backend) Backend

// Chain wraps b so that the first policy listed sees a request first.
func Chain(b Backend, policies ...Policy) Backend {
	for _, p := range slices.Backward(policies) {
		b = p(b)
	}
	return b
}

// Unimplemented answers every operation with NoOperation; embed it and override what a model does.
type Unimplemented struct{}

// Chat refuses.
func (Unimplemented) Chat(_ context.Context, r *ChatRequest) Stream {
	return Fail(NotDone(r.Model, OpChat))
}

// Complete refuses.
func (Unimplemented) Complete(_ context.Context, r *CompleteRequest) Stream {
	return Fail(NotDone(r.Model, OpComplete))
}

// Embed refuses.
func (Unimplemented) Embed(_ context.Context, r *EmbedRequest) (*EmbedReply, error) {
	return nil, NotDone(r.Model, r.Operation())
}

// Models lists none.
func (Unimplemented) Models(context.Context) ([]ModelInfo, error) { return nil, nil }

// NotDone is the error of a model that does not do an operation.
func NotDone(model string, op Operation) *Error {
	return &Error{Kind: NoOperation, Message: "NOT FOUND: model '" + model + "' does not support " + op.Title() + "."}
}

// Operation is what a caller may ask of a model, named as OpenTelemetry names it (doc/protocol.md §12.1).
type Operation string

// The operations.
const (
	OpChat        Operation = "chat"
	OpComplete    Operation = "text_completion"
	OpEmbed       Operation = "embeddings"
	OpEmbedImages Operation = "image_embeddings" // Embed of Pictures
)

// Operations lists them all.
func Operations() []Operation { return []Operation{OpChat, OpComplete, OpEmbed, OpEmbedImages} }

// Title names the operation in a sentence.
func (o Operation) Title() string {
	switch o {
	case OpChat:
		return "chat completions"
	case OpComplete:
		return "text completions"
	case OpEmbed:
		return "embeddings"
	case OpEmbedImages:
		return "image embeddings"
	}
	return string(o)
}

// Caller is who asks. The zero Caller is nobody.
type Caller struct {
	Name              string
	Admin             bool
	RequestsPerMinute int    // 0: no limit
	TokensPerMinute   int    // 0: no limit
	RequestID         string // the caller's own id of this request; empty: none
	Hops              int    // how many Ingots handed the request on before it came here
}

// ModelInfo is the one record of what a deployment is and can do: every list of models and every description of one is
// written from it.
type ModelInfo struct {
	Deployment string // the name callers use
	Model      string // the model behind it, as answers name it
	Publisher  string // model_provider_name of /info
	Provider   string // who runs it: "local", "mock", "command", or the name of a provider
	Summary    string // one sentence for people; may be empty
	Licence    string // SPDX identifier or a name; empty: unknown
	Tokenizer  string // the kind of tokenizer, such as gpt2 or bert; empty: unknown
	Created    time.Time
	Operations []Operation
	Features   Features
	Context    int   // tokens; 0: unknown
	Dimensions int   // of an embedding; 0: none or unknown
	Matryoshka []int // shorter embeddings that the model was trained for; nil: none
	Inputs     int   // most of them in one request for embeddings; 0: no limit
	Reasoning  ReasoningPlace
	// What all callers together may ask of the deployment in a minute; 0: no limit.
	RequestsPerMinute, TokensPerMinute int
}

// Does reports whether the deployment answers an operation.
func (m ModelInfo) Does(op Operation) bool {
	return slices.Contains(m.Operations, op)
}

// ReasoningPlace is where a deployment's reasoning text goes (doc/protocol.md §3.7).
type ReasoningPlace string

// The places of reasoning text.
const (
	ReasoningByDoor  ReasoningPlace = ""        // by door and api-version
	ReasoningContent ReasoningPlace = "content" // <think>…</think> before the answer
	ReasoningField   ReasoningPlace = "field"   // reasoning_content
	ReasoningHidden  ReasoningPlace = "hidden"  // not sent, but counted
)
