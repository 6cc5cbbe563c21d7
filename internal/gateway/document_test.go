package gateway_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestTheDocumentIsReadByEverybodyAndChangedByNobody(t *testing.T) {
	t.Parallel()
	h := newGateway(t, "models: {m: {provider: mock}}").Handler()
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, http.NoBody))
		return w
	}
	for _, path := range []string{"/openapi.json", "/swagger.json"} {
		got := ask(http.MethodGet, path)
		var document struct {
			OpenAPI string
			Info    struct{ Version string }
			Paths   map[string]any
		}
		if err := json.Unmarshal(got.Body.Bytes(), &document); err != nil || got.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %s, %v", path, got.Header().Get("Content-Type"), err)
		}
		if document.OpenAPI != "3.1.0" || document.Info.Version != "test" || document.Paths["/v1/responses"] == nil || document.Paths["/images/embeddings"] == nil {
			t.Errorf("%s is of OpenAPI %s and version %s, with %d paths", path, document.OpenAPI, document.Info.Version, len(document.Paths))
		}
		const allow = "GET, HEAD, OPTIONS"
		if got := ask(http.MethodOptions, path); got.Code != http.StatusNoContent || got.Header().Get("Allow") != allow {
			t.Errorf("OPTIONS %s: %d, Allow %q", path, got.Code, got.Header().Get("Allow"))
		}
		const refused = `{"error":{"code":"MethodNotAllowed","message":"Method not allowed. This path takes GET, HEAD, OPTIONS.","type":"invalid_request_error","param":null,"details":[]}}`
		if got := ask(http.MethodPost, path); got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != allow || got.Body.String() != refused {
			t.Errorf("POST %s: %d, Allow %q: %s", path, got.Code, got.Header().Get("Allow"), got.Body)
		}
	}
}
