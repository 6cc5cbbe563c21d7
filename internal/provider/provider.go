// Package provider speaks to models that run elsewhere: at Azure, at OpenAI, and at any server with OpenAI's shape. A
// provider is a line in All and a file that says where its operations are, how it is shown who asks, and what it is
// known not to understand.
package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/upstream"
	"github.com/ingot-llm/ingot/internal/wire/openai"
)

// All are the types of providers by name. Each entry goes through the suite of this package's tests.
var All = map[string]func(Config) (llm.Backend, error){
	"azure":  azure,
	"openai": openAI,
}

// Config is what one model at a provider is reached by.
type Config struct {
	Name       string // of the provider; answers and errors say it
	Deployment string // the name callers use
	Model      string // what the provider calls the model; empty: as callers do
	Endpoint   string // http or https
	// Operations are those that the model does; nil: chat and text completions.
	Operations []llm.Operation
	APIVersion string // where the surface takes one; empty: the surface's own
	Surface    string // of azure: deployments, v1, models, serverless or managed; empty: told from the endpoint
	Flavour    string // of openai: a name in Flavours; empty: openai
	// Key is asked for the key before every request, so that it may change; nil: there is none.
	Key func() (string, error)
	// Token is asked for a token in its place; nil: there is none. Scope is what for; empty: the surface's own.
	Token TokenSource
	Scope string
	HTTP  upstream.Doer // follows no redirects
	Room  upstream.Room // what large answers take while they are read; nil: no limit
	// First, Whole and Silence are how long a stream may take to begin, any other answer to come, and all of them to go
	// on; 0: no limit.
	First, Whole, Silence time.Duration
}

// TokenSource gives access tokens for a scope. It keeps them as long as they last, and may be called concurrently.
type TokenSource interface {
	Token(ctx context.Context, scope string) (string, error)
}

// remote is a model at a provider.
type remote struct {
	client    *upstream.Client
	inference *upstream.Client // for callers of Model Inference, whose contract the server keeps at a door of its own; mostly client
	info      llm.ModelInfo
	model     string // what the body is to call it; empty: whatever it says
	shown     shown
}

var _ llm.Backend = (*remote)(nil)

// door is where a request is asked: where its caller's contract is kept, if it is.
func (m *remote) door(e *llm.Envelope) *upstream.Client {
	if src, _ := e.Source(); src.Wire == llm.WireInference {
		return m.inference
	}
	return m.client
}

// Chat asks the provider.
func (m *remote) Chat(ctx context.Context, r *llm.ChatRequest) llm.Stream {
	if m.model != "" {
		r = r.WithModel(m.model)
	}
	return m.door(&r.Envelope).Chat(ctx, r)
}

// Complete asks the provider.
func (m *remote) Complete(ctx context.Context, r *llm.CompleteRequest) llm.Stream {
	if m.model != "" {
		r = r.WithModel(m.model)
	}
	return m.door(&r.Envelope).Complete(ctx, r)
}

// Embed asks the provider.
func (m *remote) Embed(ctx context.Context, r *llm.EmbedRequest) (*llm.EmbedReply, error) {
	if m.model != "" {
		r = r.WithModel(m.model)
	}
	client := m.door(&r.Envelope)
	if r.Operation() == llm.OpEmbedImages { // which Model Inference alone has
		client = m.inference
	}
	return client.Embed(ctx, r)
}

// Models returns the one record of the model.
func (m *remote) Models(context.Context) ([]llm.ModelInfo, error) {
	return []llm.ModelInfo{m.info}, nil
}

// place is where and how a model is asked.
type place struct {
	base, query string
	model       string // see remote
	header      http.Header
	keyHeader   string // Api-Key, or Authorization for a Bearer
	scope       string // of tokens
	contract    llm.Wire
	inference   string // base and query of Model Inference's operations, where the server has them beside the others; may be empty
	askUsage    bool   // streams do not tell it by themselves
	features    llm.Features
	cannot      []llm.Operation
}

// remote makes the Backend of a model at a place.
func (c Config) remote(p place) (llm.Backend, error) {
	ops := c.Operations
	if ops == nil {
		ops = []llm.Operation{llm.OpChat, llm.OpComplete}
	}
	for _, op := range ops {
		if slices.Contains(p.cannot, op) {
			return nil, fmt.Errorf("provider %s: there are no %s at %s", c.Name, op.Title(), p.base)
		}
	}
	if c.Token != nil && !strings.HasPrefix(p.base, "https:") && !local(p.base) {
		return nil, fmt.Errorf("provider %s: a token must not travel over plain HTTP; use an https endpoint", c.Name)
	}
	m := &remote{
		info: llm.ModelInfo{
			Deployment: c.Deployment, Model: c.name(), Publisher: "unknown", Provider: c.Name, Operations: ops, Features: p.features,
		},
		model: p.model,
	}
	authorize := m.shown.remember(c.authorize(p.keyHeader, cmp.Or(c.Scope, p.scope)))
	client := func(base, query string, speaks openai.Codec) *upstream.Client {
		return &upstream.Client{
			HTTP: c.HTTP, Name: c.Name, Base: base, Query: query, Header: p.header, Authorize: authorize, Codec: codec{speaks}, Tell: m.tell,
			First: c.First, Whole: c.Whole, Silence: c.Silence, Room: c.Room,
		}
	}
	m.client = client(p.base, p.query, openai.Codec{Contract: p.contract, AskUsage: p.askUsage})
	m.inference = m.client
	if base, version, found := strings.Cut(p.inference, "?"); found {
		m.inference = client(base, "?"+version, openai.Codec{Contract: llm.WireInference})
	}
	return m, nil
}

// name is what the provider calls the model.
func (c Config) name() string { return cmp.Or(c.Model, c.Deployment) }

// authorize shows who asks: by a token, by the key in its header, or not at all.
func (c Config) authorize(keyHeader, scope string) func(context.Context, http.Header) error {
	return func(ctx context.Context, h http.Header) error {
		switch {
		case c.Token != nil:
			token, err := c.Token.Token(ctx, scope)
			if err != nil {
				return fmt.Errorf("get token for %s: %w", scope, err)
			}
			h["Authorization"] = []string{"Bearer " + token}
		case c.Key != nil:
			key, err := c.Key()
			switch {
			case err != nil:
				return fmt.Errorf("get key of provider %s: %w", c.Name, err)
			case key == "":
			case keyHeader == "Authorization":
				h[keyHeader] = []string{"Bearer " + key}
			default:
				h[keyHeader] = []string{key}
			}
		}
		return nil
	}
}

// codec is the family's, for a server that is shown credentials.
type codec struct{ openai.Codec }

// DecodeError hides what a server says of our own credentials and of what else we are configured with, such as the models
// that it has instead: that is the operator's business, for whom the cause is logged, and a failure of ours.
func (c codec) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := c.Codec.DecodeError(status, h, body)
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return &llm.Error{
			Kind: llm.Upstream, Status: status, Meta: e.Meta,
			Message: fmt.Sprintf("The model's server refused Ingot's own credentials (%d): the provider's key or token is wrong, has expired or may not use the model.", status),
		}
	}
	if e.Kind == llm.Upstream && status < http.StatusInternalServerError {
		e.Err = fmt.Errorf("the model's server answered %d", status)
		if slices.Contains([]int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests}, status) {
			// It knows no such model, or has no quota left. What others say might repeat a prompt.
			e.Err = fmt.Errorf("%w: %.500s", e.Err, strings.TrimSuffix(e.Message, "."))
		}
		e.Message = fmt.Sprintf("The model's server does not serve this deployment as Ingot asks for it (%d): its endpoint, model or quota is not as configured. The log of this endpoint has the cause.", status)
		e.Param, e.Details = "", nil
	}
	return e
}

// operations are what may follow a base in an address that was copied whole.
var operations = []string{"/chat/completions", "/images/embeddings", "/completions", "/embeddings", "/responses", "/info"}

// endpoint reads an address: without an operation that somebody copied with it, a slash at its end, or a query, whose
// api-version it returns.
func endpoint(address string) (*url.URL, string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, "", errors.New("endpoint must be an http or https address without a password, such as https://models.example")
	}
	version := u.Query().Get("api-version")
	u.RawQuery, u.Fragment = "", ""
	path := strings.TrimRight(u.EscapedPath(), "/")
	for _, op := range operations {
		if short, ok := strings.CutSuffix(path, op); ok {
			path = short
			break
		}
	}
	if u.Path, err = url.PathUnescape(path); err != nil {
		return nil, "", fmt.Errorf("endpoint: %w", err)
	}
	u.RawPath = path
	return u, version, nil
}

// local reports whether an address is on this machine.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}
