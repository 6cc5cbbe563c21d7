package dialect_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
)

// seen asks a handler that refuses everybody, from an origin, and returns the status and the headers about origins.
func seen(t *testing.T, origins []string, method string, headers map[string]string) (int, map[string]string) {
	t.Helper()
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	r := httptest.NewRequestWithContext(t.Context(), method, "/chat/completions", nil)
	for name, v := range headers {
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	dialect.AllowOrigins(origins, refuse).ServeHTTP(w, r)
	got := map[string]string{}
	for name := range w.Header() {
		if name == "Vary" || strings.HasPrefix(name, "Access-Control-") {
			got[strings.TrimPrefix(name, "Access-Control-")] = strings.Join(w.Header().Values(name), ", ")
		}
	}
	return w.Code, got
}

func TestOnlyPagesOfAllowedOriginsMayCall(t *testing.T) {
	const page, asked = "https://app.example", "authorization,api-key, content-type,extra-parameters,x-ms-client-request-id,x-ms-useragent,azureml-model-deployment,x-stainless-lang"
	const answered = "authorization, api-key, content-type, extra-parameters, x-ms-client-request-id, x-ms-useragent, azureml-model-deployment, x-stainless-lang"
	preflight := map[string]string{"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": asked}
	allowed := func(origin string) map[string]string {
		return map[string]string{"Allow-Origin": origin, "Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS", "Allow-Headers": answered, "Max-Age": "7200", "Vary": "Origin"}
	}
	shown := func(origin string) map[string]string {
		return map[string]string{"Allow-Origin": origin, "Vary": "Origin"}
	}
	for _, c := range []struct {
		name    string
		origins []string
		method  string
		headers map[string]string
		status  int
		want    map[string]string
	}{
		{"a preflight to every origin", []string{"*"}, "OPTIONS", preflight, 204, allowed("*")},
		{"a preflight of a listed one", []string{"http://localhost:3000", page}, "OPTIONS", preflight, 204, allowed(page)},
		{"a preflight of one in another case", []string{"HTTPS://APP.example"}, "OPTIONS", preflight, 204, allowed(page)},
		{"a preflight of another", []string{"https://app.example:444"}, "OPTIONS", preflight, 401, map[string]string{"Vary": "Origin"}},
		{"a preflight to nobody", nil, "OPTIONS", preflight, 401, map[string]string{}},
		{"a request needs its key", []string{"*"}, "POST", map[string]string{"Origin": page}, 401, shown("*")},
		{"a page without an origin", []string{"*"}, "POST", map[string]string{"Origin": "null"}, 401, shown("*")},
		{"a page without an origin is not listed", []string{page}, "POST", map[string]string{"Origin": "null"}, 401, map[string]string{"Vary": "Origin"}},
		{"OPTIONS alone is no preflight", []string{"*"}, "OPTIONS", map[string]string{"Origin": page}, 401, shown("*")},
		{"a preflight without an origin is none", []string{"*"}, "OPTIONS", map[string]string{"Access-Control-Request-Method": "POST"}, 401, map[string]string{}},
		{
			"names that are none",
			[]string{"*"},
			"OPTIONS",
			map[string]string{"Origin": page, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "a b,,x-ok,é,a:b"},
			204,
			map[string]string{"Allow-Origin": "*", "Allow-Methods": "GET, HEAD, POST, DELETE, OPTIONS", "Allow-Headers": "x-ok", "Max-Age": "7200", "Vary": "Origin"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, got := seen(t, c.origins, c.method, c.headers)
			readable := got["Expose-Headers"]
			delete(got, "Expose-Headers")
			if d := cmp.Diff(c.want, got); status != c.status || d != "" {
				t.Errorf("%d, -want +got:\n%s", status, d)
			}
			if open := got["Allow-Origin"] != "" && status != 204; open != strings.Contains(readable, "x-request-id, ") || open != strings.Contains(readable, "retry-after-ms") {
				t.Errorf("a page may read %q", readable)
			}
		})
	}
}

func FuzzAllowOrigins(f *testing.F) {
	f.Add("https://a.example", "api-key, x", "POST")
	f.Add("null", "\x00,\xff", "")
	f.Fuzz(func(t *testing.T, origin, asked, method string) {
		_, got := seen(t, []string{"https://a.example"}, http.MethodOptions, map[string]string{
			"Origin": origin, "Access-Control-Request-Headers": asked, "Access-Control-Request-Method": method,
		})
		if strings.ContainsAny(got["Allow-Headers"], "\r\n\x00:;\"") || strings.ContainsAny(got["Allow-Origin"], "\r\n\x00;\"") {
			t.Errorf("%v", got)
		}
		if got["Allow-Origin"] != "" && !strings.EqualFold(got["Allow-Origin"], "https://a.example") {
			t.Errorf("%v", got)
		}
	})
}
