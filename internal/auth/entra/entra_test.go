package entra_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/auth/entra"
	"github.com/ingot-llm/ingot/internal/fake/issuer"
	"github.com/ingot-llm/ingot/internal/llm"
)

const (
	tenant   = "11111111-2222-4333-8444-555555555555"
	other    = "99999999-2222-4333-8444-555555555555"
	user     = "0b1ec700-0000-4000-8000-000000000001"
	stranger = "0b1ec700-0000-4000-8000-000000000002"
	own      = "api://ingot"
)

// scene is an issuer that is served, a clock, and how a validator is told of both.
type scene struct {
	*issuer.Issuer

	t   testing.TB
	mu  sync.Mutex
	now time.Time
	o   entra.Options
}

func newScene(t testing.TB) *scene {
	t.Helper()
	i, err := issuer.New()
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(i)
	t.Cleanup(srv.Close)
	i.Base = srv.URL
	s := &scene{Issuer: i, t: t, now: time.Now()}
	s.o = entra.Options{
		Tenants: []string{strings.ToUpper(tenant)}, Audiences: []string{own}, FirstParty: true, Leeway: 5 * time.Minute,
		Allow: entra.Allow{Objects: []string{user}}, Authority: srv.URL + "/", Client: srv.Client(), Now: s.clock,
	}
	return s
}

func (s *scene) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *scene) validator() *entra.Validator {
	s.t.Helper()
	v, err := entra.New(s.o)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *scene) token(header, claims issuer.Claims) string {
	s.t.Helper()
	token, err := s.Signed(header, claims)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// good are the claims of a token that is admitted, with those of more instead; nil leaves one out.
func (s *scene) good(more issuer.Claims) issuer.Claims {
	c := s.V2(tenant, user, own)
	for k, v := range more {
		c[k] = v
		if v == nil {
			delete(c, k)
		}
	}
	return c
}

// told is the caller's name, or the kind and the cause of the refusal.
func told(ctx context.Context, t testing.TB, v *entra.Validator, token string) string {
	t.Helper()
	caller, err := v.Verify(ctx, token)
	if err == nil {
		return caller.Name
	}
	e := llm.AsError(err)
	text := e.Kind.String()
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if len(token) > 40 && strings.Contains(text+e.Message, token[len(token)-20:]) {
		t.Error("the error holds the token")
	}
	return text
}

const refused = "unauthenticated invalid_token: verify token: "

func TestTokensAreJudgedByEveryRule(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	now := s.clock().Unix()
	admitted := "entra:" + tenant + "/" + user
	v1 := s.V1(tenant, user, "https://ml.azure.com/")
	for _, c := range []struct {
		name   string
		header issuer.Claims
		claims issuer.Claims
		want   string // what is told begins so
	}{
		{"version 2 and an audience of one's own", nil, s.good(nil), admitted},
		{"version 1 and Microsoft's audience with a slash", nil, v1, admitted},
		{"a list of audiences", nil, s.good(issuer.Claims{"aud": []string{"x", own}}), admitted},
		{"expired within the leeway", nil, s.good(issuer.Claims{"exp": now - 290}), admitted},
		{"early within the leeway", nil, s.good(issuer.Claims{"nbf": now + 290, "iat": now + 290}), admitted},

		{"an algorithm that is not allowed", issuer.Claims{"alg": "RS512"}, s.good(nil), refused + "oidc: malformed jwt"},
		{"no key named", issuer.Claims{"kid": nil}, s.good(nil), refused + "failed to verify signature: it names no key (kid)"},
		{"an unknown key", issuer.Claims{"kid": "nobody's"}, s.good(nil), refused + "failed to verify signature: it names a key (kid) that is not its tenant's"},
		{"something critical", issuer.Claims{"crit": []string{"x"}, "x": 1}, s.good(nil), refused + "failed to verify signature: its signature is wrong"},
		{"another tenant", nil, s.V2(other, user, own), refused + "its tenant (tid) is not listed"},
		{"no tenant", nil, s.good(issuer.Claims{"tid": nil}), refused + "its tenant (tid) is not listed"},
		{"a tenant that is no id", nil, s.good(issuer.Claims{"tid": "common"}), refused + "its tenant (tid) is not listed"},
		{"a tenant that its issuer is not of", nil, s.good(issuer.Claims{"iss": s.Base + "/" + other + "/v2.0"}), refused + "oidc: id token issued by a different provider"},
		{"the issuer of version 1 in version 2", nil, s.good(issuer.Claims{"iss": v1["iss"]}), refused + "oidc: id token issued by a different provider"},
		{"another issuer", nil, s.good(issuer.Claims{"iss": "https://login.example/" + tenant + "/v2.0"}), refused + "oidc: id token issued by a different provider"},
		{"no issuer", nil, s.good(issuer.Claims{"iss": nil}), refused + "oidc: id token issued by a different provider"},
		{"another version", nil, s.good(issuer.Claims{"ver": "3.0"}), refused + "its version (ver) is neither 1.0 nor 2.0"},
		{"no version", nil, s.good(issuer.Claims{"ver": nil}), refused + "its version (ver) is neither 1.0 nor 2.0"},
		{"another audience", nil, s.good(issuer.Claims{"aud": "https://graph.microsoft.com"}), refused + "its audience (aud) is none of those configured"},
		{"two slashes", nil, s.good(issuer.Claims{"aud": own + "//"}), refused + "its audience (aud) is none of those configured"},
		{"an audience that is null", nil, s.good(issuer.Claims{"aud": []any{nil}}), refused + "its audience (aud) is none of those configured"},
		{"an audience that is a number", nil, s.good(issuer.Claims{"aud": 1}), refused + "its claims cannot be read"},
		{"no audience", nil, s.good(issuer.Claims{"aud": nil}), refused + "its audience (aud) is none of those configured"},
		{"expired", nil, s.good(issuer.Claims{"exp": now - 301}), refused + "it has expired (exp)"},
		{"not yet valid", nil, s.good(issuer.Claims{"nbf": now + 320}), refused + "it is not valid yet (nbf)"},
		{"issued in the future", nil, s.good(issuer.Claims{"iat": now + 320}), refused + "it was issued in the future (iat)"},
		{"no end", nil, s.good(issuer.Claims{"exp": nil}), refused + "it lacks one of exp, nbf and iat"},
		{"no beginning", nil, s.good(issuer.Claims{"nbf": nil}), refused + "it lacks one of exp, nbf and iat"},
		{"no time of issue", nil, s.good(issuer.Claims{"iat": nil}), refused + "it lacks one of exp, nbf and iat"},
		{"an end that is a text", nil, s.good(issuer.Claims{"exp": "tomorrow"}), refused + "its claims cannot be read"},
		{"claims that only look like others", nil, s.good(issuer.Claims{"OID": stranger, "Tid": other, "Roles": 1, "ISS": s.Base + "/" + tenant + "/v2.0"}), admitted},
		{"a principal written otherwise", nil, s.good(issuer.Claims{"oid": nil, "OID": user}), refused + "it names no principal (oid)"},
		{"a time written otherwise", nil, s.good(issuer.Claims{"exp": now - 301, "EXP": now + 100}), refused + "it has expired (exp)"},
		{"an audience written otherwise", nil, s.good(issuer.Claims{"aud": "x", "Aud": own}), refused + "its audience (aud) is none of those configured"},
		{"no principal", nil, s.good(issuer.Claims{"oid": nil}), refused + "it names no principal (oid)"},
		{"an id token, which names no application", nil, s.good(issuer.Claims{"azp": nil}), refused + "it names no calling application"},
		{"too long", nil, s.good(issuer.Claims{"x": strings.Repeat("x", 20_000)}), refused + "it is too long"},
		{"somebody who is not allowed", nil, s.V2(tenant, stranger, own), "denied no_role: entra:" + tenant + "/" + stranger + " is in none of the lists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := told(t.Context(), t, v, s.token(c.header, c.claims))
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestForgedSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	good := s.token(nil, s.good(nil))
	head, payload, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(payload, ".")
	public, kid := s.Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := func(alg string) string {
		text, err := issuer.Unsigned(issuer.Claims{"alg": alg, "kid": kid}, s.good(nil))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	mac := func(key []byte) string {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(unsigned("HS256")))
		return unsigned("HS256") + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	changed := s.token(nil, s.good(issuer.Claims{"oid": user, "roles": []string{"admin"}}))
	for name, token := range map[string]string{
		"no algorithm":                    unsigned("none") + ".",
		"no algorithm, written otherwise": unsigned("NONE") + "." + signature,
		"HS256 with the public key":       mac(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 with the key's bytes":      mac(der),
		"another one's signature":         head + "." + strings.Split(changed, ".")[1] + "." + signature,
		"a bit that is wrong":             head + "." + payload + "." + flip(signature),
		"no signature":                    head + "." + payload + ".",
		"two parts":                       head + "." + payload,
		"four parts":                      good + ".x",
		"no base64":                       head + ".!." + signature,
		"nothing":                         "",
		"JSON instead of the short form":  `{"payload":"` + payload + `","protected":"` + head + `","signature":"` + signature + `"}`,
	} {
		if got := told(t.Context(), t, v, token); !strings.HasPrefix(got, refused) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := told(t.Context(), t, v, good); got != "entra:"+tenant+"/"+user {
		t.Errorf("the good one: got %q", got)
	}
}

// flip changes a character in the middle.
func flip(s string) string {
	b := []byte(s)
	if b[len(b)/2] == 'A' {
		b[len(b)/2] = 'B'
	} else {
		b[len(b)/2] = 'A'
	}
	return string(b)
}

func TestAKeyIsForItsIssuerOnly(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for name, c := range map[string]struct {
		path string
		want bool
	}{
		"every tenant":   {"/{tenantid}/v2.0", true},
		"this tenant":    {"/" + tenant + "/v2.0", true},
		"not told":       {"", true},
		"another tenant": {"/" + other + "/v2.0", false},
		"consumers":      {"/consumers/v2.0", false},
	} {
		s.KeyIssuer(c.path)
		got := told(t.Context(), t, s.validator(), s.token(nil, s.good(nil)))
		if c.want != (got == "entra:"+tenant+"/"+user) || !c.want && got != refused+"failed to verify signature: its key is another issuer's" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestEachListAdmits(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	claims := s.V2(tenant, stranger, own)
	claims["roles"], claims["scp"], claims["groups"] = []string{"Chat.Use", "Other"}, "chat embed", []string{other}
	token := s.token(nil, claims)
	old := s.V1(tenant, stranger, own)
	oldToken := s.token(nil, old)
	for name, c := range map[string]struct {
		allow  entra.Allow
		v2, v1 bool
	}{
		"the principal":                 {entra.Allow{Objects: []string{strings.ToUpper(stranger)}}, true, true},
		"another principal":             {entra.Allow{Objects: []string{user}}, false, false},
		"the application":               {entra.Allow{Apps: []string{issuer.App}}, true, true},
		"another application":           {entra.Allow{Apps: []string{user}}, false, false},
		"a role":                        {entra.Allow{Roles: []string{"Chat.Use"}}, true, false},
		"another role":                  {entra.Allow{Roles: []string{"chat.use"}}, false, false},
		"a scope":                       {entra.Allow{Scopes: []string{"embed"}}, true, false},
		"a part of a scope":             {entra.Allow{Scopes: []string{"emb", "chat embed"}}, false, false},
		"a group":                       {entra.Allow{Groups: []string{other}}, true, false},
		"a role of a scope's name":      {entra.Allow{Roles: []string{"chat"}}, false, false},
		"a blank entry of each":         {entra.Allow{Objects: []string{""}, Apps: []string{""}, Roles: []string{""}, Scopes: []string{""}, Groups: []string{""}}, false, false},
		"one list of several is enough": {entra.Allow{Objects: []string{user}, Groups: []string{other}}, true, false},
	} {
		s.o.Allow = c.allow
		v := s.validator()
		for what, is := range map[string]struct {
			token string
			want  bool
		}{"version 2": {token, c.v2}, "version 1": {oldToken, c.v1}} {
			got := told(t.Context(), t, v, is.token)
			if is.want != strings.HasPrefix(got, "entra:") || !is.want && !strings.HasPrefix(got, "denied no_role") {
				t.Errorf("%s, %s: got %q", name, what, got)
			}
		}
	}
}

func TestKeysThatRollOverAreFetchedAgainOnceAMinute(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	admitted := "entra:" + tenant + "/" + user
	old := s.token(nil, s.good(nil))
	for range 3 {
		if got := told(t.Context(), t, v, old); got != admitted {
			t.Fatalf("got %q", got)
		}
	}
	if err := s.Rotate(); err != nil {
		t.Fatal(err)
	}
	fresh := s.token(nil, s.good(nil))
	if got := told(t.Context(), t, v, fresh); !strings.Contains(got, "not its tenant's") || s.Fetches() != 1 {
		t.Errorf("within a minute: got %q after %d fetches", got, s.Fetches())
	}
	s.pass(time.Minute)
	if got := told(t.Context(), t, v, fresh); got != admitted || s.Fetches() != 2 {
		t.Errorf("after a minute: got %q after %d fetches", got, s.Fetches())
	}
	if got := told(t.Context(), t, v, old); !strings.Contains(got, "not its tenant's") {
		t.Errorf("the old key is gone: got %q", got)
	}
	for range 50 {
		told(t.Context(), t, v, s.token(issuer.Claims{"kid": "nobody's"}, s.good(nil)))
	}
	if n := s.Fetches(); n != 2 {
		t.Errorf("%d fetches for keys that are not there", n)
	}
}

func TestKeysAreFetchedAgainEveryDayWithoutWaiting(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	claims := s.good(issuer.Claims{"exp": time.Now().Add(100 * time.Hour).Unix()})
	token := s.token(nil, claims)
	told(t.Context(), t, v, token)
	s.pass(24 * time.Hour)
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Break(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { close(begun) })
		<-release
		http.Error(w, "down", http.StatusInternalServerError)
	})
	if got := told(t.Context(), t, v, token); got != "entra:"+tenant+"/"+user {
		t.Errorf("got %q", got)
	}
	<-begun
	close(release)
	s.pass(24 * time.Hour)
	if got := told(t.Context(), t, v, token); got != "entra:"+tenant+"/"+user {
		t.Errorf("the authority is down and the keys are known: got %q", got)
	}
}

func TestWithoutKeysNothingIsDecided(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"down":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusBadGateway) }, "it answers 502"},
		"no JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "invalid character"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`"` + strings.Repeat("x", 2<<20))) }, "larger than 1 MiB"},
		"another tenant's metadata": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://login.example/` + other + `/v2.0"}`))
		}, "is not the tenant's"},
		"keys of another server": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://login.example/` + tenant + `/v2.0","jwks_uri":"http://localhost:1/keys"}`))
		}, "on another server"},
		"no keys": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"issuer":"https://login.example/` + tenant + `/v2.0","jwks_uri":"http://` + r.Host + `/keys"}`))
		}, "has no key for signatures"},
	} {
		t.Run(name, func(t *testing.T) {
			v := s.validator()
			token := s.token(nil, s.good(nil))
			asked := 0
			s.Break(func(w http.ResponseWriter, r *http.Request) {
				asked++
				c.answer(w, r)
			})
			got := told(t.Context(), t, v, token)
			if !strings.HasPrefix(got, "unavailable: verify token: fetch keys: ") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			before := asked
			s.pass(4 * time.Second)
			_, err := v.Verify(t.Context(), token)
			if e := llm.AsError(err); e.Kind != llm.Unavailable || e.RetryAfter != 6*time.Second || asked != before {
				t.Errorf("at once again: got %+v after %d more questions", e, asked-before)
			}
			s.Break(nil)
			s.pass(6 * time.Second)
			if got := told(t.Context(), t, v, token); got != "entra:"+tenant+"/"+user {
				t.Errorf("it came back: got %q", got)
			}
		})
	}
}

func TestAllWhoComeAtOnceShareOneFetch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	token := s.token(nil, s.good(nil))
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if got := told(t.Context(), t, v, token); got != "entra:"+tenant+"/"+user {
				t.Errorf("got %q", got)
			}
		})
	}
	all.Wait()
	if n := s.Fetches(); n != 1 {
		t.Errorf("%d fetches", n)
	}
}

func TestWhoLeavesWhileKeysAreFetchedLeavesThemToOthers(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	v := s.validator()
	token := s.token(nil, s.good(nil))
	begun, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.Break(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() {
			s.Break(nil)
			close(begun)
		})
		<-release
		s.ServeHTTP(w, r)
	})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan string)
	go func() { gone <- told(ctx, t, v, token) }()
	<-begun
	cancel()
	if got := <-gone; !strings.HasPrefix(got, "canceled") {
		t.Errorf("who left: got %q", got)
	}
	close(release)
	if got := told(t.Context(), t, v, token); got != "entra:"+tenant+"/"+user || s.Fetches() != 1 {
		t.Errorf("who stayed: got %q after %d fetches", got, s.Fetches())
	}
}

func TestOptionsThatWouldLetEverybodyInAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, c := range []struct {
		change func(*entra.Options)
		want   string
	}{
		{func(o *entra.Options) { o.Tenants = nil }, "name the tenants"},
		{func(o *entra.Options) { o.Allow = entra.Allow{} }, "say who may call"},
		{func(o *entra.Options) { o.Audiences, o.FirstParty = nil, false }, "name an audience"},
		{func(o *entra.Options) { o.Audiences = []string{own, "/"} }, "name an audience"},
		{func(o *entra.Options) { o.Tenants = []string{tenant, "common"} }, `tenant "common"`},
		{func(o *entra.Options) { o.Tenants = []string{"contoso.com"} }, `tenant "contoso.com"`},
		{func(o *entra.Options) { o.Leeway = 5*time.Minute + time.Millisecond }, "a leeway of 5m0.001s"},
		{func(o *entra.Options) { o.Leeway = -time.Second }, "a leeway of -1s"},
		{func(o *entra.Options) { o.Algorithms = []string{"RS256", "HS256"} }, `algorithm "HS256"`},
		{func(o *entra.Options) { o.Algorithms = []string{"none"} }, `algorithm "none"`},
		{func(o *entra.Options) { o.Authority = "http://login.example" }, "keys that come without TLS"},
		{func(o *entra.Options) { o.Authority = "login.example" }, "the authority is an address"},
		{func(o *entra.Options) { o.Authority = "https://login.example/?x" }, "the authority is an address"},
		{func(o *entra.Options) { o.Authority = "" }, "the authority is an address"},
	} {
		o := s.o
		c.change(&o)
		if _, err := entra.New(o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
}

func TestOtherAlgorithmsAreTakenWhereConfigured(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.o.Algorithms = []string{"RS384", "RS512"}
	v := s.validator()
	for alg, want := range map[string]string{"RS256": refused, "RS384": "entra:", "RS512": "entra:"} {
		if got := told(t.Context(), t, v, s.token(issuer.Claims{"alg": alg}, s.good(nil))); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q", alg, got)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newScene(f)
	v := s.validator()
	good := s.token(nil, s.good(nil))
	f.Add(good)
	f.Add("a.b.c")
	f.Add(strings.Replace(good, ".", ".e30", 1))
	f.Add(s.token(issuer.Claims{"jwk": issuer.Claims{"kty": "oct", "k": "AA"}}, s.good(nil)))
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := v.Verify(t.Context(), token)
		if err == nil && (caller.Name != "entra:"+tenant+"/"+user || !strings.HasPrefix(token, strings.Split(good, ".")[0])) {
			t.Errorf("%q admits %+v", token, caller)
		}
	})
}

// documents answers with a tenant's metadata and some document as its keys.
type documents struct{ base, keys string }

func (d documents) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	text := d.keys
	if strings.HasSuffix(r.URL.Path, "configuration") {
		text = `{"issuer":"` + d.base + "/" + tenant + `/v2.0","jwks_uri":"` + d.base + `/keys"}`
	}
	_, _ = w.WriteString(text)
	return w.Result(), nil
}

// Where keys say MODULUS they have the key of the good token, which is made anew in each process.
func FuzzKeys(f *testing.F) {
	s := newScene(f)
	good := s.token(nil, s.good(nil))
	public, _ := s.Public()
	modulus := base64.RawURLEncoding.EncodeToString(public.N.Bytes())
	f.Add(`{"keys":[{"kty":"RSA","use":"sig","kid":"key-1","n":"MODULUS","e":"AQAB","issuer":"https://login.example/{tenantid}/v2.0"}]}`)
	f.Add(`{"keys":[{"kty":"RSA","kid":"key-1","n":"MODULUS","e":"AQAB"}]}`)
	f.Add(`{"keys":[{"kty":"RSA","kid":"key-1","n":"AQAB","e":"AQAB"},{"kty":"oct","kid":"key-1","k":"AA"},{}]}`)
	f.Add(`{"keys":null}`)
	f.Fuzz(func(t *testing.T, keys string) {
		o := s.o
		o.Client = documents{s.Base, strings.ReplaceAll(keys, "MODULUS", modulus)}
		v, err := entra.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := told(t.Context(), t, v, good); strings.HasPrefix(got, "entra:") && !strings.Contains(keys, "MODULUS") {
			t.Errorf("a key that is not there admits: %q", keys)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := newScene(b)
	v := s.validator()
	token := s.token(nil, s.good(nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
