// Package entra proves who is calling by tokens of Microsoft Entra ID. It keeps them and asks for new ones before they expire.
package entra

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

// Token is an access token of Microsoft Entra ID.
type Token struct {
	Value   string
	Expires time.Time
	Refresh time.Time // from when on another one should be asked for; zero means five minutes before Expires
}

// Source gets tokens for scopes. Every credential of azidentity becomes one in five lines, as the example of New shows.
// It is asked by one goroutine at a time.
type Source interface {
	Token(ctx context.Context, scopes []string) (Token, error)
}

// SourceFunc is a function as Source.
type SourceFunc func(ctx context.Context, scopes []string) (Token, error)

// Token implements Source.
func (f SourceFunc) Token(ctx context.Context, scopes []string) (Token, error) { return f(ctx, scopes) }

// The scopes that services take. A server of one's own has one of its own, such as api://NAME/.default.
const (
	ScopeMachineLearning   = "https://ml.azure.com/.default"                // serverless and managed endpoints
	ScopeCognitiveServices = "https://cognitiveservices.azure.com/.default" // Foundry and Azure OpenAI
	ScopeFoundry           = "https://ai.azure.com/.default"                // /openai/v1
)

// Options are the settings of a Credential.
type Options struct {
	// Scopes are what tokens are asked for: by default ScopeCognitiveServices for hosts of Foundry and Azure OpenAI, else ScopeMachineLearning.
	Scopes []string
	// InsecureAllowHTTP sends tokens over plain HTTP, where anybody on the way can take them.
	InsecureAllowHTTP bool
}

// New returns a credential that sends tokens of source. A token is kept until it should be refreshed; while one that is
// older still holds, a source that fails is asked again every 30 seconds. Options of nil means all defaults.
func New(source Source, options *Options) *Credential {
	e := &Credential{source: source, keepers: map[string]*fresh.Keeper{}}
	if options != nil {
		e.options = *options
	}
	return e
}

// Credential authorizes requests. It is safe for concurrent use.
type Credential struct {
	source  Source
	options Options

	mu      sync.Mutex
	keepers map[string]*fresh.Keeper // by scopes
}

// Authorize implements client.Credential.
func (e *Credential) Authorize(req *http.Request) error {
	if req.URL.Scheme != "https" && !e.options.InsecureAllowHTTP {
		return errors.New("a token is not sent over plain HTTP; use an endpoint that begins with https://, or Options.InsecureAllowHTTP")
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

func (e *Credential) keeper(scopes []string) *fresh.Keeper {
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
