package ability

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// marks are the texts that steer a model. An engine reads them wherever they stand in a prompt, so that a caller's text,
// or a document's, could look like another message; a blank behind their first character makes them text.
type marks struct{ spoil *strings.Replacer }

func newMarks(known []string) marks {
	all := slices.Concat(known, []string{callOpen, callClose, resultOpen, resultClose})
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the longest of those that begin alike
	var pairs []string
	for _, mark := range all {
		if _, n := utf8.DecodeRuneInString(mark); n < len(mark) {
			pairs = append(pairs, mark, mark[:n]+" "+mark[n:])
		}
	}
	return marks{strings.NewReplacer(pairs...)}
}

// text is s without marks.
func (m marks) text(s string) string {
	const most = 4 // marks can overlap, and a mark could look like a spoiled one
	for range most {
		plain := m.spoil.Replace(s)
		if plain == s {
			break
		}
		s = plain
	}
	return s
}

// document is a JSON document without marks in its strings.
func (m marks) document(doc []byte) []byte {
	if !bytes.Contains(doc, []byte(`\u`)) && m.text(string(doc)) == string(doc) {
		return doc
	}
	if _, err := jsonx.Parse(doc); err != nil {
		return []byte(m.text(string(doc)))
	}
	w := jsonx.Writer{}
	m.write(&w, doc)
	return w.Bytes
}

func (m marks) write(w *jsonx.Writer, v jsonx.Value) {
	switch v.Kind() {
	case jsonx.Object:
		w.BeginObject()
		for name, x := range v.Members() {
			w.Member(m.text(name))
			m.write(w, x)
		}
		w.EndObject()
	case jsonx.Array:
		w.BeginArray()
		for _, x := range v.Elements() {
			m.write(w, x)
		}
		w.EndArray()
	case jsonx.String:
		w.Bytes = jsonx.AppendString(w.Next(), m.text(v.Text()))
	default:
		w.Bytes = append(w.Next(), v...)
	}
}

// messages are ms without marks in what they say, but for a beginning of the answer, which is the caller's own.
func (m marks) messages(ms []llm.Message) []llm.Message {
	ms = slices.Clone(ms)
	for i := range ms {
		if ms[i].Prefix {
			continue
		}
		ms[i].Name = m.text(ms[i].Name)
		ms[i].Parts = m.parts(ms[i].Parts)
	}
	return ms
}

func (m marks) parts(parts []llm.Part) []llm.Part {
	parts = slices.Clone(parts)
	for i, p := range parts {
		switch p := p.(type) {
		case llm.Text:
			parts[i] = m.part(p)
		case llm.Reasoning:
			parts[i] = llm.Reasoning{Text: m.part(p.Text)}
		case llm.Refusal:
			parts[i] = llm.Refusal{Text: m.part(p.Text)}
		case llm.ToolCall:
			p.Name = m.text(p.Name)
			said := p.Arguments.String()
			if plain := m.document([]byte(said)); string(plain) != said {
				p.Arguments = llm.NewText(string(plain))
			}
			parts[i] = p
		case llm.ToolResult:
			p.Content = m.parts(p.Content)
			parts[i] = p
		case llm.Image, llm.Audio, llm.Opaque:
		}
	}
	return m.joints(parts)
}

// joints spoils the marks that are cut between two texts, which then are one. Only what has a place in the text keeps texts apart.
func (m marks) joints(parts []llm.Part) []llm.Part {
	for i := len(parts); i > 0; {
		end := i
		for i > 0 && !apart(parts[i-1]) {
			i--
		}
		if run := parts[i:end]; texts(run) > 1 {
			said := textOf(run)
			if plain := m.text(said); plain != said {
				rest := slices.DeleteFunc(slices.Clone(run), isText)
				parts = slices.Concat(parts[:i], []llm.Part{llm.NewText(plain)}, rest, parts[end:])
			}
		}
		i = max(0, i-1)
	}
	return parts
}

func isText(p llm.Part) bool { _, ok := p.(llm.Text); return ok }

func texts(parts []llm.Part) (n int) {
	for _, p := range parts {
		if isText(p) {
			n++
		}
	}
	return n
}

func apart(p llm.Part) bool {
	switch p.(type) {
	case llm.Image, llm.Audio, llm.Opaque:
		return true
	case llm.Text, llm.Reasoning, llm.Refusal, llm.ToolCall, llm.ToolResult:
	}
	return false
}

// part is t itself where nothing is to be spoiled.
func (m marks) part(t llm.Text) llm.Text {
	said := t.String()
	if plain := m.text(said); plain != said {
		return llm.NewText(plain)
	}
	return t
}

// tools are ts as a model may be told of them.
func (m marks) tools(ts []llm.Tool) []llm.Tool {
	ts = slices.Clone(ts)
	for i := range ts {
		if d := ts[i].Description; d != nil {
			ts[i].Description = new(m.part(*d))
		}
		if len(ts[i].Parameters) > 0 {
			ts[i].Parameters = m.document(ts[i].Parameters)
		}
	}
	return ts
}
