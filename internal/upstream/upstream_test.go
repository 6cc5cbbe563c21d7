package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/wire/openai"
)

const (
	hello = `data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}` + "\n\n"
	stop  = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	done  = "data: [DONE]\n\n"
)

func serve(t *testing.T, h http.HandlerFunc) *upstream.Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &upstream.Client{HTTP: s.Client(), Base: s.URL + "/v1", Codec: openai.Codec{Contract: llm.WireOpenAI}, Silence: 5 * time.Second}
}

func events(text ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, t := range text {
			_, _ = w.Write([]byte(t))
			w.(http.Flusher).Flush()
		}
	}
}

func chat() *llm.ChatRequest {
	return &llm.ChatRequest{Envelope: llm.Envelope{Stream: true}, Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{llm.NewText("Hi")}}}}
}

func TestAStreamIsCompleteOnlyWithItsFinish(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		whole  bool
	}{
		"whole":                    {[]string{hello, stop, done}, true},
		"no DONE after the finish": {[]string{hello, stop}, true},
		"cut after a token":        {[]string{hello}, false},
		"DONE without a finish":    {[]string{hello, done}, false},
		"nothing":                  {nil, false},
		"cut in an event":          {[]string{hello, stop[:20]}, false},
		"malformed":                {[]string{hello, "data: {\n\n", stop, done}, false},
		"comments between":         {[]string{": hi\n\n", hello, ": hi\n\n", stop, done}, true},
		"an error event":           {[]string{hello, `data: {"error":{"message":"no","code":500}}` + "\n\n", done}, false},
	} {
		t.Run(name, func(t *testing.T) {
			reply, err := serve(t, events(c.events...)).Chat(t.Context(), chat()).Collect()
			if (err == nil) != c.whole {
				t.Fatalf("err = %v", err)
			}
			if err != nil {
				if e := llm.AsError(err); e.Kind != llm.Upstream {
					t.Errorf("kind %d: %v", e.Kind, err)
				}
				return
			}
			if got := reply.Choices[0].Parts[0].(llm.Text).String(); got != "Hello" {
				t.Errorf("text %q", got)
			}
		})
	}
}

func TestAStreamThatEndsBeforeItsSecondChoiceIsCut(t *testing.T) {
	second := strings.NewReplacer(`"index":0`, `"index":1`)
	for name, c := range map[string]struct {
		events []string
		whole  bool
	}{
		"one of two":                         {[]string{hello, stop}, false},
		"both":                               {[]string{hello, stop, second.Replace(hello), second.Replace(stop)}, true},
		"one, and the server says it is all": {[]string{hello, stop, done}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := chat()
			r.N = new(2)
			if _, err := serve(t, events(c.events...)).Chat(t.Context(), r).Collect(); (err == nil) != c.whole {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestAnErrorStatusKeepsMessageCodeAndRetryAfter(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"error":{"message":"slow down","code":"rate"}}`))
	})
	_, err := c.Chat(t.Context(), chat()).Collect()
	e := llm.AsError(err)
	if e.Kind != llm.RateLimited || e.Message != "slow down" || e.Code != "rate" || e.RetryAfter != 7*time.Second {
		t.Errorf("%+v", e)
	}
}

// The connection that follows a 101 is no body, and no context ends it.
func TestAServerThatSwitchesProtocolsUnaskedIsNotListenedTo(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "other")
		w.WriteHeader(http.StatusSwitchingProtocols)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-t.Context().Done():
		}
	})
	done := make(chan error, 1)
	go func() {
		_, err := c.Chat(t.Context(), chat()).Collect()
		done <- err
	}()
	select {
	case err := <-done:
		if e := llm.AsError(err); e.Kind != llm.Upstream {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the client waits without end")
	}
}

func TestNothingIsSentBeforeRangingAndLeavingTheLoopHangsUp(t *testing.T) {
	asked, gone := make(chan struct{}, 2), make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		events(hello)(w, r)
		<-r.Context().Done()
		close(gone)
	})
	s := c.Chat(t.Context(), chat())
	select {
	case <-asked:
		t.Fatal("the call was made before anybody ranged")
	case <-time.After(20 * time.Millisecond):
	}
	for _, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	select {
	case <-gone:
	case <-time.After(2 * time.Second):
		t.Fatal("the server was not hung up on")
	}
}

func TestAStreamThatDoesNotBeginIsGivenUp(t *testing.T) {
	begin := func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/event-stream") }
	for name, h := range map[string]http.HandlerFunc{
		"no header": func(http.ResponseWriter, *http.Request) {},
		"no event": func(w http.ResponseWriter, r *http.Request) {
			begin(w, r)
			w.(http.Flusher).Flush()
		},
		"nothing of the answer": events(`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"),
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice a hang-up
			h(w, r)
			<-r.Context().Done()
		})
		c.First, c.Silence = 50*time.Millisecond, 0
		_, err := c.Chat(t.Context(), chat()).Collect()
		if e := llm.AsError(err); e.Kind != llm.Timeout || !strings.Contains(e.Message, "did not begin to answer within 50ms") {
			t.Errorf("%s: %v", name, err)
		}
	}
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		events(hello)(w, r)
		time.Sleep(100 * time.Millisecond)
		events(stop, done)(w, r)
	})
	slow.First = 50 * time.Millisecond
	if _, err := slow.Chat(t.Context(), chat()).Collect(); err != nil {
		t.Errorf("an answer that has begun: %v", err)
	}
}

func TestSilenceAndCancellationAreToldApart(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		events(hello)(w, r)
		<-r.Context().Done()
	})
	c.Silence = 50 * time.Millisecond
	if _, err := c.Chat(t.Context(), chat()).Collect(); llm.AsError(err).Kind != llm.Timeout {
		t.Errorf("silence: %v", err)
	}
	c.Silence = 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, err := range c.Chat(ctx, chat()) {
		if err == nil {
			cancel()
			continue
		}
		if e := llm.AsError(err); e.Kind != llm.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

func TestEmbeddingsComeInTheOrderOfTheirIndex(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"model":"m","data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1.5]}],"usage":{"prompt_tokens":4,"total_tokens":4}}`)
	})
	r, err := c.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a"), llm.NewText("b")}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Vectors[0][0] != 1.5 || r.Vectors[1][0] != 2 || r.Usage.Prompt != 4 {
		t.Errorf("%+v", r)
	}
	bad := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"data":[{"index":1,"embedding":[2]}]}`)
	})
	if _, err := bad.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a")}}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("a missing vector: %v", err)
	}
}

func TestAConnectionThatWasClosedWhenUsedAgainIsReplaced(t *testing.T) {
	var mu sync.Mutex
	used := map[string]bool{}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		again := used[r.RemoteAddr]
		used[r.RemoteAddr] = true
		mu.Unlock()
		if again {
			panic(http.ErrAbortHandler)
		}
		if len(r.Header["Idempotency-Key"]) > 0 {
			t.Error("the header reached the server")
		}
		_, _ = fmt.Fprint(w, `{"data":[{"index":0,"embedding":[1]}]}`)
	})
	for range 3 {
		if _, err := c.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("a")}}); err != nil {
			t.Fatal(err)
		}
	}
}
