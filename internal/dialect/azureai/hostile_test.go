package azureai_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
)

// FuzzPath asks for any path by any method: it is served, or refused in shape and without an error of ours.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"/", "//", "/info", "/info/", "/models/info", "/deployments/echo/info", "/deployments//echo//info//", "/deployments/openai/gpt-4o/chat/completions",
		"/deployments/a%2fb/info", "/deployments/%20/info", "/deployments/info/info", "/deployments/chat/completions", "/chat/completions/chat/completions",
		"/models/chat/completions/info", "/../info", "/%2e%2e/info", "/v1/chat/completions", "/openai/deployments/echo/chat/completions", "/score", "*", "/%00", "/info%0d%0a",
	} {
		f.Add(http.MethodGet, path, "api-version=2024-05-01-preview")
		f.Add(http.MethodPost, path, "model=x&%zz;")
	}
	h := azureai.Handler(options(table(f, mocks[:3]...), nil))
	f.Fuzz(func(t *testing.T, method, path, query string) {
		plain, err := url.PathUnescape(path)
		if err != nil || method == "" || strings.ContainsAny(method, " \r\n") {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Method, r.URL = method, &url.URL{Path: plain, RawPath: path, RawQuery: query}
		r.Header.Set("api-key", key)
		inShape(t, h, r)
	})
}

// FuzzHeaders sends anything in the headers that the door reads.
func FuzzHeaders(f *testing.F) {
	names := []string{
		"Extra-Parameters", "Azureml-Model-Deployment", "X-Ms-Model-Mesh-Model-Name", "X-Ms-Client-Request-Id", "Content-Type", "Content-Encoding",
		"Authorization", "Origin", "Access-Control-Request-Headers", "Accept-Encoding", "Traceparent", "Expect",
	}
	for i, v := range []string{"drop", "echo", "nobody", "id", "application/json; charset=utf-8", "gzip", "Bearer " + key, "https://a.example", "api-key, x-ms-a", "identity", "00-" + strings.Repeat("a", 32) + "-" + strings.Repeat("b", 16) + "-01", "\xff\x00\t,"} {
		f.Add(byte(i), v, byte(i+1), "pass-through")
		f.Add(byte(i), v, byte(i), v)
	}
	h := azureai.Handler(options(table(f, mocks[:3]...), nil))
	f.Fuzz(func(t *testing.T, a byte, first string, b byte, second string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/chat/completions", strings.NewReader(hi))
		r.Header.Set("api-key", key)
		r.Header.Add(names[int(a)%len(names)], first)
		r.Header.Add(names[int(b)%len(names)], second)
		inShape(t, h, r)
	})
}

// inShape fails unless the answer is JSON and no error of ours, and its headers fit into lines.
func inShape(t *testing.T, h http.Handler, r *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= http.StatusInternalServerError {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Fatalf("no JSON: %q", w.Body)
	}
	if w.Code >= http.StatusBadRequest && r.Method != http.MethodHead && w.Header().Get("X-Ms-Error-Code") == "" {
		t.Fatalf("%d without a code: %q", w.Code, w.Body)
	}
	for name, values := range w.Header() {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			t.Fatalf("%s is %q", name, values)
		}
	}
}
