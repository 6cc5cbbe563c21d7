package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
)

// Entry is a key in a store: its hash, never the secret.
type Entry struct {
	Name              string    `json:"name"`
	Hash              string    `json:"hash"` // SHA-256 in hex
	Created           time.Time `json:"created"`
	RequestsPerMinute int       `json:"requests_per_minute,omitempty"`
	TokensPerMinute   int       `json:"tokens_per_minute,omitempty"`
	Admin             bool      `json:"admin,omitempty"`
	Expires           time.Time `json:"expires,omitzero"`
	Revoked           time.Time `json:"revoked,omitzero"`
}

// Admits reports whether the key is neither revoked nor expired.
func (e Entry) Admits() bool { return e.Revoked.IsZero() && !ended(e.Expires) }

// ID tells entries of one name apart.
func (e Entry) ID() string { return e.Hash[:min(12, len(e.Hash))] }

// CreateOptions is what a new key may do.
type CreateOptions struct {
	RequestsPerMinute int // 0: no limit
	TokensPerMinute   int // 0: no limit
	Admin             bool
	Life              time.Duration // until it expires; 0: it does not
}

// Store is a file of keys, keys.json in the data folder. Processes may share
// it: each change is made under a lock file and appears whole.
type Store struct{ Path string }

const (
	maxStore = 4 << 20
	maxLive  = 2 // of one name: the one in use and the one that follows it
	lockWait = 5 * time.Second
)

// Load reads the store at path; one that is not there is empty.
func Load(path string) ([]Entry, error) { return Store{path}.List() }

// List reads every entry, revoked ones too, oldest first.
func (s Store) List() ([]Entry, error) {
	fi, err := os.Stat(s.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", s.Path) // opening a pipe would wait for its writer
	}
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxStore+1))
	if err == nil && len(data) > maxStore {
		err = errors.New("larger than 4 MiB")
	}
	var file struct {
		Keys []Entry `json:"keys"`
	}
	if err == nil {
		if err = json.Unmarshal(data, &file); err != nil {
			err = fmt.Errorf("%w; restore the file, or remove it and create the keys anew", err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read keys: %s: %w", s.Path, err)
	}
	for i, e := range file.Keys {
		if hash, err := hex.DecodeString(e.Hash); err != nil || len(hash) != sha256.Size || e.Name == "" || min(e.RequestsPerMinute, e.TokensPerMinute) < 0 {
			return nil, fmt.Errorf("read keys: %s: keys[%d] needs a name, the hex of a SHA-256 as hash, and no negative limit", s.Path, i)
		}
	}
	return file.Keys, nil
}

// Create makes a key and stores its hash. The secret is told here and never
// again. One name may have two keys, so that it can change from one to the
// other without a pause.
func (s Store) Create(name string, o CreateOptions) (secret string, e Entry, err error) {
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", Entry{}, errors.New("create key: a name is 1 to 64 visible ASCII characters")
	}
	if name == gitHubCaller || strings.HasPrefix(name, "entra:") { // whose responses and limits would be one with theirs
		return "", Entry{}, errors.New("create key: " + name + " is what callers are called who come with a token: give the key another name")
	}
	if min(o.RequestsPerMinute, o.TokensPerMinute) < 0 {
		return "", Entry{}, errors.New("create key: requests and tokens per minute cannot be negative; 0 is no limit")
	}
	if o.Life < 0 {
		return "", Entry{}, errors.New("create key: a key cannot expire before it is made; 0 is never")
	}
	random := make([]byte, 32)
	rand.Read(random) // never fails
	secret = "ingot-" + base64.RawURLEncoding.EncodeToString(random)
	hash := sha256.Sum256([]byte(secret))
	e = Entry{Name: name, Hash: hex.EncodeToString(hash[:]), Created: now(), RequestsPerMinute: o.RequestsPerMinute, TokensPerMinute: o.TokensPerMinute, Admin: o.Admin}
	if o.Life > 0 {
		e.Expires = e.Created.Add(o.Life)
	}
	err = s.change(func(list []Entry) ([]Entry, error) {
		if ids := live(list, name); len(ids) >= maxLive {
			return nil, fmt.Errorf("%s has %d keys already; revoke one of %s first", name, len(ids), strings.Join(ids, ", "))
		}
		return append(list, e), nil
	})
	if err != nil {
		return "", Entry{}, fmt.Errorf("create key: %w", err)
	}
	return secret, e, nil
}

// Revoke ends the key with that ID, or the only one of that name.
func (s Store) Revoke(which string) (Entry, error) {
	var revoked Entry
	err := s.change(func(list []Entry) ([]Entry, error) {
		ids := live(list, which)
		if len(ids) > 1 {
			return nil, fmt.Errorf("%s has several keys; say which: %s", which, strings.Join(ids, ", "))
		}
		for i := range list {
			e := &list[i]
			if e.Admits() && (e.ID() == which || len(ids) == 1 && e.Name == which) {
				e.Revoked = now()
				revoked = *e
				return list, nil
			}
		}
		return nil, fmt.Errorf("no key %q that is not revoked or expired already", which)
	})
	if err != nil {
		return Entry{}, fmt.Errorf("revoke key: %w", err)
	}
	return revoked, nil
}

// live is the IDs of name's keys that admit.
func live(list []Entry, name string) (ids []string) {
	for _, e := range list {
		if e.Name == name && e.Admits() {
			ids = append(ids, e.ID())
		}
	}
	return ids
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// change replaces the file by what edit makes of it.
func (s Store) change(edit func([]Entry) ([]Entry, error)) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	list, err := s.List()
	if err != nil {
		return err
	}
	if list, err = edit(list); err != nil {
		return err
	}
	data, err := json.MarshalIndent(map[string][]Entry{"keys": list}, "", "  ")
	if err != nil {
		return err
	}
	return disk.WriteFile(s.Path, append(data, '\n'))
}

// lock keeps other processes from changing the file until unlock. The system frees it when its
// holder ends, however it ends.
func (s Store) lock() (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), lockWait, errors.New("another process is changing the keys"))
	defer cancel()
	return disk.Lock(ctx, s.Path+".lock", func() {})
}
