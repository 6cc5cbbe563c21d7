package reply

import (
	"strconv"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// AppendText appends a whole text_completion (doc/protocol.md §4.2).
func AppendText(dst []byte, r *llm.Reply, h Head, s Style) []byte {
	if s.passesWhole(r) {
		return joined(dst, r.Source.Body)
	}
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	writeHead(w, h, "text_completion")
	w.Member("choices")
	w.BeginArray()
	for i := range r.Choices {
		s.writeTextChoice(w, &r.Choices[i], 0)
	}
	w.EndArray()
	s.writeUsage(w, r.Usage, llm.OpComplete)
	s.writeExtra(w, r.Extra)
	w.EndObject()
	return w.Bytes
}

// writeTextChoice writes a choice of a text completion; offset is where its text begins in the whole.
func (s Style) writeTextChoice(w *jsonx.Writer, c *llm.Choice, offset int) {
	w.BeginObject()
	w.Int("index", int64(c.Index))
	var text []byte
	for _, p := range c.Parts {
		if t, ok := p.(llm.Text); ok {
			text = t.AppendTo(text)
		}
	}
	w.Member("text")
	w.Bytes = jsonx.AppendString(w.Next(), text)
	writeFinish(w, c.Finish)
	if c.Logprobs == nil {
		w.Null("logprobs")
	} else {
		w.Member("logprobs")
		s.writeTextLogprobs(w, c.Logprobs, offset)
	}
	s.writeExtra(w, c.Extra)
	w.EndObject()
}

// writeTextLogprobs writes the shape of text completions: parallel lists.
func (s Style) writeTextLogprobs(w *jsonx.Writer, ps []llm.TokenLogprob, offset int) {
	list := func(name string, each func(p *llm.TokenLogprob)) {
		w.Member(name)
		w.BeginArray()
		for i := range ps {
			each(&ps[i])
		}
		w.EndArray()
	}
	w.BeginObject()
	list("tokens", func(p *llm.TokenLogprob) { w.Bytes = jsonx.AppendString(w.Next(), p.Token) })
	list("token_logprobs", func(p *llm.TokenLogprob) { w.Bytes = jsonx.AppendFloat(w.Next(), p.Logprob, 64) })
	list("top_logprobs", func(p *llm.TokenLogprob) {
		w.BeginObject()
		for _, t := range p.Top[:min(len(p.Top), s.Top)] {
			w.Float(t.Token, t.Logprob)
		}
		w.EndObject()
	})
	list("text_offset", func(p *llm.TokenLogprob) {
		w.Bytes = strconv.AppendInt(w.Next(), int64(offset), 10)
		offset += utf8.RuneCountInString(p.Token)
	})
	w.EndObject()
}
