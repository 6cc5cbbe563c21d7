package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// call is one operation, before it is sent.
type call struct {
	method, route string
	query         url.Values
	header        http.Header
	body          []byte
	extra         bool // the body holds members beyond the contract
}

// unary performs a call and decodes its JSON reply into v.
func (c *Client) unary(ctx context.Context, call call, v any) (http.Header, error) {
	resp, err := c.send(ctx, call)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.options.MaxReply+1))
	if err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	if int64(len(body)) > c.options.MaxReply {
		return nil, fmt.Errorf("read reply: longer than %d bytes; raise Options.MaxReply", c.options.MaxReply)
	}
	if e := errorMember(body); e != nil {
		return nil, e.from(resp)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("decode reply: %w", err)
	}
	return resp.Header, nil
}

// send performs a call, repeated where that may help, until a response with status 200. Its body is the caller's to close.
func (c *Client) send(ctx context.Context, call call) (*http.Response, error) {
	target := c.base.JoinPath(call.route)
	query := target.Query()
	maps.Copy(query, call.query)
	target.RawQuery = query.Encode()
	id := requestID()
	for attempt := 0; ; attempt++ {
		resp, err := c.attempt(ctx, call, target.String(), id)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusOK {
			return resp, nil
		}
		refusal := readError(resp)
		wait, again := c.options.Retry.wait(attempt, refusal, resp.Header)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			again = false
		}
		if !again {
			return nil, refusal
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("wait to try again: %w; the last answer was: %w", ctx.Err(), refusal)
		}
	}
}

func (c *Client) attempt(ctx context.Context, call call, target, id string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, call.method, target, bytes.NewReader(call.body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
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
	if c.credential != nil {
		if err := c.credential.Authorize(ctx, h); err != nil {
			return nil, fmt.Errorf("authorize: %w", err)
		}
	}
	for _, more := range []http.Header{c.options.Header, call.header} {
		for name, values := range more {
			h[http.CanonicalHeaderKey(name)] = values
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		// The URL in a *url.Error may hold what the endpoint's owner put into its query.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("call %s: %w", req.URL.Host, err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols { // what follows it no context ends
		_ = resp.Body.Close()
		return nil, fmt.Errorf("call %s: the server switched protocols unasked", req.URL.Host)
	}
	return resp, nil
}

// wait says after how long to try again, if at all.
func (r Retry) wait(attempt int, refusal *Error, h http.Header) (time.Duration, bool) {
	if attempt >= r.Max || h.Get("X-Should-Retry") == "false" {
		return 0, false
	}
	switch refusal.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return 0, false
	}
	if refusal.RetryAfter > 0 {
		return refusal.RetryAfter, refusal.RetryAfter <= r.MaxDelay
	}
	wait := max(r.Delay, 0)
	for range attempt {
		if wait < r.MaxDelay {
			wait *= 2
		}
	}
	wait = max(min(wait, r.MaxDelay), 0)
	// Clients that failed together shall not come back together.
	return wait/2 + mathrand.N(wait/2+1), true //nolint:gosec // jitter needs no secrecy
}

// requestID makes a random GUID.
func requestID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
