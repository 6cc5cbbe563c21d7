package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"

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
		if _, err := skipMessage(r, "POST "); err != nil {
			return
		}
		if _, err := c.Write(whole); err != nil {
			return
		}
	}
}

// skipMessage reads a request or an answer that begins so, and returns the length of its body.
func skipMessage(r *bufio.Reader, begins string) (length int, err error) {
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return 0, err
		case first && !bytes.HasPrefix(line, []byte(begins)):
			return 0, errors.New(string(line))
		case len(line) == len("\r\n"):
			return r.Discard(length)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
}

// line has what prompts have: a quotation, a line break, letters beyond ASCII.
const line = `A letter begins with \"Dear all\" and asks, in a few plain words, where the café is and what a pot of tea costs there now.\nThen it goes on about the weather for a while. `

const hopKey = "sk-of-the-benchmark-0123456789"

// serveHop serves a gateway, everything on, that asks a server elsewhere by the same contract, and returns its address.
func serveHop(tb testing.TB) string {
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
	ln, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, ln) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return ln.Addr().String()
}

// benchmarkHop asks with a prompt of so many bytes over eight connections.
func benchmarkHop(b *testing.B, prompt int) {
	b.Helper()
	at := serveHop(b)
	body := `{"model":"mock","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"` +
		strings.Repeat(line, prompt/len(line)+1) + `"}],"temperature":0.7,"max_tokens":40}`
	asked := []byte("POST /v1/chat/completions HTTP/1.1\r\nHost: " + at + "\r\nAuthorization: Bearer " + hopKey +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	const connections = 8
	b.SetParallelism(connections / runtime.GOMAXPROCS(0))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		c, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", at)
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for pb.Next() {
			if _, err := c.Write(asked); err != nil {
				b.Error(err)
				return
			}
			if length, err := skipMessage(r, "HTTP/1.1 200 "); err != nil || length == 0 {
				b.Errorf("%d bytes, %v", length, err)
				return
			}
		}
	})
}

func BenchmarkHop1KB(b *testing.B)   { benchmarkHop(b, 1<<10) }
func BenchmarkHop100KB(b *testing.B) { benchmarkHop(b, 100<<10) }
