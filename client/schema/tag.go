package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// describe adds what the tags of a field say.
func describe(d document, tag reflect.StructTag) (document, error) {
	// Beside a reference or without a type there is still room for a description.
	if text := tag.Get("jsonschema_description"); text != "" {
		d = d.set("description", text)
	}
	var enum []any
	values := &d // what keywords of values are meant for
	items, list := d.get("items").(document)
	if list {
		values = &items
	}
	for _, item := range split(tag.Get("jsonschema")) {
		name, text, _ := strings.Cut(item, "=")
		name = strings.TrimSpace(name)
		var err error
		switch name {
		case "":
		case "description", "title":
			d = d.set(name, text)
		case "format", "pattern":
			*values = values.set(name, text)
		case "enum":
			var v any
			v, err = value(*values, text)
			enum = append(enum, v)
		case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
			var n json.Number
			n, err = number(text)
			*values = values.set(name, n)
		case "minLength", "maxLength":
			var n uint64
			n, err = strconv.ParseUint(text, 10, 31)
			*values = values.set(name, n)
		case "minItems", "maxItems":
			var n uint64
			n, err = strconv.ParseUint(text, 10, 31)
			d = d.set(name, n)
		default:
			return nil, fmt.Errorf("tag jsonschema: %q is not known; the package comment lists what is", name)
		}
		if err != nil {
			return nil, fmt.Errorf("tag jsonschema: %s: %w", name, err)
		}
	}
	if enum != nil {
		*values = values.set("enum", enum)
	}
	if list {
		d = d.set("items", items)
	}
	return d, nil
}

// split divides at commas without a backslash.
func split(tag string) []string {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(tag); i++ {
		switch {
		case tag[i] == '\\' && i+1 < len(tag) && tag[i+1] == ',':
			b.WriteByte(',')
			i++
		case tag[i] == ',':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(tag[i])
		}
	}
	return append(parts, b.String())
}

// value reads an alternative as the type that the field has.
func value(d document, text string) (any, error) {
	switch d.get("type") {
	case "string":
		return text, nil
	case "integer", "number":
		return number(text)
	default:
		return nil, errors.New("only strings and numbers have alternatives")
	}
}

func number(text string) (json.Number, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || tooLarge(f) || !json.Valid([]byte(text)) {
		return "", fmt.Errorf("%q is not a number of JSON", text)
	}
	return json.Number(text), nil
}
