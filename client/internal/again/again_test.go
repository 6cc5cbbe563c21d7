package again_test

import (
	"net/http"
	"testing"

	"github.com/ingot-llm/ingot/client/internal/again"
)

func FuzzAfter(f *testing.F) {
	f.Add("7", "1500")
	f.Add("Wed, 21 Oct 2065 07:28:00 GMT", "")
	f.Add("-1e999", "NaN")
	f.Add("1e300", "+Inf")
	f.Fuzz(func(t *testing.T, seconds, milliseconds string) {
		got := again.After(http.Header{"Retry-After": {seconds}, "Retry-After-Ms": {milliseconds}})
		if got < 0 {
			t.Errorf("%q, %q: got %v", seconds, milliseconds, got)
		}
	})
}
