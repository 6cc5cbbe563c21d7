package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/telemetry"
)

// upstream answers every request on 127.0.0.1 with the same bytes, and returns its address.
func upstream(tb testing.TB, answer string) string {
	tb.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ln.Close() })
	whole := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(answer)) + "\r\n\r\n" + answer)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go answerAll(c, whole)
		}
	}()
	return ln.Addr().String()
}

func answerAll(c net.Conn, whole []byte) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		length := 0
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := c.Write(whole); err != nil {
			return
		}
	}
}

// writer is a ResponseWriter that costs nothing.
type writer struct {
	header http.Header
	status int
	size   int
}

func (w *writer) Header() http.Header { return w.header }
func (w *writer) WriteHeader(s int)   { w.status = s }

// SetReadDeadline is for http.ResponseController.
func (w *writer) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline is for http.ResponseController.
func (w *writer) SetWriteDeadline(time.Time) error { return nil }

func (w *writer) Write(p []byte) (int, error) {
	w.size += len(p)
	return len(p), nil
}

// line has what prompts have: a quotation, a line break, letters beyond ASCII.
const line = `A letter begins with \"Dear all\" and asks, in a few plain words, where the café is and what a pot of tea costs there now.\nThen it goes on about the weather for a while. `

const hopKey = "sk-of-the-benchmark-0123456789"

// hop returns a call of a gateway, everything on, that asks a server elsewhere by the same contract.
func hop(tb testing.TB, prompt int) func() {
	tb.Helper()
	at := upstream(tb, `{"id":"chatcmpl-1","object":"chat.completion","created":1764100000,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":"`+
		strings.Repeat("word ", 40)+`"},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":40,"total_tokens":240}}`)
	cfg, err := config.Parse("ingot.yaml", []byte("providers:\n  far: {type: openai, endpoint: \"http://"+at+"/v1\", proxy: off}\nmodels:\n  mock: {provider: far}\n"),
		func(string) (string, bool) { return "", false })
	if err != nil {
		tb.Fatal(err)
	}
	log, err := telemetry.NewLogger(io.Discard, slog.LevelInfo, "json")
	if err != nil {
		tb.Fatal(err)
	}
	const plenty = 1 << 40
	g, err := gateway.New(tb.Context(), gateway.Options{
		Config: cfg, Logger: log, Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) {
			return auth.New([]auth.Key{{Secret: hopKey, Caller: llm.Caller{Name: "load", RequestsPerMinute: plenty, TokensPerMinute: plenty}}}, nil), nil
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { g.Close(context.WithoutCancel(tb.Context())) })
	h := g.Handler()
	body := `{"model":"mock","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"` +
		strings.Repeat(line, prompt/len(line)+1) + `"}],"temperature":0.7,"max_tokens":40}`
	ctx := context.WithValue(tb.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}))
	return func() {
		r := (&http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: "/v1/chat/completions"}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Authorization": {"Bearer " + hopKey}, "Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Host: "127.0.0.1:8080", RemoteAddr: "127.0.0.1:9",
		}).WithContext(ctx)
		w := &writer{header: http.Header{}}
		h.ServeHTTP(w, r)
		if w.status != 0 && w.status != http.StatusOK || w.size == 0 {
			tb.Fatalf("status %d, %d bytes", w.status, w.size)
		}
	}
}

func BenchmarkHop1KB(b *testing.B) {
	call := hop(b, 1<<10)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

func BenchmarkHop100KB(b *testing.B) {
	call := hop(b, 100<<10)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}
