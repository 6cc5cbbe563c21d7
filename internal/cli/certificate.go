package cli

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

// shown is the certificate that the endpoint shows; zero where it speaks plain HTTP only.
type shown struct {
	get    func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	ca     string       // file of the local CA; empty where the certificate is the user's
	reload func() error // nil where there is nothing to read again
}

// certificate opens or makes what the configuration says.
func (a *app) certificate(ctx context.Context, cfg *config.Config, h home.Home, log *slog.Logger) (shown, error) {
	if cfg.TLS.Cert != "" {
		files, err := cert.OpenFiles(cfg.TLS.Cert, cfg.TLS.Key, log)
		if err != nil {
			return shown{}, err
		}
		return shown{get: files.GetCertificate, reload: files.Reload}, nil
	}
	if !cfg.TLS.On() {
		return shown{}, nil
	}
	if h == (home.Home{}) {
		return shown{}, errors.New("tls auto keeps its certificate in the data folder, which cannot be used: set INGOT_HOME to a folder that can")
	}
	host, _, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return shown{}, err
	}
	authority, err := cert.Open(ctx, h.Path("tls"), host)
	if err != nil {
		return shown{}, err
	}
	server, err := authority.Server(host, log)
	if err != nil {
		return shown{}, err
	}
	if authority.Made() {
		log.LogAttrs(ctx, slog.LevelInfo, "local CA made", slog.String("file", authority.Path()), slog.Time("expires", authority.Expires()))
	}
	return shown{get: server.GetCertificate, ca: authority.Path()}, nil
}
