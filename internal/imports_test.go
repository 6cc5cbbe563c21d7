package internal_test

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/ingot-llm/ingot/"

// mayImport says, for every package of this module, which others of ours its product code imports.
// A name ending in /* stands for every package below that folder; "*" for all of them.
// Paths are relative to internal/, those outside it begin with a slash.
var mayImport = map[string][]string{
	"llm":             {"jsonx"},
	"jsonx":           {},
	"head":            {},
	"sse":             {},
	"telemetry":       {},
	"home":            {},
	"wire":            {"llm", "sse"},
	"wire/*":          {"wire", "llm", "sse", "jsonx"},
	"wire/openai":     {"wire", "wire/openai/encode", "wire/openai/message", "llm", "sse", "jsonx"},
	"wire/openai/*":   {"wire/openai/message", "llm", "jsonx"},
	"upstream":        {"wire", "llm", "sse", "upstream/h1"},
	"upstream/dial":   {"upstream/h1"},
	"upstream/h1":     {"head"},
	"provider":        {"upstream", "wire", "wire/*", "llm"},
	"dialect":         {"wire", "wire/*", "llm", "sse", "jsonx"},
	"dialect/*":       {"dialect", "wire", "wire/*", "llm", "sse", "jsonx", "nearest"},
	"route":           {"llm"},
	"policy":          {"llm"},
	"limit":           {"llm"},
	"auth":            {"llm", "library/disk"},
	"auth/entra":      {"llm"},
	"cert":            {"library/disk"},
	"port":            {},
	"port/quick":      {"head"},
	"schema":          {},
	"schema/*":        {"schema", "schema/*"},
	"picture":         {},
	"conformance":     {"conformance/*"},
	"conformance/*":   {"conformance/*"},
	"ability":         {"ability/*", "llm", "jsonx", "schema", "schema/*"},
	"ability/gbnf":    {"jsonx"},
	"ability/text":    {"llm"},
	"mock":            {"llm", "picture", "schema"},
	"engine":          {"engine/*", "llm", "jsonx", "wire", "wire/openai", "wire/openai/encode", "upstream", "library", "library/*", "picture"},
	"engine/*":        {"engine/*", "llm", "jsonx", "wire", "wire/openai", "upstream", "library", "library/*", "picture"},
	"engine/schedule": {},
	"engine/hardware": {},
	"library":         {"llm", "library/*", "nearest"},
	"library/gguf":    {},
	"library/tiny":    {"library/gguf"},
	"library/pip":     {},
	"library/archive": {},
	"library/disk":    {},
	"library/fetch":   {"library/disk"},
	"store":           {"llm"},
	"nearest":         {},
	"config":          {"config/tagged"},
	"config/tagged":   {"nearest"},
	"webui":           {},
	"fake":            {"llm", "wire/*"},
	"fake/*":          {"llm", "wire/*"},
	"fake/tinymodel":  {"library/tiny"},
	"admin":           {"llm"},
	"openapi":         {"dialect"},
	"gateway":         {"*"},
	"cli":             {"cli/*", "gateway", "config", "doctor", "home", "library", "library/*", "engine/*", "auth", "cert", "conformance", "nearest", "telemetry", "/client"},
	"cli/*":           {"cli/*", "conformance", "conformance/*", "auth", "cert", "home", "nearest", "gateway", "config", "library", "library/*", "engine/*", "/client"},
	"doctor":          {"home", "library", "library/*", "engine/*"},
	"/cmd/ingot":      {"cli"},
	"/examples/*":     {"/client", "/client/*"},
	"/test/*":         {"fake", "fake/*", "conformance", "conformance/*", "/client", "/client/*"},

	"dialect/openai/responses": {"dialect", "dialect/openai/responses/*", "wire/openai/request", "llm", "jsonx"},
}

// onlyTests lists what no product code imports, whatever the table above says.
var onlyTests = []string{"fake", "fake/*"}

type goPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	IgnoredGoFiles  []string
	Imports         []string
}

func TestEveryImportIsInTheTable(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		name := short(p.ImportPath)
		allowed, known := rule(name)
		if !known && len(p.GoFiles) > 0 {
			t.Errorf("%s is in no row of mayImport: add one, and say so in doc/architecture.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) {
				continue
			}
			to := short(imp)
			tests := strings.HasPrefix(name, "fake") || strings.HasPrefix(name, "/test/")
			if !matches(allowed, to) || (matches(onlyTests, to) && !tests) {
				t.Errorf("%s must not import %s", name, to)
			}
		}
	}
}

func TestEveryPackageHasExactlyOneComment(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		var files []string
		for _, file := range append(p.GoFiles, p.IgnoredGoFiles...) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Errorf("parse %s: %v", file, err)
			} else if f.Doc != nil {
				files = append(files, file)
			}
		}
		if len(p.GoFiles) > 0 && len(files) != 1 {
			t.Errorf("%s has %d package comments %v, want one", short(p.ImportPath), len(files), files)
		}
	}
}

// rule finds the row of a package: its own, else that of its folder.
func rule(name string) (allowed []string, known bool) {
	if allowed, known = mayImport[name]; known {
		return allowed, true
	}
	for dir := name; strings.Contains(dir, "/"); {
		dir = dir[:strings.LastIndex(dir, "/")]
		if allowed, known = mayImport[dir+"/*"]; known {
			return allowed, true
		}
	}
	return nil, false
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == "*" || p == name || (strings.HasSuffix(p, "/*") && strings.HasPrefix(name, p[:len(p)-1])) {
			return true
		}
	}
	return false
}

// short drops what all paths share: the module and internal/.
func short(path string) string {
	path = strings.TrimPrefix(path, strings.TrimSuffix(module, "/"))
	return strings.TrimPrefix(path, "/internal/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,IgnoredGoFiles,Imports", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var ps []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return ps
		} else if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		ps = append(ps, p)
	}
}
