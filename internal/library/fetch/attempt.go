package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxHops     = 10
	maxPause    = 2 * time.Minute
	reportEvery = 100 * time.Millisecond
	bufferSize  = 256 << 10
)

var errSilence = errors.New("the server fell silent")

// attempt makes one request for what is missing and writes what it brings.
func (c Client) attempt(ctx context.Context, r Request, p *partial, progress func(done, total int64)) error {
	silence := c.Silence
	if silence == 0 {
		silence = time.Minute
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alarm := time.AfterFunc(silence, func() { cancel(errSilence) })
	defer alarm.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, http.NoBody)
	if err != nil {
		return fatal{err}
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "ingot")
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	if p.size > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.size))
		if p.state.ETag != "" {
			req.Header.Set("If-Range", p.state.ETag)
		}
	}
	var said linked
	resp, err := c.do(req, &said)
	if err != nil {
		return silent(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	said.read(resp.Header)
	if err := p.accept(r, resp, said); err != nil {
		return err
	}
	if err := p.save(); err != nil {
		return fatal{fmt.Errorf("note state of download: %w", err)}
	}
	body := &meter{r: resp.Body, alarm: alarm, silence: silence, p: p, progress: progress}
	body.report(true)
	return silent(ctx, p.take(body, r.Limit))
}

// silent names the silence that ended a request.
func silent(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), errSilence) {
		return errSilence
	}
	return err
}

// do sends req and follows redirects, collecting what the hops announce. The
// token stays with the first host.
func (c Client) do(req *http.Request, said *linked) (*http.Response, error) {
	hc := http.Client{}
	if c.HTTP != nil {
		hc = *c.HTTP
	}
	hc.Timeout = 0 // a model takes as long as it takes; silence is what counts
	hc.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		if len(via) >= maxHops {
			return fatal{fmt.Errorf("get %s: more than %d redirects", bare(req.URL.String()), maxHops)}
		}
		if err := CheckURL(next.URL.String()); err != nil {
			return fatal{fmt.Errorf("follow redirect of %s: %w", bare(req.URL.String()), err)}
		}
		if next.Response != nil {
			said.read(next.Response.Header)
		}
		if !sameHost(next.URL, req.URL) {
			next.Header.Del("Authorization")
			next.Header.Del("Cookie")
		}
		next.Header.Del("Referer")
		return nil
	}
	resp, err := hc.Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address: where a redirect led may be a secret
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound && req.Header.Get("Range") == "" {
		err = fatal{fmt.Errorf("get %s: %w; is there a network?", bare(req.URL.String()), err)}
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		err = fatal{fmt.Errorf("get %s: %w: where a proxy opens TLS, its CA goes into the system's store or, on Linux, into the file that SSL_CERT_FILE names", bare(req.URL.String()), err)}
	}
	// The transport tells the status of a proxy in no other way.
	if err != nil && err.Error() == http.StatusText(http.StatusProxyAuthRequired) {
		err = fatal{fmt.Errorf("get %s: %w: write name and password into the proxy's address, HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT", bare(req.URL.String()), err)}
	}
	return resp, err
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) }

// linked is what the hub says of a file before it redirects to where it lies.
type linked struct {
	sha256 string
	size   int64
}

func (l *linked) read(h http.Header) {
	tag := strings.ToLower(strings.Trim(strings.TrimPrefix(h.Get("X-Linked-Etag"), "W/"), `"`))
	if l.sha256 == "" && isSHA256(tag) {
		l.sha256 = tag
	}
	if n, err := strconv.ParseInt(h.Get("X-Linked-Size"), 10, 64); err == nil && n > 0 && l.size == 0 {
		l.size = n
	}
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// accept compares an answer with what is wanted and what has come already, and
// leaves p ready for the body.
func (p *partial) accept(r Request, resp *http.Response, said linked) error {
	total := resp.ContentLength
	switch resp.StatusCode {
	case http.StatusOK:
		if err := p.reset(); err != nil {
			return fatal{err}
		}
	case http.StatusPartialContent:
		start, whole, err := contentRange(resp.Header.Get("Content-Range"))
		if err != nil || start != p.size || resp.ContentLength >= 0 && whole > 0 && start+resp.ContentLength != whole {
			return fmt.Errorf("%w: asked for bytes from %d, got %q", errChanged, p.size, resp.Header.Get("Content-Range"))
		}
		total = whole
	case http.StatusRequestedRangeNotSatisfiable:
		return errChanged
	default:
		return status(r.URL, resp)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return fatal{fmt.Errorf("get %s: the server sent it encoded as %q", bare(r.URL), enc)}
	}
	if total < 0 {
		total = said.size
	}
	if said.size > 0 && total != said.size {
		return fatal{fmt.Errorf("get %s: the server announces %d bytes and sends %d", bare(r.URL), said.size, total)}
	}
	if said.sha256 != "" && r.SHA256 != "" && said.sha256 != r.SHA256 {
		return fatal{&DigestError{URL: r.URL, Want: r.SHA256, Got: said.sha256}}
	}
	s := state{URL: r.URL, SHA256: r.SHA256, Size: total, ETag: strong(resp.Header.Get("Etag"))}
	if s.SHA256 == "" {
		s.SHA256 = said.sha256
	}
	if p.size > 0 && (s.SHA256 != p.state.SHA256 || p.state.Size > 0 && s.Size != p.state.Size) {
		return errChanged
	}
	if r.Size > 0 && total > 0 && total != r.Size {
		return fatal{fmt.Errorf("get %s: it has %d bytes, want %d: it is not the file that was asked for", bare(r.URL), total, r.Size)}
	}
	if total > r.Limit {
		return fatal{fmt.Errorf("get %s: it has %d bytes, more than the %d allowed", bare(r.URL), total, r.Limit)}
	}
	if err := room(r.Path, total-p.size); err != nil {
		return fatal{err}
	}
	p.state = s
	return nil
}

// take writes the body. An end before the announced size is an error.
func (p *partial) take(body io.Reader, limit int64) error {
	if p.state.Size > 0 {
		limit = p.state.Size
	}
	_, err := io.CopyBuffer(p, io.LimitReader(body, limit-p.size+1), make([]byte, bufferSize))
	switch {
	case p.size > limit:
		err := fmt.Errorf("get %s: the server sent more than the %d bytes it may", bare(p.state.URL), limit)
		return fatal{errors.Join(err, p.reset())}
	case err != nil:
		return fmt.Errorf("after %d bytes: %w", p.size, err)
	case p.state.Size > 0 && p.size < p.state.Size:
		return fmt.Errorf("after %d bytes: %w", p.size, io.ErrUnexpectedEOF)
	}
	p.state.Ended = true
	return nil
}

func strong(etag string) string {
	if strings.HasPrefix(etag, `"`) && strings.HasSuffix(etag, `"`) && len(etag) > 2 {
		return etag
	}
	return ""
}

// contentRange reads "bytes 5-9/10"; whole is 0 when it is "*".
func contentRange(s string) (start, whole int64, err error) {
	rest, ok := strings.CutPrefix(s, "bytes ")
	span, size, ok2 := strings.Cut(rest, "/")
	first, last, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return 0, 0, fmt.Errorf("malformed range %q", s)
	}
	start, err = strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if size != "*" {
		var err3 error
		whole, err3 = strconv.ParseInt(size, 10, 64)
		err2 = errors.Join(err2, err3)
		if whole != end+1 {
			err2 = errors.Join(err2, fmt.Errorf("range %q is not the rest of the file", s))
		}
	}
	if err = errors.Join(err, err2); err != nil || start < 0 || end < start {
		return 0, 0, fmt.Errorf("malformed range %q: %w", s, errors.Join(err, errChanged))
	}
	return start, whole, nil
}

func status(url string, resp *http.Response) error {
	err := &StatusError{URL: url, Status: resp.StatusCode}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		secs, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return later{err, min(time.Duration(max(secs, 0))*time.Second, maxPause)}
	default:
		return fatal{err}
	}
}

// meter passes a body on, says how far it is, and sets the silence alarm anew.
type meter struct {
	r        io.Reader
	alarm    *time.Timer
	silence  time.Duration
	p        *partial
	progress func(done, total int64)
	last     time.Time
}

func (m *meter) Read(b []byte) (int, error) {
	m.report(false)
	n, err := m.r.Read(b)
	if n > 0 {
		m.alarm.Reset(m.silence)
	}
	if err != nil {
		m.report(true)
	}
	return n, err
}

func (m *meter) report(now bool) {
	if m.progress == nil || !now && time.Since(m.last) < reportEvery {
		return
	}
	m.last = time.Now()
	m.progress(m.p.size, m.p.state.Size)
}
