package address_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/client/internal/address"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ endpoint, version, want string }{
		{"https://h", "", "https://h?api-version=D"},
		{" https://h/ \n", "V", "https://h?api-version=V"},
		{"https://h/openai/v1", "", "https://h/openai/v1"},
		{"https://h/openai/v1/", "V", "https://h/openai/v1?api-version=V"},
		{"https://h/models?api-version=Q&a=b", "", "https://h/models?a=b&api-version=Q"},
		{"https://h/models?api-version=Q", "V", "https://h/models?api-version=V"},
		{"https://h/models?api-version=Q", "none", "https://h/models"},
		{"https://h/v1/embeddings?api-version=Q", "", "https://h/v1?api-version=Q"},
		{"https://h/images/embeddings", "none", "https://h"},
	} {
		got, err := address.Parse(c.endpoint, c.version, "D", "none")
		if err != nil || got.String() != c.want {
			t.Errorf("%s, %s: got %s, %v, want %s", c.endpoint, c.version, got.String(), err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://h/models/?a=%zz", "http://u:secret@h", "http://[::1]:1//a//b/", "https://h/a%2Fb/info", "h", "http://h/%", "u:secret@h", "ftp://u:secret@h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, endpoint string) {
		got, err := address.Parse(endpoint, "", "D", "none")
		if err != nil {
			if strings.Contains(endpoint, ":secret@") && strings.Contains(err.Error(), "secret") {
				t.Errorf("%q is told in %v", endpoint, err)
			}
			return
		}
		again, err := url.Parse(got.String())
		if err != nil || again.Host != got.Host || again.User != nil || again.Fragment != "" {
			t.Errorf("%q: got %q, %v", endpoint, got.String(), err)
		}
	})
}
