package route_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/route"
)

// scripted is a backend that plays a script: `role` is a fragment before the answer begins,
// +text a piece of the answer, `stop` its end, `wait:1s` a silence that the context cuts short,
// and !kind an error.
type scripted struct {
	script string
	mu     sync.Mutex
	seen   []any // the requests that came
}

var kinds = map[string]llm.Kind{
	"internal": llm.Internal, "invalid": llm.Invalid, "limited": llm.RateLimited, "canceled": llm.Canceled, "timeout": llm.Timeout,
	"unavailable": llm.Unavailable, "upstream": llm.Upstream, "filtered": llm.Filtered, "model": llm.UnknownModel,
	"operation": llm.NoOperation, "unsupported": llm.Unsupported,
}

func nameOf(k llm.Kind) string {
	for name, kind := range kinds {
		if kind == k {
			return name
		}
	}
	return fmt.Sprint("kind ", k)
}

func (s *scripted) stream(ctx context.Context, req any) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		s.mu.Lock()
		s.seen = append(s.seen, req)
		s.mu.Unlock()
		var f llm.Reply // reused, as a real stream does
		for word := range strings.FieldsSeq(s.script) {
			f = llm.Reply{Choices: append(f.Choices[:0], llm.Choice{})}
			switch {
			case word == "role":
			case word == "large":
				f.Source.Body = make([]byte, 600<<10)
			case word == "drops":
				f.Meta.Dropped = []string{"strict"}
			case word == "stop":
				f.Choices[0].Finish = llm.FinishStop
			case word[0] == '+':
				f.Choices[0].Parts = []llm.Part{llm.NewText(word[1:])}
			case strings.HasPrefix(word, "wait:"):
				d, _ := time.ParseDuration(word[5:])
				select {
				case <-time.After(d):
					continue
				case <-ctx.Done():
					yield(nil, fmt.Errorf("read answer: %w", ctx.Err()))
					return
				}
			case word[0] == '!':
				yield(nil, &llm.Error{Kind: kinds[word[1:]], Message: word})
				return
			}
			if !yield(&f, nil) {
				return
			}
		}
	}
}

func (s *scripted) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream { return s.stream(ctx, r) }

func (s *scripted) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	return s.stream(ctx, r)
}

func (s *scripted) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	whole, err := s.stream(ctx, r).Collect()
	if err != nil {
		return nil, err
	}
	return &llm.EmbedReply{Model: "m", Vectors: [][]float32{{1}}, Meta: whole.Meta}, nil
}

func (s *scripted) Models(context.Context) ([]llm.ModelInfo, error) { return nil, nil }

// deployment is one named "d" with a target, called t1, t2, …, for each script.
func deployment(f llm.Features, l route.Limits, scripts ...string) route.Deployment {
	var d route.Deployment
	for i, script := range scripts {
		d.Targets = append(d.Targets, route.Target{
			Backend: &scripted{script: script},
			Info: llm.ModelInfo{
				Deployment: "d", Provider: fmt.Sprint("t", i+1), Features: f,
				Operations: []llm.Operation{llm.OpChat, llm.OpComplete, llm.OpEmbed},
			},
			Limits: l,
		})
	}
	return d
}

func table(d ...route.Deployment) *route.Table { return route.New(d, "", route.Aliases{}) }

// saw writes down what a caller sees of a stream: the words of the script, and who answered.
func saw(s llm.Stream) string {
	var words []string
	first := true
	for f, err := range s {
		if err != nil {
			e := llm.AsError(err)
			return strings.Join(append(words, "!"+nameOf(e.Kind), who(e.Meta)), " ")
		}
		c := f.Choices[0]
		switch {
		case c.Finish != "":
			words = append(words, "stop")
		case len(c.Parts) > 0:
			words = append(words, "+"+c.Parts[0].(llm.Text).String())
		default:
			words = append(words, "role")
		}
		if first {
			words = append(words, who(f.Meta))
		}
		first = false
	}
	return strings.Join(words, " ")
}

func who(m llm.Meta) string {
	words := []string{m.Deployment, fmt.Sprintf("%s/%d", m.Provider, m.Attempts)}
	for _, d := range m.Dropped {
		words = append(words, "-"+d)
	}
	return "(" + strings.Join(words, " ") + ")"
}

func chat(change ...func(*llm.ChatRequest)) *llm.ChatRequest {
	r := &llm.ChatRequest{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText("hi")}}}}
	r.Model = "d"
	for _, c := range change {
		c(r)
	}
	return r
}

func TestTheCallerSeesOnlyTheTargetWhoseAnswerBegins(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, targets, want string }{
		{"one target answers", "role +he +llo stop", "role (d t1/1) +he +llo stop"},
		{"an answer without a preamble", "+hello stop", "+hello (d t1/1) stop"},
		{"an empty answer is an answer", "role stop | +b stop", "role (d t1/1) stop"},
		{"refused at once, the next one answers", "!unavailable | role +b stop", "role (d t2/2) +b stop"},
		{"fails after its preamble, and nobody notices", "role role !upstream | +b stop", "+b (d t2/2) stop"},
		{"every kind that may be mended is tried again", "!limited | !timeout | !unavailable | !upstream | +e stop", "+e (d t5/5) stop"},
		{"what another would refuse too is final", "!invalid | +b stop", "!invalid (d t1/1)"},
		{"a bug of ours is final", "!internal | +b stop", "!internal (d t1/1)"},
		{"a refused prompt is final", "role !filtered | +b stop", "!filtered (d t1/1)"},
		{"all fail: the last one tells", "!limited | !unavailable", "!unavailable (d t2/2)"},
		{"an error after the beginning is passed on", "role +he !upstream | +b stop", "role (d t1/1) +he !upstream (d t1/1)"},
		{"a stream that ends before it begins is no answer", "role | +b stop", "+b (d t2/2) stop"},
		{"no answer at all", "role", "!upstream (d t1/1)"},
		{"nothing at all", "", "!upstream (d t1/1)"},
		{"what the target dropped is kept", "drops +a stop", "role (d t1/1 -strict) +a stop"},
		{
			"an endless preamble is released", strings.Repeat("role ", 20) + "!upstream | +b stop",
			"role (d t1/1)" + strings.Repeat(" role", 19) + " !upstream (d t1/1)",
		},
		{"a preamble that is not too large is not", "role large !upstream | +b stop", "+b (d t2/2) stop"},
		{"one that is, is", "role large large !upstream | +b stop", "role (d t1/1) role role !upstream (d t1/1)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := table(deployment(llm.Features{}, route.Limits{}, strings.Split(c.targets, "|")...))
			complete := &llm.CompleteRequest{Envelope: llm.Envelope{Model: "d"}}
			if got := saw(b.Chat(t.Context(), chat())); got != c.want {
				t.Errorf("chat\n got %s\nwant %s", got, c.want)
			}
			if got := saw(b.Complete(t.Context(), complete)); got != c.want {
				t.Errorf("complete\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEmbeddingsAreTriedAtTheNextTargetToo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, targets, want string }{
		{"one answers", "stop", "(d t1/1)"},
		{"the second answers", "!unavailable | stop", "(d t2/2)"},
		{"a final error", "!invalid | stop", "!invalid (d t1/1)"},
		{"what the target dropped is kept", "drops stop", "(d t1/1 -strict)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := table(deployment(llm.Features{}, route.Limits{}, strings.Split(c.targets, "|")...))
			r, err := b.Embed(t.Context(), &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}})
			var got string
			if err != nil {
				e := llm.AsError(err)
				got = "!" + nameOf(e.Kind) + " " + who(e.Meta)
			} else {
				got = who(r.Meta)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestLimitsOfTime(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, c := range []struct {
		name, targets string
		limits        route.Limits
		want          string
		after         time.Duration
	}{
		{"within them", "wait:1s +a wait:1s stop", route.Limits{FirstToken: 2 * s, Total: 3 * s}, "+a (d t1/1) stop", 2 * s},
		{"nothing begins in time", "wait:9s +a stop", route.Limits{FirstToken: 2 * s}, "!timeout (d t1/1)", 2 * s},
		{"a preamble is not a beginning", "role wait:9s +a stop", route.Limits{FirstToken: 2 * s}, "!timeout (d t1/1)", 2 * s},
		{"the next target begins in time", "wait:9s +a stop | wait:1s +b stop", route.Limits{FirstToken: 2 * s}, "+b (d t2/2) stop", 3 * s},
		{"the first limit ends with the beginning", "+a wait:9s stop", route.Limits{FirstToken: 2 * s}, "+a (d t1/1) stop", 9 * s},
		{"the whole takes too long", "+a wait:9s stop", route.Limits{Total: 5 * s}, "+a (d t1/1) !timeout (d t1/1)", 5 * s},
		{"a silence that is too long", "+a wait:1s +b wait:9s stop", route.Limits{Silence: 2 * s}, "+a (d t1/1) +b !timeout (d t1/1)", 3 * s},
		{"silences that are not", "+a wait:1s +b wait:1s +c wait:1s stop", route.Limits{Silence: 2 * s}, "+a (d t1/1) +b +c stop", 3 * s},
		{"the silence before the beginning", "wait:9s +a stop", route.Limits{Silence: 2 * s}, "+a (d t1/1) stop", 9 * s},
		{"no limit", "wait:1000s +a stop", route.Limits{}, "+a (d t1/1) stop", 1000 * s},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				b := table(deployment(llm.Features{}, c.limits, strings.Split(c.targets, "|")...))
				if got := saw(b.Chat(t.Context(), chat())); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if took := time.Since(start); took != c.after {
					t.Errorf("took %s, want %s", took, c.after)
				}
			})
		})
	}
}

func TestATimeoutNamesTheDeploymentAndTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := table(deployment(llm.Features{}, route.Limits{Total: 3 * time.Second}, "wait:9s stop"))
		_, err := b.Embed(t.Context(), &llm.EmbedRequest{Envelope: llm.Envelope{Model: "d"}})
		want := "Deployment 'd' did not finish its answer within 3s."
		if e := llm.AsError(err); e.Kind != llm.Timeout || e.Message != want {
			t.Errorf("got %v %q, want %q", e.Kind, e.Message, want)
		}
	})
}

func TestACallerWhoLeavesComesFirst(t *testing.T) {
	t.Parallel()
	t.Run("before the first attempt", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		got := saw(table(deployment(llm.Features{}, route.Limits{}, "+a stop")).Chat(ctx, chat()))
		if want := "!canceled (d /0)"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("while waiting, though a limit would pass and another target is there", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			d := deployment(llm.Features{}, route.Limits{FirstToken: 2 * time.Second}, "wait:9s +a stop", "+b stop")
			if got, want := saw(table(d).Chat(ctx, chat())), "!canceled (d t1/1)"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	})
	t.Run("in mid-answer, and the target notices", func(t *testing.T) {
		t.Parallel()
		b := &scripted{script: "+a +b +c stop"}
		d := route.Deployment{Targets: []route.Target{{
			Backend: b, Info: llm.ModelInfo{Deployment: "d", Operations: []llm.Operation{llm.OpChat}},
			Limits: route.Limits{FirstToken: time.Hour, Total: time.Hour},
		}}}
		for _, err := range table(d).Chat(t.Context(), chat()) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if len(b.seen) != 1 {
			t.Errorf("the target was asked %d times, want once", len(b.seen))
		}
	})
}

func TestNothingHappensBeforeRangingAndRangingAgainIsANewCall(t *testing.T) {
	t.Parallel()
	d := deployment(llm.Features{}, route.Limits{}, "+a stop")
	s := table(d).Chat(t.Context(), chat())
	target := d.Targets[0].Backend.(*scripted)
	if len(target.seen) != 0 {
		t.Fatal("the target was asked before anybody ranged")
	}
	saw(s)
	saw(s)
	if len(target.seen) != 2 {
		t.Errorf("the target was asked %d times, want 2", len(target.seen))
	}
}

func TestTheOrderDecidesWhoIsAskedFirst(t *testing.T) {
	t.Parallel()
	d := deployment(llm.Features{}, route.Limits{}, "+a stop", "+b stop")
	d.Order = func(ts []route.Target) []route.Target { return []route.Target{ts[1], ts[0]} }
	if got, want := saw(table(d).Chat(t.Context(), chat())), "+b (d t2/1) stop"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestATargetsErrorIsNotChanged(t *testing.T) {
	t.Parallel()
	mine := &llm.Error{Kind: llm.Invalid, Message: "no"}
	d := route.Deployment{Targets: []route.Target{{
		Backend: failing{err: fmt.Errorf("ask: %w", mine)}, Info: llm.ModelInfo{Deployment: "d", Operations: []llm.Operation{llm.OpChat}},
	}}}
	_, err := table(d).Chat(t.Context(), chat()).Collect()
	if e, ok := errors.AsType[*llm.Error](err); !ok || e == mine || e.Meta.Deployment != "d" {
		t.Errorf("got %#v, want a copy with Meta", err)
	}
	if !reflect.DeepEqual(mine.Meta, llm.Meta{}) {
		t.Errorf("the target's own error was changed: %v", mine.Meta)
	}
}

type failing struct {
	llm.Unimplemented
	err error
}

func (f failing) Chat(context.Context, *llm.ChatRequest) llm.Stream { return llm.Fail(f.err) }

func TestNamesAreFoundAsDoorsNeedThem(t *testing.T) {
	t.Parallel()
	info := func(name string, ops ...llm.Operation) route.Deployment {
		return route.Deployment{Targets: []route.Target{{
			Backend: &scripted{script: "+" + name + " stop"}, Info: llm.ModelInfo{Deployment: name, Operations: ops},
		}}}
	}
	rt := route.New([]route.Deployment{
		info("Phi-4", llm.OpChat), info("phi-4", llm.OpChat), info("base", llm.OpChat, llm.OpComplete), info("minilm", llm.OpEmbed),
	}, "base", route.Aliases{})
	found := func(m llm.ModelInfo, ok bool) string {
		if !ok {
			return "none"
		}
		return m.Deployment
	}
	got := map[string]string{
		"exact":             found(rt.Lookup("phi-4")),
		"other case":        found(rt.Lookup("MINILM")),
		"first of two":      found(rt.Lookup("PHI-4")),
		"unknown":           found(rt.Lookup("gpt")),
		"empty":             found(rt.Lookup("")),
		"default chat":      found(rt.Default(llm.OpChat)),
		"default embedding": found(rt.Default(llm.OpEmbed)),
		"default unset":     found(route.New([]route.Deployment{info("a", llm.OpEmbed), info("b", llm.OpChat)}, "", route.Aliases{}).Default(llm.OpChat)),
		"no default":        found(route.New([]route.Deployment{info("a", llm.OpEmbed)}, "a", route.Aliases{}).Default(llm.OpChat)),
	}
	want := map[string]string{
		"exact": "phi-4", "other case": "minilm", "first of two": "Phi-4", "unknown": "none", "empty": "none",
		"default chat": "base", "default embedding": "minilm", "default unset": "b", "no default": "none",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	var names []string
	models, err := rt.Models(t.Context())
	for _, m := range models {
		names = append(names, m.Deployment)
	}
	if d := cmp.Diff([]string{"Phi-4", "phi-4", "base", "minilm"}, names); d != "" || err != nil {
		t.Error(d, err)
	}
	ask := func(model string) string {
		return saw(rt.Chat(t.Context(), chat(func(r *llm.ChatRequest) { r.Model = model })))
	}
	for model, want := range map[string]string{
		"phi-4": "+phi-4 (phi-4 /1) stop", "PHI-4": "!model ( /0)", "minilm": "!operation (minilm /0)", "": "!model ( /0)",
	} {
		if got := ask(model); got != want {
			t.Errorf("%s: got %s, want %s", model, got, want)
		}
	}
}
