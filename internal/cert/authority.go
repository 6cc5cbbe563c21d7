// Package cert keeps the certificates that the endpoint shows: those of a local authority, which is
// made once for a data folder, and those in files of the user's. Both are renewed while it runs.
package cert

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

const (
	authorityFile = "ca.pem"

	day           = 24 * time.Hour
	authorityLife = 3650 * day
	serverLife    = 397 * day // Apple's systems refuse more than 398 days
	renewBefore   = 30 * day
	clockSkew     = time.Hour
)

// Authority is a local certificate authority. It may speak for this machine, for loopback and
// private addresses and for the host it was made with, and for nobody else. It never changes.
type Authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	made bool
}

// Open opens the authority in the folder dir, and makes folder and authority where they are missing
// or where it is about to expire. host, which may be empty, is a name or address that a new one may
// speak for besides the usual ones. Processes that ask at the same time get the same authority.
func Open(ctx context.Context, dir, host string) (*Authority, error) {
	a, err := open(ctx, dir, host)
	if err != nil {
		return nil, fmt.Errorf("open certificate authority: %w", err)
	}
	return a, nil
}

func open(ctx context.Context, dir, host string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	release, err := disk.Lock(ctx, filepath.Join(dir, "lock"), func() {})
	if err != nil {
		return nil, err
	}
	defer release()
	a := &Authority{dir: dir}
	both := filepath.Join(dir, "ca-key.pem")
	data, err := readSmall(both)
	switch {
	case err == nil:
		if err := a.parse(data); err != nil {
			return nil, fmt.Errorf("%s: %w; remove it to have another made, which clients must then trust anew", both, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if a.cert == nil || time.Until(a.cert.NotAfter) < renewBefore {
		if data, err = newAuthority(host); err != nil {
			return nil, err
		}
		if err := disk.WriteFile(both, data); err != nil {
			return nil, err
		}
		if err := a.parse(data); err != nil {
			return nil, err
		}
		a.made = true
	}
	return a, a.publish()
}

// publish writes the certificate alone, for clients, where it is not there already.
func (a *Authority) publish() error {
	if now, err := readSmall(a.Path()); err == nil && bytes.Equal(now, a.PEM()) {
		return nil
	}
	return disk.WriteFile(a.Path(), a.PEM())
}

// Path is the file that clients are to trust.
func (a *Authority) Path() string { return filepath.Join(a.dir, authorityFile) }

// PEM is what that file holds.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Made reports whether Open made a new authority, which nobody trusts yet.
func (a *Authority) Made() bool { return a.made }

// Expires is when the authority ends.
func (a *Authority) Expires() time.Time { return a.cert.NotAfter }

func (a *Authority) parse(data []byte) error {
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return errors.New("holds no certificate authority")
	}
	a.cert, a.key = pair.Leaf, key
	return nil
}

func newAuthority(host string) ([]byte, error) {
	names, nets := []string{"localhost"}, privateNets()
	title := "Ingot local CA"
	if own := hostname(); own != "" {
		names, title = append(names, own), title+" of "+own
	}
	host = plain(host)
	switch ip, err := netip.ParseAddr(host); {
	case err == nil && !ip.IsUnspecified():
		nets = append(nets, ipNet(netip.PrefixFrom(ip, ip.BitLen())))
	case err != nil && host != "":
		names = append(names, host)
	}
	template := &x509.Certificate{
		Subject:  pkix.Name{CommonName: title, Organization: []string{"Ingot"}},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names, PermittedIPRanges: nets,
	}
	return sign(template, authorityLife, nil)
}

// sign completes template and returns a new key with its certificate as PEM; without an issuer it
// signs itself.
func sign(template *x509.Certificate, life time.Duration, issuer *Authority) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	const serialBits = 127 // positive, and at most 20 bytes
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits)); err != nil {
		return nil, err
	}
	template.NotBefore = time.Now().Add(-clockSkew).Truncate(time.Second)
	template.NotAfter = template.NotBefore.Add(life)
	parent, signer := template, crypto.Signer(key)
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
		if template.NotAfter.After(parent.NotAfter) {
			template.NotAfter = parent.NotAfter
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...), nil
}

// privateNets are the addresses that mean something only near this machine.
func privateNets() (nets []*net.IPNet) {
	for _, p := range []string{
		"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
		"::1/128", "fc00::/7", "fe80::/10",
	} {
		nets = append(nets, ipNet(netip.MustParsePrefix(p)))
	}
	return nets
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Masked().Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// hostname is this machine's, or empty where a certificate cannot hold it.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return dnsName(name)
}

// dnsName is name as certificates hold it, or empty where it is none.
func dnsName(name string) string {
	const longest = 253
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" || len(name) > longest {
		return ""
	}
	for label := range strings.SplitSeq(name, ".") {
		odd := strings.ContainsFunc(label, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') })
		if odd || label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return ""
		}
	}
	return name
}
