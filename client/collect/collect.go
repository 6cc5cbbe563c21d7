// Package collect joins the fragments of streams to whole answers.
package collect

import (
	"bytes"
	"cmp"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/ingot-llm/ingot/client"
)

// What one answer may take: far more than any model writes.
const (
	maxCollected = 64 << 20
	maxPieces    = 1024 // choices, and tool calls and parts of each
)

// Chat joins a stream to the whole answer. Where the stream fails it returns what had arrived, and the error.
func Chat(stream iter.Seq2[*client.Chunk, error]) (*client.ChatReply, error) {
	var a Answer
	for chunk, err := range stream {
		if err == nil {
			err = a.Add(chunk)
		}
		if err != nil {
			return a.Reply(), err
		}
	}
	return a.Reply(), nil
}

// Answer joins the fragments of a chat as they come, for loops that also show them. Its zero value is ready; one goroutine uses it.
// Of members without a field, such as logprobs, it keeps the last value.
type Answer struct {
	reply   client.ChatReply
	choices []*growing
	size    int
}

// growing is a choice whose texts are still being written.
type growing struct {
	client.Choice

	text, thought bytes.Buffer
	arguments     []bytes.Buffer // of Message.ToolCalls, one each
}

var errTooLong = errors.New("collect stream: the answer is longer than 64 MiB or in more than 1024 pieces")

// Add joins a fragment. An answer of more than 64 MiB, or of more than 1024 choices, calls or parts, is an error.
func (a *Answer) Add(chunk *client.Chunk) error {
	r := &a.reply
	r.ID, r.Model = cmp.Or(chunk.ID, r.ID), cmp.Or(chunk.Model, r.Model)
	r.Created, r.Usage = cmp.Or(chunk.Created, r.Created), cmp.Or(chunk.Usage, r.Usage)
	r.Meta = chunk.Meta
	a.size += merge(&r.Extra, chunk.Extra)
	for i := range chunk.Choices {
		f := &chunk.Choices[i]
		at := slices.IndexFunc(a.choices, func(g *growing) bool { return g.Index == f.Index })
		if at < 0 {
			at = len(a.choices)
			a.choices = append(a.choices, &growing{Choice: client.Choice{Index: f.Index}})
		}
		g := a.choices[at]
		a.size += g.add(f)
		if max(len(a.choices), len(g.arguments), len(g.Message.Content)) > maxPieces {
			return errTooLong
		}
	}
	if a.size > maxCollected {
		return errTooLong
	}
	return nil
}

// Reply returns what has arrived, its choices in the order of their indexes. Add may be called again.
func (a *Answer) Reply() *client.ChatReply {
	reply := a.reply
	reply.Object = "chat.completion"
	reply.Extra, reply.Choices = maps.Clone(reply.Extra), nil
	for _, g := range a.choices {
		reply.Choices = append(reply.Choices, g.whole())
	}
	slices.SortFunc(reply.Choices, func(x, y client.Choice) int { return cmp.Compare(x.Index, y.Index) })
	return &reply
}

// whole is the choice as far as it has come.
func (g *growing) whole() client.Choice {
	choice := g.Choice
	m := &choice.Message
	choice.Extra, m.Extra = maps.Clone(choice.Extra), maps.Clone(m.Extra)
	m.Content = slices.Clone(m.Content)
	if g.text.Len() > 0 {
		m.Content = append(m.Content, client.Text(g.text.String()))
	}
	m.ReasoningContent = g.thought.String()
	m.ToolCalls = slices.Clone(m.ToolCalls)
	for i := range g.arguments {
		m.ToolCalls[i].Function.Arguments = client.Arguments(g.arguments[i].String())
	}
	return choice
}

// add joins a fragment and returns how many bytes it brought.
func (g *growing) add(f *client.ChunkChoice) int {
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
		size += len(p.Text) + merge(new(client.Extra), p.Extra)
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
			m.Content = append(m.Content, client.Text(g.text.String()))
			g.text.Reset()
		}
		m.Content = append(m.Content, p)
	}
	for i := range d.ToolCalls {
		if len(m.ToolCalls) > maxPieces {
			break // Add says so; looking for each among all before it would take too long
		}
		size += g.addCall(d.ToolCalls[i])
	}
	return size + merge(&g.Extra, f.Extra) + merge(&m.Extra, d.Extra)
}

// addCall joins a tool call by its index, else by its id; one with neither continues the last.
func (g *growing) addCall(t client.ToolCall) int {
	m := &g.Message
	at := len(m.ToolCalls) - 1
	if t.Index != nil {
		at = slices.IndexFunc(m.ToolCalls, func(have client.ToolCall) bool { return have.Index != nil && *have.Index == *t.Index })
	} else if t.ID != "" {
		at = slices.IndexFunc(m.ToolCalls, func(have client.ToolCall) bool { return have.ID == t.ID })
	}
	if at < 0 {
		at = len(m.ToolCalls)
		m.ToolCalls = append(m.ToolCalls, client.ToolCall{Index: t.Index})
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
func merge(to *client.Extra, from client.Extra) (size int) {
	if len(from) > 0 && *to == nil {
		*to = client.Extra{}
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
