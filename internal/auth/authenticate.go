package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Tokens finds the caller that a JSON Web Token stands for. Its error is an *llm.Error: Unauthenticated
// with CodeInvalidToken, Denied with CodeNoRole, or Unavailable. It is used concurrently.
type Tokens interface {
	Verify(ctx context.Context, token string) (llm.Caller, error)
}

// Authenticator says who sent a request, by whatever is configured.
type Authenticator struct {
	Keys         *Keys
	Tokens       Tokens // nil: none are taken
	GitHubTokens bool   // whatever has the shape of a GitHub token is a key
}

// Authenticate finds the caller of a request. Keys come first, so that one that happens to look like a
// token stays a key. Its error is an *llm.Error, whose message does not tell which check failed.
func (a Authenticator) Authenticate(r *http.Request) (llm.Caller, error) {
	candidates := Candidates(r.Header)
	if caller, ok := a.Keys.Verify(candidates); ok {
		return caller, nil
	}
	refusal := error(&llm.Error{Kind: llm.Unauthenticated, Message: "Auth token validation failed. Please provide a valid key or a valid AAD token"})
	for _, c := range candidates {
		switch {
		case a.GitHubTokens && isGitHubToken(c):
			return llm.Caller{Name: gitHubCaller}, nil
		case a.Tokens != nil && isToken(c):
			caller, err := a.Tokens.Verify(r.Context(), c)
			if err == nil {
				return caller, nil
			}
			refusal = err
		}
	}
	return llm.Caller{}, refusal
}

// isToken reports whether s looks like a JSON Web Token: three parts, the first of which is a JSON object.
func isToken(s string) bool {
	head, rest, _ := strings.Cut(s, ".")
	if strings.Count(rest, ".") != 1 {
		return false
	}
	text, err := base64.RawURLEncoding.DecodeString(head)
	return err == nil && strings.HasPrefix(string(text), "{") && json.Valid(text)
}

// gitHubCaller is the name of all who come with a token of GitHub.
const gitHubCaller = "github-token"

// gitHubPrefixes begin the classic kinds of GitHub's tokens: personal, OAuth, user, server, refresh.
var gitHubPrefixes = []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_"}

// isGitHubToken reports whether s has the shape of a GitHub token. It proves nothing about who sent it.
func isGitHubToken(s string) bool {
	const least, most = 36, 251 // of a classic one after its prefix
	for _, p := range gitHubPrefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return len(rest) >= least && len(rest) <= most && alphanumeric(rest)
		}
	}
	const id, secret = 22, 59 // of a fine-grained one
	rest, ok := strings.CutPrefix(s, "github_pat_")
	return ok && len(rest) == id+1+secret && rest[id] == '_' && alphanumeric(rest[:id]) && alphanumeric(rest[id+1:])
}

func alphanumeric(s string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}
