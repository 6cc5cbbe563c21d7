package dialect

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Encoder writes one streamed answer in a door's format. It is for one goroutine.
type Encoder interface {
	// Fragment appends what is sent for a fragment.
	Fragment(dst []byte, f *llm.Reply) []byte
	// Fail appends what tells of an error after the answer has begun.
	Fail(dst []byte, e *llm.Error) []byte
	// End appends what ends a complete answer.
	End(dst []byte) []byte
}

// errAborted is returned when an answer that had begun could not be finished.
var errAborted = errors.New("the answer was broken off")

// Stream writes an answer as server-sent events. Nothing is sent, not even the status, before the
// first fragment, so that whatever fails before it is an ordinary error. begin makes the encoder
// from the first fragment.
func (o *Options) Stream(w http.ResponseWriter, r *http.Request, s llm.Stream, begin func(first *llm.Reply) Encoder) error {
	var (
		enc     Encoder
		buf     []byte
		failure error
		control = http.NewResponseController(w)
	)
	for f, err := range s {
		if err != nil {
			failure = err
			break
		}
		if enc == nil {
			enc = begin(f)
			h := w.Header()
			h.Set("Content-Type", "text/event-stream")
			h.Set("Cache-Control", "no-cache")
			h.Set("X-Accel-Buffering", "no")
			MetaHeaders(h, f.Meta)
			w.WriteHeader(http.StatusOK)
		}
		buf = enc.Fragment(buf[:0], f)
		if len(buf) > 0 {
			if failure = o.write(w, control, buf); failure != nil {
				break
			}
			if r.ProtoMajor > 1 { // where a deadline ends the stream, and not only a write to it: the model may pause
				_ = control.SetWriteDeadline(time.Time{})
			}
		}
	}
	switch {
	case enc == nil && failure != nil:
		return failure
	case enc == nil:
		return &llm.Error{Kind: llm.Upstream, Message: "The model gave no answer."}
	case failure != nil:
		if e := o.shown(r, failure); e.Code != llm.CodeCut {
			_ = o.write(w, control, enc.Fail(buf[:0], e))
		}
		return errAborted
	}
	if err := o.write(w, control, enc.End(buf[:0])); err != nil {
		return errAborted
	}
	return nil
}

// write sends and flushes within the time that a reader may take for it.
func (o *Options) write(w http.ResponseWriter, c *http.ResponseController, b []byte) error {
	if o.WriteTimeout > 0 {
		_ = c.SetWriteDeadline(time.Now().Add(o.WriteTimeout))
	}
	_, err := w.Write(b)
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		return &llm.Error{Kind: llm.Canceled, Message: "The caller stopped reading.", Err: err}
	}
	return nil
}

// Answer writes a whole answer to a request, or returns an error where large ones have no room.
func (o *Options) Answer(w http.ResponseWriter, r *http.Request, body []byte) error {
	// A slow reader holds all of it.
	if err := o.hold(of(r.Context()), int64(len(body))-freeBody); err != nil {
		return err
	}
	o.JSON(w, http.StatusOK, body)
	return nil
}

// JSON writes a small answer, giving a reader the same time for each piece of it as in a stream.
func (o *Options) JSON(w http.ResponseWriter, status int, body []byte) {
	fields := newFields(w.Header(), 2)
	fields.set("Content-Type", "application/json")
	fields.set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	const piece = 64 << 10
	control := http.NewResponseController(w)
	for len(body) > 0 {
		if o.WriteTimeout > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(o.WriteTimeout))
		}
		n, err := w.Write(body[:min(len(body), piece)])
		if err != nil {
			return
		}
		body = body[n:]
	}
}
