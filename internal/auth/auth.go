// Package auth says who is calling: it finds the keys in a request's header and
// the caller that one of them belongs to.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Key is a secret in plain text and the caller it admits.
type Key struct {
	Secret string
	Caller llm.Caller
}

// Environment is the keys that come by variables: INGOT_KEY, those in
// INGOT_KEYS, which commas or blanks separate, and, when the mock models are
// served, INGOT_LIMITED_KEY with five requests a minute. Blank ones are left out.
func Environment(lookup func(string) (string, bool), mock bool) []Key {
	var keys []Key
	add := func(secret, name string, perMinute int) {
		if secret = strings.TrimSpace(secret); secret != "" {
			keys = append(keys, Key{secret, llm.Caller{Name: name, RequestsPerMinute: perMinute}})
		}
	}
	one, _ := lookup("INGOT_KEY")
	add(one, "ingot-key", 0)
	many, _ := lookup("INGOT_KEYS")
	for i, secret := range strings.FieldsFunc(many, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		add(secret, "ingot-keys-"+strconv.Itoa(i+1), 0)
	}
	if mock {
		limited, _ := lookup("INGOT_LIMITED_KEY")
		const perMinute = 5
		add(limited, "ingot-limited-key", perMinute)
	}
	return keys
}

// ReadFile reads the key that a file holds, without the blanks around it.
func ReadFile(path string) (string, error) {
	fi, err := os.Stat(path)
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path) // opening a pipe would wait for its writer
	}
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	defer f.Close()
	const blanks = 64 // around a key of the greatest length
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+blanks))
	if err != nil {
		return "", fmt.Errorf("read key: %w", err)
	}
	secret := strings.TrimSpace(string(data))
	if secret == "" || len(secret) > maxSecret || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("read key: %s must hold one key of visible ASCII characters, at most %d, and nothing else", path, maxSecret)
	}
	return secret, nil
}

// Keys is the set of keys that admit. It holds their hashes only, never
// changes, and may be used concurrently.
type Keys struct{ known []known }

type known struct {
	hash    [sha256.Size]byte
	caller  llm.Caller
	expires time.Time // zero: never
}

// New makes the set of plain keys and of the entries that are not revoked.
// Blank keys admit nobody. Where one secret is listed twice the first counts.
func New(plain []Key, entries []Entry) *Keys {
	k := &Keys{}
	for _, p := range plain {
		if p.Secret != "" {
			k.known = append(k.known, known{hash: sha256.Sum256([]byte(p.Secret)), caller: p.Caller})
		}
	}
	for _, e := range entries {
		hash, err := hex.DecodeString(e.Hash)
		if err != nil || len(hash) != sha256.Size || !e.Revoked.IsZero() {
			continue
		}
		caller := llm.Caller{Name: e.Name, Admin: e.Admin, RequestsPerMinute: e.RequestsPerMinute, TokensPerMinute: e.TokensPerMinute}
		k.known = append(k.known, known{[sha256.Size]byte(hash), caller, e.Expires})
	}
	return k
}

// Verify finds the caller of the first candidate that is a known key. It
// compares each with all, so that its time tells nothing about any.
func (k *Keys) Verify(candidates []string) (llm.Caller, bool) {
	found := -1
	for _, c := range slices.Backward(candidates) {
		hash := sha256.Sum256([]byte(c))
		for i := range slices.Backward(k.known) {
			same := subtle.ConstantTimeCompare(hash[:], k.known[i].hash[:])
			found = subtle.ConstantTimeSelect(same, i, found)
		}
	}
	if found < 0 || ended(k.known[found].expires) {
		return llm.Caller{}, false
	}
	return k.known[found].caller, true
}

// ended reports whether t, where it is set, is over.
func ended(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// Bounds on what one request makes us hash.
const (
	maxCandidates = 8
	maxSecret     = 4096     // of a key
	maxCandidate  = 16 << 10 // of a token with the groups of its user
)

// Candidates is what may be a key in a request's header: every api-key, then
// every Authorization without its optional Bearer. Blank ones are left out.
func Candidates(h http.Header) []string {
	var found []string
	add := func(c string) {
		c = strings.TrimSpace(c)
		if c != "" && len(c) <= maxCandidate && len(found) < maxCandidates && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	for _, v := range h.Values("api-key") {
		add(v)
	}
	for _, v := range h.Values("Authorization") {
		v = strings.TrimSpace(v)
		if scheme, rest, _ := strings.Cut(strings.ReplaceAll(v, "\t", " "), " "); strings.EqualFold(scheme, "bearer") {
			v = rest
		}
		add(v)
	}
	return found
}
