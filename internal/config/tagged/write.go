package tagged

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Write writes the struct that v is, defaults included, as a file that Read reads back. With hideSecrets the secrets, and what
// looks like one in a command line, are replaced. What skip says of a field of a struct is left out; nil: nothing is.
func Write(v any, hideSecrets bool, skip func(of reflect.Value, f reflect.StructField) bool) []byte {
	w := &writer{hide: hideSecrets, skip: skip}
	w.members(reflect.ValueOf(v), "", "")
	return w.Bytes()
}

const hidden = "(hidden)"

type writer struct {
	bytes.Buffer
	hide bool
	skip func(reflect.Value, reflect.StructField) bool
}

// members writes the struct v. The first line begins with lead, the others
// with indent.
func (w *writer) members(v reflect.Value, lead, indent string) {
	for f, fv := range v.Fields() {
		name := f.Tag.Get("yaml")
		unset := fv.Kind() == reflect.Pointer && fv.IsNil() || fv.Kind() == reflect.String && fv.Len() == 0 || fv.Kind() == reflect.Map && fv.Len() == 0 ||
			fv.Kind() == reflect.Slice && fv.Len() == 0 && (fv.IsNil() || fv.Type() != reflect.TypeFor[[]string]())
		if name == "" || name == "-" || unset || w.skip != nil && w.skip(v, f) {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			fv = fv.Elem()
		}
		fmt.Fprintf(w, "%s%s:", lead, name)
		lead = indent
		if f.Tag.Get("words") != "" {
			if fv.Field(1).IsZero() || fv.Field(1).Kind() != reflect.String && fv.Field(1).Len() == 0 {
				fmt.Fprintf(w, " %s\n", fv.Field(0).Interface())
				continue
			}
			if isOpen(fv.Type()) {
				fv, f = fv.Field(1), fv.Type().Field(1)
			}
		}
		switch {
		case fv.Type() == reflect.TypeFor[[]string]():
			texts, _ := reflect.TypeAssert[[]string](fv)
			quoted := make([]string, len(texts))
			for i, text := range texts {
				quoted[i] = quote(strings.ReplaceAll(text, "${", "$${"))
			}
			fmt.Fprintf(w, " [%s]\n", strings.Join(quoted, ", "))
		case f.Tag.Get("named") != "":
			w.WriteByte('\n')
			for i := range fv.Len() {
				fmt.Fprintf(w, "%s  %s:\n", indent, quote(fv.Index(i).FieldByName("Name").String()))
				w.members(fv.Index(i), indent+"    ", indent+"    ")
			}
		case fv.Kind() == reflect.Slice:
			w.WriteByte('\n')
			for i := range fv.Len() {
				w.members(fv.Index(i), indent+"  - ", indent+"    ")
			}
		case fv.Kind() == reflect.Map:
			w.WriteByte('\n')
			keys := fv.MapKeys()
			slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
			for _, key := range keys {
				fmt.Fprintf(w, "%s  %s: %s\n", indent, quote(key.String()), w.scalar(fv.MapIndex(key), f))
			}
		case fv.Kind() == reflect.Struct:
			w.WriteByte('\n')
			w.members(fv, indent+"  ", indent+"  ")
		default:
			fmt.Fprintf(w, " %s\n", w.scalar(fv, f))
		}
	}
}

// commandSecret finds --api-key X, --token=X and their kin, and urlSecret the password in a URL.
var (
	commandSecret = regexp.MustCompile(`(?i)((?:key|token|secret|password)["']?(?:=|\s+))\S+`)
	urlSecret     = regexp.MustCompile(`(://[^\s/?#@:]*:)[^\s/?#@]+@`)
)

func (w *writer) scalar(v reflect.Value, f reflect.StructField) string {
	switch t := v.Interface().(type) {
	case string:
		switch {
		case w.hide && f.Tag.Get("secret") == "true":
			t = hidden
		case w.hide && f.Tag.Get("secret") == "inside":
			t = commandSecret.ReplaceAllString(t, "${1}"+hidden)
			t = urlSecret.ReplaceAllString(t, "${1}"+hidden+"@")
		}
		return quote(strings.ReplaceAll(t, "${", "$${"))
	case time.Duration:
		return durationText(t, f.Tag.Get("word"))
	case bool:
		if t {
			return "on"
		}
		return "off"
	default:
		return fmt.Sprint(t)
	}
}

// bare is a string that every YAML reader takes for a string.
var bare = regexp.MustCompile(`^[A-Za-z_/][A-Za-z0-9_./-]*$`)

// quote writes s plain where that is safe, else as JSON does, which YAML reads.
func quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "null", "on", "off", "yes", "no", "y", "n":
	default:
		if bare.MatchString(s) {
			return s
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
