// Package gateway puts Ingot together: a configuration becomes deployments, policies and doors
// behind one http.Handler, which a reload replaces while open streams go on.
package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/limit"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/picture"
	"github.com/ingot-llm/ingot/internal/policy"
	"github.com/ingot-llm/ingot/internal/provider"
	"github.com/ingot-llm/ingot/internal/route"
	"github.com/ingot-llm/ingot/internal/telemetry"
)

// Options are what a Gateway is made of.
type Options struct {
	Config  *config.Config
	Logger  *slog.Logger
	Version string
	// Keys returns the keys that admit under a configuration; it is asked again at every reload.
	Keys func(*config.Config) (*auth.Keys, error)
	// Certificate is what the endpoint shows to those who speak TLS; nil: nobody may.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Strict tells browsers to stay with TLS (HSTS). That is for a certificate that they trust for good.
	Strict bool
	// Library and Engine serve local models; nil where there are none.
	Library *library.Library
	Engine  func(ctx context.Context, path string) (process.Engine, error)
}

// Gateway is a running Ingot. Its methods may be called concurrently.
type Gateway struct {
	o       Options
	log     *slog.Logger
	pool    *engine.Pool
	metrics *telemetry.Metrics
	counter limit.Memory
	bodies  dialect.Budget   // held by the requests of all snapshots
	memory  atomic.Int64     // engine.memory of the configuration in force
	machine hardware.Machine // looked at once: what a model is started with must not change by itself
	current atomic.Pointer[snapshot]
	keys    atomic.Pointer[auth.Keys]
	closing atomic.Bool
	started time.Time

	reload sync.Mutex     // one at a time
	last   lasting        // guarded by reload
	leave  sync.WaitGroup // old snapshots that drain
}

// snapshot is what one configuration became. It never changes.
type snapshot struct {
	cfg     *config.Config
	handler http.Handler
	models  []*engine.Model
	broken  []string // deployments whose model could not be opened

	pictures  *picture.Reader
	providers map[string]provider.Config // by name, without what is a model's own
	retire    []func()                   // end what was made for this configuration alone
}

// end ends what was made for the configuration alone.
func (s *snapshot) end() {
	for _, f := range s.retire {
		f()
	}
}

// New assembles a Gateway. Close it when it is no longer needed.
func New(ctx context.Context, o Options) (*Gateway, error) {
	g := &Gateway{o: o, log: o.Logger, started: time.Now(), metrics: telemetry.NewMetrics(o.Version), machine: hardware.Detect(ctx)}
	g.pool = engine.NewPool(engine.Options{Logger: o.Logger, Budget: func() uint64 { return uint64(g.memory.Load()) }})
	keys, err := o.Keys(o.Config)
	if err != nil {
		return nil, err
	}
	s, err := g.assemble(ctx, o.Config)
	if err != nil {
		g.pool.Close(ctx)
		return nil, err
	}
	g.keys.Store(keys)
	g.current.Store(s)
	return g, nil
}

// Reload puts another configuration in force: whole, or not at all. Streams that are open go on
// under the one they started with, and a model that did not change keeps running.
func (g *Gateway) Reload(ctx context.Context, cfg *config.Config) error {
	g.reload.Lock()
	defer g.reload.Unlock()
	keys, err := g.o.Keys(cfg)
	if err != nil {
		return err
	}
	s, err := g.assemble(ctx, cfg)
	if err != nil {
		return err
	}
	g.keys.Store(keys)
	old := g.current.Swap(s)
	const patience = 10 * time.Minute
	discard := g.last.discard
	g.last.discard = nil
	g.leave.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		g.pool.Release(ctx, old.models)
		old.end()
		for _, store := range discard {
			_ = store.Close(ctx) // its background answers were cut off, which nobody can be told any more
		}
	})
	return nil
}

// ReloadKeys puts the keys in force that the configuration in force has now. It is for when another
// configuration was refused: a key that was revoked must not go on because of a model.
func (g *Gateway) ReloadKeys() error {
	g.reload.Lock()
	defer g.reload.Unlock()
	keys, err := g.o.Keys(g.Config())
	if err != nil {
		return err
	}
	g.keys.Store(keys)
	return nil
}

// mayBeBroken reports whether a deployment is served without its model: at the start, when there is
// nothing to go on with, and as long as its model does not come back.
func (g *Gateway) mayBeBroken(name string) bool {
	now := g.current.Load()
	return now == nil || slices.Contains(now.broken, name)
}

// Config is the configuration in force.
func (g *Gateway) Config() *config.Config { return g.current.Load().cfg }

func (g *Gateway) assemble(ctx context.Context, cfg *config.Config) (*snapshot, error) {
	s := &snapshot{cfg: cfg}
	var err error
	if s.pictures, err = g.last.pictures(cfg.Images); err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	deployments, err := g.deployments(ctx, s)
	if err != nil {
		g.pool.Release(ctx, s.models)
		s.end()
		return nil, err
	}
	g.memory.Store(int64(cfg.Engine.Memory))
	table := route.New(deployments, cfg.DefaultModel, route.Aliases{Own: cfg.Aliases.Names, GitHubModels: cfg.Aliases.Names == nil && cfg.Aliases.Mode == "github-models"})
	if s.handler, err = g.doors(s, table); err != nil {
		g.pool.Release(ctx, s.models)
		s.end()
		return nil, err
	}
	return s, nil
}

func (g *Gateway) recorder(op llm.Operation, m llm.ModelInfo) policy.Recorder {
	return g.metrics.Operation(string(op), m.Deployment, m.Model)
}

// slowReader is how long a caller may take to read a piece of an answer.
const slowReader = time.Minute

// Handler is everything that is served on the port.
func (g *Gateway) Handler() http.Handler {
	metrics := g.metrics.Handler()
	api := g.metrics.CountActive(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.current.Load().handler.ServeHTTP(w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != http.NoBody && r.ProtoMajor == 1 && r.Context().Value(http.ServerContextKey) != nil {
			body := &unread{ReadCloser: r.Body}
			r = r.WithContext(r.Context()) // net/http looks at the body of its own request to know what is left of it
			r.Body = body
			defer body.hurry(w)
		}
		if g.o.Strict && isSecure(r) && !isLoopback(hostOf(r.Host)) { // it would hold for every port of localhost
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		switch {
		case r.URL.Path == "/healthz":
			w.WriteHeader(http.StatusOK)
		case r.URL.Path == "/readyz":
			if g.closing.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.WriteHeader(http.StatusOK)
		case r.URL.Path == "/metrics" && g.mayScrape(r):
			metrics.ServeHTTP(w, r)
		default:
			if r.ProtoMajor > 1 { // where a deadline ends the stream, and not only a write to it
				_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
			}
			api.ServeHTTP(w, r)
		}
	})
}

// mayScrape opens the metrics to this machine, where it is called so and not by a page's own name for
// it, and else to keys with admin rights.
func (g *Gateway) mayScrape(r *http.Request) bool {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil && net.ParseIP(host).IsLoopback() && isLoopback(hostOf(r.Host)) {
		return true
	}
	caller, ok := g.keys.Load().Verify(auth.Candidates(r.Header))
	return ok && caller.Admin
}

// origins are those whose pages may call; every one where only this machine can.
func origins(cfg *config.Config) []string {
	if host, _, err := net.SplitHostPort(cfg.Listen); cfg.CORS.Origins == nil && err == nil && isLoopback(host) {
		return []string{"*"}
	}
	return cfg.CORS.Origins
}

// allowHost returns who may be meant by a Host header: anybody where the endpoint listens to the
// network, else the machine itself and the listen address.
func allowHost(listen string) func(string) bool {
	own, _, err := net.SplitHostPort(listen)
	if err != nil || !isLoopback(own) {
		return func(string) bool { return true }
	}
	return func(host string) bool {
		host = hostOf(host)
		return host != "" && strings.EqualFold(host, own) || isLoopback(host)
	}
}

// hostOf is the host of a Host header, without its port.
func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host[1 : len(host)-1]
	}
	return host
}

func isLoopback(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || net.ParseIP(host).IsLoopback()
}

// Close ends all models' servers; nothing of them is left when it returns.
func (g *Gateway) Close(ctx context.Context) {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	g.pool.Close(ctx)
	g.leave.Wait()
	g.reload.Lock()
	defer g.reload.Unlock()
	for _, store := range append(g.last.discard, g.last.store) {
		if store != nil {
			_ = store.Close(ctx) // nobody is left to be told what was cut off
		}
	}
	if s := g.current.Load(); s != nil {
		s.end()
	}
}

// Deployments lists what is served, without those whose model could not be opened.
func (g *Gateway) Deployments() []string {
	s := g.current.Load()
	var names []string
	for i := range s.cfg.Models {
		if name := s.cfg.Models[i].Name; !slices.Contains(s.broken, name) {
			names = append(names, name)
		}
	}
	return slices.Clip(names)
}
