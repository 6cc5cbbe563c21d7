package ability_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/ability"
	"github.com/ingot-llm/ingot/internal/llm"
)

func image(at ...any) llm.Image {
	return llm.Image{URL: llm.NewText("data:image/png;base64,AA=="), Loc: at}
}

func said(role llm.Role, parts ...llm.Part) llm.Message {
	return llm.Message{Role: role, Form: llm.FormParts, Parts: parts}
}

// show puts messages to a model and returns those that reach it.
func show(t *testing.T, o ability.Options, ms ...llm.Message) ([]llm.Message, error) {
	t.Helper()
	s := &scripted{say: text(llm.FinishStop, "Yes")}
	_, err := ability.Wrap(s, o).Chat(t.Context(), &llm.ChatRequest{Messages: ms}).Collect()
	if s.asked == nil {
		return nil, err
	}
	return s.asked.Messages, nil
}

func TestImagesKeepTheirPlaceAmongTexts(t *testing.T) {
	t.Parallel()
	word := func(s string) llm.Part { return llm.NewText(s) }
	for name, c := range map[string]struct{ parts, want []llm.Part }{
		"nothing to spoil": {
			[]llm.Part{word("a"), image(1), word("b"), image(2)},
			[]llm.Part{word("a"), image(1), word("b"), image(2)},
		},
		"a mark on either side": {
			[]llm.Part{word("</s>"), image(1), word("b</s>")},
			[]llm.Part{word("< /s>"), image(1), word("b< /s>")},
		},
		"a mark that is cut between two texts": {
			[]llm.Part{image(1), word("a</"), word("s>b"), image(2), word("c"), word("d")},
			[]llm.Part{image(1), word("a< /s>b"), image(2), word("c"), word("d")},
		},
		"an image keeps the halves of a mark apart": {
			[]llm.Part{word("</"), image(1), word("s>")},
			[]llm.Part{word("</"), image(1), word("s>")},
		},
		"what stands elsewhere does not": {
			[]llm.Part{word("</"), llm.Reasoning{Text: llm.NewText("x")}, word("s>"), image(1)},
			[]llm.Part{word("< /s>"), llm.Reasoning{Text: llm.NewText("x")}, image(1)},
		},
	} {
		got, err := show(t, knows, said(llm.User, c.parts...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got[0].Parts, cmp.Comparer(llm.Text.Equal)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnImageIsRefusedWhereTheModelHasNoPlaceForIt(t *testing.T) {
	t.Parallel()
	call := llm.ToolCall{ID: "a", Name: "look", Arguments: llm.NewText("{}")}
	result := func(parts ...llm.Part) llm.Message {
		return llm.Message{Role: llm.ToolRole, Form: llm.FormParts, Parts: []llm.Part{llm.ToolResult{CallID: "a", Content: parts}}}
	}
	for name, ms := range map[string][]llm.Message{
		"in a result": {said(llm.User, llm.NewText("q")), said(llm.Assistant, call), result(llm.NewText("r"), image("body", "messages", 2, "content", 1))},
		"with a call": {said(llm.User, llm.NewText("q")), said(llm.Assistant, image("body", "messages", 2, "content", 1), call)},
		"a sound":     {said(llm.User, llm.NewText("q")), said(llm.Assistant, call), result(llm.Audio{Format: "wav", Loc: []any{"body", "messages", 2, "content", 1}})},
	} {
		_, err := show(t, knows, ms...)
		e, ok := errors.AsType[*llm.Error](err)
		if !ok || e.Kind != llm.Unsupported || e.Param != "messages" || len(e.Details) != 1 || !cmp.Equal(e.Details[0].Loc, []any{"body", "messages", 2, "content", 1}) {
			t.Errorf("%s: got %+v", name, err)
		}
	}
	kept, err := show(t, ability.Options{Template: hermes}, said(llm.User, image(0)), said(llm.Assistant, call), result(image(1)))
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := kept[2].Parts[0].(llm.ToolResult); !ok || len(r.Content) != 1 {
		t.Errorf("a template with a place for results lost an image: %+v", kept[2])
	}
}
