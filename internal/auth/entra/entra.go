// Package entra checks access tokens of Microsoft Entra ID as doc/protocol.md §10.2 demands, and says which
// caller one stands for.
package entra

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4/json"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Options say whose tokens are taken.
type Options struct {
	Tenants    []string // ids of tenants
	Audiences  []string // that a token may be made out to
	FirstParty bool     // also those of Microsoft's own resources, which SDKs ask for by themselves
	Allow      Allow
	Algorithms []string      // of signatures: RS256, RS384, RS512; nil: RS256
	Leeway     time.Duration // how far clocks may differ, at most 5 minutes
	Authority  string        // the address that tenants' metadata are below
	Client     Doer          // fetches metadata and keys
	Now        func() time.Time
}

// Allow lists who may call: a principal that is in any of the lists.
type Allow struct {
	Objects []string // object ids of users, service principals, managed identities
	Apps    []string // client ids of the applications that call
	Roles   []string // app roles
	Scopes  []string // delegated scopes
	Groups  []string // object ids of groups
}

func (a Allow) empty() bool {
	return len(a.Objects)+len(a.Apps)+len(a.Roles)+len(a.Scopes)+len(a.Groups) == 0
}

// Doer sends a request, as http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// firstParty are the audiences of Microsoft's resources that inference SDKs ask tokens for (doc/protocol.md §10.1).
var firstParty = []string{"https://cognitiveservices.azure.com", "https://ml.azure.com", "https://ai.azure.com"}

// Bounds that no configuration moves.
const (
	maxToken  = 16 << 10
	maxLeeway = 5 * time.Minute
)

// Validator checks tokens. It keeps the keys of its tenants and may be used concurrently.
type Validator struct {
	o    Options
	sets map[string]map[string]*keySet // by tenant and version
}

// New makes a Validator. It fetches nothing. Options that would let in whomever Microsoft makes a token
// for are refused.
func New(o Options) (*Validator, error) {
	if len(o.Tenants) == 0 {
		return nil, errors.New("entra: name the tenants whose tokens are taken")
	}
	if o.Allow.empty() {
		return nil, errors.New("entra: say who may call (objects, apps, roles, scopes or groups): without such a list every principal of the tenants might")
	}
	if o.FirstParty {
		o.Audiences = append(slices.Clip(o.Audiences), firstParty...)
	}
	o.Audiences = trimmed(o.Audiences)
	if len(o.Audiences) == 0 || slices.Contains(o.Audiences, "") {
		return nil, errors.New("entra: name an audience that tokens are made out to, such as api://… of an app registration")
	}
	if o.Leeway < 0 || o.Leeway > maxLeeway {
		return nil, fmt.Errorf("entra: a leeway of %v: it is from 0 to %v", o.Leeway, maxLeeway)
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = []string{oidc.RS256}
	}
	for _, a := range o.Algorithms {
		if a != oidc.RS256 && a != oidc.RS384 && a != oidc.RS512 {
			return nil, fmt.Errorf("entra: algorithm %q: it is RS256, RS384 or RS512", a)
		}
	}
	authority, err := authorityURL(o.Authority)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Allow.Objects, o.Allow.Apps, o.Allow.Groups = lower(o.Allow.Objects), lower(o.Allow.Apps), lower(o.Allow.Groups)
	v := &Validator{o: o, sets: map[string]map[string]*keySet{}}
	for _, tenant := range lower(o.Tenants) {
		if !isGUID(tenant) {
			return nil, fmt.Errorf("entra: tenant %q: write its id, as the portal shows it, and not its name", tenant)
		}
		v.sets[tenant] = map[string]*keySet{
			"1.0": newKeySet(&v.o, authority, tenant, "/"),
			"2.0": newKeySet(&v.o, authority, tenant, "/v2.0"),
		}
	}
	return v, nil
}

func authorityURL(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("entra: the authority is an address such as https://login.microsoftonline.com")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil, fmt.Errorf("entra: authority %s: keys that come without TLS are anybody's; use https", u.Redacted())
	}
	return u, nil
}

// claims are what a token says that counts here. Names are taken as they are written, unlike encoding/json
// takes them: a tenant may put claims of its own beside those that Entra ID vouches for.
type claims struct {
	Version  string   `json:"ver"`
	Issuer   string   `json:"iss"`
	Tenant   string   `json:"tid"`
	Object   string   `json:"oid"`
	AppV1    string   `json:"appid"`
	AppV2    string   `json:"azp"`
	Audience audience `json:"aud"`
	Scopes   string   `json:"scp"`
	Roles    []string `json:"roles"`
	Groups   []string `json:"groups"`
	Issued   *float64 `json:"iat"`
	Begins   *float64 `json:"nbf"`
	Ends     *float64 `json:"exp"`
}

// audience is one name or a list of them.
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func (c *claims) app() string {
	if c.Version == "1.0" {
		return c.AppV1
	}
	return c.AppV2
}

func readClaims(payload []byte) (c claims, err error) {
	if json.Unmarshal(payload, &c) != nil {
		return c, errors.New("its claims cannot be read")
	}
	return c, nil
}

// Verify finds the caller that a token stands for. Its error is an *llm.Error: Unauthenticated with
// CodeInvalidToken, Denied with CodeNoRole, or Unavailable. Its cause says which check failed and never
// contains the token.
func (v *Validator) Verify(ctx context.Context, token string) (llm.Caller, error) {
	set, err := v.keysFor(token)
	if err != nil {
		return llm.Caller{}, invalid(err)
	}
	issuer, err := set.issuerOf(ctx)
	if err != nil {
		return llm.Caller{}, undecided(err)
	}
	// Times, which may be off by the leeway, and audiences, of which there may be several, are checked below.
	look := &lookup{set: set}
	config := &oidc.Config{SupportedSigningAlgs: v.o.Algorithms, SkipClientIDCheck: true, SkipExpiryCheck: true}
	_, err = oidc.NewVerifier(issuer, look, config).Verify(ctx, token)
	switch {
	case look.undecided != nil:
		return llm.Caller{}, undecided(look.undecided)
	case err != nil:
		return llm.Caller{}, invalid(err)
	}
	c, err := readClaims(look.payload)
	if err == nil {
		err = v.check(&c, set, issuer)
	}
	if err != nil {
		return llm.Caller{}, invalid(err)
	}
	name := "entra:" + c.Tenant + "/" + c.Object
	if !v.o.Allow.admits(&c) {
		return llm.Caller{}, &llm.Error{
			Kind: llm.Denied, Code: llm.CodeNoRole, Message: "Principal does not have access to API/Operation.",
			Err: fmt.Errorf("%s is in none of the lists of entra.allow", name),
		}
	}
	return llm.Caller{Name: name}, nil
}

// keysFor reads in a token that nobody has checked yet whose keys are to check it.
func (v *Validator) keysFor(token string) (*keySet, error) {
	if len(token) > maxToken {
		return nil, errors.New("it is too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("it has not three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, errors.New("its claims cannot be read")
	}
	c, err := readClaims(payload)
	if err != nil {
		return nil, err
	}
	sets, listed := v.sets[c.Tenant]
	if !listed {
		return nil, errors.New("its tenant (tid) is not listed")
	}
	set, known := sets[c.Version]
	if !known {
		return nil, errors.New("its version (ver) is neither 1.0 nor 2.0")
	}
	return set, nil
}

// check is about the claims of a token whose signature is right.
func (v *Validator) check(c *claims, set *keySet, issuer string) error {
	switch {
	case v.sets[c.Tenant][c.Version] != set || c.Issuer != issuer:
		return errors.New("its tenant (tid), version (ver) and issuer (iss) do not agree")
	case !isGUID(c.Object):
		return errors.New("it names no principal (oid)")
	case !isGUID(c.app()): // which an id token does not have either
		return errors.New("it names no calling application (appid or azp): it is no access token")
	case c.Ends == nil || c.Begins == nil || c.Issued == nil:
		return errors.New("it lacks one of exp, nbf and iat")
	case !slices.ContainsFunc(trimmed(c.Audience), func(a string) bool { return slices.Contains(v.o.Audiences, a) }):
		return errors.New("its audience (aud) is none of those configured")
	}
	now, leeway := float64(v.o.Now().Unix()), v.o.Leeway.Seconds()
	switch {
	case now-leeway >= *c.Ends:
		return errors.New("it has expired (exp)")
	case now+leeway < *c.Begins:
		return errors.New("it is not valid yet (nbf)")
	case now+leeway < *c.Issued:
		return errors.New("it was issued in the future (iat)")
	}
	return nil
}

func (a *Allow) admits(c *claims) bool {
	in := func(list []string) func(string) bool {
		return func(s string) bool { return slices.Contains(list, s) }
	}
	return slices.Contains(a.Objects, c.Object) || slices.Contains(a.Apps, c.app()) ||
		slices.ContainsFunc(c.Roles, in(a.Roles)) || slices.ContainsFunc(strings.Fields(c.Scopes), in(a.Scopes)) ||
		slices.ContainsFunc(c.Groups, in(a.Groups))
}

func invalid(cause error) *llm.Error {
	return &llm.Error{
		Kind: llm.Unauthenticated, Code: llm.CodeInvalidToken, Err: fmt.Errorf("verify token: %w", cause),
		Message: "Auth token validation failed. Please provide a valid key or a valid AAD token",
	}
}

// undecided is for a token whose keys could not be fetched, or whose caller did not wait for them.
func undecided(cause error) *llm.Error {
	outage, ok := errors.AsType[*outageError](cause)
	if !ok {
		return llm.AsError(cause)
	}
	return &llm.Error{
		Kind: llm.Unavailable, RetryAfter: outage.retry, Err: fmt.Errorf("verify token: %w", cause),
		Message: "The keys that tokens are checked with cannot be had from Microsoft Entra ID at the moment. Try again, or use a key.",
	}
}

// isGUID reports whether s is a GUID in lower case, as tokens write it.
func isGUID(s string) bool {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(s) != len(form) {
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f'
		if digit != (form[i] == 'x') || !digit && s[i] != '-' {
			return false
		}
	}
	return true
}

// trimmed is a list of audiences, each without one slash at its end.
func trimmed(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.TrimSuffix(s, "/")
	}
	return out
}

func lower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToLower(s)
	}
	return out
}
