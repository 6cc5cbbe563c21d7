package collect

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/client"
)

// Completion joins a stream to the whole answer. Where the stream fails it returns what had arrived, and the error.
func Completion(stream iter.Seq2[*client.Completion, error]) (*client.Completion, error) {
	whole := new(client.Completion)
	texts := map[int]*strings.Builder{}
	size := 0
	err := func() error {
		for piece, err := range stream {
			if err != nil {
				return err
			}
			whole.ID, whole.Model = cmp.Or(piece.ID, whole.ID), cmp.Or(piece.Model, whole.Model)
			whole.Object, whole.Created = cmp.Or(piece.Object, whole.Object), cmp.Or(piece.Created, whole.Created)
			whole.Meta = piece.Meta
			whole.Usage = cmp.Or(piece.Usage, whole.Usage)
			size += merge(&whole.Extra, piece.Extra)
			for _, f := range piece.Choices {
				at := slices.IndexFunc(whole.Choices, func(c client.CompletionChoice) bool { return c.Index == f.Index })
				if at < 0 {
					at = len(whole.Choices)
					whole.Choices = append(whole.Choices, client.CompletionChoice{Index: f.Index})
					texts[f.Index] = new(strings.Builder)
				}
				have := &whole.Choices[at]
				texts[f.Index].WriteString(f.Text)
				have.FinishReason = cmp.Or(f.FinishReason, have.FinishReason)
				size += len(f.Text) + merge(&have.Extra, f.Extra)
			}
			if size > maxCollected || len(whole.Choices) > maxPieces {
				return errTooLong
			}
		}
		return nil
	}()
	for i := range whole.Choices {
		whole.Choices[i].Text = texts[whole.Choices[i].Index].String()
	}
	slices.SortFunc(whole.Choices, func(a, b client.CompletionChoice) int { return cmp.Compare(a.Index, b.Index) })
	return whole, err
}
