package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// question is one request a ready child answers with 200.
type question struct{ path, body string }

// probes are asked in order. A model server's last one makes it compute: a
// listening server with a model that cannot run is not ready.
func (s Spec) probes() []question {
	switch {
	case s.Engine.Kind == Command && s.Ready != "":
		return []question{{path: "/" + strings.TrimPrefix(s.Ready, "/")}}
	case s.Engine.Kind == Command:
		return []question{{path: "/health"}}
	case s.Embedding:
		return []question{{path: "/health"}, {"/embeddings", `{"content":"a"}`}}
	default:
		return []question{{path: "/health"}, {"/completion", `{"prompt":"a","n_predict":1,"cache_prompt":false}`}}
	}
}

// probe asks once. False without an error means: not yet.
func probe(ctx context.Context, at Endpoint, q question) (bool, error) {
	method := http.MethodGet
	if q.body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, at.URL+q.path, strings.NewReader(q.body))
	if err != nil {
		return false, fmt.Errorf("ask model server: %w", err)
	}
	if q.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if at.Key != "" {
		req.Header.Set("Authorization", "Bearer "+at.Key)
	}
	// A transport of its own: no proxy, and no connection left behind.
	t := &http.Transport{DialContext: new(net.Dialer).DialContext, DisableKeepAlives: true}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return false, nil // it does not listen yet; its end and the time limit are watched elsewhere
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return false, nil // as above
	case resp.StatusCode == http.StatusOK:
		return true, nil
	case resp.StatusCode == http.StatusServiceUnavailable, q.body == "":
		return false, nil
	default:
		return false, fmt.Errorf("the model server refused its first question with status %d: %.300s", resp.StatusCode, body)
	}
}
