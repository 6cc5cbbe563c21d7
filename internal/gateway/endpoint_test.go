package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestOnlyWhatIsAdmittedIsCopied(t *testing.T) {
	g := newGateway(t, `
models: {blue: {provider: mock, requests_per_minute: 4}, shadow: {provider: mock}}
endpoint: {traffic: {blue: 100}, mirror: {shadow: 50}}
`)
	h := g.Handler()
	ask := func(method, path, key, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("api-key", key)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	status := map[int]int{}
	for range 200 {
		status[ask(http.MethodPost, "/chat/completions", "k", `{"messages":[{"role":"user","content":"a"}]}`).Code]++
	}
	if status[http.StatusOK] != 4 || status[http.StatusTooManyRequests] != 196 {
		t.Fatalf("the answers were %v", status)
	}
	metrics, err := io.ReadAll(ask(http.MethodGet, "/metrics", "root", "").Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	copies := 0
	for _, found := range regexp.MustCompile(`(?m)^ingot_mirrored_requests_total\{.*\} (\d+)$`).FindAllSubmatch(metrics, -1) {
		n, err := strconv.Atoi(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		copies += n
	}
	if copies > 4 {
		t.Errorf("%d copies were made of 4 requests", copies)
	}
}
