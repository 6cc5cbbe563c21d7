package llm

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"
)

// Reply is an answer to a chat or text completion, or a fragment of one: a fragment holds
// only what is new. A whole reply is the fragment at 0.
//
// A fragment that a Stream yields, with all its slices, is valid until the next one is
// asked for; Clone keeps it.
type Reply struct {
	ID      string // empty: the door makes one
	Model   string // the model that answered
	Created time.Time
	Choices []Choice
	Usage   *Usage // on the last fragment, exactly what happened
	Spent   *Usage // a running count where the target tells one; never sent, used to settle a hang-up
	Meta    Meta   // on the first fragment
	Extra   Extra
	Source  Source // the upstream's own bytes, where they may be passed on
}

// Choice is one of the answers, or what is new of it. Several entries of one fragment may have the same Index.
type Choice struct {
	Index    int
	At       int    // position of Parts[0] in the finished choice
	Parts    []Part // whole parts, or what to append to them
	Finish   Finish // empty until the choice ends
	Logprobs []TokenLogprob
	Extra    Extra
}

// Finish is why a choice ended.
type Finish string

// The finish reasons of doc/protocol.md §3.5.
const (
	FinishStop      Finish = "stop"
	FinishLength    Finish = "length"
	FinishFilter    Finish = "content_filter"
	FinishToolCalls Finish = "tool_calls"
)

// TokenLogprob is the log probability of one token of the answer, and of its best alternatives.
type TokenLogprob struct {
	Token   string
	Logprob float64
	Bytes   []byte
	Top     []TokenLogprob
}

// Usage counts tokens. Total is Prompt + Completion.
type Usage struct {
	Prompt     int
	Completion int
	Cached     int // part of Prompt
	Reasoning  int // part of Completion
	Images     int // of an image embedding, beside the tokens
	Patches    int // of those images, where the model tells
	Estimated  bool
}

// Add sums two counts.
func (u Usage) Add(o Usage) Usage {
	return Usage{
		u.Prompt + o.Prompt, u.Completion + o.Completion, u.Cached + o.Cached, u.Reasoning + o.Reasoning,
		u.Images + o.Images, u.Patches + o.Patches, u.Estimated || o.Estimated,
	}
}

// Meta says how an answer came about. It travels on the first fragment, on EmbedReply and on
// Error, and becomes headers (doc/protocol.md §2.2).
type Meta struct {
	Deployment string
	Provider   string
	Attempts   int
	Dropped    []string // members that were not obeyed
	Limits     Limits
}

// Limits is what a caller has left of what it may ask in a minute, for the x-ratelimit headers (doc/protocol.md §2.2).
type Limits struct{ Requests, Tokens Allowance }

// Allowance is one limit; the zero value is none.
type Allowance struct {
	Limit, Remaining int           // in a minute
	Reset            time.Duration // until all of it is there again
}

// The bounds of what a stream may build up, so that a hostile upstream cannot make us allocate.
const (
	maxChoices = 4096
	maxParts   = 1024
)

// Begins reports whether the fragment carries any of the answer itself, its end included.
func (r *Reply) Begins() bool {
	for i := range r.Choices {
		c := &r.Choices[i]
		if c.Finish != "" {
			return true
		}
		for _, p := range c.Parts {
			if t, ok := p.(Text); !ok || !t.Empty() {
				return true
			}
		}
	}
	return false
}

// size is roughly how many bytes the fragment adds to a reply.
func (r *Reply) size() int {
	const logprob = 64
	n := 0
	for i := range r.Choices {
		c := &r.Choices[i]
		for _, p := range c.Logprobs {
			n += logprob * (1 + len(p.Top))
		}
		for _, p := range c.Parts {
			switch p := p.(type) {
			case Text:
				n += p.Size()
			case Reasoning:
				n += p.Text.Size()
			case Refusal:
				n += p.Text.Size()
			case ToolCall:
				n += len(p.ID) + len(p.Name) + p.Arguments.Size()
			case Image, Audio, ToolResult, Opaque:
			}
		}
	}
	return n
}

// Clone returns a copy that stays valid when the stream goes on.
func (r *Reply) Clone() *Reply {
	c := *r
	c.Choices = slices.Clone(r.Choices)
	for i := range c.Choices {
		c.Choices[i].Parts = slices.Clone(c.Choices[i].Parts)
		for k, p := range c.Choices[i].Parts {
			c.Choices[i].Parts[k] = clonePart(p)
		}
		c.Choices[i].Extra = cloneExtra(c.Choices[i].Extra)
	}
	c.Extra = cloneExtra(r.Extra)
	c.Source.Body = bytes.Clone(r.Source.Body)
	if r.Usage != nil {
		c.Usage = new(*r.Usage)
	}
	return &c
}

func cloneExtra(e Extra) Extra {
	c := maps.Clone(e)
	for k, v := range c {
		c[k] = json.RawMessage(bytes.Clone(v))
	}
	return c
}

// Append joins the next fragment to r, which must own its memory (see Clone). It fails where
// the fragment leaves a gap, changes the kind of a part, or goes past the bounds.
func (r *Reply) Append(f *Reply) error {
	for i := range f.Choices {
		if err := r.appendChoice(&f.Choices[i]); err != nil {
			return err
		}
	}
	if f.Usage != nil {
		r.Usage = new(*f.Usage)
	}
	for k, v := range f.Extra {
		r.Extra.Keep(k, bytes.Clone(v))
	}
	r.Source = Source{}
	return nil
}

func (r *Reply) appendChoice(f *Choice) error {
	c := r.choice(f.Index)
	if c == nil {
		if len(r.Choices) >= maxChoices {
			return disorder("too many choices")
		}
		r.Choices = append(r.Choices, Choice{Index: f.Index})
		c = &r.Choices[len(r.Choices)-1]
	}
	for k, p := range f.Parts {
		at := f.At + k
		switch {
		case at < 0 || at > len(c.Parts) || at >= maxParts:
			return disorder("a part out of order")
		case at == len(c.Parts):
			c.Parts = append(c.Parts, clonePart(p))
		default:
			joined, ok := joinParts(c.Parts[at], p)
			if !ok {
				return disorder("a part that changes its kind")
			}
			c.Parts[at] = joined
		}
	}
	c.Logprobs = append(c.Logprobs, f.Logprobs...)
	for k, v := range f.Extra {
		c.Extra.Keep(k, bytes.Clone(v))
	}
	if f.Finish != "" {
		c.Finish = f.Finish
	}
	return nil
}

// choice finds the choice of that index, which mostly stands at that place.
func (r *Reply) choice(index int) *Choice {
	if index >= 0 && index < len(r.Choices) && r.Choices[index].Index == index {
		return &r.Choices[index]
	}
	for i := range r.Choices {
		if r.Choices[i].Index == index {
			return &r.Choices[i]
		}
	}
	return nil
}

func disorder(what string) error {
	return &Error{Kind: Upstream, Message: "The model's answer was malformed: " + what + "."}
}
