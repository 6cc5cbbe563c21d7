package cert_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-llm/ingot/internal/cert"
)

var quiet = slog.New(slog.DiscardHandler)

func authority(t *testing.T, dir, host string) *cert.Authority {
	t.Helper()
	a, err := cert.Open(t.Context(), dir, host)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func server(t *testing.T, a *cert.Authority, listen string) *cert.Server {
	t.Helper()
	s, err := a.Server(listen, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shake is what a client that trusts a only sees of the endpoint under the name host.
func shake(t *testing.T, a *cert.Authority, get func(*tls.ClientHelloInfo) (*tls.Certificate, error), host string) (*x509.Certificate, error) {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("no authority in the PEM")
	}
	pair, err := get(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: host, CurrentTime: time.Now()})
	return pair.Leaf, err
}

func TestAClientThatTrustsTheAuthorityTrustsTheEndpoint(t *testing.T) {
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for listen, names := range map[string][]string{
		"127.0.0.1": {"localhost", "127.0.0.1", "::1", strings.ToLower(own)}, "::1": {"::1"}, "10.1.2.3": {"10.1.2.3", "localhost"}, "203.0.113.9": {"203.0.113.9"},
		"gate.example": {"gate.example", "127.0.0.1"}, "": {"localhost"}, "0.0.0.0": {"localhost"}, "::": {"127.0.0.1"}, "Localhost": {"localhost"}, "fe80::1%eth0": {"fe80::1"}, "Gate.Example.": {"gate.example"}, "no name": {"localhost"},
	} {
		t.Run("listen on "+listen, func(t *testing.T) {
			a := authority(t, t.TempDir(), listen)
			s := server(t, a, listen)
			for _, name := range names {
				if _, err := shake(t, a, s.GetCertificate, name); err != nil {
					t.Errorf("as %s: %v", name, err)
				}
			}
			if _, err := shake(t, a, s.GetCertificate, "other.example"); err == nil {
				t.Error("it passes for other.example")
			}
			if _, err := shake(t, authority(t, t.TempDir(), ""), s.GetCertificate, "localhost"); err == nil {
				t.Error("another authority's client trusts it")
			}
		})
	}
}

func TestTheCertificatesAreWhatStrictClientsWant(t *testing.T) {
	a := authority(t, t.TempDir(), "")
	leaf, err := shake(t, a, server(t, a, "127.0.0.1").GetCertificate, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 398*24*time.Hour || time.Until(leaf.NotAfter) < 360*24*time.Hour || leaf.NotBefore.After(time.Now()) {
		t.Errorf("it lives from %s for %s", leaf.NotBefore, life)
	}
	if left := time.Until(a.Expires()); left < 9*365*24*time.Hour {
		t.Errorf("the authority lives %s", left)
	}
	if leaf.IsCA || len(leaf.AuthorityKeyId) == 0 || leaf.PublicKeyAlgorithm != x509.ECDSA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("got %+v", leaf)
	}
}

func TestTheAuthorityMaySpeakForNobodyElse(t *testing.T) {
	dir := t.TempDir()
	a := authority(t, dir, "")
	for host, named := range map[string]string{
		"203.0.113.9": "203.0.113.9", "gate.example": "gate.example", "Gate.Example.": "gate.example", "8.8.8.8": "8.8.8.8", "2001:DB8::0:1": "2001:db8::1", "::ffff:8.8.8.8": "8.8.8.8",
	} {
		if _, err := a.Server(host, quiet); err == nil || !strings.Contains(err.Error(), "may not speak for "+named) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %v", host, err)
		}
	}
}

func TestItIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	made := make([]*cert.Authority, 8)
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() { made[i], _ = cert.Open(t.Context(), dir, "") })
	}
	all.Wait()
	first := 0
	for _, a := range made {
		if a == nil || string(a.PEM()) != string(made[0].PEM()) {
			t.Fatal("processes that start together have different authorities")
		}
		if a.Made() {
			first++
		}
	}
	if first != 1 {
		t.Errorf("%d made it, want 1", first)
	}
	a := made[0]
	one, err1 := shake(t, a, server(t, a, "127.0.0.1").GetCertificate, "localhost")
	two, err2 := shake(t, a, server(t, a, "127.0.0.1").GetCertificate, "localhost")
	if err1 != nil || err2 != nil || !one.Equal(two) {
		t.Errorf("the certificate of one start is not that of the next: %v, %v", err1, err2)
	}
	other, err := shake(t, a, server(t, a, "10.9.8.7").GetCertificate, "10.9.8.7")
	if err != nil || other.Equal(one) {
		t.Errorf("another address: %v", err)
	}
	for _, name := range []string{"ca-key.pem", "server.pem", "ca.pem"} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want 0600", name, fi, err)
		}
	}
	if text, err := os.ReadFile(a.Path()); err != nil || strings.Contains(string(text), "PRIVATE") {
		t.Errorf("the file for clients holds %q, %v", text, err)
	}
	// What clients read is put right where somebody has touched it.
	if err := os.WriteFile(a.Path(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b := authority(t, dir, ""); b.Made() {
		t.Error("made again")
	}
	if text, err := os.ReadFile(a.Path()); err != nil || string(text) != string(a.PEM()) {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestABrokenFolderIsExplained(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ca-key.pem")
	if err := os.WriteFile(path, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cert.Open(t.Context(), dir, ""); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "server.pem"), []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	a := authority(t, dir, "")
	if _, err := shake(t, a, server(t, a, "127.0.0.1").GetCertificate, "localhost"); err != nil {
		t.Errorf("a broken server.pem is not replaced: %v", err)
	}
}

func TestItIsRenewedWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := authority(t, t.TempDir(), "")
		s := server(t, a, "127.0.0.1")
		first, err := shake(t, a, s.GetCertificate, "localhost")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(360 * 24 * time.Hour)
		same, err := shake(t, a, s.GetCertificate, "localhost")
		if err != nil || !same.Equal(first) {
			t.Errorf("a month too early: %v", err)
		}
		time.Sleep(10 * 24 * time.Hour)
		next, err := shake(t, a, s.GetCertificate, "localhost")
		if err != nil || next.Equal(first) || time.Until(next.NotAfter) < 390*24*time.Hour {
			t.Errorf("not renewed: %v", err)
		}
	})
}

func TestAnAuthorityThatEndsIsReplacedAtTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		authority(t, dir, "")
		time.Sleep(3600 * 24 * time.Hour)
		if a := authority(t, dir, ""); a.Made() {
			t.Error("replaced too early")
		}
		time.Sleep(30 * 24 * time.Hour)
		a := authority(t, dir, "")
		if !a.Made() {
			t.Error("not replaced")
		}
		if _, err := shake(t, a, server(t, a, "127.0.0.1").GetCertificate, "localhost"); err != nil {
			t.Error(err)
		}
	})
}

// pair copies the certificate of an authority into two files.
func pair(t *testing.T, a *cert.Authority, dir, to string) (certificate, key string) {
	t.Helper()
	server(t, a, "127.0.0.1")
	data, err := os.ReadFile(filepath.Join(dir, "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(to, "cert.pem"), filepath.Join(to, "key.pem")
	for _, path := range []string{certificate, key} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

func TestFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := t.TempDir(), t.TempDir()
		a := authority(t, from, "")
		c, k := pair(t, a, from, to)
		f, err := cert.OpenFiles(c, k, quiet)
		if err != nil {
			t.Fatal(err)
		}
		first, err := shake(t, a, f.GetCertificate, "localhost")
		if err != nil {
			t.Fatal(err)
		}
		// A half-written pair leaves the old one in use.
		if err := os.WriteFile(c, []byte("-----BEGIN"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got, err := shake(t, a, f.GetCertificate, "localhost"); err != nil || !got.Equal(first) {
			t.Errorf("with a broken file: %v", err)
		}
		if err := f.Reload(); err == nil || !strings.Contains(err.Error(), c) {
			t.Errorf("reload of a broken file: %v", err)
		}
		if err := os.Remove(filepath.Join(from, "server.pem")); err != nil {
			t.Fatal(err)
		}
		pair(t, a, from, to)
		time.Sleep(time.Minute)
		if got, err := shake(t, a, f.GetCertificate, "localhost"); err != nil || got.Equal(first) {
			t.Errorf("the new files are not in use: %v", err)
		}
		for _, missing := range [][2]string{{"nowhere.pem", k}, {c, "nowhere.pem"}, {to, k}} {
			if _, err := cert.OpenFiles(missing[0], missing[1], quiet); err == nil {
				t.Errorf("%v are taken", missing)
			}
		}
	})
}

func TestACertificateThatEndsIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to := t.TempDir(), t.TempDir()
		c, k := pair(t, authority(t, from, ""), from, to)
		var log bytes.Buffer
		f, err := cert.OpenFiles(c, k, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil || log.Len() > 0 {
			t.Errorf("a fresh one: %v, %s", err, log.String())
		}
		time.Sleep(391 * 24 * time.Hour)
		if err := f.Reload(); err != nil || !strings.Contains(log.String(), "expires soon") || !strings.Contains(log.String(), c) {
			t.Errorf("six days before: %v, %s", err, log.String())
		}
	})
}

func TestTheBundleHoldsTheSystemsAuthoritiesToo(t *testing.T) {
	a := authority(t, t.TempDir(), "")
	path, whole, err := a.Bundle()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil || !strings.HasSuffix(string(data), string(a.PEM())) || whole && strings.Count(string(data), "BEGIN CERT") < 2 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if again, _, err := a.Bundle(); err != nil || again != path {
		t.Errorf("again: %s, %v", again, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := cert.Open(ctx, t.TempDir(), ""); err != nil && !strings.Contains(err.Error(), "cancel") {
		t.Error(err)
	}
}
