package output

import (
	"strconv"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// emit writes an event where the answer is streamed. Its own members follow its type and number.
func (a *Answer) emit(kind string, members func(w *jsonx.Writer)) {
	if !a.o.Streamed {
		return
	}
	w := &jsonx.Writer{Bytes: append(append(append(a.events, "event: "...), kind...), "\ndata: "...)}
	w.BeginObject()
	w.Str("type", kind)
	w.Int("sequence_number", a.sequence)
	members(w)
	w.EndObject()
	a.sequence++
	a.events = append(w.Bytes, "\n\n"...)
}

// lifecycle tells of the response itself.
func (a *Answer) lifecycle(kind string) {
	a.emit(kind, func(w *jsonx.Writer) {
		w.Member("response")
		a.write(w)
	})
}

func (a *Answer) itemAdded(it *item) {
	a.emit("response.output_item.added", func(w *jsonx.Writer) {
		w.Int("output_index", int64(it.index))
		w.Member("item")
		begun := *it
		begun.text, begun.logprobs = nil, nil
		begun.write(w)
	})
	if it.kind != callItem {
		a.emit("response.content_part.added", func(w *jsonx.Writer) {
			it.writePlace(w)
			w.Member("part")
			(&item{kind: it.kind}).writePart(w)
		})
	}
}

func (a *Answer) textDelta(it *item, t llm.Text, logprobs []byte) {
	name := [...]string{messageItem: "response.output_text.delta", refusalItem: "response.refusal.delta", reasoningItem: "response.reasoning_text.delta"}[it.kind]
	a.emit(name, func(w *jsonx.Writer) {
		it.writePlace(w)
		w.Member("delta")
		w.Bytes = t.AppendJSON(w.Next())
		if it.kind == messageItem {
			writeArray(w, "logprobs", logprobs)
		}
	})
}

func (a *Answer) argumentsDelta(it *item, t llm.Text) {
	a.emit("response.function_call_arguments.delta", func(w *jsonx.Writer) {
		w.Str("item_id", it.id)
		w.Int("output_index", int64(it.index))
		w.Member("delta")
		w.Bytes = t.AppendJSON(w.Next())
	})
}

// itemDone tells of the end of an item: of its text or arguments, of its part, and of the whole.
func (a *Answer) itemDone(it *item) {
	name := [...]string{messageItem: "response.output_text.done", refusalItem: "response.refusal.done", reasoningItem: "response.reasoning_text.done", callItem: "response.function_call_arguments.done"}[it.kind]
	a.emit(name, func(w *jsonx.Writer) {
		if it.kind == callItem {
			w.Str("item_id", it.id)
			w.Int("output_index", int64(it.index))
			w.Str("name", it.name)
			writeBytes(w, "arguments", it.text)
			return
		}
		it.writePlace(w)
		writeBytes(w, it.kind.word(), it.text)
		if it.kind == messageItem {
			writeArray(w, "logprobs", it.logprobs)
		}
	})
	if it.kind != callItem {
		a.emit("response.content_part.done", func(w *jsonx.Writer) {
			it.writePlace(w)
			w.Member("part")
			it.writePart(w)
		})
	}
	a.emit("response.output_item.done", func(w *jsonx.Writer) {
		w.Int("output_index", int64(it.index))
		w.Member("item")
		it.write(w)
	})
}

// writePlace says to which part an event belongs; every item has one at most.
func (it *item) writePlace(w *jsonx.Writer) {
	w.Str("item_id", it.id)
	w.Int("output_index", int64(it.index))
	w.Int("content_index", 0)
}

func writeBytes(w *jsonx.Writer, name string, text []byte) {
	w.Member(name)
	w.Bytes = jsonx.AppendString(w.Next(), text)
}

// writeArray writes a member that is an array of these elements.
func writeArray(w *jsonx.Writer, name string, elements []byte) {
	w.Member(name)
	w.Bytes = append(append(append(w.Next(), '['), elements...), ']')
}

func (it *item) write(w *jsonx.Writer) {
	w.BeginObject()
	w.Str("id", it.id)
	w.Str("type", [...]string{messageItem: "message", refusalItem: "message", reasoningItem: "reasoning", callItem: "function_call"}[it.kind])
	w.Str("status", string(it.status))
	switch it.kind {
	case callItem:
		w.Str("call_id", it.callID)
		w.Str("name", it.name)
		writeBytes(w, "arguments", it.text)
		w.EndObject()
		return
	case messageItem, refusalItem:
		w.Str("role", "assistant")
	case reasoningItem:
		writeArray(w, "summary", nil)
	}
	w.Member("content")
	w.BeginArray()
	if len(it.text) > 0 {
		it.writePart(w)
	}
	w.EndArray()
	w.EndObject()
}

// word is the member of a part that holds its text.
func (k kind) word() string {
	if k == refusalItem {
		return "refusal"
	}
	return "text"
}

func (it *item) writePart(w *jsonx.Writer) {
	w.BeginObject()
	w.Str("type", [...]string{messageItem: "output_text", refusalItem: "refusal", reasoningItem: "reasoning_text"}[it.kind])
	writeBytes(w, it.kind.word(), it.text)
	if it.kind == messageItem {
		writeArray(w, "annotations", nil)
		writeArray(w, "logprobs", it.logprobs)
	}
	w.EndObject()
}

// writeLogprobs writes the elements of logprobs.
func writeLogprobs(w *jsonx.Writer, ps []llm.TokenLogprob) {
	write := func(p *llm.TokenLogprob) {
		b := p.Bytes
		if b == nil {
			b = []byte(p.Token)
		}
		w.Str("token", p.Token)
		w.Float("logprob", p.Logprob)
		w.Member("bytes")
		w.BeginArray()
		for _, c := range b {
			w.Bytes = strconv.AppendUint(w.Next(), uint64(c), 10)
		}
		w.EndArray()
	}
	for i := range ps {
		w.BeginObject()
		write(&ps[i])
		w.Member("top_logprobs")
		w.BeginArray()
		for k := range ps[i].Top {
			w.BeginObject()
			write(&ps[i].Top[k])
			w.EndObject()
		}
		w.EndArray()
		w.EndObject()
	}
}

// write writes the whole response. What it says is told when it has ended, and before that by events.
func (a *Answer) write(w *jsonx.Writer) {
	w.BeginObject()
	w.Str("id", a.id)
	w.Str("object", "response")
	w.Int("created_at", a.created.Unix())
	if a.status == Completed {
		w.Int("completed_at", a.ended.Unix())
	}
	w.Str("status", string(a.status))
	w.Bool("background", a.o.Background)
	a.writeFailure(w)
	if a.reason == "" {
		w.Null("incomplete_details")
	} else {
		w.Member("incomplete_details")
		w.BeginObject()
		w.Str("reason", a.reason)
		w.EndObject()
	}
	w.Str("model", a.o.Model)
	w.Member("output")
	w.BeginArray()
	if a.status != Queued && a.status != InProgress {
		for _, it := range a.items {
			it.write(w)
		}
	}
	w.EndArray()
	w.Bool("store", a.o.Stored)
	w.Bytes = append(w.Next(), a.o.Echo...)
	writeUsage(w, a.usage)
	w.EndObject()
}

func (a *Answer) writeFailure(w *jsonx.Writer) {
	if a.failure == nil {
		w.Null("error")
		return
	}
	code := "server_error"
	switch a.failure.Kind { //nolint:exhaustive // the kinds that have a code of their own
	case llm.RateLimited, llm.OverBudget:
		code = "rate_limit_exceeded"
	case llm.Filtered, llm.TooLong, llm.Invalid:
		code = "invalid_prompt"
	}
	const most = 4096
	w.Member("error")
	w.BeginObject()
	w.Str("code", code)
	w.Str("message", dialect.Cut(a.failure.Message, most))
	w.EndObject()
}

func writeUsage(w *jsonx.Writer, u *llm.Usage) {
	if u == nil {
		w.Null("usage")
		return
	}
	w.Member("usage")
	w.BeginObject()
	w.Int("input_tokens", int64(u.Prompt))
	w.Member("input_tokens_details")
	w.BeginObject()
	w.Int("cached_tokens", int64(u.Cached))
	w.Int("cache_write_tokens", 0)
	w.EndObject()
	w.Int("output_tokens", int64(u.Completion))
	w.Member("output_tokens_details")
	w.BeginObject()
	w.Int("reasoning_tokens", int64(u.Reasoning))
	w.EndObject()
	w.Int("total_tokens", int64(u.Prompt+u.Completion))
	w.EndObject()
}
