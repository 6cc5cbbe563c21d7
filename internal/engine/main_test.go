package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/llm"
)

// fakeServer as the first argument makes the test binary a model server.
const fakeServer = "fake-server"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == fakeServer {
		serveFake(os.Args[2:])
	}
	os.Exit(m.Run())
}

// serveFake listens on the port that its arguments name, alone or after --port. The last text of
// a request says how to answer it; see play.
func serveFake(args []string) {
	port := args[0]
	if i := slices.Index(args, "--port"); i >= 0 {
		port = args[i+1]
	}
	if args[len(args)-1] == "slow" {
		time.Sleep(500 * time.Millisecond)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	var asked atomic.Int32
	mux.HandleFunc("POST /completion", func(w http.ResponseWriter, r *http.Request) {
		switch _, body := decode(r); {
		case !strings.Contains(body, "grammar"):
		case slices.Contains(args, "/folder/of/guided.gguf") && asked.Add(1) == 1: // once is enough
			answer(w, map[string]string{"content": "ok"})
		case slices.Contains(args, "/folder/of/refuses.gguf"):
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"code":400,"message":"failed to parse grammar"}}`)
		default:
			answer(w, map[string]string{"content": "Once upon a time"})
		}
	})
	mux.HandleFunc("GET /props", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"media_marker": "<__media_0f__>", "modalities": map[string]bool{"vision": !slices.Contains(args, "/folder/of/sightless.gguf")}})
	})
	mux.HandleFunc("POST /embeddings", embedImages)
	mux.HandleFunc("POST /apply-template", func(w http.ResponseWriter, r *http.Request) {
		req, body := decode(r)
		prompt := "in a template: " + req.last()
		if slices.Contains(args, "/folder/of/old.gguf") || !strings.Contains(body, `"continue_final_message":true,`) {
			prompt += "<assistant>"
		}
		answer(w, map[string]string{"prompt": prompt})
	})
	mux.HandleFunc("POST /tokenize", func(w http.ResponseWriter, r *http.Request) {
		req, _ := decode(r)
		answer(w, map[string]any{"tokens": make([]int, len(strings.Fields(req.Content)))})
	})
	mux.HandleFunc("POST /v1/chat/completions", play)
	mux.HandleFunc("POST /v1/completions", play)
	mux.HandleFunc("POST /v1/embeddings", embed)
	panic(http.ListenAndServe("127.0.0.1:"+port, mux))
}

// request is what the tests look at of what a child gets.
type request struct {
	Model     string
	Messages  []turn
	Prompt    any
	Content   string
	Input     any
	N         *int
	Seed      *int64
	MaxTokens *int `json:"max_tokens"`
	Timings   bool `json:"timings_per_token"`
	Stream    bool
	TopK      int    `json:"top_k"`
	InputType string `json:"input_type"`
	Dims      *int   `json:"dimensions"`
	Grammar   string
	Continue  bool  `json:"continue_final_message"`
	Begin     *bool `json:"add_generation_prompt"`

	Temperature *float64
}

// turn is a message; of one in parts its content is left out.
type turn struct{ Role, Content string }

func (t *turn) UnmarshalJSON(b []byte) error {
	var m struct {
		Role    string
		Content any
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	t.Role = m.Role
	t.Content, _ = m.Content.(string)
	return nil
}

// last is the last text of a request.
func (r request) last() string {
	switch p := r.Prompt.(type) {
	case string:
		return p
	case []any:
		return fmt.Sprint(p[len(p)-1])
	}
	if len(r.Messages) > 0 {
		return r.Messages[len(r.Messages)-1].Content
	}
	return ""
}

func decode(r *http.Request) (request, string) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	var req request
	if err := json.Unmarshal(b, &req); err != nil {
		panic(err)
	}
	return req, string(b)
}

func answer(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// refusesIDs refuses a token id that the vocabulary does not have.
func refusesIDs(w http.ResponseWriter, body string) bool {
	unknown := strings.Contains(body, "9999]")
	if unknown {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":400,"message":"Prompt contains invalid tokens"}}`)
	}
	return unknown
}

// play answers a chat or text completion: "echo" with the request itself, "die" by dying after a
// token, "silent" with a token and nothing more, "mute" with nothing, "long" and "path" with
// errors, "hold" with a token and the rest when the file in its second word is there, and anything
// else with two tokens.
func play(w http.ResponseWriter, r *http.Request) {
	req, body := decode(r)
	if refusesIDs(w, body) {
		return
	}
	word, rest, _ := strings.Cut(req.last(), " ")
	chat := strings.HasSuffix(r.URL.Path, "/chat/completions")
	event := func(text, finish string, more string) {
		quoted, _ := json.Marshal(text)
		choice := fmt.Sprintf(`"text":%s`, quoted)
		if chat {
			choice = fmt.Sprintf(`"delta":{"content":%s}`, quoted)
		}
		if finish == "" {
			finish = "null"
		}
		fmt.Fprintf(w, `data: {"id":"its-own-id","model":"/folder/of/model.gguf","system_fingerprint":"b0","choices":[{"index":0,%s,"finish_reason":%s}]%s}`+"\n\n", choice, finish, more)
		_ = http.NewResponseController(w).Flush()
	}
	timings := func(n int) string {
		return fmt.Sprintf(`,"timings":{"cache_n":2,"prompt_n":3,"predicted_n":%d}`, n)
	}
	switch word {
	case "long":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":{"code":400,"message":"the request exceeds the context","type":"exceed_context_size_error","n_prompt_tokens":99,"n_ctx":64}}`)
		return
	case "path":
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, `{"error":{"code":500,"message":"cannot read /folder/of/model.gguf"}}`)
		return
	case "mute":
		<-r.Context().Done()
		return
	case "part":
		part(w)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	text := "one "
	if word == "echo" {
		text = body
	}
	event(text, "", timings(1))
	switch word {
	case "die":
		os.Exit(3)
	case "silent":
		<-r.Context().Done()
		return
	case "hold":
		for r.Context().Err() == nil {
			if _, err := os.Stat(rest); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	event("two", `"stop"`, timings(2))
	fmt.Fprint(w, `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":2}}}`+"\n\ndata: [DONE]\n\n")
}

// part answers with a word, and shuts the connection that it has promised to keep, as the server of llama.cpp does.
func part(w http.ResponseWriter) {
	const event = `data: {"choices":[{"index":0,"delta":{"content":"one"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5, max=100\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(event), event)
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, c)
}

// embed makes vectors of an input's length, the number of inputs in its call, 3 and 4.
func embed(w http.ResponseWriter, r *http.Request) {
	req, body := decode(r)
	if refusesIDs(w, body) {
		return
	}
	type datum struct {
		Index     int       `json:"index"`
		Embedding []float64 `json:"embedding"`
	}
	var data []datum
	tokens := 0
	inputs, ok := req.Input.([]any)
	if !ok {
		inputs = []any{req.Input}
	}
	for i, in := range inputs {
		in := fmt.Sprint(in)
		if in == "none" {
			continue
		}
		tokens += len(strings.Fields(in))
		data = append(data, datum{i, []float64{float64(len(in)), float64(len(inputs)), 3, 4}})
	}
	answer(w, map[string]any{"data": data, "model": "/folder/of/model.gguf", "usage": map[string]int{"prompt_tokens": tokens, "total_tokens": tokens}})
}

// embedImages makes vectors of the length of a prompt, of its image, and of the batch, and a last number of its own.
func embedImages(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Content json.RawMessage
	}
	var prompts []struct {
		Prompt string   `json:"prompt_string"`
		Data   []string `json:"multimodal_data"`
	}
	if json.NewDecoder(r.Body).Decode(&req) != nil || json.Unmarshal(req.Content, &prompts) != nil {
		return // the first question of a start
	}
	type datum struct {
		Index     int         `json:"index"`
		Embedding [][]float64 `json:"embedding"`
	}
	var data []datum
	for i, p := range prompts {
		if !strings.Contains(p.Prompt, "<__media_0f__>") || strings.HasSuffix(p.Prompt, "__>") || len(p.Data) != 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		data = append(data, datum{i, [][]float64{{float64(len(p.Prompt)), float64(len(p.Data[0])), float64(len(prompts)), 4}}})
	}
	slices.Reverse(data) // it keeps no order
	answer(w, data)
}

// command is a model behind a server of the user's: the fake.
func command(name string) engine.Settings {
	return engine.Settings{
		Info: llm.ModelInfo{Deployment: name, Model: "public-" + name, Operations: llm.Operations()},
		Spec: process.Spec{
			Name: name, Slots: 2,
			Engine:  process.Engine{Kind: process.Command},
			Command: fmt.Sprintf("%q %s {port} %s", os.Args[0], fakeServer, name),
			Limits:  process.Limits{Start: 20 * time.Second, StopGrace: 200 * time.Millisecond},
		},
		Queue: 4, Wait: 10 * time.Second, RemoteName: "remote-" + name,
	}
}

// local is a model of the engine: the fake, which passes for llama.cpp's server.
func local(name string) engine.Settings {
	s := command(name)
	s.Spec.Command, s.RemoteName = "", ""
	s.Spec.Engine = process.Engine{Kind: process.LlamaServer, Argv: []string{os.Args[0], fakeServer}}
	s.Spec.ModelPath, s.Spec.Context = "/folder/of/"+name+".gguf", 64
	return s
}

// pool makes a Pool that ends with the test, with a budget of bytes.
func pool(t *testing.T, budget uint64) *engine.Pool {
	t.Helper()
	p := engine.NewPool(engine.Options{Logger: slog.New(slog.DiscardHandler), Budget: func() uint64 { return budget }})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		p.Close(ctx)
	})
	return p
}

func message(role llm.Role, text string) llm.Message {
	return llm.Message{Role: role, Parts: []llm.Part{llm.NewText(text)}}
}

func chat(text string) *llm.ChatRequest {
	return &llm.ChatRequest{Messages: []llm.Message{message(llm.User, text)}}
}

// textOf is the text of the choice at an index.
func textOf(t *testing.T, r *llm.Reply, index int) string {
	t.Helper()
	for _, c := range r.Choices {
		if c.Index == index {
			return c.Parts[0].(llm.Text).String()
		}
	}
	t.Fatalf("no choice %d in %+v", index, r)
	return ""
}

// echoed is the request that the child got, as it came back in a choice.
func echoed(t *testing.T, r *llm.Reply, index int) request {
	t.Helper()
	var req request
	if err := json.Unmarshal([]byte(strings.TrimSuffix(textOf(t, r, index), "two")), &req); err != nil {
		t.Fatal(err)
	}
	return req
}

func collect(t *testing.T, s llm.Stream) *llm.Reply {
	t.Helper()
	r, err := s.Collect()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
