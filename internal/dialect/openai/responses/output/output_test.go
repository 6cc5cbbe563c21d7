package output_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/openai/responses/output"
	"github.com/ingot-llm/ingot/internal/llm"
)

var options = output.Options{Model: "m", Echo: []byte(`"tools":[]`), Logprobs: true}

var times = regexp.MustCompile(`"(created|completed)_at":[0-9]+,`)

// fragments makes a chat's answer of any bytes, three for each fragment.
func fragments(script []byte) []*llm.Reply {
	var fs []*llm.Reply
	for ; len(script) >= 3; script = script[3:] {
		c := llm.Choice{At: int(script[1] % 6), Index: int(script[0] >> 7)}
		words := llm.NewText([]string{"", "a", "\n\n\"é", `{"b":`, `1}`, "{}"}[script[2]%6])
		switch script[0] % 8 {
		case 0, 1:
			c.Parts = []llm.Part{words}
		case 2:
			c.Parts = []llm.Part{llm.Reasoning{Text: words}}
		case 3, 4:
			c.Parts = []llm.Part{llm.ToolCall{ID: "c", Name: "f", Arguments: words}}
		case 5:
			c.Parts = []llm.Part{words, llm.ToolCall{Arguments: words}, llm.Opaque{}}
			c.Logprobs = []llm.TokenLogprob{{Token: "a", Logprob: -1}}
		case 6:
			c.Logprobs = []llm.TokenLogprob{{Token: "\xff", Bytes: []byte{255}, Top: []llm.TokenLogprob{{Token: "b"}}}}
		case 7:
			c.Finish = []llm.Finish{llm.FinishStop, llm.FinishLength, llm.FinishFilter, llm.FinishToolCalls}[script[2]%4]
		}
		fs = append(fs, &llm.Reply{Choices: []llm.Choice{c}, Usage: &llm.Usage{Prompt: len(script)}})
	}
	return fs
}

func chat(fs []*llm.Reply) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		for _, f := range fs {
			if !yield(f, nil) {
				return
			}
		}
	}
}

// run brings an answer to its end and returns its events.
func run(a *output.Answer, fs []*llm.Reply) []byte {
	var events []byte
	for _, err := range a.Watch(chat(fs)) {
		events = a.Flush(events)
		if err != nil {
			a.Fail(llm.AsError(err))
			return a.Flush(events)
		}
	}
	a.End()
	return a.Flush(events)
}

type part struct {
	Type     string          `json:"type"`
	Text     string          `json:"text"`
	Logprobs json.RawMessage `json:"logprobs"`
}

type item struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	Arguments string `json:"arguments"`
	Content   []part `json:"content"`
}

type response struct {
	ID     string            `json:"id"`
	Status string            `json:"status"`
	Output []json.RawMessage `json:"output"`
}

type event struct {
	Type      string          `json:"type"`
	Number    int             `json:"sequence_number"`
	Response  *response       `json:"response"`
	Index     int             `json:"output_index"`
	At        int             `json:"content_index"`
	ItemID    string          `json:"item_id"`
	Item      json.RawMessage `json:"item"`
	Part      *part           `json:"part"`
	Delta     string          `json:"delta"`
	Text      string          `json:"text"`
	Arguments string          `json:"arguments"`
}

// reader puts a response together from its events, as clients do.
type reader struct {
	items []item
	done  map[int]json.RawMessage
	last  *response
}

func (r *reader) read(e *event) error {
	r.last = e.Response
	if e.Response != nil {
		return nil
	}
	if e.Type == "response.output_item.added" {
		if e.Index != len(r.items) {
			return fmt.Errorf("item %d is the %dth", e.Index, len(r.items))
		}
		var it item
		r.items = append(r.items, it)
		return json.Unmarshal(e.Item, &r.items[e.Index])
	}
	if e.Index >= len(r.items) || r.done[e.Index] != nil {
		return fmt.Errorf("%s is about no open item", e.Type)
	}
	it := &r.items[e.Index]
	if e.Item == nil && e.ItemID != it.ID {
		return fmt.Errorf("%s is about %s and %s", e.Type, e.ItemID, it.ID)
	}
	switch _, what, _ := strings.Cut(e.Type, "."); what {
	case "content_part.added":
		it.Content = append(it.Content, *e.Part)
	case "output_text.delta", "reasoning_text.delta":
		it.Content[e.At].Text += e.Delta
	case "function_call_arguments.delta":
		it.Arguments += e.Delta
	case "output_text.done", "reasoning_text.done":
		if it.Content[e.At].Text != e.Text {
			return fmt.Errorf("%q was %q", e.Text, it.Content[e.At].Text)
		}
	case "function_call_arguments.done":
		if it.Arguments != e.Arguments {
			return fmt.Errorf("%q was %q", e.Arguments, it.Arguments)
		}
	case "content_part.done":
		it.Content[e.At].Logprobs = e.Part.Logprobs // which deltas hold in pieces
		if d := cmp.Diff(it.Content[e.At], *e.Part); d != "" {
			return fmt.Errorf("the part differs: %s", d)
		}
	case "output_item.done":
		r.done[e.Index] = e.Item
	default:
		return fmt.Errorf("there is no event %s", e.Type)
	}
	return nil
}

// FuzzEvents tells any answer: its events are numbered and in order, what clients put together of them is the last response, and
// that is the one of an answer which is not streamed.
func FuzzEvents(f *testing.F) {
	for _, script := range [][]byte{
		{0, 0, 1, 0, 0, 2, 7, 0, 0},
		{2, 0, 1, 0, 1, 1, 3, 2, 3, 3, 2, 4, 4, 3, 0, 7, 0, 3},
		{3, 0, 3, 3, 1, 3, 3, 0, 4, 3, 1, 4, 7, 0, 3},
		{0, 0, 1, 2, 1, 1, 0, 0, 1, 7, 0, 1},
		{0, 0, 1, 3, 0, 1},
		{6, 0, 0, 5, 0, 2, 128, 0, 0, 7, 0, 2},
	} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		fs := fragments(script)
		o := options
		o.Streamed = true
		a := output.New(o)
		events := run(a, fs)
		r := reader{done: map[int]json.RawMessage{}}
		n := 0
		for frame := range bytes.SplitSeq(bytes.TrimSuffix(events, []byte("\n\n")), []byte("\n\n")) {
			head, data, _ := bytes.Cut(frame, []byte("\ndata: "))
			var e event
			if err := json.Unmarshal(data, &e); err != nil && len(events) > 0 {
				t.Fatalf("%s: %v", frame, err)
			}
			if string(head) != "event: "+e.Type || e.Number != n {
				t.Fatalf("event %d is %s", n, frame)
			}
			if err := r.read(&e); err != nil {
				t.Fatalf("%v\n%s", err, events)
			}
			n++
		}
		if r.last == nil || r.last.ID != a.ID() || r.last.Status != string(a.Status()) || len(r.last.Output) != len(r.items) {
			t.Fatalf("the last event is no response:\n%s", events)
		}
		for i, it := range r.last.Output {
			if a.Status() != output.Failed && !bytes.Equal(it, r.done[i]) {
				t.Fatalf("item %d is %s and %s", i, it, r.done[i])
			}
		}
		whole := output.New(options)
		if said := run(whole, fs); len(said) > 0 {
			t.Fatalf("an answer that is not streamed has events: %s", said)
		}
		mask := func(a *output.Answer) string {
			return times.ReplaceAllString(strings.ReplaceAll(string(a.JSON()), strings.TrimPrefix(a.ID(), "resp_"), "X"), "")
		}
		if d := cmp.Diff(mask(whole), mask(a)); d != "" {
			t.Fatalf("-whole +streamed:\n%s", d)
		}
		if !json.Valid(whole.JSON()) {
			t.Fatalf("no JSON: %s", whole.JSON())
		}
	})
}

func BenchmarkStream(b *testing.B) {
	fs := []*llm.Reply{{Choices: []llm.Choice{{Parts: []llm.Part{llm.QuotedText([]byte(`" word"`))}}}}}
	for range 255 {
		fs = append(fs, fs[0])
	}
	o := options
	o.Streamed, o.Logprobs = true, false
	b.ReportAllocs()
	for b.Loop() {
		run(output.New(o), fs)
	}
}
