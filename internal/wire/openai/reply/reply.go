// Package reply writes the answers of the family: whole ones, and streams chunk by chunk.
package reply

import (
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Style is how a door writes its answers.
type Style struct {
	Wire       llm.Wire           // the door's contract: an upstream's bytes of the same one are passed on
	Reasoning  llm.ReasoningPlace // content, field or hidden; empty counts as field
	UsageChunk bool               // usage in a chunk of its own after the last, instead of on it
	NamedStop  bool               // a call of the tool that the caller named ends with stop, whatever the contract
}

// finish is why a choice ended, in the words of the contract: OpenAI's servers say stop where the caller named the tool
// that was called (doc/protocol.md §3.3).
func (s Style) finish(f llm.Finish, called bool) llm.Finish {
	if s.Wire == llm.WireInference && !s.NamedStop && f == llm.FinishStop && called {
		return llm.FinishToolCalls
	}
	return f
}

// passes reports whether bytes of src may go out as they came.
func (s Style) passes(src llm.Source) bool { return src.Body != nil && src.Wire == s.Wire }

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

// writeUsage counts what was read and, where anything can be, what was generated.
func (s Style) writeUsage(w *jsonx.Writer, u *llm.Usage, generates bool) {
	if u == nil {
		return
	}
	w.Member("usage")
	w.BeginObject()
	w.Int("prompt_tokens", int64(u.Prompt))
	if generates {
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
	if u.Cached > 0 {
		w.Member("prompt_tokens_details")
		w.BeginObject()
		w.Int("cached_tokens", int64(u.Cached))
		w.EndObject()
	}
	if u.Reasoning > 0 {
		w.Member("completion_tokens_details")
		w.BeginObject()
		w.Int("reasoning_tokens", int64(u.Reasoning))
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

// writeLogprobs writes the shape of chat completions; nothing where none were asked for.
func writeLogprobs(w *jsonx.Writer, ps []llm.TokenLogprob) {
	if ps == nil {
		return
	}
	w.Member("logprobs")
	w.BeginObject()
	w.Member("content")
	writeTokens(w, ps, true)
	w.EndObject()
}

func writeTokens(w *jsonx.Writer, ps []llm.TokenLogprob, top bool) {
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
		if top {
			w.Member("top_logprobs")
			writeTokens(w, p.Top, false)
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
