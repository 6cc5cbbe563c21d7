package openai

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Style is how a door writes its answers.
type Style struct {
	Wire       llm.Wire           // the door's contract: an upstream's bytes of the same one are passed on
	Reasoning  llm.ReasoningPlace // content, field or hidden; empty counts as field
	UsageChunk bool               // usage in a chunk of its own after the last, instead of on it
}

// Head is what every chunk of one answer repeats.
type Head struct {
	ID      string
	Created int64 // Unix seconds
	Model   string
}

func (o *object) head(h Head, kind string) {
	o.str("id", h.ID)
	o.str("object", kind)
	o.integer("created", h.Created)
	o.str("model", h.Model)
}

func (o *object) usage(u *llm.Usage) {
	if u == nil {
		return
	}
	o.member("usage")
	o.open()
	o.integer("prompt_tokens", int64(u.Prompt))
	o.integer("completion_tokens", int64(u.Completion))
	o.integer("total_tokens", int64(u.Prompt+u.Completion))
	if u.Cached > 0 {
		o.raw("prompt_tokens_details", strconv.AppendInt([]byte(`{"cached_tokens":`), int64(u.Cached), 10))
		o.b = append(o.b, '}')
	}
	if u.Reasoning > 0 {
		o.raw("completion_tokens_details", strconv.AppendInt([]byte(`{"reasoning_tokens":`), int64(u.Reasoning), 10))
		o.b = append(o.b, '}')
	}
	o.close()
}

func (o *object) finish(f llm.Finish) {
	if f == "" {
		o.raw("finish_reason", []byte("null"))
		return
	}
	o.str("finish_reason", string(f))
}

// AppendChat appends a whole chat.completion (doc/protocol.md §3.5).
func AppendChat(dst []byte, r *llm.Reply, h Head, s Style) []byte {
	o := object{b: dst}
	o.open()
	o.head(h, "chat.completion")
	o.member("choices")
	o.b = append(o.b, '[')
	for i := range r.Choices {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		c := &r.Choices[i]
		o.open()
		o.integer("index", int64(c.Index))
		o.finish(c.Finish)
		o.answer(c, s)
		o.logprobs(c.Logprobs)
		o.extra(c.Extra)
		o.close()
	}
	o.b = append(o.b, ']')
	o.usage(r.Usage)
	o.extra(r.Extra)
	o.close()
	return o.b
}

// answer writes the message of a whole choice.
func (o *object) answer(c *llm.Choice, s Style) {
	var text, thought []byte
	var calls []llm.ToolCall
	hasText := false
	for _, p := range c.Parts {
		switch p := p.(type) {
		case llm.Text:
			text = p.AppendTo(text)
			hasText = true
		case llm.Reasoning:
			thought = p.Text.AppendTo(thought)
		case llm.ToolCall:
			calls = append(calls, p)
		case llm.Image, llm.Audio, llm.ToolResult, llm.Opaque:
		}
	}
	if s.Reasoning == llm.ReasoningContent && len(thought) > 0 {
		text = append(append(append([]byte(thinkOpen), thought...), thinkClose...), text...)
		hasText = true
	}
	o.member("message")
	o.open()
	o.str("role", "assistant")
	if !hasText && len(calls) > 0 {
		o.raw("content", []byte("null"))
	} else {
		o.member("content")
		o.b = jsonx.AppendString(o.b, text)
	}
	if len(thought) > 0 && (s.Reasoning == llm.ReasoningField || s.Reasoning == llm.ReasoningByDoor) {
		o.member("reasoning_content")
		o.b = jsonx.AppendString(o.b, thought)
	}
	if len(calls) == 0 {
		o.raw("tool_calls", []byte("null"))
	} else {
		o.member("tool_calls")
		o.b = append(o.b, '[')
		for i, call := range calls {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			o.call(call)
		}
		o.b = append(o.b, ']')
	}
	o.close()
}

const (
	thinkOpen  = "<think>"
	thinkClose = "</think>"
)

// logprobs writes the shape of chat completions; nothing where none were asked for.
func (o *object) logprobs(ps []llm.TokenLogprob) {
	if ps == nil {
		return
	}
	o.member("logprobs")
	o.open()
	o.member("content")
	o.tokens(ps, true)
	o.close()
}

func (o *object) tokens(ps []llm.TokenLogprob, top bool) {
	o.b = append(o.b, '[')
	for i := range ps {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		p := &ps[i]
		o.open()
		o.str("token", p.Token)
		o.member("logprob")
		o.b = jsonx.AppendFloat(o.b, p.Logprob, 64)
		o.member("bytes")
		o.b = append(o.b, '[')
		for k, c := range tokenBytes(p) {
			if k > 0 {
				o.b = append(o.b, ',')
			}
			o.b = strconv.AppendUint(o.b, uint64(c), 10)
		}
		o.b = append(o.b, ']')
		if top {
			o.member("top_logprobs")
			o.tokens(p.Top, false)
		}
		o.close()
	}
	o.b = append(o.b, ']')
	o.comma = true
}

// AppendText appends a whole text_completion (doc/protocol.md §4.2).
func AppendText(dst []byte, r *llm.Reply, h Head) []byte {
	o := object{b: dst}
	o.open()
	o.head(h, "text_completion")
	o.member("choices")
	o.b = append(o.b, '[')
	for i := range r.Choices {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.textChoice(&r.Choices[i], 0)
	}
	o.b = append(o.b, ']')
	o.usage(r.Usage)
	o.extra(r.Extra)
	o.close()
	return o.b
}

// textChoice writes a choice of a text completion; offset is where its text begins in the whole.
func (o *object) textChoice(c *llm.Choice, offset int) {
	o.open()
	o.integer("index", int64(c.Index))
	var text []byte
	for _, p := range c.Parts {
		if t, ok := p.(llm.Text); ok {
			text = t.AppendTo(text)
		}
	}
	o.member("text")
	o.b = jsonx.AppendString(o.b, text)
	o.finish(c.Finish)
	if c.Logprobs == nil {
		o.raw("logprobs", []byte("null"))
	} else {
		o.member("logprobs")
		o.textLogprobs(c.Logprobs, offset)
	}
	o.extra(c.Extra)
	o.close()
}

// textLogprobs writes the shape of text completions: parallel lists.
func (o *object) textLogprobs(ps []llm.TokenLogprob, offset int) {
	list := func(name string, each func(p *llm.TokenLogprob)) {
		o.member(name)
		o.b = append(o.b, '[')
		for i := range ps {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			each(&ps[i])
		}
		o.b = append(o.b, ']')
	}
	o.open()
	list("tokens", func(p *llm.TokenLogprob) { o.b = jsonx.AppendString(o.b, p.Token) })
	list("token_logprobs", func(p *llm.TokenLogprob) { o.b = jsonx.AppendFloat(o.b, p.Logprob, 64) })
	list("top_logprobs", func(p *llm.TokenLogprob) {
		o.open()
		for _, t := range p.Top {
			o.member(t.Token)
			o.b = jsonx.AppendFloat(o.b, t.Logprob, 64)
		}
		o.close()
	})
	list("text_offset", func(p *llm.TokenLogprob) {
		o.b = strconv.AppendInt(o.b, int64(offset), 10)
		offset += utf8.RuneCountInString(p.Token)
	})
	o.close()
}

// AppendEmbed appends an embedding answer (doc/protocol.md §5.2, §5.3). Vectors whose length 8
// does not divide cannot be written as bits; the caller has refused them.
func AppendEmbed(dst []byte, r *llm.EmbedReply, id string, enc llm.Encoding) []byte {
	o := object{b: dst}
	o.open()
	o.str("id", id)
	o.str("object", "list")
	o.str("model", r.Model)
	o.member("data")
	o.b = append(o.b, '[')
	for i, v := range r.Vectors {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.open()
		o.integer("index", int64(i))
		o.str("object", "embedding")
		o.member("embedding")
		o.b = AppendVector(o.b, v, enc)
		o.close()
	}
	o.b = append(o.b, ']')
	if r.Usage != nil {
		o.usage(&llm.Usage{Prompt: r.Usage.Prompt})
	}
	o.close()
	return o.b
}

// AppendVector appends a vector of L2 norm 1 in an encoding of doc/protocol.md §5.3. int8 is
// round(127x) clamped to −128…127 and uint8 is int8 + 128; bits are signs (≥ 0 is 1), most significant first.
func AppendVector(dst []byte, v []float32, enc llm.Encoding) []byte {
	switch enc {
	case llm.Base64:
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		dst = append(dst, '"')
		return append(base64.StdEncoding.AppendEncode(dst, raw), '"')
	case llm.Int8:
		return appendInts(dst, len(v), func(i int) int { return quantize(v[i]) })
	case llm.Uint8:
		return appendInts(dst, len(v), func(i int) int { return quantize(v[i]) + 128 })
	case llm.Binary:
		return appendInts(dst, len(v)/8, func(i int) int { return signs(v[8*i:]) - 128 })
	case llm.Ubinary:
		return appendInts(dst, len(v)/8, func(i int) int { return signs(v[8*i:]) })
	case llm.Float:
	}
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonx.AppendFloat(dst, float64(x), 32)
	}
	return append(dst, ']')
}

func appendInts(dst []byte, n int, at func(i int) int) []byte {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(at(i)), 10)
	}
	return append(dst, ']')
}

func quantize(x float32) int {
	return int(max(-128, min(127, math.Round(float64(x)*127))))
}

func signs(v []float32) int {
	b := 0
	for i := range 8 {
		if v[i] >= 0 {
			b |= 0x80 >> i
		}
	}
	return b
}

func tokenBytes(p *llm.TokenLogprob) []byte {
	if p.Bytes != nil {
		return p.Bytes
	}
	return []byte(p.Token)
}
