package llm

import (
	"slices"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// Wire names the contract that bytes follow, not the JSON family that contracts share.
type Wire string

// The contracts.
const (
	WireInference Wire = "ami"         // Azure AI Model Inference
	WireAzure     Wire = "azureopenai" // Azure OpenAI, below /openai/deployments
	WireOpenAI    Wire = "openai"      // OpenAI v1
)

// Source is what the other side sent: a request's own bytes with the edits so far, or the bytes of an
// answer or of its fragment. Where both ends keep one contract they are passed on as they came.
type Source struct {
	Wire  Wire
	Body  []byte
	Edits []Edit
	// Members are those of a request's body, in order.
	Members []jsonx.Member
	// Whole tells that Body is a whole answer and no events. Neither it nor what aliases it is used again.
	Whole bool
	// Ends is where the first event of Body begins that ends a choice or tells usage; len(Body): there is none.
	Ends int
	// Count is from where to where an event of Body tells usage and nothing else; nothing where both are 0.
	Count [2]int
}

// Edit is a change of a root member that keeps the rest of the bytes.
type Edit struct {
	Member string
	Value  []byte // what to write instead; nil: the member is cut
}

// SetSource notes the bytes that the request was decoded from with the members of the object that they are, and those to cut.
func (e *Envelope) SetSource(w Wire, body []byte, members []jsonx.Member, cut ...string) {
	e.source, e.owner = Source{Wire: w, Body: body, Members: members}, e
	for _, member := range cut {
		e.source.Edits = append(e.source.Edits, Edit{Member: member})
	}
}

// Source returns the caller's bytes and the edits to make, if nothing else was changed. A request
// that was copied by hand or by Edit has none: it remembers its address, as strings.Builder does.
func (e *Envelope) Source() (Source, bool) {
	return e.source, e.owner == e && e.source.Body != nil
}

// LimitTokens gives a request that sets no limit the one of its contract, in the caller's bytes as well. It is for who decoded it.
func (r *CompleteRequest) LimitTokens(most int) {
	if r.MaxTokens != nil {
		return
	}
	r.MaxTokens = &most
	r.keep(&r.Envelope, Edit{"max_tokens", strconv.AppendInt(nil, int64(most), 10)})
}

// keep takes over the bytes of the request that e was copied from, with one more edit.
func (e *Envelope) keep(from *Envelope, edit Edit) {
	src, ok := from.Source()
	if !ok {
		return
	}
	src.Edits = append(slices.Clone(src.Edits), edit)
	e.source, e.owner = src, e
}

// named reports whether a request is for the model of that name, in the caller's bytes as well.
func (e *Envelope) named(name string) bool {
	src, ok := e.Source()
	if !ok {
		return e.Model == name
	}
	in := func(m jsonx.Member) bool { return m.Name == "model" && m.Value.Is(name) }
	edited := func(edit Edit) bool { return edit.Member == "model" }
	return e.Model == name && slices.ContainsFunc(src.Members, in) && !slices.ContainsFunc(src.Edits, edited)
}

func (e *Envelope) setModel(from *Envelope, name string) {
	e.Model = name
	e.keep(from, Edit{"model", Text{b: []byte(name)}.AppendJSON(nil)})
}

// WithUsageChunk returns a copy that asks a stream to tell its usage, and keeps the caller's bytes.
func (r *ChatRequest) WithUsageChunk() *ChatRequest {
	c := r.Edit()
	c.UsageChunk = true
	c.keep(&r.Envelope, usageChunk())
	return c
}

// WithUsageChunk returns a copy that asks a stream to tell its usage, and keeps the caller's bytes.
func (r *CompleteRequest) WithUsageChunk() *CompleteRequest {
	c := r.Edit()
	c.UsageChunk = true
	c.keep(&r.Envelope, usageChunk())
	return c
}

func usageChunk() Edit { return Edit{"stream_options", []byte(`{"include_usage":true}`)} }

// drop lists a member as not obeyed.
func (e *Envelope) drop(from *Envelope, member string) {
	e.Dropped = append(slices.Clone(e.Dropped), member)
	e.keep(from, Edit{Member: member})
}
