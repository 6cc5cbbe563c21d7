package dial_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/upstream/dial"
)

// names is a resolver that knows a few names. What it says of one may change from question to question.
type names struct {
	mu    sync.Mutex
	known map[string][]string // lists of addresses, of which the last stays
	asked []string
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	n.asked = append(n.asked, host)
	answers := n.known[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.known[host] = answers[1:]
	}
	var addrs []netip.Addr
	for a := range strings.FieldsSeq(answers[0]) {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, nil
}

// wires connects every address to one server on this machine, and remembers which addresses were asked for.
type wires struct {
	server string
	mu     sync.Mutex
	dialed []string
}

func (w *wires) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	w.dialed = append(w.dialed, address)
	w.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, w.server)
}

// world is a server for every name, by https, with what leads to it.
func world(t *testing.T, known map[string][]string, handler http.HandlerFunc) (dial.Options, *names, *wires) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	n, w := &names{known: known}, &wires{server: s.Listener.Addr().String()}
	return dial.Options{Resolver: n, Dialer: w, Roots: roots}, n, w
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body), err
}

// outcome is the answer, or why there is none.
func outcome(text string, err error) string {
	if refused, ok := errors.AsType[*dial.RefusedError](err); ok {
		return refused.Refusal()
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return text
}

func must(t *testing.T) func(*http.Client, error) *http.Client {
	t.Helper()
	return func(c *http.Client, err error) *http.Client {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.CloseIdleConnections)
		return c
	}
}

const (
	notPublic = "its host has an address that is not public"
	never     = "its host has an address that is link-local, reserved, or a cloud's own"
	notHTTPS  = "its URL is not https"
)

func TestAStrangersURLLeadsToPublicAddressesOnly(t *testing.T) {
	t.Parallel()
	known := func() map[string][]string {
		return map[string][]string{
			"example.com":       {"93.184.215.14"},
			"six.example.com":   {"2606:2800:21f:cb07:6820:80da:af6b:8b2c"},
			"two.example.com":   {"93.184.215.14 10.0.0.1"},
			"in.example.com":    {"10.1.2.3"},
			"me.example.com":    {"127.0.0.1"},
			"meta.example.com":  {"169.254.169.254"},
			"own.example.com":   {"192.168.7.7"},
			"trick.example.com": {"::ffff:127.0.0.1"},
			"localhost":         {"127.0.0.1"},
		}
	}
	for url, want := range map[string]string{
		"https://example.com/a.png":            "200 hello",
		"https://EXAMPLE.com:8443/a.png":       "200 hello",
		"https://six.example.com/a.png":        "200 hello",
		"http://example.com/a.png":             notHTTPS,
		"https://two.example.com/a.png":        notPublic,
		"https://in.example.com/a.png":         notPublic,
		"https://me.example.com/a.png":         notPublic,
		"https://meta.example.com/a.png":       notPublic,
		"https://trick.example.com/a.png":      notPublic,
		"https://localhost/a.png":              notPublic,
		"https://127.0.0.1/a.png":              notPublic,
		"https://[::1]/a.png":                  notPublic,
		"https://[::ffff:10.0.0.1]/a.png":      notPublic,
		"https://[64:ff9b::7f00:1]/a.png":      notPublic,
		"https://[fe80::1%25lo]/a.png":         notPublic,
		"https://169.254.169.254/metadata":     notPublic,
		"https://１２７.0.0.1/a.png":              notPublic,
		"https://user:key@example.com/a.png":   "its URL holds a user name",
		"https://own.example.com/a.png":        "200 hello",
		"https://OWN.example.com.:8443/a.png":  "200 hello",
		"https://10.9.9.9/a.png":               "error: own address", // its certificate names another
		"https://169.254.7.7/a.png":            never,
		"https://key@own.example.com/a.png":    "its URL holds a user name",
		"ftp://own.example.com/a.png":          notHTTPS,
		"https://gone.example.com/a.png":       "error: no such host",
		"https://0x7f.1/a.png":                 "error: no such host",
		"https://2130706433/a.png":             "error: no such host",
		"https://metadata.google.internal/a/b": "error: no such host",
	} {
		o, _, w := world(t, known(), func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
		o.Hosts = []string{"Own.Example.com", "own.example.com.", "10.9.9.9", "169.254.7.7"}
		got := outcome(get(t, must(t)(dial.PublicClient(o)), url))
		switch {
		case strings.HasPrefix(want, "error"):
			if !strings.HasPrefix(got, "error") {
				t.Errorf("%s: %s", url, got)
			}
		case got != want:
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		if want == notPublic && len(w.dialed) > 0 {
			t.Errorf("%s: %v was dialled", url, w.dialed)
		}
	}
}

func TestPlainHTTPIsForOwnHosts(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(s.Close)
	o := dial.Options{
		Hosts:    []string{"files"},
		Resolver: &names{known: map[string][]string{"files": {"10.0.0.7"}, "others": {"93.184.215.14"}}},
		Dialer:   &wires{server: s.Listener.Addr().String()},
	}
	c := must(t)(dial.PublicClient(o))
	for url, want := range map[string]string{"http://files/a.png": "200 hello", "http://others/a.png": notHTTPS} {
		if got := outcome(get(t, c, url)); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
}

func TestARedirectIsJudgedLikeARequest(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"example.com": {"93.184.215.14"}, "in.example.com": {"10.0.0.1"}}
	for to, want := range map[string]string{
		"/hello":                                  "200 hello",
		"https://example.com/hello":               "200 hello",
		"/redirect?to=/redirect%3Fto=/hello":      "200 hello",
		"/loop":                                   "it is redirected more than 3 times",
		"http://example.com/hello":                notHTTPS,
		"https://in.example.com/hello":            notPublic,
		"https://127.0.0.1/hello":                 notPublic,
		"https://[fd00:ec2::254]/hello":           notPublic,
		"https://169.254.169.254/latest":          notPublic,
		"https://u:p@example.com/hello":           "its URL holds a user name",
		"file:///etc/hostname":                    notHTTPS,
		"/redirect?to=https://in.example.com/end": notPublic,
	} {
		o, _, w := world(t, known, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
				t.Errorf("%s was told %v", r.URL, r.Header)
			}
			http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"}) // it must not come back
			switch r.URL.Path {
			case "/redirect":
				http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
			case "/loop":
				http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
			default:
				fmt.Fprint(w, "hello")
			}
		})
		got := outcome(get(t, must(t)(dial.PublicClient(o)), "https://example.com/redirect?sig=secret&to="+strings.ReplaceAll(to, "&", "%26")))
		if got != want {
			t.Errorf("to %s: %s, want %s", to, got, want)
		}
		for _, address := range w.dialed {
			if address != "93.184.215.14:443" {
				t.Errorf("to %s: %s was dialled", to, address)
			}
		}
	}
}

func TestANameThatChangesItsAddressIsNotFollowed(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"example.com": {"93.184.215.14", "127.0.0.1"}}
	o, n, w := world(t, known, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "hello")
	})
	c := must(t)(dial.PublicClient(o))
	first := outcome(get(t, c, "https://example.com/"))
	c.CloseIdleConnections()
	second := outcome(get(t, c, "https://example.com/"))
	if first != "200 hello" || second != notPublic {
		t.Errorf("%s, then %s", first, second)
	}
	if diff := cmp.Diff([]string{"93.184.215.14:443"}, w.dialed); diff != "" || len(n.asked) != 2 {
		t.Errorf("each request is resolved once, and what is judged is dialled: %v %s", n.asked, diff)
	}
}

func TestAConfiguredServerMayBeLocal(t *testing.T) {
	t.Parallel()
	known := map[string][]string{
		"example.com": {"93.184.215.14"}, "in.example.com": {"10.0.0.1"}, "me.example.com": {"::1"}, "meta.example.com": {"169.254.169.254"},
		"azure.example.com": {"168.63.129.16"}, "half.example.com": {"10.0.0.1 169.254.0.1"},
	}
	for url, want := range map[string]string{
		"https://example.com/":       "200 hello",
		"https://in.example.com/":    "200 hello",
		"https://me.example.com/":    "200 hello",
		"https://127.0.0.1/":         "200 hello",
		"https://meta.example.com/":  never,
		"https://azure.example.com/": never,
		"https://half.example.com/":  never,
		"http://169.254.169.254/":    never,
		"http://[fd00:ec2::254]/":    never,
		"https://in.example.com/go":  "302 ",
	} {
		o, _, _ := world(t, known, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/go" {
				w.Header().Set("Location", "https://example.com/")
				w.WriteHeader(http.StatusFound)
				return
			}
			fmt.Fprint(w, "hello")
		})
		if got := outcome(get(t, must(t)(dial.Configured(o)), url)); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	t.Parallel()
	o, _, _ := world(t, map[string][]string{"example.com": {"93.184.215.14"}, "other.test": {"93.184.215.14"}}, func(http.ResponseWriter, *http.Request) {})
	if got := outcome(get(t, must(t)(dial.Configured(o)), "https://other.test/")); !strings.Contains(got, "certificate") {
		t.Errorf("another's certificate: %s", got)
	}
	o.Roots = x509.NewCertPool()
	if got := outcome(get(t, must(t)(dial.PublicClient(o)), "https://example.com/")); !strings.Contains(got, "certificate") {
		t.Errorf("an unknown authority: %s", got)
	}
}

func TestAProxyMayBeLocalAndTakesTheNames(t *testing.T) {
	t.Parallel()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(s.Close)
	n, w := &names{known: map[string][]string{"proxy": {"10.0.0.3"}}}, &wires{server: s.Listener.Addr().String()}
	c := must(t)(dial.PublicClient(dial.Options{Resolver: n, Dialer: w, Proxy: "http://proxy:3128"}))
	if got := outcome(get(t, c, "https://example.com/a.png")); !strings.HasPrefix(got, "error") {
		t.Error(got)
	}
	if got := outcome(get(t, c, "https://10.0.0.1/a.png")); got != notPublic {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"CONNECT example.com:443", "10.0.0.3:3128", "proxy"}, slices.Concat(asked, w.dialed, n.asked)); diff != "" {
		t.Error(diff)
	}
}

// It is the only test that asks the environment, which is read once in a process.
func TestTheEnvironmentNamesAProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy:3128")
	t.Setenv("NO_PROXY", "near.example.com")
	n, w := &names{known: map[string][]string{"proxy": {"10.0.0.3"}, "near.example.com": {"10.0.0.4"}}}, &wires{server: "127.0.0.1:1"}
	c := must(t)(dial.Configured(dial.Options{Resolver: n, Dialer: w, Proxy: dial.ProxyEnvironment}))
	for _, url := range []string{"https://far.example.com/", "https://near.example.com/"} {
		if got := outcome(get(t, c, url)); !strings.HasPrefix(got, "error") {
			t.Errorf("%s: %s", url, got)
		}
	}
	if diff := cmp.Diff([]string{"10.0.0.3:3128", "10.0.0.4:443"}, w.dialed); diff != "" {
		t.Error(diff)
	}
}

func TestAProxyThatIsNoURLIsRefused(t *testing.T) {
	t.Parallel()
	for proxy, want := range map[string]string{
		"proxy:3128":       "the proxy is not a URL, which is written http://host:port",
		"http://":          "the proxy is not a URL, which is written http://host:port",
		"ftp://proxy:3128": `the proxy's scheme is "ftp": write http, https or socks5`,
		"http://pro xy/":   "the proxy is not a URL, which is written http://host:port",
	} {
		for _, make := range []func(dial.Options) (*http.Client, error){dial.PublicClient, dial.Configured} {
			if _, err := make(dial.Options{Proxy: proxy}); err == nil || err.Error() != want {
				t.Errorf("%s: %v", proxy, err)
			}
		}
	}
}

// slow connects to some addresses late or never.
type slow map[string]time.Duration

var errNobody = errors.New("nobody there")

func (s slow) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	wait, known := s[address]
	if !known {
		return nil, errNobody
	}
	select {
	case <-time.After(wait):
		here, there := net.Pipe()
		context.AfterFunc(ctx, func() { _ = there.Close() })
		return named{here, address}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// named is a connection that remembers where to.
type named struct {
	net.Conn
	address string
}

func TestTheFirstAddressThatAnswersIsTaken(t *testing.T) {
	t.Parallel()
	const a, b, c = "[2606:2800::1]:443", "93.184.215.14:443", "93.184.215.15:443"
	for name, test := range map[string]struct {
		answers slow
		want    string
		after   time.Duration
	}{
		"the first":                  {slow{a: 100 * time.Millisecond, b: 0}, a, 100 * time.Millisecond},
		"the second, as one is slow": {slow{a: time.Hour, b: 100 * time.Millisecond}, b, 350 * time.Millisecond},
		"the second, as one fails":   {slow{b: 0}, b, 0},
		"the third":                  {slow{a: time.Hour, b: time.Hour, c: 0}, c, 500 * time.Millisecond},
		"none in time":               {slow{a: time.Hour, b: time.Hour, c: time.Hour}, context.DeadlineExceeded.Error(), 5 * time.Second},
		"none":                       {slow{}, errNobody.Error(), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client, err := dial.Configured(dial.Options{
					Connect: 5 * time.Second, Dialer: test.answers,
					Resolver: &names{known: map[string][]string{"example.com": {"2606:2800::1 93.184.215.14 93.184.215.15"}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				guard, ok := client.Transport.(dial.Dialer)
				if !ok {
					t.Fatal("the transport does not dial")
				}
				begin := time.Now()
				conn, err := guard.DialContext(t.Context(), "tcp", "example.com:443")
				got := ""
				if err != nil {
					got = err.Error()
				} else if n, ok := conn.(named); ok {
					got = n.address
				}
				if !strings.Contains(got, test.want) || time.Since(begin) != test.after {
					t.Errorf("%s after %s", got, time.Since(begin))
				}
				if conn != nil {
					_ = conn.Close()
				}
			})
		})
	}
}
