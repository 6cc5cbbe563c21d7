// Package object encodes and decodes JSON objects of which some members have a field in a struct and the others are kept as they are.
package object

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Encode writes the struct known as JSON object, followed by the members of extra in the order of their names.
// A member of extra that known has a field for is an error.
func Encode[M ~map[string]V, V any](known any, extra M) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(known); err != nil {
		return nil, err
	}
	body := bytes.TrimRight(buf.Bytes(), "\n")
	if len(extra) == 0 {
		return body, nil
	}
	for _, name := range members(known) {
		if _, ok := extra[name]; ok {
			return nil, fmt.Errorf("extra member %q has a field of its own; set that", name)
		}
	}
	body = body[:len(body)-1]
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		buf := new(bytes.Buffer)
		enc := json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(extra[name]); err != nil {
			return nil, fmt.Errorf("extra member %q is not valid JSON: %w", name, err)
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		body = append(append(append(body, quoted...), ':'), bytes.TrimRight(buf.Bytes(), "\n")...)
	}
	return append(body, '}'), nil
}

// Decode reads a JSON object into the struct that known points to, and what that has no field for into extra.
func Decode[M ~map[string]json.RawMessage](data []byte, known any, extra *M) error {
	if err := json.Unmarshal(data, known); err != nil {
		return err
	}
	*extra = nil
	names := members(known)
	for quoted, value := range all(data) {
		name := string(quoted[1 : len(quoted)-1])
		if strings.Contains(name, `\`) || !utf8.ValidString(name) {
			if err := json.Unmarshal(quoted, &name); err != nil {
				return err
			}
		}
		if slices.Contains(names, name) {
			continue
		}
		if *extra == nil {
			*extra = M{}
		}
		(*extra)[name] = bytes.Clone(value)
	}
	return nil
}

// members lists the JSON names of a struct's fields, those of embedded structs too.
func members(v any) []string {
	return appendMembers(make([]string, 0, 16), reflect.Indirect(reflect.ValueOf(v)).Type())
}

func appendMembers(names []string, t reflect.Type) []string {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			names = appendMembers(names, f.Type)
		} else if name != "-" && name != "" {
			names = append(names, name)
		}
	}
	return names
}
