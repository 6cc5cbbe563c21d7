package talk_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/cli/talk"
)

// record is a writer that tells what it was given.
type record struct {
	mu   sync.Mutex
	text strings.Builder
	wait map[string]chan struct{}
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(p)
	for s, c := range r.wait {
		if strings.Contains(r.text.String(), s) {
			close(c)
			delete(r.wait, s)
		}
	}
	return len(p), nil
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// saw is closed when text has been written.
func (r *record) saw(text string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan struct{})
	if strings.Contains(r.text.String(), text) {
		close(c)
		return c
	}
	if r.wait == nil {
		r.wait = map[string]chan struct{}{}
	}
	r.wait[text] = c
	return c
}

const chunk = `data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}` + "\n\n"

// endpoint answers what the last message of each request asks for, and keeps the requests.
func endpoint(t *testing.T, bodies chan<- string) *client.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- string(body)
		w.Header().Set("Content-Type", "text/event-stream")
		switch {
		case strings.HasSuffix(string(body), `"refuse"}],"stream":true}`):
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":{"code":"content_filter","message":"no"}}`)
		case strings.Contains(string(body), `"forever"}],`):
			fmt.Fprintf(w, chunk, "on and on", "null")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			fmt.Fprintf(w, chunk, "well", "null")
			fmt.Fprintf(w, chunk, "", `"stop"`)
			fmt.Fprint(w, "data: [DONE]\n\n")
		}
	}))
	t.Cleanup(srv.Close)
	c, err := client.New(srv.URL, nil, &client.Options{Retry: client.Retry{Max: -1}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAConversationSendsWhatWasSaid(t *testing.T) {
	bodies := make(chan string, 10)
	var out, err record
	c := talk.Talk{
		Screen: &screen.Screen{In: strings.NewReader("\x1b[Ao\x1bOCn\x1b[1;5De\n\x1b[B\nrefuse\ntwo\n/clear\nthree\n"), Out: &out, Err: &err},
		Client: endpoint(t, bodies), System: "be brief",
	}
	if e := c.Converse(t.Context()); e != nil {
		t.Fatal(e)
	}
	close(bodies)
	var got []string
	for b := range bodies {
		got = append(got, b)
	}
	want := []string{
		`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"}],"stream":true}`,
		`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"},{"role":"assistant","content":"well"},{"role":"user","content":"refuse"}],"stream":true}`,
		// What was refused is not held against what follows.
		`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one"},{"role":"assistant","content":"well"},{"role":"user","content":"two"}],"stream":true}`,
		`{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"three"}],"stream":true}`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if out.String() != "well\nwell\nwell\n" {
		t.Errorf("standard output has %q", out.String())
	}
	if !strings.Contains(err.String(), "content_filter") {
		t.Errorf("standard error has %q", err.String())
	}
}
