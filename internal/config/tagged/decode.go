package tagged

import (
	"fmt"
	"iter"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// decoder lays a YAML tree over a struct whose fields already hold their
// defaults, and goes on after a complaint so that all are reported together.
type decoder struct {
	src      Source
	env      func(string) (string, bool)
	anchors  map[string]ast.Node
	values   int
	problems Problems
}

func (d *decoder) complain(n ast.Node, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{placeOf(n), path, fmt.Sprintf(format, args...)})
}

// plain follows anchors and aliases to the value they stand for.
func (d *decoder) plain(n ast.Node, path string) (ast.Node, bool) {
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.complain(n, path, "the file holds more than %d values", maxValues)
		}
		return nil, false
	}
	for {
		switch t := n.(type) {
		case *ast.AnchorNode:
			d.anchors[t.Name.GetToken().Value] = t.Value
			n = t.Value
		case *ast.AliasNode:
			name := t.Value.GetToken().Value
			to, ok := d.anchors[name]
			if _, again := to.(*ast.AliasNode); !ok || again {
				d.complain(n, path, "no anchor &%s before this alias", name)
				return nil, false
			}
			n = to
		case *ast.TagNode:
			d.complain(n, path, "tags such as %s are not used here", t.GetToken().Value)
			return nil, false
		case nil:
			return nil, false
		default:
			return n, true
		}
	}
}

// value decodes n into v, which f describes.
func (d *decoder) value(n ast.Node, v reflect.Value, f reflect.StructField, path string) {
	node, ok := d.plain(n, path)
	if !ok || isNull(node) {
		return
	}
	d.src.at[path] = placeOf(n)
	switch {
	case f.Tag.Get("words") != "" && isScalar(node):
		d.scalar(node, v.Field(0), v.Type().Field(0), path)
	case f.Tag.Get("words") != "" && isOpen(v.Type()):
		d.value(n, v.Field(1), v.Type().Field(1), path)
		if v.Field(1).Len() == 0 { // which says no more than the word does
			v.Field(1).SetZero()
		}
	case isStruct(v.Type()):
		d.members(node, v, path)
	case v.Kind() == reflect.Map:
		d.table(node, v, path)
	case f.Tag.Get("named") != "":
		d.named(node, v, f, path)
	case v.Kind() == reflect.Slice:
		d.list(node, v, f, path)
	default:
		d.scalar(node, v, f, path)
	}
}

// entries are the entries of mapping n by name, each name once, with what is
// not one of them complained about.
func (d *decoder) entries(n ast.Node, path, want string) iter.Seq2[string, *ast.MappingValueNode] {
	return func(yield func(string, *ast.MappingValueNode) bool) {
		m, ok := n.(*ast.MappingNode)
		if !ok {
			d.complain(n, path, "expected %s, got %s", want, kindOf(n))
			return
		}
		seen := map[string]place{}
		for _, e := range m.Values {
			name := e.Key.GetToken().Value
			at := Join(path, name)
			if first, again := seen[name]; again {
				d.complain(e.Key, at, "given twice, first in line %d", first.line)
				continue
			}
			seen[name] = placeOf(e.Key)
			d.src.at[at] = placeOf(e.Key)
			if !yield(name, e) {
				return
			}
		}
	}
}

func (d *decoder) members(n ast.Node, v reflect.Value, path string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	Fill(v.Addr().Interface())
	for name, e := range d.entries(n, path, "members (name: value)") {
		if f, ok := member(v.Type(), name); ok {
			d.value(e.Value, v.FieldByIndex(f.Index), f, Join(path, name))
		} else {
			d.complain(e.Key, Join(path, name), "unknown member; %s", Suggest(name, memberNames(v.Type()), "known here: "))
		}
	}
	for f := range v.Type().Fields() {
		at := Join(path, f.Tag.Get("yaml"))
		if _, given := d.src.at[at]; f.Tag.Get("required") != "" && !given {
			d.complain(n, at, "missing")
		}
	}
}

// named decodes name: {…} into a list of what has a name.
func (d *decoder) named(n ast.Node, v reflect.Value, f reflect.StructField, path string) {
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for name, e := range d.entries(n, path, f.Tag.Get("yaml")+" (name: {…})") {
		one := reflect.New(v.Type().Elem()).Elem()
		one.FieldByName("Name").SetString(name)
		if isNull(e.Value) {
			Fill(one.Addr().Interface())
		}
		d.value(e.Value, one, reflect.StructField{}, Join(path, name))
		list = reflect.Append(list, one)
	}
	v.Set(list)
}

// table decodes name: value into a map.
func (d *decoder) table(n ast.Node, v reflect.Value, path string) {
	v.SetZero()
	for name, e := range d.entries(n, path, "names and their values (name: …)") {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(e.Value, one, reflect.StructField{}, Join(path, name))
		v.SetMapIndex(reflect.ValueOf(name), one)
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, f reflect.StructField, path string) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		d.complain(n, path, "expected a list (- …), got %s", kindOf(n))
		return
	}
	list := reflect.MakeSlice(v.Type(), len(seq.Values), len(seq.Values))
	for i, e := range seq.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		if isNull(e) {
			d.complain(e, at, "is empty")
			continue
		}
		d.value(e, list.Index(i), f, at)
	}
	v.Set(list)
}

func (d *decoder) scalar(n ast.Node, v reflect.Value, f reflect.StructField, path string) {
	var text string
	var isText, outside bool
	switch t := n.(type) {
	case *ast.StringNode:
		text, isText = t.Value, true
	case *ast.LiteralNode:
		text, isText = t.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode:
		text = n.GetToken().Value
	default:
		d.complain(n, path, "expected %s, got %s", expected(v.Type(), f), kindOf(n))
		return
	}
	got := fmt.Sprintf("%q", text)
	if isText {
		full, err := expand(text, d.env)
		if err != nil {
			d.complain(n, path, "%v", err)
			return
		}
		if outside = full != text; outside {
			got = "another value from the environment"
			d.src.outside[path] = true
		}
		text = full
	}
	if f.Tag.Get("secret") == "true" {
		got = "something else"
	}
	err := setText(v, f, text)
	if err == nil && !outside && !fits(v.Type(), text, isText) {
		err = errType
		if !isText {
			got = "a bare " + kindOf(n) + ": put it in quotes"
		}
	}
	if err != nil {
		d.complain(n, path, "expected %s, got %s%s", expected(v.Type(), f), got, didYouMean(text, f))
	}
}

func isNull(n ast.Node) bool { _, ok := n.(*ast.NullNode); return ok || n == nil }

// isScalar is true for a value that is neither a list nor has members.
func isScalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.SequenceNode:
		return false
	}
	return true
}

// isStruct is true for a struct of ours and for a pointer to one.
func isStruct(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct
}

// isOpen is true for a struct of words whose second field is all else that it may be.
func isOpen(t reflect.Type) bool {
	k := t.Field(1).Type.Kind()
	return k == reflect.Slice || k == reflect.Map
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "members"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "number"
	case *ast.BoolNode:
		return "boolean"
	default:
		return strings.ToLower(n.Type().String())
	}
}

// member finds the field of struct t that the file calls name.
func member(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if tag := f.Tag.Get("yaml"); tag == name && tag != "" && tag != "-" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

func memberNames(t reflect.Type) (names []string) {
	for f := range t.Fields() {
		if tag := f.Tag.Get("yaml"); tag != "" && tag != "-" {
			names = append(names, tag)
		}
	}
	return names
}

// Join is the path of a member of what has that path.
func Join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
