package azureai_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/azureai"
)

// FuzzHandler sends anything to the door: it answers with valid JSON, or with a stream of it, and never with an error of ours.
func FuzzHandler(f *testing.F) {
	for _, path := range []string{
		"/info", "/chat/completions", "/models/completions", "/deployments/think/chat/completions", "/deployments/vectors/embeddings", "//x%2f/%20",
		"/inference/chat/completions", "/models/images/embeddings", "/orgs/o/inference/embeddings", "/score", "/catalog/models",
	} {
		for _, body := range []string{hi, `{"stream":true,` + asked + `,` + tools + `,"tool_choice":"required"}`, `{"prompt":["a",""],"n":2}`, `{"input":[[1]],"dimensions":8}`, `{"input":[{"image":"data:,","text":"a"}]}`, `{"input_data":{"input_string":["a"],"parameters":{"top_p":1}}}`, `{`} {
			f.Add(path, "pass-through", "2024-05-01-preview", body)
			f.Add(path, "", "", body)
			f.Add(path, "drop", "", body)
		}
	}
	h := azureai.Handler(options(table(f, mocks[:3]...), func(o *azureai.Options) {
		o.MaxBody, o.Endpoint = 4096, &azureai.Endpoint{Traffic: map[string]int{"echo": 1, "think": 1}}
	}))
	f.Fuzz(func(t *testing.T, path, extras, version, body string) {
		if len(body) > 4096 || strings.Contains(body, `"dimensions"`) && len(body) > 256 {
			return
		}
		u, err := url.ParseRequestURI("/" + path)
		if err != nil {
			return
		}
		u.RawQuery = url.Values{"api-version": {version}}.Encode()
		method := http.MethodPost
		if strings.HasSuffix(path, "info") || strings.HasSuffix(path, "catalog/models") {
			method = http.MethodGet
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
		r.URL = u
		r.Header.Set("api-key", key)
		r.Header.Set("extra-parameters", extras)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		documents := [][]byte{w.Body.Bytes()}
		if w.Header().Get("Content-Type") == "text/event-stream" {
			text, done := bytes.CutSuffix(w.Body.Bytes(), []byte("data: [DONE]\n\n"))
			if !done {
				t.Fatalf("no end: %s", text)
			}
			documents = nil
			for event := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte("\n\n")), []byte("\n\n")) {
				data, ok := bytes.CutPrefix(event, []byte("data: "))
				if !ok {
					t.Fatalf("no event: %q", event)
				}
				documents = append(documents, data)
			}
		}
		for _, d := range documents {
			if !json.Valid(d) || bytes.ContainsAny(d, "\r\n") {
				t.Fatalf("no JSON: %q", d)
			}
		}
	})
}

// FuzzPlaces asks for anything anywhere: what is refused has the contract's shape, and nothing of it is a header of ours.
func FuzzPlaces(f *testing.F) {
	for _, path := range []string{"info", "v1/chat/completions", "deployments/a/b/embedding", "chat/completions/chat/completions", "%zz", "models//", "score", "images/embeddings"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST"} {
			f.Add(method, path, "api-version=2024-05-01-preview&api-version=x&model=vectors", "drop,DROP")
		}
	}
	door := func(strict bool) http.Handler {
		return azureai.Handler(options(table(f, mocks[:3]...), func(o *azureai.Options) { o.MaxBody, o.StrictVersions = 64, strict }))
	}
	doors := []http.Handler{door(false), door(true)}
	f.Fuzz(func(t *testing.T, method, path, query, extras string) {
		u, err := url.ParseRequestURI("/" + path)
		if err != nil {
			return
		}
		u.RawQuery = query
		for _, h := range doors {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
			r.Method, r.URL = method, u
			r.Header.Set("api-key", key)
			r.Header["Extra-Parameters"] = strings.Split(extras, "\n")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			switch {
			case w.Code == http.StatusNoContent && method == http.MethodOptions && w.Body.Len() == 0:
			case w.Code >= http.StatusInternalServerError || !json.Valid(w.Body.Bytes()):
				t.Fatalf("%d %s", w.Code, w.Body)
			case w.Code == http.StatusMethodNotAllowed && w.Header().Get("Allow") == "":
				t.Fatalf("no method is allowed: %s", w.Body)
			}
		}
	})
}
