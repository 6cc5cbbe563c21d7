package responses_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/dialect/openai/responses"
	"github.com/ingot-llm/ingot/internal/fake/script"
	"github.com/ingot-llm/ingot/internal/llm"
)

// slow says one word and waits for the other.
func slow() *script.Model {
	s := says("Hi", " you")
	s.Wait = make(chan struct{})
	return s
}

// state says how a response is and what it says.
func state(t testing.TB, h http.Handler, name string) string {
	t.Helper()
	got := ask(t, h, "GET /v1/responses/"+name, "")
	var r struct {
		Status string
		Output []struct{ Content []struct{ Text string } }
		Error  *struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(got), &r); err != nil {
		return got
	}
	for _, o := range r.Output {
		r.Status += " " + o.Content[0].Text
	}
	if r.Error != nil {
		r.Status += " " + r.Error.Code + ": " + r.Error.Message
	}
	return r.Status
}

const inBackground = `"background":true`

func TestAResponseInTheBackgroundOutlivesItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slow()
		h := api(b, store(t))
		ctx, cancel := context.WithCancel(t.Context())
		made, header := send(ctx, h, "POST /v1/responses", body("Hi", inBackground), "Extra-Parameters: drop")
		cancel()
		want := strings.NewReplacer(`"background":false`, `"background":true`, `"store":false`, `"store":true`).Replace(response("queued", "", "null"))
		if d := cmp.Diff(want, ids.ReplaceAllString(made, "X")); d != "" || header.Get("X-Ingot-Deployment") != "echo" {
			t.Errorf("-want +got:\n%s", d)
		}
		name := id.FindString(made)
		synctest.Wait()
		if got := state(t, h, name); got != "in_progress" {
			t.Errorf("got %s", got)
		}
		if got := ask(t, h, "POST /v1/responses", body("more", `"previous_response_id":"`+name+`"`)); got != "invalid previous_response_id: Previous response with id 'resp_X' is in_progress, and nothing goes on from it." {
			t.Errorf("got %s", got)
		}
		close(b.Wait)
		synctest.Wait()
		want = strings.NewReplacer(`"background":false`, `"background":true`, `"store":false`, `"store":true`).Replace(response("completed", said(0, "completed", "Hi you"), usage))
		if d := cmp.Diff(want, ask(t, h, "GET /v1/responses/"+name, "")); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if got := ask(t, h, "POST /v1/responses/"+name+"/cancel", ""); member(t, got, "status") != "completed" {
			t.Errorf("got %s", got)
		}
		create(t, h, body("more", `"previous_response_id":"`+name+`"`))
	})
}

func TestAResponseInTheBackgroundIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api(slow(), store(t))
		name := create(t, h, body("Hi", inBackground))
		synctest.Wait()
		for range 2 {
			if got := ask(t, h, "POST /v1/responses/"+name+"/cancel", ""); member(t, got, "status") != "cancelled" {
				t.Errorf("got %s", got)
			}
		}
		if got := state(t, h, name); got != "cancelled Hi you" {
			t.Errorf("got %s", got)
		}
		if got := ask(t, h, "POST /v1/responses", body("more", `"previous_response_id":"`+name+`"`)); got != "invalid previous_response_id: Previous response with id 'resp_X' is cancelled, and nothing goes on from it." {
			t.Errorf("got %s", got)
		}
	})
}

func TestWhatIsDeletedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api(slow(), store(t, func(o *responses.StoreOptions) { o.Background = 1 }))
		for range 3 { // each leaves room for the next
			name := create(t, h, body("Hi", inBackground))
			synctest.Wait()
			if got := ask(t, h, "DELETE /v1/responses/"+name, ""); !strings.Contains(got, "true") {
				t.Errorf("got %s", got)
			}
			synctest.Wait()
			if got := state(t, h, name); got != "not_found : Response with id 'resp_X' not found." {
				t.Errorf("got %s", got)
			}
		}
	})
}

func TestOnlySoManyComeAboutInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slow()
		h := api(b, store(t, func(o *responses.StoreOptions) { o.Background = 3 }))
		asked := func(caller string) string {
			return ask(t, h, "POST /v1/responses", body("Hi", inBackground), "Caller: "+caller)
		}
		const busy = "unavailable : As many responses come about in the background as may at once. Try again in a moment."
		create(t, h, body("Hi", inBackground))
		create(t, h, body("Hi", inBackground))
		if got := ask(t, h, "POST /v1/responses", body("Hi", inBackground)); got != busy {
			t.Errorf("one caller has all of them: got %s", got)
		}
		if got := asked("another"); got == busy {
			t.Error("nothing is left for another caller")
		}
		if got := asked("a third"); got != busy {
			t.Errorf("there are more than may be at once: got %s", got)
		}
		close(b.Wait)
		synctest.Wait()
		create(t, h, body("Hi", inBackground))
	})
}

func TestWhatComesAboutIsNotForgottenForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slow()
		h := api(b, store(t, func(o *responses.StoreOptions) { o.Entries = 2 }))
		names := []string{create(t, h, body("Hi", inBackground)), create(t, h, body("Hi", inBackground))}
		if got := ask(t, h, "POST /v1/responses", body("Hi", inBackground)); got != "unavailable : There is no room to store this response (responses.bytes, responses.entries). Send less, or ask without 'background'." {
			t.Errorf("got %s", got)
		}
		time.Sleep(2 * time.Hour)
		if got := found(t, h, names); got != "01" {
			t.Errorf("got %s", got)
		}
		close(b.Wait)
		time.Sleep(59 * time.Minute) // an hour after their end
		if got := found(t, h, names); got != "01" {
			t.Errorf("got %s", got)
		}
		time.Sleep(2 * time.Minute)
		if got := found(t, h, names); got != "" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAnAnswerThatHasNoRoomEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slow()
		b.Fragments[0] = text(0, strings.Repeat("x", 100<<10))
		h := api(b, store(t, func(o *responses.StoreOptions) { o.Bytes = 96 << 10 }))
		name := create(t, h, body("Hi", inBackground))
		synctest.Wait()
		if got := state(t, h, name); got != "not_found : Response with id 'resp_X' not found." {
			t.Errorf("got %s", got)
		}
	})
}

func TestAFailureInTheBackgroundIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		backend *script.Model
		want    string
	}{
		"at once":          {&script.Model{Err: &llm.Error{Kind: llm.RateLimited, Message: "Too much."}}, "failed rate_limit_exceeded: Too much."},
		"after a while":    {&script.Model{Fragments: []*llm.Reply{text(0, "Hi")}, Err: &llm.Error{Kind: llm.Upstream, Message: "It fell over."}}, "failed Hi server_error: It fell over."},
		"of ours":          {&script.Model{Err: errors.New("secret")}, "failed server_error: Internal error. The log has more under the id ID."},
		"without a cause":  {&script.Model{}, "failed server_error: The model gave no answer."},
		"out of the world": {&script.Model{Fragments: []*llm.Reply{nil}}, "failed server_error: Internal error. The log has more under the id ID."},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := api(c.backend, store(t))
				made := create(t, h, body("Hi", inBackground))
				synctest.Wait()
				got := state(t, h, made)
				if before, _, ok := strings.Cut(got, "under the id "); ok {
					got = before + "under the id ID."
				}
				if got != c.want {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}

func TestEventsAreFollowedAndReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slow()
		h := api(b, store(t))
		ctx, cancel := context.WithCancel(t.Context())
		said := make(chan string)
		go func() {
			got, _ := send(ctx, h, "POST /v1/responses", body("Hi", inBackground, `"stream":true`))
			said <- got
		}()
		synctest.Wait()
		cancel()
		first := <-said
		name := id.FindString(first)
		if !strings.HasSuffix(first, "<broken>") || !strings.Contains(first, "event: response.queued\n") {
			t.Errorf("got %s", first)
		}
		go func() {
			got, _ := send(t.Context(), h, "GET /v1/responses/"+name+"?stream=true", "")
			said <- got
		}()
		synctest.Wait()
		close(b.Wait)
		whole := <-said
		if !strings.HasPrefix(whole, strings.TrimSuffix(first, "<broken>")) {
			t.Errorf("%s does not begin with %s", whole, first)
		}
		events := strings.SplitAfter(strings.TrimSuffix(whole, "\n\n"), "\n\n")
		for i, kind := range []string{
			"created", "queued", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta", "output_text.done",
			"content_part.done", "output_item.done", "completed",
		} {
			if begin := fmt.Sprintf("event: response.%s\ndata: {\"type\":\"response.%s\",\"sequence_number\":%d,", kind, kind, i); !strings.HasPrefix(events[i], begin) {
				t.Errorf("event %d is %s", i, events[i])
			}
		}
		for after, want := range map[string]string{
			"&starting_after=8": strings.Join(events[9:], "") + "\n\n", "&starting_after=10": "", "&starting_after=99": "",
			"&starting_after=-1": "invalid starting_after: Invalid 'starting_after': expected the sequence_number of an event.",
		} {
			if got, _ := send(t.Context(), h, "GET /v1/responses/"+name+"?stream=true"+after, ""); got != want {
				t.Errorf("%s: got %s", after, got)
			}
		}
		for asked, want := range map[string]string{`{"stream": true}`: strings.Join(events[9:], "") + "\n\n", `{"stream"`: "malformed", "[true]": `{"id":`} {
			if got, _ := send(t.Context(), h, "GET /v1/responses/"+name+"?starting_after=8", asked); !strings.HasPrefix(got, want) {
				t.Errorf("asked by the body %s: got %s", asked, got)
			}
		}
	})
}

func TestAFollowerOfWhatIsDeletedSeesNoEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api(slow(), store(t))
		w, broken := httptest.NewRecorder(), make(chan any)
		go func() {
			defer func() { broken <- recover() }()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/responses", strings.NewReader(body("Hi", inBackground, `"stream":true`))))
		}()
		synctest.Wait()
		so := w.Body.String()
		send(t.Context(), h, "DELETE /v1/responses/"+id.FindString(so), "")
		if how := <-broken; how != http.ErrAbortHandler || w.Body.String() != so { //nolint:errorlint // the value itself is what net/http looks for
			t.Errorf("%v after %s", how, w.Body)
		}
	})
}

func TestClosingTheStoreEndsWhatComesAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := responses.NewStore(responses.StoreOptions{Entries: 9, Bytes: 1 << 20, Age: time.Hour, Background: 9})
		h := api(slow(), s)
		names := []string{create(t, api(says("Hi"), s), body("Hi")), create(t, h, body("Hi", inBackground)), create(t, h, body("Hi", inBackground))}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if got := found(t, h, names); got != "" {
			t.Errorf("got %s", got)
		}
		if got := ask(t, h, "POST /v1/responses", body("Hi", inBackground)); got != "unavailable : There is no room to store this response (responses.bytes, responses.entries). Send less, or ask without 'background'." {
			t.Errorf("got %s", got)
		}
	})
}

func TestAStreamThatNobodyReadsIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := api(slow(), store(t))
		ctx, cancel := context.WithCancel(t.Context())
		said := make(chan string)
		go func() {
			got, _ := send(ctx, h, "POST /v1/responses", body("Hi", `"stream":true`))
			said <- got
		}()
		synctest.Wait()
		cancel()
		if got := state(t, h, id.FindString(<-said)); got != "not_found : Response with id 'resp_X' not found." {
			t.Errorf("got %s", got)
		}
	})
}
