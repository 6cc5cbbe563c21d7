package quick_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/port/quick"
)

// soon is within what a Server notices: a tick or two, and a busy machine's delay.
const soon = 2 * time.Second

// short is a limit of time that tests wait for.
const short = 250 * time.Millisecond

func TestAHangUpEndsTheRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		stream bool
		after  time.Duration
	}{
		"of a GET":          {text: get("/"), after: short},
		"of a POST":         {text: post("/", "body"), after: short},
		"of a large POST":   {text: post("/", strings.Repeat("x", 100_000)), after: short},
		"at once":           {text: post("/", "body")},
		"in a stream":       {text: post("/", "body"), stream: true, after: short},
		"with more to come": {text: post("/", "body") + get("/next"), after: -1},
		"of who asks twice": {text: get("/quick") + get("/"), after: short},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began, ended := make(chan struct{}, 1), make(chan struct{}, 1)
			e := start(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path != "/" {
					return
				}
				if c.stream {
					flush(w)
				}
				began <- struct{}{}
				<-r.Context().Done()
				ended <- struct{}{}
			}, nil)
			client := e.client(t)
			client.send(c.text)
			within(t, patience, began, "the request")
			if c.after < 0 { // what came of the next is not lost, and does not hide the end either
				_ = client.CloseWrite()
			} else {
				time.Sleep(c.after)
				_ = client.Close()
			}
			within(t, soon, ended, "the end of its context")
		})
	}
}

func TestTheContextEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	ended := make(chan (<-chan struct{}), 2)
	e := start(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Context().Err() != nil {
			t.Error("it has ended before")
		}
		ended <- r.Context().Done()
	}, nil)
	c := e.client(t)
	for range 2 {
		c.send(get("/"))
		_, _ = c.answer()
		within(t, soon, within(t, soon, ended, "the request"), "its end")
	}
}

func TestARequestThatComesDuringAnotherIsNotLost(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/slow" {
			began <- struct{}{}
			select {
			case <-time.After(2 * short):
			case <-r.Context().Done():
				t.Error("it was cancelled")
			}
		}
		write(w, r.URL.Path, string(body))
	}, nil)
	c := e.client(t)
	for range 2 {
		c.send(post("/slow", "first"))
		within(t, patience, began, "the request")
		time.Sleep(short)
		next := post("/next", strings.Repeat("second", 2000)) + get("/last")
		c.send(next[:1])
		time.Sleep(short / 5)
		c.send(next[1:20])
		time.Sleep(short / 5)
		c.send(next[20:])
		for _, want := range []string{"/slowfirst", "/next" + strings.Repeat("second", 2000), "/last"} {
			if res, body := c.answer(); body != want || res.StatusCode != http.StatusOK {
				t.Fatalf("got %.30q, want %.30q", body, want)
			}
		}
	}
}

func TestWhoHasSentAllMaySaySo(t *testing.T) {
	t.Parallel()
	e := start(t, nil, nil)
	c := e.client(t)
	c.send(post("/", "all") + post("/", "and more"))
	_ = c.CloseWrite()
	for _, want := range []string{"all", "and more"} {
		if _, body := c.answer(); body != want {
			t.Errorf("got %q", body)
		}
	}
	if rest := c.ended(); rest != "" {
		t.Errorf("then got %q", rest)
	}
}

func TestAHeadHasItsTime(t *testing.T) {
	t.Parallel()
	e := start(t, nil, func(o *quick.Options) { o.Head = short })
	c := e.client(t)
	time.Sleep(2 * short) // without a head there is nothing to wait for
	c.send(get("/"))
	_, _ = c.answer()
	time.Sleep(2 * short)
	began := time.Now()
	dripping := make(chan struct{})
	go func() { // a byte now and then gives it no more
		defer close(dripping)
		for _, b := range []byte(get("/" + strings.Repeat("a", 100))) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(short / 10)
		}
	}()
	if rest := c.ended(); !strings.HasPrefix(rest, "HTTP/1.1 400") { // as net/http answers half a line
		t.Errorf("got %q", rest)
	}
	if took := time.Since(began); took < short/2 || took > soon {
		t.Errorf("ended after %s", took)
	}
	within(t, patience, dripping, "the end for who sends")
}

func TestABodyMayComeAfterAHeadThatTookLong(t *testing.T) {
	t.Parallel()
	e := start(t, nil, func(o *quick.Options) { o.Head = short })
	for wait := short / 2; wait < 2*short; wait += short / 10 {
		t.Run(wait.String(), func(t *testing.T) {
			t.Parallel()
			c := e.client(t)
			c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n")
			time.Sleep(wait)
			_, _ = io.WriteString(c, "\r\n") // just before its end, just at it, or too late
			time.Sleep(short / 2)
			_, _ = io.WriteString(c, "body"+get("/next"))
			got := c.all(short)
			if got != "" && (!strings.Contains(got, "\r\n\r\nbody") || !strings.Contains(got, "/next")) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAnIdleConnectionHasItsTime(t *testing.T) {
	t.Parallel()
	e := start(t, nil, func(o *quick.Options) { o.Idle = 2 * short })
	for _, first := range []string{"", get("/"), post("/", "x"), post("/", "x") + "\r\n"} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c := e.client(t)
			began := time.Now()
			c.send(first)
			if first != "" {
				_, _ = c.answer()
			}
			if rest := c.ended(); rest != "" {
				t.Errorf("%q: got %q", first, rest)
			}
			if took := time.Since(began); took < short || took > soon {
				t.Errorf("%q: ended after %s", first, took)
			}
		})
	}
}

func TestAServerThatHadNothingToDoKnowsTheTime(t *testing.T) {
	t.Parallel()
	e := start(t, nil, func(o *quick.Options) { o.Idle = 3 * short })
	time.Sleep(4 * short)
	c := e.client(t)
	time.Sleep(short)
	c.send(get("/"))
	_, _ = c.answer()
	time.Sleep(short)
	c.send(get("/"))
	_, _ = c.answer()
}

func TestABodyHasItsTime(t *testing.T) {
	t.Parallel()
	type read struct {
		n    int
		err  error
		took time.Duration
	}
	reads := make(chan read, 10)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		try := func(limit time.Duration) bool {
			began := time.Now()
			deadline := began.Add(limit)
			if limit == 0 {
				deadline = time.Time{}
			}
			if err := control.SetReadDeadline(deadline); err != nil {
				t.Error(err)
			}
			n, err := r.Body.Read(make([]byte, 10))
			reads <- read{n, err, time.Since(began)}
			return err == nil || errors.Is(err, io.EOF)
		}
		if !try(short) {
			_ = try(-time.Hour)
			_ = try(0)
		}
		if r.URL.Path == "/long" {
			select { // the deadline was the body's
			case <-time.After(2 * short):
			case <-r.Context().Done():
				t.Error("cancelled")
			}
		}
		write(w, "answer")
	}, nil)
	c := e.client(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
	for _, least := range []time.Duration{short - time.Millisecond, 0} {
		got := within(t, soon, reads, "the deadline")
		if !errors.Is(got.err, os.ErrDeadlineExceeded) || got.n != 0 || got.took < least || got.took > soon {
			t.Errorf("got %d, %v after %s", got.n, got.err, got.took)
		}
	}
	time.Sleep(short)
	c.send("12345")
	if got := within(t, soon, reads, "the body"); got.n != 5 || !errors.Is(got.err, io.EOF) {
		t.Errorf("once lifted: got %d, %v", got.n, got.err)
	}
	if _, body := c.answer(); body != "answer" {
		t.Errorf("got %q", body)
	}
	c.send(post("/long", "12345")) // over the same connection
	if got := within(t, soon, reads, "the body"); got.n != 5 || !errors.Is(got.err, io.EOF) {
		t.Errorf("the next: got %d, %v", got.n, got.err)
	}
	_, _ = c.answer()
}

func TestADeadlineEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if r.URL.Path == "/first" {
			_ = control.SetReadDeadline(time.Now())
			_ = control.SetWriteDeadline(time.Now().Add(short))
			_, err := io.Copy(io.Discard, r.Body)
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			_ = control.SetReadDeadline(time.Time{})
		}
		if body, err := io.ReadAll(r.Body); len(body) != 5 || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
		write(w, "ok")
	}, nil)
	c := e.client(t)
	for _, path := range []string{"/first", "/second"} {
		c.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
		time.Sleep(2 * short)
		c.send("12345")
		if path == "/first" { // its time to write has passed
			if rest := c.ended(); rest != "" {
				t.Errorf("got %q", rest)
			}
			c = e.client(t)
			continue
		}
		if _, body := c.answer(); body != "ok" {
			t.Errorf("got %q", body)
		}
	}
}

func TestWhoDoesNotReadIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(w http.ResponseWriter) error{
		"in large pieces": func(w http.ResponseWriter) error {
			_, err := w.Write(make([]byte, 1<<20))
			return err
		},
		"in a stream": func(w http.ResponseWriter) error {
			if _, err := w.Write(make([]byte, 1000)); err != nil {
				return err
			}
			return http.NewResponseController(w).Flush()
		},
	} {
		for _, own := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				type end struct {
					err, cancelled error
				}
				ended := make(chan end, 1)
				e := start(t, func(w http.ResponseWriter, r *http.Request) {
					for {
						if own {
							_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(short))
						}
						if err := write(w); err != nil {
							ended <- end{err, r.Context().Err()}
							return
						}
					}
				}, func(o *quick.Options) {
					if o.Write = time.Hour; !own {
						o.Write = short
					}
				})
				c := e.client(t)
				c.send(get("/"))
				got := within(t, patience, ended, "an error")
				if !errors.Is(got.err, os.ErrDeadlineExceeded) || got.cancelled == nil {
					t.Errorf("got %v, the context %v", got.err, got.cancelled)
				}
				if _, err := io.Copy(io.Discard, c.in); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the connection stays open")
				}
			})
		}
	}
}

func TestAWriteDeadlineCanBeMovedAfterItPassed(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(2 * short) // the model took its time
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute))
		write(w, "late")
	}, func(o *quick.Options) { o.Write = short / 2 })
	c := e.client(t)
	for range 2 {
		c.send(get("/"))
		if _, body := c.answer(); body != "late" {
			t.Errorf("got %q", body)
		}
	}
}

func TestAWriteDeadlineThatPassesAfterTheAnswerDoesNotEndTheNext(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5")
		write(w, "whole")
		flush(w)
		time.Sleep(2 * short)
	}, func(o *quick.Options) { o.Write = short })
	c := e.client(t)
	for range 2 {
		c.send(get("/"))
		if _, body := c.answer(); body != "whole" {
			t.Errorf("got %q", body)
		}
	}
}

func TestAnAnswerToNobodyIsCancelled(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Body.Read(make([]byte, 1)) // the rest stays, so that nothing listens
		for err == nil {
			if _, err = w.Write(make([]byte, 1000)); err == nil {
				err = http.NewResponseController(w).Flush()
			}
		}
		<-r.Context().Done()
		ended <- err
	}, nil)
	c := e.client(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
	_ = c.SetLinger(0)
	_ = c.Close()
	if err := within(t, soon, ended, "the end of the context"); err == nil {
		t.Error("written without an error")
	}
}
