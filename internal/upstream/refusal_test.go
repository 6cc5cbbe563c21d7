package upstream_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

func TestARefusalCountsThoughItsBodyNeverEnds(t *testing.T) {
	for name, rest := range map[string]func(http.ResponseWriter, *http.Request){
		"silence": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"a cut": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		for _, stream := range []bool{false, true} {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = fmt.Fprint(w, `{"error":`)
				rest(w, r)
			})
			c.First, c.Whole, c.Silence = time.Minute, time.Minute, 20*time.Millisecond
			r := chat()
			r.Stream = stream
			for _, err := range c.Chat(t.Context(), r) {
				if e := llm.AsError(err); err == nil || e.Kind != llm.RateLimited || e.RetryAfter != 7*time.Second {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}
