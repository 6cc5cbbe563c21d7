package cert

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Files is a certificate that somebody else keeps in two files. They are read again when Reload is
// called and when they change; files that do not fit together leave the last good ones in use. Its
// methods may be called concurrently.
type Files struct {
	cert, key string
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]

	mu     sync.Mutex // guards all below
	looked time.Time
	stamp  string
}

// lookEvery is how often a handshake looks whether the files have changed.
const lookEvery = 10 * time.Second

// OpenFiles reads the PEM files of a certificate, with the chain that follows it, and of its key.
func OpenFiles(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log}
	return f, f.Reload()
}

// Reload reads the files again.
func (f *Files) Reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read(f.state())
}

// GetCertificate is for tls.Config.
func (f *Files) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.mu.TryLock() {
		defer f.mu.Unlock()
		if now := time.Now(); now.Sub(f.looked) >= lookEvery {
			if stamp := f.state(); stamp != f.stamp {
				if err := f.read(stamp); err != nil {
					f.log.LogAttrs(hello.Context(), slog.LevelError, "certificate refused, the old one stays in use", slog.Any("error", err))
				} else {
					f.log.LogAttrs(hello.Context(), slog.LevelInfo, "certificate read again", slog.Time("expires", f.current.Load().Leaf.NotAfter))
				}
			}
			f.looked = now
		}
	}
	return f.current.Load(), nil
}

// read takes what the files hold in their state stamp. The caller holds mu.
func (f *Files) read(stamp string) error {
	f.stamp, f.looked = stamp, time.Now()
	cert, err := readSmall(f.cert)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	key, err := readSmall(f.key)
	if err != nil {
		return fmt.Errorf("read key of certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("read certificate %s with key %s: %w", f.cert, f.key, err)
	}
	f.current.Store(&pair)
	const soon = 7 * day
	if left := time.Until(pair.Leaf.NotAfter); left < soon {
		f.log.LogAttrs(context.Background(), slog.LevelWarn, "the certificate expires soon or has expired: clients refuse it then",
			slog.String("file", f.cert), slog.Time("expires", pair.Leaf.NotAfter))
	}
	return nil
}

// state tells one version of the files from another.
func (f *Files) state() string {
	var s [2]string
	for i, path := range []string{f.cert, f.key} {
		if fi, err := os.Stat(path); err == nil {
			s[i] = fmt.Sprint(fi.ModTime().UnixNano(), fi.Size())
		}
	}
	return strings.Join(s[:], " ")
}

// readSmall reads a regular file of at most a mebibyte.
func readSmall(path string) ([]byte, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path) // opening a pipe would wait for its writer
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	const most = 1 << 20
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(data) > most {
		err = fmt.Errorf("%s is larger than 1 MiB", path)
	}
	return data, err
}
