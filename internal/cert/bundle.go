package cert

import (
	"bytes"
	"crypto/x509"
	"path/filepath"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// systemBundles are the files in which systems keep the authorities they trust.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
	"/usr/local/share/certs/ca-root-nss.crt",
}

// Bundle writes a file with the authorities that this system trusts and a, for clients whose
// setting replaces the ones they know. Where the system keeps no such file, whole is false and a is
// alone in it.
func (a *Authority) Bundle() (path string, whole bool, err error) {
	path = filepath.Join(a.dir, "bundle.pem")
	var data []byte
	for _, system := range systemBundles {
		if data, err = readSmall(system); err == nil && len(data) > 0 {
			whole = true
			break
		}
	}
	if len(data) > 0 && !bytes.HasSuffix(data, []byte("\n")) {
		data = append(data, '\n')
	}
	data = append(data, a.PEM()...)
	if now, err := readSmall(path); err == nil && bytes.Equal(now, data) {
		return path, whole, nil
	}
	return path, whole, disk.WriteFile(path, data)
}

// Roots are the authorities that this system trusts and the one in the folder dir; nil, which means
// the system's alone, where there is none in it.
func Roots(dir string) *x509.CertPool {
	own, err := readSmall(filepath.Join(dir, authorityFile))
	if err != nil {
		return nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(own)
	return roots
}
