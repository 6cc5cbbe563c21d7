package config

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Names are what only the assembled program knows.
type Names struct {
	Catalogue []string // models that local may name

	// Resolve says what a local that is no such name would be called and where it comes from, or
	// what is wrong with it; nil: that is not checked.
	Resolve func(local string) (name, source string, err error)
}

// Check complains about names that c uses and known does not have.
func (c *Config) Check(known Names) error {
	var ps problems
	type origin struct{ source, member string }
	called := map[string]origin{}
	for _, m := range c.Models {
		path := join("models", m.Name) + ".local"
		complain := func(format string, args ...any) {
			ps = append(ps, problem{c.src.place(path), path, fmt.Sprintf(format, args...)})
		}
		switch {
		case m.Local == "" || slices.Contains(known.Catalogue, m.Local):
			continue
		case !isSource(m.Local):
			complain("no model %s in the catalogue; %s", c.src.quoted(path, m.Local), suggest(m.Local, known.Catalogue, "it has: "))
			continue
		case known.Resolve == nil:
			continue
		}
		name, source, err := known.Resolve(m.Local)
		if err != nil {
			complain("%v", err)
			continue
		}
		if first, taken := called[name]; taken && first.source != source {
			complain("would be called %s, as that of %s is: give it a name with NAME=REFERENCE, such as %q", name, first.member, m.Name+"=…")
		} else if !taken {
			called[name] = origin{source, path}
		}
	}
	return ps.err(c.src.name)
}

// isSource tells a path or a source such as hf:owner/repo/file from a
// catalogue name.
func isSource(local string) bool {
	return strings.ContainsAny(local, `:/\`) || strings.HasSuffix(local, ".gguf")
}

// checker collects what types and bounds cannot say.
type checker struct {
	src    source
	found  problems
	before map[string]bool // members refused already, and what holds them
}

func (k *checker) refuse(path, format string, args ...any) {
	if k.before[path] {
		return
	}
	k.found = append(k.found, problem{k.src.place(path), path, fmt.Sprintf(format, args...)})
}

func (c *Config) check(before problems) problems {
	k := &checker{src: c.src, before: map[string]bool{}}
	for _, p := range before {
		for path := p.path; path != ""; path = holder(path) {
			k.before[path] = true
		}
	}
	k.listen(c.Listen)
	k.keys(c.Keys)
	k.tls(c.TLS)
	for i, origin := range c.CORS.Origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host) {
			k.refuse(fmt.Sprintf("cors.origins[%d]", i), "expected an origin such as https://app.example, without a path, or *")
		}
	}
	if len(c.Models) == 0 {
		k.refuse("models", "names no model; add one such as smollm2: {local: smollm2}, or leave models out for the default ones")
	}
	names := make([]string, len(c.Models))
	for i, m := range c.Models {
		names[i] = m.Name
		k.model(join("models", m.Name), m)
	}
	if c.DefaultModel != "" && !slices.Contains(names, c.DefaultModel) {
		k.refuse("default_model", "no model %s in this file; %s", c.src.quoted("default_model", c.DefaultModel), suggest(c.DefaultModel, names, "it has: "))
	}
	if c.Limits.Body == 0 {
		k.refuse("limits.body", "must allow at least one byte")
	}
	if m := c.Limits.BodyMemory; m != 0 && m < c.Limits.Body {
		k.refuse("limits.body_memory", "is less than limits.body, so that no body of that size could ever be taken")
	}
	return k.found
}

func (k *checker) listen(address string) {
	_, port, err := net.SplitHostPort(address)
	if _, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil {
		k.refuse("listen", "expected HOST:PORT, for example 127.0.0.1:8080")
	}
}

func (k *checker) tls(t TLS) {
	for member, value := range map[string]string{"tls.cert": t.Cert, "tls.key": t.Key} {
		if _, given := k.src.at[member]; given && value == "" {
			k.refuse(member, "is empty")
		}
	}
}

func (k *checker) keys(keys []Key) {
	seen := map[string]int{}
	for i, key := range keys {
		path := fmt.Sprintf("keys[%d]", i)
		for member, value := range map[string]string{".name": key.Name, ".key": key.Key, ".key_file": key.File} {
			first, again := seen[member+value]
			switch {
			case value == "":
				if _, given := k.src.at[path+member]; given {
					k.refuse(path+member, "is empty")
				}
			case again:
				k.refuse(path+member, "is that of keys[%d] too", first)
			default:
				seen[member+value] = i
			}
		}
		_, secret := k.src.at[path+".key"]
		if _, file := k.src.at[path+".key_file"]; secret == file {
			k.refuse(path, "needs exactly one of key and key_file")
		}
		if strings.ContainsFunc(key.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			k.refuse(path+".key", "holds blanks or characters that no header can carry")
		}
	}
}

func (k *checker) model(path string, m Model) {
	if why := badName(m.Name); why != "" {
		k.refuse(path, "is no name for a model: %s", why)
	}
	kinds := 0
	for _, s := range []string{m.Local, m.Command, m.Provider} {
		if s != "" {
			kinds++
		}
	}
	if kinds != 1 {
		k.refuse(path, "needs exactly one of local, command and provider")
		return
	}
	if m.Command != "" && !strings.Contains(m.Command, "{port}") {
		k.refuse(path+".command", "must contain {port}, the port its server listens on")
	}
	if m.Ready != "" && !strings.HasPrefix(m.Ready, "/") {
		k.refuse(path+".ready", "expected a path such as /health")
	}
	for f := range reflect.TypeFor[Model]().Fields() {
		at := join(path, f.Tag.Get("yaml"))
		if _, given := k.src.at[at]; given && !belongs(f, m.owner()) {
			k.refuse(at, "goes only with %s", strings.ReplaceAll(f.Tag.Get("for"), ",", " or "))
		}
	}
	if m.Mock != nil {
		k.mock(path+".mock", *m.Mock)
	}
}

// owner is the member that says where m is answered from.
func (m Model) owner() string {
	switch {
	case m.Local != "":
		return "local"
	case m.Command != "":
		return "command"
	default:
		return "provider"
	}
}

// belongs tells whether f has a meaning for a model that owner answers.
func belongs(f reflect.StructField, owner string) bool {
	owners := f.Tag.Get("for")
	return owners == "" || owner == "" || slices.Contains(strings.Split(owners, ","), owner)
}

func (k *checker) mock(path string, m Mock) {
	if f := m.Fault; f != nil {
		path += ".fault"
		kinds := 0
		for _, n := range []int{f.Status, f.Cut, f.Stall, f.Error} {
			if n != 0 {
				kinds++
			}
		}
		if kinds != 1 {
			k.refuse(path, "needs exactly one of status, cut, stall and error")
		}
		if f.Status != 0 && f.Status < 400 {
			k.refuse(path+".status", "expected a status from 400 to 599")
		}
		if f.RetryAfter != 0 && f.Status == 0 {
			k.refuse(path+".retry_after", "goes only with status")
		}
	}
}

// badName says why name cannot stand in a path, a header and a metric, or is
// empty.
func badName(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > 128:
		return "it is longer than 128 bytes"
	case strings.ContainsFunc(name, func(r rune) bool {
		return r > unicode.MaxASCII || r <= ' ' || r == 0x7f || strings.ContainsRune(`?#%\"`, r)
	}):
		return `it may hold ASCII letters, digits and marks, without blanks and ? # % \ "`
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return "an empty part, . or .. would be lost from a path"
		}
	}
	return ""
}
