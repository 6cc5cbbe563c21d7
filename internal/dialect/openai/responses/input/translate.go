package input

import (
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

// renamed are the members of a chat that this API calls otherwise.
var renamed = map[string][]any{
	"messages":              {"input"},
	"response_format":       {"text", "format"},
	"reasoning_effort":      {"reasoning", "effort"},
	"max_tokens":            {"max_output_tokens"},
	"max_completion_tokens": {"max_output_tokens"},
	"logprobs":              {"include"},
	"verbosity":             {"text", "verbosity"},
}

func rename(member string) string {
	if to, ok := renamed[member]; ok {
		return place(to)
	}
	return member
}

func renameAll(members []string) []string {
	if members == nil {
		return nil
	}
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = rename(m)
	}
	return out
}

// reword renames the members that a sentence quotes.
func reword(sentence string) string {
	for from, to := range renamed {
		sentence = strings.ReplaceAll(sentence, "'"+from+"'", "'"+place(to)+"'")
	}
	return sentence
}

// Translate is the stream of a chat with its errors and dropped members in the words of the request that it was made of.
func Translate(s llm.Stream) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		for f, err := range s {
			if err != nil {
				yield(nil, translate(err))
				return
			}
			if len(f.Meta.Dropped) > 0 {
				named := *f
				named.Meta.Dropped = renameAll(f.Meta.Dropped)
				f = &named
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// translate returns an error about a chat as one about the request that it was made of.
func translate(err error) error {
	e := *llm.AsError(err)
	e.Meta.Dropped = renameAll(e.Meta.Dropped)
	e.Message, e.Param, e.Details = reword(e.Message), rename(e.Param), slices.Clone(e.Details)
	for i := range e.Details {
		d := &e.Details[i]
		d.Msg = reword(d.Msg)
		if len(d.Loc) < 2 {
			continue
		}
		name, _ := d.Loc[1].(string)
		d.Loc = relocate(name, d.Loc)
		if i == 0 {
			e.Param = dialect.Place(d.Loc)
		}
	}
	return &e
}

// relocate returns a place in a chat as one in the request. Messages are not the items that they were made of.
func relocate(name string, loc []any) []any {
	to, ok := renamed[name]
	if !ok {
		to = []any{name}
	}
	to = append([]any{loc[0]}, to...)
	if name == "messages" {
		return to
	}
	flat := map[string]int{"tools": 3, "tool_choice": 2, "response_format": 2}[name] // where function or json_schema stands, whose members stand beside it here
	for i, step := range loc[2:] {
		if i+2 != flat {
			to = append(to, step)
		}
	}
	return to
}
