// Package schema makes JSON Schemas (draft 2020-12) of Go types, as encoding/json writes them.
//
// Booleans, numbers, strings, slices, arrays, maps with strings as keys, structs and pointers to them have a schema, and so have
// time.Time, []byte and what implements encoding.TextMarshaler (a string), and json.RawMessage and any (whatever there is).
// A type that contains itself is described by reference.
//
// Fields go by their json tags. More is said by the tag jsonschema, a list such as
//
//	Unit string `json:"unit" jsonschema:"enum=celsius,enum=kelvin,description=of temperatures"`
//
// with description, title, enum (repeated), format, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf,
// minLength, maxLength, minItems and maxItems; \\, is a comma. The tag jsonschema_description holds a description with commas.
// On a list, what is said of values (enum, pattern, minimum and so on) is meant for its items.
package schema

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Of returns the schema of T. Fields that are pointers, or have omitempty or omitzero, need not be there.
func Of[T any]() (json.RawMessage, error) { return OfType(reflect.TypeFor[T](), false) }

// Strict returns the schema of T in the form that services demand for strict: every object is closed and every member required,
// where those that need not be there may be null. Maps and values of any type have no such form and are an error.
func Strict[T any]() (json.RawMessage, error) { return OfType(reflect.TypeFor[T](), true) }

// OfType returns what Of and Strict return, for a type that is known only when the program runs.
func OfType(t reflect.Type, strict bool) (json.RawMessage, error) {
	if t == nil {
		return nil, errors.New("make schema: no type")
	}
	m := maker{strict: strict, root: elem(t), open: map[reflect.Type]bool{}, names: map[reflect.Type]string{}}
	root, err := m.of(t, 0)
	if err != nil {
		return nil, fmt.Errorf("make schema of %s: %w", t, err)
	}
	if len(m.definitions) > 0 {
		root = append(root, member{"$defs", m.definitions})
	}
	return json.Marshal(root)
}

// document is a JSON object whose members stay in order, since models write answers in the order of a schema.
type document []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (d document) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range d {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, part := range []any{m.name, m.value} {
			if j > 0 {
				b.WriteByte(':')
			}
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(part); err != nil {
				return nil, err
			}
			b.Truncate(b.Len() - 1) // the line's end
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (d document) set(name string, value any) document {
	for i := range d {
		if d[i].name == name {
			d[i].value = value
			return d
		}
	}
	return append(d, member{name, value})
}

func (d document) get(name string) any {
	for i := range d {
		if d[i].name == name {
			return d[i].value
		}
	}
	return nil
}

func (d document) has(name string) bool {
	return slices.ContainsFunc(d, func(m member) bool { return m.name == name })
}

// maxDepth is how many lists, maps and structs deep a type may be: as deep as services read.
const maxDepth = 100

// maker makes one schema.
type maker struct {
	strict      bool
	root        reflect.Type
	open        map[reflect.Type]bool   // structs that are being described
	names       map[reflect.Type]string // in definitions, of structs that contain themselves
	definitions document
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
)

func kind(name string) document { return document{{"type", name}} }

// of describes a type that is that many lists, maps and structs deep.
func (m *maker) of(t reflect.Type, depth int) (document, error) {
	switch {
	case depth > maxDepth:
		return nil, fmt.Errorf("%s is too deep, or contains itself without a struct between", t)
	case t == timeType:
		return document{{"type", "string"}, {"format", "date-time"}}, nil
	case t == rawType, t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return m.anything(t)
	case t.Kind() == reflect.Pointer:
		return m.of(t.Elem(), depth+1)
	case implements(t, jsonMarshaler):
		return m.anything(t)
	case implements(t, textMarshaler):
		return kind("string"), nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return kind("boolean"), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return kind("integer"), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return document{{"type", "integer"}, {"minimum", 0}}, nil
	case reflect.Float32, reflect.Float64:
		return kind("number"), nil
	case reflect.String:
		return kind("string"), nil
	case reflect.Slice, reflect.Array:
		return m.list(t, depth)
	case reflect.Map:
		return m.mapping(t, depth)
	case reflect.Struct:
		return m.structure(t, depth)
	default:
		return nil, fmt.Errorf("%s has no JSON", t)
	}
}

func implements(t, what reflect.Type) bool {
	return t.Implements(what) || reflect.PointerTo(t).Implements(what)
}

func (m *maker) anything(t reflect.Type) (document, error) {
	if m.strict {
		return nil, fmt.Errorf("%s can be anything, for which a strict schema has no form", t)
	}
	return document{}, nil
}

func (m *maker) list(t reflect.Type, depth int) (document, error) {
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return document{{"type", "string"}, {"contentEncoding", "base64"}}, nil
	}
	items, err := m.of(t.Elem(), depth+1)
	if err != nil {
		return nil, err
	}
	d := document{{"type", "array"}, {"items", items}}
	if t.Kind() == reflect.Array {
		d = append(d, member{"minItems", t.Len()}, member{"maxItems", t.Len()})
	}
	return d, nil
}

func (m *maker) mapping(t reflect.Type, depth int) (document, error) {
	if m.strict {
		return nil, fmt.Errorf("%s has names that are not known before, for which a strict schema has no form; use a list of structs", t)
	}
	if k := t.Key().Kind(); k != reflect.String {
		return nil, fmt.Errorf("the keys of %s are not strings", t)
	}
	values, err := m.of(t.Elem(), depth+1)
	if err != nil {
		return nil, err
	}
	return document{{"type", "object"}, {"additionalProperties", values}}, nil
}

// structure describes a struct. Where it contains itself, that is by reference to a definition, which is kept once it is complete.
func (m *maker) structure(t reflect.Type, depth int) (document, error) {
	if m.open[t] && t == m.root {
		return document{{"$ref", "#"}}, nil
	}
	if m.open[t] || m.names[t] != "" {
		if m.names[t] == "" {
			name := strings.NewReplacer("[", "_", "]", "", "/", "_", "*", "", ",", "_").Replace(t.Name())
			for m.definitions.has(name) || name == "" {
				name += "_"
			}
			m.names[t] = name
			m.definitions = append(m.definitions, member{name, nil})
		}
		return document{{"$ref", "#/$defs/" + m.names[t]}}, nil
	}
	m.open[t] = true
	defer delete(m.open, t)
	properties, required, err := m.fields(t, depth)
	if err != nil {
		return nil, err
	}
	d := document{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		d = append(d, member{"required", required})
	}
	d = append(d, member{"additionalProperties", false})
	if name := m.names[t]; name != "" {
		m.definitions = m.definitions.set(name, d)
		return document{{"$ref", "#/$defs/" + name}}, nil
	}
	return d, nil
}

func (m *maker) fields(t reflect.Type, depth int) (properties document, required []string, err error) {
	properties = document{}
	for _, f := range written(t) {
		d, err := m.of(f.Type, depth+1)
		if err == nil && f.quoted() {
			d = kind("string")
		}
		if err == nil {
			d, err = describe(d, f.Tag)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		optional := f.Type.Kind() == reflect.Pointer || strings.Contains(f.options, "omitempty") || strings.Contains(f.options, "omitzero")
		if optional && m.strict {
			d = nullable(d)
		}
		if !optional || m.strict {
			required = append(required, f.name)
		}
		properties = append(properties, member{f.name, d})
	}
	return properties, required, nil
}

// field is one that encoding/json may write.
type field struct {
	reflect.StructField

	name, options string
	tagged        bool // the name is that of the tag
	depth         int  // of embedded structs around it
}

// quoted says whether the option string counts.
func (f *field) quoted() bool {
	k := elem(f.Type).Kind()
	return slices.Contains(strings.Split(f.options, ","), "string") && (k >= reflect.Bool && k <= reflect.Float64 || k == reflect.String)
}

// written lists the fields that encoding/json writes, those of embedded structs in their place: of several with one name the least
// deep, of these the one with a tag, and none where that leaves more than one.
func written(t reflect.Type) (fields []field) {
	all := candidates(nil, t)
	for i, f := range all {
		beaten := false
		for k, g := range all {
			beaten = beaten || i != k && f.name == g.name && (g.depth < f.depth || g.depth == f.depth && (g.tagged || !f.tagged))
		}
		if !beaten {
			fields = append(fields, f)
		}
	}
	return fields
}

// candidates lists the fields of a struct and of those that are embedded in it. The last of open is t, within those before it.
func candidates(all []field, open ...reflect.Type) []field {
	for f := range open[len(open)-1].Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		inner := elem(f.Type)
		embedded := f.Anonymous && inner.Kind() == reflect.Struct
		switch {
		case tag == "-" || !f.IsExported() && !embedded:
		case embedded && name == "":
			if !slices.Contains(open, inner) {
				all = candidates(all, append(slices.Clip(open), inner)...)
			}
		default:
			all = append(all, field{f, cmp.Or(name, f.Name), options, name != "", len(open)})
		}
	}
	return all
}

func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// nullable allows null besides.
func nullable(d document) document {
	t, ok := d.get("type").(string)
	if !ok || d.get("enum") != nil {
		return document{{"anyOf", []document{d, kind("null")}}}
	}
	return d.set("type", []string{t, "null"})
}

// tooLarge says whether a number of a tag is beyond what JSON readers tell apart.
func tooLarge(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }
