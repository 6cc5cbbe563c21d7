// Package issuer is an authority that issues tokens as Microsoft Entra ID does, for tests.
package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash
	_ "crypto/sha512" // for crypto.Hash
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Claims are what a token says.
type Claims map[string]any

// Issuer serves metadata and keys of every tenant, and signs. It may be used concurrently.
type Issuer struct {
	Base string // the address that it is served at; set it before the first token

	mu        sync.Mutex
	key       *rsa.PrivateKey
	kid       string
	count     int
	keyIssuer string
	fetches   int
	broken    http.HandlerFunc
}

// New makes an issuer with a key.
func New() (*Issuer, error) {
	i := &Issuer{keyIssuer: "/{tenantid}/v2.0"}
	return i, i.Rotate()
}

// Rotate replaces the key by another.
func (i *Issuer) Rotate() error {
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count++
	i.key, i.kid = key, fmt.Sprint("key-", i.count)
	return nil
}

// KeyIssuer sets the issuer that the keys of version 2 name, below Base.
func (i *Issuer) KeyIssuer(path string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keyIssuer = path
}

// Break has h answer instead; nil: no longer.
func (i *Issuer) Break(h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken = h
}

// Fetches counts how often keys were asked for.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// Public is the key that verifies, and its name.
func (i *Issuer) Public() (*rsa.PublicKey, string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return &i.key.PublicKey, i.kid
}

// ServeHTTP answers /{tenant}[/v2.0]/.well-known/openid-configuration and /{tenant}/discovery[/v2.0]/keys.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	broken := i.broken
	i.mu.Unlock()
	if broken != nil {
		broken(w, r)
		return
	}
	tenant, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("Content-Type", "application/json")
	var answer any
	switch path {
	case "v2.0/.well-known/openid-configuration":
		answer = Claims{"issuer": i.Base + "/" + tenant + "/v2.0", "jwks_uri": i.Base + "/" + tenant + "/discovery/v2.0/keys"}
	case ".well-known/openid-configuration":
		answer = Claims{"issuer": "https://sts.windows.net/" + tenant + "/", "jwks_uri": i.Base + "/" + tenant + "/discovery/keys"}
	case "discovery/v2.0/keys", "discovery/keys":
		answer = i.keys(strings.Contains(path, "v2.0"))
	default:
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// keys are those that verify. Only those of version 2 name an issuer.
func (i *Issuer) keys(v2 bool) Claims {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetches++
	k := Claims{
		"kty": "RSA", "use": "sig", "kid": i.kid, "e": encode(big.NewInt(int64(i.key.E)).Bytes()), "n": encode(i.key.N.Bytes()),
	}
	if v2 && i.keyIssuer != "" {
		k["issuer"] = i.Base + i.keyIssuer
	}
	return Claims{"keys": []Claims{{"kty": "EC", "kid": "of another kind", "crv": "P-256", "x": "AA", "y": "AA"}, k}}
}

// V1 are the claims of a token of version 1 that begins now and ends in an hour, without any permission.
func (i *Issuer) V1(tenant, object, audience string) Claims {
	now := time.Now().Unix()
	const hour = 3600
	return Claims{
		"ver": "1.0", "iss": "https://sts.windows.net/" + tenant + "/", "tid": tenant, "oid": object, "sub": object,
		"aud": audience, "appid": App, "iat": now, "nbf": now, "exp": now + hour,
	}
}

// V2 is the same of version 2.
func (i *Issuer) V2(tenant, object, audience string) Claims {
	c := i.V1(tenant, object, audience)
	delete(c, "appid")
	c["ver"], c["iss"], c["azp"] = "2.0", i.Base+"/"+tenant+"/v2.0", App
	return c
}

// App is the client id that tokens name as the application that calls.
const App = "aaaaaaaa-0000-4000-8000-000000000001"

// hashes belong to the algorithms that sign.
var hashes = map[string]crypto.Hash{"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512}

// Token signs claims with RS256.
func (i *Issuer) Token(c Claims) (string, error) { return i.Signed(Claims{}, c) }

// Signed signs claims under a header with some members of the caller's: RS256, or another alg of this family.
func (i *Issuer) Signed(header, c Claims) (string, error) {
	i.mu.Lock()
	key, head := i.key, Claims{"typ": "JWT", "alg": "RS256", "kid": i.kid}
	i.mu.Unlock()
	maps.Copy(head, header)
	text, err := Unsigned(head, c)
	if err != nil {
		return "", err
	}
	alg, _ := head["alg"].(string)
	hash, ok := hashes[alg]
	if !ok {
		return "", fmt.Errorf("sign token: no algorithm %q", alg)
	}
	digest := hash.New()
	digest.Write([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest.Sum(nil))
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text + "." + encode(signature), nil
}

// Unsigned is the two parts of a token that are signed. A member of the header that is nil is left out.
func Unsigned(header, c Claims) (string, error) {
	maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })
	head, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("write header: %w", err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write claims: %w", err)
	}
	return encode(head) + "." + encode(body), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
