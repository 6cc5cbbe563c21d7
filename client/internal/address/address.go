// Package address reads endpoints as people write them.
package address

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Parse returns the address below which routes lie, with the query that all of them have. The api-version is version, else that
// of the endpoint's query, else byDefault, but none for an endpoint that ends in /v1, and none where version is none.
func Parse(endpoint, version, byDefault, none string) (url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(endpoint))
	if err != nil {
		return url.URL{}, errors.New("not a URL; it looks like https://host/models")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		got := ""
		if !strings.Contains(endpoint, "@") { // else it may hold a password, wherever it was meant to stand
			got = fmt.Sprintf(", got %q", (&url.URL{Scheme: u.Scheme, Opaque: u.Opaque, Host: u.Host, Path: u.Path}).String())
		}
		return url.URL{}, errors.New("want http:// or https:// and a host, such as https://host/models" + got)
	}
	if u.User != nil {
		return url.URL{}, errors.New("it must not hold a user name or password; pass a credential")
	}
	query := u.Query()
	base := url.URL{Scheme: u.Scheme, Host: u.Host}
	base = *base.JoinPath(trimRoute(u.EscapedPath()))
	if version == "" {
		version = query.Get("api-version")
	}
	if version == "" && !strings.HasSuffix(base.Path, "/v1") {
		version = byDefault
	}
	query.Del("api-version")
	if version != "" && version != none {
		query.Set("api-version", version)
	}
	base.RawQuery = query.Encode()
	return base, nil
}

// trimRoute cuts the route off a "target URI", which portals show in place of the endpoint.
func trimRoute(path string) string {
	path = strings.TrimRight(path, "/")
	for _, route := range []string{"/chat/completions", "/completions", "/images/embeddings", "/embeddings", "/info"} {
		if cut, ok := strings.CutSuffix(path, route); ok {
			return cut
		}
	}
	return path
}
