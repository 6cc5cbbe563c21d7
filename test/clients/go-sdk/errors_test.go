package sdk_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
)

func TestWhatIsRefused(t *testing.T) {
	wrong := func(status int, code string, c *client.Client, r *client.ChatRequest) {
		t.Helper()
		_, err := c.Chat(t.Context(), r)
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.Status != status || code != "" && e.Code != code || e.RequestID == "" || e.Message == "" {
			t.Errorf("got %#v, want %d %s", err, status, code)
		}
		for _, err := range c.ChatStream(t.Context(), r) {
			if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != status {
				t.Errorf("streamed: got %v, want %d", err, status)
			}
		}
	}
	stranger, err := client.New(mocks.At(""), client.Key("wrong"), nil)
	wrong(http.StatusUnauthorized, "401", must(t, stranger, err), says("Hello"))
	unknown := says("Hello")
	unknown.Model = "nobody"
	wrong(http.StatusBadRequest, "unknown_model", of(t, mocks, "/models", nil), unknown)
	wrong(http.StatusNotFound, "DeploymentNotFound", of(t, mocks, "/openai/deployments/nobody", nil), says("Hello"))
	hot := says("Hello")
	hot.Temperature = new(9.0)
	wrong(http.StatusUnprocessableEntity, "", of(t, mocks, "", nil), hot)
	wrong(http.StatusBadRequest, "content_filter", of(t, mocks, "", nil), says("mock:filter"))
	wrong(http.StatusForbidden, "", of(t, faults, "/deployments/broken-403", nil), says("Hello"))
	distant := of(t, faults, "/deployments/distant", nil)
	began := time.Now()
	wrong(http.StatusTooManyRequests, "", distant, says("Hello"))
	if time.Since(began) > 10*time.Second {
		t.Error("waited for a time that is longer than MaxDelay")
	}
}

func TestRetriesAreWhatTheServiceAsksFor(t *testing.T) {
	waits := 0
	c := of(t, faults, "/deployments/hasty", &client.Options{Trace: &client.Trace{
		Wait: func(_ context.Context, wait time.Duration, _ error) {
			waits++
			if wait <= 0 || wait > 100*time.Millisecond {
				t.Errorf("waits %v, where retry-after-ms is 20", wait)
			}
		},
	}})
	for range 4 {
		reply, err := c.Chat(t.Context(), says("Hello"))
		if must(t, reply, err).Text() != "Hello" {
			t.Errorf("got %q", reply.Text())
		}
	}
	if waits == 0 {
		t.Error("nothing was tried again")
	}
}

func TestStreamsThatBreakAreToldFromWholeOnes(t *testing.T) {
	reply, err := collect.Chat(of(t, mocks, "/deployments/mock-cut", nil).ChatStream(t.Context(), says("one two three four five")))
	if !errors.Is(err, client.ErrTruncated) || reply.Text() != "one two three" {
		t.Errorf("cut: got %q, %v", reply.Text(), err)
	}
	reply, err = collect.Chat(of(t, faults, "/deployments/breaks", nil).ChatStream(t.Context(), says("one two three four five")))
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusOK || e.Code == "" || reply.Text() != "one two three" {
		t.Errorf("error frame: got %q, %v", reply.Text(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for chunk, err := range of(t, faults, "/deployments/stalls", nil).ChatStream(ctx, says("one two three four five")) {
		if chunk != nil && chunk.Text() == " two" {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("stalled: got %v", last)
	}
}

func TestLeavingALoopFreesTheConnection(t *testing.T) {
	c := of(t, mocks, "/deployments/mock-long", nil)
	for range 20 {
		for _, err := range c.ChatStream(t.Context(), says("Count.")) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}
