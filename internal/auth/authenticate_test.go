package auth_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/llm"
)

// tokens admits the tokens that it lists; the error of any other is its own.
type tokens map[string]error

func (t tokens) Verify(_ context.Context, token string) (llm.Caller, error) {
	err, known := t[token]
	if !known {
		return llm.Caller{}, &llm.Error{Kind: llm.Unauthenticated, Code: llm.CodeInvalidToken}
	}
	return llm.Caller{Name: "principal"}, err
}

func jwt(header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
}

func TestKeysTokensAndGitHubTokensAreToldApart(t *testing.T) {
	t.Parallel()
	good, denied, bad := jwt(`{"kid":"1"}`), jwt(`{"kid":"2"}`), jwt(`{"kid":"3"}`)
	classic := "ghp_" + strings.Repeat("aB3", 12)
	fine := "github_pat_" + strings.Repeat("x", 22) + "_" + strings.Repeat("7", 59)
	full := auth.Authenticator{
		Keys:         auth.New([]auth.Key{{Secret: "K", Caller: llm.Caller{Name: "key"}}, {Secret: jwt(`{"kid":"4"}`), Caller: llm.Caller{Name: "odd"}}}, nil),
		Tokens:       tokens{good: nil, denied: &llm.Error{Kind: llm.Denied, Code: llm.CodeNoRole}},
		GitHubTokens: true,
	}
	plain := auth.Authenticator{Keys: full.Keys}
	for _, c := range []struct {
		name          string
		a             auth.Authenticator
		authorization string
		key           string
		want          string // the caller, or the kind and code of the error
	}{
		{"a key", full, "Bearer K", "", "key"},
		{"a token", full, "Bearer " + good, "", "principal"},
		{"a token without a scheme", full, good, "", "principal"},
		{"a token as api-key", full, "", good, "principal"},
		{"a key that looks like a token", full, "Bearer " + jwt(`{"kid":"4"}`), "", "odd"},
		{"a good key beside a bad token", full, "Bearer " + bad, "K", "key"},
		{"a good token beside a bad key", full, "Bearer " + good, "wrong", "principal"},
		{"a bad token", full, "Bearer " + bad, "", "unauthenticated invalid_token"},
		{"a token without a role", full, "Bearer " + denied, "", "denied no_role"},
		{"a wrong key", full, "Bearer wrong", "", "unauthenticated "},
		{"nothing", full, "", "", "unauthenticated "},
		{"two dots and no header", full, "Bearer a.b.c", "", "unauthenticated "},
		{"a header that is a list", full, "Bearer " + jwt(`[]`), "", "unauthenticated "},
		{"four parts", full, "Bearer " + good + ".x", "", "unauthenticated "},
		{"a token where none are taken", plain, "Bearer " + good, "", "unauthenticated "},
		{"a classic GitHub token", full, "Bearer " + classic, "", "github-token"},
		{"a server's GitHub token", full, "Bearer ghs_" + strings.Repeat("a", 36), "", "github-token"},
		{"a fine-grained GitHub token", full, "Bearer " + fine, "", "github-token"},
		{"a short GitHub token", full, "Bearer " + classic[:len(classic)-1], "", "unauthenticated "},
		{"a long GitHub token", full, "Bearer ghp_" + strings.Repeat("a", 252), "", "unauthenticated "},
		{"a GitHub token with a dash", full, "Bearer ghp_" + strings.Repeat("a", 20) + "-" + strings.Repeat("a", 15), "", "unauthenticated "},
		{"a GitHub token of no known kind", full, "Bearer ghx_" + strings.Repeat("a", 36), "", "unauthenticated "},
		{"a fine-grained one without its line", full, "Bearer " + strings.Replace(fine, "x_7", "x77", 1), "", "unauthenticated "},
		{"a GitHub token where none are taken", plain, "Bearer " + classic, "", "unauthenticated "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{Header: http.Header{}}
			if c.authorization != "" {
				r.Header.Set("Authorization", c.authorization)
			}
			if c.key != "" {
				r.Header.Set("Api-Key", c.key)
			}
			caller, err := c.a.Authenticate(r)
			got := caller.Name
			if err != nil {
				e := llm.AsError(err)
				got = e.Kind.String() + " " + e.Code
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
