package dialect

import (
	"net/http"
	"slices"
	"strings"
)

// shownHeaders are what a page may read of an answer.
const shownHeaders = "x-request-id, apim-request-id, x-ms-client-request-id, x-ms-error-code, retry-after, retry-after-ms, x-should-retry, " +
	"x-ingot-deployment, x-ingot-provider, x-ingot-attempts, x-ingot-dropped, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, " +
	"x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"

// AllowOrigins lets the pages of some origins call next from a browser; "*" is every origin. A preflight is answered before
// anything is judged, since it cannot carry a key; the request after it needs one. Credentials that a browser keeps, such as
// cookies, are never asked for.
func AllowOrigins(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	every := slices.Contains(origins, "*")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		switch {
		case every:
			h.Set("Access-Control-Allow-Origin", "*")
		case slices.ContainsFunc(origins, func(o string) bool { return strings.EqualFold(o, origin) }):
			h.Set("Access-Control-Allow-Origin", origin)
		default:
			next.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			h.Set("Access-Control-Expose-Headers", shownHeaders)
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS")
		if asked := headerNames(r.Header.Get("Access-Control-Request-Headers")); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
		h.Set("Access-Control-Max-Age", "7200")
		w.WriteHeader(http.StatusNoContent)
	})
}

// headerNames is a list of header names without what is none. A key is what admits, so that a page may send any of them.
func headerNames(list string) string {
	const most = 4 << 10
	var names []string
	for name := range strings.SplitSeq(list[:min(len(list), most)], ",") {
		name = strings.TrimSpace(name)
		if name != "" && !strings.ContainsFunc(name, func(c rune) bool {
			return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
		}) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
