//go:build linux

package hostile_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// untrusting are the settings of clients that do not ask whose certificate it is.
var untrusting = &tls.Config{InsecureSkipVerify: true}

// overTLS speaks HTTP/2, or 1.1, over TLS.
func overTLS(two bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!two)
	protocols.SetHTTP2(two)
	return &http.Client{
		Transport: &http.Transport{TLSClientConfig: untrusting.Clone(), Protocols: protocols, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Second},
		Timeout:   30 * time.Second,
	}
}

func (s *server) secure(path string) string { return "https://" + s.addr + path }

func TestOverTLSTheSameLimitsHold(t *testing.T) {
	t.Parallel()
	s := serve(t, "tls: auto\n"+impatient)
	before := s.mustUsage(t)
	t.Run("", func(t *testing.T) {
		t.Run("half a handshake", func(t *testing.T) {
			t.Parallel()
			for _, hello := range []string{"\x16", "\x16\x03\x01\x02\x00\x01\x00", "\x16\x03\x01\x00\x05hello", "\x16" + strings.Repeat("\x00", 100_000)} {
				c := s.dial(t)
				_, _ = io.WriteString(c, hello)
				if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
					t.Errorf("%.20q: %v", hello, err)
				}
			}
		})
		t.Run("a slow head", func(t *testing.T) {
			t.Parallel()
			c := tls.Client(s.dial(t), untrusting)
			_, _ = io.WriteString(c, without)
			if rest, err := io.ReadAll(c); len(rest) > 0 {
				t.Errorf("got %s, %v", rest, err)
			}
		})
		t.Run("a slow body", func(t *testing.T) {
			t.Parallel()
			c := tls.Client(s.dial(t), untrusting)
			_, _ = io.WriteString(c, without+"Content-Length: 1000\r\n\r\n{")
			if a, err := read(bufio.NewReader(c)); err != nil || a.status != http.StatusRequestTimeout {
				t.Errorf("got %+v, %v", a, err)
			}
		})
		send := func(t *testing.T, client *http.Client, body io.Reader) (int, string) {
			t.Helper()
			req, err := http.NewRequest(http.MethodPost, s.secure("/chat/completions"), body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Api-Key", key)
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(text)
		}
		for name, client := range map[string]*http.Client{"HTTP/1.1": overTLS(false), "HTTP/2": overTLS(true)} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if status, text := send(t, client, strings.NewReader(chat(marker))); status != http.StatusOK || !strings.Contains(text, marker) {
					t.Errorf("a question: got %d %s", status, text)
				}
				if status, text := send(t, client, bytes.NewReader(make([]byte, 50<<20))); status != http.StatusRequestEntityTooLarge {
					t.Errorf("50 MB: got %d %s", status, text)
				}
				r, w := io.Pipe()
				go func() { _, _ = w.Write([]byte("{")) }()
				if status, text := send(t, client, r); status != http.StatusRequestTimeout {
					t.Errorf("a body that stops: got %d %s", status, text)
				}
				_ = w.Close()
				r, w = io.Pipe()
				go func() {
					for {
						if _, err := w.Write([]byte(" ")); err != nil {
							return
						}
						time.Sleep(20 * time.Millisecond)
					}
				}()
				if status, text := send(t, client, r); status != http.StatusRequestTimeout {
					t.Errorf("a trickle: got %d %s", status, text)
				}
				_ = r.Close()
				var wg sync.WaitGroup
				for i := range 50 { // hang-ups amid streams
					wg.Go(func() {
						ctx, cancel := context.WithCancel(t.Context())
						defer cancel()
						req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.secure("/deployments/mock-slow/chat/completions"), strings.NewReader(asked(`"stream":true,"max_tokens":500`)))
						if err != nil {
							t.Error(err)
							return
						}
						req.Header.Set("Api-Key", key)
						resp, err := client.Do(req)
						if err != nil {
							t.Error(err)
							return
						}
						defer resp.Body.Close()
						_, _ = io.CopyN(io.Discard, resp.Body, int64(i*40))
					})
				}
				wg.Wait()
				client.CloseIdleConnections()
			})
		}
	})
	s.works(t)
	s.settles(t, before)
}
