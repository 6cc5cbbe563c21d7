// Package call performs one HTTP exchange with a server that may be hostile, and keeps what was sent
// and what came as it was: no redirect is followed, nothing is decompressed, and size and time are bounded.
package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MaxBody is how many bytes an answer may have.
const MaxBody = 1 << 20

// excerpt is how much is kept of an answer that is longer.
const excerpt = 16 << 10

// Client sends requests to one address. Any number of goroutines may use it.
type Client struct {
	base *url.URL
	http *http.Client
}

// New makes a Client for an endpoint's address, http or https. roots are the authorities that are
// trusted for it; nil are those of the system.
func New(base string, roots *x509.CertPool) (*Client, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil && strings.Contains(base, "://"):
		return nil, fmt.Errorf("parse the address: %w", err)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is no address of an endpoint: it begins with http:// or https:// and names a host", base)
	case u.User != nil:
		return nil, errors.New("the address holds a name or a password: a key belongs in INGOT_KEY")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("remove everything from the first ? or # from %q: the operation and its query are appended", base)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = strings.TrimRight(u.RawPath, "/")
	const most = 64 << 10
	return &Client{base: u, http: &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableCompression:     true,
			MaxResponseHeaderBytes: most,
			ExpectContinueTimeout:  time.Minute,
			IdleConnTimeout:        time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Base is the address without a slash at its end.
func (c *Client) Base() string { return c.base.String() }

// Close ends the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Request is what is sent. Path, escaped, and Query are appended to the address.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Body                string
	// Claim is a Content-Length that is announced without sending any body.
	Claim int64
	// Repeat tells requests apart that are else the same.
	Repeat int
}

// Key is the same for requests that are the same.
func (r *Request) Key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s?%s %d %d\n", r.Method, r.Path, r.Query, r.Claim, r.Repeat)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %q\n", name, r.Header[name])
	}
	return b.String() + r.Body
}

// Exchange is a request and what came of it. Status is 0 where no answer came.
type Exchange struct {
	Request Request
	URL     string
	Status  int
	Header  http.Header
	Body    []byte
	// Err says why there is no answer, or why it did not end well.
	Err error
	// Endless says that more than MaxBody came.
	Endless bool
	// First is when the first byte of the body came, Took when the last did, after the request was begun.
	First, Took time.Duration
}

// Do sends a request and reads the whole answer.
func (c *Client) Do(ctx context.Context, r Request) *Exchange {
	e := &Exchange{Request: r, URL: c.base.String() + r.Path}
	if r.Query != "" {
		e.URL += "?" + r.Query
	}
	begin := time.Now()
	defer func() { e.Took = time.Since(begin) }()
	var body io.Reader = http.NoBody
	switch {
	case r.Claim > 0:
		body = withheld{ctx}
	case r.Body != "":
		body = strings.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, e.URL, body)
	if err != nil {
		e.Err = err
		return e
	}
	req.Header = r.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	// Told so, net/http sends it again where the server had just left the connection that it was sent
	// over. This is not a header that is sent.
	req.Header["Idempotency-Key"] = nil
	if r.Claim > 0 {
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(withheld{ctx}), nil }
		req.ContentLength = r.Claim
		req.Header.Set("Expect", "100-continue")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "ingot-conformance")
	}
	res, err := c.http.Do(req)
	if err != nil {
		e.Err = err
		return e
	}
	defer res.Body.Close()
	e.Status, e.Header = res.StatusCode, res.Header
	if e.Status == http.StatusSwitchingProtocols { // what follows it no context ends
		e.Err = errors.New("the server switched protocols unasked")
		return e
	}
	var b bytes.Buffer
	first := firstRead{Reader: res.Body}
	_, e.Err = io.Copy(&b, io.LimitReader(&first, MaxBody+1))
	if !first.at.IsZero() {
		e.First = first.at.Sub(begin)
	}
	if b.Len() > MaxBody {
		e.Endless = true
		b.Truncate(excerpt)
	}
	e.Body = bytes.Clone(b.Bytes())
	return e
}

// firstRead notes when something is read first.
type firstRead struct {
	io.Reader
	at time.Time
}

func (f *firstRead) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if n > 0 && f.at.IsZero() {
		f.at = time.Now()
	}
	return n, err
}

// withheld is a body that never comes.
type withheld struct{ ctx context.Context }

func (w withheld) Read([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}
