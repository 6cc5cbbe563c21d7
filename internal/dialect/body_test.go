package dialect_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
)

// reader serves what Body makes of a request: "read" and the body, or the kind of error and its message.
func reader(o *dialect.Options) http.Handler {
	o.Logger = slog.New(slog.DiscardHandler)
	return o.Serve(func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/refuse" {
			return &llm.Error{Kind: llm.Unauthenticated, Message: "no"}
		}
		body, err := o.Body(w, r)
		if err != nil {
			return err
		}
		o.JSON(w, http.StatusOK, append([]byte("read "), body...))
		return nil
	}, func(w http.ResponseWriter, _ *http.Request, e *llm.Error) {
		o.JSON(w, http.StatusTeapot, []byte(e.Kind.String()+": "+e.Message))
	})
}

func start(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// said sends bytes as they are and returns the body of the answer.
func said(t *testing.T, addr, request string) string {
	t.Helper()
	c := dial(t, addr)
	go io.WriteString(c, request)
	return received(t, c)
}

func received(t *testing.T, c net.Conn) string {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return string(body) + err.Error()
	}
	return string(body)
}

func posted(body string, headers ...string) string {
	return "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n" + strings.Join(append(headers, "\r\n"), "\r\n") + body
}

func zip(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestACompressedBodyIsReadWithinTheSameLimits(t *testing.T) {
	t.Parallel()
	const most = 4096
	addr := start(t, reader(&dialect.Options{MaxBody: most, BodyTimeout: 5 * time.Second}))
	large := "too_large: The request body is larger than 4096 bytes, the limit of this endpoint (limits.body)."
	damaged := "malformed: The request body is not what its Content-Encoding gzip promises: it is damaged, or something else follows it."
	short := "malformed: The request body is not what its Content-Encoding gzip promises: it ends too early."
	other := func(named string) string {
		return `media_type: Content-Encoding "` + named + `" is not supported: send the request body uncompressed, or with one gzip.`
	}
	full, good, zeros := strings.Repeat("x", most), zip(t, "{}"), strings.Repeat("\x00", 1<<20)
	for _, c := range []struct{ name, coding, body, want string }{
		{"gzip", "gzip", good, "read {}"},
		{"x-gzip", "X-GZIP", good, "read {}"},
		{"gzip and nothing", "identity, gzip,", good, "read {}"},
		{"as large as allowed", "gzip", zip(t, full), "read " + full},
		{"a byte more", "gzip", zip(t, full+"x"), large},
		{"a bomb", "gzip", zip(t, zeros), large},
		{"a bomb in a bomb is text", "gzip", zip(t, zip(t, zeros)), "read " + zip(t, zeros)},
		{"several members", "gzip", zip(t, "[1,") + zip(t, "2]"), "read [1,2]"},
		{"more empty members than bytes are allowed", "gzip", strings.Repeat(zip(t, ""), most), large},
		{"not gzip", "gzip", "{}{}{}{}{}{}{}{}{}{}", damaged},
		{"nothing", "gzip", "", short},
		{"cut short", "gzip", good[:len(good)-1], short},
		{"cut in the header", "gzip", good[:5], short},
		{"a wrong checksum", "gzip", good[:len(good)-5] + "\xff" + good[len(good)-4:], damaged},
		{"damaged data", "gzip", good[:10] + "\xff\xff" + good[12:], damaged},
		{"trailing garbage", "gzip", good + "garbage, and a lot of it", damaged},
		{"deflate", "deflate", "x", other("deflate")},
		{"br", "br", "x", other("br")},
		{"zstd", "zstd", "x", other("zstd")},
		{"two", "gzip, gzip", "x", other("gzip, gzip")},
		{"two headers", "gzip\r\nContent-Encoding: br", "x", other("gzip, br")},
		{"nonsense", "\xe9\t" + strings.Repeat("n", 1000), "x", other(`\ufffd\t` + strings.Repeat("n", 60))},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := said(t, addr, posted(c.body, "Content-Encoding: "+c.coding)); got != c.want {
				t.Errorf("got  %.300q\nwant %.300q", got, c.want)
			}
		})
	}
	t.Run("a refused coding names those that are taken", func(t *testing.T) {
		t.Parallel()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("x"))
		r.Header.Set("Content-Encoding", "br")
		w := httptest.NewRecorder()
		reader(&dialect.Options{MaxBody: most}).ServeHTTP(w, r)
		if got := w.Header().Get("Accept-Encoding"); got != "gzip, identity" {
			t.Errorf("Accept-Encoding is %q", got)
		}
	})
}

func TestATrickleThatNeverStopsEnds(t *testing.T) {
	t.Parallel()
	addr := start(t, reader(&dialect.Options{MaxBody: 4096, BodyTimeout: 2 * time.Second, BodyTotal: 300 * time.Millisecond}))
	for name, piece := range map[string]string{"plain": " ", "chunked": "1\r\n \r\n", "an endless line of a chunk": "1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, addr)
			head := "Content-Length: 4000"
			if name != "plain" {
				head = "Transfer-Encoding: chunked"
			}
			began := time.Now()
			go func() {
				_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n\r\n")
				for err == nil {
					time.Sleep(10 * time.Millisecond)
					_, err = io.WriteString(c, piece)
				}
			}()
			want := "late: The request body took longer than 300ms to arrive (limits.body_total)."
			if got := received(t, c); got != want {
				t.Errorf("got %s", got)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestTheLimitsOfABodyDoNotOutliveIt(t *testing.T) {
	t.Parallel()
	for _, o := range []*dialect.Options{{MaxBody: 99, BodyTotal: 50 * time.Millisecond}, {MaxBody: 99, BodyTimeout: 50 * time.Millisecond}} {
		o.Logger = slog.New(slog.DiscardHandler)
		addr := start(t, o.Serve(func(w http.ResponseWriter, r *http.Request) error {
			if _, err := o.Body(w, r); err != nil {
				return err
			}
			select {
			case <-r.Context().Done():
				o.JSON(w, http.StatusOK, []byte("hung up"))
			case <-time.After(200 * time.Millisecond):
				o.JSON(w, http.StatusOK, []byte("still there"))
			}
			return nil
		}, nil))
		if got := said(t, addr, posted("{}")); got != "still there" {
			t.Errorf("got %s", got)
		}
	}
}

func TestARefusalDoesNotWaitForTheBodyAndIsReadByThoseWhoStillSend(t *testing.T) {
	t.Parallel()
	addr := start(t, reader(&dialect.Options{MaxBody: 1 << 20, BodyTimeout: time.Minute}))
	const size = 50 << 20
	t.Run("a body that never comes", func(t *testing.T) {
		t.Parallel()
		for _, head := range []string{"Content-Length: 10", "Content-Length: 52428800", "Transfer-Encoding: chunked", "Expect: 100-continue\r\nContent-Length: 10"} {
			began := time.Now()
			if got := said(t, addr, "POST /refuse HTTP/1.1\r\nHost: x\r\n"+head+"\r\n\r\n"); got != "unauthenticated: no" {
				t.Errorf("%s: got %s", head, got)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s: it took %s", head, took)
			}
		}
	})
	t.Run("all is sent before the answer is read", func(t *testing.T) {
		t.Parallel()
		want := "too_large: The request body is larger than 1048576 bytes, the limit of this endpoint (limits.body)."
		piece := strings.Repeat(" ", 1<<20)
		for _, chunked := range []bool{false, true} {
			c := dial(t, addr)
			head := "Content-Length: " + strconv.Itoa(size)
			if chunked {
				head = "Transfer-Encoding: chunked"
			}
			_, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n\r\n")
			for sent := 0; sent < size && err == nil; sent += len(piece) {
				if chunked {
					_, err = fmt.Fprintf(c, "%x\r\n%s\r\n", len(piece), piece)
				} else {
					_, err = io.WriteString(c, piece)
				}
			}
			if err != nil {
				t.Errorf("chunked %v: send: %v", chunked, err)
			}
			if got := received(t, c); got != want {
				t.Errorf("chunked %v: got %s", chunked, got)
			}
		}
	})
	t.Run("the rest of a refused body is never a request", func(t *testing.T) {
		t.Parallel()
		c := dial(t, addr)
		hidden := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nhidden"
		if _, err := io.WriteString(c, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(1500*time.Millisecond, func() { _, _ = io.WriteString(c, strings.Repeat(hidden, 30)) })
		all, err := io.ReadAll(c)
		if bytes.Count(all, []byte("HTTP/1.1")) != 1 || bytes.Contains(all, []byte("read hidden")) {
			t.Errorf("got %s, %v", all, err)
		}
	})
	t.Run("a connection whose small body came is kept", func(t *testing.T) {
		t.Parallel()
		c := dial(t, addr)
		r := bufio.NewReader(c)
		for range 3 {
			if _, err := io.WriteString(c, strings.Replace(posted("{}"), "/", "/refuse", 1)); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			if res.Body.Close(); res.Close {
				t.Error("the connection is closed")
			}
		}
	})
}

func TestBodiesHoldNoMoreMemoryThanTheirBudget(t *testing.T) {
	t.Parallel()
	const size, budget = 1 << 20, 4 << 20
	var counted dialect.Budget
	gate := make(chan struct{})
	o := &dialect.Options{MaxBody: 2 * size, BodyTimeout: 10 * time.Second, BodyMemory: budget, Budget: &counted, Logger: slog.New(slog.DiscardHandler)}
	addr := start(t, o.Serve(func(w http.ResponseWriter, r *http.Request) error {
		body, err := o.Body(w, r)
		if err != nil {
			return err
		}
		<-gate
		if r.URL.Path == "/panic" {
			panic(errors.New("a bug of ours"))
		}
		o.JSON(w, http.StatusOK, []byte("read "+strconv.Itoa(len(body))))
		return nil
	}, func(w http.ResponseWriter, _ *http.Request, e *llm.Error) {
		o.JSON(w, http.StatusServiceUnavailable, []byte(e.Kind.String()+e.RetryAfter.String()))
	}))
	var wg sync.WaitGroup
	results := make(chan string, 64)
	for i := range 16 {
		wg.Go(func() {
			request := posted(strings.Repeat("x", size))
			if i%4 == 1 {
				request = posted(zip(t, strings.Repeat("x", size)), "Content-Encoding: gzip")
			}
			results <- said(t, addr, request)
		})
	}
	refused := 0
	for range 16 - budget/size {
		if got := <-results; got == "unavailable2s" {
			refused++
		} else {
			t.Errorf("got %s", got)
		}
		if used := counted.Used(); used > budget {
			t.Errorf("%d bytes are held", used)
		}
	}
	small := make(chan string)
	go func() { small <- said(t, addr, posted("{}")) }()
	close(gate)
	if got := <-small; got != "read 2" {
		t.Errorf("a small body beside large ones: got %s", got)
	}
	wg.Wait()
	if got := said(t, addr, strings.Replace(posted(strings.Repeat("x", size)), "/", "/panic", 1)); strings.HasPrefix(got, "read") {
		t.Errorf("got %s", got)
	}
	for end := time.Now().Add(5 * time.Second); counted.Used() != 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if counted.Used() != 0 {
		t.Errorf("%d bytes stay held", counted.Used())
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

func TestLargeAnswersThatNobodyReadsCountToo(t *testing.T) {
	t.Parallel()
	const size, budget, many = 16 << 20, 64 << 20, 10
	var counted dialect.Budget
	o := &dialect.Options{MaxBody: 99, BodyMemory: budget, Budget: &counted, Logger: slog.New(slog.DiscardHandler)}
	whole := bytes.Repeat([]byte("x"), size)
	addr := start(t, o.Serve(func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/small" {
			return o.Answer(w, r, []byte("small"))
		}
		return o.Answer(w, r, whole)
	}, func(w http.ResponseWriter, _ *http.Request, e *llm.Error) {
		o.JSON(w, http.StatusServiceUnavailable, []byte(e.Kind.String()))
	}))
	begun, refused := 0, 0
	var conns []net.Conn
	for range many {
		c := dial(t, addr)
		conns = append(conns, c)
		if _, err := io.WriteString(c, posted("{}")); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("HTTP/1.1 200"))
		if _, err := io.ReadFull(c, line); err != nil {
			t.Fatal(err)
		}
		switch string(line) {
		case "HTTP/1.1 200":
			begun++
		case "HTTP/1.1 503":
			refused++
		}
	}
	if begun != budget/size || refused != many-begun {
		t.Errorf("%d answers began and %d were refused", begun, refused)
	}
	if got := said(t, addr, strings.Replace(posted("{}"), "/", "/small", 1)); got != "small" {
		t.Errorf("a small answer beside large ones: got %s", got)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	for end := time.Now().Add(5 * time.Second); counted.Used() != 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if counted.Used() != 0 {
		t.Errorf("%d bytes stay held", counted.Used())
	}
}

// FuzzBody sends anything in any coding: it is read whole, or refused by what is wrong with it.
func FuzzBody(f *testing.F) {
	for _, coding := range []string{"", "gzip", "identity", "gzip, gzip", "br"} {
		f.Add(coding, "application/json", []byte("{}"), false)
		f.Add(coding, "", []byte(zip(f, "{}")), true)
		f.Add(coding, "text/plain", []byte(zip(f, strings.Repeat("x", 5000))), true)
		f.Add(coding, "image/png", []byte(zip(f, "")+zip(f, "x")+"x"), false)
	}
	const most = 4096
	h := reader(&dialect.Options{MaxBody: most})
	f.Fuzz(func(t *testing.T, coding, media string, body []byte, unknown bool) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		if unknown {
			r.ContentLength = -1
		}
		r.Header["Content-Encoding"], r.Header["Content-Type"] = []string{coding}, []string{media}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := w.Body.String()
		switch kind, _, _ := strings.Cut(got, ":"); {
		case w.Code == http.StatusOK:
			if len(got) > most+len("read ") || coding == "" && got != "read "+string(body) {
				t.Errorf("%q became %q", body, got)
			}
		case kind != "malformed" && kind != "media_type" && kind != "too_large":
			t.Errorf("got %s", got)
		}
	})
}
