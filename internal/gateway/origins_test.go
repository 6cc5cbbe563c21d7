package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPagesMayCallWhereTheConfigurationOrTheAddressSaysSo(t *testing.T) {
	const models = "\nmodels: {a: {provider: mock}}"
	for text, want := range map[string]string{
		"listen: 127.0.0.1:0":    "*",
		"listen: '[::1]:0'":      "*",
		"listen: localhost:0":    "*",
		"listen: 0.0.0.0:0":      "",
		"listen: 192.0.2.1:80":   "",
		"cors: {origins: []}":    "",
		"cors: {origins: ['*']}": "*",
		"listen: 0.0.0.0:0\ncors: {origins: ['https://app.example']}": "https://app.example",
		"cors: {origins: ['https://other.example']}":                  "",
	} {
		h := newGateway(t, text+models).Handler()
		for _, method := range []string{http.MethodOptions, http.MethodGet} {
			r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost/info", nil)
			r.Header.Set("Origin", "https://app.example")
			r.Header.Set("Access-Control-Request-Method", "GET")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			status := http.StatusUnauthorized
			if method == http.MethodOptions && want != "" {
				status = http.StatusNoContent
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || w.Code != status {
				t.Errorf("%s: %s answers %d to %q, want %d to %q", text, method, w.Code, got, status, want)
			}
		}
	}
}

func TestVersionsAndInputsAreBoundedByTheConfiguration(t *testing.T) {
	h := newGateway(t, "api_versions: strict\nmodels: {e: {provider: mock, inputs: 2, mock: {behaviour: embedding}}}").Handler()
	for path, codes := range map[string][2]int{
		"/embeddings": {400, 400},
		"/embeddings?api-version=2024-05-01-preview": {200, 422},
		"/embeddings?api-version=2024-10-21":         {404, 404},
	} {
		for i, body := range []string{`{"input":["a","b"]}`, `{"input":["a","b","c"]}`} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+path, strings.NewReader(body))
			r.Header.Set("api-key", "k")
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != codes[i] {
				t.Errorf("%s with %s: %d %s", path, body, w.Code, w.Body)
			}
		}
	}
}
