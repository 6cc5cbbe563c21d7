package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/provider"
)

// issuer stands in for Microsoft Entra ID and a machine's identity service: nothing is dialled.
type issuer struct {
	mu     sync.Mutex
	lasts  int // seconds that tokens last
	fails  bool
	grants []url.Values // the requests for tokens
}

func (i *issuer) Do(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	say := func(status int, text string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
	host := "https://" + r.URL.Host
	switch {
	case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
		return say(http.StatusOK, fmt.Sprintf(`{"tenant_discovery_endpoint":"%s/t/v2.0/.well-known/openid-configuration","api-version":"1.1","metadata":[{"preferred_network":"%[2]s","preferred_cache":"%[2]s","aliases":["%[2]s"]}]}`, host, r.URL.Host))
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		return say(http.StatusOK, fmt.Sprintf(`{"token_endpoint":"%[1]s/t/oauth2/v2.0/token","authorization_endpoint":"%[1]s/t/oauth2/v2.0/authorize","issuer":"%[1]s/t/v2.0"}`, host))
	case i.fails:
		return say(http.StatusBadRequest, `{"error":"invalid_client","error_description":"no"}`)
	}
	form := r.URL.Query()
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if more, err := url.ParseQuery(string(body)); err == nil {
			maps.Copy(form, more)
		}
	}
	i.grants = append(i.grants, form)
	return say(http.StatusOK, fmt.Sprintf(`{"token_type":"Bearer","access_token":"token-%d","expires_in":%d,"expires_on":"%d","resource":"x"}`, len(i.grants), i.lasts, time.Now().Unix()+int64(i.lasts)))
}

const scope = "https://ml.azure.com/.default"

func entra(t *testing.T, o provider.EntraOptions) *provider.Entra {
	t.Helper()
	e, err := provider.NewEntra(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEachMethodGetsATokenAndKeepsIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "assertion")
	if err := os.WriteFile(file, []byte("signed.by.cluster"), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := func() (string, error) { return "hush", nil }
	for name, c := range map[string]struct {
		o    provider.EntraOptions
		env  map[string]string
		want map[string]string // of the request for a token
	}{
		"client secret":     {provider.EntraOptions{Method: "client-secret", Tenant: "t", Client: "app", Secret: secret}, nil, map[string]string{"client_id": "app", "client_secret": "hush", "grant_type": "client_credentials"}},
		"workload identity": {provider.EntraOptions{Method: "workload-identity", Tenant: "t", Client: "app"}, map[string]string{"AZURE_FEDERATED_TOKEN_FILE": file}, map[string]string{"client_assertion": "signed.by.cluster", "client_id": "app"}},
		"managed identity":  {provider.EntraOptions{Method: "managed-identity", Client: "id"}, map[string]string{"IDENTITY_ENDPOINT": "https://identity.test/token", "IDENTITY_HEADER": "h"}, map[string]string{"client_id": "id", "resource": "https://ml.azure.com"}},
		"the default chain": {provider.EntraOptions{}, map[string]string{"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "hush", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}, map[string]string{"client_id": "app", "client_secret": "hush"}},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			from := &issuer{lasts: 3600}
			c.o.HTTP = from
			e := entra(t, c.o)
			if len(from.grants) > 0 {
				t.Error("asked before a token was needed")
			}
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					if got, err := e.Token(t.Context(), scope); err != nil || got != "token-1" {
						t.Errorf("got %q, %v", got, err)
					}
				})
			}
			all.Wait()
			if len(from.grants) != 1 {
				t.Fatalf("asked for %d tokens", len(from.grants))
			}
			for k, want := range c.want {
				if got := from.grants[0].Get(k); got != want {
					t.Errorf("%s is %q, want %q", k, got, want)
				}
			}
		})
	}
}

func TestATokenGoesInPlaceOfAKeyAndNoneIsAFailureOfOurs(t *testing.T) {
	from := &issuer{lasts: 3600}
	e := entra(t, provider.EntraOptions{Method: "client-secret", Tenant: "t", Client: "app", HTTP: from, Secret: func() (string, error) { return "hush", nil }})
	for _, v := range variants() {
		if v.kind != "azure" {
			continue
		}
		b, s := v.backend(t, whole(full), func(c *provider.Config) { c.Token = e })
		if _, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect(); err != nil {
			t.Fatal(err)
		}
		if h := s.last(t).header; !strings.HasPrefix(h.Get("Authorization"), "Bearer token-") || h.Get("Api-Key") != "" {
			t.Errorf("%s: %v", v.name, h)
		}
	}
	scopes := map[string]bool{}
	for _, g := range from.grants {
		for s := range strings.FieldsSeq(g.Get("scope")) {
			scopes[s] = true
		}
	}
	for _, want := range []string{"https://ml.azure.com/.default", "https://ai.azure.com/.default", "https://cognitiveservices.azure.com/.default"} {
		if !scopes[want] {
			t.Errorf("no token was asked for %s: %v", want, scopes)
		}
	}
	v := variants()[0]
	refused := entra(t, provider.EntraOptions{Method: "client-secret", Tenant: "t", Client: "app", HTTP: &issuer{fails: true}, Secret: func() (string, error) { return "hush", nil }})
	b, s := v.backend(t, whole(full), func(c *provider.Config) { c.Token = refused })
	_, err := b.Chat(t.Context(), chat(t, v.contract, plain)).Collect()
	if e := llm.AsError(err); e.Kind != llm.Upstream || strings.Contains(err.Error(), "hush") || strings.Contains(e.Message, "invalid_client") || len(s.asked) > 0 {
		t.Errorf("got %+v", e)
	}
}

func TestATokenIsReplacedBeforeItEndsAndWhenTheSecretChanges(t *testing.T) {
	from := &issuer{lasts: 200} // less than is left when one is replaced
	word := "one"
	e := entra(t, provider.EntraOptions{Method: "client-secret", Tenant: "t", Client: "app", HTTP: from, Secret: func() (string, error) { return word, nil }})
	if got, err := e.Token(t.Context(), scope); err != nil || got != "token-1" {
		t.Fatalf("got %q, %v", got, err)
	}
	word = "two"
	if got, err := e.Token(t.Context(), scope); err != nil || got != "token-2" || from.grants[1].Get("client_secret") != "two" {
		t.Fatalf("got %q, %v", got, err)
	}
	from.fails, word = true, "three"
	if got, err := e.Token(t.Context(), scope); err != nil || got != "token-2" {
		t.Errorf("one that still lasts: got %q, %v", got, err)
	}
}

// stuck answers nobody.
type stuck struct{ asked chan struct{} }

func (s stuck) Do(r *http.Request) (*http.Response, error) {
	s.asked <- struct{}{}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestWhoeverWaitsForATokenMayLeave(t *testing.T) {
	s := stuck{make(chan struct{}, 1)}
	e := entra(t, provider.EntraOptions{Method: "client-secret", Tenant: "t", Client: "app", HTTP: s, Secret: func() (string, error) { return "hush", nil }})
	first, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := e.Token(first, scope)
		gone <- err
	}()
	<-s.asked
	second, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Token(second, scope); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	leave()
	if err := <-gone; err == nil {
		t.Error("got a token from nobody")
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for _, o := range []provider.EntraOptions{{Method: "magic"}, {Method: "client-secret", Tenant: "t", Client: "c"}} {
		if _, err := provider.NewEntra(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	e := entra(t, provider.EntraOptions{})
	for kind, cs := range map[string][]provider.Config{
		"azure": {
			{},
			{Endpoint: "https://models.example"},
			{Endpoint: "https://models.example", Surface: "moon"},
			{Endpoint: "ftp://models.example/models"},
			{Endpoint: "https://u:p@models.example/models"},
			{Endpoint: "http://models.example/models", Token: e},
		},
		"openai": {{Flavour: "vanilla"}, {Endpoint: "models.example"}},
	} {
		for _, c := range cs {
			if _, err := provider.All[kind](c); err == nil {
				t.Errorf("%s: %+v was taken", kind, c)
			}
		}
	}
}
