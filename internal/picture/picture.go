// Package picture turns an image that a caller sent or named into one that a
// model can be shown: it finds it (a data URL, or the answer to a GET), tells
// its type by its content, judges its size before it decodes it, and hands on
// a new 8-bit PNG or JPEG that stands upright and has no transparency. So no
// decoder behind this package ever meets the bytes of a stranger.
package picture

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// The limits where Limits sets none.
const (
	defaultBytes  = 20 << 20
	defaultPixels = 50_000_000
	defaultSide   = 16_384
	defaultImages = 16
	defaultTime   = 15 * time.Second
	defaultMemory = 1 << 30
)

// fetches is how many images a Reader fetches and holds at a time, those of one caller being three in four at most.
const fetches = 32

// smallShare is which part of the memory is for small images, and which part of that each of them takes at most.
const smallShare = 4

// Doer sends HTTP requests; *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Limits bound what is read; a zero means the default.
type Limits struct {
	Bytes  int64         // of one image as a file; 20 MiB
	Pixels int64         // of one image, twice as many in one ReadAll, and Images times as many in a Batch; 50 million
	Side   int           // pixels of the longer side; 16,384
	Images int           // in one ReadAll; 16
	Time   time.Duration // to fetch one image, and to wait until that may begin; 15 s
	// Memory is about how many bytes all images take that are being decoded, a quarter of it small ones; one that needs more
	// than that is decoded alone, and the others wait. 1 GiB.
	Memory int64
}

// Options is what a Reader is made of.
type Options struct {
	// HTTP fetches http and https URLs. It decides which it asks, and redirects to where; an error of it that has a method
	// Refusal() string says with it to the caller why not. Nil: only data URLs are read.
	HTTP   Doer
	Limits Limits
}

// Reader reads images. It is safe for concurrent use, and shared, as it bounds what all of them take together.
type Reader struct {
	caller  string
	http    Doer
	limits  Limits
	memory  *semaphore.Weighted // for what is large
	small   *semaphore.Weighted // for the others, which need not wait for those
	fetches *places
}

// New makes a Reader.
func New(o Options) *Reader {
	l := o.Limits
	orDefault(&l.Bytes, defaultBytes)
	orDefault(&l.Pixels, defaultPixels)
	orDefault(&l.Side, defaultSide)
	orDefault(&l.Images, defaultImages)
	orDefault(&l.Time, defaultTime)
	orDefault(&l.Memory, defaultMemory)
	small := l.Memory / smallShare
	return &Reader{
		http: o.HTTP, limits: l, memory: semaphore.NewWeighted(l.Memory - small), small: semaphore.NewWeighted(small), fetches: newPlaces(fetches),
	}
}

// For is the same Reader for a caller, who gets a fair share of the fetches.
func (r *Reader) For(caller string) *Reader {
	own := *r
	own.caller = caller
	return &own
}

func orDefault[T ~int | ~int64](limit *T, otherwise T) {
	if *limit <= 0 {
		*limit = otherwise
	}
}

// Picture is an image that stands upright and is opaque. It is not changed once made. Equal pixels of equal origin, lossy or not,
// give equal Data.
type Picture struct {
	Data   []byte // the file
	Type   string // image/png or image/jpeg
	Width  int    // pixels
	Height int
}

// Error says what is wrong with an image. Every other error of this package is that of the context.
type Error struct {
	Type  string // in the manner of doc/protocol.md §7.3: value_error, url_parsing, url_scheme, bytes_too_long, too_long
	Msg   string // a sentence that is safe to show to the caller
	Index int    // which of the images of a ReadAll
	Busy  bool   // nothing is wrong with it: there are too many to fetch
	Err   error  // the cause, for the log; may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// faulty makes an Error of a value.
func faulty(format string, args ...any) *Error {
	return &Error{Type: "value_error", Msg: fmt.Sprintf(format, args...)}
}

// Read reads the image of a URL.
func (r *Reader) Read(ctx context.Context, url string) (*Picture, error) {
	return r.Batch().Read(ctx, url)
}

// Batch reads the images of one request one by one, within a limit of their sum: Pixels for each of Images. It may be used
// concurrently.
type Batch struct {
	reader *Reader
	pixels atomic.Int64
}

// Batch makes one for a request.
func (r *Reader) Batch() *Batch { return &Batch{reader: r} }

// Read reads the image of a URL.
func (b *Batch) Read(ctx context.Context, url string) (*Picture, error) {
	p, err := b.reader.read(ctx, url, &b.pixels, int64(b.reader.limits.Images)*b.reader.limits.Pixels)
	return p, caused(ctx, err)
}

// ReadAll reads the images of one request, side by side, within the limits of their number and sum.
func (r *Reader) ReadAll(ctx context.Context, urls []string) ([]*Picture, error) {
	if len(urls) > r.limits.Images {
		return nil, &Error{Type: "too_long", Msg: fmt.Sprintf("A request has at most %d images, not %d.", r.limits.Images, len(urls)), Index: r.limits.Images}
	}
	pictures := make([]*Picture, len(urls))
	pixels := &atomic.Int64{}
	group, each := errgroup.WithContext(ctx)
	for i, url := range urls {
		group.Go(func() error {
			var err error
			pictures[i], err = r.read(each, url, pixels, 2*r.limits.Pixels)
			if e, ok := err.(*Error); ok { //nolint:errorlint // read returns it as it is
				e.Index = i
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, caused(ctx, err)
	}
	return pictures, nil
}

// caused is err, or where the context ended the reason for it.
func caused(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// read reads an image and adds its pixels to those of its request, of which there may be so many.
func (r *Reader) read(ctx context.Context, url string, pixels *atomic.Int64, most int64) (*Picture, error) {
	data, done, err := r.bytes(ctx, url)
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := r.judge(data)
	if err != nil {
		return nil, err
	}
	if sum := pixels.Add(f.pixels()); sum > most {
		return nil, &Error{Type: "bytes_too_long", Msg: fmt.Sprintf("The images of a request have at most %d pixels together.", most)}
	}
	small := r.limits.Memory / smallShare
	memory, weight := r.small, f.memory()
	if weight > small/smallShare {
		memory, weight = r.memory, min(weight, r.limits.Memory-small)
	}
	if err := memory.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	defer memory.Release(weight)
	return f.convert(ctx)
}
