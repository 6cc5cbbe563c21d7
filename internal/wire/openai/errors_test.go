package openai_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire/openai"
)

func TestTheWaitThatAServerAsksForIsKept(t *testing.T) {
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		name        string
		status      int
		after, ms   string
		least, most time.Duration
	}{
		{"seconds", 429, "7", "", 7 * time.Second, 7 * time.Second},
		{"milliseconds first", 429, "1", "250", 250 * time.Millisecond, 250 * time.Millisecond},
		{"a date", 503, date, "", 59 * time.Minute, time.Hour},
		{"a date that has passed", 503, "Mon, 01 Jan 2024 00:00:00 GMT", "", time.Second, time.Second},
		{"a year", 429, "31536000", "", 24 * time.Hour, 24 * time.Hour},
		{"nothing, though one may try again", 429, "", "", time.Second, time.Second},
		{"nonsense", 503, "soon", "-1", time.Second, time.Second},
		{"nothing, and no use", 400, "", "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"Retry-After": {c.after}, "Retry-After-Ms": {c.ms}}
			if got := (openai.Codec{}).DecodeError(c.status, h, nil).RetryAfter; got < c.least || got > c.most {
				t.Errorf("got %s, want %s to %s", got, c.least, c.most)
			}
		})
	}
}

func TestARefusalInsideAnAnswerMayBeTriedAgainToo(t *testing.T) {
	for code, want := range map[string]time.Duration{"429": time.Second, "503": time.Second, "500": 0} {
		said := []byte(`{"error":{"message":"not now","code":` + code + `}}`)
		_, whole := (openai.Codec{}).DecodeReply(llm.OpChat, said)
		_, event := (openai.Codec{}).NewDecoder(llm.OpChat).Decode([]sse.Event{{Data: said}}, nil)
		for _, err := range []error{whole, event} {
			if e := llm.AsError(err); err == nil || e.RetryAfter != want {
				t.Errorf("%s: %v after %s, want %s", code, err, e.RetryAfter, want)
			}
		}
	}
}

func TestWhatNoWaitWouldHelpIsNotTriedAgain(t *testing.T) {
	for _, c := range []struct {
		should, after string
		want          time.Duration
	}{{"false", "", 0}, {"true", "", time.Second}, {"false", "7", 7 * time.Second}} {
		h := http.Header{"X-Should-Retry": {c.should}, "Retry-After": {c.after}}
		if got := (openai.Codec{}).DecodeError(http.StatusServiceUnavailable, h, nil).RetryAfter; got != c.want {
			t.Errorf("%v: got %s, want %s", h, got, c.want)
		}
	}
}
