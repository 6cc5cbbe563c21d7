package tagged

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Schema is the JSON Schema (2020-12) of a file that is read into t, so that an editor can complete and check while one writes.
func Schema(t reflect.Type, title string) []byte {
	defs := map[string]any{"variable": map[string]any{"type": "string", "pattern": `\$\{`}}
	s := object(t)
	for f := range t.Fields() {
		if f.Tag.Get("named") != "" {
			defs[defOf(f.Type)] = object(f.Type.Elem())
		}
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"], s["$defs"] = title, defs
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // maps, strings and numbers always encode
	}
	return append(b, '\n')
}

// defOf is what the schema calls the entries of a named list.
func defOf(list reflect.Type) string { return strings.ToLower(list.Elem().Name()) }

func object(t reflect.Type) map[string]any {
	members := map[string]any{}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": members}
	var required []string
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		m := schemaOf(f)
		m["description"] = f.Tag.Get("doc")
		if owners := f.Tag.Get("for"); owners == "target" {
			m["description"] = f.Tag.Get("doc") + " Only in targets."
		} else if owners != "" {
			m["description"] = f.Tag.Get("doc") + " Only with " + strings.ReplaceAll(owners, ",", " or ") + "."
		}
		members[name] = m
		if f.Tag.Get("required") != "" {
			required = append(required, name)
		}
	}
	if required != nil {
		s["required"] = required
	}
	return s
}

func schemaOf(f reflect.StructField) map[string]any {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case f.Tag.Get("named") != "":
		s := map[string]any{"type": "object", "additionalProperties": map[string]any{"$ref": "#/$defs/" + defOf(t)}}
		if lo, ok := bound(f, "min"); ok {
			s["minProperties"] = lo
		}
		return s
	case f.Tag.Get("recursive") != "":
		return map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"$ref": "#/$defs/" + defOf(t)}}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": map[string]any{"anyOf": []any{
			map[string]any{"type": map[reflect.Kind]string{reflect.Int: "integer", reflect.String: "string"}[t.Elem().Kind()]}, map[string]any{"$ref": "#/$defs/variable"},
		}}}
	case t == reflect.TypeFor[[]string]():
		return map[string]any{"type": "array", "items": map[string]any{"type": "string"}}
	case f.Tag.Get("one_of") != "":
		entry := object(t.Elem())
		var each []any
		for name := range strings.SplitSeq(f.Tag.Get("one_of"), ",") {
			each = append(each, map[string]any{"required": []string{name}})
		}
		entry["oneOf"] = each
		return map[string]any{"type": "array", "items": entry}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": object(t.Elem())}
	case f.Tag.Get("words") != "":
		words := strings.Split(f.Tag.Get("words"), ",")
		long := object(t)
		if isOpen(t) {
			long = schemaOf(t.Field(1))
		}
		return map[string]any{"default": words[0], "anyOf": []any{map[string]any{"enum": words}, long, map[string]any{"$ref": "#/$defs/variable"}}}
	case t.Kind() == reflect.Struct:
		return object(t)
	}
	value := map[string]any{}
	switch reflect.Zero(t).Interface().(type) {
	case string:
		value["type"] = "string"
		if enum(f) == nil {
			return withDefault(value, f)
		}
		value["enum"] = enum(f)
	case time.Duration:
		pattern := `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`
		if w := f.Tag.Get("word"); w != "" {
			pattern = strings.TrimSuffix(pattern, ")$") + "|" + w + ")$"
		}
		value["type"], value["pattern"] = []string{"string", "integer"}, pattern
		value["maximum"] = 0
	case Size:
		value["type"], value["pattern"], value["minimum"] = []string{"string", "number"}, `^[0-9]+(\.[0-9]+)? ?([KMGT]i?B|B)?$`, 0
	case Layers:
		value["type"], value["pattern"], value["minimum"] = []string{"string", "integer"}, `^(all|[0-9]+)$`, 0
	case bool:
		value["enum"] = []any{"on", "off", true, false}
	case int:
		value["type"] = "integer"
	default:
		value["type"] = "number"
	}
	if lo, ok := bound(f, "min"); ok {
		value["minimum"] = lo
	}
	if hi, ok := bound(f, "max"); ok {
		value["maximum"] = hi
	}
	return withDefault(map[string]any{"anyOf": []any{value, map[string]any{"$ref": "#/$defs/variable"}}}, f)
}

func withDefault(s map[string]any, f reflect.StructField) map[string]any {
	text := f.Tag.Get("default")
	if text == "" {
		return s
	}
	s["default"] = text
	if !fits(f.Type, text, true) {
		s["default"] = json.Number(text)
	}
	return s
}
