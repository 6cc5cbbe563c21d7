package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

// Names are what only the assembled program knows.
type Names struct {
	Catalogue []string // models that local may name

	// Resolve says what a local that is no such name would be called and where it comes from, or
	// what is wrong with it; nil: that is not checked.
	Resolve func(local string) (name, source string, err error)

	// Remote says what is wrong with a model at a provider; nil: that is not checked.
	Remote func(*Provider, *Model) error
}

// Check complains about names that c uses and known does not have.
func (c *Config) Check(known Names) error {
	var ps tagged.Problems
	type origin struct{ source, member string }
	called := map[string]origin{}
	check := func(path, model, local string) {
		complain := func(format string, args ...any) {
			ps = append(ps, c.src.Problem(path, fmt.Sprintf(format, args...)))
		}
		switch {
		case local == "" || slices.Contains(known.Catalogue, local):
			return
		case !isSource(local):
			complain("no model %s in the catalogue; %s", c.src.Quoted(path, local), tagged.Suggest(local, known.Catalogue, "it has: "))
			return
		case known.Resolve == nil:
			return
		}
		name, source, err := known.Resolve(local)
		if err != nil {
			complain("%v", err)
			return
		}
		if first, taken := called[name]; taken && first.source != source {
			complain("would be called %s, as that of %s is: give it a name with NAME=REFERENCE, such as %q", name, first.member, model+"=…")
		} else if !taken {
			called[name] = origin{source, path}
		}
	}
	for path, m := range c.places() {
		check(path+".local", m.Name, m.Local)
		if p := c.Provider(m.Provider); p != nil && known.Remote != nil {
			if err := known.Remote(p, m); err != nil {
				ps = append(ps, c.src.Problem(path+".provider", err.Error()))
			}
		}
	}
	for path, file := range c.files() {
		if fi, err := os.Stat(*file); *file != "" && err != nil {
			ps = append(ps, c.src.Problem(path, "cannot be read: "+withoutPath(err)))
		} else if *file != "" && !fi.Mode().IsRegular() {
			ps = append(ps, c.src.Problem(path, "is not a file"))
		}
	}
	return ps.Err(c.src.Name)
}

// withoutPath is an error of a file without its path, which the file has at that place.
func withoutPath(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// isSource tells a path or a source such as hf:owner/repo/file from a
// catalogue name.
func isSource(local string) bool {
	return strings.ContainsAny(local, `:/\`) || strings.HasSuffix(local, ".gguf")
}

// checker collects what types and bounds cannot say.
type checker struct {
	src    tagged.Source
	found  tagged.Problems
	before map[string]bool // members refused already, and what holds them
}

func (k *checker) refuse(path, format string, args ...any) {
	if k.before[path] {
		return
	}
	k.found = append(k.found, k.src.Problem(path, fmt.Sprintf(format, args...)))
}

func (c *Config) check(before tagged.Problems) tagged.Problems {
	k := &checker{src: c.src, before: map[string]bool{}}
	for _, p := range before {
		for path := p.Path; path != ""; path = tagged.Holder(path) {
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
		k.model(tagged.Join("models", m.Name), m)
	}
	if c.DefaultModel != "" && !slices.Contains(names, c.DefaultModel) {
		k.refuse("default_model", "no model %s in this file; %s", c.src.Quoted("default_model", c.DefaultModel), tagged.Suggest(c.DefaultModel, names, "it has: "))
	}
	k.elsewhere(c, names)
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
		if k.src.Given(member) && value == "" {
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
				if k.src.Given(path + member) {
					k.refuse(path+member, "is empty")
				}
			case again:
				k.refuse(path+member, "is that of keys[%d] too", first)
			default:
				seen[member+value] = i
			}
		}
		if key.Name == "github-token" || strings.HasPrefix(key.Name, "entra:") { // whose responses and limits would be one with theirs
			k.refuse(path+".name", "is what callers are called who come with a token: give the key another name")
		}
		if k.src.Given(path+".key") == k.src.Given(path+".key_file") {
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
	for _, given := range []bool{m.Local != "", m.Command != "", m.Provider != "", m.Targets != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		k.refuse(path, "needs exactly one of local, command, provider and targets")
		return
	}
	if m.Command != "" && !strings.Contains(m.Command, "{port}") {
		k.refuse(path+".command", "must contain {port}, the port its server listens on")
	}
	if m.Ready != "" && !strings.HasPrefix(m.Ready, "/") {
		k.refuse(path+".ready", "expected a path such as /health")
	}
	for f := range reflect.TypeFor[Model]().Fields() {
		at := tagged.Join(path, f.Tag.Get("yaml"))
		if !k.src.Given(at) || belongs(f, m.owner(), m.target) {
			continue
		}
		switch owners := f.Tag.Get("for"); {
		case f.Tag.Get("not") != "":
			k.refuse(at, "goes with the model, not with one of its targets")
		case owners == "target":
			k.refuse(at, "goes only with one of the targets")
		default:
			k.refuse(at, "goes only with %s", strings.ReplaceAll(owners, ",", " or "))
		}
	}
	if m.Mock != nil {
		if m.Provider != "mock" {
			k.refuse(path+".mock", "goes only with provider: mock")
		}
		k.mock(path+".mock", *m.Mock)
	}
	for member, given := range map[string]bool{"model": m.Model != "", "kind": m.Kind != "", "context": m.Context != nil} {
		if given && m.Provider == "mock" {
			k.refuse(tagged.Join(path, member), "says nothing to the mock model")
		}
	}
	if m.Targets != nil && len(m.Targets) == 0 {
		k.refuse(path+".targets", "names no target")
	}
	for i, t := range m.Targets {
		k.model(fmt.Sprintf("%s.targets[%d]", path, i), t)
	}
}

// owner is the member that says where m is answered from.
func (m Model) owner() string {
	switch {
	case m.Local != "":
		return "local"
	case m.Command != "":
		return "command"
	case m.Targets != nil:
		return "targets"
	default:
		return "provider"
	}
}

// belongs tells whether f has a meaning for a model, or for the target of one, that owner answers.
func belongs(f reflect.StructField, owner string, target bool) bool {
	owners := f.Tag.Get("for")
	switch {
	case owners == "target":
		return target
	case target && f.Tag.Get("not") != "":
		return false
	}
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
