package h1_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/upstream/h1"
)

func TestWhatComesAfterAnAnswerIsNobodysAnswer(t *testing.T) {
	if !h1.Takes(post(t, t.Context(), "http://127.0.0.1/", "{}")) {
		return // no connection is used again where it cannot be looked at
	}
	answer := func(s string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(s), s)
	}
	for name, junk := range map[string]string{"another answer": answer("stolen"), "more of the last one": "HTTP", "its end": ""} {
		sent, next := make(chan struct{}), make(chan struct{})
		url := raw(t, func(n int, c net.Conn, r *bufio.Reader) {
			if !request(r) {
				return
			}
			_, _ = io.WriteString(c, answer(fmt.Sprint("answer ", n)))
			if n > 1 {
				return
			}
			<-next
			_, _ = io.WriteString(c, junk)
			if junk == "" {
				_ = c.Close()
			}
			close(sent)
			request(r)
		})
		tr, _ := transport(t)
		for n := 1; n <= 2; n++ {
			got, err := ask(tr, post(t, t.Context(), url, "{}"))
			if want := fmt.Sprint("200 answer ", n); err != nil || got != want {
				t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
			}
			if n == 1 {
				close(next)
				<-sent
				time.Sleep(20 * time.Millisecond) // it is on its way
			}
		}
		tr.CloseIdleConnections()
	}
}

func TestAnAnswerThatWasCutStaysCut(t *testing.T) {
	for _, head := range []string{"Content-Length: 9\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n9\r\nabc"} {
		url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
			request(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head)
		})
		tr, _ := transport(t)
		res, err := tr.RoundTrip(post(t, t.Context(), url, "{}"))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v", err)
			}
		}
		_ = res.Body.Close()
	}
}

func TestAStatusThatIsNoneIsAnError(t *testing.T) {
	url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
		request(r)
		_, _ = io.WriteString(c, "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n")
		request(r)
	})
	tr, _ := transport(t)
	if got, err := ask(tr, post(t, t.Context(), url, "{}")); err == nil || !strings.Contains(err.Error(), "status") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnAnswerIsHeardThoughTheRequestIsNeverRead(t *testing.T) {
	over := make(chan struct{})
	url := raw(t, func(_ int, c net.Conn, r *bufio.Reader) {
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, "HTTP/1.1 429 Slow\r\nContent-Length: 4\r\n\r\nlate")
		<-over
	})
	defer close(over)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	tr, _ := transport(t)
	for range 2 {
		if got, err := ask(tr, post(t, ctx, url, strings.Repeat("x", 64<<20))); err != nil || got != "429 late" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
