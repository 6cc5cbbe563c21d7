package quick_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/port"
	"github.com/ingot-llm/ingot/internal/port/quick"
)

func TestNothingOfARequestIsSeenInAnother(t *testing.T) {
	t.Parallel()
	var seen []string
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		seen = seen[:0]
		for name, values := range r.Header {
			seen = append(seen, name+"="+strings.Join(values, ","))
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-"+strconv.Itoa(len(body)%5), r.RequestURI)
		write(w, string(body))
	}, nil)
	c := e.client(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		var headers, want []string
		for n := range 6 {
			if random.IntN(3) > 0 {
				value := strings.Repeat("v", random.IntN(3))
				headers = append(headers, fmt.Sprintf("X-%d: %s", n, value))
				want = append(want, fmt.Sprintf("X-%d=%s", n, value))
			}
		}
		if i%3 == 0 { // again as before, but for the length
			headers, want = nil, nil
		}
		target, text := fmt.Sprintf("/%d", random.IntN(3)), strings.Repeat("b", random.IntN(3)*random.IntN(3000))
		c.send(post(target, text, headers...))
		res, body := c.answer()
		if slices.Sort(seen); !slices.Equal(seen, want) {
			t.Fatalf("request %d: the handler saw %q, want %q", i, seen, want)
		}
		own := "X-" + strconv.Itoa(len(text)%5)
		if body != text || res.Header.Get(own) != target || len(res.Header) > 4 || slices.ContainsFunc(res.TransferEncoding, func(c string) bool { return c != "chunked" }) {
			t.Fatalf("request %d: got %d bytes of %d, %v", i, len(body), len(text), res.Header)
		}
	}
}

// ask sends a request whose answer must be its own over a connection that may be of any kind.
func (c *client) ask(who, turn int) error {
	text := strings.Repeat(fmt.Sprintf("%d/%d;", who, turn), 1+(who*7+turn*13)%3000)
	request := post("/", text, "X-Who: "+strconv.Itoa(who))
	switch (who + turn) % 4 {
	case 0: // of no usual form, from here on
		request = strings.Replace(request, "POST", "PUT", 1)
	case 2: // after a POST
		if turn > 0 {
			request = "\r\n" + request
		}
	}
	written := make(chan error, 1)
	go func() {
		for part := range slices.Chunk([]byte(request), 5000) {
			if _, err := c.Write(part); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (string(body) != text || res.Header.Get("X-Who") != strconv.Itoa(who)) {
		err = fmt.Errorf("%d bytes of %s, want %d", len(body), res.Header.Get("X-Who"), len(text))
	}
	return errors.Join(err, <-written)
}

func TestManyConnectionsAtOnceAreNotMixedUp(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Who", r.Header.Get("X-Who"))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if len(body)%3 == 0 {
			time.Sleep(time.Duration(len(body)%300) * time.Millisecond) // long enough for some to be listened to
		}
		for part := range slices.Chunk(body, 3000) {
			write(w, string(part))
			if len(body)%2 == 0 {
				flush(w)
			}
		}
	}, nil)
	var clients sync.WaitGroup
	for who := range 200 {
		c := e.client(t)
		clients.Go(func() {
			for turn := range 8 {
				if err := c.ask(who, turn); err != nil {
					t.Errorf("client %d, request %d: %v", who, turn, err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// A handler whose goroutine still reads has its request's body only, whatever comes after it.
func TestABodyEndsWhereItEnds(t *testing.T) {
	t.Parallel()
	bodies := make(chan io.Reader, 1)
	stolen := make(chan string, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/leave" {
			bodies <- r.Body
			return
		}
		left := <-bodies
		got, err := io.ReadAll(left)
		stolen <- fmt.Sprint(string(got), err)
		body, _ := io.ReadAll(r.Body)
		write(w, string(body))
	}, nil)
	c := e.client(t)
	c.send(post("/leave", "first") + post("/next", "second"))
	_, _ = c.answer()
	if got := within(t, patience, stolen, "the first"); got != "<nil>" {
		t.Errorf("the first body goes on with %q", got)
	}
	if _, body := c.answer(); body != "second" {
		t.Errorf("got %q", body)
	}
}

func TestAConnectionOfWhichABodyIsStillReadIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		reading := make(chan struct{})
		go func() {
			close(reading)
			_, err := io.ReadAll(r.Body)
			read <- err
		}()
		<-reading
		time.Sleep(short / 5)
		write(w, "early")
	}, nil)
	c := e.client(t)
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nx")
	if res, body := c.answer(); body != "early" || !res.Close {
		t.Errorf("got %q, close %v", body, res.Close)
	}
	_ = c.ended()
	if err := within(t, soon, read, "the end of the body"); err == nil {
		t.Error("the body came whole")
	}
}

func TestWhatIsHandedOnIsWhole(t *testing.T) {
	t.Parallel()
	e := start(t, nil, nil)
	var chunks bytes.Buffer
	text := strings.Repeat("0123456789", 100_000)
	for part := range slices.Chunk([]byte(text), 7777) {
		fmt.Fprintf(&chunks, "%x\r\n%s\r\n", len(part), part)
	}
	for _, before := range []string{"", post("/first", "body"), get("/first")} {
		c := e.client(t)
		go func() {
			_, _ = io.WriteString(c, before+"POST /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks.String()+"0\r\n\r\n"+post("/last", "end"))
		}()
		if before != "" {
			_, _ = c.answer()
		}
		if res, body := c.answer(); body != text || res.Header.Get("X-Target") != "/other" {
			t.Errorf("got %d bytes", len(body))
		}
		if _, body := c.answer(); body != "end" {
			t.Errorf("then got %q", body)
		}
	}
}

// wild sends something of whatever kind, and goes away in whatever way.
func wild(c *net.TCPConn, random *rand.Rand) {
	defer c.Close()
	for range 1 + random.IntN(4) {
		text := []string{
			get("/"), post("/", strings.Repeat("x", random.IntN(20_000))), post("/slow", "x"), post("/stream", "x") + get("/"), post("/leave", strings.Repeat("x", 100_000)),
			"\r\n" + post("/", "x"), "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", post("/panic", "x"), "\x16\x03", "POST / HTTP/1.1\nHost: a\n\n",
		}[random.IntN(10)]
		if random.IntN(3) == 0 {
			text = text[:random.IntN(len(text))]
		}
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		switch random.IntN(5) {
		case 0:
			_ = c.SetReadDeadline(time.Now().Add(time.Duration(random.IntN(300)) * time.Millisecond))
			_, _ = c.Read(make([]byte, 1+random.IntN(5000)))
		case 1:
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
		case 2:
			_ = c.CloseWrite()
		case 3:
			_ = c.SetLinger(0)
			return
		}
	}
}

func TestWildClientsDoNoHarmToOthers(t *testing.T) {
	t.Parallel()
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(short))
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
		switch r.URL.Path {
		case "/slow":
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(short):
			}
		case "/stream":
			for range 20 {
				if _, err := w.Write(make([]byte, 10_000)); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
			}
		case "/panic":
			panic(http.ErrAbortHandler)
		case "/leave":
			return
		}
		body, _ := io.ReadAll(r.Body)
		write(w, string(body))
	}, func(o *quick.Options) { o.Head, o.Idle, o.Write = short, 2*short, patience })
	var others sync.WaitGroup
	for i := range uint64(40) {
		others.Go(func() {
			random := rand.New(rand.NewPCG(i, i))
			for range 10 {
				wild(e.dial(t), random)
			}
		})
	}
	c := e.client(t)
	for i := range 200 {
		text := strings.Repeat(strconv.Itoa(i), 1+i*10)
		c.send(post("/", text))
		if _, body := c.answer(); body != text {
			t.Fatalf("got %.20q, want %.20q", body, text)
		}
	}
	others.Wait()
	began := time.Now()
	if err := e.q.Shutdown(t.Context()); err != nil || time.Since(began) > patience {
		t.Errorf("the end took %s: %v", time.Since(began), err)
	}
}

// bounded is a Server on a port.Port that lets in so many connections.
func bounded(t *testing.T, most int, h http.HandlerFunc) *endpoint {
	t.Helper()
	ln, l := listen(t), &log{}
	p := port.New(ln, port.Options{Connections: most, Patience: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	o := options(l, h)
	o.State, o.Base = p.ConnState, context.Background
	return serve(t, p.Plain(), o, l)
}

func TestWhoHasNoRequestGivesWay(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	began := make(chan struct{}, 3)
	e := bounded(t, 3, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			began <- struct{}{}
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		write(w, "ok")
	})
	busy, other, idle := e.client(t), e.client(t), e.client(t)
	busy.send(get("/wait"))
	other.send("PUT /wait HTTP/1.1\r\nHost: a\r\n\r\n") // handed on
	within(t, patience, began, "a request")
	within(t, patience, began, "a request")
	idle.send(get("/"))
	_, _ = idle.answer()
	for range 3 { // each is the one without a request, when the next comes
		next := e.client(t)
		next.send(get("/"))
		if _, body := next.answer(); body != "ok" {
			t.Errorf("got %q", body)
		}
		if rest := idle.ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
		idle = next
	}
	last := e.client(t)
	last.send(get("/wait"))
	within(t, patience, began, "a request")
	late := e.client(t)
	late.send(get("/"))
	_ = late.SetReadDeadline(time.Now().Add(short))
	if _, err := late.in.Peek(1); err == nil {
		t.Error("there was room for a fourth")
	}
	_ = late.SetReadDeadline(time.Now().Add(patience))
	close(release)
	for _, c := range []*client{busy, other, last, late} {
		if _, body := c.answer(); body != "ok" {
			t.Errorf("got %q", body)
		}
	}
}

func TestAConnectionCountsOnceAndOnlyWhileItIsOpen(t *testing.T) {
	t.Parallel()
	e := bounded(t, 2, nil)
	for i := range 40 {
		c := e.client(t)
		c.send(post("/", "x"))
		if i%2 == 0 {
			_, _ = c.answer()
			c.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny")
		}
		if _, body := c.answer(); body == "" {
			t.Error("no answer")
		}
		switch i % 4 {
		case 0:
			_ = c.Close()
		case 1:
			_ = c.CloseWrite()
			_ = c.ended()
		default: // it gives way
		}
	}
}

// A connection that only waits takes its buffers and what it remembers of a usual head, whatever it asked and was answered.
func TestConnectionsThatWaitTakeLittle(t *testing.T) {
	e := start(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }, nil)
	const many = 300
	headers := make([]string, 0, 1000)
	for i := range cap(headers) / 2 {
		headers = append(headers, strconv.FormatInt(int64(i), 36)+":")
	}
	for name, text := range map[string]string{
		"large answers": post("/", strings.Repeat("x", 100_000)),
		"large heads":   post("/", "", "X-A: "+strings.Repeat("x", 4000)),
		"many headers":  post("/", "", headers...),
	} {
		before := taken()
		for range many {
			c := e.dial(t)
			if _, err := io.WriteString(c, text); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReaderSize(c, 16), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
		}
		each := (taken() - before) / many
		t.Logf("%s: each takes %d KiB, with the client's", name, each>>10)
		if each > 40<<10 {
			t.Errorf("%s: each takes %d KiB", name, each>>10)
		}
	}
}

func taken() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
