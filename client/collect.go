package client

import (
	"bytes"
	"errors"
	"iter"
	"maps"
	"slices"
)

// What one answer may take: far more than any model writes.
const (
	maxCollected = 64 << 20
	maxPieces    = 1024 // choices, and tool calls and parts of each
)

// Collect joins a stream to the whole answer. Where the stream fails it returns what had arrived, and the error.
// Of members without a field, such as logprobs, it keeps the last value.
func Collect(stream iter.Seq2[*Chunk, error]) (*ChatReply, error) {
	var c collector
	for chunk, err := range stream {
		if err == nil {
			err = c.add(chunk)
		}
		if err != nil {
			return c.finish(), err
		}
	}
	return c.finish(), nil
}

type collector struct {
	reply   ChatReply
	choices []*growing
	size    int
}

// growing is a choice whose texts are still being written.
type growing struct {
	Choice

	text, thought bytes.Buffer
	arguments     []bytes.Buffer // of Message.ToolCalls, one each
}

var errTooLong = errors.New("collect stream: the answer is longer than 64 MiB or in more than 1024 pieces")

func (c *collector) add(chunk *Chunk) error {
	r := &c.reply
	r.ID, r.Created, r.Model, r.Header = chunk.ID, chunk.Created, chunk.Model, chunk.Header
	if chunk.Usage != nil {
		r.Usage = chunk.Usage
	}
	merge(&r.Extra, chunk.Extra)
	for i := range chunk.Choices {
		f := &chunk.Choices[i]
		at := slices.IndexFunc(c.choices, func(g *growing) bool { return g.Index == f.Index })
		if at < 0 {
			at = len(c.choices)
			c.choices = append(c.choices, &growing{Choice: Choice{Index: f.Index}})
		}
		g := c.choices[at]
		c.size += g.add(f)
		if c.size > maxCollected || max(len(c.choices), len(g.arguments), len(g.Message.Content)) > maxPieces {
			return errTooLong
		}
	}
	return nil
}

func (c *collector) finish() *ChatReply {
	c.reply.Object = "chat.completion"
	slices.SortFunc(c.choices, func(a, b *growing) int { return a.Index - b.Index })
	for _, g := range c.choices {
		g.settle()
		g.Message.ReasoningContent = g.thought.String()
		for i := range g.arguments {
			g.Message.ToolCalls[i].Function.Arguments = Arguments(g.arguments[i].String())
		}
		c.reply.Choices = append(c.reply.Choices, g.Choice)
	}
	return &c.reply
}

// add joins a fragment and returns how many bytes it brought.
func (g *growing) add(f *ChunkChoice) int {
	m, d := &g.Message, &f.Delta
	if f.FinishReason != "" {
		g.FinishReason = f.FinishReason
	}
	if d.Role != "" {
		m.Role = d.Role
	}
	g.thought.WriteString(d.ReasoningContent)
	size := len(d.ReasoningContent)
	for _, p := range d.Content {
		size += len(p.Text)
		if p.Type == "text" {
			g.text.WriteString(p.Text)
		} else {
			g.settle()
			m.Content = append(m.Content, p)
		}
	}
	for i := range d.ToolCalls {
		size += len(d.ToolCalls[i].Function.Arguments)
		g.addCall(d.ToolCalls[i])
	}
	merge(&g.Extra, f.Extra)
	merge(&m.Extra, d.Extra)
	return size
}

// settle makes a part of the text so far.
func (g *growing) settle() {
	if g.text.Len() > 0 {
		g.Message.Content = append(g.Message.Content, Text(g.text.String()))
		g.text.Reset()
	}
}

// addCall joins a tool call by its index, else by its id; one with neither continues the last.
func (g *growing) addCall(t ToolCall) {
	m := &g.Message
	at := len(m.ToolCalls) - 1
	if t.Index != nil {
		at = slices.IndexFunc(m.ToolCalls, func(have ToolCall) bool { return have.Index != nil && *have.Index == *t.Index })
	} else if t.ID != "" {
		at = slices.IndexFunc(m.ToolCalls, func(have ToolCall) bool { return have.ID == t.ID })
	}
	if at < 0 {
		at = len(m.ToolCalls)
		m.ToolCalls = append(m.ToolCalls, ToolCall{Index: t.Index})
		g.arguments = append(g.arguments, bytes.Buffer{})
	}
	have := &m.ToolCalls[at]
	if t.ID != "" {
		have.ID = t.ID
	}
	if t.Type != "" {
		have.Type = t.Type
	}
	if t.Function.Name != "" {
		have.Function.Name = t.Function.Name
	}
	g.arguments[at].WriteString(string(t.Function.Arguments))
	merge(&have.Extra, t.Extra)
	merge(&have.Function.Extra, t.Function.Extra)
}

func merge(to *Extra, from Extra) {
	if len(from) == 0 {
		return
	}
	if *to == nil {
		*to = Extra{}
	}
	maps.Copy(*to, from)
}
