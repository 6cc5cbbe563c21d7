//go:build linux

package hostile_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// request writes a request as it goes over the wire.
func request(method, target, body string, headers ...string) string {
	lines := append([]string{method + " " + target + " HTTP/1.1", "Host: localhost", "api-key: " + key}, headers...)
	if method == http.MethodPost && !strings.Contains(strings.Join(headers, "\n"), "Transfer-Encoding") {
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(body)))
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

func ask(headers ...string) string {
	return request(http.MethodPost, "/chat/completions", chat(marker), headers...)
}

// without is a head of a question that says nothing of its body.
const without = "POST /chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: " + key + "\r\n"

// answer is what came back, as far as a client could read it.
type answer struct {
	status int
	body   string
	closes bool
}

// read reads one answer; interim ones are left out.
func read(r *bufio.Reader) (answer, error) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodPost})
		if err != nil {
			return answer{}, err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return answer{}, err
		}
		if resp.StatusCode >= http.StatusOK {
			return answer{resp.StatusCode, string(body), resp.Close}, nil
		}
	}
}

// inShape reports what an error lacks of the contract's form.
func inShape(a answer) error {
	var e struct {
		Error *struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Error == nil || e.Error.Code == "" || e.Error.Message == "" {
		return fmt.Errorf("%d is not in the contract's shape: %.300s", a.status, a.body)
	}
	return nil
}

// What becomes of a connection.
const (
	open   = "open"
	closed = "closed"
)

// exchange is what is sent, the statuses that come back, and what becomes of the connection.
type exchange struct {
	name string
	sent string
	want []int
	then string
}

func statuses(all ...int) []int { return all }

func TestRawBytes(t *testing.T) {
	t.Parallel()
	s := serve(t, impatient)
	before := s.mustUsage(t)
	body := chat(marker)
	length := "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
	chunked := without + "Transfer-Encoding: chunked\r\n\r\n"
	cases := []exchange{
		{"half a line", "POST /chat/com", statuses(400), closed},
		{"half a head", without, nil, closed},
		{"half a body", without + length + "\r\n" + body[:9], statuses(408), closed},
		{"no body", without + length + "\r\n", statuses(408), closed},
		{"half a chunk", chunked + chunk[:9], statuses(408), closed},
		{"chunks without an end", chunked + chunk, statuses(408), closed},
		{"a body too short, then another request", without + "Content-Length: 1000\r\n\r\n" + ask(), statuses(408), closed},

		{"three requests at once", ask() + ask() + ask(), statuses(200, 200, 200), open},
		{"a bad one in the middle", ask() + "BAD\r\n\r\n" + ask(), statuses(200, 400), closed},
		{"a refused one in the middle", ask() + request("POST", "/chat/completions", "{}") + ask(), statuses(200, 422, 200), open},
		{"empty lines before", "\r\n\r\n" + ask(), statuses(400), closed},

		{"two lengths", without + length + "Content-Length: 3\r\n\r\n" + body, statuses(400), closed},
		{"the same length twice", without + length + length + "\r\n" + body, statuses(200), open},
		{"a list of lengths", without + "Content-Length: 5, 6\r\n\r\n" + body, statuses(400), closed},
		{"a signed length", without + "Content-Length: +5\r\n\r\n" + body, statuses(400), closed},
		{"a negative length", without + "Content-Length: -5\r\n\r\n" + body, statuses(400), closed},
		{"a hexadecimal length", without + "Content-Length: 0x5\r\n\r\n" + body, statuses(400), closed},
		{"an empty length", without + "Content-Length:\r\n\r\n" + body, statuses(400), closed},
		{"a huge length", without + "Content-Length: 99999999999999999999\r\n\r\n" + body, statuses(400), closed},
		{"the largest length", without + "Content-Length: 9223372036854775807\r\n\r\n", statuses(413), closed},
		{"no length, and a body", without + "\r\n" + body, statuses(400, 400), closed},
		{"length and chunks", without + length + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n", statuses(200), open},
		{"chunked twice", without + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n", statuses(501), closed},
		{"chunked twice in a line", without + "Transfer-Encoding: chunked, chunked\r\n\r\n" + chunk, statuses(501), closed},
		{"another coding", without + "Transfer-Encoding: gzip, chunked\r\n\r\n", statuses(501), closed},
		{"a hidden coding", without + "Transfer-Encoding: \vchunked\r\n\r\n" + chunk, statuses(400), closed},
		{"identity", without + length + "Transfer-Encoding: identity\r\n\r\n" + body, statuses(501), closed},

		{"chunks", chunked + chunk + "0\r\n\r\n", statuses(200), open},
		{"a size that is no number", chunked + "zz\r\n" + body + "\r\n0\r\n\r\n", statuses(400), closed},
		{"a negative size", chunked + "-5\r\n" + body + "\r\n0\r\n\r\n", statuses(400), closed},
		{"a huge size", chunked + "FFFFFFFFFFFFFFFFF\r\n" + body, statuses(400), closed},
		{"the largest size", chunked + "7FFFFFFFFFFFFFFF\r\n" + body, statuses(408), closed},
		{"a size with 0x", chunked + "0x5\r\n" + body + "\r\n0\r\n\r\n", statuses(400), closed},
		{"an empty size", chunked + "\r\n" + body + "\r\n0\r\n\r\n", statuses(400), closed},
		{"a chunk longer than its size", chunked + "5\r\n" + body + "\r\n0\r\n\r\n", statuses(400), closed},
		{"an extension", chunked + strings.Replace(chunk, "\r\n", ";a="+marker+"\r\n", 1) + "0\r\n\r\n", statuses(200), open},
		{"an extension without end", chunked + "5;" + strings.Repeat("x", 70<<10), statuses(400), closed},
		{"a trailer", chunked + chunk + "0\r\napi-key: wrong\r\nContent-Length: 5\r\n\r\n", statuses(200), open},
		{"a trailer without end", chunked + chunk + "0\r\n" + strings.Repeat("a: b\r\n", 20<<10), statuses(400), closed},
		{"a chunk's line that ends in a bare line feed", chunked + strings.Replace(chunk, "\r\n", "\n", 1) + "0\r\n\r\n", statuses(400), closed},

		{"a folded line", ask("X-A: b\r\n " + marker), statuses(200), open},
		{"a folded first line", "POST /chat/completions HTTP/1.1\r\n Host: localhost\r\n\r\n", statuses(400), closed},
		{"a space before the colon", ask("X-A : " + marker), statuses(400), closed},
		{"a tab before the colon", without + "Content-Length\t: 5\r\n\r\n" + body, statuses(400), closed},
		{"a space in a name", ask("X A: b"), statuses(400), closed},
		{"no colon", ask("nonsense"), statuses(400), closed},
		{"no name", ask(": nonsense"), statuses(400), closed},
		{"bare line feeds", strings.ReplaceAll(strings.TrimSuffix(ask(), body), "\r\n", "\n") + body, statuses(200), open},
		{"a bare carriage return", ask("X-A: b\rX-B: c"), statuses(400), closed},
		{"NUL in a value", ask("X-A: b\x00" + marker), statuses(400), closed},
		{"NUL in a name", ask("X\x00A: b"), statuses(400), closed},
		{"NUL in the target", request("POST", "/chat\x00/completions", body), statuses(400), closed},
		{"bytes above ASCII in a value", ask("X-A: \xff\xfe" + marker), statuses(200), open},

		{"no host", "GET /info HTTP/1.1\r\napi-key: " + key + "\r\n\r\n", statuses(400), closed},
		{"two hosts", ask("Host: localhost"), statuses(400), closed},
		{"a host that is none", strings.Replace(ask(), "localhost", "local host/"+marker, 1), statuses(400), closed},
		{"a stranger's host", strings.Replace(ask(), "localhost", "evil.example", 1), statuses(403), open},
		{"an absolute form", request("POST", "http://localhost/chat/completions", body), statuses(200), open},
		{"an absolute form of a stranger", request("POST", "http://evil.example/chat/completions", body), statuses(403), open},
		{"an absolute form with a name and password", request("POST", "http://a:b@localhost/chat/completions", body), statuses(200), open},
		{"another scheme", request("GET", "ftp://localhost/info", ""), statuses(200), open},
		{"an authority form", request("GET", "localhost:80", ""), statuses(404), open},
		{"CONNECT", request("CONNECT", "localhost:80", ""), statuses(404), open},
		{"an asterisk", request("OPTIONS", "*", ""), statuses(404), open},
		{"an asterisk and a body that never comes", request("OPTIONS", "*", "", "Content-Length: 10"), statuses(404), closed},
		{"TRACE", request("TRACE", "/info", ""), statuses(405), open},
		{"a method in lower case", request("post", "/chat/completions", ""), statuses(405), open},
		{"a method that is none", request("G@T", "/info", ""), statuses(400), closed},
		{"a long method", request(strings.Repeat("G", 60<<10), "/info", ""), statuses(405), open},
		{"a space in the target", request("GET", "/in fo", ""), statuses(400), closed},
		{"an empty target", request("GET", "", ""), statuses(400), closed},

		{"HTTP/0.9", "GET /info\r\n", statuses(400), closed},
		{"HTTP/1.0", strings.Replace(ask(), "HTTP/1.1", "HTTP/1.0", 1), statuses(200), closed},
		{"HTTP/1.0, kept", strings.Replace(ask("Connection: keep-alive"), "HTTP/1.1", "HTTP/1.0", 1), statuses(200), open},
		{"HTTP/1.0 with chunks", strings.Replace(chunked, "HTTP/1.1", "HTTP/1.0", 1) + chunk + "0\r\n\r\n", statuses(400), closed},
		{"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", statuses(400), closed},
		{"HTTP/3", strings.Replace(ask(), "HTTP/1.1", "HTTP/3.0", 1), statuses(505), closed},
		{"no version", strings.Replace(ask(), " HTTP/1.1", "", 1), statuses(400), closed},
		{"a version that is none", strings.Replace(ask(), "HTTP/1.1", "HTTP/1.1x", 1), statuses(400), closed},
		{"an upgrade", ask("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), statuses(200), open},

		{"Expect", ask("Expect: 100-continue"), statuses(200), open},
		{"Expect and no key", strings.Replace(without, key, "wrong", 1) + "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n", statuses(401), closed},
		{"Expect something else", ask("Expect: gold"), statuses(417), closed},

		{"many headers", ask(slices.Repeat([]string{"X-A: b"}, 2000)...), statuses(200), open},
		{"too many headers", ask(slices.Repeat([]string{"X-A: b"}, 20000)...), statuses(431), closed},
		{"a long header", ask("X-A: " + strings.Repeat("b", 60<<10)), statuses(200), open},
		{"a header too long", ask("X-A: " + marker + strings.Repeat("b", 80<<10)), statuses(431), closed},
		{"a name too long", ask(strings.Repeat("b", 80<<10) + ": " + marker), statuses(431), closed},
		{"a header of a megabyte", ask("X-A: " + strings.Repeat("b", 1<<20)), statuses(431), closed},
		{"a long key", strings.Replace(ask(), key, strings.Repeat("k", 60<<10), 1), statuses(401), open},
		{"many keys", ask(slices.Repeat([]string{"Authorization: Bearer no"}, 1000)...), statuses(200), open},
		{"a long path", request("GET", "/"+strings.Repeat("a", 60<<10), ""), statuses(404), open},
		{"a path too long", request("GET", "/"+strings.Repeat("a", 80<<10), ""), statuses(431), closed},
		{"a path of many segments", request("GET", strings.Repeat("/a", 30<<10), ""), statuses(404), open},
		{"a path of nothing but slashes", request("GET", strings.Repeat("/", 60<<10)+"info", ""), statuses(200), open},
		{"a long query", request("GET", "/info?a="+marker+strings.Repeat("a", 60<<10), ""), statuses(200), open},
		{"a query of many members", request("GET", "/info?"+strings.Repeat("a&", 30<<10), ""), statuses(200), open},
		{"semicolons in a query", request("GET", "/info?a;"+marker, ""), statuses(200), open},
		{"a broken escape in a query", request("GET", "/info?api-version=%zz"+marker, ""), statuses(200), open},
		{"a broken escape", request("GET", "/%zz", ""), statuses(400), closed},
		{"half an escape", request("GET", "/info%", ""), statuses(400), closed},
		{"an escaped NUL", request("GET", "/info%00", ""), statuses(404), open},
		{"an escaped line", request("GET", "/info%0d%0aX-A:%20b", ""), statuses(404), open},
		{"an escaped slash", request("POST", "/chat%2fcompletions", body), statuses(200), open},
		{"two dots", request("GET", "/../info", ""), statuses(404), open},
		{"two dots in the middle", request("POST", "/models/../chat/completions", body), statuses(404), open},
		{"escaped dots", request("GET", "/models/%2e%2e/info", ""), statuses(404), open},
		{"dots in a deployment", request("POST", "/deployments/../../etc/passwd/chat/completions", body), statuses(404), open},
		{"doubled slashes", request("POST", "//chat///completions//", body), statuses(200), open},
		{"a fragment", request("GET", "/info#x", ""), statuses(404), open},
		{"random bytes", "\x16\x03\x00\xff\x00\x01\x02\r\n\r\n", nil, ""},
	}
	t.Run("", func(t *testing.T) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s.exchange(t, c)
			})
		}
	})
	s.works(t)
	s.settles(t, before)
}

// exchange sends bytes and looks at all that comes back.
func (s *server) exchange(t *testing.T, c exchange) {
	t.Helper()
	conn := s.dial(t)
	began := time.Now()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, c.sent) // an endpoint that closed the connection may be right
	}()
	r := bufio.NewReader(conn)
	var got []int
	for range c.want {
		a, err := read(r)
		if err != nil {
			t.Errorf("got %v and then %v, want %v", got, err, c.want)
			return
		}
		got = append(got, a.status)
		if a.status >= http.StatusBadRequest && a.status != http.StatusExpectationFailed {
			if err := inShape(a); err != nil {
				t.Error(err)
			}
		}
		if strings.Contains(c.sent, "wrong") && strings.Contains(a.body, "wrong") {
			t.Errorf("the answer tells of the key: %s", a.body)
		}
	}
	<-sent
	if !slices.Equal(got, c.want) {
		t.Errorf("got %v, want %v", got, c.want)
	}
	switch c.then {
	case open:
		if _, err := io.WriteString(conn, ask()); err != nil {
			t.Errorf("the connection is closed: %v", err)
		}
		if a, err := read(r); err != nil || a.status != http.StatusOK || !strings.Contains(a.body, marker) {
			t.Errorf("the next request on the connection: got %+v, %v", a, err)
		}
	case closed:
		rest, err := io.ReadAll(r)
		if errors.Is(err, os.ErrDeadlineExceeded) || bytes.Contains(rest, []byte("HTTP/1.1")) {
			t.Errorf("the connection went on: %.300s, %v", rest, err)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	s.works(t)
}
