package client

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/ingot-llm/ingot/client/internal/address"
)

const (
	// Version is the version of this package, as the User-Agent tells it.
	Version = "0.1.0"
	// DefaultAPIVersion is the api-version sent where neither Options nor the endpoint name one.
	DefaultAPIVersion = "2024-05-01-preview"
	// NoAPIVersion as Options.APIVersion leaves the api-version out.
	NoAPIVersion = "none"
)

// Credential proves who is calling: a Key, or what package entra makes of tokens. Authorize adds to the header of one request
// what it takes, and must change nothing else; it is called for every attempt and must be safe for concurrent use.
type Credential interface {
	Authorize(req *http.Request) error
}

// Key is an API key. It is sent as api-key and as bearer token, as the official SDKs do.
type Key string

// Authorize implements Credential.
func (k Key) Authorize(req *http.Request) error {
	req.Header.Set("Api-Key", string(k))
	req.Header.Set("Authorization", "Bearer "+string(k))
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
	// HTTPClient does the transport: by default one without time limits. Its Timeout, if it has one, ends streams too; contexts are
	// the better limit. Redirects are never followed, since they would carry the key.
	HTTPClient *http.Client
	// MaxReply is the most bytes that are read of a reply which is not streamed: 128 MiB.
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

// New returns a Client for an endpoint, written as the other SDKs take it: the root of a server, or any URL below which the API's
// routes lie, such as https://host/models, /deployments/NAME, /openai/deployments/NAME or /openai/v1. A route at its end, such as
// /chat/completions, is cut off; its query is kept. A credential of nil sends none, options of nil means all defaults.
func New(endpoint string, credential Credential, options *Options) (*Client, error) {
	if credential == Key("") {
		return nil, errors.New("the key is empty; is its variable set? A credential of nil sends none")
	}
	c := &Client{credential: credential}
	if options != nil {
		c.options = *options
		c.options.Header = maps.Clone(options.Header)
	}
	o := &c.options
	base, err := address.Parse(endpoint, o.APIVersion, DefaultAPIVersion, NoAPIVersion)
	if err != nil {
		return nil, fmt.Errorf("parse endpoint: %w", err)
	}
	c.base = base
	o.Retry.fill()
	o.MaxReply = cmp.Or(o.MaxReply, 128<<20)
	o.MaxEvent = cmp.Or(o.MaxEvent, 32<<20)
	if hc := o.HTTPClient; hc != nil {
		c.http = *hc
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}
