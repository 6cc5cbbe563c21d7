package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Names are what only the assembled program knows.
type Names struct {
	Catalogue []string // models that local may name
}

// Check complains about names that c uses and known does not have.
func (c *Config) Check(known Names) error {
	var ps problems
	for _, m := range c.Models {
		if m.Local == "" || isSource(m.Local) || slices.Contains(known.Catalogue, m.Local) {
			continue
		}
		path := join("models", m.Name) + ".local"
		ps = append(ps, problem{c.src.place(path), path, fmt.Sprintf("no model %q in the catalogue; %s", m.Local, suggest(m.Local, known.Catalogue, "it has: "))})
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
	before problems // a member that was refused already is not refused twice
}

func (k *checker) refuse(path, format string, args ...any) {
	for _, p := range k.before {
		if p.path == path {
			return
		}
	}
	k.found = append(k.found, problem{k.src.place(path), path, fmt.Sprintf(format, args...)})
}

func (c *Config) check(before problems) problems {
	k := &checker{src: c.src, before: before}
	k.listen(c.Listen)
	k.keys(c.Keys)
	if len(c.Models) == 0 {
		k.refuse("models", "names no model; add one such as smollm2: {local: smollm2}, or leave models out for the default ones")
	}
	names := make([]string, len(c.Models))
	for i, m := range c.Models {
		names[i] = m.Name
		k.model(join("models", m.Name), m)
	}
	if c.DefaultModel != "" && !slices.Contains(names, c.DefaultModel) {
		k.refuse("default_model", "no model %q in this file; %s", c.DefaultModel, suggest(c.DefaultModel, names, "it has: "))
	}
	if c.Limits.Body == 0 {
		k.refuse("limits.body", "must allow at least one byte")
	}
	return k.found
}

func (k *checker) listen(address string) {
	_, port, err := net.SplitHostPort(address)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n > 65535 {
		k.refuse("listen", "expected host:port such as 127.0.0.1:8080")
	}
}

func (k *checker) keys(keys []Key) {
	for i, key := range keys {
		path := fmt.Sprintf("keys[%d]", i)
		printable := func(r rune) bool { return r <= ' ' || r > '~' }
		switch {
		case key.Key == "":
			k.refuse(path+".key", "is empty")
		case strings.ContainsFunc(key.Key, printable):
			k.refuse(path+".key", "holds blanks or characters that no header can carry")
		}
		if key.Name == "" {
			k.refuse(path+".name", "is empty")
		}
		for j, other := range keys[:i] {
			if key.Name != "" && other.Name == key.Name {
				k.refuse(path+".name", "is the name of keys[%d] too", j)
			}
			if key.Key != "" && other.Key == key.Key {
				k.refuse(path+".key", "is the key of keys[%d] too", j)
			}
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
		for _, p := range k.before {
			if strings.HasPrefix(p.path, path+".") {
				return
			}
		}
		k.refuse(path, "needs exactly one of local, command and provider")
		return
	}
	if m.Command != "" && !strings.Contains(m.Command, "{port}") {
		k.refuse(path+".command", "must contain {port}, the port its server listens on")
	}
	if m.Ready != "" && !strings.HasPrefix(m.Ready, "/") {
		k.refuse(path+".ready", "expected a path such as /health")
	}
	k.onlyWith(path, "command", m.Command != "", map[string]bool{"model": m.Model != "", "kind": m.Kind != "", "ready": m.Ready != ""})
	k.onlyWith(path, "local", m.Local != "", map[string]bool{
		"context": m.Context != nil && m.Command == "", "slots": m.Slots != nil && m.Command == "",
		"threads": m.Threads != nil, "gpu_layers": m.GPULayers != nil, "system": m.System != nil,
	})
	k.onlyWith(path, "provider: mock", m.Provider == "mock", map[string]bool{"mock": m.Mock != nil})
	if m.Mock != nil {
		k.mock(path+".mock", *m.Mock)
	}
}

// onlyWith refuses the members that were given although what they belong to
// was not.
func (k *checker) onlyWith(path, owner string, owned bool, given map[string]bool) {
	for name, is := range given {
		if is && !owned {
			k.refuse(join(path, name), "goes only with %s", owner)
		}
	}
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
