package client

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"strings"
)

const (
	// Version is the version of this package, as the User-Agent tells it.
	Version = "0.1.0"
	// DefaultAPIVersion is the api-version sent where neither Options nor the endpoint name one.
	DefaultAPIVersion = "2024-05-01-preview"
	// NoAPIVersion as Options.APIVersion leaves the api-version out.
	NoAPIVersion = "none"
)

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
	// APIVersion is the api-version query member: that of the endpoint's query, else DefaultAPIVersion, but none for an endpoint that ends in /v1.
	APIVersion string
	// ExtraParameters is sent as header. By default it is ExtraPassThrough when a request has Extra members, else absent.
	ExtraParameters ExtraParameters
	// Deployment is sent as azureml-model-deployment: it chooses a deployment whatever model a request names.
	Deployment string
	// Retry says how failed calls are repeated.
	Retry Retry
	// Trace is told what the client does.
	Trace *Trace
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

// Client calls one endpoint. It is safe for concurrent use, and holds nothing that must be closed.
type Client struct {
	base       url.URL
	credential Credential
	options    Options
	http       http.Client
}

// New returns a Client for an endpoint: any base URL below which the API's routes lie, such as https://host/models.
// A route at its end, such as /chat/completions, is cut off; its query is kept. A credential of nil sends none, options of nil
// means all defaults. New makes no call.
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
	if credential == Key("") {
		return nil, errors.New("the key is empty; is its variable set? A credential of nil sends none")
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
	for _, route := range []string{"/chat/completions", "/completions", "/images/embeddings", "/embeddings", "/info"} {
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
	o.Retry.fill()
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
	agent := "ingot-go-client/" + Version + " (" + runtime.Version() + "; " + runtime.GOOS + ")"
	if o.ApplicationID != "" {
		return o.ApplicationID + " " + agent
	}
	return agent
}
