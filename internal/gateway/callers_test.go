package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/issuer"
)

// callAs sends a body as the caller with the header says, until ctx ends.
func callAs(ctx context.Context, t *testing.T, url, authorization, body string) *http.Response {
	t.Helper()
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", authorization)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// The doors for chat and the bodies that they take.
var chats = map[string]string{
	"/chat/completions":                      `{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/models/chat/completions":               `{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/inference/chat/completions":            `{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/openai/deployments/m/chat/completions": `{"messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/openai/v1/chat/completions":            `{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/v1/chat/completions":                   `{"model":"m","messages":[{"role":"user","content":"hello"}],"max_tokens":10`,
	"/v1/responses":                          `{"model":"m","input":"hello","max_output_tokens":16`,
}

func TestEveryDoorTellsWhatIsLeftOfALimit(t *testing.T) {
	t.Parallel()
	for path, body := range chats {
		g := newGateway(t, "models: {m: {provider: mock, requests_per_minute: 2, tokens_per_minute: 1000}}")
		srv := httptest.NewServer(g.Handler())
		t.Cleanup(srv.Close)
		for i, end := range []string{`}`, `,"stream":true}`, `}`} {
			res := callAs(t.Context(), t, srv.URL+path, "Bearer k", body+end)
			text, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			h := res.Header
			if h.Get("X-Ratelimit-Limit-Requests") != "2" || h.Get("X-Ratelimit-Remaining-Requests") != strconv.Itoa(max(1-i, 0)) ||
				h.Get("X-Ratelimit-Limit-Tokens") != "1000" || h.Get("X-Ratelimit-Reset-Tokens") == "" {
				t.Errorf("%s, request %d: got %v", path, i+1, h)
			}
			switch wait, err := strconv.Atoi(h.Get("Retry-After")); {
			case i < 2 && res.StatusCode != http.StatusOK:
				t.Errorf("%s, request %d: got %d %s", path, i+1, res.StatusCode, text)
			case i == 2 && (res.StatusCode != http.StatusTooManyRequests || err != nil || wait < 1 || wait > 60):
				t.Errorf("%s, request %d: got %d after %v", path, i+1, res.StatusCode, h)
			}
		}
	}
}

func TestTokensOfACallerWhoHangsUpAreSettled(t *testing.T) {
	t.Parallel()
	g := newGateway(t, "models: {m: {provider: mock, tokens_per_minute: 1000, mock: {tokens_per_second: 20}}}")
	srv := httptest.NewServer(g.Handler())
	t.Cleanup(srv.Close)
	ask := func(ctx context.Context, more string) *http.Response {
		return callAs(ctx, t, srv.URL+"/chat/completions", "Bearer k", `{"messages":[{"role":"user","content":"`+strings.Repeat("word ", 200)+`"}]`+more+`}`)
	}
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	res := ask(ctx, `,"stream":true,"max_tokens":400`)
	if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if left := res.Header.Get("X-Ratelimit-Remaining-Tokens"); left != "345" { // without 400 for the answer, 4 for the message, and 251 for 1000 bytes in quotes
		t.Errorf("%s tokens are left", left)
	}
	if res := ask(t.Context(), `,"max_tokens":100`); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("while it goes on: got %d", res.StatusCode)
	}
	hangUp()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		res := ask(t.Context(), `,"max_tokens":1`)
		if left, err := strconv.Atoi(res.Header.Get("X-Ratelimit-Remaining-Tokens")); err != nil || left > 400 || time.Now().After(end) {
			if err != nil || left < 400 || left > 600 { // about 200 of each prompt, and some of the answer, were used
				t.Errorf("%d tokens are left, %v", left, err)
			}
			break
		}
	}
}

func TestTokensOfEntraIDAdmitAtEveryDoor(t *testing.T) {
	t.Parallel()
	const tenant, user, stranger = "11111111-2222-4333-8444-555555555555", "0b1ec700-0000-4000-8000-000000000001", "0b1ec700-0000-4000-8000-000000000002"
	i, err := issuer.New()
	if err != nil {
		t.Fatal(err)
	}
	authority := httptest.NewServer(i)
	t.Cleanup(authority.Close)
	i.Base = authority.URL
	g := newGateway(t, `
entra:
  tenants: [`+tenant+`]
  audiences: ["api://ingot"]
  first_party: on
  authority: `+authority.URL+`
  allow: {objects: [`+user+`]}
models: {m: {provider: mock}}
`)
	srv := httptest.NewServer(g.Handler())
	t.Cleanup(srv.Close)
	bearer := func(c issuer.Claims) string {
		token, err := i.Token(c)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	good, denied, expired := i.V1(tenant, user, "https://ml.azure.com"), i.V2(tenant, stranger, "api://ingot"), i.V2(tenant, user, "api://ingot")
	expired["exp"] = time.Now().Add(-time.Hour).Unix()
	for path, body := range chats {
		for _, c := range []struct {
			what      string
			claims    issuer.Claims
			status    int
			challenge string
		}{
			{"a good token", good, http.StatusOK, ""},
			{"a token that has expired", expired, http.StatusUnauthorized, `Bearer error="invalid_token"`},
			{"somebody who is not allowed", denied, http.StatusForbidden, ""},
		} {
			want := c.status
			if want == http.StatusForbidden && strings.HasPrefix(path, "/models/") {
				want, c.challenge = http.StatusUnauthorized, "Bearer" // as the service answers there
			}
			res := callAs(t.Context(), t, srv.URL+path, bearer(c.claims), body+"}")
			if res.StatusCode != want || res.Header.Get("Www-Authenticate") != c.challenge {
				t.Errorf("%s, %s: got %d and %q", path, c.what, res.StatusCode, res.Header.Get("Www-Authenticate"))
			}
		}
	}
	if n := i.Fetches(); n != 2 {
		t.Errorf("keys were fetched %d times", n)
	}
	if err := g.Reload(t.Context(), g.Config()); err != nil {
		t.Fatal(err)
	}
	if res := callAs(t.Context(), t, srv.URL+"/info", bearer(good), ""); res.StatusCode != http.StatusOK || i.Fetches() != 2 {
		t.Errorf("after a reload: got %d after %d fetches", res.StatusCode, i.Fetches())
	}
}

func TestTokensOfGitHubAdmitWhereConfigured(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]int{"off": http.StatusUnauthorized, "on": http.StatusOK} {
		g := newGateway(t, "github_tokens: "+setting+"\nmodels: {m: {provider: mock}}")
		srv := httptest.NewServer(g.Handler())
		t.Cleanup(srv.Close)
		res := callAs(t.Context(), t, srv.URL+"/inference/chat/completions", "Bearer ghp_"+strings.Repeat("aB3", 12), chats["/inference/chat/completions"]+"}")
		if res.StatusCode != want {
			t.Errorf("github_tokens: %s: got %d, want %d", setting, res.StatusCode, want)
		}
	}
}
