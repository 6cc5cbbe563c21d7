// Package client calls an Azure AI Model Inference endpoint: Ingot, Azure AI Foundry, or any server that speaks the same API.
// It depends on the standard library alone.
package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"
)

const (
	version = "0.1.0"

	// DefaultAPIVersion is the api-version sent where Options names none.
	DefaultAPIVersion = "2024-05-01-preview"
	// NoAPIVersion as Options.APIVersion leaves the api-version out.
	NoAPIVersion = "none"
)

// Credential proves who is calling. Authorize adds what it takes to the header of one request;
// it is called for every attempt and must be safe for concurrent use.
type Credential interface {
	Authorize(context.Context, http.Header) error
}

// Key is an API key. It is sent as api-key and as bearer token, as the official SDKs do.
type Key string

// Authorize implements Credential.
func (k Key) Authorize(_ context.Context, h http.Header) error {
	h.Set("Api-Key", string(k))
	h.Set("Authorization", "Bearer "+string(k))
	return nil
}

// ExtraParameters tells the service what to do with request members that are not part of the contract.
type ExtraParameters string

// The values of ExtraParameters.
const (
	ExtraError       ExtraParameters = "error"        // refuse the request
	ExtraDrop        ExtraParameters = "drop"         // leave them out
	ExtraPassThrough ExtraParameters = "pass-through" // hand them to the model
)

// Options are the settings of a Client. The zero value of each field means its default.
type Options struct {
	// APIVersion is the api-version query member: DefaultAPIVersion, but none for an endpoint that ends in /v1.
	APIVersion string
	// ExtraParameters is sent as header. By default it is ExtraPassThrough when a request has Extra members, else absent.
	ExtraParameters ExtraParameters
	// Retry says how failed calls are repeated.
	Retry Retry
	// Header is added to every request.
	Header http.Header
	// ApplicationID is put before the User-Agent.
	ApplicationID string
	// HTTPClient does the transport: by default one without time limits. Redirects are never followed, since they would carry the key.
	HTTPClient *http.Client
	// MaxReply is the most bytes that are read of a reply which is not streamed: 64 MiB.
	MaxReply int64
	// MaxEvent is the most bytes of one event of a stream: 32 MiB.
	MaxEvent int
}

// Retry says how calls are repeated that ended in 408, 429, 500, 502, 503 or 504, always before the first byte of an answer.
// A wait that the service asks for is kept; where it is longer than MaxDelay or the context lasts, the error is returned at once.
type Retry struct {
	Max      int           // further attempts: 3; negative for none
	Delay    time.Duration // first wait where the service names none, doubled each time: 800 ms
	MaxDelay time.Duration // longest wait: 60 s
}

// Client calls one endpoint. It is safe for concurrent use.
type Client struct {
	base       url.URL
	credential Credential
	options    Options
	http       http.Client
}

// New returns a Client for an endpoint: any base URL below which the API's routes lie, such as https://host/models.
// A credential of nil sends none, options of nil means all defaults. It makes no call.
func New(endpoint string, credential Credential, options *Options) (*Client, error) {
	base, err := url.Parse(strings.TrimSpace(endpoint))
	if err != nil {
		return nil, errors.New("parse endpoint: not a URL; it looks like https://host/models")
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("parse endpoint: want http:// or https:// and a host, such as https://host/models, got %q", base.Redacted())
	}
	if base.User != nil {
		return nil, errors.New("parse endpoint: it must not hold a user name or password; pass a credential")
	}
	c := &Client{credential: credential}
	if options != nil {
		c.options = *options
		c.options.Header = maps.Clone(options.Header)
	}
	c.base = url.URL{Scheme: base.Scheme, Host: base.Host, RawQuery: base.RawQuery}
	c.base = *c.base.JoinPath(trimRoute(base.EscapedPath()))
	c.options.fill(&c.base)
	if hc := c.options.HTTPClient; hc != nil {
		c.http = *hc
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// trimRoute cuts the route off a "target URI", which portals show in place of the endpoint.
func trimRoute(path string) string {
	path = strings.TrimRight(path, "/")
	for _, route := range []string{"/chat/completions", "/completions", "/embeddings", "/info"} {
		if cut, ok := strings.CutSuffix(path, route); ok {
			return cut
		}
	}
	return path
}

func (o *Options) fill(base *url.URL) {
	query := base.Query()
	if o.APIVersion == "" {
		o.APIVersion = query.Get("api-version")
	}
	if o.APIVersion == "" && !strings.HasSuffix(base.Path, "/v1") {
		o.APIVersion = DefaultAPIVersion
	}
	query.Del("api-version")
	if o.APIVersion != "" && o.APIVersion != NoAPIVersion {
		query.Set("api-version", o.APIVersion)
	}
	base.RawQuery = query.Encode()
	o.Retry.Max = orDefault(o.Retry.Max, 3)
	o.Retry.Delay = orDefault(o.Retry.Delay, 800*time.Millisecond)
	o.Retry.MaxDelay = orDefault(o.Retry.MaxDelay, time.Minute)
	o.MaxReply = orDefault(o.MaxReply, 64<<20)
	o.MaxEvent = orDefault(o.MaxEvent, 32<<20)
}

func orDefault[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func (o *Options) userAgent() string {
	agent := "ingot-go-client/" + version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"
	if o.ApplicationID != "" {
		return o.ApplicationID + " " + agent
	}
	return agent
}

// Info says which model answers at the endpoint.
type Info struct {
	ModelName         string `json:"model_name"`
	ModelType         string `json:"model_type"` // chat_completion, embeddings, text_generation, …
	ModelProviderName string `json:"model_provider_name"`
	Extra             Extra  `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Info) UnmarshalJSON(data []byte) error {
	type plain Info
	return decode(data, (*plain)(i), &i.Extra)
}

// Info asks for the model behind a deployment; an empty name asks for the endpoint's own.
func (c *Client) Info(ctx context.Context, deployment string) (*Info, error) {
	call := call{method: http.MethodGet, route: "info", query: url.Values{}}
	if deployment != "" {
		call.query.Set("model", deployment)
	}
	info := new(Info)
	if _, err := c.unary(ctx, call, info); err != nil {
		return nil, fmt.Errorf("get model info: %w", err)
	}
	return info, nil
}
