//go:build linux

package hostile_test

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var soakFor = flag.Duration("soak", 20*time.Second, "how long good and bad clients are mixed")

// crowd is what all clients of a soak share.
type crowd struct {
	s          *server
	keep       []*http.Client // over connections that are kept: plain, TLS, HTTP/2
	good, bad  atomic.Int64
	wrong      atomic.Int64
	mu         sync.Mutex
	complaints []string
}

// complain notes an answer that was wrong, the first few of them with words.
func (c *crowd) complain(format string, args ...any) {
	c.wrong.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	const most = 10
	if len(c.complaints) < most {
		c.complaints = append(c.complaints, fmt.Sprintf(format, args...))
	}
}

// ask puts one good request, whose answer has to be right.
func (c *crowd) ask(ctx context.Context, i int) {
	q := mixed(i)
	client, url := once, c.s.url(q.path)
	if way := i % (len(c.keep) + 1); way < len(c.keep) {
		client = c.keep[way]
		if way > 0 {
			url = c.s.secure(q.path)
		}
	}
	got, err := post(client, url, q.body)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		c.complain("%s: %v", q.path, err)
	case !strings.Contains(got, q.want) || strings.HasPrefix(got, "200") == q.refused:
		c.complain("%s %s: got %.300s", q.path, q.body, got)
	}
	c.good.Add(1)
}

// dial opens a connection for somebody who means no good, over TLS for some.
func (c *crowd) dial(r *rand.Rand) (net.Conn, *net.TCPConn, error) {
	conn, err := net.DialTimeout("tcp", c.s.addr, 10*time.Second)
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	tcp := conn.(*net.TCPConn)
	if r.IntN(3) == 0 {
		return tls.Client(conn, untrusting), tcp, nil
	}
	return conn, tcp, nil
}

// harm is what one bad client does.
func (c *crowd) harm(ctx context.Context, r *rand.Rand) {
	conn, tcp, err := c.dial(r)
	if err != nil {
		c.complain("dial: %v", err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if r.IntN(2) == 0 {
		_ = tcp.SetLinger(0)
	}
	send := func(text string) { _, _ = io.WriteString(conn, text) }
	q := mixed(r.IntN(1000))
	whole := request(http.MethodPost, q.path, q.body)
	switch r.IntN(12) {
	case 0: // a hang-up in a request
		send(whole[:r.IntN(len(whole))])
	case 1: // in an answer
		send(whole)
		_, _ = io.CopyN(io.Discard, conn, int64(r.IntN(1500)))
	case 2: // in a slow stream
		send(request(http.MethodPost, "/deployments/mock-slow/chat/completions", asked(`"stream":true,"max_tokens":300`)))
		_, _ = io.CopyN(io.Discard, conn, int64(r.IntN(5000)))
	case 3: // random bytes
		random := make([]byte, r.IntN(4000))
		for i := range random {
			random[i] = byte(r.Uint32())
		}
		send(string(random))
	case 4: // one byte of a request that is another
		damaged := []byte(whole)
		damaged[r.IntN(len(damaged))] = byte(r.Uint32())
		send(string(damaged))
		_, _ = io.CopyN(io.Discard, conn, 200)
	case 5: // nothing for a while
		pause(ctx, time.Duration(r.IntN(2000))*time.Millisecond)
	case 6: // a slow body
		send(without + "Content-Length: 100000\r\n\r\n")
		for range r.IntN(100) {
			send(" ")
			pause(ctx, 10*time.Millisecond)
		}
	case 7: // a large body, refused or not
		send(without + "Content-Length: " + strconv.Itoa(8<<20) + "\r\n\r\n")
		piece := strings.Repeat(" ", 64<<10)
		for range r.IntN(130) {
			send(piece)
		}
	case 8: // a bomb
		send(request(http.MethodPost, "/chat/completions", bomb(), "Content-Encoding: gzip"))
		_, _ = io.CopyN(io.Discard, conn, 200)
	case 9: // a flood of headers
		send(without + strings.Repeat("X-A: b\r\n", r.IntN(20_000)))
	case 10: // a wrong key
		send(strings.Replace(whole, key, "wrong", 1))
		_, _ = io.CopyN(io.Discard, conn, 200)
	case 11: // many at once, and only some answers are read
		send(strings.Repeat(whole, 1+r.IntN(20)))
		_, _ = io.CopyN(io.Discard, conn, int64(r.IntN(3000)))
	}
	c.bad.Add(1)
}

// pause waits, but not past the end.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// bomb is more zeros than a body may have, in some KiB.
var bomb = sync.OnceValue(func() string { return zip(strings.Repeat("\x00", 8<<20)) })

func TestASoakEndsAsItBegan(t *testing.T) {
	t.Parallel()
	s := serve(t, "tls: auto\n"+strings.Replace(impatient, "header_timeout: 2s", "header_timeout: 5s", 1)) // good clients may be slow on a busy machine
	plain := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Second}, Timeout: 30 * time.Second}
	c := &crowd{s: s, keep: []*http.Client{plain, overTLS(false), overTLS(true)}}
	fresh := s.mustUsage(t)
	crowdFor(t, c, min(2*time.Second, *soakFor/4)) // what grows once, and stays, is no leak
	start := settled(t, c, fresh)
	began := time.Now()
	t.Logf("%8s %9s %9s %11s %12s %9s %7s", "seconds", "good", "bad", "goroutines", "descriptors", "resident", "heap")
	row := func(u usage) {
		t.Logf("%8.0f %9d %9d %11d %12d %5d MiB %3d MiB", time.Since(began).Seconds(), c.good.Load(), c.bad.Load(), u.goroutines, u.descriptors, u.rss>>20, u.heap>>20)
	}
	row(start)
	over := make(chan struct{})
	go func() {
		defer close(over)
		crowdFor(t, c, *soakFor)
	}()
	for tick := time.NewTicker(*soakFor / 10); ; {
		select {
		case <-tick.C:
			if now, err := s.usage(); err != nil {
				t.Error(err)
			} else {
				row(now)
			}
			continue
		case <-over:
			tick.Stop()
		}
		break
	}
	end := settled(t, c, fresh)
	row(end)
	for _, words := range c.complaints {
		t.Error(words)
	}
	// The runtime gives memory back late, so that this much more than when the load was new is no leak.
	const memory = 64 << 20
	if end.heap > start.heap+memory || end.rss > start.rss+memory && !raced {
		t.Errorf("memory grew: %s; at the beginning %s", end, start)
	}
	t.Logf("%d good requests, %d of them wrong; %d bad clients; start %s; end %s", c.good.Load(), c.wrong.Load(), c.bad.Load(), start, end)
}

// settled waits until all connections are over.
func settled(t *testing.T, c *crowd, before usage) usage {
	t.Helper()
	for _, client := range c.keep {
		client.CloseIdleConnections()
	}
	return c.s.settles(t, before)
}

// crowdFor lets good and bad clients at the endpoint for a while.
func crowdFor(t *testing.T, c *crowd, d time.Duration) {
	t.Helper()
	const good, bad = 8, 16
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var wg sync.WaitGroup
	for n := range good {
		wg.Go(func() {
			for i := n; ctx.Err() == nil; i += good {
				c.ask(ctx, i)
				pause(ctx, 5*time.Millisecond)
			}
		})
	}
	for n := range bad {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano())))
			for ctx.Err() == nil {
				c.harm(ctx, r)
				pause(ctx, 5*time.Millisecond)
			}
		})
	}
	wg.Wait()
}
