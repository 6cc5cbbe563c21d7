package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/client/internal/event"
	"github.com/ingot-llm/ingot/client/internal/exchange"
	"github.com/ingot-llm/ingot/client/internal/fault"
	"github.com/ingot-llm/ingot/client/internal/object"
)

// ErrTruncated reports a stream that ended, or whose connection broke, before the answer was complete.
var ErrTruncated = fmt.Errorf("stream ended before the answer was complete: %w", io.ErrUnexpectedEOF)

// Chunk is a fragment of a streamed answer: it holds only what is new.
type Chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created Timestamp     `json:"created"`
	Model   string        `json:"model"`
	Choices []ChunkChoice `json:"choices"` // may be empty
	Usage   *Usage        `json:"usage"`   // on one of the last chunks; OpenAI's addresses send it for Extra stream_options alone

	Extra Extra      `json:"-"`
	Meta  `json:"-"` // the same for all chunks
}

// ChunkChoice is what a fragment adds to one of the answers.
type ChunkChoice struct {
	Index        int          `json:"index"`
	Delta        Message      `json:"delta"`
	FinishReason FinishReason `json:"finish_reason"`
	Extra        Extra        `json:"-"`
}

// Text returns what the chunk adds to the first answer.
func (c *Chunk) Text() string {
	for i := range c.Choices {
		if c.Choices[i].Index == 0 {
			return c.Choices[i].Delta.Content.Text()
		}
	}
	return ""
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Chunk) UnmarshalJSON(data []byte) error {
	type plain Chunk
	return object.Decode(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ChunkChoice) UnmarshalJSON(data []byte) error {
	type plain ChunkChoice
	return object.Decode(data, (*plain)(c), &c.Extra)
}

func (c *Chunk) arrive(op *Operation, meta Meta, note func(int, FinishReason)) {
	c.Meta = meta
	op.learn(c.ID, c.Model, c.Usage, meta)
	for i := range c.Choices {
		note(c.Choices[i].Index, c.Choices[i].FinishReason)
	}
}

// ChatStream asks for an answer in fragments. Ranging over the result makes the call, ranging again makes another one;
// leaving the loop ends it and frees the connection. An error is the last pair: an *Error where the service reported it,
// even in the middle of a stream, and ErrTruncated where the answer broke off. A loop that ends without one saw all of the answer.
func (c *Client) ChatStream(ctx context.Context, req *ChatRequest) iter.Seq2[*Chunk, error] {
	return func(yield func(*Chunk, error) bool) {
		call, err := chatCall(req, true)
		if err == nil {
			err = stream(ctx, c, call, yield)
		}
		if err != nil {
			yield(nil, fmt.Errorf("chat: %w", err))
		}
	}
}

// fragment is a type that an event of a stream is decoded into.
type fragment[T any] interface {
	*T
	arrive(op *Operation, meta Meta, note func(choice int, reason FinishReason))
}

// stream returns nil when the answer is complete or the caller has left the loop.
func stream[T any, P fragment[T]](ctx context.Context, c *Client, call call, yield func(P, error) bool) (err error) {
	ctx, op := c.begin(ctx, &call)
	defer func() { c.end(ctx, op, err) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a, err := c.send(ctx, call, op)
	if err != nil {
		return err
	}
	defer a.body.Close()
	// Without a type it is read as the stream that was asked for.
	if media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); media == "application/json" {
		return c.notAStream(a)
	}
	events := event.NewReader(a.body, c.options.MaxEvent)
	var open event.Choices[FinishReason]
	ended := func() (all bool) {
		op.FinishReasons, all = open.Ended()
		return all
	}
	for {
		name, data, err := events.Next()
		switch {
		case errors.Is(err, io.EOF) && ended():
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return ErrTruncated
		case errors.Is(err, event.ErrTooLong), err != nil && ctx.Err() != nil:
			return fmt.Errorf("read stream: %w", err)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrTruncated, err)
		case bytes.HasPrefix(data, []byte("[DONE]")):
			ended()
			event.Drain(a.body, cancel)
			return nil
		case name == "error" || fault.Reported(data):
			return newError(http.StatusOK, data, a.Meta)
		}
		piece := P(new(T))
		if err := json.Unmarshal(data, piece); err != nil {
			if events.Cut() {
				return ErrTruncated
			}
			return fmt.Errorf("decode stream event: %w", err)
		}
		if op.FirstChunk == 0 {
			op.FirstChunk = time.Since(op.Start)
		}
		piece.arrive(op, a.Meta, open.Note)
		if err := open.Err(); err != nil {
			return err
		}
		if !yield(piece, nil) {
			ended()
			return nil
		}
	}
}

// notAStream explains a JSON reply where events were asked for.
func (c *Client) notAStream(a *answer) error {
	body, err := exchange.ReadAll(a.body, c.options.MaxReply)
	if err == nil && fault.Reported(body) {
		return newError(http.StatusOK, body, a.Meta)
	}
	return cmp.Or(err, errors.New("the service answered with one JSON document instead of a stream; call the method that does not stream"))
}
