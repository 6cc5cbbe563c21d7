package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/llm"
)

// counted is a listener that counts connections.
type counted struct {
	net.Listener
	n atomic.Int64
}

func (c *counted) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.n.Add(1)
	}
	return conn, err
}

func TestAProviderThatLeadsBackHereIsRefusedAndNotAskedForEver(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	back := "{type: openai, proxy: off, key: k, endpoint: \"http://" + ln.Addr().String() + "/v1\""
	keys := auth.New([]auth.Key{{Secret: "k", Caller: llm.Caller{Name: "reader"}}}, nil)
	g, err := gateway.New(t.Context(), gateway.Options{
		Config: parse(t, "providers:\n  one: "+back+"}\n  two: "+back+", flavour: ingot}\nmodels:\n  m: {targets: [{provider: one}, {provider: two}]}\n  v: {provider: two, kind: embedding}\n"),
		Logger: slog.New(slog.DiscardHandler), Version: "test", Keys: func(*config.Config) (*auth.Keys, error) { return keys, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done, all := make(chan error, 1), &counted{Listener: ln}
	go func() { done <- g.Serve(ctx, all) }()
	for path, body := range map[string]string{
		"/chat/completions": `{"model":"m","messages":[{"role":"user","content":"Hi"}]}`, "/v1/completions": `{"model":"m","prompt":"Hi","stream":true}`,
		"/v1/embeddings": `{"model":"v","input":"Hi"}`,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+ln.Addr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer k")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		told, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode >= http.StatusInternalServerError || !strings.Contains(string(told), "leads back") {
			t.Errorf("%s: got %d %s", path, res.StatusCode, told)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := all.n.Load(); n > 20 {
		t.Errorf("%d connections were made", n)
	}
}
