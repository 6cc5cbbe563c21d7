// Package upstream holds one HTTP conversation with a model's server correctly, whatever wire
// format it speaks: it sends, streams, notices silence and truncation, and closes.
package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
	"github.com/ingot-llm/ingot/internal/wire"
)

// The bounds of what a server may send.
const (
	maxError = 64 << 10
	maxReply = 256 << 20
)

// Doer sends HTTP requests; *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client speaks to one server. Its fields must not change while it is in use; calls may be concurrent.
type Client struct {
	HTTP    Doer
	Base    string // the URL that Request.Path follows
	Header  http.Header
	Codec   wire.Codec
	First   time.Duration // longest wait for a stream to begin; 0: no limit
	Silence time.Duration // longest wait for the next piece of a stream that has begun; 0: no limit
	Seen    func()        // called whenever something arrives; may be nil
}

// NewTransport returns a transport for many concurrent conversations with few hosts.
func NewTransport(connect time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Chat streams the answer to a chat request.
func (c *Client) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	return c.stream(ctx, llm.OpChat, func() (*wire.Request, error) { return c.Codec.EncodeChat(r) })
}

// Complete streams the answer to a text completion request.
func (c *Client) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	return c.stream(ctx, llm.OpComplete, func() (*wire.Request, error) { return c.Codec.EncodeComplete(r) })
}

// Embed returns the vectors of the items.
func (c *Client) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	req, err := c.Codec.EncodeEmbed(r)
	if err != nil {
		return nil, err
	}
	body, err := c.whole(ctx, c.Base+req.Path, req.Pieces)
	if err != nil {
		return nil, err
	}
	reply, err := c.Codec.DecodeEmbed(body)
	if err != nil {
		return nil, err
	}
	if len(reply.Vectors) != len(r.Items) {
		return nil, &llm.Error{
			Kind:    llm.Upstream,
			Message: fmt.Sprintf("The model's server sent %d embeddings for %d inputs.", len(reply.Vectors), len(r.Items)),
		}
	}
	return reply, nil
}

// Post sends a body to a URL of the same server and returns the whole answer.
func (c *Client) Post(ctx context.Context, url string, body []byte) ([]byte, error) {
	return c.whole(ctx, url, [][]byte{body})
}

func (c *Client) whole(ctx context.Context, url string, pieces [][]byte) ([]byte, error) {
	res, err := c.send(ctx, url, pieces)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if len(body) > maxReply {
		return nil, &llm.Error{Kind: llm.Upstream, Message: "The model's server sent an answer that is too large."}
	}
	c.seen()
	return body, nil
}

func (c *Client) seen() {
	if c.Seen != nil {
		c.Seen()
	}
}

// silence is the cause of a context that ended because nothing arrived.
type silence struct {
	error
	message string
}

// after ends a context when d passes; 0 is never.
func after(d time.Duration, cancel context.CancelCauseFunc, what string) *time.Timer {
	if d <= 0 {
		return nil
	}
	return time.AfterFunc(d, func() {
		cancel(silence{context.DeadlineExceeded, "The model " + what + " " + d.String() + "."})
	})
}

func stop(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

func (c *Client) stream(ctx context.Context, op llm.Operation, encode func() (*wire.Request, error)) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		req, err := encode()
		if err != nil {
			yield(nil, err)
			return
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		first := after(c.First, cancel, "did not begin to answer within")
		defer stop(first)
		res, err := c.send(ctx, c.Base+req.Path, req.Pieces)
		if err != nil {
			yield(nil, err)
			return
		}
		defer res.Body.Close()
		if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
			yield(nil, &llm.Error{Kind: llm.Upstream, Message: "The model's server did not answer with a stream."})
			return
		}
		c.events(ctx, cancel, res.Body, c.Codec.NewDecoder(op), first, yield)
	}
}

// events yields the fragments of a stream until its end. watch guards its beginning, and afterwards every wait.
func (c *Client) events(ctx context.Context, cancel context.CancelCauseFunc, body io.Reader, d wire.Decoder, watch *time.Timer, yield func(*llm.Reply, error) bool) {
	begun := false
	events := sse.NewReader(body)
	for {
		got, err := events.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) || !d.Complete() {
				yield(nil, c.broken(ctx, err))
			}
			return
		}
		c.seen()
		f, err := d.Decode(got, events.Raw())
		switch {
		case errors.Is(err, io.EOF):
			if !d.Complete() {
				yield(nil, c.broken(ctx, io.ErrUnexpectedEOF))
			}
			return
		case err != nil:
			yield(nil, err)
			return
		}
		if begins := f != nil && f.Begins(); begins && !begun {
			begun = true
			stop(watch)
			watch = after(c.Silence, cancel, "fell silent for")
			defer stop(watch)
		}
		if begun {
			stop(watch) // a caller who is slow to read is not the server's silence
		}
		if f != nil && !yield(f, nil) {
			return
		}
		if begun && watch != nil {
			watch.Reset(c.Silence)
		}
	}
}

// send posts a request and turns every status but 200 into an error.
func (c *Client) send(ctx context.Context, url string, pieces [][]byte) (*http.Response, error) {
	body := func() io.ReadCloser {
		readers := make([]io.Reader, len(pieces))
		for i, p := range pieces {
			readers[i] = bytes.NewReader(p)
		}
		return io.NopCloser(io.MultiReader(readers...))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body())
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "Internal error.", Err: err}
	}
	for _, p := range pieces {
		req.ContentLength += int64(len(p))
	}
	req.GetBody = func() (io.ReadCloser, error) { return body(), nil }
	maps.Copy(req.Header, c.Header)
	req.Header.Set("Content-Type", "application/json")
	// A server may close an idle connection in the moment in which it is used again. Without a value this is not
	// sent, and lets the transport repeat a request of which no answer has begun on a new connection.
	req.Header["Idempotency-Key"] = []string{}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols { // what follows it no context ends
		return nil, c.broken(ctx, errors.New("the server switched protocols unasked"))
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxError))
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	return nil, c.Codec.DecodeError(res.StatusCode, res.Header, text)
}

// broken classifies an error of the connection; the context's own end comes first.
func (c *Client) broken(ctx context.Context, err error) *llm.Error {
	if cause := context.Cause(ctx); cause != nil {
		if s, ok := errors.AsType[silence](cause); ok {
			return &llm.Error{Kind: llm.Timeout, Message: s.message, Err: err}
		}
		return llm.AsError(cause)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &llm.Error{Kind: llm.Upstream, Message: "The model's answer broke off before its end.", Err: err}
	}
	return &llm.Error{Kind: llm.Upstream, Message: "The connection to the model's server failed.", Err: err}
}
