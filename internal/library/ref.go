package library

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ingot-llm/ingot/internal/library/fetch"
	"github.com/ingot-llm/ingot/internal/library/pip"
)

// ref is a parsed reference to a file, or to a folder of files, somewhere.
type ref struct {
	text     string
	scheme   string // hf, pip, https, file
	repo     string // hf: owner/repo; pip: name==version
	revision string // hf
	path     string // below repo, a URL, or an absolute path of this machine
}

func (r ref) folder() bool {
	return (r.scheme == "hf" || r.scheme == "pip") && strings.HasSuffix(r.path, "/")
}

var (
	repoPattern     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`)
	revisionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	namePattern     = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	shardPattern    = regexp.MustCompile(`-\d{5}-of-\d{5}\.gguf$`)
)

// parseRef reads a reference that is not a catalogue name.
func parseRef(s string) (ref, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	r := ref{text: s, scheme: scheme}
	switch scheme {
	case "hf":
		parts := strings.SplitN(rest, "/", 3)
		if len(parts) < 3 {
			return ref{}, fmt.Errorf("reference %q is not of the form hf:owner/repo/file.gguf", s)
		}
		repo, revision, pinned := strings.Cut(parts[1], "@")
		if !pinned {
			revision = "main"
		}
		r.repo, r.revision, r.path = parts[0]+"/"+repo, revision, parts[2]
		if r.path == "" {
			r.path = "/"
		}
		if !repoPattern.MatchString(r.repo) || !revisionPattern.MatchString(revision) || !cleanPath(r.path) {
			return ref{}, fmt.Errorf("reference %q is not of the form hf:owner/repo/file.gguf", s)
		}
	case "pip":
		r.repo, r.path, _ = strings.Cut(rest, "#")
		if pip.CheckRequirement(r.repo) != nil || r.path == "" || !cleanPath(r.path) {
			return ref{}, fmt.Errorf("reference %q is not of the form pip:package==version#path/in/wheel.gguf", s)
		}
	case "https", "http":
		u, err := url.Parse(s)
		if scheme == "http" && err == nil && u.Host != "" && fetch.CheckURL(s) != nil {
			return ref{}, fmt.Errorf("reference %q: http is taken from this machine only; write https", redact(s))
		}
		if err != nil || u.User != nil || fetch.CheckURL(s) != nil {
			return ref{}, fmt.Errorf("reference %q is not an address of the form https://host/file.gguf", redact(s))
		}
		r.scheme, r.path = "https", s
	case "file":
		p := strings.TrimPrefix(rest, "//")
		return fileRef(s, filepath.FromSlash(p))
	default:
		if !strings.HasSuffix(strings.ToLower(s), ".gguf") {
			return ref{}, fmt.Errorf("reference %q is neither a catalogue name, hf:owner/repo/file.gguf, pip:package==version#path, https://…/file.gguf nor the path of a .gguf file", s)
		}
		return fileRef(s, s)
	}
	if shardPattern.MatchString(r.path) {
		return ref{}, fmt.Errorf("reference %q is one part of a split model: take a file that is not split, or download all parts yourself and pull the path of the first", s)
	}
	return r, nil
}

func fileRef(text, path string) (ref, error) {
	abs, err := filepath.Abs(path)
	if err != nil || path == "" {
		return ref{}, fmt.Errorf("reference %q is not the path of a .gguf file", text)
	}
	return ref{text: "file:" + filepath.ToSlash(abs), scheme: "file", path: abs}, nil
}

// cleanPath accepts slashed paths that stay below where they start; one final
// slash says that a folder is meant.
func cleanPath(p string) bool {
	if p == "/" {
		return true
	}
	p = strings.TrimSuffix(p, "/")
	return !strings.ContainsAny(p, "\\?#\x00") && path.Clean(p) == p && filepath.IsLocal(filepath.FromSlash(p)) && p != "."
}

// url is where a file of an hf or https reference lies; below is its path in a folder.
func (r ref) url(hub, below string) string {
	if r.scheme != "hf" {
		return r.path
	}
	file := strings.TrimPrefix(r.path, "/") + below
	return strings.TrimSuffix(hub, "/") + "/" + r.repo + "/resolve/" + r.revision + "/" + (&url.URL{Path: file}).EscapedPath()
}

// name is what a model of this reference is called when nobody says otherwise.
func (r ref) name() (string, error) {
	p := filepath.ToSlash(r.path)
	if r.scheme == "https" {
		if u, err := url.Parse(p); err == nil {
			p = u.Path
		}
	}
	base := strings.ToLower(path.Base(p))
	base = strings.TrimSuffix(base, ".gguf")
	base = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c) {
			return c
		}
		return '-'
	}, base)
	base = strings.TrimLeft(base, "._-")
	if err := checkName(base); err != nil {
		return "", fmt.Errorf("reference %q gives no usable name: say one with NAME=REFERENCE", redact(r.text))
	}
	return base, nil
}

func checkName(s string) error {
	if !namePattern.MatchString(s) {
		return fmt.Errorf("model name %q is malformed: use lower-case letters, digits, '.', '_' and '-', at most 100", s)
	}
	return nil
}

// redact leaves out the parts of an address that may be secret.
func redact(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "the address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
