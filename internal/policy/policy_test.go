package policy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/policy"
)

// model answers every operation alike: a preamble, `wait`, then one fragment for each piece,
// a second apart, the last with the usage; or err instead of the end.
type model struct {
	pieces int
	usage  *llm.Usage
	spent  *llm.Usage
	err    error
	panics bool
	calls  int

	quick      bool   // no seconds between the pieces
	failsFirst bool   // err is all there is
	before     func() // what happens before its first fragment, which then never comes
}

var all = []llm.Operation{llm.OpChat, llm.OpComplete, llm.OpEmbed}

func (m *model) stream(ctx context.Context) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		m.calls++
		if m.before != nil {
			m.before()
			yield(nil, ctx.Err())
			return
		}
		if m.failsFirst {
			yield(nil, m.err)
			return
		}
		if !yield(&llm.Reply{Meta: llm.Meta{Deployment: "d", Attempts: 2, Dropped: []string{"tools"}}}, nil) {
			return
		}
		for i := range m.pieces {
			select {
			case <-m.pause():
			case <-ctx.Done():
				yield(nil, fmt.Errorf("read: %w", ctx.Err()))
				return
			}
			f := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("the answer")}}}, Spent: m.spent}
			if i == m.pieces-1 && m.err == nil {
				f.Usage = m.usage
			}
			if !yield(f, nil) {
				return
			}
		}
		if m.panics {
			panic("broken")
		}
		if m.err != nil {
			yield(nil, m.err)
		}
	}
}

func (m *model) pause() <-chan time.Time {
	if m.quick {
		done := make(chan time.Time)
		close(done)
		return done
	}
	return time.After(time.Second)
}

func (m *model) Chat(ctx context.Context, _ *llm.ChatRequest) llm.Stream { return m.stream(ctx) }

func (m *model) Complete(ctx context.Context, _ *llm.CompleteRequest) llm.Stream {
	return m.stream(ctx)
}

func (m *model) Embed(ctx context.Context, _ *llm.EmbedRequest) (*llm.EmbedReply, error) {
	whole, err := m.stream(ctx).Collect()
	if err != nil {
		return nil, err
	}
	return &llm.EmbedReply{Usage: whole.Usage, Meta: whole.Meta}, nil
}

func (m *model) Models(context.Context) ([]llm.ModelInfo, error) {
	return []llm.ModelInfo{{Deployment: "d"}}, nil
}

func envelope(rpm int) llm.Envelope {
	return llm.Envelope{Model: "d", Caller: llm.Caller{Name: "alice", RequestsPerMinute: rpm}}
}

// ask sends a request of the operation through b; the caller leaves after so many fragments
// (0: never).
func ask(ctx context.Context, b llm.Backend, op llm.Operation, e llm.Envelope, leave int) error {
	var s llm.Stream
	switch op {
	case llm.OpChat:
		secret := []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText("the prompt")}}}
		s = b.Chat(ctx, &llm.ChatRequest{Envelope: e, Messages: secret})
	case llm.OpComplete:
		s = b.Complete(ctx, &llm.CompleteRequest{Envelope: e, Prompts: []llm.Input{llm.NewText("the prompt")}})
	case llm.OpEmbed:
		_, err := b.Embed(ctx, &llm.EmbedRequest{Envelope: e, Items: []llm.Input{llm.NewText("the prompt")}})
		return err
	}
	n := 0
	for _, err := range s {
		if err != nil {
			return err
		}
		if n++; n == leave {
			break
		}
	}
	return nil
}

// ledger writes down what a Recorder is told.
type ledger struct{ lines *[]string }

func (l ledger) add(format string, args ...any) {
	*l.lines = append(*l.lines, fmt.Sprintf(format, args...))
}

func (l ledger) Ended(took time.Duration, errorType string) { l.add("ended %s %s", took, errorType) }

func (l ledger) Paced(first, perToken time.Duration) { l.add("paced %s %s", first, perToken) }

func (l ledger) Spent(input, output int) { l.add("spent %d %d", input, output) }

func meter(b llm.Backend, lines *[]string) llm.Backend {
	models := []llm.ModelInfo{{Deployment: "d", Operations: all}}
	return policy.Observe(policy.Meter(models, func(op llm.Operation, m llm.ModelInfo) policy.Recorder {
		return named{ledger{lines}, string(op) + " " + m.Deployment}
	}))(b)
}

// named begins each request's lines with who is counted.
type named struct {
	ledger
	name string
}

func (n named) Ended(took time.Duration, errorType string) {
	n.add("%s", n.name)
	n.ledger.Ended(took, errorType)
}

func TestEveryRequestIsMeteredHoweverItEnds(t *testing.T) {
	t.Parallel()
	usage := &llm.Usage{Prompt: 10, Completion: 4}
	for _, c := range []struct {
		name  string
		model model
		op    llm.Operation
		leave int
		want  string
	}{
		{"chat", model{pieces: 4, usage: usage}, llm.OpChat, 0, "chat d|ended 4s |paced 1s 1s|spent 10 4"},
		{"completion", model{pieces: 4, usage: usage}, llm.OpComplete, 0, "text_completion d|ended 4s |paced 1s 1s|spent 10 4"},
		{"embedding", model{pieces: 1, usage: &llm.Usage{Prompt: 3}}, llm.OpEmbed, 0, "embeddings d|ended 1s |paced 0s 0s|spent 3 0"},
		{"a whole answer has no pace", model{pieces: 1, usage: usage}, llm.OpChat, 0, "chat d|ended 1s |paced 1s 0s|spent 10 4"},
		{
			"an estimate gives no pace",
			model{pieces: 2, usage: &llm.Usage{Completion: 9, Estimated: true}},
			llm.OpChat, 0, "chat d|ended 2s |paced 1s 0s|spent 0 9",
		},
		{
			"a caller who leaves",
			model{pieces: 4, usage: usage, spent: &llm.Usage{Prompt: 10, Completion: 2}},
			llm.OpChat, 3, "chat d|ended 2s canceled|spent 10 2",
		},
		{"a caller who leaves after the end", model{pieces: 2, usage: usage}, llm.OpChat, 3, "chat d|ended 2s |paced 1s 333.333333ms|spent 10 4"},
		{
			"an error in mid-stream",
			model{pieces: 2, err: &llm.Error{Kind: llm.Upstream}, spent: &llm.Usage{Completion: 2}},
			llm.OpComplete, 0, "text_completion d|ended 2s upstream|spent 0 2",
		},
		{"an error of embeddings", model{err: &llm.Error{Kind: llm.TooLong}}, llm.OpEmbed, 0, "embeddings d|ended 0s too_long|spent 0 0"},
		{"a stray error", model{err: errors.New("x")}, llm.OpChat, 0, "chat d|ended 0s internal|spent 0 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var lines []string
				_ = ask(t.Context(), meter(&c.model, &lines), c.op, envelope(0), c.leave)
				if got := strings.Join(lines, "|"); got != c.want {
					t.Errorf("\n got %s\nwant %s", got, c.want)
				}
			})
		})
	}
}

func TestAPanicIsMeteredAndGoesOn(t *testing.T) {
	t.Parallel()
	for _, op := range all {
		var lines []string
		func() {
			defer func() {
				if r := recover(); r != "broken" {
					t.Errorf("%s: recovered %v", op, r)
				}
			}()
			_ = ask(t.Context(), meter(&model{panics: true}, &lines), op, envelope(0), 0)
		}()
		if len(lines) != 3 || !strings.HasSuffix(lines[1], " internal") {
			t.Errorf("%s: got %q", op, lines)
		}
	}
}

func TestNamesThatAreNotThereShareOneRecorder(t *testing.T) {
	t.Parallel()
	for _, op := range all {
		var lines []string
		e := envelope(0)
		e.Model = "no-such-model"
		_ = ask(t.Context(), meter(&model{err: &llm.Error{Kind: llm.UnknownModel}}, &lines), op, e, 0)
		if lines[0] != string(op)+" " || !strings.HasSuffix(lines[1], " unknown_model") {
			t.Errorf("got %q", lines)
		}
	}
}

// traced asks once and returns the lines that were logged, without their time.
func traced(ctx context.Context, t *testing.T, m *model, op llm.Operation, leave int) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	id := func(ctx context.Context) slog.Attr { return slog.Any("request_id", ctx.Value(key{})) }
	_ = ask(ctx, policy.Observe(policy.Trace(slog.New(slog.NewJSONHandler(&out, nil)), id))(m), op, envelope(0), leave)
	var lines []map[string]any
	for d := json.NewDecoder(&out); d.More(); {
		var l map[string]any
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		delete(l, "time")
		lines = append(lines, l)
	}
	return lines
}

type key struct{}

func TestEveryRequestIsOneLineWithoutWhatWasSaid(t *testing.T) {
	t.Parallel()
	usage := &llm.Usage{Prompt: 10, Completion: 4}
	base := map[string]any{
		"level": "INFO", "msg": "request", "request_id": "r-1", "deployment": "d", "caller": "alice", "attempts": 2.0, "dropped": "tools",
	}
	for _, c := range []struct {
		name  string
		model model
		op    llm.Operation
		leave int
		want  map[string]any
	}{
		{"chat", model{pieces: 3, usage: usage}, llm.OpChat, 0, map[string]any{
			"operation": "chat", "duration_ms": 3000.0, "first_token_ms": 1000.0, "input_tokens": 10.0, "output_tokens": 4.0,
		}},
		{"completion", model{pieces: 1, usage: usage}, llm.OpComplete, 0, map[string]any{
			"operation": "text_completion", "duration_ms": 1000.0, "first_token_ms": 1000.0, "input_tokens": 10.0, "output_tokens": 4.0,
		}},
		{"embedding", model{pieces: 1, usage: usage}, llm.OpEmbed, 0, map[string]any{
			"operation": "embeddings", "duration_ms": 1000.0, "input_tokens": 10.0, "output_tokens": 4.0,
		}},
		{"a caller who leaves", model{pieces: 3}, llm.OpChat, 2, map[string]any{
			"operation": "chat", "duration_ms": 1000.0, "first_token_ms": 1000.0, "error_type": "canceled",
		}},
		{"a caller's mistake", model{err: &llm.Error{Kind: llm.Invalid, Message: "the prompt is bad"}}, llm.OpChat, 0, map[string]any{
			"operation": "chat", "duration_ms": 0.0, "error_type": "invalid",
		}},
		{"a failing model", model{err: &llm.Error{Kind: llm.Upstream, Message: "the prompt", Err: errors.New("EOF")}}, llm.OpChat, 0, map[string]any{
			"level": "WARN", "operation": "chat", "duration_ms": 0.0, "error_type": "upstream", "cause": "EOF",
		}},
		{"a model that is not ready", model{err: &llm.Error{Kind: llm.Unavailable, Message: "Loading."}}, llm.OpChat, 0, map[string]any{
			"level": "WARN", "operation": "chat", "duration_ms": 0.0, "error_type": "unavailable", "cause": "Loading.",
		}},
		{"a bug of ours", model{err: errors.New("nil map")}, llm.OpComplete, 0, map[string]any{
			"level": "ERROR", "operation": "text_completion", "duration_ms": 0.0, "error_type": "internal", "cause": "nil map",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := context.WithValue(t.Context(), key{}, "r-1")
				want := map[string]any{}
				maps.Copy(want, base)
				maps.Copy(want, c.want)
				if d := cmp.Diff([]map[string]any{want}, traced(ctx, t, &c.model, c.op, c.leave)); d != "" {
					t.Error(d)
				}
			})
		})
	}
}

func TestAnErrorOfEmbeddingsIsTracedWithItsMeta(t *testing.T) {
	t.Parallel()
	m := &model{err: &llm.Error{Kind: llm.Timeout, Message: "late", Meta: llm.Meta{Deployment: "d", Attempts: 3}}}
	lines := traced(t.Context(), t, m, llm.OpEmbed, 0)
	if len(lines) != 1 || lines[0]["attempts"] != 3.0 || lines[0]["cause"] != "late" {
		t.Errorf("got %v", lines)
	}
}

func TestALongNameFromOutsideIsCutInTheLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	e := envelope(0)
	e.Model = strings.Repeat("ü", 1<<20)
	_ = ask(t.Context(), policy.Observe(policy.Trace(slog.New(slog.NewTextHandler(&out, nil)), nil))(&model{}), llm.OpChat, e, 0)
	if n := out.Len(); n == 0 || n > 1000 {
		t.Errorf("the line has %d bytes", n)
	}
}

func TestNothingHappensBeforeRanging(t *testing.T) {
	t.Parallel()
	var lines []string
	m := &model{}
	b := llm.Chain(m, policy.Limit(broken, nil), func(b llm.Backend) llm.Backend { return meter(b, &lines) })
	b.Chat(t.Context(), &llm.ChatRequest{Envelope: envelope(1)})
	b.Complete(t.Context(), &llm.CompleteRequest{Envelope: envelope(1)})
	if m.calls != 0 || lines != nil {
		t.Errorf("%d calls, %q", m.calls, lines)
	}
}

func TestModelsGoThroughEveryPolicy(t *testing.T) {
	t.Parallel()
	var lines []string
	b := policy.Observe(policy.Trace(slog.New(slog.DiscardHandler), nil))(meter(policy.Limit(broken, nil)(&model{}), &lines))
	models, err := b.Models(t.Context())
	if err != nil || len(models) != 1 {
		t.Errorf("got %v, %v", models, err)
	}
}

// BenchmarkChat measures what all policies together add to a request with 100 fragments.
func BenchmarkChat(b *testing.B) {
	m := steady{}
	log := slog.New(slog.NewTextHandler(discard{}, nil))
	chain := policy.Observe(policy.Trace(log, nil), policy.Meter([]llm.ModelInfo{{Deployment: "d", Operations: all}},
		func(llm.Operation, llm.ModelInfo) policy.Recorder { return silent{} }))(policy.Limit(unlimited, nil)(m))
	req := &llm.ChatRequest{Envelope: envelope(1 << 40)}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range chain.Chat(b.Context(), req) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

type silent struct{}

func (silent) Ended(time.Duration, string)        {}
func (silent) Paced(time.Duration, time.Duration) {}
func (silent) Spent(int, int)                     {}

type steady struct{ llm.Unimplemented }

func (steady) Chat(context.Context, *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		f := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("x")}}}}
		for range 100 {
			if !yield(f, nil) {
				return
			}
		}
	}
}
