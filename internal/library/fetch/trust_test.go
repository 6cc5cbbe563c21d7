package fetch_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ingot-llm/ingot/internal/library/fetch"
)

func TestWhatOnlyTheUserMendsIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	t.Cleanup(proxy.Close)
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	there, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int32
	for name, c := range map[string]struct {
		transport *http.Transport
		want      string
		tries     func() int
	}{
		"a certificate that is not trusted": {
			&http.Transport{DialContext: counting(&dials)},
			"SSL_CERT_FILE", func() int { return int(dials.Load()) },
		},
		"a proxy that wants a password": {
			&http.Transport{Proxy: http.ProxyURL(there)},
			"HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT", func() int { return int(asked.Load()) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(c.transport.CloseIdleConnections)
			client := fetch.Client{HTTP: &http.Client{Transport: c.transport}, Backoff: quick.Backoff, Tries: quick.Tries}
			_, err := client.File(t.Context(), fetch.Request{URL: server.URL + "/m.gguf", Path: filepath.Join(t.TempDir(), "m"), Limit: 1}, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "gave up") {
				t.Errorf("got %v, want %q and no second try", err, c.want)
			}
			if n := c.tries(); n != 1 {
				t.Errorf("%d tries", n)
			}
			if errors.Unwrap(err) == nil {
				t.Errorf("%v has no cause", err)
			}
		})
	}
}

// counting connects, and counts how often.
func counting(n *atomic.Int32) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		n.Add(1)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}
