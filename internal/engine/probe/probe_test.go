package probe_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/engine/probe"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// TestMain lets the test binary play a model server when it is started as one.
func TestMain(m *testing.M) {
	if i := slices.Index(os.Args, "--model"); i > 0 {
		os.Exit(serve(os.Args[1], os.Args[i+1], os.Args[slices.Index(os.Args, "--port")+1]))
	}
	os.Exit(m.Run())
}

// serve is a model server that answers in one of several ways.
func serve(manner, model, port string) int {
	h, err := gguf.ReadFile(model)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if manner == "old" && h.Architecture() == "phi3" {
		fmt.Fprintln(os.Stderr, "unknown model architecture: 'phi3'")
		return 1
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return 1
	}
	err = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case manner == "strange" && strings.HasPrefix(r.URL.Path, "/v1/"):
			fmt.Fprint(w, `{"text":"a"}`)
		case manner == "refusing" && strings.HasPrefix(r.URL.Path, "/v1/"):
			http.Error(w, "not today", http.StatusTeapot)
		case r.URL.Path == "/completion" && manner != "unguided":
			fmt.Fprint(w, `{"content":"ok"}`)
		case r.URL.Path == "/completion":
			fmt.Fprint(w, `{"content":"once upon a time"}`)
		case r.URL.Path == "/v1/embeddings":
			fmt.Fprint(w, `{"data":[{"embedding":[1]}]}`)
		default:
			fmt.Fprint(w, `{"choices":[{"text":"a"}]}`)
		}
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func TestAnEngineIsTriedWithEveryFamily(t *testing.T) {
	for manner, want := range map[string][4]string{
		"fine":     {},
		"old":      {1: "unknown model architecture: 'phi3'"},
		"strange":  {"is not understood", "is not understood", "is not understood", ""},
		"refusing": {"418", "not today", "not today", ""},
		"unguided": {3: "does not obey grammars"},
	} {
		t.Run(manner, func(t *testing.T) {
			t.Parallel()
			var begun []string
			e := process.Engine{Kind: process.LlamaServer, Argv: []string{os.Args[0], manner}}
			got, err := probe.Run(t.Context(), e, probe.Options{Begin: func(model string) { begun = append(begun, model) }})
			if err != nil || len(got) != len(want) || !slices.Equal(begun, []string{"llama", "phi3", "bert", "llama"}) {
				t.Fatalf("got %v and %v, begun %v", got, err, begun)
			}
			for i, r := range got {
				if (r.Err == nil) != (want[i] == "") || !strings.Contains(r.Explain(), want[i]) {
					t.Errorf("%s: %q, want %q", r.Model, r.Explain(), want[i])
				}
			}
		})
	}
}

func TestAnEngineThatIsNotThereFails(t *testing.T) {
	t.Parallel()
	got, err := probe.Run(t.Context(), process.Engine{Kind: process.LlamaServer, Argv: []string{"/nowhere/llama-server"}}, probe.Options{})
	if err != nil || len(got) != 4 || got[0].Err == nil {
		t.Errorf("got %v and %v", got, err)
	}
}
