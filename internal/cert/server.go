package cert

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// Server is the certificate that a local authority gives to the endpoint. It is kept in server.pem
// beside the authority and renewed a month before it expires, also while it is in use. Its methods
// may be called concurrently.
type Server struct {
	authority *Authority
	hosts     []string
	log       *slog.Logger
	renewing  sync.Mutex
	current   atomic.Pointer[tls.Certificate]
}

// Server makes the certificate for an endpoint that listens on the host or address listen (empty or
// unspecified: on all of this machine's), or takes the one that is there.
func (a *Authority) Server(listen string, log *slog.Logger) (*Server, error) {
	s := &Server{authority: a, log: log}
	listen = plain(listen)
	for _, host := range hosts(listen) {
		switch {
		case a.permits(host):
			s.hosts = append(s.hosts, host)
		case host != listen:
			log.LogAttrs(context.Background(), slog.LevelWarn, "the certificate does not name an address of this machine: the local CA speaks for private ones only, "+
				"and for the one that it was made to listen on; use tls: {cert, key} to serve it", slog.String("address", host))
		default:
			return nil, fmt.Errorf("make certificate: the local CA was made for other hosts and may not speak for %s: remove the folder %s to have another made, which clients must then trust anew", host, a.dir)
		}
	}
	if data, err := readSmall(s.path()); err == nil {
		if pair, err := tls.X509KeyPair(data, data); err == nil && s.fits(&pair) {
			s.current.Store(&pair)
			return s, nil
		}
	}
	return s, s.renew()
}

func (s *Server) path() string { return filepath.Join(s.authority.dir, "server.pem") }

// GetCertificate is for tls.Config.
func (s *Server) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	pair := s.current.Load()
	// One handshake renews, and the others go on with the old certificate meanwhile.
	if time.Until(pair.Leaf.NotAfter) > renewBefore || !s.renewing.TryLock() {
		return pair, nil
	}
	defer s.renewing.Unlock()
	if err := s.renew(); err != nil {
		s.log.LogAttrs(hello.Context(), slog.LevelError, "renew certificate", slog.Any("error", err))
	}
	return s.current.Load(), nil
}

func (s *Server) renew() error {
	template := &x509.Certificate{
		// A subject with a blank is taken for a host by nobody.
		Subject:  pkix.Name{CommonName: "Ingot endpoint", Organization: []string{"Ingot"}},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, host := range s.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	data, err := sign(template, serverLife, s.authority)
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return fmt.Errorf("make certificate: %w", err)
	}
	s.current.Store(&pair)
	if err := disk.WriteFile(s.path(), data); err != nil {
		// It works from memory; the next start makes another.
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "keep certificate", slog.Any("error", err))
	}
	return nil
}

// fits reports whether a certificate is of this authority, for these hosts, and not about to end.
func (s *Server) fits(pair *tls.Certificate) bool {
	leaf := pair.Leaf
	if leaf.CheckSignatureFrom(s.authority.cert) != nil || time.Until(leaf.NotAfter) < renewBefore || time.Now().Before(leaf.NotBefore) {
		return false
	}
	return !slices.ContainsFunc(s.hosts, func(host string) bool { return leaf.VerifyHostname(host) != nil })
}

// permits reports whether the authority may speak for host.
func (a *Authority) permits(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return slices.ContainsFunc(a.cert.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip) })
	}
	return slices.ContainsFunc(a.cert.PermittedDNSDomains, func(d string) bool {
		return host == d || len(host) > len(d) && host[len(host)-len(d)-1:] == "."+d
	})
}

// plain is a host as certificates hold it: an address without its zone, or a name in small letters;
// empty where it is neither.
func plain(host string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().WithZone("").String()
	}
	return dnsName(host)
}

// hosts are the names and addresses by which an endpoint on listen, a plain one, is reached.
func hosts(listen string) []string {
	list := []string{"localhost", "127.0.0.1", "::1"}
	add := func(host string) {
		if host != "" && !slices.Contains(list, host) {
			list = append(list, host)
		}
	}
	add(hostname())
	if listen != "" && !net.ParseIP(listen).IsUnspecified() {
		add(listen)
		return list
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return list
	}
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			add(plain(p.Addr().String()))
		}
	}
	return list
}
