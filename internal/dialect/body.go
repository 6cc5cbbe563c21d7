package dialect

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Budget counts the memory that the bodies of all requests and their whole answers hold together, each
// until its request is answered. The zero value is ready; it may be used concurrently and must not be copied.
type Budget struct{ used atomic.Int64 }

// Used is how many bytes are held.
func (b *Budget) Used() int64 { return b.used.Load() }

// take counts n bytes more, unless there would be more than most. One that is alone is always taken,
// or it would be told to try again for ever.
func (b *Budget) take(n, most int64) bool {
	if now := b.used.Add(n); now <= most || now == n {
		return true
	}
	b.used.Add(-n)
	return false
}

// Room is a Budget within which others than doors hold what answers take.
type Room struct {
	Budget *Budget
	Most   int64 // bytes; 0: no limit
}

// Take counts n bytes more, unless there would be too many.
func (r Room) Take(n int64) bool {
	if r.Most <= 0 {
		r.Budget.used.Add(n)
		return true
	}
	return r.Budget.take(n, r.Most)
}

// Give gives n bytes back.
func (r Room) Give(n int64) { r.Budget.used.Add(-n) }

// freeBody is what each body may hold besides the budget, so that ordinary requests get by while
// large ones wait for each other.
const freeBody = 64 << 10

// believed is the largest body for which there is room at once, because its length says so.
const believed = 256 << 10

// hold counts bytes more until the request is answered.
func (o *Options) hold(x *exchange, more int64) error {
	if o.Budget == nil || o.BodyMemory <= 0 || more <= 0 {
		return nil
	}
	if !o.Budget.take(more, o.BodyMemory) {
		const pause = 2 * time.Second
		return &llm.Error{
			Kind: llm.Unavailable, RetryAfter: pause,
			Message: "This endpoint holds as many large requests and answers at once as it may (limits.body_memory). Try again in a moment.",
		}
	}
	x.held += more
	return nil
}

// release gives back what an answered request held.
func (o *Options) release(x *exchange) {
	if x.held > 0 {
		o.Budget.used.Add(-x.held)
		x.held = 0
	}
}

// jsonTypes are the media types under which JSON arrives; the form type is what curl -d says.
var jsonTypes = map[string]bool{"application/json": true, "text/plain": true, "application/x-www-form-urlencoded": true}

// Body reads a request's JSON body, decoded where it comes compressed, within the limits of size,
// time and memory. Errors are *llm.Error. For handlers under Serve, whose requests the bytes belong
// to until they are answered.
func (o *Options) Body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if t := r.Header.Get("Content-Type"); t != "" {
		kind, _, _ := strings.Cut(t, ";") // any parameters, well-formed or not
		kind = strings.ToLower(strings.TrimSpace(kind))
		if !jsonTypes[kind] && !strings.HasSuffix(kind, "+json") {
			return nil, &llm.Error{Kind: llm.MediaType, Message: "Content-Type must be application/json."}
		}
	}
	compressed, err := gzipped(r.Header)
	if err != nil {
		w.Header().Set("Accept-Encoding", "gzip, identity") // RFC 7694 §3
		return nil, err
	}
	if r.ContentLength > o.MaxBody {
		return nil, o.tooLarge()
	}
	in := &arriving{o: o, body: r.Body, control: *http.NewResponseController(w)}
	if o.BodyTotal > 0 {
		in.end = time.Now().Add(o.BodyTotal)
	}
	// The deadline of the last read ends with the body: net/http lifts it to wait for a hang-up.
	if compressed {
		return o.inflate(in, of(r.Context()))
	}
	return o.collect(in, r.ContentLength, of(r.Context()))
}

// gzipped reads Content-Encoding: one gzip is taken, anything else refused by name.
func gzipped(h http.Header) (bool, error) {
	var codings []string
	for c := range strings.SplitSeq(strings.Join(h.Values("Content-Encoding"), ","), ",") {
		if c = strings.ToLower(strings.TrimSpace(c)); c != "" && c != "identity" {
			codings = append(codings, c)
		}
	}
	switch {
	case len(codings) == 0:
		return false, nil
	case len(codings) == 1 && (codings[0] == "gzip" || codings[0] == "x-gzip"):
		return true, nil
	}
	const most = 64
	named := strings.Join(codings, ", ")
	return false, &llm.Error{Kind: llm.MediaType, Message: "Content-Encoding " + strconv.QuoteToASCII(named[:min(len(named), most)]) + " is not supported: send the request body uncompressed, or with one gzip."}
}

// arriving reads a body from its connection within the limits of time.
type arriving struct {
	o       *Options
	body    io.Reader
	control http.ResponseController
	end     time.Time // of all patience; zero is never
	n       int64     // bytes that came
}

// Read returns io.EOF or an *llm.Error.
func (a *arriving) Read(p []byte) (int, error) {
	if a.n > a.o.MaxBody { // compressed to more than itself, or to nothing
		return 0, a.o.tooLarge()
	}
	deadline := a.end
	if a.o.BodyTimeout > 0 {
		if next := time.Now().Add(a.o.BodyTimeout); deadline.IsZero() || next.Before(deadline) {
			deadline = next
		}
	}
	if !deadline.IsZero() {
		_ = a.control.SetReadDeadline(deadline)
	}
	n, err := a.body.Read(p)
	a.n += int64(n)
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return n, &llm.Error{Kind: llm.Malformed, Message: "The request body could not be read to its end.", Err: err}
	case deadline.Equal(a.end):
		return n, &llm.Error{Kind: llm.Late, Message: "The request body took longer than " + a.o.BodyTotal.String() + " to arrive (limits.body_total).", Err: err}
	}
	return n, &llm.Error{Kind: llm.Late, Message: "The request body stopped arriving: nothing came for " + a.o.BodyTimeout.String() + " (limits.body_timeout).", Err: err}
}

// collect reads all of r, which is expected to be of this size where that is not negative.
func (o *Options) collect(r io.Reader, size int64, x *exchange) ([]byte, error) {
	const least = 512
	most := o.MaxBody + 1 // one byte more tells that there are too many
	if size >= 0 {
		most = size + 1 // and here it lets the reader see the end
	}
	first, counted := min(most, freeBody), int64(freeBody)
	if size > freeBody && size <= believed {
		if err := o.hold(x, size-freeBody); err != nil {
			return nil, err
		}
		first, counted = most, size
	}
	buf := make([]byte, 0, max(least, first))
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > o.MaxBody:
			return nil, o.tooLarge()
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) < cap(buf):
			continue
		}
		// What a large length only claims takes no memory: the buffer grows with what came. It counts whole,
		// though, or many large bodies at once would stop each other half-way.
		larger := max(min(2*int64(cap(buf)), most), int64(cap(buf))+least)
		if whole := max(larger, size); whole > counted {
			if err := o.hold(x, whole-counted); err != nil {
				return nil, err
			}
			counted = whole
		}
		buf = append(make([]byte, 0, larger), buf...)
	}
}

// inflate reads a gzip body; the limit of size holds for what it becomes, too.
func (o *Options) inflate(in *arriving, x *exchange) ([]byte, error) {
	const unknown = -1
	var body []byte
	z, err := gzip.NewReader(in)
	if err == nil {
		body, err = o.collect(z, unknown, x)
	}
	if _, known := errors.AsType[*llm.Error](err); err == nil || known {
		return body, err
	}
	why := "it is damaged, or something else follows it"
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		why = "it ends too early"
	}
	return nil, &llm.Error{Kind: llm.Malformed, Message: "The request body is not what its Content-Encoding gzip promises: " + why + ".", Err: err}
}

func (o *Options) tooLarge() *llm.Error {
	return &llm.Error{Kind: llm.TooLarge, Message: "The request body is larger than " + strconv.FormatInt(o.MaxBody, 10) + " bytes, the limit of this endpoint (limits.body)."}
}

// refuse writes an error while the body may still be arriving. The answer does not wait for the
// rest, and goes out whole before the connection is closed: a peer who is still sending when it is
// closed might never read it.
func (o *Options) refuse(w http.ResponseWriter, r *http.Request, e *llm.Error, write ErrorWriter) {
	if r.Body == nil || r.Body == http.NoBody {
		write(w, r, e)
		return
	}
	const (
		patience = time.Second      // for the rest of a small body, without which the connection is of no more use
		look     = 3 * time.Second  // for one whose reader has given up, while a peer who still sends looks for an answer
		quiet    = time.Second      // for more of a large one
		linger   = 5 * time.Second  // for all of it, unless it comes at this
		pace     = 1 << 20          // or more bytes a second: a busy machine's peer does read an answer,
		most     = 30 * time.Second // but one who never ends does not
	)
	control := http.NewResponseController(w)
	rest := time.Now()
	if e.Kind != llm.Late {
		rest = rest.Add(patience)
	} else if r.ProtoMajor == 1 { // the server reads ahead, and where that ends in time all later requests would be cancelled
		w.Header().Set("Connection", "close")
	}
	_ = control.SetReadDeadline(rest)
	write(w, r, e)
	if r.ProtoMajor != 1 || control.Flush() != nil {
		return
	}
	o.release(of(r.Context())) // nobody has the body any more
	if e.Kind == llm.Late {
		select {
		case <-time.After(look):
		case <-r.Context().Done():
		}
		return
	}
	piece := make([]byte, freeBody/2)
	var came float64
	for began := time.Now(); ; {
		took := time.Since(began)
		if took >= most || took >= linger && came < pace*took.Seconds() {
			return
		}
		_ = control.SetReadDeadline(time.Now().Add(quiet))
		n, err := r.Body.Read(piece)
		if err != nil {
			return
		}
		came += float64(n)
	}
}
