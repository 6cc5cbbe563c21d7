package mock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
)

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	chat := func(o mock.Options, change func(*llm.ChatRequest)) error {
		r := say("x")
		change(r)
		_, err := mock.New(o).Chat(t.Context(), r).Collect()
		return err
	}
	complete := func(r *llm.CompleteRequest) error {
		_, err := mock.New(mock.Options{}).Complete(t.Context(), r).Collect()
		return err
	}
	counted := func(r *llm.CompleteRequest) error {
		_, err := mock.New(mock.Options{Behaviour: mock.Count}).Complete(t.Context(), r).Collect()
		return err
	}
	embed := func(r *llm.EmbedRequest) error {
		_, err := mock.New(mock.Options{Behaviour: mock.Embedding}).Embed(t.Context(), r)
		return err
	}
	part := []any{"body", "messages", 0, "content", 0}
	bad := llm.Tool{Name: "f", Parameters: []byte(`{"type":"object","required":["s"],"properties":{"s":{"type":"string","minLength":1e12}}}`)}
	text := []llm.Input{llm.NewText("x")}
	for _, c := range []struct {
		name string
		err  error
		kind llm.Kind
		loc  []any
	}{
		{"audio", chat(mock.Options{}, func(r *llm.ChatRequest) { r.Messages[0].Parts = []llm.Part{llm.Audio{Loc: part}} }), llm.Unsupported, part},
		{"an unknown part", chat(mock.Options{}, func(r *llm.ChatRequest) { r.Messages[0].Parts = []llm.Part{llm.Opaque{Type: "t", Loc: part}} }), llm.Unsupported, part},
		{"a filtered prompt", chat(mock.Options{}, func(r *llm.ChatRequest) { r.Messages = append([]llm.Message{user("a mock:filter b")}, r.Messages...) }), llm.Filtered, nil},
		{"a long prompt", chat(mock.Options{}, func(r *llm.ChatRequest) { r.Messages = []llm.Message{user(strings.Repeat("!", 131_070))} }), llm.TooLong, nil},
		{"n", chat(mock.Options{}, func(r *llm.ChatRequest) { r.N = new(129) }), llm.Invalid, []any{"body", "n"}},
		{"more choices than a reply holds", chat(mock.Options{Behaviour: mock.Count}, func(r *llm.ChatRequest) {
			r.N, r.MaxTokens = new(128), new(100_000)
		}), llm.Invalid, []any{"body", "max_tokens"}},
		{"more log probabilities than a reply holds", chat(mock.Options{Behaviour: mock.Count}, func(r *llm.ChatRequest) {
			r.Logprobs, r.TopLogprobs, r.MaxTokens = true, new(20), new(100_000)
		}), llm.Invalid, []any{"body", "max_tokens"}},
		{"more prompts than a reply answers", counted(&llm.CompleteRequest{Prompts: make([]llm.Input, 2048), Sampling: llm.Sampling{MaxTokens: new(10_000)}}), llm.Invalid, []any{"body", "max_tokens"}},
		{"more of a prompt given back than a reply holds", complete(&llm.CompleteRequest{
			Prompts: []llm.Input{llm.NewText(strings.Repeat("!", 100_000))}, Echo: true, Logprobs: new(5), Sampling: llm.Sampling{MaxTokens: new(0)},
		}), llm.Invalid, []any{"body", "max_tokens"}},
		{"top_logprobs", chat(mock.Options{}, func(r *llm.ChatRequest) { r.TopLogprobs = new(1 << 40) }), llm.Invalid, []any{"body", "top_logprobs"}},
		{"a tool that is not there", chat(mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{bad}, &llm.ToolChoice{Mode: llm.ToolNamed, Name: "g"}
		}), llm.Invalid, []any{"body", "tool_choice"}},
		{"no tools at all", chat(mock.Options{}, func(r *llm.ChatRequest) { r.ToolChoice = &llm.ToolChoice{Mode: llm.ToolRequired} }), llm.Invalid, []any{"body", "tool_choice"}},
		{"arguments that cannot be made", chat(mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{{Name: "e"}, bad}, &llm.ToolChoice{Mode: llm.ToolNamed, Name: "f"}
		}), llm.Unsupported, []any{"body", "tools", 1, "function", "parameters"}},
		{"arguments that are no object", chat(mock.Options{}, func(r *llm.ChatRequest) {
			r.Tools, r.ToolChoice = []llm.Tool{{Name: "e", Parameters: []byte(`{"type":"null"}`)}}, &llm.ToolChoice{Mode: llm.ToolRequired}
		}), llm.Unsupported, []any{"body", "tools", 0, "function", "parameters"}},
		{"a schema that refers to the web", chat(mock.Options{}, func(r *llm.ChatRequest) {
			r.Format = &llm.Format{Type: llm.FormatSchema, Schema: []byte(`{"$ref":"https://example.com/s"}`)}
		}), llm.Unsupported, []any{"body", "response_format", "json_schema", "schema"}},
		{"chat with an embedding model", chat(mock.Options{Behaviour: mock.Embedding}, func(*llm.ChatRequest) {}), llm.NoOperation, nil},
		{"a prompt of several that is too long", complete(&llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("a"), llm.NewText(strings.Repeat("!", 131_073))}}), llm.TooLong, nil},
		{"a filtered completion", complete(&llm.CompleteRequest{Prompts: []llm.Input{llm.NewText("mock:filter")}}), llm.Filtered, nil},
		{"a suffix", complete(&llm.CompleteRequest{Prompts: text, Suffix: new("z")}), llm.Unsupported, []any{"body", "suffix"}},
		{"logprobs of a completion", complete(&llm.CompleteRequest{Prompts: text, Logprobs: new(6)}), llm.Invalid, []any{"body", "logprobs"}},
		{"no prompt", complete(&llm.CompleteRequest{}), llm.Invalid, []any{"body", "prompt"}},
		{"a filtered embedding", embed(&llm.EmbedRequest{Items: []llm.Input{llm.NewText("mock:filter")}}), llm.Filtered, nil},
		{"no dimensions", embed(&llm.EmbedRequest{Items: text, Dimensions: new(0)}), llm.Invalid, []any{"body", "dimensions"}},
		{"too many dimensions", embed(&llm.EmbedRequest{Items: text, Dimensions: new(65_537)}), llm.Invalid, []any{"body", "dimensions"}},
		{"too many numbers", embed(&llm.EmbedRequest{Items: make([]llm.Input, 100), Dimensions: new(65_536)}), llm.Invalid, []any{"body", "input"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, ok := errors.AsType[*llm.Error](c.err)
			if !ok {
				t.Fatalf("got %v", c.err)
			}
			if e.Kind != c.kind || e.Message == "" {
				t.Errorf("kind %d: %s", e.Kind, e.Message)
			}
			var loc []any
			if len(e.Details) > 0 {
				loc = e.Details[0].Loc
			}
			if diff := cmp.Diff(c.loc, loc); diff != "" {
				t.Error(diff)
			}
		})
	}
}
