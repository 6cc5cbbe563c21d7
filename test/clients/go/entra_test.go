package sdk_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
	"github.com/openai/openai-go/v3/option"

	"github.com/ingot-llm/ingot/test/clients/served"
)

const (
	tenant   = "11111111-2222-4333-8444-000000000000"
	admitted = "11111111-2222-4333-8444-000000000001"
	stranger = "11111111-2222-4333-8444-000000000002"
)

const withEntra = `
entra:
  tenants: [11111111-2222-4333-8444-000000000000]
  audiences: ["api://ingot"]
  first_party: on
  authority: %s
  allow: {objects: [11111111-2222-4333-8444-000000000001]}
models:
  mock: {provider: mock}
  mock-embedding: {provider: mock, mock: {behaviour: embedding}}
`

// An authority gives tokens as Microsoft Entra ID does: to applications with a secret, whose id becomes the object's,
// and to machines with an identity.
type authority struct {
	issuer string           // signs, and publishes its keys
	login  *httptest.Server // where applications log in; credentials want TLS
	mu     sync.Mutex
	asked  []string // the scopes and resources that tokens were asked for
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{issuer: served.Issuer(t)}
	a.login = httptest.NewTLSServer(a)
	t.Cleanup(a.login.Close)
	return a
}

// ServeHTTP answers where an application logs in, and where a machine asks for its identity.
func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	w.Header().Set("Content-Type", "application/json")
	var answer map[string]any
	switch base := a.login.URL + "/" + tenant; {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		answer = map[string]any{
			"issuer": base + "/v2.0", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token",
		}
	case r.Form.Get("client_secret") == "secret":
		answer = map[string]any{"token_type": "Bearer", "expires_in": 3600, "access_token": a.token(r.Form.Get("client_id"), r.Form.Get("scope"))}
	case r.Header.Get("X-Identity-Header") == "secret":
		answer = map[string]any{"token_type": "Bearer", "expires_on": "4102444800", "access_token": a.token(admitted, r.Form.Get("resource"))}
	default:
		w.WriteHeader(http.StatusUnauthorized)
		answer = map[string]any{"error": "invalid_client", "error_description": "not known here"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// token is one for the audience of a scope or a resource.
func (a *authority) token(object, scope string) string {
	a.mu.Lock()
	a.asked = append(a.asked, scope)
	a.mu.Unlock()
	audience, _, _ := strings.Cut(strings.Fields(scope)[0], "/.default")
	query := url.Values{"tid": {tenant}, "oid": {object}, "aud": {audience}, "version": {"1.0"}}
	response, err := http.Get(a.issuer + "/token?" + query.Encode())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	token, _ := io.ReadAll(response.Body)
	return string(token)
}

// application is the credential of one with a secret.
func (a *authority) application(t *testing.T, object string) azcore.TokenCredential {
	t.Helper()
	c, err := azidentity.NewClientSecretCredential(tenant, object, "secret", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: a.options(), DisableInstanceDiscovery: true,
	})
	return must(t, c, err)
}

func (a *authority) options() policy.ClientOptions {
	return policy.ClientOptions{Transport: a.login.Client(), Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: a.login.URL}}
}

func TestCredentialsOfAzidentityAdmit(t *testing.T) {
	a := newAuthority(t)
	s, err := served.Start(t.TempDir(), fmt.Sprintf(withEntra, a.issuer), "--log", "debug")
	must(t, s, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		log, err := os.ReadFile(s.Log)
		if text := string(must(t, log, err)); !strings.Contains(text, "caller=entra:"+tenant+"/"+admitted) || strings.Contains(text, "eyJ") {
			t.Errorf("the log lacks the caller, or has a token: %s", text)
		}
	})

	// The endpoint of a machine with an identity, as App Service announces it.
	machine := httptest.NewServer(a)
	t.Cleanup(machine.Close)
	t.Setenv("IDENTITY_ENDPOINT", machine.URL)
	t.Setenv("IDENTITY_HEADER", "secret")
	// A process keeps the tokens of an identity, also those of an authority that is gone.
	id := azidentity.ClientID(strconv.FormatInt(time.Now().UnixNano(), 10))
	identity, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: id})
	must(t, identity, err)
	t.Setenv("AZURE_TENANT_ID", tenant)
	t.Setenv("AZURE_CLIENT_ID", admitted)
	t.Setenv("AZURE_CLIENT_SECRET", "secret")
	usual, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: a.options(), DisableInstanceDiscovery: true})
	must(t, usual, err)

	for name, credential := range map[string]azcore.TokenCredential{
		"application": a.application(t, admitted), "managed identity": identity, "default": usual,
	} {
		t.Run(name, func(t *testing.T) {
			c := withToken(s, credential)
			got, err := c.Chat.Completions.New(t.Context(), says(hello))
			equal(t, "openai-go", must(t, got, err).Choices[0].Message.Content, hello)
			chunks := all(t, c.Chat.Completions.NewStreaming(t.Context(), says(hello)))
			equal(t, "openai-go, streamed", joined(chunks), hello)

			az, err := azopenai.NewClient(s.Over(""), credential, &azopenai.ClientOptions{ClientOptions: policy.ClientOptions{Transport: s.HTTP}})
			must(t, az, err)
			told, err := az.GetChatCompletions(t.Context(), azopenai.ChatCompletionsOptions{DeploymentName: new("mock"), Messages: azsays(hello)}, nil)
			equal(t, "azopenai", *must(t, told, err).Choices[0].Message.Content, hello)
			vectors, err := az.GetEmbeddings(t.Context(), azopenai.EmbeddingsOptions{DeploymentName: new("mock-embedding"), Input: []string{"Hello"}}, nil)
			equal(t, "dimensions", len(must(t, vectors, err).Data[0].Embedding), 384)
		})
	}
	for _, scope := range a.asked {
		if !strings.HasPrefix(scope, "https://cognitiveservices.azure.com") {
			t.Errorf("a token for %q was asked for", scope)
		}
	}

	t.Run("a scope of one's own", func(t *testing.T) {
		c := withToken(s, a.application(t, admitted), azure.WithTokenCredentialScopes([]string{"api://ingot/.default"}))
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		equal(t, "answer", must(t, got, err).Choices[0].Message.Content, hello)
	})
	t.Run("as a key at OpenAI's address", func(t *testing.T) {
		c := client(s, "/v1", option.WithAPIKey(a.token(admitted, "https://ai.azure.com/.default")))
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		equal(t, "answer", must(t, got, err).Choices[0].Message.Content, hello)
	})
	t.Run("a stranger", func(t *testing.T) {
		c := withToken(s, a.application(t, stranger))
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		refused := refusal(t, got, err)
		equal(t, "code", refused.Code, "PermissionDenied")
	})
	t.Run("another audience", func(t *testing.T) {
		c := withToken(s, a.application(t, admitted), azure.WithTokenCredentialScopes([]string{"https://graph.microsoft.com/.default"}))
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		refused := refusal(t, got, err)
		equal(t, "status", refused.StatusCode, http.StatusUnauthorized)
		equal(t, "challenge", refused.Response.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
	})
	t.Run("no TLS", func(t *testing.T) {
		c := openai.NewClient(azure.WithEndpoint(s.At(""), "2024-10-21"), azure.WithTokenCredential(a.application(t, admitted)), option.WithMaxRetries(0))
		if _, err := c.Chat.Completions.New(t.Context(), says(hello)); err == nil || !strings.Contains(err.Error(), "HTTPS") {
			t.Errorf("a token went out without TLS: %v", err)
		}
		c = openai.NewClient(azure.WithEndpoint(s.At(""), "2024-10-21"), azure.WithTokenCredential(a.application(t, admitted)), azure.WithUnsafeAllowHTTP())
		got, err := c.Chat.Completions.New(t.Context(), says(hello))
		equal(t, "answer where it is allowed", must(t, got, err).Choices[0].Message.Content, hello)
	})
}

// withToken is a client of Azure OpenAI with a credential.
func withToken(s *served.Ingot, credential azcore.TokenCredential, options ...azure.TokenCredentialOption) openai.Client {
	return openai.NewClient(azure.WithEndpoint(s.Over(""), "2024-10-21"), azure.WithTokenCredential(credential, options...),
		option.WithMaxRetries(0), option.WithHTTPClient(s.HTTP))
}
