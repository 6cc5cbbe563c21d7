package quick_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/port/quick"
)

func TestShutdownWaitsForRequestsAndEndsTheRest(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}, 2), make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			flush(w)
		}
		if r.URL.Path != "/" {
			began <- struct{}{}
			<-release
		}
		write(w, "ok")
	}, nil)
	fresh, idle, half, open, stream := e.client(t), e.client(t), e.client(t), e.client(t), e.client(t)
	idle.send(get("/"))
	_, _ = idle.answer()
	half.send("GET / HT")
	open.send(post("/open", "x") + post("/lost", "x"))
	stream.send(get("/stream"))
	within(t, patience, began, "a request")
	within(t, patience, began, "a stream")
	ended := make(chan error, 1)
	go func() { ended <- e.q.Shutdown(t.Context()) }()
	for _, c := range []*client{fresh, idle, half} {
		if rest := c.ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("ended before its requests: %v", err)
	case <-time.After(short):
	}
	close(release)
	if res, body := open.answer(); body != "ok" || !res.Close {
		t.Errorf("got %q, close %v", body, res.Close)
	}
	if _, body := stream.answer(); body != "ok" {
		t.Errorf("got %q", body)
	}
	for _, c := range []*client{open, stream} {
		if rest := c.ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
	}
	if err := within(t, soon, ended, "the end"); err != nil {
		t.Error(err)
	}
	if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.addr); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
	if err := e.q.Serve(); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: got %v", err)
	}
}

func TestShutdownWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan struct{})
	e := start(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}, nil)
	c := e.client(t)
	c.send(get("/"))
	within(t, patience, began, "the request")
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	if err := e.q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	select {
	case <-ended:
		t.Error("the request was cut off")
	default:
	}
	_ = e.q.Close()
	within(t, soon, ended, "the end of the request")
	if rest := c.ended(); rest != "" {
		t.Errorf("got %q", rest)
	}
}

func TestCloseEndsHandlersWhateverTheyWaitFor(t *testing.T) {
	t.Parallel()
	began := make(chan struct{}, 10)
	var running sync.WaitGroup
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		began <- struct{}{}
		switch r.URL.Path {
		case "/read":
			_, _ = io.ReadAll(r.Body)
		case "/write":
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		case "/wait":
			<-r.Context().Done()
		case "/leave": // its server waits for the rest
		}
	}, nil)
	for _, text := range []string{
		"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx", get("/write"), post("/wait", "x"), get("/wait"),
		post("/wait", "x") + get("/next"), "POST /leave HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx",
		"POST /leave HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nx",
	} {
		e.client(t).send(text)
		within(t, patience, began, text)
	}
	time.Sleep(short)
	closed := make(chan error, 1)
	go func() { closed <- e.q.Close() }()
	_ = within(t, soon, closed, "Close")
	gone := make(chan struct{})
	go func() {
		running.Wait()
		close(gone)
	}()
	within(t, soon, gone, "the handlers")
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for _, graceful := range []bool{true, false} {
		l := &log{}
		o := options(l, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				select {
				case <-r.Context().Done():
				case <-time.After(short):
				}
			}
			_, _ = io.Copy(w, r.Body)
		})
		e := serve(t, listen(t), o, l)
		for range 10 {
			for _, text := range []string{get("/"), post("/slow", "x"), "", "GET", post("/", "x"), post("/", "x", "Connection: close"), "PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "\x00"} {
				e.client(t).send(text)
			}
		}
		time.Sleep(short / 2)
		if graceful {
			if err := e.q.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		e.close()
	}
	for wait := time.Now(); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Since(wait) > patience {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d now:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestCloseMayComeAtAnyTime(t *testing.T) {
	t.Parallel()
	for i := range 30 {
		e := start(t, nil, nil)
		var clients sync.WaitGroup
		for range 4 {
			c := e.dial(t)
			clients.Go(func() {
				for {
					if _, err := io.WriteString(c, post("/", "x")+get("/b")+strings.Repeat("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", i%2)); err != nil {
						return
					}
					if _, err := c.Read(make([]byte, 1000)); err != nil {
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(i) * time.Millisecond / 3)
		ended := make(chan error, 3)
		go func() { ended <- e.q.Shutdown(t.Context()) }()
		go func() { ended <- e.q.Close() }()
		go func() { ended <- e.srv.Close() }()
		for range 3 {
			_ = within(t, patience, ended, "the end")
		}
		e.close()
		clients.Wait()
	}
}

func TestAPanicIsLoggedAndEndsItsConnection(t *testing.T) {
	t.Parallel()
	for path, said := range map[string]string{"/fault": "a fault", "/abort": "", "/exit": ""} {
		e := start(t, func(w http.ResponseWriter, r *http.Request) {
			write(w, "half an answer")
			switch r.URL.Path {
			case "/fault":
				panic("a fault")
			case "/abort":
				panic(http.ErrAbortHandler)
			case "/exit":
				runtime.Goexit()
			}
		}, nil)
		c := e.client(t)
		c.send(post(path, "x") + get("/"))
		if rest := c.ended(); strings.HasPrefix(rest, "HTTP/1.1 200") {
			t.Errorf("%s: got %q", path, rest)
		}
		if logged := e.log.String(); said == "" && logged != "" || !strings.Contains(logged, said) {
			t.Errorf("%s: logged %q", path, logged)
		}
		c = e.client(t)
		c.send(get("/"))
		if _, body := c.answer(); body != "half an answer" {
			t.Errorf("%s: then got %q", path, body)
		}
	}
}

func TestOthersAreOnlyAcceptedWhileTheServerServes(t *testing.T) {
	t.Parallel()
	ln, l := listen(t), &log{}
	o := options(l, nil)
	o.Head = short
	q := quick.New(ln, o)
	served := make(chan error, 1)
	go func() { served <- q.Serve() }()
	e := &endpoint{addr: ln.Addr().String(), log: l}
	c := e.client(t)
	c.send("PUT / HTTP/1.1\r\nHost: a\r\n\r\n")
	got, err := q.Rest().Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.send("more")
	_ = c.CloseWrite()
	if text, err := io.ReadAll(got); err != nil || string(text) != "PUT / HTTP/1.1\r\nHost: a\r\n\r\nmore" {
		t.Errorf("got %q, %v", text, err)
	}
	_ = got.Close()
	half := e.client(t) // whose time ends
	half.send("GET / HTTP/1.1\r\nHost")
	got, err = q.Rest().Accept()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(got); string(text) != "GET / HTTP/1.1\r\nHost" || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %q, %v", text, err)
	}
	waiting := e.client(t)
	waiting.send("nobody accepts this\r\n\r\n")
	time.Sleep(short / 5)
	if q.Rest().Addr() != ln.Addr() {
		t.Error("its address is another")
	}
	if err := q.Rest().Close(); err != nil {
		t.Error(err)
	}
	if err := within(t, soon, served, "Serve"); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: got %v", err)
	}
	if _, err := q.Rest().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: got %v", err)
	}
	if rest := waiting.ended(); rest != "" {
		t.Errorf("got %q", rest)
	}
	if err := errors.Join(got.Close(), q.Close(), q.Shutdown(t.Context())); err != nil {
		t.Error(err)
	}
}
