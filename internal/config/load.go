package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Load reads the file at path; variables come from the process's environment, and relative paths
// begin at the file's folder. A file of no bytes is refused: mostly it is about to be written.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("load configuration: %w: name another file, or run `ingot config init` to have one written", err)
	case err != nil:
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("load configuration: read %s: %w", path, err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors of Windows begin with it
	if len(data) == 0 {
		return nil, fmt.Errorf("load configuration: %s is empty; `ingot config init` writes one to start from", path)
	}
	c, err := Parse(path, data, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	files := []*string{&c.TLS.Cert, &c.TLS.Key}
	for i := range c.Keys {
		files = append(files, &c.Keys[i].File)
	}
	for i := range c.Models {
		m := &c.Models[i]
		m.Local, files = below(dir, m.Local), append(files, &m.Projector)
		for k := range m.Targets {
			t := &m.Targets[k]
			t.Local, files = below(dir, t.Local), append(files, &t.Projector)
		}
	}
	for i := range c.Providers {
		p := &c.Providers[i]
		files = append(files, &p.KeyFile, &p.CA)
		if p.Entra != nil {
			files = append(files, &p.Entra.SecretFile)
		}
	}
	for _, path := range files {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, filepath.FromSlash(*path))
		}
	}
	return c, nil
}

// below makes a relative path in local, such as x.gguf, file:x.gguf or name=x.gguf, one from dir.
func below(dir, local string) string {
	lead, path := "", local
	if name, rest, named := strings.Cut(path, "="); named && !strings.ContainsAny(name, `:/\`) {
		lead, path = name+"=", rest
	}
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		lead, path = lead+"file:", strings.TrimPrefix(rest, "//")
	} else if strings.Contains(path, ":") || !strings.HasSuffix(strings.ToLower(path), ".gguf") {
		return local
	}
	path = filepath.FromSlash(path)
	if path == "" || filepath.IsAbs(path) {
		return local
	}
	return lead + filepath.Join(dir, path)
}

// Parse turns data into a Config; name is the file's name for complaints and
// env looks up variables. Where the file is at fault the error is Errors, with
// every complaint there is.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	root, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{src: source{name, map[string]place{}, map[string]bool{}}, env: env, anchors: map[string]ast.Node{}}
	c := &Config{}
	fill(c)
	d.value(root, reflect.ValueOf(c).Elem(), reflect.StructField{}, "")
	c.src = d.src
	for i := range c.Models {
		c.Models[i].complete()
	}
	if c.Models == nil {
		c.Models = Default().Models
	}
	if d.values <= maxValues {
		d.problems = append(d.problems, c.check(d.problems)...)
	}
	if err := d.problems.err(name); err != nil {
		return nil, err
	}
	return c, nil
}

// parse reads data as one YAML document.
func parse(name string, data []byte) (ast.Node, error) {
	fail := func(p place, format string, args ...any) (ast.Node, error) {
		return nil, problems{{p, "", fmt.Sprintf(format, args...)}}.err(name)
	}
	if len(data) > maxFile {
		return fail(place{}, "larger than %d KiB", maxFile>>10)
	}
	if !utf8.Valid(data) {
		return fail(place{}, "not UTF-8 text")
	}
	if p, why := tooMuch(string(data)); why != "" {
		return fail(p, "%s", why)
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
			t := e.GetToken()
			if p, ok := tab(data, t.Position.Line); ok {
				return fail(p, "a tab: indent with spaces")
			}
			return fail(place{t.Position.Line, t.Position.Column}, "%s%s", e.GetMessage(), flowHint(data, t.Position.Line))
		}
		return fail(place{}, "not YAML: %v", err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		if root != nil {
			return fail(placeOf(doc.Body), "a second document; one file is one configuration")
		}
		root = doc.Body
	}
	return root, nil
}

// What is read of one file. The types nest six deep; the parser's time grows
// with the square of the entries; values counts aliases each time.
const (
	maxFile    = 256 << 10
	maxDepth   = 32
	maxEntries = 5_000
	maxValues  = 20_000
)

// tooMuch says where data nests deeper or lists more than the parser should
// follow.
func tooMuch(data string) (place, string) {
	depth, entries, inLine, line := 0, 0, 0, 0
	for _, t := range lexer.Tokenize(data) {
		if t.Position.Line != line {
			line, inLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			entries++
			inLine++
		case token.AnchorType, token.TagType:
			inLine++
		case token.MappingValueType, token.CollectEntryType:
			entries++
		default:
		}
		switch p := (place{t.Position.Line, t.Position.Column}); {
		case max(depth, inLine) > maxDepth:
			return p, fmt.Sprintf("nested more than %d deep", maxDepth)
		case entries > maxEntries:
			return p, fmt.Sprintf("more than %d entries", maxEntries)
		}
	}
	return place{}, ""
}

// tab finds a tab among the indentation of a line, or before what a dash begins.
func tab(data []byte, line int) (place, bool) {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		return place{}, false
	}
	text := lines[line-1]
	i := strings.IndexByte(text, '\t')
	return place{line, i + 1}, i >= 0 && strings.Trim(text[:i], " -") == ""
}

// flowHint explains the one mistake everybody makes once: ${X} bare inside { }.
func flowHint(data []byte, line int) string {
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) || !strings.Contains(lines[line-1], "${") || strings.Contains(lines[line-1], `"${`) {
		return ""
	}
	return `; inside { } a variable needs quotes: "${NAME}"`
}
