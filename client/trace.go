package client

import (
	"cmp"
	"context"
	"net/http"
	"time"
)

// Trace holds functions that are told what a client does, for spans, metrics and logs: any of them may be nil. They are called by
// the goroutine that makes the call, and must not keep what they are given. They see headers, the credential's too: log with care.
type Trace struct {
	// Begin is called before anything else of an operation, which goes on with the context that it returns.
	Begin func(ctx context.Context, op *Operation) context.Context
	// Request is called before each attempt. It may set headers of the request, such as traceparent.
	Request func(ctx context.Context, req *http.Request)
	// Response is called after each attempt: with a response whose body must not be read, or with an error.
	Response func(ctx context.Context, resp *http.Response, err error)
	// Wait is called before the wait for another attempt.
	Wait func(ctx context.Context, wait time.Duration, cause error)
	// End is called once for each Begin. A stream ends when it is complete, has failed, or its loop was left.
	End func(ctx context.Context, op *Operation)
}

// Operation is one call of a method of Client, with all its attempts. What comes of it is known in Trace.End.
type Operation struct {
	Name       string // as OpenTelemetry has it: chat, text_completion, embeddings, info
	Model      string // that the request names; may be empty
	Host       string // of the endpoint, with its port
	Stream     bool
	Start      time.Time
	Attempts   int
	FirstChunk time.Duration // from Start to the first fragment of a stream

	RequestID, ClientRequestID string
	ReplyID, ReplyModel        string
	FinishReasons              []FinishReason
	Usage                      *Usage
	Err                        error // nil for a loop that was left
}

func (c *Client) begin(ctx context.Context, call *call) (context.Context, *Operation) {
	op := &Operation{Name: call.name, Model: call.model, Host: c.base.Host, Stream: call.stream, Start: time.Now()}
	if t := c.options.Trace; t != nil && t.Begin != nil {
		ctx = t.Begin(ctx, op)
	}
	return ctx, op
}

func (c *Client) end(ctx context.Context, op *Operation, err error) {
	op.Err = err
	if t := c.options.Trace; t != nil && t.End != nil {
		t.End(ctx, op)
	}
}

// learn notes what an answer, or a fragment of one, tells.
func (op *Operation) learn(id, model string, usage *Usage, meta Meta) {
	op.ReplyID, op.ReplyModel = cmp.Or(id, op.ReplyID), cmp.Or(model, op.ReplyModel)
	op.Usage = cmp.Or(usage, op.Usage)
	op.RequestID, op.ClientRequestID = meta.RequestID, meta.ClientRequestID
}
