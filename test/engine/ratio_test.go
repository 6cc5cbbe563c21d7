//go:build engine && linux

package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/process"
)

// BenchmarkRatio streams the same answer from a bare engine and through Ingot, in turns, and
// prints the ratio of their tokens per second. test/bench/engine_ratio.sh runs it.
func BenchmarkRatio(b *testing.B) {
	bare := bareEngine(b)
	through := serve(b, "models:\n  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048}\n")
	for _, g := range []*gateway{bare, through} {
		g.tell(b) // it loads the model and fills the prompt cache
	}
	var pairs [][2]told
	for b.Loop() {
		var pair [2]told
		sides := []int{0, 1}
		if len(pairs)%2 == 1 {
			slices.Reverse(sides)
		}
		for _, i := range sides {
			pair[i] = []*gateway{bare, through}[i].tell(b)
		}
		pairs = append(pairs, pair)
	}
	report(b, pairs)
}

// bareEngine is the engine with the settings that Ingot gives it, and nothing before it.
func bareEngine(b *testing.B) *gateway {
	b.Helper()
	e, err := install.Find(b.Context(), install.Options{Dir: filepath.Join(cache, "engine")})
	if err != nil || e.Kind != install.Xllamacpp {
		b.Fatalf("found engine %+v: %v", e, err)
	}
	p := process.New(process.Spec{
		Name: "bare", Engine: process.Engine{Kind: process.Xllamacpp, Python: e.Command[0], PythonPath: e.Dir},
		ModelPath: filepath.Join(cache, "models", "smollm2.gguf"), Context: 2048, Slots: 1, Threads: 1, GPULayers: process.AutoLayers,
	}, process.Options{})
	b.Cleanup(p.Kill)
	lease, err := p.Ensure(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return &gateway{t: b, url: lease.URL + "/v1", key: lease.Key}
}

// told is one streamed answer of 256 tokens.
type told struct {
	text         string
	tokens       int
	first, whole time.Duration
}

func (a told) rate() float64 { return float64(a.tokens) / a.whole.Seconds() }

// tell streams a story.
func (g *gateway) tell(b *testing.B) told {
	b.Helper()
	var a told
	start := time.Now()
	s := g.stream("/chat/completions", body{
		"messages": []body{
			{"role": "system", "content": "You are a storyteller."},
			{"role": "user", "content": "Write a long story about a dragon who learns to bake bread."},
		},
		"temperature": 0, "max_tokens": 256, "stream_options": body{"include_usage": true},
	})
	defer s.hangUp()
	for {
		data, ok := s.next()
		if !ok {
			b.Fatalf("the stream was cut: %v", s.lines.Err())
		}
		if data == "[DONE]" {
			break
		}
		text := textOf(b, data)
		if text != "" && a.first == 0 {
			a.first = time.Since(start)
		}
		a.text += text
		if strings.Contains(data, `"usage":{`) {
			var c struct {
				Usage struct {
					Completion int `json:"completion_tokens"`
				}
			}
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				b.Fatal(err)
			}
			a.tokens = c.Usage.Completion
		}
	}
	a.whole = time.Since(start)
	return a
}

func report(b *testing.B, pairs [][2]told) {
	b.Helper()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\npair\ttokens\tbare tokens/s\tIngot tokens/s\tbare first token\tIngot first token\tratio\t")
	var ratios []float64
	for i, p := range pairs {
		bare, through := p[0], p[1]
		if bare.text != through.text || bare.tokens != through.tokens {
			b.Fatalf("the answers differ: %d tokens %q, through Ingot %d tokens %q", bare.tokens, bare.text, through.tokens, through.text)
		}
		ratio := through.rate() / bare.rate()
		ratios = append(ratios, ratio)
		fmt.Fprintf(w, "%d\t%d\t%.1f\t%.1f\t%.1f ms\t%.1f ms\t%.3f\t\n", i+1, bare.tokens, bare.rate(), through.rate(),
			1000*bare.first.Seconds(), 1000*through.first.Seconds(), ratio)
	}
	_ = w.Flush()
	slices.Sort(ratios)
	fmt.Printf("ratio %.3f\n", (ratios[(len(ratios)-1)/2]+ratios[len(ratios)/2])/2)
}
