package mock_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fault  mock.Fault
		stream bool
		want   []string
	}{
		{"a stream is cut", mock.Fault{Cut: 2}, true, []string{`0.0 "one"`, `0.0 " two"`, fmt.Sprintf("error %d cut", llm.Upstream)}},
		{"a short answer is cut before its end", mock.Fault{Cut: 9}, true, []string{`0.0 "one"`, `0.0 " two"`, `0.0 " three"`, fmt.Sprintf("error %d cut", llm.Upstream)}},
		{"a whole answer is not cut", mock.Fault{Cut: 2}, false, []string{`0.0 "one two three" stop`, "6+3(0)"}},
		{"an error in mid-stream", mock.Fault{Error: 1}, true, []string{`0.0 "one"`, fmt.Sprintf("error %d", llm.Upstream)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := say("one two three")
			r.Stream = c.stream
			got := pieces(t, mock.New(mock.Options{Fault: &c.fault}).Chat(t.Context(), r))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultStatusBecomesItsKind(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]llm.Kind{
		400: llm.Malformed, 401: llm.Unauthenticated, 403: llm.Denied, 404: llm.NotFound, 405: llm.Method, 408: llm.Late, 413: llm.TooLarge, 415: llm.MediaType,
		418: llm.Invalid, 422: llm.Invalid, 429: llm.RateLimited, 500: llm.Internal, 502: llm.Upstream, 503: llm.Unavailable, 504: llm.Timeout, 599: llm.Upstream,
	} {
		for _, wait := range []time.Duration{0, 3 * time.Second} {
			m := mock.New(mock.Options{Fault: &mock.Fault{Status: status, RetryAfter: wait}})
			_, err := m.Chat(t.Context(), say("x")).Collect()
			e := llm.AsError(err)
			if e.Kind != kind || e.Status != status || e.RetryAfter != wait {
				t.Errorf("%d: kind %d status %d after %v", status, e.Kind, e.Status, e.RetryAfter)
			}
		}
	}
}

func TestOnlyEveryThirdRequestFails(t *testing.T) {
	t.Parallel()
	m := mock.New(mock.Options{Fault: &mock.Fault{Status: 500, Every: 3}})
	got := ""
	for range 7 {
		if _, err := m.Chat(t.Context(), say("x")).Collect(); err != nil {
			got += "x"
		} else {
			got += "."
		}
	}
	if got != "..x..x." {
		t.Errorf("got %s", got)
	}
}

func TestPaceIsKept(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := mock.New(mock.Options{TokensPerSecond: 10, FirstToken: 2 * time.Second})
			r := say("a b c")
			r.Stream = stream
			start := time.Now()
			var at []time.Duration
			for _, err := range m.Chat(t.Context(), r) {
				if err != nil {
					t.Fatal(err)
				}
				at = append(at, time.Since(start))
			}
			want := []time.Duration{2000 * time.Millisecond, 2100 * time.Millisecond, 2200 * time.Millisecond, 2300 * time.Millisecond}
			if !stream {
				want = want[3:]
			}
			if diff := cmp.Diff(want, at); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestACallerWhoGivesUpIsLetGoAtOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]mock.Options{
		"before the first token": {FirstToken: time.Hour},
		"between tokens":         {TokensPerSecond: 0.001},
		"in a stall":             {Fault: &mock.Fault{Stall: 1}},
		"in a stall of a short answer": {
			Fault: &mock.Fault{Stall: 100},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				var last error
				for _, err := range mock.New(o).Chat(ctx, say("a b")) {
					last = err
				}
				if d := time.Since(start); d != time.Minute {
					t.Errorf("let go after %v", d)
				}
				if e := llm.AsError(last); last == nil || e.Kind != llm.Timeout {
					t.Errorf("got %v", last)
				}
			})
		})
	}
}

func TestNothingIsSentToACancelledCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	m := mock.New(mock.Options{Behaviour: mock.Count})
	n := 0
	for _, err := range m.Chat(ctx, say("a")) {
		if err != nil {
			if llm.AsError(err).Kind != llm.Canceled {
				t.Error(err)
			}
			break
		}
		if n++; n == 3 {
			cancel()
		}
	}
	cancel()
	if n != 3 {
		t.Errorf("%d fragments", n)
	}
	if _, err := mock.New(mock.Options{Behaviour: mock.Embedding}).Embed(ctx, &llm.EmbedRequest{Items: []llm.Input{llm.NewText("x")}}); llm.AsError(err).Kind != llm.Canceled {
		t.Errorf("embed: %v", err)
	}
}
