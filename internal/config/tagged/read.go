package tagged

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Read reads data, one YAML document, into the struct that into points to, over its defaults; name is the file's name for
// complaints, and env looks up variables. whole is false where something kept it from reading on.
func Read(name string, data []byte, into any, env func(string) (string, bool)) (src Source, problems Problems, whole bool) {
	Fill(into)
	src = Source{name, map[string]place{}, map[string]bool{}}
	root, problems := parse(data)
	if problems != nil {
		return src, problems, false
	}
	d := &decoder{src: src, env: env, anchors: map[string]ast.Node{}}
	d.value(root, reflect.ValueOf(into).Elem(), reflect.StructField{}, "")
	return src, d.problems, d.values <= maxValues
}

// parse reads data as one YAML document.
func parse(data []byte) (ast.Node, Problems) {
	fail := func(p place, format string, args ...any) (ast.Node, Problems) {
		return nil, Problems{{p, "", fmt.Sprintf(format, args...)}}
	}
	if len(data) > MaxFile {
		return fail(place{}, "larger than %d KiB", MaxFile>>10)
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

// MaxFile is how many bytes a file may have.
const MaxFile = 256 << 10

// What is read of one file. The types nest six deep; the parser's time grows
// with the square of the entries; values counts aliases each time.
const (
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
