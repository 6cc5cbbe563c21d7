package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Extra holds the members of a JSON object that have no field of their own, exactly as they were sent.
type Extra map[string]json.RawMessage

// encode writes known as JSON object, followed by the members of extra in the order of their names.
func encode(known any, extra Extra) ([]byte, error) {
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
		if !json.Valid(extra[name]) {
			return nil, fmt.Errorf("extra member %q is not valid JSON", name)
		}
		if len(body) > 1 {
			body = append(body, ',')
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		body = append(append(append(body, quoted...), ':'), extra[name]...)
	}
	return append(body, '}'), nil
}

// decode reads a JSON object into the struct that known points to, and what that has no field for into extra.
func decode(data []byte, known any, extra *Extra) error {
	if err := json.Unmarshal(data, known); err != nil {
		return err
	}
	var all Extra
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for _, name := range members(known) {
		delete(all, name)
	}
	*extra = nil
	if len(all) > 0 {
		*extra = all
	}
	return nil
}

// members lists the JSON names of a struct's fields.
func members(v any) []string {
	t := reflect.Indirect(reflect.ValueOf(v)).Type()
	names := make([]string, 0, t.NumField())
	for field := range t.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}
