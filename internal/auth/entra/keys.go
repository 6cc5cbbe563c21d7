package entra

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// When keys are fetched, and within which bounds.
const (
	keepKeys    = 24 * time.Hour
	againAfter  = time.Minute      // at the earliest, whatever unknown keys tokens name
	retryAfter  = 10 * time.Second // the same, where they could not be fetched
	fetchTime   = 10 * time.Second
	maxDocument = 1 << 20
	leastBits   = 2048
)

// keySet is the keys of one tenant for one version of tokens, with the issuer that each is for.
type keySet struct {
	o         *Options
	authority *url.URL
	tenant    string
	path      string // of the issuer, after the tenant
	metadata  string // the address of it
	flight    singleflight.Group

	mu      sync.Mutex // guards all below
	issuer  string
	keys    []signingKey
	fetched time.Time
	next    time.Time // not tried again before
	failure error     // of the last try
}

type signingKey struct {
	jose.JSONWebKey

	issuer string // whose tokens it signs; empty: not told
}

func newKeySet(o *Options, authority *url.URL, tenant, path string) *keySet {
	base := authority.String() + "/" + tenant
	return &keySet{
		o: o, authority: authority, tenant: tenant, path: path,
		metadata: base + strings.TrimSuffix(path, "/") + "/.well-known/openid-configuration",
	}
}

// outageError is the error of keys that could not be fetched.
type outageError struct {
	cause error
	retry time.Duration // until it may be tried again
}

func (e *outageError) Error() string { return "fetch keys: " + e.cause.Error() }

func (e *outageError) Unwrap() error { return e.cause }

// issuerOf is what the tenant's tokens name as issuer. The first caller waits for the metadata; when they
// are old, later ones have them fetched again without waiting.
func (s *keySet) issuerOf(ctx context.Context) (string, error) {
	s.mu.Lock()
	issuer, age := s.issuer, s.o.Now().Sub(s.fetched)
	s.mu.Unlock()
	if issuer != "" && age < keepKeys {
		return issuer, nil
	}
	done := s.refresh(ctx)
	if issuer != "" {
		return issuer, nil
	}
	if err := wait(ctx, done); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issuer, nil
}

// lookup is the oidc.KeySet of one token. It notes what the library that asks keeps to itself, and why the keys
// could not be had, which it makes a mere text of.
type lookup struct {
	set       *keySet
	payload   []byte // of the token, once its signature was found right
	undecided error
}

// VerifySignature checks the signature of a token with the key that it names, and that the key is for the
// tenant's tokens.
func (l *lookup) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	s := l.set
	algorithms := make([]jose.SignatureAlgorithm, len(s.o.Algorithms))
	for i, a := range s.o.Algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	kid := jws.Signatures[0].Header.KeyID
	if kid == "" {
		return nil, errors.New("it names no key (kid)")
	}
	named := s.named(kid)
	if len(named) == 0 {
		if l.undecided = wait(ctx, s.refresh(ctx)); l.undecided != nil {
			return nil, l.undecided
		}
		named = s.named(kid)
	}
	err = errors.New("it names a key (kid) that is not its tenant's")
	for i := range named {
		if !s.issues(named[i].issuer) {
			err = errors.New("its key is another issuer's")
			continue
		}
		payload, failure := jws.Verify(&named[i].JSONWebKey)
		if failure == nil {
			l.payload = payload
			return payload, nil
		}
		err = errors.New("its signature is wrong")
	}
	return nil, err
}

func (s *keySet) named(kid string) (list []signingKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		if k.KeyID == kid {
			list = append(list, k)
		}
	}
	return list
}

// issues reports whether a key's issuer is the tenant's. That of a key for all tenants has a place for the
// tenant. Keys tell the issuer of tokens of version 2, also where they sign those of version 1.
func (s *keySet) issues(issuer string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	issuer = s.filled(issuer)
	return issuer == "" || issuer == s.issuer || issuer == s.authority.String()+"/"+s.tenant+"/v2.0"
}

func (s *keySet) filled(issuer string) string {
	return strings.ReplaceAll(issuer, "{tenantid}", s.tenant)
}

// refresh fetches metadata and keys, once for all who ask at the same time and not again soon, and goes
// on where who asked first leaves. What is known stays where it fails.
func (s *keySet) refresh(ctx context.Context) <-chan singleflight.Result {
	return s.flight.DoChan("", func() (any, error) {
		s.mu.Lock()
		now, next, failure := s.o.Now(), s.next, s.failure
		if !now.Before(next) {
			s.next = now.Add(retryAfter)
		}
		s.mu.Unlock()
		switch {
		case now.Before(next) && failure != nil:
			return nil, &outageError{failure, next.Sub(now)}
		case now.Before(next):
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		issuer, keys, err := s.fetch(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failure = err; err != nil {
			return nil, &outageError{err, retryAfter}
		}
		s.issuer, s.keys, s.fetched = issuer, keys, now
		s.next = now.Add(againAfter)
		return nil, nil
	})
}

func wait(ctx context.Context, done <-chan singleflight.Result) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for keys: %w", ctx.Err())
	case r := <-done:
		return r.Err
	}
}

func (s *keySet) fetch(ctx context.Context) (issuer string, keys []signingKey, err error) {
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := s.get(ctx, s.metadata, &metadata); err != nil {
		return "", nil, err
	}
	issuer = s.filled(metadata.Issuer)
	if u, err := url.Parse(issuer); err != nil || !strings.HasSuffix(issuer, "/"+s.tenant+s.path) || u.Host == "" {
		return "", nil, fmt.Errorf("the issuer of %s is not the tenant's", s.metadata)
	}
	if u, err := url.Parse(metadata.Keys); err != nil || u.Scheme != s.authority.Scheme || u.Host != s.authority.Host {
		return "", nil, fmt.Errorf("the keys of %s are on another server", s.metadata)
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.get(ctx, metadata.Keys, &document); err != nil {
		return "", nil, err
	}
	for _, raw := range document.Keys {
		if k, ok := readKey(raw); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return "", nil, fmt.Errorf("%s has no key for signatures", metadata.Keys)
	}
	return issuer, keys, nil
}

// readKey reads an RSA key for signatures; keys for anything else are passed over.
func readKey(raw json.RawMessage) (k signingKey, ok bool) {
	var more struct {
		Issuer string `json:"issuer"`
	}
	if json.Unmarshal(raw, &k.JSONWebKey) != nil || json.Unmarshal(raw, &more) != nil {
		return k, false
	}
	public, ok := k.Key.(*rsa.PublicKey)
	k.issuer = more.Issuer
	return k, ok && public.N.BitLen() >= leastBits && k.KeyID != "" && (k.Use == "" || k.Use == "sig")
}

// get reads a JSON document.
func (s *keySet) get(ctx context.Context, address string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	res, err := s.o.Client.Do(req)
	if err != nil {
		return fmt.Errorf("ask %s: %w", address, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ask %s: it answers %d", address, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	if err == nil && len(body) > maxDocument {
		err = errors.New("the answer is larger than 1 MiB")
	}
	if err == nil {
		err = json.Unmarshal(body, v)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	return nil
}
