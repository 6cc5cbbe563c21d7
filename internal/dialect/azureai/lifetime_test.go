package azureai_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

const broken = "<unexpected EOF>"

func TestAnErrorInMidStreamIsAFrameAndABrokenConnection(t *testing.T) {
	t.Parallel()
	begun := []*llm.Reply{{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}}}}}
	failing := func(err error) string { return door(t, backed(&script.Model{Fragments: begun, Err: err})) }
	stream := post("/chat/completions", `{"stream":true,`+asked+`}`)
	began := "200\ncache-control: no-cache\ncontent-type: text/event-stream\nx-accel-buffering: no\n\n" + frames(
		chunk("m", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
		chunk("m", `"delta":{"content":"a"},"finish_reason":null}]}`))
	compare(t, failing(&llm.Error{Kind: llm.Upstream, Message: "It died.\nReally: <é>"}), []exchange{
		{
			"chat", stream,
			began + frames(`{"error":{"code":"BackendError","message":"It died.\nReally: \u003cé\u003e","type":"server_error","param":null,"status":502,"details":[]}}`) + broken,
		},
		{
			"whole, it is an ordinary error", post("/chat/completions", hi),
			heads(502, "BackendError", nil) + `{"error":{"code":"BackendError","message":"It died.\nReally: \u003cé\u003e","type":"server_error","param":null,"status":502,"details":[]}}`,
		},
	})
	compare(t, failing(&llm.Error{Kind: llm.Upstream, Code: llm.CodeCut, Message: "cut"}), []exchange{
		{"a cut says nothing", stream, began + broken},
	})
	compare(t, door(t, nil), []exchange{
		{
			"the mock's cut", post("/deployments/cut/completions", `{"stream":true,"prompt":"a b c"}`),
			strings.TrimSuffix(events("cut", `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-4","choices":[{"index":0,"text":"a","finish_reason":null,"logprobs":null}]}`), "\n\n") + "\n\n" + broken,
		},
		{
			"the mock's error", post("/deployments/fail/completions", `{"stream":true,"prompt":"a b c"}`),
			events("fail", `{"id":"TEXT","object":"text_completion","created":NOW,"model":"parrot-5","choices":[{"index":0,"text":"a","finish_reason":null,"logprobs":null}]}`,
				`{"error":{"code":"BackendError","message":"The mock model fails on purpose after 1 tokens.","type":"server_error","param":null,"status":502,"details":[]}}`) + broken,
		},
	})
	t.Run("a finish that was held back is not sent after an error", func(t *testing.T) {
		ended := append(begun[:1:1], &llm.Reply{Choices: []llm.Choice{{Finish: llm.FinishStop}}})
		got := answer(t, door(t, backed(&script.Model{Fragments: ended, Err: errors.New("secret")})), stream)
		if !strings.HasPrefix(got, began+"data: {\"error\"") || strings.Contains(got, `"stop"`) || strings.Contains(got, "secret") || strings.Contains(got, "DONE") || !strings.HasSuffix(got, broken) {
			t.Errorf("got %s", got)
		}
	})
	t.Run("no fragments are no answer", func(t *testing.T) {
		for _, body := range []string{hi, `{"stream":true,` + asked + `}`} {
			want := refusal(502, "BackendError", "The model gave no answer.", "server_error", "")
			if got := answer(t, door(t, backed(&script.Model{})), post("/chat/completions", body)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

// records is a log that a test reads.
type records struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

type panicking struct{ llm.Unimplemented }

func (panicking) Chat(context.Context, *llm.ChatRequest) llm.Stream {
	return func(func(*llm.Reply, error) bool) { panic("a bug of ours") }
}

func TestAnErrorOfOursIsLoggedUnderItsIDWithoutKeyOrPrompt(t *testing.T) {
	t.Parallel()
	begun := []*llm.Reply{{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("a")}}}}}
	for name, b := range map[string]llm.Backend{
		"before the answer": &script.Model{Err: errors.New("a bug of ours")},
		"in mid-answer":     &script.Model{Fragments: begun, Err: errors.New("a bug of ours")},
		"a panic":           panicking{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log records
			addr := door(t, func(o *azureai.Options) {
				o.Backend, o.Logger = b, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			})
			c := dial(t, addr)
			if _, err := io.WriteString(c, post("/chat/completions", `{"stream":true,`+asked+`}`, "Connection: close", "Authorization: Bearer "+key)); err != nil {
				t.Fatal(err)
			}
			got := readAll(t, c)
			if name != "a panic" && strings.Count(got, anyGUID.FindString(got)) < 3 {
				t.Errorf("the answer does not name the id: %s", got)
			}
			if strings.Contains(got, "bug") {
				t.Errorf("the answer tells of the bug: %s", got)
			}
			id := anyGUID.FindString(log.String())
			if text := log.String(); id == "" || !strings.Contains(text, "a bug of ours") || strings.Contains(text, key) || strings.Contains(text, "Hi you") || name != "a panic" && !strings.Contains(got, id) {
				t.Errorf("log: %s", text)
			}
		})
	}
}

func TestABodyIsBoundedInSizeAndTime(t *testing.T) {
	t.Parallel()
	const most = 4096
	addr := door(t, func(o *azureai.Options) { o.MaxBody, o.BodyTimeout = most, 50*time.Millisecond })
	pad := func(n int) string { return hi[:len(hi)-1] + strings.Repeat(" ", n-len(hi)) + "}" }
	chunked := func(body string) string {
		return "POST /chat/completions HTTP/1.1\r\nHost: ingot\r\napi-key: sesame\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	good := ok("echo", `{"id":"ID","object":"chat.completion","created":NOW,"model":"parrot-1","choices":[{"index":0,"finish_reason":"stop",`+
		`"message":{"role":"assistant","content":"Hi you","tool_calls":null}}],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}`)
	large := refusal(413, "RequestEntityTooLarge", "The request body is larger than 4096 bytes, the limit of this endpoint (limits.body).", wrongValue, "")
	media := refusal(415, "UnsupportedMediaType", "Content-Type must be application/json.", wrongValue, "")
	late := refusal(408, "RequestTimeout", "The request body stopped arriving: nothing came for 50ms (limits.body_timeout).", wrongValue, "")
	head := "POST /chat/completions HTTP/1.1\r\nHost: ingot\r\napi-key: sesame\r\nContent-Length: 99\r\n\r\n"
	compare(t, addr, []exchange{
		{"as large as allowed", post("/chat/completions", pad(most)), good},
		{"as large as allowed, chunked", chunked(pad(most)), good},
		{"a byte more", post("/chat/completions", pad(most+1)), large},
		{"a byte more, chunked", chunked(pad(most + 1)), large},
		{"a huge length that is only claimed", "POST /chat/completions HTTP/1.1\r\nHost: ingot\r\napi-key: sesame\r\nContent-Length: 9223372036854775807\r\n\r\n", large},
		{"a slow body", head + "{", late},
		{"no body at all", head, late},
		{"charset", post("/chat/completions", hi, "Content-Type: application/json; charset=UTF-8"), good},
		{"a malformed parameter", post("/chat/completions", hi, "Content-Type: Application/JSON ; charset=; x"), good},
		{"plain text", post("/chat/completions", hi, "Content-Type: text/plain"), good},
		{"what curl says", post("/chat/completions", hi, "Content-Type: application/x-www-form-urlencoded"), good},
		{"problem+json", post("/chat/completions", hi, "Content-Type: application/x+json"), good},
		{"multipart", post("/chat/completions", hi, "Content-Type: multipart/form-data; boundary=x"), media},
		{"nonsense", post("/chat/completions", hi, "Content-Type: ;"), media},
		{"not compressed", post("/chat/completions", hi, "Content-Encoding: identity"), good},
	})
}

func TestAnOldClientGetsItsStreamUntilTheConnectionEnds(t *testing.T) {
	t.Parallel()
	c := dial(t, door(t, nil))
	request := strings.Replace(post("/chat/completions"+v2024, `{"stream":true,"max_tokens":1,`+asked+`}`), "HTTP/1.1", "HTTP/1.0", 1)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(readAll(t, c), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.0 200 OK\r\n") || strings.Contains(head, "chunked") {
		t.Errorf("head is %s", head)
	}
	want := frames(
		chunk("parrot-1", `"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
		chunk("parrot-1", `"delta":{"content":"Hi"},"finish_reason":null}]}`),
		chunk("parrot-1", `"delta":{"content":""},"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}`),
		"[DONE]")
	if d := cmp.Diff(want, mask(body)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// endless answers forever, or not at all, and tells when it is let go.
type endless struct {
	llm.Unimplemented
	silent bool
	left   chan struct{}
}

func (e *endless) Chat(ctx context.Context, _ *llm.ChatRequest) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		defer close(e.left)
		f := &llm.Reply{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText(strings.Repeat("x", 32<<10))}}}}
		if !yield(f, nil) {
			return
		}
		if e.silent {
			<-ctx.Done()
			yield(nil, context.Cause(ctx))
			return
		}
		for ctx.Err() == nil && yield(f, nil) {
		}
	}
}

func (e *endless) Embed(ctx context.Context, _ *llm.EmbedRequest) (*llm.EmbedReply, error) {
	defer close(e.left)
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestAReaderWhoStopsFreesTheBackend(t *testing.T) {
	t.Parallel()
	b := &endless{left: make(chan struct{})}
	c := dial(t, door(t, func(o *azureai.Options) { o.Backend, o.WriteTimeout = b, 100*time.Millisecond }))
	if _, err := io.WriteString(c, post("/chat/completions", `{"stream":true,`+asked+`}`)); err != nil {
		t.Fatal(err)
	}
	leave(t, b.left, 10*time.Second)
}

func TestAReaderWhoStopsAmidAWholeAnswerIsNotWaitedForForever(t *testing.T) {
	t.Parallel()
	huge := &script.Model{Fragments: []*llm.Reply{{Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText(strings.Repeat("x", 24<<20))}, Finish: llm.FinishStop}}}}}
	rt := table(t, mocks...)
	h := azureai.Handler(options(rt, func(o *azureai.Options) { o.Backend, o.WriteTimeout = huge, 100*time.Millisecond }))
	done := make(chan struct{})
	addr := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		h.ServeHTTP(w, r)
	}))
	c := dial(t, addr)
	if _, err := io.WriteString(c, post("/chat/completions", hi)); err != nil {
		t.Fatal(err)
	}
	leave(t, done, 30*time.Second)
}

func TestAWriteDeadlineDoesNotOutliveItsAnswer(t *testing.T) {
	t.Parallel()
	c := dial(t, door(t, func(o *azureai.Options) { o.WriteTimeout = 50 * time.Millisecond }))
	r := bufio.NewReader(c)
	for range 3 {
		if _, err := io.WriteString(c, post("/chat/completions", `{"stream":true,`+asked+`}`)); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || !bytes.HasSuffix(body, []byte("data: [DONE]\n\n")) {
			t.Fatalf("%s: %v", body, err)
		}
		time.Sleep(80 * time.Millisecond)
	}
}

func leave(t *testing.T, left <-chan struct{}, within time.Duration) {
	t.Helper()
	select {
	case <-left:
	case <-time.After(within):
		t.Error("the backend was not let go")
	}
}

func TestAHangUpLetsTheBackendGoWithinASecond(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"streamed":   post("/chat/completions", `{"stream":true,`+asked+`}`),
		"whole":      post("/chat/completions", hi),
		"embeddings": post("/embeddings", `{"input":"x"}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &endless{left: make(chan struct{}), silent: true}
			c := dial(t, door(t, func(o *azureai.Options) { o.Backend, o.BodyTimeout = b, time.Minute }))
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			if name == "streamed" {
				if _, err := c.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			} else {
				time.Sleep(50 * time.Millisecond) // so that the backend is at work
			}
			if err := c.(*net.TCPConn).SetLinger(0); err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
			leave(t, b.left, time.Second)
		})
	}
}

func TestManyRequestsAtOnceGetEachItsOwnAnswer(t *testing.T) {
	t.Parallel()
	addr := door(t, nil)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			word := fmt.Sprintf("word%d", i)
			var request, want string
			switch i % 4 {
			case 0:
				request, want = post("/models/chat/completions", `{"model":"openai/gpt-4o","messages":[{"role":"user","content":"`+word+`"}]}`), `"content":"`+word+`"`
			case 1:
				request, want = post("/chat/completions", `{"stream":true,"messages":[{"role":"user","content":"`+word+`"}]}`), `"delta":{"content":"`+word+`"}`
			case 2:
				request, want = post("/completions", `{"stream":true,"prompt":"`+word+`"}`), `"text":"`+word+`"`
			default:
				request, want = post("/embeddings", `{"input":["`+word+`"],"dimensions":8}`), `"data":[{"index":0`
			}
			got := answer(t, addr, request)
			if !strings.HasPrefix(got, "200\n") || !strings.Contains(got, want) || strings.Count(got, "word") > 1 {
				t.Errorf("%s: got %s", word, got)
			}
			if _, body, _ := strings.Cut(got, "\n\n"); i%4 == 3 {
				var vectors struct {
					Data []struct{ Embedding []float32 }
				}
				if err := json.Unmarshal([]byte(body), &vectors); err != nil || len(vectors.Data) != 1 || len(vectors.Data[0].Embedding) != 8 {
					t.Errorf("%s: got %s", word, got)
				}
			}
		})
	}
	wg.Wait()
}
