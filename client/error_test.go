package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/collect"
)

func TestEveryErrorShapeIsRead(t *testing.T) {
	t.Parallel()
	const authMessage = "Auth token validation failed. Please provide a valid key or a valid AAD token"
	enum := []client.Detail{{Code: "enum", Message: "Input should be 'text'", Loc: []any{"body", "response_format"}, Input: json.RawMessage(`"json_object"`)}}
	for name, c := range map[string]struct {
		status int
		body   string
		want   client.Error
	}{
		"nested": {404, `{"error":{"code":"404","message":"Resource not found"}}`, client.Error{Code: "404", Message: "Resource not found"}},
		"nested with details": {
			422, `{"error":{"code":"Invalid input","status":422,"message":"invalid input error","details":[{"type":"enum","loc":["body","input_type"],` +
				`"msg":"Input should be 'text', 'query' or 'document'","input":"foo","ctx":{"expected":"…"}}]}}`,
			client.Error{Code: "Invalid input", Message: "invalid input error", Details: []client.Detail{{
				Code: "enum", Message: "Input should be 'text', 'query' or 'document'", Loc: []any{"body", "input_type"}, Input: json.RawMessage(`"foo"`),
			}}},
		},
		"details as text": {
			413, `{"error":{"code":"tokens_limit_reached","message":"Request body too large","details":"Request body too large"}}`,
			client.Error{Code: "tokens_limit_reached", Message: "Request body too large"},
		},
		"OpenAI's": {
			400, `{"error":{"message":"Invalid type for 'response_format'","type":"invalid_request_error","param":"response_format","code":"invalid_type"}}`,
			client.Error{Code: "invalid_type", Message: "Invalid type for 'response_format'", Target: "response_format"},
		},
		"innererror": {
			400, `{"error":{"message":"The response was filtered","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`,
			client.Error{Code: "content_filter", Message: "The response was filtered", Target: "prompt", Inner: json.RawMessage(`{"code":"ResponsibleAIPolicyViolation"}`)},
		},
		"flat with a detail": {
			422, `{"status":422,"code":"parameter_not_supported","detail":{"loc":["body","response_format"],"input":"json_object","type":"enum","msg":"Input should be 'text'"},"message":"One of the parameters contain invalid values."}`,
			client.Error{Code: "parameter_not_supported", Message: "One of the parameters contain invalid values.", Details: enum},
		},
		"detail as list": {
			422, `{"detail":[{"type":"enum","loc":["body","response_format"],"msg":"Input should be 'text'","input":"json_object"}]}`,
			client.Error{Message: "Input should be 'text'", Details: enum},
		},
		"detail as text": {400, `{"detail":"Extra parameters ['n'] are not allowed"}`, client.Error{Message: "Extra parameters ['n'] are not allowed"}},
		"statusCode":     {401, `{"statusCode":401,"message":"` + authMessage + `"}`, client.Error{Message: authMessage}},
		"status as text": {404, `{"status":"Serverless endpoint not found"}`, client.Error{Message: "Serverless endpoint not found"}},
		"error as text":  {400, `{"error":"no"}`, client.Error{Message: "no"}},
		"code as number": {400, `{"error":{"code":17,"message":"no"}}`, client.Error{Code: "17", Message: "no"}},
		"plain text":     {404, "NOT FOUND\n", client.Error{Message: "NOT FOUND"}},
		"JSON text":      {404, `"not found"`, client.Error{Message: "not found"}},
		"another object": {400, `{"oops":1}`, client.Error{Message: `{"oops":1}`}},
		"nothing":        {400, "", client.Error{}},
		"a long page":    {400, strings.Repeat("é", 1000), client.Error{Message: strings.Repeat("é", 250) + "…"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := serve(t, answer(c.status, c.body, "X-Request-Id", "r1"))
			_, err := newClient(t, url, nil).Chat(t.Context(), hello())
			got, ok := errors.AsType[*client.Error](err)
			if !ok {
				t.Fatalf("got %v, want a *client.Error", err)
			}
			if string(got.Body) != c.body {
				t.Errorf("got body %q", got.Body)
			}
			if got.RequestID != "r1" || len(got.ClientRequestID) != 36 || got.Header.Get("X-Request-Id") != "r1" {
				t.Errorf("got %+v", got.Meta)
			}
			got.Body, got.Meta = nil, client.Meta{}
			c.want.Status = c.status
			if !reflect.DeepEqual(*got, c.want) {
				t.Errorf("\n got %+v\nwant %+v", *got, c.want)
			}
			if !strings.Contains(err.Error(), c.want.Message) || !strings.Contains(err.Error(), "r1") {
				t.Errorf("got text %q", err)
			}
		})
	}
}

func TestErrorTextAndHeaders(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, answer(429, `{"error":{"message":"Slow down."}}`, "X-Ms-Error-Code", "RateLimitReached", "Apim-Request-Id", "a1", "Retry-After", "90"))
	_, err := newClient(t, url, nil).Chat(t.Context(), hello())
	if want := "chat: service answered 429 Too Many Requests (RateLimitReached): Slow down. [request a1]"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if e, ok := errors.AsType[*client.Error](err); !ok || e.RetryAfter != 90*time.Second {
		t.Errorf("got %+v", e)
	}
}

func TestRetries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		header   http.Header
		retry    client.Retry
		attempts int
		least    time.Duration // waited in all
		most     time.Duration
	}{
		"429 with Retry-After":           {429, http.Header{"Retry-After": {"7"}}, client.Retry{}, 4, 21 * time.Second, 21 * time.Second},
		"retry-after-ms comes first":     {429, http.Header{"Retry-After": {"7"}, "Retry-After-Ms": {"1500"}}, client.Retry{}, 4, 4500 * time.Millisecond, 4500 * time.Millisecond},
		"429 without a header":           {429, nil, client.Retry{}, 4, 2800 * time.Millisecond, 5600 * time.Millisecond},
		"a wait longer than we like":     {429, http.Header{"Retry-After": {"61"}}, client.Retry{}, 1, 0, 0},
		"nonsense in Retry-After":        {503, http.Header{"Retry-After": {"-1e999"}}, client.Retry{Max: 1}, 2, 400 * time.Millisecond, 800 * time.Millisecond},
		"x-should-retry: false":          {429, http.Header{"X-Should-Retry": {"false"}, "Retry-After": {"1"}}, client.Retry{}, 1, 0, 0},
		"408":                            {408, nil, client.Retry{}, 4, 2800 * time.Millisecond, 5600 * time.Millisecond},
		"502, settings":                  {502, nil, client.Retry{Max: 5, Delay: time.Second, MaxDelay: 2 * time.Second}, 6, 4500 * time.Millisecond, 9 * time.Second},
		"none wanted":                    {500, nil, client.Retry{Max: -1}, 1, 0, 0},
		"422 even with Retry-After":      {422, http.Header{"Retry-After": {"1"}}, client.Retry{}, 1, 0, 0},
		"longer than the context allows": {503, http.Header{"Retry-After": {"50"}}, client.Retry{}, 3, 100 * time.Second, 100 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 140*time.Second)
				defer cancel()
				ids := map[string]bool{}
				attempts := 0
				o := client.Options{Retry: c.retry}
				cl := offline(t, o, func(r *http.Request) (*http.Response, error) {
					attempts++
					ids[r.Header.Get("X-Ms-Client-Request-Id")] = true
					return response(c.status, strings.NewReader(`{"error":{"code":"x","message":"y"}}`), c.header), nil
				})
				begin := time.Now()
				_, err := cl.Chat(ctx, hello())
				waited := time.Since(begin)
				if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != c.status {
					t.Errorf("got %v", err)
				}
				if attempts != c.attempts || waited < c.least || waited > c.most {
					t.Errorf("got %d attempts in %v, want %d in %v to %v", attempts, waited, c.attempts, c.least, c.most)
				}
				if len(ids) != 1 {
					t.Errorf("got %d request ids for one call", len(ids))
				}
			})
		})
	}
}

func TestRetryAfterAsDateAndSuccessInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		c := offline(t, client.Options{}, func(*http.Request) (*http.Response, error) {
			if attempts++; attempts == 1 {
				at := time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)
				return response(503, strings.NewReader(""), http.Header{"Retry-After": {at}}), nil
			}
			return response(200, strings.NewReader(first+hel+lo+last+done), nil), nil
		})
		begin := time.Now()
		reply, err := collect.Chat(c.ChatStream(t.Context(), hello()))
		if err != nil || reply.Text() != "Hello." || time.Since(begin) != 9*time.Second {
			t.Errorf("got %+v, %v after %v", reply, err, time.Since(begin))
		}
	})
}

func TestARefusalThatDoesNotEndIsARefusal(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, "no, bec")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := newClient(t, url, nil).Chat(ctx, hello())
	if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusBadRequest || e.Message != "no, bec" || ctx.Err() != nil {
		t.Errorf("got %v", err)
	}
}

func TestNoRetryAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	attempts := 0
	c := offline(t, client.Options{}, func(*http.Request) (*http.Response, error) {
		attempts++
		return response(200, strings.NewReader(first+`data: {"error":{"code":"429","message":"Slow down."}}`+"\n\n"), http.Header{"Retry-After": {"1"}}), nil
	})
	if _, err := collect.Chat(c.ChatStream(t.Context(), hello())); err == nil || attempts != 1 {
		t.Errorf("got %v after %d attempts", err, attempts)
	}
}

func TestCancellingEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		c := offline(t, client.Options{}, func(*http.Request) (*http.Response, error) {
			time.AfterFunc(time.Second, cancel)
			return response(429, strings.NewReader(""), http.Header{"Retry-After": {"30"}}), nil
		})
		begin := time.Now()
		_, err := c.Chat(ctx, hello())
		if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != 429 || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

func TestTransportErrorsHideTheQuery(t *testing.T) {
	t.Parallel()
	hc := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") })}
	c := newClient(t, "http://offline/?code=secret", &client.Options{HTTPClient: hc})
	if _, err := c.Chat(t.Context(), hello()); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "offline") {
		t.Errorf("got %v", err)
	}
}
