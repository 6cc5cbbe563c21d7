package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/client/internal/again"
	"github.com/ingot-llm/ingot/client/internal/exchange"
	"github.com/ingot-llm/ingot/client/internal/fault"
	"github.com/ingot-llm/ingot/client/internal/object"
)

// Meta is what the HTTP exchange tells of an answer.
type Meta struct {
	Header          http.Header // of the response
	RequestID       string      // what the service calls the exchange in its logs; may be empty
	ClientRequestID string      // what the client calls it: x-ms-client-request-id
}

// call is one operation, before it is sent.
type call struct {
	name, method, route, model string // name is that of Operation

	stream bool
	query  url.Values
	header http.Header
	body   []byte
	extra  bool // the body holds members beyond the contract
}

// answer is what comes back: a response with status 200, whose body is open.
type answer struct {
	body io.ReadCloser
	Meta
}

// post makes the call of a request: its members, those it has beyond the contract, and whether it asks for a stream.
func post(name, route, model string, known any, extra map[string]any, header http.Header, stream bool) (call, error) {
	if _, ok := extra["stream"]; ok {
		return call{}, errors.New("extra member \"stream\" is decided by the method that is called, such as Chat or ChatStream")
	}
	members := extra
	if stream {
		members = map[string]any{"stream": true}
		maps.Copy(members, extra)
	}
	body, err := object.Encode(known, members)
	if err != nil {
		return call{}, fmt.Errorf("encode request: %w", err)
	}
	return call{
		name: name, method: http.MethodPost, route: route, model: model, stream: stream,
		header: header, body: body, extra: len(extra) > 0,
	}, nil
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
	body, err := exchange.ReadAll(a.body, c.options.MaxReply)
	if err != nil {
		return err
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
	id := exchange.ID()
	var a *answer
	err := again.Do(ctx, c.policy(ctx), func() (err error) {
		op.Attempts++
		a, err = c.attempt(ctx, call, target.String(), id)
		return err
	})
	return a, err
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
	resp, refusal, err := exchange.Do(&c.http, req) //nolint:bodyclose // closed by who calls send
	if t != nil && t.Response != nil {
		t.Response(ctx, resp, err)
	}
	if err != nil {
		return nil, err
	}
	h := resp.Header
	meta := Meta{
		Header:          h,
		RequestID:       cmp.Or(h.Get("X-Request-Id"), h.Get("Apim-Request-Id"), h.Get("X-Ms-Request-Id")),
		ClientRequestID: req.Header.Get("X-Ms-Client-Request-Id"),
	}
	if resp.StatusCode != http.StatusOK {
		return nil, newError(resp.StatusCode, refusal, meta)
	}
	return &answer{resp.Body, meta}, nil
}

func (c *Client) fillHeader(req *http.Request, call call, id string) error {
	h := req.Header
	h.Set("Accept", "application/json")
	h.Set("User-Agent", strings.TrimSpace(c.options.ApplicationID+" ingot-go-client/"+Version+" ("+runtime.Version()+"; "+runtime.GOOS+")"))
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
			h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	return nil
}
