package gateway

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
	"github.com/ingot-llm/ingot/internal/route"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/upstream/dial"
)

// longest is how long an answer that is not streamed may take where the file sets no limit.
const longest = 10 * time.Minute

// elsewhere makes a target of a model at a provider, over the one client of a snapshot for it.
func (g *Gateway) elsewhere(ctx context.Context, s *snapshot, m *config.Model) (route.Target, error) {
	t := route.Target{Limits: route.Limits{Total: m.Timeouts.Total}}
	p := s.cfg.Provider(m.Provider)
	if p == nil {
		return t, fmt.Errorf("no provider %s", m.Provider)
	}
	c, err := s.reach(p)
	if err != nil {
		return t, fmt.Errorf("provider %s: %w", p.Name, err)
	}
	c.Room = dialect.Room{Budget: &g.bodies, Most: int64(s.cfg.Limits.BodyMemory)}
	describeRemote(&c, m)
	if t.Backend, err = provider.All[p.Type](c); err != nil {
		return t, err
	}
	infos, err := t.Backend.Models(ctx)
	if err != nil || len(infos) == 0 {
		return t, fmt.Errorf("provider %s: describe: %w", p.Name, err)
	}
	t.Info = infos[0]
	if m.Context != nil {
		t.Info.Context = *m.Context
	}
	return t, nil
}

// describeRemote adds what is a model's own.
func describeRemote(c *provider.Config, m *config.Model) {
	c.Deployment, c.Model = m.Name, m.Model
	c.First, c.Silence, c.Whole = m.Timeouts.FirstToken, m.Timeouts.Silence, m.Timeouts.Total
	if c.Whole == 0 {
		c.Whole = longest
	}
	switch m.Kind {
	case "embedding":
		c.Operations = []llm.Operation{llm.OpEmbed}
	case "image-embedding":
		c.Operations = []llm.Operation{llm.OpEmbedImages}
	}
}

// CheckRemote says what is wrong with a model at a provider, as far as that can be told without asking it.
func CheckRemote(p *config.Provider, m *config.Model) error {
	_, err := RemoteRecord(p, m)
	return err
}

// RemoteRecord is what callers are told of a model at a provider, which is not asked for it.
func RemoteRecord(p *config.Provider, m *config.Model) (Record, error) {
	c := provider.Config{Name: p.Name, Endpoint: p.Endpoint, APIVersion: p.APIVersion, Surface: p.Surface, Flavour: p.Flavour}
	describeRemote(&c, m)
	b, err := provider.All[p.Type](c)
	if err != nil {
		return Record{}, err
	}
	infos, err := b.Models(context.Background())
	if err != nil || len(infos) == 0 {
		return Record{}, fmt.Errorf("provider %s: describe: %w", p.Name, err)
	}
	if m.Context != nil {
		infos[0].Context = *m.Context
	}
	return RecordOf(infos[0]), nil
}

// reach is how a provider is spoken to, the same for all its models.
func (s *snapshot) reach(p *config.Provider) (provider.Config, error) {
	if c, ok := s.providers[p.Name]; ok {
		return c, nil
	}
	c := provider.Config{Name: p.Name, Endpoint: p.Endpoint, APIVersion: p.APIVersion, Surface: p.Surface, Flavour: p.Flavour}
	o := dial.Options{Connect: p.Connect, Proxy: p.Proxy}
	switch p.Proxy {
	case "":
		o.Proxy = dial.ProxyEnvironment
	case "off":
		o.Proxy = ""
	}
	if p.CA != "" {
		pem, err := os.ReadFile(p.CA)
		if err != nil {
			return c, fmt.Errorf("read ca: %w", err)
		}
		if o.Roots, err = x509.SystemCertPool(); err != nil {
			o.Roots = x509.NewCertPool()
		}
		if !o.Roots.AppendCertsFromPEM(pem) {
			return c, fmt.Errorf("read ca: %s holds no certificate", p.CA)
		}
	}
	client, err := dial.Configured(o)
	if err != nil {
		return c, err
	}
	s.retire = append(s.retire, client.CloseIdleConnections)
	c.HTTP = upstream.Direct{RoundTripper: client.Transport} // which follows no redirects, as client does
	key := p.Key
	if p.KeyFile != "" { // a change of it reloads the configuration
		if key, err = auth.ReadFile(p.KeyFile); err != nil {
			return c, err
		}
	}
	if key != "" {
		c.Key = func() (string, error) { return key, nil }
	}
	if e := p.Entra; e != nil {
		c.Scope = e.Scope
		if c.Token, err = credential(e, client); err != nil {
			return c, err
		}
	}
	if s.providers == nil {
		s.providers = map[string]provider.Config{}
	}
	s.providers[p.Name] = c
	return c, nil
}

// credential asks Microsoft Entra ID for tokens.
func credential(e *config.Credential, client *http.Client) (provider.TokenSource, error) {
	secret := e.Secret
	if e.SecretFile != "" {
		var err error
		if secret, err = auth.ReadFile(e.SecretFile); err != nil {
			return nil, err
		}
	}
	return provider.NewEntra(provider.EntraOptions{
		Method: e.Method, Tenant: e.Tenant, Client: e.Client, HTTP: client, Secret: func() (string, error) { return secret, nil },
	})
}
