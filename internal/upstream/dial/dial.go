// Package dial makes the HTTP clients that speak to the world. Below all of
// them is one dialer that resolves a name, judges each of its addresses, and
// connects to a judged address and not to the name: what a name leads to
// cannot change in between, and a redirect is judged like the first request.
package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/internal/upstream/h1"
)

// The time limits where Options sets none.
const (
	defaultConnect = 10 * time.Second
	defaultTotal   = 30 * time.Second
)

// quiet is how long a connection of HTTP/2 may say nothing before it is asked whether it is still there: one that died without a
// word would take every request with it.
const quiet = 30 * time.Second

// maxRedirects is how many redirects PublicClient follows.
const maxRedirects = 3

// ProxyEnvironment as Options.Proxy takes the proxy from HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
const ProxyEnvironment = "environment"

// Resolver finds the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Dialer connects to an address; *net.Dialer is one.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Options is what a client is made of; the zero value serves.
type Options struct {
	// Hosts lists names and addresses, without port, that PublicClient asks although they are local, and by plain http too.
	Hosts   []string
	Connect time.Duration  // for a connection to be made; 10 s
	Total   time.Duration  // for everything of a request of PublicClient; 30 s
	Roots   *x509.CertPool // who certifies servers; nil: whom the system trusts
	// Proxy is empty for none, ProxyEnvironment, or the URL of one. Behind a proxy it is the proxy that resolves names, so that
	// only addresses in URLs are judged here.
	Proxy    string
	Resolver Resolver // nil: the system's
	Dialer   Dialer   // nil: the system's
}

// RefusedError is the error of what is not asked.
type RefusedError struct{ reason string }

func (e *RefusedError) Error() string { return "refused: " + e.reason }

// Refusal is the reason, which tells no address and so is safe to show to a caller.
func (e *RefusedError) Refusal() string { return e.reason }

// PublicClient makes a client for URLs that strangers name. It speaks https to public addresses, besides o.Hosts, follows a few
// redirects, to the same only, and sends neither cookies nor where it comes from. The caller bounds what it reads.
func PublicClient(o Options) (*http.Client, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	g.public = true
	total := o.Total
	if total <= 0 {
		total = defaultTotal
	}
	return &http.Client{
		Transport: g,
		Timeout:   total,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return &RefusedError{fmt.Sprintf("it is redirected more than %d times", maxRedirects)}
			}
			// The URL it comes from may hold a signature.
			r.Header.Del("Referer")
			return nil
		},
	}, nil
}

// Configured makes a client for servers that the operator names, which may be local. It follows no redirect: the answer that
// tells of one is the answer.
func Configured(o Options) (*http.Client, error) {
	g, err := newGuard(o)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport:     g,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// guard is a transport that judges URLs, and the addresses to which it connects.
type guard struct {
	transport *http.Transport
	plain     *h1.Transport // for what goes over plain HTTP and past no proxy
	resolver  Resolver
	dialer    Dialer
	connect   time.Duration
	public    bool // only public addresses, but for hosts
	hosts     map[string]bool
	proxies   sync.Map // host:port of the proxies that were chosen
}

func newGuard(o Options) (*guard, error) {
	g := &guard{resolver: o.Resolver, dialer: o.Dialer, connect: o.Connect, hosts: map[string]bool{}}
	if g.connect <= 0 {
		g.connect = defaultConnect
	}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	if g.dialer == nil {
		g.dialer = &net.Dialer{}
	}
	for _, host := range o.Hosts {
		g.hosts[canonical(host)] = true
	}
	proxy, err := proxyOf(o.Proxy)
	if err != nil {
		return nil, err
	}
	g.transport = &http.Transport{
		DialContext:            g.DialContext,
		Proxy:                  g.remember(proxy),
		TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    g.connect,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: quiet, PingTimeout: quiet / 2},
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
	g.plain = &h1.Transport{Dial: g.DialContext}
	return g, nil
}

// canonical is a host as it is compared.
func canonical(host string) string {
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return host
}

type proxyFunc = func(*http.Request) (*url.URL, error)

func proxyOf(proxy string) (proxyFunc, error) {
	switch proxy {
	case "":
		return nil, nil
	case ProxyEnvironment:
		return http.ProxyFromEnvironment, nil
	}
	u, err := url.Parse(proxy)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("the proxy is not a URL, which is written http://host:port")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return http.ProxyURL(u), nil
	}
	return nil, fmt.Errorf("the proxy's scheme is %q: write http, https or socks5", u.Scheme)
}

// remember notes which proxies are used, as those may be local whatever the target must be.
func (g *guard) remember(proxy proxyFunc) proxyFunc {
	if proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r)
		if err == nil && u != nil {
			port := u.Port()
			if port == "" {
				port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
			}
			if port == "" {
				port = "1080"
			}
			g.proxies.Store(net.JoinHostPort(u.Hostname(), port), true)
		}
		return u, err
	}
}

// RoundTrip judges what a URL says before anything is sent.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.judge(r.URL); err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if h1.Takes(r) && !g.proxied(r) {
		return g.plain.RoundTrip(r)
	}
	return g.transport.RoundTrip(r)
}

// proxied reports whether a request goes through a proxy, or to nobody since that is not known.
func (g *guard) proxied(r *http.Request) bool {
	if g.transport.Proxy == nil {
		return false
	}
	u, err := g.transport.Proxy(r)
	return u != nil || err != nil
}

// CloseIdleConnections closes what is kept for another request.
func (g *guard) CloseIdleConnections() {
	g.transport.CloseIdleConnections()
	g.plain.CloseIdleConnections()
}

func (g *guard) judge(u *url.URL) error {
	host := u.Hostname()
	if g.public {
		switch {
		case u.User != nil:
			return &RefusedError{"its URL holds a user name"}
		case u.Scheme == "http" && g.hosts[canonical(host)]:
		case u.Scheme != "https":
			return &RefusedError{"its URL is not https"}
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return g.allow(host, a)
	}
	return nil
}

// allow decides whether an address may be asked by the name of a host.
func (g *guard) allow(host string, a netip.Addr) error {
	least := Local
	if g.public && !g.hosts[canonical(host)] {
		least = Public
	}
	switch {
	case ScopeOf(a) >= least:
		return nil
	case least == Public:
		return &RefusedError{"its host has an address that is not public"}
	}
	return &RefusedError{"its host has an address that is link-local, reserved, or a cloud's own"}
}

// DialContext connects to a judged address of a host. If one of a name's addresses may not be asked, none is.
func (g *guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", address, err)
	}
	ctx, cancel := context.WithTimeout(ctx, g.connect)
	defer cancel()
	addrs, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	if _, proxy := g.proxies.Load(address); !proxy {
		for _, a := range addrs {
			if err := g.allow(host, a); err != nil {
				return nil, err
			}
		}
	}
	return g.race(ctx, network, addrs, port)
}

func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("resolve host: %w", err)
	}
	if len(addrs) == 0 {
		return nil, errors.New("resolve host: it has no address")
	}
	return addrs, nil
}

// race connects to the first address that answers. The next one is tried when one failed, or has not answered for a moment.
func (g *guard) race(ctx context.Context, network string, addrs []netip.Addr, port string) (net.Conn, error) {
	const moment = 250 * time.Millisecond
	type outcome struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome)
	next := time.NewTimer(0)
	defer next.Stop()
	var failed error
	for begun, ended := 0, 0; ended < len(addrs); {
		select {
		case <-next.C:
			if begun == len(addrs) {
				continue
			}
			address := net.JoinHostPort(addrs[begun].Unmap().String(), port)
			begun++
			next.Reset(moment)
			go func() {
				conn, err := g.dialer.DialContext(ctx, network, address)
				select {
				case outcomes <- outcome{conn, err}:
				case <-ctx.Done():
					if err == nil {
						_ = conn.Close()
					}
				}
			}()
		case o := <-outcomes:
			if o.err == nil {
				return o.conn, nil
			}
			ended++
			failed = errors.Join(failed, o.err)
			next.Reset(0)
		case <-ctx.Done():
			return nil, errors.Join(failed, context.Cause(ctx))
		}
	}
	return nil, failed
}
