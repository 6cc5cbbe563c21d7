package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/auth/entra"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/dialect/azureai"
	"github.com/ingot-llm/ingot/internal/dialect/openai"
	"github.com/ingot-llm/ingot/internal/dialect/openai/responses"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/openapi"
	"github.com/ingot-llm/ingot/internal/picture"
	"github.com/ingot-llm/ingot/internal/policy"
	"github.com/ingot-llm/ingot/internal/route"
	"github.com/ingot-llm/ingot/internal/upstream/dial"
)

// documents are the paths of the description of all others.
var documents = []string{"/openapi.json", "/swagger.json"}

// doors is all that a configuration serves: each path is one door's, and what is no other's is the inference door's.
func (g *Gateway) doors(s *snapshot, table *route.Table) (http.Handler, error) {
	cfg := s.cfg
	callers := auth.Authenticator{GitHubTokens: cfg.GitHubTokens}
	tokens, err := g.last.tokens(cfg.Entra)
	if err != nil {
		return nil, fmt.Errorf("entra: %w", err)
	}
	if tokens != nil {
		callers.Tokens = tokens
	}
	routes := append(azureai.Routes(cfg.Endpoint != nil), openai.Routes()...)
	for _, path := range documents {
		routes = append(routes, dialect.Route{Method: http.MethodGet, Path: path, Operation: "openapi"})
	}
	described, err := openapi.Document(routes, g.o.Version)
	if err != nil {
		return nil, err
	}
	// From here on nothing fails: what lasts is exchanged.
	watch := policy.Observe(
		policy.Trace(g.log, func(ctx context.Context) slog.Attr { return slog.String("request_id", dialect.RequestID(ctx)) }),
		policy.Meter(table.List(), g.recorder),
	)
	// What is refused is watched, too.
	limit := []llm.Policy{watch, policy.Limit(g.counter.Reserve, table.List())}
	shared := dialect.Options{
		AllowHost: allowHost(cfg.Listen), Backend: llm.Chain(table, limit...), Models: table, Logger: g.log,
		MaxBody: int64(cfg.Limits.Body), BodyTimeout: cfg.Limits.BodyTimeout, BodyTotal: cfg.Limits.BodyTotal, BodyMemory: int64(cfg.Limits.BodyMemory),
		Budget: &g.bodies, WriteTimeout: slowReader,
		Authenticate: func(r *http.Request) (llm.Caller, error) {
			who := callers
			who.Keys = g.keys.Load()
			return who.Authenticate(r)
		},
	}
	inference := azureai.Handler(azureai.Options{
		Options: shared, ServiceSpelling: cfg.Info.Spelling == "service", LegacyExtras: cfg.ExtraParameters.Legacy,
		StrictVersions: cfg.APIVersions == "strict", Reasoning: llm.ReasoningPlace(cfg.Reasoning), Endpoint: g.endpoint(s, table, watch, limit),
	})
	v1 := openai.Handler(openai.Options{
		Options: shared, LegacyExtras: cfg.ExtraParameters.Legacy, StrictVersions: cfg.APIVersions == "strict",
		IgnoreUnknown: cfg.OpenAI.UnknownFields == "ignore", StrictReasoning: cfg.OpenAI.ReasoningParams == "strict", Annotations: cfg.OpenAI.Annotations,
		Reasoning: llm.ReasoningPlace(cfg.Reasoning), Responses: responses.New(responses.Options{
			Options: shared, LegacyExtras: cfg.ExtraParameters.Legacy, IgnoreUnknown: cfg.OpenAI.UnknownFields == "ignore",
			Reasoning: llm.ReasoningPlace(cfg.Reasoning), Store: g.last.responses(cfg.Responses),
		}),
	})
	return dialect.AllowOrigins(origins(cfg), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		switch {
		case slices.Contains(documents, path):
			document(described).ServeHTTP(w, r)
		case openai.Serves(dialect.Segments(path)):
			v1.ServeHTTP(w, r)
		default:
			inference.ServeHTTP(w, r)
		}
	})), nil
}

// endpoint gives the root the manners of a managed endpoint, where they are wanted. Copies of requests are traced and metered
// as requests are, but count against nobody's limits.
func (g *Gateway) endpoint(s *snapshot, table *route.Table, watch llm.Policy, limit []llm.Policy) *azureai.Endpoint {
	e := s.cfg.Endpoint
	if e == nil {
		return nil
	}
	out := &azureai.Endpoint{Name: e.Name, Traffic: e.Traffic, Sticky: e.Sticky}
	const (
		whole = 100
		most  = 16
		room  = 64 << 20 // bytes, which limits.body_memory knows nothing of
		long  = 2 * time.Minute
	)
	for name, share := range e.Mirror {
		to, ok := table.Lookup(name)
		if !ok || share == 0 {
			continue
		}
		m := policy.NewMirror(policy.MirrorOptions{
			To: to, Share: float64(share) / whole, Backend: watch(table), Most: most, Memory: room, Time: long,
			Counted: func(r policy.MirrorResult) { g.metrics.Mirrored(to.Deployment, string(r)) },
		})
		out.Backend = llm.Chain(table, append(slices.Clip(limit), m.Policy)...) // copies are made of what is admitted
		s.retire = append(s.retire, m.Close)
	}
	return out
}

// lasting is what outlives a reload as long as its settings do not change. Whoever reloads has it alone.
type lasting struct {
	images    config.Images
	reader    *picture.Reader
	entra     config.Entra
	validator *entra.Validator
	kept      config.Responses
	store     *responses.Store
	discard   []*responses.Store // whose settings changed
}

// responses is the store of a configuration; nil where nothing is stored.
func (l *lasting) responses(c config.Responses) *responses.Store {
	if l.store != nil && c == l.kept {
		return l.store
	}
	if l.store != nil {
		l.discard = append(l.discard, l.store)
		l.store = nil
	}
	if c.Store {
		const background = 64
		l.kept = c
		l.store = responses.NewStore(responses.StoreOptions{Entries: c.Entries, Bytes: int64(c.Bytes), Age: c.Age, Background: background})
	}
	return l.store
}

// pictures reads the images of requests, within one bound of memory for all of them.
func (l *lasting) pictures(c config.Images) (*picture.Reader, error) {
	if l.reader != nil && reflect.DeepEqual(c, l.images) {
		return l.reader, nil
	}
	o := picture.Options{Limits: picture.Limits{Bytes: int64(c.Bytes), Pixels: int64(c.Pixels), Images: c.PerRequest, Time: c.Timeout}}
	if c.Fetch.Mode != "off" || c.Fetch.Hosts != nil {
		client, err := dial.PublicClient(dial.Options{Hosts: c.Fetch.Hosts, Total: c.Timeout})
		if err != nil {
			return nil, err
		}
		o.HTTP = client
	}
	l.images, l.reader = c, picture.New(o)
	return l.reader, nil
}

// tokens judges those who come with a token of Microsoft Entra ID; nil where nobody may.
func (l *lasting) tokens(c config.Entra) (*entra.Validator, error) {
	if len(c.Tenants) == 0 {
		return nil, nil //nolint:nilnil // nobody judges, and nothing is wrong
	}
	if l.validator != nil && reflect.DeepEqual(c, l.entra) {
		return l.validator, nil
	}
	client, err := dial.Configured(dial.Options{Proxy: dial.ProxyEnvironment})
	if err != nil {
		return nil, err
	}
	v, err := entra.New(entra.Options{
		Tenants: c.Tenants, Audiences: c.Audiences, FirstParty: c.FirstParty, Allow: entra.Allow(c.Allow), Leeway: c.Leeway, Authority: c.Authority, Client: client,
	})
	if err != nil {
		return nil, err
	}
	l.entra, l.validator = c, v
	return v, nil
}
