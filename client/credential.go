package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ingot-llm/ingot/client/internal/fresh"
)

// Credential proves who is calling. Authorize adds to the header of one request what it takes, and must change nothing else;
// it is called for every attempt and must be safe for concurrent use.
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

// Token is an access token of Microsoft Entra ID.
type Token struct {
	Value   string
	Expires time.Time
	Refresh time.Time // from when on another one should be asked for; zero means five minutes before Expires
}

// TokenSource gets tokens for scopes. Every credential of azidentity becomes one in five lines, as the example of Entra shows.
// It is asked by one goroutine at a time.
type TokenSource interface {
	Token(ctx context.Context, scopes []string) (Token, error)
}

// TokenFunc is a function as TokenSource.
type TokenFunc func(ctx context.Context, scopes []string) (Token, error)

// Token implements TokenSource.
func (f TokenFunc) Token(ctx context.Context, scopes []string) (Token, error) { return f(ctx, scopes) }

// The scopes that services take. A server of one's own has one of its own, such as api://NAME/.default.
const (
	ScopeMachineLearning   = "https://ml.azure.com/.default"                // serverless and managed endpoints
	ScopeCognitiveServices = "https://cognitiveservices.azure.com/.default" // Foundry and Azure OpenAI
	ScopeFoundry           = "https://ai.azure.com/.default"                // /openai/v1
)

// EntraOptions are the settings of an Entra credential.
type EntraOptions struct {
	// Scopes are what tokens are asked for: by default ScopeCognitiveServices for hosts of Foundry and Azure OpenAI, else ScopeMachineLearning.
	Scopes []string
	// InsecureAllowHTTP sends tokens over plain HTTP, where anybody on the way can take them.
	InsecureAllowHTTP bool
}

// Entra returns a credential that sends tokens of source. A token is kept until it should be refreshed; while one that is
// older still holds, a source that fails is asked again every 30 seconds. Options of nil means all defaults.
func Entra(source TokenSource, options *EntraOptions) Credential {
	e := &entra{source: source, keepers: map[string]*fresh.Keeper{}}
	if options != nil {
		e.options = *options
	}
	return e
}

type entra struct {
	source  TokenSource
	options EntraOptions

	mu      sync.Mutex
	keepers map[string]*fresh.Keeper // by scopes
}

// Authorize implements Credential.
func (e *entra) Authorize(req *http.Request) error {
	if req.URL.Scheme != "https" && !e.options.InsecureAllowHTTP {
		return errors.New("a token is not sent over plain HTTP; use an endpoint that begins with https://, or EntraOptions.InsecureAllowHTTP")
	}
	scopes := e.options.Scopes
	if len(scopes) == 0 {
		scopes = []string{defaultScope(req.URL.Hostname())}
	}
	token, err := e.keeper(scopes).Get(req.Context())
	if err != nil {
		return fmt.Errorf("get token for %s: %w", strings.Join(scopes, " "), err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

func (e *entra) keeper(scopes []string) *fresh.Keeper {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := strings.Join(scopes, " ")
	if e.keepers[name] == nil {
		e.keepers[name] = fresh.NewKeeper(func(ctx context.Context) (fresh.Value, error) {
			t, err := e.source.Token(ctx, scopes)
			if t.Refresh.IsZero() {
				const margin = 5 * time.Minute
				t.Refresh = t.Expires.Add(-margin)
			}
			return fresh.Value{Text: t.Value, Expires: t.Expires, Refresh: t.Refresh}, err
		})
	}
	return e.keepers[name]
}

func defaultScope(host string) string {
	for _, suffix := range []string{".services.ai.azure.com", ".openai.azure.com", ".cognitiveservices.azure.com"} {
		if strings.HasSuffix(strings.ToLower(host), suffix) {
			return ScopeCognitiveServices
		}
	}
	return ScopeMachineLearning
}
