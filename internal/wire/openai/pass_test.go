package openai_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire/openai"
	"github.com/ingot-llm/ingot/internal/wire/openai/reply"
)

// strange is a source of members that no contract has, with values that only their bytes can tell.
type strange struct {
	*rand.Rand
	n int
}

// members are up to three of them, each with a comma before it.
func (s *strange) members() string {
	values := []string{"1.50", "1e400", "123456789012345678901234567890", `"\u0041\/"`, `{"a":{"b":[]},"c":1}`, "[1,[2]]", "null", `"data: [DONE]"`, `"\"usage\":null}"`}
	out := ""
	for range s.IntN(4) {
		s.n++
		out += fmt.Sprintf(`,"x%d":%s`, s.n, values[s.IntN(len(values))])
	}
	return out
}

// contracts are those that a door and a server may have in common.
var contracts = []llm.Wire{llm.WireInference, llm.WireAzure, llm.WireOpenAI}

func TestAWholeAnswerGoesOutByteForByte(t *testing.T) {
	s := &strange{Rand: rand.New(rand.NewPCG(5, 6))}
	for range 400 {
		chat := `{"id":"chatcmpl-1","object":"chat.completion","created":1763880000,"model":"m"` + s.members() +
			`,"choices":[{"index":0` + s.members() + `,"message":{"role":"assistant","content":"a"` + s.members() + `},"finish_reason":"stop"` + s.members() + `}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2` + s.members() + `}` + s.members() + `}`
		text := `{"id":"cmpl-1","object":"text_completion","created":1763880000,"model":"m"` + s.members() + `,"choices":[{"index":0,"text":"a","finish_reason":"length"` + s.members() + `}]}`
		for _, w := range contracts {
			for op, body := range map[llm.Operation]string{llm.OpChat: chat, llm.OpComplete: text} {
				r, err := openai.Codec{Contract: w}.DecodeReply(op, []byte(body))
				if err != nil {
					t.Fatalf("%s: %v", body, err)
				}
				r, err = llm.Whole(r).Collect()
				if err != nil {
					t.Fatal(err)
				}
				got := reply.AppendChat(nil, r, head, reply.Style{Wire: w})
				if op == llm.OpComplete {
					got = reply.AppendText(nil, r, head, reply.Style{Wire: w})
				}
				if d := cmp.Diff(body, string(got)); d != "" {
					t.Fatalf("%s: %s", w, d)
				}
			}
		}
	}
}

// pieces is a reader that brings a text in random pieces.
type pieces struct {
	*rand.Rand
	text string
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(len(p.text), 1+p.IntN(400))])
	p.text = p.text[n:]
	return n, nil
}

// relay takes a server's stream apart and writes it as a door of the same contract does.
func relay(t *testing.T, r *rand.Rand, op llm.Operation, style reply.Style, stream string) string {
	t.Helper()
	d := openai.Codec{Contract: style.Wire}.NewDecoder(op)
	e := reply.NewStreamEncoder(op, head, style)
	in := sse.NewReader(&pieces{r, stream})
	var out []byte
	for {
		events, err := in.Next()
		if err != nil {
			t.Fatalf("%v after %s", err, out)
		}
		f, err := d.Decode(events, in.Raw())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f != nil {
			if r.IntN(3) == 0 {
				f = f.Clone()
			}
			out = e.Fragment(out, f)
		}
		if len(events) > 0 && string(events[len(events)-1].Data) == "[DONE]" {
			break
		}
	}
	return string(e.End(out))
}

func TestAStreamGoesOutByteForByteWhereverItIsCutIntoReads(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := &strange{Rand: r}
	for range 400 {
		chunk := func(choice, more string) string {
			return `data: {"id":"6d2b","object":"chat.completion.chunk","created":1763880000,"model":"phi-4"` + s.members() + `,"choices":[` + choice + `]` + more + `}` + "\n\n"
		}
		const usage = `,"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}`
		body := chunk(`{"index":0,"delta":{"role":"assistant","content":""`+s.members()+`},"finish_reason":null}`, "")
		for range r.IntN(6) {
			body += chunk(`{"index":0,"delta":{"content":"w"`+s.members()+`},"finish_reason":null`+s.members()+`}`, "")
		}
		finish := `{"index":0,"delta":{` + strings.TrimPrefix(s.members(), ",") + `},"finish_reason":"stop"}`
		for name, c := range map[string]struct {
			style    reply.Style
			in, want string
		}{
			"usage on the last":      {reply.Style{Wire: llm.WireInference}, body + chunk(finish, usage), ""},
			"usage apart":            {reply.Style{Wire: llm.WireOpenAI, UsageChunk: true}, body + chunk(finish, "") + chunk("", usage), ""},
			"none":                   {reply.Style{Wire: llm.WireAzure}, body + chunk(finish, ""), ""},
			"usage that only we ask": {reply.Style{Wire: llm.WireOpenAI}, body + chunk(finish, "") + strings.ReplaceAll(chunk("", usage), "phi", "cut"), "without"},
		} {
			in := c.in
			want := in
			if c.want == "without" {
				want, _, _ = strings.Cut(in, `data: {"id":"6d2b","object":"chat.completion.chunk","created":1763880000,"model":"cut`)
				in = strings.ReplaceAll(in, "}\n\n", `,"usage":null}`+"\n\n")
				in = strings.Replace(in, usage+`,"usage":null`, usage, 1)
			}
			if d := cmp.Diff(want+"data: [DONE]\n\n", relay(t, r, llm.OpChat, c.style, in+"data: [DONE]\n\n")); d != "" {
				t.Fatalf("%s: %s", name, d)
			}
		}
	}
}

func TestWhatEndsAChoiceIsHeldBackUntilTheEnd(t *testing.T) {
	const word = `data: {"id":"6d2b","choices":[{"index":0,"delta":{"content":"a"}}]}` + "\n\n"
	const finish = `data: {"id":"6d2b","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x":1}` + "\n\n"
	d := openai.Codec{Contract: llm.WireOpenAI}.NewDecoder(llm.OpChat)
	e := reply.NewStreamEncoder(llm.OpChat, head, reply.Style{Wire: llm.WireOpenAI})
	in := sse.NewReader(strings.NewReader(word + finish))
	events, err := in.Next()
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Decode(events, in.Raw())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(e.Fragment(nil, f)); got != word {
		t.Errorf("before the end: %s", got)
	}
	if got := string(e.End(nil)); got != finish+"data: [DONE]\n\n" {
		t.Errorf("at the end: %s", got)
	}
}

func FuzzDecodeReply(f *testing.F) {
	f.Add([]byte(`{"id":"a","created":1,"model":"m","choices":[{"index":0,"message":{"content":"x","reasoning_content":"y","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]},"finish_reason":"stop","logprobs":{"content":[{"token":"a","logprob":-1}]}}],"usage":{"prompt_tokens":1}}`))
	f.Add([]byte(`{"choices":[{"index":0,"text":"x","finish_reason":"length","logprobs":{"tokens":["a"],"token_logprobs":[null],"top_logprobs":[{"b":-1}]}}]}`))
	f.Add([]byte(`{"choices":[{"index":0,"message":{"content":[{"type":"text","text":"x"},{"type":"thinking","thinking":[{"text":"y"}]}]},"finish_reason":"stop"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range []llm.Operation{llm.OpChat, llm.OpComplete} {
			r, err := openai.Codec{Contract: llm.WireOpenAI}.DecodeReply(op, body)
			if err != nil {
				if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != llm.Upstream {
					t.Errorf("%v", err)
				}
				continue
			}
			if _, err := llm.Whole(r).Collect(); err != nil {
				t.Errorf("a reply that does not hold: %v", err)
			}
			reply.AppendChat(nil, r, head, reply.Style{Wire: llm.WireInference, Reasoning: llm.ReasoningContent})
		}
	})
}

func FuzzDecodeEmbed(f *testing.F) {
	f.Add([]byte(`{"id":"a","model":"m","data":[{"index":1,"embedding":[1,-2e3]},{"index":0,"embedding":"AACAPwAAAMA="}],"usage":{"prompt_tokens":1,"images":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		asked := &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a"), llm.NewText("b")}}
		r, err := openai.Codec{Contract: llm.WireOpenAI}.DecodeEmbed(asked, body)
		if err == nil && (len(r.Vectors) != 2 || len(r.Vectors[0]) == 0 || len(r.Vectors[1]) == 0) {
			t.Errorf("%d vectors", len(r.Vectors))
		}
	})
}

func FuzzDecodeError(f *testing.F) {
	f.Add(422, []byte(`{"error":{"code":"Invalid input","message":"{\"detail\":[]}","details":[{"type":"enum","loc":["body",1],"msg":"no","input":1}]},"detail":"x"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if e := (openai.Codec{}).DecodeError(status, nil, body); e.Message == "" || len(e.Details) > 32 {
			t.Errorf("%+v", e)
		}
	})
}
