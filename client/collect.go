package client

import (
	"bytes"
	"cmp"
	"errors"
	"iter"
	"slices"
)

// What one answer may take: far more than any model writes.
const (
	maxCollected = 64 << 20
	maxPieces    = 1024 // choices, and tool calls and parts of each
)

// Collect joins a stream to the whole answer. Where the stream fails it returns what had arrived, and the error.
func Collect(stream iter.Seq2[*Chunk, error]) (*ChatReply, error) {
	var c Collector
	for chunk, err := range stream {
		if err == nil {
			err = c.Add(chunk)
		}
		if err != nil {
			return c.Reply(), err
		}
	}
	return c.Reply(), nil
}

// Collector joins fragments as they come, for loops that also show them. Its zero value is ready; one goroutine uses it.
// Of members without a field, such as logprobs, it keeps the last value.
type Collector struct {
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

// Add joins a fragment. An answer of more than 64 MiB, or of more than 1024 choices, calls or parts, is an error.
func (c *Collector) Add(chunk *Chunk) error {
	r := &c.reply
	r.ID, r.Model = orDefault(chunk.ID, r.ID), orDefault(chunk.Model, r.Model)
	r.Created, r.Usage = orDefault(chunk.Created, r.Created), orDefault(chunk.Usage, r.Usage)
	r.Meta = chunk.Meta
	c.size += merge(&r.Extra, chunk.Extra)
	for i := range chunk.Choices {
		f := &chunk.Choices[i]
		at := slices.IndexFunc(c.choices, func(g *growing) bool { return g.Index == f.Index })
		if at < 0 {
			at = len(c.choices)
			c.choices = append(c.choices, &growing{Choice: Choice{Index: f.Index}})
		}
		g := c.choices[at]
		c.size += g.add(f)
		if max(len(c.choices), len(g.arguments), len(g.Message.Content)) > maxPieces {
			return errTooLong
		}
	}
	if c.size > maxCollected {
		return errTooLong
	}
	return nil
}

// Reply returns what has arrived, its choices in the order of their indexes. Add may be called again.
func (c *Collector) Reply() *ChatReply {
	reply := c.reply
	reply.Object = "chat.completion"
	reply.Choices = nil
	for _, g := range c.choices {
		reply.Choices = append(reply.Choices, g.whole())
	}
	slices.SortFunc(reply.Choices, func(a, b Choice) int { return cmp.Compare(a.Index, b.Index) })
	return &reply
}

// whole is the choice as far as it has come.
func (g *growing) whole() Choice {
	choice := g.Choice
	m := &choice.Message
	m.Content = slices.Clone(m.Content)
	if g.text.Len() > 0 {
		m.Content = append(m.Content, Text(g.text.String()))
	}
	m.ReasoningContent = g.thought.String()
	m.ToolCalls = slices.Clone(m.ToolCalls)
	for i := range g.arguments {
		m.ToolCalls[i].Function.Arguments = Arguments(g.arguments[i].String())
	}
	return choice
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
		size += len(p.Text) + merge(new(Extra), p.Extra)
		if p.Type == "text" {
			g.text.WriteString(p.Text)
			continue
		}
		if p.ImageURL != nil {
			size += len(p.ImageURL.URL)
		}
		if p.InputAudio != nil {
			size += len(p.InputAudio.Data)
		}
		if g.text.Len() > 0 {
			m.Content = append(m.Content, Text(g.text.String()))
			g.text.Reset()
		}
		m.Content = append(m.Content, p)
	}
	for i := range d.ToolCalls {
		size += g.addCall(d.ToolCalls[i])
	}
	return size + merge(&g.Extra, f.Extra) + merge(&m.Extra, d.Extra)
}

// addCall joins a tool call by its index, else by its id; one with neither continues the last.
func (g *growing) addCall(t ToolCall) int {
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
	return len(t.Function.Arguments) + merge(&have.Extra, t.Extra) + merge(&have.Function.Extra, t.Function.Extra)
}

// merge returns how many bytes it brought.
func merge(to *Extra, from Extra) (size int) {
	if len(from) > 0 && *to == nil {
		*to = Extra{}
	}
	for name, value := range from {
		if _, had := (*to)[name]; !had {
			size += len(name)
		}
		size += max(0, len(value)-len((*to)[name]))
		(*to)[name] = value
	}
	return size
}
