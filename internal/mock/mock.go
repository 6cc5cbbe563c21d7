// Package mock is a model without a model: a llm.Backend that answers by rule,
// so that people can rehearse their clients, and fail them on purpose, without
// weights or hardware. The same request always gets the same answer; only id
// and time differ.
//
// Tokens. A token is a run of up to 16 letters, marks or digits with the one
// space before it, or one other character; joined, the tokens are the text
// again. A chat prompt counts the tokens of all its texts, of the names and
// arguments of its tool calls and of tool results, and three for each message;
// any other prompt counts its tokens. An answer counts the tokens it sent,
// the head of a tool call (its id and name) as one. A prompt given as token ids
// is read as those numbers with spaces between: [5, 17] is "5 17".
//
// Images are read and checked, and then change nothing in an answer. In a chat
// prompt one counts the patches of 14 by 14 pixels that it has when made to fit
// 448 by 448.
//
// Answers. Echo repeats the text of the last user message, and for text
// completions the prompt. Count counts "1 2 3 …" until max_tokens. Reasoning
// thinks first and then echoes. Embedding makes unit vectors from a hash of the
// text, ImageEmbedding from one of an image's pixels and of the text beside it.
// Tools that must be called (and, by Options, those that may be) are
// called with the smallest arguments that their schema allows, the first tool
// where none is named; response_format json_schema is answered with the
// smallest instance, json_object with {}. max_tokens holds for everything, stop
// for the answer's text. Where the last message is the assistant's and has
// prefix, an echo leaves out what that message says already.
//
// A filter. A prompt that contains "mock:filter" is refused. An answer's text
// ends before "mock:censor", as by a filter. A choice whose prompt contains
// "mock:no-filter" says that it was not filtered.
//
// Log probabilities are -0.1 for each token; alternative k is "~k" at -3-k.
// The first token of a prompt that is given back has none, which is NaN.
package mock

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
)

// Behaviour is how a mock model answers.
type Behaviour string

// The behaviours; the package comment describes them.
const (
	Echo      Behaviour = "echo"
	Count     Behaviour = "count"
	Reasoning Behaviour = "reasoning"
	Embedding Behaviour = "embedding"

	ImageEmbedding Behaviour = "image-embedding"
)

// The bounds and defaults of a mock model.
const (
	Context           = 131_072 // tokens of a prompt, and of an answer
	DefaultDimensions = 384
	MaxDimensions     = 65_536
	countTo           = 4096 // where neither request nor options say
	maxChoices        = 128
	maxPrompts        = 2048    // times the choices of each
	maxFloats         = 1 << 22 // of all vectors of one reply
	maxAnswer         = 1 << 20 // tokens of all choices of one reply
	perLogprob        = 4       // tokens that one log probability counts for
)

// What a prompt contains to be refused as by a content filter, what an answer contains to be cut by one, and what a prompt
// contains for its answer to say that the filter was down.
const (
	Filter   = "mock:filter"
	Censor   = "mock:censor"
	NoFilter = "mock:no-filter"
)

// Options is what a mock model is.
type Options struct {
	Name            string          // the deployment, and the model that answers name
	Behaviour       Behaviour       // empty: Echo
	TokensPerSecond float64         // 0: as fast as possible
	FirstToken      time.Duration   // until the answer begins
	MaxTokens       int             // where the request sets no limit; 0: none, and 4096 for Count
	Dimensions      int             // of an embedding where the request asks for none; 0: DefaultDimensions
	ToolChoiceAuto  bool            // call a tool where the caller leaves it open, unless a tool has just answered
	Pictures        *picture.Reader // reads the images of requests; nil: one that takes data URLs only
	Fault           *Fault
}

// Fault is what goes wrong, so that clients can learn to survive it. The counts
// are tokens of the first choice; a shorter answer fails before its end.
type Fault struct {
	// Status refuses the request with this HTTP status, or the nearest that
	// the door has a meaning for.
	Status     int
	RetryAfter time.Duration // with Status; 0: the answer does not say
	Cut        int           // break a stream after so many tokens, with llm.CodeCut
	Stall      int           // fall silent after so many tokens, until the caller gives up
	Error      int           // end a stream with an error after so many tokens
	Every      int           // only each so manieth request; 0 or 1: each
}

// Model is a mock model. It is safe for concurrent use.
type Model struct {
	options  Options
	requests atomic.Int64
}

var _ llm.Backend = (*Model)(nil)

// New makes a mock model.
func New(o Options) *Model {
	if o.Behaviour == "" {
		o.Behaviour = Echo
	}
	if o.Dimensions == 0 {
		o.Dimensions = DefaultDimensions
	}
	if o.MaxTokens == 0 && o.Behaviour == Count {
		o.MaxTokens = countTo
	}
	if o.Pictures == nil {
		o.Pictures = picture.New(picture.Options{})
	}
	if o.Fault == nil {
		o.Fault = &Fault{}
	}
	return &Model{options: o}
}

// Models lists the one model.
func (m *Model) Models(context.Context) ([]llm.ModelInfo, error) {
	info := llm.ModelInfo{
		Deployment: m.options.Name,
		Model:      m.options.Name,
		Publisher:  "Ingot",
		Provider:   "mock",
		Context:    Context,
	}
	switch m.options.Behaviour {
	case Embedding:
		info.Operations = []llm.Operation{llm.OpEmbed}
		info.Features.Set = llm.FeatureTokens | llm.FeatureInputType
		info.Dimensions = m.options.Dimensions
	case ImageEmbedding:
		info.Operations = []llm.Operation{llm.OpEmbedImages}
		info.Features.Set = llm.FeaturePairs | llm.FeatureInputType
		info.Dimensions = m.options.Dimensions
	case Echo, Count:
		info.Operations = []llm.Operation{llm.OpChat, llm.OpComplete}
		info.Features.Set = chatFeatures | llm.FeatureEcho | llm.FeatureBestOf | llm.FeatureTokens
	case Reasoning:
		info.Operations = []llm.Operation{llm.OpChat}
		info.Features.Set = chatFeatures
	}
	return []llm.ModelInfo{info}, nil
}

const chatFeatures = llm.FeatureTools | llm.FeatureParallelTools | llm.FeatureFormat | llm.FeatureN | llm.FeatureLogprobs |
	llm.FeatureLogitBias | llm.FeatureEffort | llm.FeaturePrefix | llm.FeatureImages

// does refuses what this behaviour is not for.
func (m *Model) does(op llm.Operation) error {
	infos, _ := m.Models(context.Background())
	if infos[0].Does(op) {
		return nil
	}
	return llm.NotDone(m.options.Name, op)
}

// fault is what goes wrong with this request; each call counts as one.
func (m *Model) fault() Fault {
	if n := m.requests.Add(1); m.options.Fault.Every > 1 && n%int64(m.options.Fault.Every) != 0 {
		return Fault{}
	}
	return *m.options.Fault
}

// refusal is the error that stands for an HTTP status.
func (f Fault) refusal() error {
	if f.Status == 0 {
		return nil
	}
	kind := llm.Upstream
	switch f.Status {
	case http.StatusBadRequest:
		kind = llm.Malformed
	case http.StatusUnauthorized:
		kind = llm.Unauthenticated
	case http.StatusForbidden:
		kind = llm.Denied
	case http.StatusNotFound:
		kind = llm.NotFound
	case http.StatusMethodNotAllowed:
		kind = llm.Method
	case http.StatusRequestTimeout:
		kind = llm.Late
	case http.StatusGatewayTimeout:
		kind = llm.Timeout
	case http.StatusUnsupportedMediaType:
		kind = llm.MediaType
	case http.StatusRequestEntityTooLarge:
		kind = llm.TooLarge
	case http.StatusUnprocessableEntity:
		kind = llm.Invalid
	case http.StatusTooManyRequests:
		kind = llm.RateLimited
	case http.StatusInternalServerError:
		kind = llm.Internal
	case http.StatusServiceUnavailable:
		kind = llm.Unavailable
	default:
		if f.Status < http.StatusInternalServerError {
			kind = llm.Invalid
		}
	}
	return &llm.Error{
		Kind:       kind,
		Message:    fmt.Sprintf("The mock model fails on purpose with status %d.", f.Status),
		Status:     f.Status,
		RetryAfter: f.RetryAfter,
		Backend:    "mock",
	}
}

// verdict is what the filter says of a prompt: it looks for one thing, which it found.
const verdict = `{"hate":{"filtered":false,"severity":"safe"},"jailbreak":{"filtered":true,"detected":true},` +
	`"self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}`

// annotation is what a choice says where the filter was down (doc/protocol.md §3.10), nil where it was not.
func annotation(texts []string) llm.Extra {
	for _, text := range texts {
		if strings.Contains(text, NoFilter) {
			return llm.Extra{"content_filter_result": []byte(`{"error":{"code":"content_filter_error","message":"The contents are not filtered"}}`)}
		}
	}
	return nil
}

// screen refuses a prompt that is filtered or too long; member names it.
func screen(texts []string, tokens int, member string) error {
	for _, text := range texts {
		if strings.Contains(text, Filter) {
			return &llm.Error{
				Kind:    llm.Filtered,
				Message: "The response was filtered: the prompt contains " + Filter + ", which this mock model refuses as a content filter would.",
				Param:   "prompt",
				Filter:  []byte(verdict),
			}
		}
	}
	if tokens > Context {
		return &llm.Error{
			Kind:    llm.TooLong,
			Message: fmt.Sprintf("This model's maximum context length is %d tokens, but the %s has %d. Shorten it.", Context, member, tokens),
			Param:   member,
		}
	}
	return nil
}

// invalid is the error of one value of the request.
func invalid(kind, msg string, loc ...any) error {
	return llm.Faulty(llm.Detail{Type: kind, Msg: msg, Loc: append([]any{"body"}, loc...)})
}

// atMost is the error of a number that is too high.
func atMost(most int, loc ...any) error {
	return invalid("less_than_equal", fmt.Sprintf("Input should be less than or equal to %d", most), loc...)
}

// unsupported is the error of something that the mock model cannot do.
func unsupported(msg string, loc []any) error {
	e := &llm.Error{Kind: llm.Unsupported, Message: msg, Details: []llm.Detail{{Type: "parameter_not_supported", Msg: msg, Loc: loc}}}
	if len(loc) > 1 {
		e.Param, _ = loc[1].(string)
	}
	return e
}

// choices is how many choices are asked for.
func choices(n *int) (int, error) {
	if n == nil {
		return 1, nil
	}
	if *n > maxChoices {
		return 0, atMost(maxChoices, "n")
	}
	return *n, nil
}

// limitOf is the limit of an answer to a prompt of so many tokens: the request's, else the model's own, within the context.
func (m *Model) limitOf(asked *int, prompt int) int {
	limit := Context
	switch {
	case asked != nil:
		limit = *asked
	case m.options.MaxTokens > 0:
		limit = m.options.MaxTokens
	}
	return max(0, min(limit, Context-prompt))
}
