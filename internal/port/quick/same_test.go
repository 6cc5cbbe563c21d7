package quick_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// answered is what a client got.
type answered struct {
	Status, Proto string
	Header        http.Header
	Length        int64
	Chunked       bool
	Body          string
	Whole         bool
}

// exchange is what became of the bytes of one connection.
type exchange struct {
	Seen     []request
	Answered []answered
	Probed   bool // a request after them was answered over the same connection
}

const probe = "/is-it-open"

// exchange sends text, and then a request that shows whether the connection is still of use.
func (e *endpoint) exchange(t testing.TB, text string) exchange {
	t.Helper()
	c := e.dial(t)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(c, text) // the server may close before it has all
		_, _ = io.WriteString(c, get(probe))
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() {
		t.Errorf("%.60q: hangs after %q", text, got)
	}
	<-sent
	x := exchange{Seen: slices.Clone(e.log.requests())}
	methods := x.Seen
	for in := bufio.NewReader(bytes.NewReader(got)); ; {
		if _, err := in.Peek(1); err != nil {
			break
		}
		asked := &http.Request{Method: http.MethodGet}
		if len(methods) > 0 {
			asked.Method = methods[0].Method
		}
		res, err := http.ReadResponse(in, asked)
		if err != nil {
			t.Errorf("%.60q: got %q: %v", text, got, err)
			break
		}
		if res.StatusCode >= http.StatusOK && len(methods) > 0 {
			methods = methods[1:]
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.Header.Get("X-Target") == probe {
			x.Probed = true
			break
		}
		res.Header.Del("Date")
		x.Answered = append(x.Answered, answered{res.Status, res.Proto, res.Header, res.ContentLength, len(res.TransferEncoding) > 0, string(body), err == nil})
	}
	return x
}

// narrow lets a server read at most so many bytes at once, the first times.
type narrow struct {
	net.Listener
	most  int
	times int
}

func (l narrow) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &narrowConn{c.(*net.TCPConn), l.most, l.times}, nil
}

type narrowConn struct {
	*net.TCPConn
	most, times int
}

func (c *narrowConn) Read(p []byte) (int, error) {
	if c.times > 0 && len(p) > 0 {
		c.times--
		p = p[:min(len(p), c.most)]
	}
	return c.TCPConn.Read(p)
}

// both has net/http, and then a Server, answer with h over the same kind of listener. A head may take so long; 0: as long as it likes.
func both(t *testing.T, head time.Duration, h func(*log) http.HandlerFunc, over func(net.Listener) net.Listener) [2]*endpoint {
	t.Helper()
	first, second := &log{}, &log{}
	one, other := options(first, h(first)), options(second, h(second))
	one.Head, other.Head = head, head
	return [2]*endpoint{standard(t, over(listen(t)), one, first), serve(t, over(listen(t)), other, second)}
}

// same fails unless net/http and a Server make the same of text.
func same(t *testing.T, text string, h func(*log) http.HandlerFunc, over func(net.Listener) net.Listener) {
	t.Helper()
	e := both(t, 0, h, over)
	if diff := cmp.Diff(e[0].exchange(t, text), e[1].exchange(t, text), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%.300q: net/http (-) and this (+):\n%s", text, diff)
	}
}

func echo(l *log) http.HandlerFunc { return l.echo }

// ways are how the bytes of a connection may come.
var ways = map[string]func(net.Listener) net.Listener{
	"at once":      func(ln net.Listener) net.Listener { return ln },
	"byte by byte": func(ln net.Listener) net.Listener { return narrow{ln, 1, 1 << 30} },
}

// requests are what clients send: usual, odd and hostile.
var requests = map[string]string{
	"a usual one":                       post("/chat/completions?api-version=1", `{"a":1}`, "Content-Type: application/json", "Api-Key: k", "User-Agent: x"),
	"one without a body":                post("/a", ""),
	"a GET":                             get("/info"),
	"several":                           post("/a", "one") + get("/b") + post("/c", "three") + get("/d"),
	"the same again":                    strings.Repeat(post("/a", "one", "X-A: b"), 5) + post("/a", strings.Repeat("x", 12345), "X-A: b") + post("/a", "", "X-A: b"),
	"the same but for a header":         post("/a", "one", "X-A: b") + post("/a", "one", "X-A: c") + post("/a", "one", "X-B: c") + post("/a", "one"),
	"the length last, then first":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nonePOST / HTTP/1.1\r\nContent-Length: 4\r\nHost: a\r\n\r\nfour",
	"many after each other":             strings.Repeat(post("/a", "one")+get("/b"), 100),
	"a body that looks like a request":  post("/a", get("/b")) + post("/c", post("/d", "e")),
	"a large body":                      post("/a", strings.Repeat("0123456789", 50_000)),
	"a body as large as the room":       post("/a", strings.Repeat("x", 4096)) + get("/b"),
	"a head as large as the room":       post("/a", "x", "X-A: "+strings.Repeat("a", 4096-len(post("/a", "", "X-A: ")))) + get("/b"),
	"a head larger by one":              post("/a", "x", "X-A: "+strings.Repeat("a", 4097-len(post("/a", "", "X-A: ")))) + get("/b"),
	"a head of 20 KB":                   get("/a", "X-A: "+strings.Repeat("a", 20_000)) + get("/b"),
	"a head of 200 KB":                  get("/a", "X-A: "+strings.Repeat("a", 200_000)),
	"a thousand headers":                get("/a", slices.Repeat([]string{"X-A: b"}, 1000)...),
	"a header twice":                    get("/a", "X-A: b", "X-C: d", "x-a: e"),
	"header names in any case":          "POST / HTTP/1.1\r\nhOST: a\r\ncontent-LENGTH: 1\r\nx-fOo-BAR: b\r\n\r\nx" + get("/b"),
	"an odd header name":                get("/a", "X_A!#$%&'*+-.^_`|~9: b"),
	"a header without a name":           get("/a", ": b"),
	"a header without a colon":          get("/a", "X-A"),
	"a space before the colon":          get("/a", "X-A : b"),
	"a space in a name":                 get("/a", "X A: b"),
	"a space before a name":             "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
	"an empty value":                    get("/a", "X-A:", "X-B: ", "X-C:    "),
	"spaces around a value":             get("/a", "X-A:b", "X-B:   c   ", "X-C: d e  f"),
	"tabs around a value":               get("/a", "X-A:\tb\t", "X-B: c\td"),
	"colons in a value":                 get("/a", "X-A: b:c: d", "X-B::"),
	"UTF-8 in a value":                  get("/a", "X-A: café"),
	"bytes in a value":                  get("/a", "X-A: \x80\xff"),
	"NUL in a value":                    get("/a", "X-A: a\x00b"),
	"DEL in a value":                    get("/a", "X-A: a\x7fb"),
	"a control in a value":              get("/a", "X-A: a\x01b"),
	"CR in a value":                     get("/a", "X-A: a\rb"),
	"UTF-8 in a name":                   get("/a", "X-é: b"),
	"NUL in a name":                     get("/a", "X-\x00: b"),
	"obs-fold":                          get("/a", "X-A: b\r\n c"),
	"obs-fold with a tab":               get("/a", "X-A: b\r\n\tc"),
	"obs-fold of nothing":               get("/a", "X-A:\r\n "),
	"obs-fold of a length":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 1\r\n\r\nx",
	"bare LF":                           "GET / HTTP/1.1\nHost: a\n\n",
	"bare LF after CRLF":                "GET / HTTP/1.1\r\nHost: a\n\r\n",
	"bare LF at the end":                "GET / HTTP/1.1\r\nHost: a\r\n\n" + get("/b"),
	"bare LF with something after it":   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"CRCRLF":                            "GET / HTTP/1.1\r\r\nHost: a\r\r\n\r\r\n",
	"a line that CR ends":               "GET / HTTP/1.1\rHost: a\r\r",
	"CRLF first":                        "\r\n" + get("/a"),
	"CRLF after a POST":                 post("/a", "x") + "\r\n" + post("/b", "y"),
	"two CRLF after a POST":             post("/a", "x") + "\r\n\r\n" + post("/b", "y"),
	"three CRLF after a POST":           post("/a", "x") + "\r\n\r\n\r\n" + post("/b", "y"),
	"many CRLF after a POST":            post("/a", "x") + strings.Repeat("\r\n", 5000) + post("/b", "y"),
	"LF after a POST":                   post("/a", "x") + "\n" + post("/b", "y"),
	"CR after a POST":                   post("/a", "x") + "\r" + post("/b", "y"),
	"CRLF after a GET":                  get("/a") + "\r\n" + get("/b"),
	"CRLF after a POST and nothing":     post("/a", "x") + "\r\n\r\n",
	"two lengths":                       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
	"the same length twice":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
	"two lengths in one":                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx",
	"a length and chunks":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	"chunks":                            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + get("/b"),
	"chunks in capitals":                "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n" + get("/b"),
	"broken chunks":                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
	"another coding":                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"identity":                          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: identity\r\n\r\nx",
	"chunks with a trailer":             "POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-A\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-A: b\r\n\r\n",
	"a usual one, then chunks, another": post("/a", "x") + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n" + post("/b", "y"),
	"no length":                         "POST / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"an empty length":                   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
	"a length with a plus":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
	"a length with a minus":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx",
	"minus nothing":                     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -0\r\n\r\n",
	"a length with spaces":              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:   1  \r\n\r\nx" + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:   2  \r\n\r\nxy",
	"a length with a tab":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t1\r\n\r\nx",
	"a length with a space in it":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx",
	"a length with zeros before it":     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0001\r\n\r\nx" + post("/a", "y"),
	"a length of forty zeros":           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + strings.Repeat("0", 40) + "\r\n\r\n" + post("/a", "y"),
	"a length in hex":                   "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx",
	"a length with an underscore":       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789",
	"a length with a fraction":          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1.0\r\n\r\nx",
	"a length of no number":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: one\r\n\r\nx",
	"a length over 64 bits":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx",
	"a length of 63 bits":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\nx",
	"a length over 63 bits":             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nx",
	"a length of 62 bits":               "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4611686018427387903\r\n\r\nx",
	"a bad length after a good one":     post("/a", "x") + "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n",
	"an overflow after a good one":      post("/a", "x") + "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
	"a sign after a good one":           post("/a", "x") + "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx",
	"two lengths after a good one":      post("/a", "x") + "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
	"a GET with a length":               "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none" + get("/b"),
	"a GET with length 0":               "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" + get("/b"),
	"no Host":                           "GET / HTTP/1.1\r\n\r\n",
	"two Hosts":                         "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
	"the same Host twice":               "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
	"an empty Host":                     "GET / HTTP/1.1\r\nHost:\r\n\r\n" + get("/b"),
	"an empty Host and another":         "GET / HTTP/1.1\r\nHost:\r\nHost: a\r\n\r\n" + get("/b"),
	"a Host with a port":                "GET / HTTP/1.1\r\nHost: example.com:8080\r\n\r\n" + get("/b"),
	"a Host of IPv6":                    "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n" + get("/b"),
	"a Host with a zone":                "GET / HTTP/1.1\r\nHost: [fe80::1%25en0]:8080\r\n\r\n" + get("/b"),
	"a Host with a space":               "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
	"a Host with a slash":               "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
	"a Host with a user":                "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
	"a Host in UTF-8":                   "GET / HTTP/1.1\r\nHost: é\r\n\r\n",
	"a Host list":                       "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
	"HTTP/1.0":                          "GET / HTTP/1.0\r\n\r\n",
	"HTTP/1.0 with keep-alive":          "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get("/b"),
	"HTTP/1.0 with a body":              "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
	"HTTP/0.9":                          "GET /\r\n\r\n",
	"HTTP/1.2":                          "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
	"HTTP/2.0":                          "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
	"HTTP/01.1":                         "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
	"http/1.1":                          "GET / http/1.1\r\nHost: a\r\n\r\n",
	"two spaces before the version":     "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
	"two spaces before the target":      "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
	"a space after the version":         "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
	"a tab before the version":          "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n",
	"a space in the target":             "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
	"two versions":                      "GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n",
	"a space first":                     " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
	"Connection: close":                 get("/a", "Connection: close") + get("/b"),
	"Connection: close in capitals":     get("/a", "Connection: CLOSE") + get("/b"),
	"Connection: keep-alive":            get("/a", "Connection: keep-alive") + get("/b", "connection: Keep-Alive"),
	"Connection: both":                  get("/a", "Connection: keep-alive, close") + get("/b"),
	"Connection: something":             get("/a", "Connection: X-A", "X-A: b") + get("/b"),
	"two Connections":                   get("/a", "Connection: keep-alive", "Connection: close") + get("/b"),
	"no Connection":                     get("/a", "Connection:") + get("/b"),
	"Keep-Alive":                        get("/a", "Keep-Alive: timeout=1", "Proxy-Connection: close") + get("/b"),
	"Upgrade":                           get("/a", "Connection: Upgrade", "Upgrade: websocket") + get("/b"),
	"Upgrade to HTTP/2":                 get("/a", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA") + get("/b"),
	"Expect: 100-continue":              post("/a", "x", "Expect: 100-continue") + post("/b", "y"),
	"Expect: something":                 post("/a", "x", "Expect: money") + post("/b", "y"),
	"Pragma":                            get("/a", "Pragma: no-cache") + get("/b"),
	"TE":                                get("/a", "TE: trailers", "Connection: TE") + get("/b"),
	"HEAD":                              "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"OPTIONS":                           "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"OPTIONS *":                         "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"GET *":                             "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
	"PUT":                               "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" + get("/b"),
	"DELETE":                            "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"CONNECT":                           "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
	"a made-up method":                  "G|T / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"a method in small letters":         "get / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"a longer method":                   "GETS / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"a method with a comma":             "G,T / HTTP/1.1\r\nHost: a\r\n\r\n",
	"PRI":                               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"a target with a scheme":            "GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"),
	"a target that is a name":           "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
	"no target":                         "GET HTTP/1.1\r\nHost: a\r\n\r\n",
	"an empty target":                   "GET  HTTP/1.1\r\nHost: a\r\n\r\n",
	"two slashes":                       get("//b/c") + get("///d"),
	"a target with escapes":             get("/a%20b%2Fc?d=%20&e") + get("/b"),
	"a target with a wrong escape":      get("/a%zz"),
	"a target with half an escape":      get("/a%2"),
	"a query with a wrong escape":       get("/a?b=%zz") + get("/b"),
	"a target in UTF-8":                 get("/é") + get("/b"),
	"a target with NUL":                 get("/a\x00b"),
	"a target with DEL":                 get("/a\x7fb"),
	"a target with a fragment":          get("/a#b") + get("/b"),
	"a target with odd letters":         get("/a<b>\"{}|\\^`[]?<b>\"{}|\\^`[]") + get("/b"),
	"a target with dots":                get("/../a/./b//c") + get("/b"),
	"a target with a question mark":     get("/?") + get("/a??b?"),
	"a target with a colon":             get("/a:b") + get("/:b"),
	"a long target":                     get("/"+strings.Repeat("a", 3000)) + get("/b"),
	"a very long target":                get("/"+strings.Repeat("a", 100_000)) + get("/b"),
	"a body that does not come":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx",
	"nothing":                           "",
	"half a head":                       "GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
	"half a head after a request":       post("/a", "x") + "POST /b HTTP/1.1\r\nX-A: b",
	"garbage":                           "\x00\x01\x02\x03\r\n\r\n",
	"TLS":                               "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"garbage after a request":           post("/a", "x") + "\x00\x01\r\n\r\n",
	"garbage after a GET":               get("/a") + "}}}}\r\n\r\n",
}

func TestRequestsAreUnderstoodAsNetHTTPUnderstandsThem(t *testing.T) {
	t.Parallel()
	for way, over := range ways {
		for name, text := range requests {
			if len(text) > 50_000 && way != "at once" {
				continue // it would take long, and shows nothing that shorter ones do not
			}
			t.Run(way+"/"+name, func(t *testing.T) {
				t.Parallel()
				same(t, text, echo, over)
			})
		}
	}
}

func TestRequestsMayBeSplitAnywhere(t *testing.T) {
	t.Parallel()
	text := post("/a", "one", "X-A: b") + "\r\n" + post("/a", "twelve bytes", "X-A: b") + get("/b") + get("/b") + post("/c", "x")
	for at := 1; at < len(text); at += 1 + at/40 {
		same(t, text, echo, func(ln net.Listener) net.Listener { return narrow{ln, at, 1} })
	}
}

func TestAHeadThatEndsEarlyIsAnsweredAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"G", "GET /", "GET /\r\n", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r", post("/a", "x") + "GET / HTTP/1.1\r\nHost: a\r\n"} {
		for _, half := range []bool{true, false} { // or its time ends
			t.Run("", func(t *testing.T) {
				t.Parallel()
				var got [2][]string
				for i, e := range both(t, time.Second, echo, ways["at once"]) {
					c := e.client(t)
					c.send(text)
					if half {
						_ = c.CloseWrite()
					}
					got[i] = statuses(c.ended())
				}
				if !slices.Equal(got[0], got[1]) {
					t.Errorf("%q, half-closed %v: net/http answers %q, this %q", text, half, got[0], got[1])
				}
			})
		}
	}
}

// What another kind of client sends is not waited for: it may never send what would end a usual head. (Where only a line after the
// first is wrong, a Server waits for the rest of the head, and net/http does not.)
func TestWhatWillBeNoUsualHeadIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	l := &log{}
	e := serve(t, listen(t), options(l, nil), l)
	for text, want := range map[string]string{
		"GET / HTTP/1.1\nHost: a\n\n":                  "HTTP/1.1 200 OK",
		"GET / HTTP/1.1\r\nHost: a\n\n":                "HTTP/1.1 200 OK",
		"GET / HTTP/1.1\r\nHost: a\r\n\n":              "HTTP/1.1 200 OK",
		"GET /\r\n":                                    "HTTP/1.1 400 Bad Request",
		"GET / HTTP/3.0\r\nHost: a\r\n\r\n":            "HTTP/1.1 505 HTTP Version Not Supported: unsupported protocol version",
		"hello\n":                                      "HTTP/1.1 400 Bad Request",
		"get / HTTP/1.1\nHost: a\n\n":                  "HTTP/1.1 200 OK",
		"\n":                                           "HTTP/1.1 400 Bad Request",
		post("/", "x") + "\n\n\n\n\n":                  "HTTP/1.1 200 OK,HTTP/1.1 400 Bad Request",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":             "HTTP/1.1 200 OK",
		post("/", "x") + "PUT / HTTP/1.1\nHost: a\n\n": "HTTP/1.1 200 OK,HTTP/1.1 200 OK",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			c := e.client(t)
			c.send(text)
			if got := strings.Join(statuses(c.all(soon)), ","); got != want {
				t.Errorf("%q: got %q, want %q", text, got, want)
			}
		})
	}
}

// statuses are the first lines of answers.
func statuses(text string) (found []string) {
	for line := range strings.Lines(text) {
		if at := strings.Index(line, "HTTP/1.1 "); at >= 0 {
			found = append(found, strings.TrimSpace(line[at:]))
		}
	}
	return found
}
