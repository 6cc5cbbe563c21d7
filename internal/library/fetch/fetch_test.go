package fetch_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/fetch"
)

// hub behaves as model hubs do: it announces digest and size, and redirects to
// a second host that has the bytes and serves ranges of them.
type hub struct {
	*httptest.Server
	cdn *httptest.Server

	mu       sync.Mutex
	content  []byte
	etag     string
	linked   http.Header // what the hub announces; nil: nothing
	cutAfter []int       // each answer of the CDN ends after so many bytes, then no more cuts
	noRanges bool
	requests []http.Header // what the CDN got
	tokens   []string      // what the hub got
	answer   http.HandlerFunc
}

func newHub(t *testing.T, content []byte) *hub {
	t.Helper()
	h := &hub{content: content, etag: `"v1"`, linked: http.Header{
		"X-Linked-Etag": {`"` + sum(content) + `"`}, "X-Linked-Size": {strconv.Itoa(len(content))},
	}}
	h.cdn = httptest.NewServer(http.HandlerFunc(h.serveCDN))
	t.Cleanup(h.cdn.Close)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.tokens = append(h.tokens, r.Header.Get("Authorization"))
		maps.Copy(w.Header(), h.linked)
		http.Redirect(w, r, h.cdn.URL+"/blob?signature=secret", http.StatusFound)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) serveCDN(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.requests = append(h.requests, r.Header.Clone())
	content, cut, answer := h.content, -1, h.answer
	if len(h.cutAfter) > 0 {
		cut, h.cutAfter = h.cutAfter[0], h.cutAfter[1:]
	}
	if h.noRanges {
		r.Header.Del("Range")
	}
	w.Header().Set("Etag", h.etag)
	h.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	http.ServeContent(&cutWriter{ResponseWriter: w, left: cut}, r, "", time.Time{}, bytes.NewReader(content))
}

// cutWriter breaks the connection after so many bytes; -1: never.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if c.left < 0 {
		return c.ResponseWriter.Write(b)
	}
	n := min(c.left, len(b))
	_, _ = c.ResponseWriter.Write(b[:n])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (h *hub) ranges() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, r := range h.requests {
		all = append(all, r.Get("Range"))
	}
	return all
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

var quick = fetch.Client{Backoff: time.Millisecond, Tries: 4, Silence: 5 * time.Second}

func request(t *testing.T, h *hub) fetch.Request {
	t.Helper()
	return fetch.Request{URL: h.URL + "/owner/repo/resolve/main/m.gguf", Path: filepath.Join(t.TempDir(), "m"), Limit: 1 << 40}
}

func wantFile(t *testing.T, path string, content []byte) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("file has %d bytes (%v), want the %d served", len(got), err, len(content))
	}
	left, _ := filepath.Glob(path + ".*")
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFileComesThroughTheRedirectWithTheDigestTheHubAnnounced(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	q := request(t, h)
	q.Token = "hf_secret"
	var done, total int64
	res, err := quick.File(t.Context(), q, func(d, n int64) { done, total = d, n })
	if err != nil || res.SHA256 != sum(h.content) || res.Size != 1<<20 {
		t.Fatalf("got %+v, %v", res, err)
	}
	wantFile(t, q.Path, h.content)
	if done != 1<<20 || total != 1<<20 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
	if !slices.Equal(h.tokens, []string{"Bearer hf_secret"}) {
		t.Errorf("the hub got %q", h.tokens)
	}
	for _, name := range []string{"Authorization", "Referer"} {
		if got := h.requests[0].Get(name); got != "" {
			t.Errorf("the other host got %s %q", name, got)
		}
	}
}

func TestABrokenConnectionIsResumedWhereItBroke(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	h.cutAfter = []int{300_000, 200_000, 0, 1}
	q := request(t, h)
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
	got := h.ranges()
	if len(got) != 5 || got[0] != "" || !strings.HasPrefix(got[1], "bytes=") || got[1] == "bytes=0-" {
		t.Errorf("ranges asked for: %q", got)
	}
	if got := h.requests[1].Get("If-Range"); got != `"v1"` {
		t.Errorf("If-Range was %q", got)
	}
}

func TestAServerWithoutRangesIsReadFromTheStartAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	h.cutAfter, h.noRanges = []int{300_000, 700_000}, true
	q := request(t, h)
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
}

// interrupt begins a download and ends it when about half has come.
func interrupt(t *testing.T, h *hub, q fetch.Request) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	h.mu.Lock()
	h.answer = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(h.content)))
		_, _ = w.Write(h.content[:500_000])
		for i := 500_000; i < len(h.content) && r.Context().Err() == nil; i++ {
			_, _ = w.Write(h.content[i : i+1])
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}
	h.mu.Unlock()
	_, err := quick.File(ctx, q, func(done, _ int64) {
		if done >= 500_000 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		go cancel()
		t.Fatalf("got %v, want a cancellation", err)
	}
	cancel()
	h.mu.Lock()
	h.answer = nil
	h.mu.Unlock()
}

func TestACancelledDownloadGoesOnInTheNextCall(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	q := request(t, h)
	interrupt(t, h, q)
	kept, err := os.Stat(q.Path + ".partial")
	if err != nil || kept.Size() < 500_000 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
	if got, want := h.ranges(), fmt.Sprintf("bytes=%d-", kept.Size()); got[len(got)-1] != want {
		t.Errorf("ranges asked for: %q, want the last to be %s", got, want)
	}
}

func TestAFileThatChangedMeanwhileIsFetchedAnew(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{true, false} {
		t.Run(fmt.Sprintf("digest announced %v", announced), func(t *testing.T) {
			t.Parallel()
			h := newHub(t, noise(1<<20))
			if !announced {
				h.linked = nil
			}
			q := request(t, h)
			interrupt(t, h, q)
			changed := bytes.ToUpper(noise(1<<20 + 5))
			h.mu.Lock()
			h.content, h.etag = changed, `"v2"`
			if announced {
				h.linked.Set("X-Linked-Etag", `"`+sum(changed)+`"`)
				h.linked.Set("X-Linked-Size", strconv.Itoa(len(changed)))
			}
			h.mu.Unlock()
			if _, err := quick.File(t.Context(), q, nil); err != nil {
				t.Fatal(err)
			}
			wantFile(t, q.Path, changed)
		})
	}
}

func TestAKeptPartThatIsWrongIsThrownAway(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	q := request(t, h)
	interrupt(t, h, q)
	if err := os.WriteFile(q.Path+".partial", make([]byte, 400_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
}

func TestADownloadThatWasCompleteNeedsNoServer(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1<<20))
	q := request(t, h)
	interrupt(t, h, q)
	if err := os.WriteFile(q.Path+".partial", h.content, 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(h.ranges())
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
	if got := len(h.ranges()); got != before {
		t.Errorf("%d more requests", got-before)
	}
}

func TestWhatIsNotTheFileIsRefused(t *testing.T) {
	t.Parallel()
	other := strings.Repeat("ab", 32)
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	tests := []struct {
		name  string
		set   func(h *hub, q *fetch.Request)
		want  []string // in the error
		asked int      // requests the CDN saw; -1: some
	}{
		{"the bytes have another digest", func(h *hub, _ *fetch.Request) { h.linked.Set("X-Linked-Etag", other) }, []string{other, "SHA-256"}, 1},
		{"the hub announces another digest", func(_ *hub, q *fetch.Request) { q.SHA256 = other }, []string{other, "SHA-256"}, 1},
		{"nothing is announced and the digest is wrong", func(h *hub, q *fetch.Request) { h.linked, q.SHA256 = nil, other }, []string{other}, 1},
		{"the size announced is not the size sent", func(h *hub, _ *fetch.Request) { h.linked.Set("X-Linked-Size", "7") }, []string{"announces 7 bytes and sends 100000"}, 1},
		{"the size is not the one wanted", func(_ *hub, q *fetch.Request) { q.Size = 99 }, []string{"100000 bytes, want 99"}, 1},
		{"it is larger than allowed", func(_ *hub, q *fetch.Request) { q.Limit = 99 }, []string{"more than the 99 allowed"}, 1},
		{"it never ends", func(h *hub, q *fetch.Request) { h.linked, h.answer, q.Limit = nil, endless, 1<<20 }, []string{"more than the 1048576 bytes"}, 1},
		{"it is compressed", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write([]byte("x"))
			}
		}, []string{"gzip"}, 1},
		{"it is not there", func(h *hub, _ *fetch.Request) { h.answer = http.NotFound }, []string{"404"}, 1},
		{"it needs a token", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
		}, []string{"401", "HF_TOKEN"}, 1},
		{"the redirect leaves encryption", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
			}
		}, []string{"not https"}, 1},
		{"the redirects never end", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }
		}, []string{"redirects"}, 9},
		{"the length is a lie", func(h *hub, _ *fetch.Request) {
			h.linked = nil
			h.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "5000")
				_, _ = w.Write([]byte("short"))
			}
		}, []string{"gave up after 4 tries", "5 B are kept"}, 4},
		{"the server falls silent", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100000")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		}, []string{"silent"}, -1},
		{"the ranges are wrong", func(h *hub, _ *fetch.Request) {
			h.answer = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Range", "bytes 50-99/100")
				w.WriteHeader(http.StatusPartialContent)
			}
		}, []string{"changed"}, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, noise(100_000))
			q := request(t, h)
			tt.set(h, &q)
			c := quick
			if strings.Contains(tt.name, "silent") {
				c.Silence = 100 * time.Millisecond
			}
			_, err := c.File(t.Context(), q, nil)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "signature") {
				t.Errorf("error %q shows a signed address", err)
			}
			if got := len(h.ranges()); got != tt.asked && tt.asked >= 0 {
				t.Errorf("%d requests, want %d", got, tt.asked)
			}
			if _, err := os.Stat(q.Path); err == nil {
				t.Error("the file has got its name")
			}
		})
	}
}

func TestAWrongDigestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1000))
	h.linked = nil
	q := request(t, h)
	q.SHA256 = strings.Repeat("0", 64)
	_, err := quick.File(t.Context(), q, nil)
	d, ok := errors.AsType[*fetch.DigestError](err)
	if !ok || d.Got != sum(h.content) || d.Want != q.SHA256 {
		t.Fatalf("got %v", err)
	}
	if left, _ := filepath.Glob(q.Path + "*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAnOverloadedServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t, noise(1000))
	asked := 0
	h.answer = func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(h.content))
	}
	q := request(t, h)
	if _, err := quick.File(t.Context(), q, nil); err != nil {
		t.Fatal(err)
	}
	wantFile(t, q.Path, h.content)
}

func TestADiskThatIsTooSmallIsNoticedBeforeTheDownload(t *testing.T) {
	t.Parallel()
	h := newHub(t, nil)
	h.linked = nil
	h.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.FormatInt(1<<59, 10))
		_, _ = w.Write([]byte("x"))
	}
	q := request(t, h)
	q.Limit = 1 << 60
	_, err := quick.File(t.Context(), q, nil)
	if _, ok := errors.AsType[*disk.FullError](err); !ok {
		t.Fatalf("got %v, want a *disk.FullError", err)
	}
}

func TestOnlyEncryptedAddressesAreFetched(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"http://example.com/m.gguf", "ftp://example.com/m", "https:///m", "://", "file:///etc/passwd"} {
		if _, err := quick.File(t.Context(), fetch.Request{URL: u, Path: filepath.Join(t.TempDir(), "m"), Limit: 1}, nil); err == nil {
			t.Errorf("%s was accepted", u)
		}
	}
}
