package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"time"
)

// ErrTruncated reports a stream that ended before the answer was complete.
var ErrTruncated = fmt.Errorf("stream ended before the answer was complete: %w", io.ErrUnexpectedEOF)

// Chunk is a fragment of a streamed answer: it holds only what is new.
type Chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created Timestamp     `json:"created"`
	Model   string        `json:"model"`
	Choices []ChunkChoice `json:"choices"` // may be empty
	Usage   *Usage        `json:"usage"`   // on one of the last chunks

	Extra  Extra       `json:"-"`
	Header http.Header `json:"-"` // of the HTTP response, the same for all chunks
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
	return decode(data, (*plain)(c), &c.Extra)
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *ChunkChoice) UnmarshalJSON(data []byte) error {
	type plain ChunkChoice
	return decode(data, (*plain)(c), &c.Extra)
}

// ChatStream asks for an answer in fragments. Ranging over the result makes the call, ranging again makes another one;
// leaving the loop ends it and frees the connection. An error is the last pair: an *Error where the service reported it,
// even in the middle of a stream, and ErrTruncated where the answer broke off. A loop that ends without one saw all of the answer.
func (c *Client) ChatStream(ctx context.Context, req *ChatRequest) iter.Seq2[*Chunk, error] {
	return func(yield func(*Chunk, error) bool) {
		if err := c.stream(ctx, req, yield); err != nil {
			yield(nil, fmt.Errorf("chat: %w", err))
		}
	}
}

// stream returns nil when the answer is complete or the caller has left the loop.
func (c *Client) stream(ctx context.Context, req *ChatRequest, yield func(*Chunk, error) bool) error {
	call, err := c.chat(req, true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.send(ctx, call)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// Without a type it is read as the stream that was asked for.
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "application/json" {
		return notAStream(resp)
	}
	events := eventReader{r: bufio.NewReader(resp.Body), max: c.options.MaxEvent}
	finished := false
	for {
		name, data, err := events.next()
		switch {
		case errors.Is(err, io.EOF) && finished:
			return nil
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return ErrTruncated
		case err != nil:
			return fmt.Errorf("read stream: %w", err)
		case bytes.HasPrefix(data, []byte("[DONE]")):
			drain(resp.Body, cancel)
			return nil
		}
		if e := errorMember(data); e != nil {
			return e.from(resp)
		} else if name == "error" {
			return parseError(data).from(resp)
		}
		chunk := &Chunk{Header: resp.Header}
		if err := json.Unmarshal(data, chunk); err != nil {
			if events.cut {
				return ErrTruncated
			}
			return fmt.Errorf("decode stream event: %w", err)
		}
		for i := range chunk.Choices {
			finished = finished || chunk.Choices[i].FinishReason != ""
		}
		if !yield(chunk, nil) {
			return nil
		}
	}
}

// notAStream explains a JSON reply where events were asked for.
func notAStream(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		return fmt.Errorf("read reply: %w", err)
	}
	if e := errorMember(body); e != nil {
		return e.from(resp)
	}
	return errors.New("the service answered with one JSON document instead of a stream; use Chat")
}

// drain reads what follows the end of a stream, so that the connection can be used again, but does not wait for it long.
func drain(body io.Reader, cancel context.CancelFunc) {
	defer time.AfterFunc(50*time.Millisecond, cancel).Stop()
	io.Copy(io.Discard, io.LimitReader(body, 4<<10))
}

// eventReader splits a text/event-stream. It takes what servers send: LF or CRLF, a byte order mark, comments,
// fields it does not know, a missing space after the colon, data in several lines, and no blank line at the end.
type eventReader struct {
	r     *bufio.Reader
	max   int
	begun bool
	cut   bool // the last event was ended by the stream's end, not by a blank line
	line  []byte
}

// next returns the next event that has data, which is valid for good, or io.EOF.
func (e *eventReader) next() (name string, data []byte, err error) {
	lines := 0
	for {
		line, err := e.readLine(len(data))
		if err != nil {
			if errors.Is(err, io.EOF) && lines > 0 {
				e.cut = true
				return name, data, nil
			}
			return "", nil, err
		}
		if len(line) == 0 {
			if len(data) > 0 {
				return name, data, nil
			}
			name, data, lines = "", nil, 0
			continue
		}
		field, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(field) {
		case "event":
			name = string(value)
		case "data":
			if lines > 0 {
				data = append(data, '\n')
			}
			data = append(data, value...)
			lines++
		}
	}
}

// readLine returns the next line without its end; used bytes of the event's limit are spent already.
func (e *eventReader) readLine(used int) ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.r.ReadSlice('\n')
		if len(part)+len(e.line)+used > e.max {
			return nil, fmt.Errorf("event longer than %d bytes; raise Options.MaxEvent", e.max)
		}
		e.line = append(e.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(e.line) == 0) {
			return nil, err
		}
		break
	}
	line := e.line
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSuffix(line, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'}), nil
}
