// Package clienttest is an endpoint for the tests of programs that use package client. It plays a script of answers, one for each
// request, and records what it was asked:
//
//	endpoint := clienttest.New(clienttest.Chat("Hello."))
//	reply, err := endpoint.Client().Chat(ctx, request)
//	asked := endpoint.Requests()[0]
//
// It needs no network: it is the [http.RoundTripper] of a client. As [http.Handler] it serves programs that take an address.
package clienttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/client"
)

// Endpoint plays a script. It is safe for concurrent use, where the order of requests, and so of answers, is that of their arrival.
type Endpoint struct {
	mu       sync.Mutex
	script   []Answer
	requests []Request
}

// Request is what the endpoint was asked.
type Request struct {
	Method string
	Path   string // with the query
	Header http.Header
	Body   []byte
}

// Decode decodes the body into v.
func (r Request) Decode(v any) error { return json.Unmarshal(r.Body, v) }

// Answer makes the answer to a request. The error is one of the transport, as where no server listens.
type Answer func(Request) (*http.Response, error)

// ErrOver is what requests beyond the script get.
var ErrOver = errors.New("clienttest: the script has no answer left for this request; give New or Add one more")

// New returns an endpoint with a script of answers.
func New(script ...Answer) *Endpoint { return &Endpoint{script: script} }

// Add appends answers to the script.
func (e *Endpoint) Add(script ...Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.script = append(e.script, script...)
}

// Left counts the answers that were not asked for.
func (e *Endpoint) Left() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.script)
}

// Requests returns what the endpoint was asked so far.
func (e *Endpoint) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.requests)
}

// Client returns a client of the endpoint that repeats failed calls at once. New of package client with Options makes another.
func (e *Endpoint) Client() *client.Client {
	c, err := client.New("http://endpoint.test", client.Key("key"), e.Options())
	if err != nil {
		panic(err) // no argument can be wrong
	}
	return c
}

// Options returns options that lead a client to the endpoint, wherever it believes to call, and let it repeat failed calls at once.
func (e *Endpoint) Options() *client.Options {
	return &client.Options{
		HTTPClient: &http.Client{Transport: e},
		Retry:      client.Retry{Delay: time.Microsecond},
	}
}

// RoundTrip implements http.RoundTripper.
func (e *Endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		req.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	answer, r := e.next(req, body)
	resp, err := answer(r)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func (e *Endpoint) next(req *http.Request, body []byte) (Answer, Request) {
	r := Request{Method: req.Method, Path: req.URL.RequestURI(), Header: req.Header.Clone(), Body: body}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = append(e.requests, r)
	if len(e.script) == 0 {
		return Fail(ErrOver), r
	}
	answer := e.script[0]
	e.script = e.script[1:]
	return answer, r
}

// ServeHTTP implements http.Handler, for httptest.NewServer. Where the answer is an error, or breaks off, so does the connection.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	resp, err := e.RoundTrip(req)
	if errors.Is(err, ErrOver) {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	buf := make([]byte, 4<<10)
	for {
		n, err := resp.Body.Read(buf)
		if _, writeErr := w.Write(buf[:n]); writeErr != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

// response makes a response of a body.
func response(status int, media string, body io.Reader) *http.Response {
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {media}, "X-Request-Id": {"request-of-clienttest"}},
		Body:          io.NopCloser(body),
		ContentLength: -1,
	}
}

// Fail makes the transport fail.
func Fail(err error) Answer {
	return func(Request) (*http.Response, error) { return nil, err }
}

// JSON answers with a status and v: a string or bytes as they are, anything else encoded.
func JSON(status int, v any) Answer {
	return func(Request) (*http.Response, error) {
		var body []byte
		switch v := v.(type) {
		case string:
			body = []byte(v)
		case []byte:
			body = v
		default:
			var err error
			if body, err = json.Marshal(v); err != nil {
				return nil, fmt.Errorf("clienttest: encode answer: %w", err)
			}
		}
		return response(status, "application/json", bytes.NewReader(body)), nil
	}
}

// Error answers with an error as services write it. A wait above zero is told in Retry-After and retry-after-ms.
func Error(status int, code, message string, wait time.Duration) Answer {
	body := map[string]any{"error": map[string]any{"code": code, "message": message}}
	return func(r Request) (*http.Response, error) {
		resp, err := JSON(status, body)(r)
		if err == nil && wait > 0 {
			resp.Header.Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
			resp.Header.Set("Retry-After-Ms", strconv.FormatInt(wait.Milliseconds(), 10))
		}
		return resp, err
	}
}
