package encode

import (
	"bytes"
	"slices"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Splice returns the caller's bytes with the edits made, in pieces that refer to them: nothing is copied, and whatever is not
// edited stays as it is.
func Splice(src llm.Source) [][]byte {
	edits := slices.Clone(src.Edits)
	find := func(name string) *llm.Edit {
		for i := range edits {
			if e := &edits[len(edits)-1-i]; e.Member == name { // the last one counts
				return e
			}
		}
		return nil
	}
	var pieces [][]byte
	done := 0 // up to here the body is in pieces, or cut
	add := func(to int) {
		if to > done {
			pieces = append(pieces, src.Body[done:to])
		}
	}
	kept := 0 // members that stay
	for i := range src.Members {
		m := &src.Members[i]
		e := find(m.Name)
		switch {
		case e == nil || bytes.Equal(e.Value, m.Value):
			kept++
		case e.Value != nil:
			kept++
			add(m.From)
			pieces = append(pieces, e.Value)
			done = m.To
		case kept > 0: // with the comma before it
			add(src.Members[i-1].To)
			done = m.To
		case i+1 < len(src.Members): // with the comma after it
			add(m.At)
			done = src.Members[i+1].At
		default:
			add(m.At)
			done = m.To
		}
	}
	end := bytes.LastIndexByte(src.Body, '}')
	if n := len(src.Members); n > 0 {
		end = max(done, src.Members[n-1].To)
	}
	more := appended(edits, src.Members, kept > 0)
	if len(more) > 0 {
		add(end)
		pieces, done = append(pieces, more), end
	}
	add(len(src.Body))
	return pieces
}

// appended are the members that edits set and the body does not have.
func appended(edits []llm.Edit, members []jsonx.Member, follows bool) []byte {
	var more []byte
	for i, e := range edits {
		has := slices.ContainsFunc(members, func(m jsonx.Member) bool { return m.Name == e.Member })
		again := slices.ContainsFunc(edits[i+1:], func(later llm.Edit) bool { return later.Member == e.Member })
		if e.Value == nil || has || again {
			continue
		}
		if follows {
			more = append(more, ',')
		}
		more = append(jsonx.AppendString(more, []byte(e.Member)), ':')
		more, follows = append(more, e.Value...), true
	}
	return more
}
