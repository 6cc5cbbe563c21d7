package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/ingot-llm/ingot/internal/upstream"
)

// EntraOptions say who vouches for Ingot to Microsoft Entra ID. Where its own environment variables, such as
// AZURE_AUTHORITY_HOST, say more, they count.
type EntraOptions struct {
	Method string // default, managed-identity, client-secret or workload-identity; empty: default
	Tenant string
	Client string // client id
	// Secret is asked for the application's secret, for client-secret, whenever a new token is needed.
	Secret func() (string, error)
	// HTTP asks for tokens. The machine's own metadata service is asked past it.
	HTTP upstream.Doer
}

// Entra is a TokenSource that asks Microsoft Entra ID. Nothing is looked for or asked before the first token is needed.
type Entra struct {
	o    EntraOptions
	turn chan struct{} // held by the one who asks

	mu     sync.Mutex // guards tokens
	tokens map[string]azcore.AccessToken

	credential azcore.TokenCredential // with secret, guarded by turn
	secret     string
}

var _ TokenSource = (*Entra)(nil)

// NewEntra checks the options.
func NewEntra(o EntraOptions) (*Entra, error) {
	switch o.Method {
	case "", "default", "managed-identity", "workload-identity":
	case "client-secret":
		if o.Tenant == "" || o.Client == "" || o.Secret == nil {
			return nil, errors.New("client-secret needs a tenant, a client and a secret")
		}
	default:
		return nil, fmt.Errorf("unknown method %q to get tokens; use default, managed-identity, client-secret or workload-identity", o.Method)
	}
	return &Entra{o: o, turn: make(chan struct{}, 1), tokens: map[string]azcore.AccessToken{}}, nil
}

const (
	early   = 5 * time.Minute  // before its end a token is replaced
	late    = 10 * time.Second // and no longer sent
	longest = 30 * time.Second // for a token to come
)

// Token returns the token for a scope that is kept, or asks for one: a single caller at a time does.
func (e *Entra) Token(ctx context.Context, scope string) (string, error) {
	if t, ok := e.kept(scope, early); ok {
		return t, nil
	}
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return "", fmt.Errorf("wait for a token: %w", ctx.Err())
	}
	if t, ok := e.kept(scope, early); ok {
		return t, nil
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := e.prepare(); err != nil {
		return "", err
	}
	t, err := e.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		if old, ok := e.kept(scope, late); ok {
			return old, nil
		}
		return "", fmt.Errorf("ask Entra ID: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tokens[scope] = t
	return t.Token, nil
}

// kept returns the token for a scope if it lasts longer than so.
func (e *Entra) kept(scope string, so time.Duration) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.tokens[scope]
	return t.Token, ok && time.Until(t.ExpiresOn) > so
}

// prepare makes the credential, and another one when the secret has changed.
func (e *Entra) prepare() error {
	secret := ""
	if e.o.Method == "client-secret" {
		var err error
		if secret, err = e.o.Secret(); err != nil {
			return fmt.Errorf("get the application's secret: %w", err)
		}
	}
	if e.credential != nil && secret == e.secret {
		return nil
	}
	c, err := e.o.credential(secret)
	if err != nil {
		return fmt.Errorf("prepare to ask Entra ID: %w", err)
	}
	e.credential, e.secret = c, secret
	return nil
}

func (o EntraOptions) credential(secret string) (azcore.TokenCredential, error) {
	client := azcore.ClientOptions{Transport: transporter{o.HTTP, &http.Client{Transport: &http.Transport{}}}}
	switch o.Method {
	case "client-secret":
		return azidentity.NewClientSecretCredential(o.Tenant, o.Client, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: client})
	case "workload-identity":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: client, TenantID: o.Tenant, ClientID: o.Client})
	case "managed-identity":
		options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: client}
		if o.Client != "" {
			options.ID = azidentity.ClientID(o.Client)
		}
		return azidentity.NewManagedIdentityCredential(options)
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: client, TenantID: o.Tenant})
}

// transporter keeps the machine's metadata service apart, which no guarded dialer and no proxy leads to.
type transporter struct {
	others   upstream.Doer
	metadata *http.Client
}

// Do sends a request.
func (t transporter) Do(r *http.Request) (*http.Response, error) {
	if t.others == nil || r.URL.Hostname() == "169.254.169.254" {
		return t.metadata.Do(r) //nolint:wrapcheck // the credential classifies it
	}
	return t.others.Do(r) //nolint:wrapcheck // the credential classifies it
}
