package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/ingot-llm/ingot/client/internal/fault"
)

// Meta is what the HTTP exchange tells of an answer.
type Meta struct {
	Header          http.Header // of the response
	RequestID       string      // what the service calls the exchange in its logs; may be empty
	ClientRequestID string      // what the client calls it: x-ms-client-request-id
}

// call is one operation, before it is sent.
type call struct {
	name          string // of Operation
	method, route string
	model         string
	stream        bool
	query         url.Values
	header        http.Header
	body          []byte
	extra         bool // the body holds members beyond the contract
}

// answer is what comes back: a response with status 200, whose body is open.
type answer struct {
	body io.ReadCloser
	Meta
}

// reply is a type that a whole answer is decoded into.
type reply interface {
	accept(op *Operation, meta Meta) error
}

// unary performs a call and decodes its JSON reply into v.
func (c *Client) unary(ctx context.Context, call call, v reply) (err error) {
	ctx, op := c.begin(ctx, &call)
	defer func() { c.end(ctx, op, err) }()
	a, err := c.send(ctx, call, op)
	if err != nil {
		return err
	}
	defer a.body.Close()
	body, err := io.ReadAll(io.LimitReader(a.body, c.options.MaxReply+1))
	if err != nil {
		return fmt.Errorf("read reply: %w", err)
	}
	if int64(len(body)) > c.options.MaxReply {
		return fmt.Errorf("read reply: longer than %d bytes; raise Options.MaxReply", c.options.MaxReply)
	}
	if fault.Reported(body) {
		return newError(http.StatusOK, body, a.Meta)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("decode reply: %w; is this a Model Inference endpoint?", err)
	}
	return v.accept(op, a.Meta)
}

// send performs a call, repeated where that may help, until a response with status 200. Its body is the caller's to close.
func (c *Client) send(ctx context.Context, call call, op *Operation) (*answer, error) {
	target := c.base.JoinPath(call.route)
	query := target.Query()
	maps.Copy(query, call.query)
	target.RawQuery = query.Encode()
	id := requestID()
	for attempt := 0; ; attempt++ {
		op.Attempts++
		a, err := c.attempt(ctx, call, target.String(), id)
		if err == nil {
			return a, nil
		}
		wait, again := c.options.Retry.wait(ctx, attempt, err)
		if !again {
			return nil, err
		}
		if t := c.options.Trace; t != nil && t.Wait != nil {
			t.Wait(ctx, wait, err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("wait to try again: %w; the last attempt: %w", ctx.Err(), err)
		}
	}
}

func (c *Client) attempt(ctx context.Context, call call, target, id string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(call.body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if err := c.fillHeader(req, call, id); err != nil {
		return nil, err
	}
	t := c.options.Trace
	if t != nil && t.Request != nil {
		t.Request(ctx, req)
	}
	resp, err := c.http.Do(req)
	if t != nil && t.Response != nil {
		t.Response(ctx, resp, err)
	}
	if err != nil {
		// The URL in a *url.Error may hold what the endpoint's owner put into its query.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, &connectionError{req.URL.Host, err}
	}
	h := resp.Header
	meta := Meta{
		Header:          h,
		RequestID:       cmp.Or(h.Get("X-Request-Id"), h.Get("Apim-Request-Id"), h.Get("X-Ms-Request-Id")),
		ClientRequestID: req.Header.Get("X-Ms-Client-Request-Id"),
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return &answer{resp.Body, meta}, nil
	case http.StatusSwitchingProtocols: // what follows it no context ends
		_ = resp.Body.Close()
		return nil, fmt.Errorf("call %s: the server switched protocols unasked", req.URL.Host)
	default:
		defer resp.Body.Close()
		// Whatever part of the body arrives is better than none.
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		return nil, newError(resp.StatusCode, body, meta)
	}
}

func (c *Client) fillHeader(req *http.Request, call call, id string) error {
	h := req.Header
	h.Set("Accept", "application/json")
	h.Set("User-Agent", c.options.userAgent())
	h.Set("X-Ms-Client-Request-Id", id)
	if call.body != nil {
		h.Set("Content-Type", "application/json")
	}
	if value := c.options.ExtraParameters; value != "" {
		h.Set("Extra-Parameters", string(value))
	} else if call.extra {
		h.Set("Extra-Parameters", string(ExtraPassThrough))
	}
	if c.options.Deployment != "" {
		h.Set("Azureml-Model-Deployment", c.options.Deployment)
	}
	if c.credential != nil {
		if err := c.credential.Authorize(req); err != nil {
			return fmt.Errorf("authorize: %w", err)
		}
	}
	for _, more := range []http.Header{c.options.Header, call.header} {
		for name, values := range more {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	return nil
}

// connectionError is a call without a response.
type connectionError struct {
	host string
	err  error
}

// Error implements error.
func (e *connectionError) Error() string { return "call " + e.host + ": " + e.err.Error() }

// Unwrap returns what happened.
func (e *connectionError) Unwrap() error { return e.err }

// requestID makes a random GUID.
func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
