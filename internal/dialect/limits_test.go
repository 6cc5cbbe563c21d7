package dialect_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

func TestHeadersTellWhatIsLeftOfTheLimits(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	dialect.MetaHeaders(h, llm.Meta{Limits: llm.Limits{
		Requests: llm.Allowance{Limit: 60, Remaining: 59, Reset: time.Minute},
		Tokens:   llm.Allowance{Limit: 10000, Remaining: 0, Reset: 1500*time.Millisecond + 1},
	}})
	want := http.Header{
		"X-Ratelimit-Limit-Requests": {"60"}, "X-Ratelimit-Remaining-Requests": {"59"}, "X-Ratelimit-Reset-Requests": {"1m0s"},
		"X-Ratelimit-Limit-Tokens": {"10000"}, "X-Ratelimit-Remaining-Tokens": {"0"}, "X-Ratelimit-Reset-Tokens": {"1.501s"},
	}
	if d := cmp.Diff(want, h); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h = http.Header{}
	if dialect.MetaHeaders(h, llm.Meta{}); len(h) > 0 {
		t.Errorf("without limits: %v", h)
	}
}
