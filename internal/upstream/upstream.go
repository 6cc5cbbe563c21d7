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
	"net/url"
	"sync/atomic"
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
	HTTP   Doer
	Name   string // who errors say has failed
	Base   string // the URL that Request.Path follows
	Query  string // what follows that, with its question mark; may be empty
	Header http.Header
	// Authorize adds credentials to a request; nil: there are none.
	Authorize func(context.Context, http.Header) error
	// Tell makes of an error of an answer one for callers; nil: it is one.
	Tell    func(error) error
	Codec   wire.Codec
	First   time.Duration // longest wait for a stream to begin; 0: no limit
	Whole   time.Duration // longest wait for an answer that is no stream to begin, which is when it is there; 0: no limit
	Silence time.Duration // longest wait for the next piece of an answer that has begun; 0: no limit
	Seen    func()        // called whenever something arrives; may be nil
	Room    Room          // what large answers take while they are read; nil: no limit

	last atomic.Pointer[address] // of a request: mostly there is one
}

// Room is memory that many share. It may be used concurrently.
type Room interface {
	Take(n int64) bool // reports whether there was so much of it
	Give(n int64)
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

// Chat answers a chat request: as a stream where it asks for one, else with one fragment that is all of it.
func (c *Client) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	return c.answer(ctx, llm.OpChat, r.Stream, func() (*wire.Request, error) { return c.Codec.EncodeChat(r) })
}

// Complete answers a text completion request, as Chat does.
func (c *Client) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	return c.answer(ctx, llm.OpComplete, r.Stream, func() (*wire.Request, error) { return c.Codec.EncodeComplete(r) })
}

func (c *Client) answer(ctx context.Context, op llm.Operation, stream bool, encode func() (*wire.Request, error)) llm.Stream {
	return func(yield func(*llm.Reply, error) bool) {
		var err error
		if stream {
			err = c.stream(ctx, op, encode, yield)
		} else {
			err = c.once(ctx, op, encode, yield)
		}
		if err != nil {
			yield(nil, c.told(err))
		}
	}
}

// told is an error for callers, which says who has failed.
func (c *Client) told(err error) error {
	if e, ok := errors.AsType[*llm.Error](err); ok && c.Name != "" && e.Backend == "" {
		named := *e
		named.Backend = c.Name
		err = &named
	}
	if c.Tell != nil {
		return c.Tell(err)
	}
	return err
}

// once yields the answer to a request for no stream.
func (c *Client) once(ctx context.Context, op llm.Operation, encode func() (*wire.Request, error), yield func(*llm.Reply, error) bool) error {
	req, err := encode()
	if err != nil {
		return err
	}
	body, header, err := c.whole(ctx, req)
	if err != nil {
		return err
	}
	reply, err := c.Codec.DecodeReply(op, body)
	if err != nil {
		return err
	}
	reply.Meta = c.Codec.DecodeMeta(header)
	yield(reply, nil)
	return nil
}

// Embed returns the vectors of the items.
func (c *Client) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	reply, err := c.embed(ctx, r)
	if err != nil {
		return nil, c.told(err)
	}
	return reply, nil
}

func (c *Client) embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	req, err := c.Codec.EncodeEmbed(r)
	if err != nil {
		return nil, err
	}
	body, header, err := c.whole(ctx, req)
	if err != nil {
		return nil, err
	}
	reply, err := c.Codec.DecodeEmbed(r, body)
	if err != nil {
		return nil, err
	}
	reply.Meta = c.Codec.DecodeMeta(header)
	return reply, nil
}

// Post sends a body to a URL of the same server and returns the whole answer.
func (c *Client) Post(ctx context.Context, to string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{cancel: cancel}
	defer w.pause()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, http.NoBody)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "Internal error.", Err: err}
	}
	res, err := c.send(ctx, w, r, &wire.Request{Pieces: [][]byte{body}})
	if err != nil {
		return nil, err
	}
	return c.read(ctx, w, res)
}

// whole sends a request and returns all of its answer.
func (c *Client) whole(ctx context.Context, req *wire.Request) ([]byte, http.Header, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{cancel: cancel}
	defer w.pause()
	w.limit(c.Whole, "did not answer within")
	res, err := c.ask(ctx, w, req)
	if err != nil {
		return nil, nil, err
	}
	body, err := c.read(ctx, w, res)
	return body, res.Header, err
}

// read reads the body of an answer to its end and closes it.
func (c *Client) read(ctx context.Context, w *watch, res *http.Response) ([]byte, error) {
	defer res.Body.Close()
	w.limit(c.Silence, silent)
	const believed = 4 << 20
	if res.ContentLength >= 0 && res.ContentLength <= believed {
		body := make([]byte, res.ContentLength)
		if _, err := io.ReadFull(heard{res.Body, w}, body); err != nil {
			return nil, c.broken(ctx, err)
		}
		c.seen()
		return body, nil
	}
	var body bytes.Buffer
	body.Grow(bytes.MinRead)
	from, held := heard{res.Body, w}, int64(0)
	defer func() {
		if held > 0 {
			c.Room.Give(held)
		}
	}()
	for most := int64(believed); ; most *= 2 {
		_, err := body.ReadFrom(io.LimitReader(from, most-int64(body.Len())))
		switch {
		case err != nil:
			return nil, c.broken(ctx, err)
		case int64(body.Len()) < most:
			c.seen()
			return body.Bytes(), nil
		case most >= maxReply:
			return nil, &llm.Error{Kind: llm.Upstream, Message: "The model's server sent an answer that is too large."}
		case c.Room == nil:
		case !c.Room.Take(most):
			return nil, full()
		default:
			held += most
		}
	}
}

// full is the error of an answer for which there is no room.
func full() *llm.Error {
	const pause = 2 * time.Second
	return &llm.Error{
		Kind: llm.Unavailable, RetryAfter: pause,
		Message: "This endpoint holds as many large requests and answers at once as it may (limits.body_memory). Try again in a moment.",
	}
}

// heard tells a watch of every piece that is read.
type heard struct {
	io.Reader
	w *watch
}

// Read reads a piece.
func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.w.again()
	return n, err //nolint:wrapcheck // the caller classifies it
}

func (c *Client) seen() {
	if c.Seen != nil {
		c.Seen()
	}
}

func (c *Client) stream(ctx context.Context, op llm.Operation, encode func() (*wire.Request, error), yield func(*llm.Reply, error) bool) error {
	req, err := encode()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{cancel: cancel}
	defer w.pause()
	w.limit(c.First, "did not begin to answer within")
	res, err := c.ask(ctx, w, req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind != "text/event-stream" {
		return &llm.Error{Kind: llm.Upstream, Message: "The model's server did not answer with a stream."}
	}
	meta := c.Codec.DecodeMeta(res.Header)
	return c.events(ctx, w, res.Body, c.Codec.NewDecoder(op), req.Choices, func(f *llm.Reply) bool {
		f.Meta, meta = meta, llm.Meta{}
		return yield(f, nil)
	})
}

// events yields the fragments of a stream until its end. The watch is over its beginning, and afterwards over every wait.
func (c *Client) events(ctx context.Context, w *watch, body io.Reader, d wire.Decoder, choices int, yield func(*llm.Reply) bool) error {
	begun := false
	events := sse.NewReader(body)
	events.Within(c.Room)
	defer events.Close()
	for {
		got, err := events.Next()
		switch {
		case err == nil:
		case errors.Is(err, sse.ErrTooLarge):
			return &llm.Error{Kind: llm.Upstream, Message: "The model's server sent an event that is too large.", Err: err}
		case errors.Is(err, sse.ErrNoRoom):
			return full()
		case !errors.Is(err, io.EOF) || !d.Complete(choices):
			return c.broken(ctx, err)
		default:
			return nil
		}
		c.seen()
		f, err := d.Decode(got, events.Raw())
		switch {
		case errors.Is(err, io.EOF):
			if !d.Complete(choices) {
				return c.broken(ctx, io.ErrUnexpectedEOF)
			}
			return nil
		case err != nil && (!begun || f == nil): // before the answer begins another may be asked
			return err
		}
		if begins := f != nil && f.Begins(); begins && !begun {
			begun = true
			w.limit(c.Silence, silent)
		}
		if begun {
			w.pause() // a caller who is slow to read is not the server's silence
		}
		if f != nil && !yield(f) {
			return nil
		}
		if err != nil {
			return err
		}
		if begun {
			w.again()
		}
	}
}

// always are headers of every request.
var always = http.Header{
	"Content-Type": {"application/json"},
	// A server may close an idle connection in the moment in which it is used again. Without a value this is not
	// sent, and lets the transport repeat a request of which no answer has begun on a new connection.
	"Idempotency-Key": {},
}

// address is where requests of one path go.
type address struct {
	path    string
	request *http.Request // without its body, and what its header says of it
}

// ask posts a request to where the codec wants it, as send does.
func (c *Client) ask(ctx context.Context, w *watch, r *wire.Request) (*http.Response, error) {
	at := c.last.Load()
	if at == nil || at.path != r.Path {
		to, err := url.Parse(c.Base + r.Path + c.Query)
		if err != nil {
			return nil, &llm.Error{Kind: llm.Internal, Message: "Internal error.", Err: err}
		}
		at = &address{r.Path, &http.Request{Method: http.MethodPost, URL: to, Host: to.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}}
		c.last.Store(at)
	}
	return c.send(ctx, w, at.request.WithContext(ctx), r)
}

// send sends a request and turns every status but 200 into an error.
func (c *Client) send(ctx context.Context, w *watch, req *http.Request, r *wire.Request) (*http.Response, error) {
	for _, p := range r.Pieces {
		req.ContentLength += int64(len(p))
	}
	sent := &body{pieces: r.Pieces}
	req.Body, req.GetBody = sent, sent.again
	req.Header = make(http.Header, len(c.Header)+len(r.Header)+len(always)+1)
	maps.Copy(req.Header, c.Header)
	maps.Copy(req.Header, r.Header)
	if c.Authorize != nil {
		if err := c.Authorize(ctx, req.Header); err != nil {
			return nil, c.unauthorized(ctx, err)
		}
	}
	maps.Copy(req.Header, always)
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
	w.limit(c.Silence, silent)
	text, err := io.ReadAll(io.LimitReader(heard{res.Body, w}, maxError))
	if _, quiet := errors.AsType[silence](context.Cause(ctx)); err != nil && ctx.Err() != nil && !quiet {
		return nil, c.broken(ctx, err)
	} // else the status tells enough, however its reasons end
	return nil, c.Codec.DecodeError(res.StatusCode, res.Header, text)
}

// unauthorized says that there were no credentials to send. Why is for the log alone: it may name who asked for them.
func (c *Client) unauthorized(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return c.broken(ctx, err)
	}
	return &llm.Error{Kind: llm.Upstream, Message: "No credentials could be had for the model's server.", Err: fmt.Errorf("get credentials: %w", err)}
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
