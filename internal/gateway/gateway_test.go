package gateway_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/llm"
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("ingot.yaml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newGateway(t *testing.T, text string) *gateway.Gateway {
	t.Helper()
	g, err := gateway.New(t.Context(), gateway.Options{
		Library: empty(t), Config: parse(t, text), Logger: slog.New(slog.DiscardHandler), Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) {
			return auth.New([]auth.Key{{Secret: "k", Caller: llm.Caller{Name: "reader"}}, {Secret: "root", Caller: llm.Caller{Name: "root", Admin: true}}}, nil), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close(context.WithoutCancel(t.Context())) })
	return g
}

func chat(t *testing.T, base, deployment, more string) *http.Response {
	t.Helper()
	body := strings.NewReader(`{"messages":[{"role":"user","content":"a b c d e f"}]` + more + `}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/deployments/"+deployment+"/chat/completions", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("api-key", "k")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestAReloadIsWholeAndOpenStreamsGoOn(t *testing.T) {
	g := newGateway(t, "models: {slow: {provider: mock, mock: {tokens_per_second: 20}}}")
	s := httptest.NewServer(g.Handler())
	defer s.Close()

	stream := chat(t, s.URL, "slow", `,"stream":true`)
	lines := bufio.NewReader(stream.Body)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := g.Reload(t.Context(), parse(t, "models: {quick: {provider: mock}}")); err != nil {
		t.Fatal(err)
	}
	if res := chat(t, s.URL, "slow", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("the old deployment answers %d after the reload", res.StatusCode)
	}
	if res := chat(t, s.URL, "quick", ""); res.StatusCode != http.StatusOK {
		t.Errorf("the new deployment answers %d", res.StatusCode)
	}
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") || strings.Count(string(rest), `"content":" `) != 5 {
		t.Errorf("the open stream ended with %q, %v", rest, err)
	}
}

func TestABadConfigurationChangesNothing(t *testing.T) {
	g := newGateway(t, "models: {one: {provider: mock}}")
	s := httptest.NewServer(g.Handler())
	defer s.Close()
	// The library is empty, so a local model cannot be assembled.
	if err := g.Reload(t.Context(), parse(t, "models: {one: {provider: mock}, two: {local: smollm2}}")); err == nil {
		t.Error("a model that cannot be served was taken")
	}
	if res := chat(t, s.URL, "one", ""); res.StatusCode != http.StatusOK {
		t.Errorf("status %d after a refused reload", res.StatusCode)
	}
	if got := g.Deployments(); len(got) != 1 || got[0] != "one" {
		t.Errorf("deployments %q", got)
	}
}

func TestAReloadThatIsRefusedLosesNoResponse(t *testing.T) {
	const models, kept, fewer = "models: {one: {provider: mock}", "}\nresponses: {store: on}\n", "}\nresponses: {store: on, entries: 5}\n"
	g := newGateway(t, models+kept)
	s := httptest.NewServer(g.Handler())
	defer s.Close()
	ask := func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/v1/responses"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("api-key", "k")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(text)
	}
	_, made := ask(http.MethodPost, "", `{"model":"one","input":"Hi"}`)
	id := "/" + regexp.MustCompile(`resp_\w+`).FindString(made)
	for _, c := range []struct {
		name, config string
		refused      bool
		status       int
	}{
		{"a refused one with other settings", models + ", two: {local: smollm2}" + fewer, true, http.StatusOK},
		{"the same again", models + kept, false, http.StatusOK},
		{"a refused one that stores nothing", models + ", two: {local: smollm2}}\n", true, http.StatusOK},
		{"more models", models + ", two: {provider: mock}" + kept, false, http.StatusOK},
		{"other settings", models + fewer, false, http.StatusNotFound},
	} {
		if err := g.Reload(t.Context(), parse(t, c.config)); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
		if status, text := ask(http.MethodGet, id, ""); status != c.status {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
}

func TestABrokenModelStopsNobodyElse(t *testing.T) {
	const both = "models: {two: {local: smollm2}, one: {provider: mock}, embed: {provider: mock, mock: {behaviour: embedding}}}"
	g := newGateway(t, both) // the library is empty
	s := httptest.NewServer(g.Handler())
	defer s.Close()
	if got := g.Deployments(); !slices.Equal(got, []string{"one", "embed"}) {
		t.Errorf("served: %q", got)
	}
	for range 2 {
		if res := chat(t, s.URL, "one", ""); res.StatusCode != http.StatusOK {
			t.Errorf("the other model: status %d", res.StatusCode)
		}
		for _, more := range []string{"", `,"stream":true`} {
			res := chat(t, s.URL, "two", more)
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "two could not be opened") {
				t.Errorf("the broken model: %d %s, %v", res.StatusCode, text, err)
			}
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/embeddings", strings.NewReader(`{"input":["a"]}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("api-key", "k")
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("without a name: %v, %v", res, err)
		}
		_ = res.Body.Close()
		if err := g.Reload(t.Context(), parse(t, both)); err != nil {
			t.Errorf("a reload is refused because of a model that was broken before: %v", err)
		}
	}
	if _, err := gateway.New(t.Context(), gateway.Options{
		Library: empty(t), Config: parse(t, "models: {two: {local: smollm2}}"), Logger: slog.New(slog.DiscardHandler), Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) { return auth.New(nil, nil), nil },
	}); err == nil || !strings.Contains(err.Error(), "model two") {
		t.Errorf("nothing to serve: got %v", err)
	}
}

func TestABrokenTargetIsOneThatIsNotAsked(t *testing.T) {
	g := newGateway(t, "models: {both: {targets: [{local: smollm2, weight: 1000000}, {provider: mock}]}}") // the library is empty
	s := httptest.NewServer(g.Handler())
	defer s.Close()
	for range 3 {
		if res := chat(t, s.URL, "both", ""); res.StatusCode != http.StatusOK || res.Header.Get("X-Ingot-Provider") != "mock" {
			t.Errorf("status %d of %q", res.StatusCode, res.Header.Get("X-Ingot-Provider"))
		}
	}
}

func TestKeysChangeEvenIfTheConfigurationIsRefused(t *testing.T) {
	key := "first"
	g, err := gateway.New(t.Context(), gateway.Options{
		Library: empty(t), Config: parse(t, "models: {one: {provider: mock}}"), Logger: slog.New(slog.DiscardHandler), Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) { return auth.New([]auth.Key{{Secret: key}}, nil), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close(context.WithoutCancel(t.Context()))
	status := func(with string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/info", nil)
		r.Header.Set("api-key", with)
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, r)
		return w.Code
	}
	if status("first") != http.StatusOK {
		t.Error("the first key is refused")
	}
	key = "second"
	if err := g.Reload(t.Context(), parse(t, "models: {one: {provider: mock}, two: {local: smollm2}}")); err == nil {
		t.Error("a model that cannot be served was taken")
	}
	if err := g.ReloadKeys(); err != nil {
		t.Error(err)
	}
	if status("first") != http.StatusUnauthorized || status("second") != http.StatusOK {
		t.Errorf("got %d and %d", status("first"), status("second"))
	}
}

func empty(t *testing.T) *library.Library {
	t.Helper()
	lib, err := library.Open(t.TempDir(), library.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return lib
}

func TestMetricsAreForThisMachineAndForAdmins(t *testing.T) {
	h := newGateway(t, "models: {one: {provider: mock}}").Handler()
	for _, c := range []struct {
		name, from, key string
		status          int
	}{
		{"this machine", "127.0.0.1:5000", "", http.StatusOK},
		{"this machine over IPv6", "[::1]:5000", "", http.StatusOK},
		{"a stranger", "192.0.2.7:5000", "", http.StatusUnauthorized},
		{"a reader from elsewhere", "192.0.2.7:5000", "k", http.StatusNotFound},
		{"an admin from elsewhere", "192.0.2.7:5000", "root", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
			r.RemoteAddr, r.Host = c.from, "127.0.0.1"
			r.Header.Set("api-key", c.key)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || c.status == http.StatusOK && !strings.Contains(w.Body.String(), "ingot_build_info") {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
		})
	}
}

// A page in a browser on this machine may reach the address under a name of its own (DNS rebinding).
func TestMetricsAreForNoOtherNameOfThisMachine(t *testing.T) {
	h := newGateway(t, "listen: 0.0.0.0:8080\nmodels: {one: {provider: mock}}").Handler()
	for host, status := range map[string]int{"localhost:8080": http.StatusOK, "127.0.0.1": http.StatusOK, "page.example:8080": http.StatusUnauthorized, "": http.StatusUnauthorized} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:5000", host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, status)
		}
	}
}

func TestOnLoopbackOnlyTheMachinesOwnNamesAreAnswered(t *testing.T) {
	local, open := newGateway(t, "models: {one: {provider: mock}}").Handler(), newGateway(t, "{listen: '0.0.0.0:80', models: {one: {provider: mock}}}").Handler()
	for host, want := range map[string]int{
		"127.0.0.1:8080": http.StatusOK, "localhost": http.StatusOK, "LOCALHOST:1": http.StatusOK, "[::1]:8080": http.StatusOK, "127.8.9.1": http.StatusOK,
		"evil.example": http.StatusForbidden, "evil.example:8080": http.StatusForbidden, "": http.StatusForbidden, "192.0.2.7": http.StatusForbidden, "localhost.evil.example": http.StatusForbidden,
	} {
		for _, path := range []string{"/info", "/metrics"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
			r.RemoteAddr, r.Host = "127.0.0.1:5000", host
			r.Header.Set("api-key", "k")
			w := httptest.NewRecorder()
			local.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s with Host %q: status %d, want %d", path, host, w.Code, want)
			}
			w = httptest.NewRecorder()
			if open.ServeHTTP(w, r); path == "/info" && w.Code != http.StatusOK {
				t.Errorf("an endpoint on the network answered Host %q with %d", host, w.Code)
			}
		}
	}
}

func FuzzOnlyLoopbackHostsPass(f *testing.F) {
	for _, host := range []string{"localhost", "127.0.0.1:8080", "[::1]:80", "evil.example", "localhost.", "[", "", "::1", "127.0.0.1@evil.example", "localhost:evil.example"} {
		f.Add(host)
	}
	g, err := gateway.New(f.Context(), gateway.Options{
		Config: config.DefaultMock(), Logger: slog.New(slog.DiscardHandler), Version: "test",
		Keys: func(*config.Config) (*auth.Keys, error) { return auth.New([]auth.Key{{Secret: "k"}}, nil), nil },
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { g.Close(context.Background()) })
	h := g.Handler()
	f.Fuzz(func(t *testing.T, host string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/info", nil)
		r.Host = host
		r.Header.Set("api-key", "k")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		}
		here := strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") || net.ParseIP(name).IsLoopback()
		if w.Code == http.StatusOK && !here {
			t.Errorf("host %q passes", host)
		}
	})
}

func TestServeStopsWithItsContextAndSaysSoToProbes(t *testing.T) {
	g := newGateway(t, "models: {one: {provider: mock}}")
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx, ln) }()
	for _, path := range []string{"/healthz", "/readyz"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", path, res, err)
		}
		_ = res.Body.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("readyz says %d after the end", w.Code)
	}
}
