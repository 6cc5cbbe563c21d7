package picture_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/picture"
)

// doer answers requests without a network.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// sent is an answer with a body.
func sent(status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, ContentLength: -1, Header: http.Header{"Content-Type": {"text/html"}}, Body: io.NopCloser(body)}
}

// refused is an error as the client that guards addresses gives it.
type refused struct{}

func (refused) Error() string   { return "10.0.0.1 is private" }
func (refused) Refusal() string { return "its host has an address that is not public" }

// endless is a body that goes on.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// stuck is a body of which nothing arrives until the request ends.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func TestAnImageIsFetched(t *testing.T) {
	t.Parallel()
	data := string(asPNG(t, quartered()))
	for _, address := range []string{"https://example.com/a.jpg?sig=1%2B", "HTTPS://example.com/a.jpg?sig=1%2B"} {
		r := picture.New(picture.Options{HTTP: doer(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || r.URL.String() != "https://example.com/a.jpg?sig=1%2B" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
			}
			return sent(http.StatusOK, strings.NewReader(data)), nil
		})})
		p, err := r.Read(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if got := seen(t, p); got != "RGBY" {
			t.Error(got)
		}
	}
}

func TestAFetchThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	body := &endless{}
	for name, c := range map[string]struct {
		do   doer
		kind string
		msg  string
	}{
		"nobody there": {func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: "https://example.com/?sig=secret", Err: errors.New("dial 10.0.0.1: connection refused")}
		}, "value_error", "The image could not be fetched from its URL."},
		"a host that is refused": {func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Get", URL: "https://example.com/?sig=secret", Err: refused{}}
		}, "value_error", "The image is not fetched: its host has an address that is not public."},
		"a page that is gone": {func(*http.Request) (*http.Response, error) {
			return sent(http.StatusNotFound, strings.NewReader("gone")), nil
		}, "value_error", "The server of the image answered with status 404."},
		"a part of it": {func(*http.Request) (*http.Response, error) {
			return sent(http.StatusPartialContent, strings.NewReader("gone")), nil
		}, "value_error", "The server of the image answered with status 206."},
		"a page": {func(*http.Request) (*http.Response, error) {
			return sent(http.StatusOK, strings.NewReader("<!doctype html><p>Sign in")), nil
		}, "value_error", "An HTML page is not supported; send PNG, JPEG, GIF, WebP or BMP."},
		"nothing": {func(*http.Request) (*http.Response, error) { return sent(http.StatusOK, http.NoBody), nil }, "value_error", "The image is empty."},
		"half of it": {func(*http.Request) (*http.Response, error) {
			return sent(http.StatusOK, io.MultiReader(strings.NewReader("\x89PNG"), brokenOff{})), nil
		}, "value_error", "The image broke off on its way here."},
		"too much of it": {func(*http.Request) (*http.Response, error) { return sent(http.StatusOK, body), nil }, "bytes_too_long", "An image has at most 65536 bytes."},
		"too much, which is said before": {func(*http.Request) (*http.Response, error) {
			res := sent(http.StatusOK, brokenOff{})
			res.ContentLength = 65_537
			return res, nil
		}, "bytes_too_long", "An image has at most 65536 bytes."},
	} {
		_, err := picture.New(picture.Options{HTTP: c.do, Limits: picture.Limits{Bytes: 65_536}}).Read(t.Context(), "https://example.com/a.png?sig=secret")
		e, ok := errors.AsType[*picture.Error](err)
		if !ok || e.Type != c.kind || e.Msg != c.msg {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the log is told a secret: %v", name, err)
		}
	}
	if n := body.read.Load(); n > 1<<20 {
		t.Errorf("%d bytes were read of a body without end", n)
	}
}

// brokenOff is a connection that broke.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAURLThatIsNoneIsNotAsked(t *testing.T) {
	t.Parallel()
	r := picture.New(picture.Options{HTTP: doer(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was asked", r.URL)
		return nil, refused{}
	})})
	for _, address := range []string{"https:", "https://", "https:///a.png", "https://a b/?secret", "https://%zz/?secret", "https:example.com", "https://ex\x00ample.com/?secret", "gopher://example.com/"} {
		_, err := r.Read(t.Context(), address)
		if e, ok := errors.AsType[*picture.Error](err); !ok || !strings.HasPrefix(e.Type, "url_") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestASlowServerIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := picture.New(picture.Options{Limits: picture.Limits{Time: 3 * time.Second}, HTTP: doer(func(r *http.Request) (*http.Response, error) {
			return sent(http.StatusOK, stuck{r.Context()}), nil
		})})
		begin := time.Now()
		_, err := r.Read(t.Context(), "https://example.com/a.png")
		e, ok := errors.AsType[*picture.Error](err)
		if !ok || e.Msg != "The image did not arrive within 3s." || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}

		why := errors.New("the caller has left")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		begin = time.Now()
		if _, err = r.ReadAll(ctx, []string{"https://example.com/a.png", "https://example.com/b.png"}); !errors.Is(err, why) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

func TestOnlySoManyAreFetchedAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		r := picture.New(picture.Options{HTTP: doer(func(*http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return sent(http.StatusOK, strings.NewReader("none")), nil
		})})
		begin := time.Now()
		for range 200 {
			go func() { _, _ = r.Read(t.Context(), "https://example.com/a.png") }()
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		if most.Load() != 24 || time.Since(begin) > 2*time.Minute {
			t.Errorf("%d at a time", most.Load())
		}
	})
}

func TestOneCallersSlowImagesHoldNobodyElses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := string(asPNG(t, quartered()))
		var slow atomic.Int64
		shared := picture.New(picture.Options{Limits: picture.Limits{Time: 10 * time.Second}, HTTP: doer(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/slow" {
				slow.Add(1)
				return sent(http.StatusOK, stuck{r.Context()}), nil
			}
			return sent(http.StatusOK, strings.NewReader(data)), nil
		})}) // slow ones are given up after ten seconds
		busy := make(chan int, 100)
		for range 100 {
			go func() {
				_, err := shared.For("greedy").Read(t.Context(), "https://example.com/slow")
				if e, ok := errors.AsType[*picture.Error](err); ok && e.Busy {
					busy <- 1
				} else {
					busy <- 0
				}
			}()
		}
		synctest.Wait()
		if n := slow.Load(); n != 24 {
			t.Errorf("%d of a caller at a time", n)
		}
		begin := time.Now()
		for _, other := range []string{"a", "b", "c"} {
			for range 50 {
				if _, err := shared.For(other).Read(t.Context(), "https://example.com/quick"); err != nil {
					t.Error(err)
				}
			}
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("others waited for %s", took)
		}
		refused := 0
		for range 100 {
			refused += <-busy
		}
		if took := time.Since(begin); refused < 50 || took > 25*time.Second {
			t.Errorf("%d were told to come again, after %s at most", refused, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 40 { // nothing that was given up holds a place
			go func() { _, _ = shared.For("greedy").Read(ctx, "https://example.com/slow") }()
		}
		time.Sleep(2 * time.Second)
		if _, err := shared.Read(t.Context(), "https://example.com/quick"); err != nil {
			t.Error(err)
		}
	})
}
