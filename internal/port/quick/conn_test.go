package quick

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// A head may come whole at the moment at which its time ends: its body must not be late for that.
func TestTheTimeOfAHeadEndsWithIt(t *testing.T) {
	t.Parallel()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(ln, Options{Head: time.Second, Base: t.Context, State: func(net.Conn, http.ConnState) {}, Logger: slog.New(slog.DiscardHandler)})
	client, server := net.Pipe()
	c := newConn(s, server)
	c.enter(heading)
	c.look(s.nanos(time.Now().Add(time.Hour)))
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("its time has not ended")
	}
	_, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.begin(false, cancel)
	go func() { _, _ = io.WriteString(client, "body") }()
	b := body{c: c, left: 4}
	if got, err := io.ReadAll(&b); string(got) != "body" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
