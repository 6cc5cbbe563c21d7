package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const patience = 10 * time.Second

// exchange is a request that the proxy saw and the answer that it is about to give.
type exchange struct {
	method, path string
	query        string
	in           http.Header
	sent         map[string]any // the request's members, none where it is no object
	status       int
	out          http.Header
	body         []byte
	broken       bool // the connection breaks at the end
}

// proxy spoils answers on their way.
func proxy(t *testing.T, spoil func(*exchange)) string {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, ExpectContinueTimeout: patience, MaxIdleConnsPerHost: 4}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, err := forward(r, transport)
		if err != nil {
			t.Errorf("forward %s %s: %v", r.Method, r.URL, err)
			panic(http.ErrAbortHandler)
		}
		spoil(x)
		x.answer(w)
	}))
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	return server.URL
}

func forward(r *http.Request, transport http.RoundTripper) (*exchange, error) {
	x := &exchange{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, in: r.Header}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	const most = 1 << 20
	var body io.Reader
	if r.ContentLength > most {
		body = silence{ctx}
	} else {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = json.Unmarshal(text, &x.sent)
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, endpoint+r.RequestURI, body)
	if err != nil {
		return nil, err
	}
	req.Header, req.ContentLength = r.Header.Clone(), r.ContentLength
	res, err := transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	x.status, x.out = res.StatusCode, res.Header
	x.body, err = io.ReadAll(res.Body)
	x.broken = err != nil
	return x, nil
}

// silence is a body that never comes.
type silence struct{ ctx context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func (x *exchange) answer(w http.ResponseWriter) {
	x.out.Del("Content-Length")
	maps.Copy(w.Header(), x.out)
	w.WriteHeader(x.status)
	_, _ = w.Write(x.body)
	if x.broken {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// to says whether the request was for an operation.
func (x *exchange) to(operation string) bool { return strings.HasSuffix(x.path, "/"+operation) }

func (x *exchange) chat() bool { return x.to("chat/completions") }

// text says whether it was for a text completion.
func (x *exchange) text() bool { return x.to("completions") && !x.chat() }

// streamed says whether the answer is a stream.
func (x *exchange) streamed() bool {
	return strings.HasPrefix(x.out.Get("Content-Type"), "text/event-stream")
}

// has says whether the request has a member.
func (x *exchange) has(member string) bool {
	_, ok := x.sent[member]
	return ok
}

// edit changes the answer's JSON.
func (x *exchange) edit(change func(m map[string]any)) {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(x.body))
	d.UseNumber()
	if d.Decode(&m) != nil || m == nil {
		return
	}
	change(m)
	x.body, _ = json.Marshal(m)
}

// events changes a stream's events, [DONE] among them.
func (x *exchange) events(change func(list []string) []string) {
	text := strings.TrimSuffix(string(x.body), "\n\n")
	list := strings.Split(text, "\n\n")
	for i := range list {
		list[i] = strings.TrimPrefix(list[i], "data: ")
	}
	var b strings.Builder
	for _, e := range change(list) {
		b.WriteString("data: " + e + "\n\n")
	}
	x.body = []byte(b.String())
}

// chunks changes the JSON of a stream's events.
func (x *exchange) chunks(change func(i, last int, m map[string]any)) {
	x.events(func(list []string) []string {
		last := len(list) - 2
		for i, e := range list {
			var m map[string]any
			d := json.NewDecoder(strings.NewReader(e))
			d.UseNumber()
			if d.Decode(&m) != nil {
				continue
			}
			change(i, last, m)
			text, _ := json.Marshal(m)
			list[i] = string(text)
		}
		return list
	})
}

// refuse turns the answer into an error as the contract has it.
func (x *exchange) refuse(status int, code string) {
	x.status = status
	x.out.Set("Content-Type", "application/json")
	x.out.Set("X-Ms-Error-Code", code)
	x.body = []byte(`{"error":{"code":"` + code + `","message":"broken on purpose","details":[]}}`)
}

// grant turns a refusal into somebody else's answer.
func (x *exchange) grant() {
	if x.status == http.StatusOK {
		return
	}
	x.status = http.StatusOK
	x.out.Del("X-Ms-Error-Code")
	if x.to("embeddings") {
		x.body = []byte(`{"id":"4c33a38e65852fd1be4e14c5c202df99","object":"list","model":"m","data":[{"index":0,"object":"embedding","embedding":[1,0]}],"usage":{"prompt_tokens":1,"total_tokens":1}}`)
		return
	}
	x.body = []byte(`{"id":"4c33a38e65852fd1be4e14c5c202df99","object":"chat.completion","created":1763880000,"model":"m",` +
		`"choices":[{"index":0,"finish_reason":"stop","text":"x","message":{"role":"assistant","content":"x"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
}

// first is the first element of a list in an object.
func first(m map[string]any, list string) map[string]any {
	l, _ := m[list].([]any)
	if len(l) == 0 {
		return map[string]any{}
	}
	e, _ := l[0].(map[string]any)
	return e
}

// below is an object in an object.
func below(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	if o == nil {
		return map[string]any{}
	}
	return o
}
