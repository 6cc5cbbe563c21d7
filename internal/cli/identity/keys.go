package identity

import (
	"fmt"
	"os"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/home"
)

// InEnvironment reports whether variables give keys that any endpoint admits.
func InEnvironment() bool { return len(auth.Environment(os.LookupEnv, false)) > 0 }

// Keys collects who may call: the file's keys, the environment's, those made by `ingot keys`, and
// the development key where the first two have none. The zero Home has neither of the last.
func Keys(c *config.Config, h home.Home, mock bool) (*auth.Keys, error) {
	keys := auth.Environment(os.LookupEnv, mock)
	for _, k := range c.Keys {
		key := auth.Key{Secret: k.Key}
		if k.File != "" {
			var err error
			if key.Secret, err = auth.ReadFile(k.File); err != nil {
				return nil, fmt.Errorf("key %s: %w", k.Name, err)
			}
		}
		key.Caller.Name, key.Caller.Admin = k.Name, k.Admin
		key.Caller.RequestsPerMinute, key.Caller.TokensPerMinute = k.RequestsPerMinute, k.TokensPerMinute
		keys = append(keys, key)
	}
	if len(c.Keys) == 0 && !InEnvironment() {
		secret, err := h.Key()
		if err != nil {
			return nil, err
		}
		key := auth.Key{Secret: secret}
		key.Caller.Name, key.Caller.Admin = "development", true
		keys = append(keys, key)
	}
	if h == (home.Home{}) {
		return auth.New(keys, nil), nil
	}
	entries, err := auth.Load(h.Path("keys.json"))
	if err != nil {
		return nil, err
	}
	return auth.New(keys, entries), nil
}
