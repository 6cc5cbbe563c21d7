package provider_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
	"github.com/ingot-llm/ingot/internal/wire/openai/request"
)

// asked is one request that a provider saw.
type asked struct {
	url    string
	header http.Header
	body   string
}

// server answers in the place of a provider, at the seam where the network begins.
type server struct {
	answer func(*http.Request) (*http.Response, error)
	mu     sync.Mutex
	asked  []asked
}

func (s *server) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.asked = append(s.asked, asked{r.URL.String(), r.Header.Clone(), string(body)})
	s.mu.Unlock()
	return s.answer(r)
}

// last is the newest request.
func (s *server) last(t *testing.T) asked {
	t.Helper()
	if len(s.asked) == 0 {
		t.Fatal("the provider was not asked")
	}
	return s.asked[len(s.asked)-1]
}

// body is an answer's: text, then a piece for each of what follows from the network.
type body struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (b *body) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func answer(status int, kind string, from io.Reader) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {kind}}, ContentLength: -1,
		Body: &body{Reader: from, closed: make(chan struct{})},
	}
}

func whole(text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return answer(http.StatusOK, "application/json", strings.NewReader(text)), nil
	}
}

func events(text ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return answer(http.StatusOK, "text/event-stream; charset=utf-8", strings.NewReader(strings.Join(text, ""))), nil
	}
}

// mute sends the events and then nothing until the request ends.
func mute(text ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return answer(http.StatusOK, "text/event-stream", io.MultiReader(strings.NewReader(strings.Join(text, "")), waiting{r.Context()})), nil
	}
}

// waiting is a read that ends with its context.
type waiting struct{ ctx context.Context }

func (w waiting) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

const (
	role  = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1763880000,"model":"served","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	hello = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1763880000,"model":"served","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}` + "\n\n"
	lo    = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1763880000,"model":"served","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]}` + "\n\n"
	stop  = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1763880000,"model":"served","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usage = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1763880000,"model":"served","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}}` + "\n\n"
	done  = "data: [DONE]\n\n"
	full  = `{"id":"chatcmpl-7","object":"chat.completion","created":1763880000,"model":"served","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":2,"total_tokens":13}}`
)

// variant is a provider in one of its manners, and what its requests must look like.
type variant struct {
	name, kind string
	c          provider.Config
	contract   llm.Wire
	chat       string            // URL of chat completions
	header     map[string]string // of every request
	model      string            // as the body names it
	asksUsage  bool
	images     string // URL of image embeddings; empty: there are none
}

// variants has at least one of each entry of All.
func variants() []variant {
	bearer, key := map[string]string{"Authorization": "Bearer sesame"}, map[string]string{"Api-Key": "sesame"}
	vs := []variant{
		{"azure deployments", "azure", provider.Config{Endpoint: "https://res.openai.azure.com", Surface: "deployments", Model: "gpt 4"}, llm.WireAzure, "https://res.openai.azure.com/openai/deployments/gpt%204/chat/completions?api-version=2024-10-21", key, "gpt 4", false, ""},
		{"azure v1", "azure", provider.Config{Endpoint: "https://res.openai.azure.com/", Model: "gpt-4o"}, llm.WireOpenAI, "https://res.openai.azure.com/openai/v1/chat/completions", key, "gpt-4o", true, ""},
		{"azure models", "azure", provider.Config{Endpoint: "https://res.services.ai.azure.com", Model: "phi-4"}, llm.WireInference, "https://res.services.ai.azure.com/models/chat/completions?api-version=2024-05-01-preview", key, "phi-4", false, "https://res.services.ai.azure.com/models/images/embeddings?api-version=2024-05-01-preview"},
		{"azure serverless", "azure", provider.Config{Endpoint: "https://phi.eastus.models.ai.azure.com"}, llm.WireInference, "https://phi.eastus.models.ai.azure.com/chat/completions?api-version=2024-05-01-preview", bearer, "asked", false, "https://phi.eastus.models.ai.azure.com/images/embeddings?api-version=2024-05-01-preview"},
		{"azure managed", "azure", provider.Config{Endpoint: "https://e.eastus.inference.ml.azure.com", Model: "blue", APIVersion: "2025-04-01"}, llm.WireInference, "https://e.eastus.inference.ml.azure.com/chat/completions?api-version=2025-04-01", map[string]string{"Authorization": "Bearer sesame", "Azureml-Model-Deployment": "blue"}, "blue", false, "https://e.eastus.inference.ml.azure.com/images/embeddings?api-version=2025-04-01"},
		{"openai", "openai", provider.Config{Model: "gpt-4o"}, llm.WireOpenAI, "https://api.openai.com/v1/chat/completions", bearer, "gpt-4o", true, ""},
	}
	for _, flavour := range []string{"vllm", "sglang", "tgi", "llama-server", "ollama", "lm-studio", "ray-serve", "kserve", "ingot"} {
		images := ""
		if flavour == "ingot" {
			images = "http://127.0.0.1:9/models/images/embeddings?api-version=2025-04-01"
		}
		vs = append(vs, variant{flavour, "openai", provider.Config{Endpoint: "http://127.0.0.1:9", Flavour: flavour}, llm.WireOpenAI, "http://127.0.0.1:9/v1/chat/completions", bearer, "asked", true, images})
	}
	return vs
}

// backend makes the provider of a variant over a server that answers so.
func (v variant) backend(t *testing.T, reply func(*http.Request) (*http.Response, error), change ...func(*provider.Config)) (llm.Backend, *server) {
	t.Helper()
	s := &server{answer: reply}
	c := v.c
	c.Name, c.Deployment, c.HTTP = "elsewhere", "asked", s
	c.Key = func() (string, error) { return "sesame", nil }
	for _, f := range change {
		f(&c)
	}
	b, err := provider.All[v.kind](c)
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

// every runs a test for each variant.
func every(t *testing.T, f func(*testing.T, variant)) {
	t.Helper()
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range variants() {
		seen[v.kind] = true
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			f(t, v)
		})
	}
	for kind := range provider.All {
		if !seen[kind] {
			t.Errorf("provider %s is in no variant of this suite", kind)
		}
	}
}

// admitAll takes every member, as a door does that a caller told to pass them through.
func admitAll(w llm.Wire) request.Contract {
	return request.Contract{Wire: w, Admit: func(string) request.Admission { return request.Take }}
}

// chat is a request as a door of that contract decodes it.
func chat(t *testing.T, w llm.Wire, body string) *llm.ChatRequest {
	t.Helper()
	r, err := request.DecodeChat([]byte(body), admitAll(w))
	if err != nil {
		t.Fatal(err)
	}
	r.Model = "asked"
	return r
}

const (
	plain    = `{"messages":[{"role":"user","content":"Hi"}]}`
	streamed = `{"messages":[{"role":"user","content":"Hi"}],"stream":true}`
)
