package telemetry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/telemetry"
)

func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// lines returns the lines of the metrics that begin with one of the names.
func lines(page string, names ...string) []string {
	var ls []string
	for l := range strings.Lines(page) {
		for _, n := range names {
			if strings.HasPrefix(l, n) {
				ls = append(ls, strings.TrimSpace(l))
			}
		}
	}
	return ls
}

func TestRequestsAreCountedUnderTheNamesOfTheConventions(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("1.2.3")
	o := m.Operation("chat", "phi-4", "Phi-4")
	o.Ended(2*time.Second, "")
	o.Paced(500*time.Millisecond, 250*time.Millisecond)
	o.Spent(10, 7)
	o.Ended(time.Second, "timeout")
	o.Paced(0, 0)
	o.Spent(0, 0)
	m.Operation("chat", "phi-4", "Phi-4").Ended(3*time.Second, "")

	const who = `gen_ai_operation_name="chat",gen_ai_provider_name="ingot",gen_ai_request_model="phi-4",gen_ai_response_model="Phi-4"`
	want := []string{
		`gen_ai_client_token_usage_sum{` + who + `,gen_ai_token_type="input"} 10`,
		`gen_ai_client_token_usage_count{` + who + `,gen_ai_token_type="input"} 1`,
		`gen_ai_client_token_usage_sum{` + who + `,gen_ai_token_type="output"} 7`,
		`gen_ai_client_token_usage_count{` + who + `,gen_ai_token_type="output"} 1`,
		`gen_ai_server_request_duration_seconds_sum{error_type="",` + who + `} 5`,
		`gen_ai_server_request_duration_seconds_count{error_type="",` + who + `} 2`,
		`gen_ai_server_request_duration_seconds_sum{error_type="timeout",` + who + `} 1`,
		`gen_ai_server_request_duration_seconds_count{error_type="timeout",` + who + `} 1`,
		`gen_ai_server_time_per_output_token_seconds_sum{` + who + `} 0.25`,
		`gen_ai_server_time_per_output_token_seconds_count{` + who + `} 1`,
		`gen_ai_server_time_to_first_token_seconds_sum{` + who + `} 0.5`,
		`gen_ai_server_time_to_first_token_seconds_count{` + who + `} 1`,
	}
	var got []string
	for _, l := range lines(scrape(t, m), "gen_ai_") {
		if !strings.Contains(l, "_bucket{") {
			got = append(got, l)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBucketsAreThoseOfTheConventions(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("1.2.3")
	m.Operation("chat", "d", "m")
	page := scrape(t, m)
	for name, want := range map[string]string{
		"gen_ai_server_request_duration_seconds":      "0.01 0.02 0.04 0.08 0.16 0.32 0.64 1.28 2.56 5.12 10.24 20.48 40.96 81.92 +Inf",
		"gen_ai_server_time_to_first_token_seconds":   "0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf",
		"gen_ai_server_time_per_output_token_seconds": "0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1 2.5 +Inf",
	} {
		var got []string
		for _, l := range regexp.MustCompile(name+`_bucket{.*le="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			got = append(got, l[1])
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s\n got %s\nwant %s", name, s, want)
		}
	}
	if n := len(lines(page, `gen_ai_client_token_usage_bucket{gen_ai_operation_name="chat",`)); n != 2*15 {
		t.Errorf("got %d buckets of token usage, want 30", n)
	}
	if !strings.Contains(page, `gen_ai_token_type="output",le="6.7108864e+07"`) {
		t.Error("the last bucket of token usage is not 67108864")
	}
}

func TestActiveRequestsAndTheBuildAreShown(t *testing.T) {
	t.Parallel()
	m := telemetry.NewMetrics("1.2.3")
	var during, after []string
	h := m.CountActive(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		during = lines(scrape(t, m), "http_server_active_requests ")
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() { _ = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	}()
	page := scrape(t, m)
	after = lines(page, "http_server_active_requests ")
	if got := fmt.Sprint(during, after); got != "[http_server_active_requests 1] [http_server_active_requests 0]" {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{`ingot_build_info{goversion="go1.`, "go_goroutines ", `version="1.2.3"} 1`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
