package library

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzReferencesStayWhereTheySay(f *testing.F) {
	for _, s := range []string{"hf:o/r/f.gguf", "hf:o/r@v/a/b.gguf", "hf:o/r/", "pip:a==1#b/c", "https://h/x.gguf", "file:/a/b.gguf", "a.gguf", "hf:o/../../x", "hf:o/r/%2e%2e/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseRef(s)
		if err != nil {
			return
		}
		if name, err := r.name(); err == nil && checkName(name) != nil {
			t.Fatalf("%q has the name %q", s, name)
		}
		switch r.scheme {
		case "hf":
			u, err := url.Parse(r.url("https://hub.example", ""))
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if u.Host != "hub.example" || !strings.HasPrefix(u.Path, "/"+r.repo+"/resolve/"+r.revision+"/") || strings.Contains(u.Path, "/../") {
				t.Fatalf("%q leads to %s", s, u)
			}
		case "pip":
			if strings.ContainsAny(r.repo, " \n\t;@[") || !filepath.IsLocal(filepath.FromSlash(r.path)) && r.path != "/" {
				t.Fatalf("%q asks for %q of %q", s, r.path, r.repo)
			}
		case "file":
			if !filepath.IsAbs(r.path) {
				t.Fatalf("%q is the relative path %q", s, r.path)
			}
		}
	})
}
