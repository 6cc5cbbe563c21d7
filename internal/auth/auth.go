// Package auth says who is calling: it finds the keys in a request's header and
// the caller that one of them belongs to.
package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Key is a secret in plain text and the caller it admits.
type Key struct {
	Secret string
	Caller llm.Caller
}

// Environment is the keys that come by variables: INGOT_KEY and, when the mock
// models are served, INGOT_LIMITED_KEY with five requests a minute. Blank ones
// are left out.
func Environment(lookup func(string) (string, bool), mock bool) []Key {
	var keys []Key
	add := func(variable, name string, perMinute int) {
		if v, _ := lookup(variable); strings.TrimSpace(v) != "" {
			keys = append(keys, Key{strings.TrimSpace(v), llm.Caller{Name: name, RequestsPerMinute: perMinute}})
		}
	}
	add("INGOT_KEY", "ingot-key", 0)
	if mock {
		add("INGOT_LIMITED_KEY", "ingot-limited-key", 5)
	}
	return keys
}

// Keys is the set of keys that admit. It holds their hashes only, never
// changes, and may be used concurrently.
type Keys struct{ known []known }

type known struct {
	hash   [sha256.Size]byte
	caller llm.Caller
}

// New makes the set of plain keys and of the entries that are not revoked.
// Blank keys admit nobody. Where one secret is listed twice the first counts.
func New(plain []Key, entries []Entry) *Keys {
	k := &Keys{}
	for _, p := range plain {
		if p.Secret != "" {
			k.known = append(k.known, known{sha256.Sum256([]byte(p.Secret)), p.Caller})
		}
	}
	for _, e := range entries {
		hash, err := hex.DecodeString(e.Hash)
		if err != nil || len(hash) != sha256.Size || !e.Revoked.IsZero() {
			continue
		}
		k.known = append(k.known, known{[sha256.Size]byte(hash), llm.Caller{Name: e.Name, Admin: e.Admin, RequestsPerMinute: e.RequestsPerMinute}})
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
	if found < 0 {
		return llm.Caller{}, false
	}
	return k.known[found].caller, true
}

// Bounds on what one request makes us hash.
const (
	maxCandidates = 8
	maxSecret     = 4096
)

// Candidates is what may be a key in a request's header: every api-key, then
// every Authorization without its optional Bearer. Blank ones are left out.
func Candidates(h http.Header) []string {
	var found []string
	add := func(c string) {
		c = strings.TrimSpace(c)
		if c != "" && len(c) <= maxSecret && len(found) < maxCandidates && !slices.Contains(found, c) {
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
