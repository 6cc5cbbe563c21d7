package llm

import "encoding/json"

// Envelope is what every request carries.
type Envelope struct {
	Model   string // the deployment
	Caller  Caller
	Stream  bool     // the caller wants fragments
	Extra   Extra    // members to forward verbatim
	MayDrop bool     // a target may leave out what it cannot do, and lists it in Meta.Dropped
	Dropped []string // members that were left out already
	Offered []string // extra members that a target may leave out in any case, and lists
	source  Source
	owner   *Envelope
}

// Sampling is how tokens are chosen and when they end; nil means the model's own default.
type Sampling struct {
	MaxTokens        *int // ≥ 0
	Temperature      *float64
	TopP             *float64
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Seed             *int64
	Stop             []string
}

// ChatRequest asks for the next message of a conversation.
type ChatRequest struct {
	Envelope
	Sampling
	Messages          []Message
	Tools             []Tool
	ToolChoice        *ToolChoice
	Format            *Format
	N                 *int
	Logprobs          bool
	TopLogprobs       *int
	LogitBias         json.RawMessage
	ParallelToolCalls *bool
	ReasoningEffort   string
	AudioOutput       bool // modalities names audio
	User              string
	UsageChunk        bool // stream_options.include_usage: usage in a chunk of its own
	Functions         bool // the tools came as functions, the form that OpenAI deprecated; their calls are answered so
	// CompletionTokens tells that MaxTokens was given as max_completion_tokens.
	CompletionTokens bool
	// Grammar is what the answer must follow, in llguidance's words, and PlainGrammar is about the same in llama.cpp's own, for
	// a server or a model that does not get along with the first. Decorators of targets set them, never callers.
	Grammar, PlainGrammar string
}

// Role is who says a message.
type Role string

// The roles of doc/protocol.md §3.2.
const (
	System    Role = "system"
	Developer Role = "developer"
	User      Role = "user"
	Assistant Role = "assistant"
	ToolRole  Role = "tool"
)

// Message is one turn. A tool's message has one part, a ToolResult.
type Message struct {
	Role   Role
	Name   string
	Form   Form
	Parts  []Part
	Prefix bool // the answer goes on where this message, the last and the assistant's, ends
	Extra  Extra
}

// Form is how a message's content was written, so that it can be written so again.
type Form byte

// The forms of content.
const (
	FormString Form = iota
	FormParts
	FormNull
	FormAbsent
)

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description *Text
	Parameters  json.RawMessage // JSON Schema; nil: no arguments
	Strict      *bool
	Extra       Extra
}

// ChoiceMode is how free the model is to call tools.
type ChoiceMode string

// The modes of tool_choice; ToolNamed goes with a name.
const (
	ToolAuto     ChoiceMode = "auto"
	ToolNone     ChoiceMode = "none"
	ToolRequired ChoiceMode = "required"
	ToolNamed    ChoiceMode = "function"
)

// ToolChoice says whether and which tool to call.
type ToolChoice struct {
	Mode ChoiceMode
	Name string // with ToolNamed
}

// FormatType is the shape an answer must have.
type FormatType string

// The types of response_format (doc/protocol.md §3.4).
const (
	FormatText   FormatType = "text"
	FormatJSON   FormatType = "json_object"
	FormatSchema FormatType = "json_schema"
)

// Format is response_format.
type Format struct {
	Type        FormatType
	Name        string
	Description *Text
	Schema      json.RawMessage
	Strict      *bool
}

// Input is one thing to complete or embed: Text, Tokens, or a Picture, which is only embedded.
//
//sumtype:decl
type Input interface{ input() }

// Tokens is an input given as token ids.
type Tokens []int

// Picture is an image to embed, with a text that belongs to it or nil.
type Picture struct {
	Image Image
	Text  *Text
}

func (Text) input()    {}
func (Tokens) input()  {}
func (Picture) input() {}

// CompleteRequest asks for the continuation of texts. Choice i*N+k of the answer continues Prompts[i].
type CompleteRequest struct {
	Envelope
	Sampling
	Prompts    []Input
	N          *int
	BestOf     *int
	Echo       bool
	Suffix     *string
	Logprobs   *int
	LogitBias  json.RawMessage
	User       string
	UsageChunk bool
}

// Encoding is how a vector is written (doc/protocol.md §5.3).
type Encoding string

// The encodings of an embedding.
const (
	Float   Encoding = "float"
	Base64  Encoding = "base64"
	Int8    Encoding = "int8"
	Uint8   Encoding = "uint8"
	Binary  Encoding = "binary"
	Ubinary Encoding = "ubinary"
)

// InputType is what an embedding is for.
type InputType string

// The input types of doc/protocol.md §5.1.
const (
	InputText     InputType = "text"
	InputQuery    InputType = "query"
	InputDocument InputType = "document"
)

// Operation is OpEmbedImages where the items are Pictures; they all are, or none.
func (r *EmbedRequest) Operation() Operation {
	if len(r.Items) > 0 {
		if _, ok := r.Items[0].(Picture); ok {
			return OpEmbedImages
		}
	}
	return OpEmbed
}

// EmbedRequest asks for one vector per item.
type EmbedRequest struct {
	Envelope
	Items      []Input
	Encoding   Encoding  // what the caller wants; the door encodes
	Dimensions *int      // ≥ 1
	InputType  InputType // empty: not given, which counts as text
	User       string
}

// EmbedReply holds the vectors in the order of the items; or, where its Source has a body, that is the
// whole answer in the contract and the encoding that the caller asked for, and there are no Vectors.
type EmbedReply struct {
	ID      string
	Model   string
	Vectors [][]float32
	Usage   *Usage
	Meta    Meta
	Source  Source
}

// Edit returns a copy that may be changed; it is encoded from its fields, no longer from the caller's bytes.
func (r *ChatRequest) Edit() *ChatRequest { c := *r; return &c }

// Edit returns a copy that may be changed; it is encoded from its fields, no longer from the caller's bytes.
func (r *CompleteRequest) Edit() *CompleteRequest { c := *r; return &c }

// Edit returns a copy that may be changed; it is encoded from its fields, no longer from the caller's bytes.
func (r *EmbedRequest) Edit() *EmbedRequest { c := *r; return &c }

// WithModel returns a copy for another model name that keeps the caller's bytes; r itself where that is its name.
func (r *ChatRequest) WithModel(name string) *ChatRequest {
	if r.named(name) {
		return r
	}
	c := r.Edit()
	c.setModel(&r.Envelope, name)
	return c
}

// WithModel returns a copy for another model name that keeps the caller's bytes; r itself where that is its name.
func (r *CompleteRequest) WithModel(name string) *CompleteRequest {
	if r.named(name) {
		return r
	}
	c := r.Edit()
	c.setModel(&r.Envelope, name)
	return c
}

// WithModel returns a copy for another model name that keeps the caller's bytes; r itself where that is its name.
func (r *EmbedRequest) WithModel(name string) *EmbedRequest {
	if r.named(name) {
		return r
	}
	c := r.Edit()
	c.setModel(&r.Envelope, name)
	return c
}
