package azureai_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

// exchangeBody sends a request on a connection that is kept and reads the answer to its end.
func exchangeBody(b *testing.B, c io.Writer, r *bufio.Reader, request []byte) int64 {
	b.Helper()
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		b.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(res.Status, err)
	}
	return n
}

// BenchmarkChat1KB is a whole exchange over a socket, the client's own allocations included.
func BenchmarkChat1KB(b *testing.B) {
	answer := &script.Model{Fragments: []*llm.Reply{{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText("Hello.")}, Finish: llm.FinishStop}}, Usage: &llm.Usage{}}}}
	c := dial(b, door(b, backed(answer)))
	r := bufio.NewReader(c)
	request := []byte(post("/models/chat/completions"+v2024, `{"model":"echo","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"`+strings.Repeat("Lorem ipsum ", 80)+`"}]}`))
	b.ReportAllocs()
	for b.Loop() {
		exchangeBody(b, c, r, request)
	}
}

// BenchmarkStream1000 is a stream of a thousand fragments over a socket.
func BenchmarkStream1000(b *testing.B) {
	answer := &script.Model{}
	for range 1000 {
		answer.Fragments = append(answer.Fragments, &llm.Reply{Model: "m", Choices: []llm.Choice{{Parts: []llm.Part{llm.NewText(" word")}}}})
	}
	answer.Fragments = append(answer.Fragments, &llm.Reply{Choices: []llm.Choice{{Finish: llm.FinishStop}}, Usage: &llm.Usage{}})
	c := dial(b, door(b, backed(answer)))
	r := bufio.NewReader(c)
	request := []byte(post("/models/chat/completions"+v2024, `{"stream":true,"model":"echo",`+asked+`}`))
	b.ReportAllocs()
	for b.Loop() {
		exchangeBody(b, c, r, request)
	}
}
