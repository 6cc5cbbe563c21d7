//go:build linux

package hostile_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// trickle sends bytes one by one for as long as somebody takes them.
func trickle(c net.Conn, text string, pause time.Duration) {
	for i := 0; ; i++ {
		if _, err := c.Write([]byte{text[min(i, len(text)-1)]}); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

func TestSlowClientsEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, impatient)
	before := s.mustUsage(t)
	const pause = 20 * time.Millisecond
	chunks := without + "Transfer-Encoding: chunked\r\n\r\n"
	t.Run("", func(t *testing.T) {
		for _, c := range []struct {
			name, at, slowly string
			want             int // 0 is no answer
			within           time.Duration
		}{
			{"nothing at all", "", "", 0, 15 * time.Second},
			{"a slow line", "", "POST /chat/completions?" + strings.Repeat("x", 1000), 0, 15 * time.Second},
			{"a slow head", without, "X-A: " + strings.Repeat("x", 1000), 0, 15 * time.Second},
			{"a slow body", without + "Content-Length: 100000\r\n\r\n", " ", http.StatusRequestTimeout, 15 * time.Second},
			{"slow chunks", chunks, strings.Repeat("1\r\n \r\n", 1000), http.StatusRequestTimeout, 15 * time.Second},
			{"a slow size", chunks, strings.Repeat("0", 1000), 0, 15 * time.Second},
			{"a slow trailer", chunks + "1\r\n \r\n0\r\n", "a: " + strings.Repeat("x", 1000), http.StatusBadRequest, 15 * time.Second},
			{"a slow body without a key", strings.Replace(without, key, "no", 1) + "Content-Length: 1000\r\n\r\n", " ", http.StatusUnauthorized, 15 * time.Second},
			{"a slow body for nothing", strings.Replace(without, "/chat", "/nowhere", 1) + "Content-Length: 1000\r\n\r\n", " ", http.StatusNotFound, 15 * time.Second},
			{"a slow body for the health", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n", " ", http.StatusOK, 15 * time.Second},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				conn := s.dial(t)
				began := time.Now()
				if _, err := io.WriteString(conn, c.at); err != nil {
					t.Fatal(err)
				}
				if c.slowly != "" {
					go trickle(conn, c.slowly, pause)
				}
				r := bufio.NewReader(conn)
				if a, err := read(r); c.want != 0 && (err != nil || a.status != c.want) {
					t.Errorf("got %+v, %v, want %d", a, err, c.want)
				}
				rest, err := io.ReadAll(r)
				if errors.Is(err, os.ErrDeadlineExceeded) || len(rest) > 0 {
					t.Errorf("the connection went on: %.300s, %v", rest, err)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("it took %s", took)
				}
			})
		}
	})
	s.works(t)
	s.settles(t, before)
}

func TestABodyOf50MBIsRefusedByItsLengthAndTheRefusalCanBeRead(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	const size = 50 << 20
	length := without + "Content-Length: " + strconv.Itoa(size) + "\r\n"
	t.Run("nothing of it is sent", func(t *testing.T) {
		c := s.dial(t)
		began := time.Now()
		_, _ = io.WriteString(c, length+"\r\n")
		a, err := read(bufio.NewReader(c))
		if err != nil || a.status != http.StatusRequestEntityTooLarge || inShape(a) != nil {
			t.Errorf("got %+v, %v", a, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("by those who ask first", func(t *testing.T) {
		c := s.dial(t)
		_, _ = io.WriteString(c, length+"Expect: 100-continue\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 413") {
			t.Errorf("got %s, %v", line, err)
		}
	})
	for _, kind := range []string{"length", "chunks"} {
		t.Run("all of it is sent before reading, by "+kind, func(t *testing.T) {
			c := s.dial(t)
			head := length + "\r\n"
			piece := bytes.Repeat([]byte(" "), 1<<20)
			if kind == "chunks" {
				head = without + "Transfer-Encoding: chunked\r\n\r\n"
				piece = append(fmt.Appendf(nil, "%x\r\n", len(piece)), append(piece, "\r\n"...)...)
			}
			_, err := io.WriteString(c, head)
			for i := 0; i < size>>20 && err == nil; i++ {
				_, err = c.Write(piece)
			}
			if err != nil {
				t.Errorf("send: %v", err)
			}
			a, err := read(bufio.NewReader(c))
			if err != nil || a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
	t.Run("by a client of the standard library", func(t *testing.T) {
		req, err := http.NewRequest(http.MethodPost, s.url("/chat/completions"), bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Api-Key", key)
		resp, err := once.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", resp.StatusCode)
		}
	})
	s.works(t)
}

func zip(text string) string {
	var b strings.Builder
	z := gzip.NewWriter(&b) // a Builder takes all
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	s := serve(t, impatient)
	const coded = "Content-Encoding: gzip"
	zero := strings.Repeat("\x00", 5<<20)
	good := zip(chat(marker))
	post := func(body string, headers ...string) string {
		return request(http.MethodPost, "/chat/completions", body, headers...)
	}
	t.Run("", func(t *testing.T) {
		for _, c := range []exchange{
			{"gzip", post(good, coded), statuses(200), open},
			{"in chunks", without + coded + "\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(good), good), statuses(200), open},
			{"a bomb", post(zip(zero), coded), statuses(413), open},
			{"a bomb of bombs", post(zip(zip(zero)), coded), statuses(400), open},
			{"cut short", post(good[:20], coded), statuses(400), open},
			{"not gzip", post(chat(marker), coded), statuses(400), open},
			{"garbage after it", post(good+marker, coded), statuses(400), open},
			{"gzip without saying so", post(good), statuses(400), open},
			{"deflate", post(good, "Content-Encoding: deflate"), statuses(415), open},
			{"br", post(good, "Content-Encoding: br"), statuses(415), open},
			{"zstd", post(good, "Content-Encoding: zstd"), statuses(415), open},
			{"two codings", post(zip(good), "Content-Encoding: gzip, gzip"), statuses(415), open},
			{"a slow one", without + coded + "\r\nContent-Length: 1000\r\n\r\n" + good[:20], statuses(408), closed},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s.exchange(t, c)
			})
		}
	})
}

func TestVanishingClientsLeaveNothing(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	before := s.mustUsage(t)
	whole := request(http.MethodPost, "/deployments/mock-long/chat/completions", `{"stream":true,"max_tokens":50,"messages":[{"role":"user","content":"`+marker+`"}]}`)
	gate := make(chan struct{}, 64)
	var wg sync.WaitGroup
	hangUp := func(at, answered int, abort bool) {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			c, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if abort {
				_ = c.(*net.TCPConn).SetLinger(0) // a reset, where an ordinary end is a FIN
			}
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.WriteString(c, whole[:at]); err != nil {
				t.Error(err)
			}
			if answered > 0 {
				if _, err := io.CopyN(io.Discard, c, int64(answered)); err != nil {
					t.Errorf("%d bytes of the answer: %v", answered, err)
				}
			}
		})
	}
	for at := range len(whole) + 1 {
		hangUp(at, 0, at%2 == 0)
	}
	for answered := 1; answered < 4000; answered += 37 {
		hangUp(len(whole), answered, answered%2 == 0)
	}
	wg.Wait()
	s.works(t)
	s.settles(t, before)
}
