package call_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance/call"
)

type connection struct{}

func TestAConnectionThatTheServerLeftIsNoFailureOfTheNextRequest(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if count, ok := r.Context().Value(connection{}).(*atomic.Int32); ok && count.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.Copy(w, r.Body)
	}))
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connection{}, new(atomic.Int32))
	}
	s.Start()
	t.Cleanup(s.Close)
	c, err := call.New(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 5 {
		if e := c.Do(t.Context(), call.Request{Method: http.MethodPost, Path: "/", Body: "hello"}); e.Err != nil || string(e.Body) != "hello" {
			t.Errorf("got %q, %v", e.Body, e.Err)
		}
	}
}

// The connection that follows a 101 is no body, and no context ends it.
func TestAServerThatSwitchesProtocolsUnaskedIsNotListenedTo(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "other")
		w.WriteHeader(http.StatusSwitchingProtocols)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	c, err := call.New(s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	done := make(chan *call.Exchange)
	go func() { done <- c.Do(t.Context(), call.Request{Method: http.MethodGet, Path: "/"}) }()
	select {
	case e := <-done:
		if e.Status != http.StatusSwitchingProtocols || e.Err == nil {
			t.Errorf("got %d, %v", e.Status, e.Err)
		}
	case <-time.After(5 * time.Second):
		s.CloseClientConnections()
		t.Fatal("the client waits without end")
	}
}

func TestAnAnswerIsKeptAsItCame(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/base/redirect":
			http.Redirect(w, r, "/base/elsewhere", http.StatusTemporaryRedirect)
		case "/base/broken":
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/base/long":
			_, _ = w.Write(make([]byte, call.MaxBody+1))
		case "/base//doubled/":
			_, _ = io.WriteString(w, r.RequestURI)
		}
	}))
	t.Cleanup(s.Close)
	c, err := call.New(s.URL+"/base/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	do := func(path string) *call.Exchange {
		return c.Do(t.Context(), call.Request{Method: http.MethodGet, Path: path, Query: "a=b"})
	}
	if e := do("/redirect"); e.Status != http.StatusTemporaryRedirect {
		t.Errorf("a redirect was followed: %d", e.Status)
	}
	if e := do("/broken"); e.Err == nil || string(e.Body) != "half" {
		t.Errorf("broken: %q, %v", e.Body, e.Err)
	}
	if e := do("/long"); !e.Endless || len(e.Body) > call.MaxBody {
		t.Errorf("long: %t, %d bytes", e.Endless, len(e.Body))
	}
	if e := do("//doubled/"); string(e.Body) != "/base//doubled/?a=b" {
		t.Errorf("the path arrived as %q", e.Body)
	}
}
