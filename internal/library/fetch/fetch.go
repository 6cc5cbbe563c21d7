// Package fetch downloads one file over HTTP so that it can be interrupted and
// repeated at will: it resumes, checks the SHA-256 while it writes, and lets
// the file appear under its name only when it is whole and right.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// Client fetches files. The zero value works; it may be used concurrently, but
// one path by one goroutine at a time.
type Client struct {
	HTTP    *http.Client  // nil: one with the default transport's settings
	Log     *slog.Logger  // nil: silent
	Tries   int           // failures in a row before giving up; 0: 6
	Backoff time.Duration // wait after the first failure, then doubled; 0: 500 ms
	Silence time.Duration // without a byte for this long an attempt has failed; 0: 60 s
}

// Request says what to fetch and what it must be.
type Request struct {
	URL    string // https, or http to this machine
	Path   string // where the file goes; Path.partial and Path.partial.json hold what is under way
	SHA256 string // what it must be; empty: what the server announces, else anything
	Size   int64  // bytes it must have; 0: what the server announces
	Limit  int64  // bytes it may have; required
	Token  string // sent as a bearer token to URL's host and to no other
}

// Result is what came.
type Result struct {
	SHA256 string
	Size   int64 // bytes
}

// DigestError says that a source has another file than the one wanted.
type DigestError struct{ URL, Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s has SHA-256 %s, want %s: it is not the file that was asked for", bare(e.URL), e.Got, e.Want)
}

// StatusError is an HTTP answer that is not the file.
type StatusError struct {
	URL    string
	Status int
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("get %s: status %d %s", bare(e.URL), e.Status, http.StatusText(e.Status))
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		s += ": it may need a token: accept the model's terms on its page and set HF_TOKEN"
	}
	return s
}

// fatal marks an error that trying again does not mend.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

// later is a failure after which the server wants to be left alone for a while.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error { return l.error }

// errChanged says that what was kept is not a part of what the server now has.
var errChanged = errors.New("the file at the source has changed")

// File fetches r, resuming what an earlier call left. progress, if not nil,
// gets bytes done and in all (0: not known yet), on the caller's goroutine.
// After an error what has come so far is kept, except when it is wrong.
func (c Client) File(ctx context.Context, r Request, progress func(done, total int64)) (Result, error) {
	if err := CheckURL(r.URL); err != nil {
		return Result{}, err
	}
	p, err := openPartial(ctx, r)
	if err != nil {
		return Result{}, err
	}
	defer p.end()
	for {
		resumed := p.size > 0
		if err := c.fill(ctx, r, p, progress); err != nil {
			return Result{}, err
		}
		res := Result{SHA256: p.digest(), Size: p.size}
		if p.state.SHA256 == "" || p.state.SHA256 == res.SHA256 {
			return res, p.commit(r.Path)
		}
		want := p.state.SHA256
		if err := p.reset(); err != nil {
			return Result{}, err
		}
		if !resumed {
			return Result{}, &DigestError{URL: r.URL, Want: want, Got: res.SHA256}
		}
		c.warn(ctx, "kept part was wrong, starting again", r.URL, nil)
	}
}

// fill repeats attempts until the partial file is complete.
func (c Client) fill(ctx context.Context, r Request, p *partial, progress func(done, total int64)) error {
	tries, wait := c.Tries, c.Backoff
	if tries == 0 {
		tries = 6
	}
	if wait == 0 {
		wait = 500 * time.Millisecond
	}
	for fails := 0; !p.complete(); {
		before := p.size
		err := c.attempt(ctx, r, p, progress)
		if cause := context.Cause(ctx); cause != nil {
			return fmt.Errorf("get %s: %w", bare(r.URL), cause)
		}
		if err == nil {
			break
		}
		if f, ok := errors.AsType[fatal](err); ok {
			return f.error
		}
		if p.size > before {
			fails = 0
		}
		if fails++; fails >= tries {
			return fmt.Errorf("get %s: gave up after %d tries, %s are kept for the next: %w", bare(r.URL), fails, disk.Bytes(p.size), err)
		}
		if errors.Is(err, errChanged) {
			if err := p.reset(); err != nil {
				return err
			}
		}
		pause := wait << (fails - 1)
		if l, ok := errors.AsType[later](err); ok {
			pause = max(pause, l.after)
		}
		c.warn(ctx, "download interrupted, trying again", r.URL, err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
	if progress != nil {
		progress(p.size, p.size)
	}
	return p.flush()
}

func (c Client) warn(ctx context.Context, msg, url string, err error) {
	if c.Log == nil {
		return
	}
	attrs := []slog.Attr{slog.String("url", bare(url))}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	c.Log.LogAttrs(ctx, slog.LevelWarn, msg, attrs...) //nolint:sloglint // the two messages above
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// CheckURL refuses addresses that are neither https nor http on this machine.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fmt.Errorf("address %s is not https", bare(s))
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// bare is an address without what may be secret in it.
func bare(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "the address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func room(path string, need int64) error { return disk.Room(filepath.Dir(path), need) }
