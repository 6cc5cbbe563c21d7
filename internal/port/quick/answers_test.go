package quick_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answers are what handlers do.
var answers = map[string]http.HandlerFunc{
	"nothing": func(http.ResponseWriter, *http.Request) {},
	"a known length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/plain")
		write(w, "12345")
	},
	"a known length in parts": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/plain")
		write(w, "1", "", "23", "45")
	},
	"a known length, large": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000000")
		write(w, strings.Repeat("x", 10), strings.Repeat("y", 999_980), strings.Repeat("z", 10))
	},
	"a known length, flushed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6")
		w.Header().Set("Content-Type", "text/plain")
		flush(w)
		write(w, "123")
		flush(w)
		write(w, "456")
	},
	"a length of 0": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "0")
	},
	"a length of 0, flushed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "0")
		flush(w)
	},
	"less than declared": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Header().Set("Content-Type", "text/plain")
		write(w, "12345")
	},
	"nothing of what is declared": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(http.StatusCreated)
	},
	"more than declared at once": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Content-Type", "text/plain")
		if n, err := w.Write([]byte("12345")); n != 0 || err != http.ErrContentLength { //nolint:errorlint // the value itself
			panic("no ErrContentLength")
		}
	},
	"more than declared in the end": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.Header().Set("Content-Type", "text/plain")
		write(w, "123")
		if _, err := w.Write([]byte("45")); err != http.ErrContentLength { //nolint:errorlint // the value itself
			panic("no ErrContentLength")
		}
	},
	"an unknown length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		write(w, "123", "45")
	},
	"an unknown length, large": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		write(w, strings.Repeat("x", 1_000_000))
	},
	"an unknown length in many parts": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for range 10_000 {
			write(w, "a part")
		}
	},
	"an unknown length, small and then large": func(w http.ResponseWriter, _ *http.Request) {
		write(w, "small", strings.Repeat("x", 100_000), "small")
	},
	"a stream": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 20 {
			write(w, "data: 1\n\n")
			flush(w)
		}
		write(w, "data: [DONE]\n\n")
	},
	"a stream of large pieces": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 5 {
			write(w, strings.Repeat("x", 50_000), "y", strings.Repeat("z", 16_384))
			flush(w)
		}
	},
	"a stream of nothing": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		flush(w)
		flush(w)
	},
	"a stream that is not flushed in the end": func(w http.ResponseWriter, _ *http.Request) {
		flush(w)
		write(w, "the end")
	},
	"204":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	"204, flushed":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent); flush(w) },
	"204 with a body": func(w http.ResponseWriter, _ *http.Request) { bodyless(w, http.StatusNoContent) },
	"304":             func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
	"304 with a body": func(w http.ResponseWriter, _ *http.Request) { bodyless(w, http.StatusNotModified) },
	"404 with a body": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusNotFound) },
	"an error, empty": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
	"a redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there?a=b", http.StatusFound) },
	"two statuses": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusTeapot)
		write(w, "x")
	},
	"headers after the status": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-A", "2")
		w.Header().Set("X-B", "3")
		w.Header().Set("Content-Type", "x/y")
		write(w, "x")
	},
	"headers after a write": func(w http.ResponseWriter, _ *http.Request) {
		write(w, "<html>")
		w.Header().Set("X-A", "2")
		w.Header().Set("Content-Length", "100")
		write(w, "x")
	},
	"no type": func(w http.ResponseWriter, _ *http.Request) { write(w, "<html><body>") },
	"no type, large": func(w http.ResponseWriter, _ *http.Request) {
		write(w, "\x89PNG\x0d\x0a\x1a\x0a"+strings.Repeat("x", 10_000))
	},
	"no type, with a length": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "8")
		write(w, "%PDF-1.7")
	},
	"no type, and a coding": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		write(w, "\x1f\x8b\x08")
	},
	"no type on purpose": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		write(w, "<html>")
	},
	"header values with line ends": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-A"] = []string{"a\r\nSet-Cookie: b", "c\nd", "\r", "e\rf"}
		w.Header().Set("Location", "/\r\n\r\n<script>")
		write(w, "x")
	},
	"header names with line ends": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-A\r\nX-B"] = []string{"1"}
		w.Header()["X C"] = []string{"1"}
		w.Header()[""] = []string{"1"}
		w.Header()["X:D"] = []string{"1"}
		w.Header()["X-é"] = []string{"1"}
		w.Header()["x-small"] = []string{"1"}
		write(w, "x")
	},
	"headers twice, empty, many": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-A"] = []string{"1", "2", ""}
		w.Header()["X-B"] = nil
		w.Header()["X-C"] = []string{}
		w.Header()["X-D"] = []string{"  spaces  "}
		w.Header()["X-E"] = []string{"café\x80"}
		for i := range 50 {
			w.Header().Set("X-"+strings.Repeat("n", i+1), strings.Repeat("v", 100))
		}
		write(w, "x")
	},
	"Connection: close": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		write(w, "x")
	},
	"Connection: close, streamed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		flush(w)
		write(w, "x")
	},
	"a panic":                func(http.ResponseWriter, *http.Request) { panic("a fault") },
	"an abort":               func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"a write, then an abort": func(w http.ResponseWriter, _ *http.Request) { write(w, "x"); panic(http.ErrAbortHandler) },
	"a flush, then an abort": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		write(w, "part")
		flush(w)
		panic(http.ErrAbortHandler)
	},
	"the body read in part": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 2))
		write(w, "x")
	},
	"the body read to its last byte": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, r.ContentLength))
		write(w, "x")
	},
	"the body read too often": func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		again, second := io.ReadAll(r.Body)
		n, third := r.Body.Read(nil)
		if err != nil || second != nil || len(again) > 0 || n != 0 || third != nil && third != io.EOF {
			panic("the body has no end")
		}
		write(w, string(body))
	},
	"the body closed": func(w http.ResponseWriter, r *http.Request) {
		if r.Body.Close() != nil {
			panic("not closed")
		}
		write(w, "x")
	},
	"a written string": func(w http.ResponseWriter, _ *http.Request) {
		if n, err := io.WriteString(w, "a string"); n != 8 || err != nil {
			panic("not written")
		}
	},
	"a copy": func(w http.ResponseWriter, _ *http.Request) {
		if n, err := io.Copy(w, strings.NewReader(strings.Repeat("x", 100_000))); n != 100_000 || err != nil {
			panic("not copied")
		}
	},
}

func write(w http.ResponseWriter, parts ...string) {
	for _, part := range parts {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

func flush(w http.ResponseWriter) {
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func bodyless(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Content-Length", "1")
	w.Header().Set("Etag", "a")
	w.WriteHeader(status)
	if n, err := w.Write([]byte("x")); n != 0 || err != http.ErrBodyNotAllowed { //nolint:errorlint // the value itself
		panic("a body")
	}
}

func TestHandlersAnswerAsThroughNetHTTP(t *testing.T) {
	t.Parallel()
	asked := map[string]string{
		"GET":   get("/a") + get("/b"),
		"POST":  post("/a", "12345") + post("/b", "678"),
		"large": post("/a", strings.Repeat("0123456789", 5000)) + get("/b"),
	}
	for name, h := range answers {
		for how, text := range asked {
			t.Run(how+"/"+name, func(t *testing.T) {
				t.Parallel()
				same(t, text, func(l *log) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						l.add(look(r))
						if r.RequestURI == probe {
							w.Header().Set("X-Target", probe)
							return
						}
						h(w, r)
					}
				}, ways["at once"])
			})
		}
	}
}

// A body of which more than 256 KiB are left is not waited for by either: the answer says that the connection ends.
func TestALargeBodyThatNobodyReadsEndsTheConnection(t *testing.T) {
	t.Parallel()
	for _, e := range both(t, 0, func(*log) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { write(w, "no") }
	}, ways["at once"]) {
		c := e.client(t)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
		if res, body := c.answer(); body != "no" || !res.Close {
			t.Errorf("got %q, close %v", body, res.Close)
		}
		sending := make(chan struct{})
		go func() {
			defer close(sending)
			_, _ = io.WriteString(c, strings.Repeat("x", 1_000_000))
		}()
		_ = c.ended()
		within(t, patience, sending, "the end of what is sent")
	}
}

func TestWhoSendsAllBeforeReadingGetsAnEarlyAnswer(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, _ *http.Request) { write(w, "no") }, nil)
	c := e.client(t)
	c.send(post("/", strings.Repeat("x", 5_000_000)))
	if res, body := c.answer(); body != "no" || !res.Close {
		t.Errorf("got %q, close %v", body, res.Close)
	}
}

// net/http waits for the rest of a small body before it answers; a Server answers, waits a second for it, and goes on.
func TestAnAnswerDoesNotWaitForTheRestOfABody(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, r *http.Request) { write(w, r.RequestURI) }, nil)
	c := e.client(t)
	c.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
	if res, body := c.answer(); body != "/early" || res.Close {
		t.Errorf("got %q, close %v", body, res.Close)
	}
	c.send(strings.Repeat("x", 997) + get("/next"))
	if _, body := c.answer(); body != "/next" {
		t.Errorf("then got %q", body)
	}
	c.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
	began := time.Now()
	if _, body := c.answer(); body != "/early" {
		t.Errorf("got %q", body)
	}
	if rest := c.ended(); rest != "" || time.Since(began) > 3*time.Second {
		t.Errorf("a body that never comes: got %q after %s", rest, time.Since(began))
	}
}

// Up to 4 KiB of an answer whose length its handler does not say are sent with their length; net/http says it up to 2 KiB.
func TestTheLengthOfAShortAnswerIsSaid(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	c := e.client(t)
	for size, want := range map[int]int64{0: 0, 1: 1, 4096: 4096, 4097: -1} {
		text := strings.Repeat("x", size)
		c.send(post("/", text))
		if res, body := c.answer(); body != text || res.ContentLength != want {
			t.Errorf("%d bytes: got %d, said to be %d", size, len(body), res.ContentLength)
		}
	}
}

// Informational answers are not sent, trailers are not, a length that is none is not, and the date is always the server's.
func TestWhatIsNotSentDoesNoHarm(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-After")
		w.Header().Set("Transfer-Encoding", "gzip")
		w.Header().Set("Date", "tomorrow")
		w.Header().Set("Content-Length", "-1")
		w.WriteHeader(http.StatusEarlyHints)
		write(w, "x")
		w.Header().Set("X-After", "y")
	}, nil)
	c := e.client(t)
	for range 2 {
		c.send(get("/"))
		res, body := c.answer()
		date, err := http.ParseTime(res.Header.Get("Date"))
		if err != nil || time.Since(date).Abs() > 5*time.Second {
			t.Errorf("the date is %q", res.Header.Get("Date"))
		}
		if res.StatusCode != http.StatusOK || body != "x" || res.ContentLength != 1 || len(res.Header) != 3 {
			t.Errorf("got %d %q %v", res.StatusCode, body, res.Header)
		}
	}
}
