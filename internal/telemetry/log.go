// Package telemetry makes what operators look at: the logger and the metrics.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// NewLogger makes a logger that writes lines of at least the given level to w, in the format
// "text" or "json". A *slog.LevelVar lets the level change later. Attributes whose names
// say that they hold a secret are blanked.
func NewLogger(w io.Writer, level slog.Leveler, format string) (*slog.Logger, error) {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: blankSecrets}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		mu := new(sync.Mutex)
		return slog.New(newFast(w, slog.NewJSONHandler(shared{w, mu}, o), mu)), nil
	}
	return nil, fmt.Errorf("make logger: format %q is neither text nor json", format)
}

const blank = "[redacted]"

func blankSecrets(groups []string, a slog.Attr) slog.Attr {
	if secret(a.Key) || slices.ContainsFunc(groups, secret) {
		return slog.String(a.Key, blank)
	}
	if a.Value.Kind() == slog.KindAny {
		if _, ok := a.Value.Any().(http.Header); ok {
			return slog.String(a.Key, blank)
		}
	}
	return a
}

// secret reports whether what goes by this name must not be shown. The names are matched
// whole: tokens are counted in every line.
func secret(name string) bool {
	const longest = len("ocp_apim_subscription_key")
	if len(name) > longest {
		return false
	}
	switch strings.ReplaceAll(strings.ToLower(name), "-", "_") {
	case "authorization", "proxy_authorization", "cookie", "set_cookie",
		"key", "keys", "api_key", "apikey", "x_api_key", "ocp_apim_subscription_key",
		"token", "access_token", "refresh_token", "id_token", "bearer", "credential", "credentials",
		"password", "passwd", "secret", "client_secret", "private_key":
		return true
	}
	return false
}
