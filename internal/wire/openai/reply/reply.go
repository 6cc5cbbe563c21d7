// Package reply writes the answers of the family: whole ones, and streams chunk by chunk.
package reply

import (
	"maps"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/wire/openai/message"
)

// Style is how a door writes its answers.
type Style struct {
	Wire       llm.Wire           // the door's contract: an upstream's bytes of the same one are passed on
	Reasoning  llm.ReasoningPlace // content, field or hidden; empty counts as field
	UsageChunk bool               // usage in a chunk of its own after the last, instead of on it
	NamedStop  bool               // a call of a tool that the caller named ends with stop
	Functions  bool               // a call of a tool is told as function_call, the form that OpenAI deprecated
	Top        int                // alternatives to a token that the caller asked for
	// Annotations lets out what a filter found, at the doors of OpenAI. Other doors always do.
	Annotations bool
}

// finishFunction is why a choice ends with a call in the deprecated form.
const finishFunction llm.Finish = "function_call"

// finish is why a choice ended, in the words of the contract: OpenAI's servers say stop where the caller named the tool
// that was called (doc/protocol.md §3.3).
func (s Style) finish(f llm.Finish, called bool) llm.Finish {
	switch {
	case !called:
	case f == llm.FinishToolCalls && s.NamedStop:
		return llm.FinishStop
	case f == llm.FinishToolCalls && s.Functions:
		return finishFunction
	case f == llm.FinishStop && s.Wire == llm.WireInference && !s.NamedStop:
		return llm.FinishToolCalls
	}
	return f
}

// passes reports whether bytes of src may go out as they came.
func (s Style) passes(src llm.Source) bool { return src.Body != nil && src.Wire == s.Wire }

// asItCame reports whether a choice that calls a tool, or does not, may go out in the words of a server of the same contract.
func (s Style) asItCame(f llm.Finish, called bool) bool {
	return !(s.Functions && called) && (s.openAI() || s.finish(f, called) == f)
}

// placed reports whether reasoning goes out where it stands in an answer of the family.
func (s Style) placed() bool {
	return s.Reasoning == llm.ReasoningField || s.Reasoning == llm.ReasoningByDoor
}

// usage is where usage goes in a stream: nowhere, on the last chunk, or in one of its own (doc/protocol.md §3.8).
func (s Style) usage() (onLast, apart bool) {
	return !s.UsageChunk && (s.Wire == llm.WireInference || s.Wire == ""), s.UsageChunk
}

// openAI reports whether the contract is one of OpenAI's.
func (s Style) openAI() bool { return s.Wire == llm.WireAzure || s.Wire == llm.WireOpenAI }

// Head is what every chunk of one answer repeats.
type Head struct {
	ID      string
	Created int64 // Unix seconds
	Model   string
}

func writeHead(w *jsonx.Writer, h Head, kind string) {
	w.Str("id", h.ID)
	w.Str("object", kind)
	w.Int("created", h.Created)
	w.Str("model", h.Model)
}

// writeUsage counts what was read and generated. OpenAI's servers count nothing that an embedding generates, and always tell
// the details of a chat, of which none is audio or a prediction.
func (s Style) writeUsage(w *jsonx.Writer, u *llm.Usage, op llm.Operation) {
	if u == nil {
		return
	}
	w.Member("usage")
	w.BeginObject()
	w.Int("prompt_tokens", int64(u.Prompt))
	if op != llm.OpEmbed || !s.openAI() {
		w.Int("completion_tokens", int64(u.Completion))
	}
	w.Int("total_tokens", int64(u.Prompt+u.Completion))
	if u.Images > 0 {
		w.Int("images", int64(u.Images))
	}
	if u.Patches > 0 {
		w.Int("prompt_patches", int64(u.Patches))
		w.Int("total_patches", int64(u.Patches))
	}
	full := s.openAI() && op == llm.OpChat
	if u.Cached > 0 || full {
		w.Member("prompt_tokens_details")
		w.BeginObject()
		if full {
			w.Int("audio_tokens", 0)
		}
		w.Int("cached_tokens", int64(u.Cached))
		w.EndObject()
	}
	if u.Reasoning > 0 || full {
		w.Member("completion_tokens_details")
		w.BeginObject()
		if full {
			w.Int("accepted_prediction_tokens", 0)
			w.Int("audio_tokens", 0)
		}
		w.Int("reasoning_tokens", int64(u.Reasoning))
		if full {
			w.Int("rejected_prediction_tokens", 0)
		}
		w.EndObject()
	}
	w.EndObject()
}

func writeFinish(w *jsonx.Writer, f llm.Finish) {
	if f == "" {
		w.Null("finish_reason")
		return
	}
	w.Str("finish_reason", string(f))
}

// The members in which servers say what a filter found (doc/protocol.md §8.5.1).
const (
	filteredPrompt = "prompt_filter_results"
	filteredChoice = "content_filter_results"
)

// writeExtra writes the members beyond the contract that the style lets out.
func (s Style) writeExtra(w *jsonx.Writer, e llm.Extra) {
	if s.openAI() && !s.Annotations && (e[filteredPrompt] != nil || e[filteredChoice] != nil) {
		e = maps.Clone(e)
		delete(e, filteredPrompt)
		delete(e, filteredChoice)
	}
	message.WriteExtra(w, e)
}

// writeLogprobs writes the shape of chat completions; where none were asked for, null at the doors of OpenAI and else nothing.
func (s Style) writeLogprobs(w *jsonx.Writer, ps []llm.TokenLogprob) {
	if ps == nil {
		if s.openAI() {
			w.Null("logprobs")
		}
		return
	}
	w.Member("logprobs")
	w.BeginObject()
	w.Member("content")
	writeTokens(w, ps, s.Top)
	if s.openAI() {
		w.Null("refusal")
	}
	w.EndObject()
}

// writeTokens writes tokens with as many alternatives at most, which have none themselves: that is a negative top.
func writeTokens(w *jsonx.Writer, ps []llm.TokenLogprob, top int) {
	w.BeginArray()
	for i := range ps {
		p := &ps[i]
		w.BeginObject()
		w.Str("token", p.Token)
		w.Float("logprob", p.Logprob)
		w.Member("bytes")
		w.BeginArray()
		for _, c := range tokenBytes(p) {
			w.Bytes = strconv.AppendUint(w.Next(), uint64(c), 10)
		}
		w.EndArray()
		if top >= 0 {
			w.Member("top_logprobs")
			writeTokens(w, p.Top[:min(len(p.Top), top)], -1)
		}
		w.EndObject()
	}
	w.EndArray()
}

func tokenBytes(p *llm.TokenLogprob) []byte {
	if p.Bytes != nil {
		return p.Bytes
	}
	return []byte(p.Token)
}

// joined appends a server's own bytes; where there is nothing before them they need no copy.
func joined(dst, body []byte) []byte {
	if len(dst) == 0 {
		return body
	}
	return append(dst, body...)
}
