//go:build guides

package guides_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// world is everything beyond the reader's machine: a company's proxy, which opens TLS with the company's own authority as some
// do, and behind it whoever stands in for a host of the Internet. It leads to loopback only.
type world struct {
	gate   *httptest.Server // takes CONNECT
	inside *http.Server     // speaks for every host
	inner  net.Listener
	key    *ecdsa.PrivateKey // of the authority and of every certificate
	ca     *x509.Certificate

	mu     sync.Mutex
	hosts  map[string]http.Handler
	absent []string
}

func newWorld() (*world, error) {
	w := &world{hosts: map[string]http.Handler{}}
	var err error
	if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	der, err := w.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "Company CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	if err != nil {
		return nil, err
	}
	if w.ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	if w.inner, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	w.inside = &http.Server{Handler: http.HandlerFunc(w.answer), ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		_ = w.inside.Serve(tls.NewListener(w.inner, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: w.certificate}))
	}()
	w.gate = httptest.NewServer(http.HandlerFunc(w.connect))
	return w, nil
}

func (w *world) close() {
	w.gate.Close()
	_ = w.inside.Close()
}

// sign completes a certificate and has the authority, or itself, sign it.
func (w *world) sign(c, by *x509.Certificate) ([]byte, error) {
	if by == nil {
		by = c
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	return x509.CreateCertificate(rand.Reader, c, by, &w.key.PublicKey, w.key)
}

func (w *world) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	der, err := w.sign(&x509.Certificate{Subject: pkix.Name{CommonName: hello.ServerName}, DNSNames: []string{hello.ServerName}, KeyUsage: x509.KeyUsageDigitalSignature}, w.ca)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: w.key}, err
}

// connect takes a client to the host it names, if anybody stands in for it.
func (w *world) connect(rw http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(strings.ToLower(r.Host), ":443")
	w.mu.Lock()
	_, known := w.hosts[host]
	if !known {
		w.absent = append(w.absent, r.Host)
	}
	w.mu.Unlock()
	if !known || r.Method != http.MethodConnect {
		http.Error(rw, "nothing stands in for "+r.Host, http.StatusBadGateway)
		return
	}
	there, err := new(net.Dialer).DialContext(r.Context(), "tcp", w.inner.Addr().String())
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	rw.WriteHeader(http.StatusOK)
	here, buffered, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	go func() {
		_, _ = io.Copy(there, buffered)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	h := w.hosts[strings.ToLower(r.Host)]
	w.mu.Unlock()
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h.ServeHTTP(rw, r)
}

func (w *world) standIn(host string, h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hosts[strings.ToLower(host)] = h
}

// refused lists the hosts that were asked for and are not in this world.
func (w *world) refused() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(w.absent)))
}

// proxy FILE writes the company's CA to FILE and sets PROXY to where the proxy is, which a page calls proxy.example:3128.
func (w *world) proxy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: proxy FILE")
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.Raw})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
	address := w.gate.Listener.Addr().String()
	ts.Setenv("PROXY", address)
	replaced(ts)["proxy.example:3128"] = address
}

// certificate FILE KEY-FILE ADDRESS has the company's CA certify a server at an address.
func (w *world) certify(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: certificate FILE KEY-FILE ADDRESS")
	}
	der, err := w.sign(&x509.Certificate{IPAddresses: []net.IP{net.ParseIP(args[2])}, KeyUsage: x509.KeyUsageDigitalSignature}, w.ca)
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(w.key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}

// mock HOST CONFIGURATION [KEY] starts another Ingot that stands in for a host of the Internet, or, for an address with a port, for
// a server of the reader's machine. With KEY, which is one of it, the server asks nobody for a key.
func (w *world) mock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: mock HOST CONFIGURATION [KEY]")
	}
	home, err := os.MkdirTemp(ts.Getenv("WORK"), ".mock")
	ts.Check(err)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Getenv("INGOT_BIN"), "serve", "--listen", "127.0.0.1:0", "--config", ts.MkAbs(args[1]))
	cmd.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cancel()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	_, address, found := strings.Cut(strings.TrimSpace(line), " serves ")
	if err != nil || !found {
		ts.Fatalf("the stand-in for %s did not start: %s%s", args[0], line, said.String())
	}
	u, err := url.Parse(address)
	ts.Check(err)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(u)
		if len(args) == 3 {
			r.Out.Header.Set("Authorization", "Bearer "+args[2])
		}
	}}
	if !strings.Contains(args[0], ":") {
		w.standIn(args[0], proxy)
		return
	}
	server := httptest.NewServer(proxy)
	ts.Defer(server.Close)
	replaced(ts)[args[0]] = server.Listener.Addr().String()
}

// hub HOST PATH MODEL... stands in for a hub of models, where a model of INGOT_HOME lies at each path.
func (w *world) hub(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: hub HOST PATH MODEL...")
	}
	files := map[string]string{}
	for pair := range slices.Chunk(args[1:], 2) {
		files[pair[0]] = filepath.Join(os.Getenv("INGOT_HOME"), "models", pair[1]+".gguf")
	}
	w.standIn(args[0], http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		f, err := os.Open(files[r.URL.Path])
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		defer func() { _ = f.Close() }()
		digest := sha256.New()
		size, err := io.Copy(digest, f)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		sum := hex.EncodeToString(digest.Sum(nil))
		rw.Header().Set("Etag", `"`+sum+`"`)
		rw.Header().Set("X-Linked-Etag", `"`+sum+`"`)
		rw.Header().Set("X-Linked-Size", strconv.FormatInt(size, 10))
		http.ServeContent(rw, r, "", time.Time{}, f)
	}))
}
