package openai_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/dialect/openai"
)

// FuzzHandler sends anything to the doors: they answer with valid JSON, or with a stream of it, and never with an error of ours.
func FuzzHandler(f *testing.F) {
	for _, path := range []string{"v1/models", "v1/chat/completions", "openai/v1/completions", "openai/deployments/think/chat/completions", "openai/deployments/vectors/embeddings", "openai/models/echo", "inference//v1/x", "openai/%2f"} {
		for _, body := range []string{
			`{` + asked + `,"n":2,"logprobs":true}`, `{"stream":true,"stream_options":{"include_usage":true},` + asked + `,` + tools + `,"tool_choice":"required"}`,
			`{` + asked + `,` + functions + `,"function_call":{"name":"look"},"metadata":{"a":"b"}}`, `{"model":"echo","prompt":["a",""],"best_of":2,"echo":true,"logprobs":1}`,
			`{"model":"vectors","input":[[1]],"encoding_format":"base64"}`, `{`, `{"model":"echo","messages":[{"role":"assistant","function_call":{"name":"f"}},{"role":"function","name":"f","content":null}]}`,
		} {
			f.Add("POST", path, "", "2024-10-21", body)
			f.Add("POST", path, "drop", "", body)
			f.Add("GET", path, "pass-through", "x", body)
		}
	}
	h := door(f, func(o *openai.Options) { o.MaxBody = 4096 })
	f.Fuzz(func(t *testing.T, method, path, extras, version, body string) {
		if len(body) > 4096 || strings.Contains(body, `"dimensions"`) && len(body) > 256 {
			return
		}
		u, err := url.ParseRequestURI("/" + path)
		if err != nil {
			return
		}
		u.RawQuery = url.Values{"api-version": {version}}.Encode()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Method, r.URL = method, u
		r.Header.Set("api-key", key)
		r.Header.Set("extra-parameters", extras)
		w := httptest.NewRecorder()
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint,err113 // the value itself is what net/http looks for
				panic(p)
			}
		}()
		h.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusBadGateway { // some of the models fail on purpose
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		documents := [][]byte{w.Body.Bytes()}
		switch {
		case w.Code == http.StatusNoContent:
			return
		case w.Header().Get("Content-Type") == "text/event-stream":
			documents = nil
			for event := range bytes.SplitSeq(bytes.TrimSuffix(w.Body.Bytes(), []byte("\n\n")), []byte("\n\n")) {
				data, ok := bytes.CutPrefix(event, []byte("data: "))
				if !ok {
					t.Fatalf("no event: %q", event)
				}
				if string(data) != "[DONE]" {
					documents = append(documents, data)
				}
			}
		case w.Code >= http.StatusBadRequest && w.Header().Get("x-ms-error-code") == "":
			t.Fatalf("an error without its code: %s", w.Body)
		}
		for _, d := range documents {
			if !json.Valid(d) || bytes.ContainsAny(d, "\r\n") {
				t.Fatalf("no JSON: %q", d)
			}
		}
	})
}
