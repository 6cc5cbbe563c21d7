// Package identity is how an endpoint shows who it is, by its certificate, and knows its callers, by
// their keys.
package identity

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"

	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/home"
)

// Shown is the certificate that the endpoint shows; zero where it speaks plain HTTP only.
type Shown struct {
	Get    func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	CA     string       // file of the local CA; empty where the certificate is the user's
	Reload func() error // nil where there is nothing to read again
}

// Show opens or makes what the configuration says.
func Show(ctx context.Context, cfg *config.Config, h home.Home, log *slog.Logger) (Shown, error) {
	if cfg.TLS.Cert != "" {
		files, err := cert.OpenFiles(cfg.TLS.Cert, cfg.TLS.Key, log)
		if err != nil {
			return Shown{}, err
		}
		return Shown{Get: files.GetCertificate, Reload: files.Reload}, nil
	}
	if !cfg.TLS.On() {
		return Shown{}, nil
	}
	if h == (home.Home{}) {
		return Shown{}, errors.New("tls auto keeps its certificate in the data folder, which cannot be used: set INGOT_HOME to a folder that can")
	}
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return Shown{}, err
	}
	authority, err := cert.Open(ctx, h.Path("tls"), host)
	if err != nil {
		return Shown{}, err
	}
	server, err := authority.Server(host, log)
	if err != nil {
		return Shown{}, err
	}
	if authority.Made() {
		log.LogAttrs(ctx, slog.LevelInfo, "local CA made", slog.String("file", authority.Path()), slog.Time("expires", authority.Expires()))
	}
	return Shown{Get: server.GetCertificate, CA: authority.Path()}, nil
}
