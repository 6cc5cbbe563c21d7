// Package schema is JSON Schema as models need it: it reads a caller's schema
// within bounds, checks instances against it, and makes the smallest instance
// that satisfies it. Nothing is ever loaded: a $ref reaches no further than
// its own document and the published JSON Schema drafts.
package schema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The bounds of what is read, for schemas and instances alike.
const (
	MaxBytes = 1 << 20 // of JSON text
	MaxDepth = 128     // of nested arrays and objects
	MaxNodes = 10_000  // values of a schema

	maxInstanceNodes = 100_000
	maxNumber        = 400     // characters of a number
	maxExponent      = 400     // of a number, either way
	maxCount         = 1 << 53 // of minLength and its kin
	maxPattern       = 1_000   // bytes of one regular expression
	maxProgram       = 50_000  // instructions of all of them
)

// address names the schema document itself; it is never looked up.
const address = "urn:ingot:schema"

// Schema is a schema that was read and compiled. It is immutable and safe for
// concurrent use.
type Schema struct {
	root *jsonschema.Schema
}

// Error says where in a schema something is wrong or cannot be done, and why.
type Error struct {
	Pointer string // JSON pointer into the schema, empty for its root
	Keyword string // the keyword at fault, empty where there is none
	Reason  string
}

func (e *Error) Error() string {
	place := cmp.Or(e.Pointer, "the root")
	if e.Keyword == "" {
		return fmt.Sprintf("schema at %s: %s", place, e.Reason)
	}
	return fmt.Sprintf("schema at %s: %s: %s", place, e.Keyword, e.Reason)
}

// Parse reads a schema: draft 2020-12, or the draft that its $schema names.
// What is malformed, beyond the bounds, refers to itself without going into
// a member or item, or cannot be checked here is an *Error.
func Parse(data []byte) (*Schema, error) {
	s, _, err := ParseParts(data)
	return s, err
}

// ParseParts is Parse with a function that gives the schema at a JSON pointer
// into the document. The function is for one goroutine at a time.
func ParseParts(data []byte) (*Schema, func(pointer string) (*Schema, error), error) {
	doc, err := decode(data, MaxNodes, true)
	if err != nil {
		return nil, nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(nil)
	c.UseRegexpEngine(compilePattern)
	if err := c.AddResource(address, doc); err != nil {
		return nil, nil, compileError(err)
	}
	part := func(pointer string) (*Schema, error) {
		root, err := c.Compile(address + "#" + (&url.URL{Fragment: pointer}).EscapedFragment())
		if err != nil {
			return nil, compileError(err)
		}
		return &Schema{root: root}, terminates(root)
	}
	root, err := part("")
	if err != nil {
		return nil, nil, err
	}
	return root, part, nil
}

// decode reads one JSON value of at most so many nodes. In a schema it refuses
// counts that do not fit the validator's integers.
func decode(data []byte, nodes int, schema bool) (any, error) {
	if len(data) > MaxBytes {
		return nil, &Error{Reason: fmt.Sprintf("%d bytes are more than the %d allowed", len(data), MaxBytes)}
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, &Error{Reason: "not JSON: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &Error{Reason: "not JSON: something follows the value"}
	}
	b := bounds{nodes: nodes, schema: schema, program: maxProgram}
	return v, b.walk(v, "", 0)
}

var countKeywords = []string{
	"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
}

type bounds struct {
	nodes   int  // left
	program int  // left
	schema  bool // look at members named as counts and patterns, even in constants
}

// walk refuses what is too deep or too large, and numbers and patterns that
// would take unbounded memory.
func (b *bounds) walk(v any, at string, depth int) error {
	b.nodes--
	switch {
	case b.nodes < 0:
		return &Error{Pointer: at, Reason: "too many values in one document"}
	case depth > MaxDepth:
		return &Error{Pointer: at, Reason: fmt.Sprintf("nested deeper than %d", MaxDepth)}
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := b.walk(v[name], join(at, name), depth+1); err != nil {
				return err
			}
			if err := b.patterns(name, v[name]); b.schema && err != nil {
				return &Error{Pointer: at, Keyword: name, Reason: err.Error()}
			}
			if n, ok := v[name].(json.Number); ok && b.schema && slices.Contains(countKeywords, name) {
				if r, ok := new(big.Rat).SetString(n.String()); !ok || r.Cmp(big.NewRat(maxCount, 1)) > 0 {
					return &Error{Pointer: at, Keyword: name, Reason: fmt.Sprintf("%s is more than the %d allowed", n, int64(maxCount))}
				}
			}
		}
	case []any:
		for i, item := range v {
			if err := b.walk(item, join(at, strconv.Itoa(i)), depth+1); err != nil {
				return err
			}
		}
	case json.Number:
		_, exponent, _ := strings.Cut(strings.ToLower(v.String()), "e")
		e, err := strconv.Atoi(exponent)
		if len(v) > maxNumber || exponent != "" && (err != nil || e < -maxExponent || e > maxExponent) {
			return &Error{Pointer: at, Reason: "the number has too many digits"}
		}
	}
	return nil
}

// compileError says where the compiler stopped.
func compileError(err error) error {
	if e, ok := errors.AsType[*jsonschema.SchemaValidationError](err); ok {
		if v, ok := errors.AsType[*jsonschema.ValidationError](e.Err); ok {
			leaf := firstLeaf(v)
			keyword := ""
			at := leaf.InstanceLocation
			if n := len(at); n > 0 {
				keyword, at = at[n-1], at[:n-1]
			}
			return &Error{Pointer: join("", at...), Keyword: keyword, Reason: reason(leaf)}
		}
	}
	if e, ok := errors.AsType[*jsonschema.InvalidRegexError](err); ok {
		at, keyword := pointer(e.URL), ""
		if i := strings.LastIndexByte(at, '/'); i >= 0 {
			at, keyword = at[:i], at[i+1:]
		}
		return &Error{Pointer: at, Keyword: keyword, Reason: fmt.Sprintf("%q cannot be used here: %v", e.Regex, e.Err)}
	}
	if e, ok := errors.AsType[*jsonschema.LoadURLError](err); ok {
		return &Error{Keyword: "$ref", Reason: fmt.Sprintf("%q is not loaded: only references within the schema are followed; put the definition under $defs", e.URL)}
	}
	if e, ok := errors.AsType[*jsonschema.JSONPointerNotFoundError](err); ok {
		return &Error{Keyword: "$ref", Reason: fmt.Sprintf("nothing is at %q", pointer(e.URL))}
	}
	return &Error{Reason: err.Error()}
}

// terminates refuses schemas that would be evaluated for ever, and the
// references whose target depends on how they were reached.
func terminates(root *jsonschema.Schema) error {
	const open, closed = 1, 2
	state := map[*jsonschema.Schema]int{}
	pending := []*jsonschema.Schema{root}
	var visit func(*jsonschema.Schema) error
	visit = func(n *jsonschema.Schema) error {
		switch {
		case state[n] == closed:
			return nil
		case state[n] == open:
			return fault(n, "$ref", "the schema refers to itself without going into a member or item")
		case n.DynamicRef != nil || n.RecursiveRef != nil:
			return fault(n, "$dynamicRef", "dynamic references are not supported: use $ref")
		}
		state[n] = open
		for _, next := range inPlace(n) {
			if err := visit(next); err != nil {
				return err
			}
		}
		state[n] = closed
		pending = append(pending, inside(n)...)
		return nil
	}
	for len(pending) > 0 {
		n := pending[0]
		pending = pending[1:]
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// inPlace lists the schemas that apply to the same value as n, in a fixed order.
func inPlace(n *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{n.Ref, n.Not, n.If, n.Then, n.Else}
	list = slices.Concat(list, n.AllOf, n.AnyOf, n.OneOf)
	for _, name := range slices.Sorted(maps.Keys(n.DependentSchemas)) {
		list = append(list, n.DependentSchemas[name])
	}
	for _, name := range slices.Sorted(maps.Keys(n.Dependencies)) {
		if dep, ok := n.Dependencies[name].(*jsonschema.Schema); ok {
			list = append(list, dep)
		}
	}
	return slices.DeleteFunc(list, func(s *jsonschema.Schema) bool { return s == nil })
}

// inside lists the schemas that apply to the members or items of n's value.
func inside(n *jsonschema.Schema) []*jsonschema.Schema {
	list := []*jsonschema.Schema{n.PropertyNames, n.UnevaluatedProperties, n.Contains, n.Items2020, n.UnevaluatedItems}
	for _, name := range slices.Sorted(maps.Keys(n.Properties)) {
		list = append(list, n.Properties[name])
	}
	for _, p := range patterns(n) {
		list = append(list, n.PatternProperties[p])
	}
	list = append(list, n.PrefixItems...)
	for _, v := range []any{n.AdditionalProperties, n.AdditionalItems, n.Items} {
		switch v := v.(type) {
		case *jsonschema.Schema:
			list = append(list, v)
		case []*jsonschema.Schema:
			list = append(list, v...)
		}
	}
	return slices.DeleteFunc(list, func(s *jsonschema.Schema) bool { return s == nil })
}

// patterns lists the keys of patternProperties in a fixed order.
func patterns(n *jsonschema.Schema) []jsonschema.Regexp {
	return slices.SortedFunc(maps.Keys(n.PatternProperties), func(a, b jsonschema.Regexp) int {
		return strings.Compare(a.String(), b.String())
	})
}

// fault is an error at a compiled schema.
func fault(n *jsonschema.Schema, keyword, format string, args ...any) *Error {
	return &Error{Pointer: pointer(n.Location), Keyword: keyword, Reason: fmt.Sprintf(format, args...)}
}

// pointer is the JSON pointer of a schema's location.
func pointer(location string) string {
	_, fragment, _ := strings.Cut(location, "#")
	if p, err := url.PathUnescape(fragment); err == nil {
		return p
	}
	return fragment
}

func join(at string, names ...string) string {
	for _, name := range names {
		at += "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
	}
	return at
}
