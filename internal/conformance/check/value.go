package check

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value is a JSON value in an answer. Whatever it is required to be and is not becomes a fault; the
// zero Value stands for what is missing, and requires nothing more.
type Value struct {
	t    *T
	v    any
	path string
}

// Exists says whether there is a value.
func (v Value) Exists() bool { return v.t != nil }

// Has says whether a member is there, null or not.
func (v Value) Has(name string) bool {
	m, ok := v.v.(map[string]any)
	if !ok {
		return false
	}
	_, ok = m[name]
	return ok
}

// At requires what lies below, by the names of members and the indices of elements.
func (v Value) At(path ...any) Value {
	for _, p := range path {
		if !v.Exists() {
			return v
		}
		switch p := p.(type) {
		case string:
			m, isObject := v.v.(map[string]any)
			below, ok := m[p]
			if !isObject {
				v.wrong("an object with a member " + p)
				return Value{}
			}
			next := Value{t: v.t, v: below, path: strings.TrimPrefix(v.path+"."+p, ".")}
			if !ok {
				v.t.Fault("%s is missing", next.path)
				return Value{}
			}
			v = next
		case int:
			list, _ := v.v.([]any)
			if p >= len(list) {
				v.wrong(fmt.Sprintf("a list of more than %d", p))
				return Value{}
			}
			v = Value{t: v.t, v: list[p], path: v.path + "[" + strconv.Itoa(p) + "]"}
		}
	}
	return v
}

// Maybe is what lies below, or the zero Value.
func (v Value) Maybe(name string) Value {
	if !v.Has(name) {
		return Value{}
	}
	return v.At(name)
}

// Raw is the value as encoding/json decodes it, numbers as json.Number.
func (v Value) Raw() any { return v.v }

// Null says whether the value is null.
func (v Value) Null() bool { return v.Exists() && v.v == nil }

// wrong reports that the value is not what it must be.
func (v Value) wrong(must string) {
	if v.Exists() {
		v.Fault("must be %s, but is %s", must, v.String())
	}
}

// Fault reports a violation of the value's.
func (v Value) Fault(format string, args ...any) {
	if !v.Exists() {
		return
	}
	path := v.path
	if path == "" {
		path = "the body"
	}
	v.t.Fault("%s", path+" "+fmt.Sprintf(format, args...))
}

// String is the value's JSON, shortened.
func (v Value) String() string {
	text, err := json.Marshal(v.v)
	if err != nil {
		return "?"
	}
	return clip(string(text))
}

// Is requires a text, or a whole number.
func (v Value) Is(want any) {
	if !v.Exists() {
		return
	}
	switch want := want.(type) {
	case string:
		if v.v != want {
			v.wrong(strconv.Quote(want))
		}
	case int:
		if n, ok := v.v.(json.Number); !ok || n.String() != strconv.Itoa(want) {
			v.wrong(strconv.Itoa(want))
		}
	}
}

// OneOf requires one of some texts.
func (v Value) OneOf(want ...string) {
	if s, ok := v.v.(string); v.Exists() && (!ok || !slices.Contains(want, s)) {
		v.wrong("one of " + strings.Join(want, ", "))
	}
}

// Object requires an object.
func (v Value) Object() {
	if _, ok := v.v.(map[string]any); !ok {
		v.wrong("an object")
	}
}

// List requires a list and returns its elements.
func (v Value) List() []Value {
	list, ok := v.v.([]any)
	if !ok {
		v.wrong("a list")
	}
	values := make([]Value, len(list))
	for i, e := range list {
		values[i] = Value{t: v.t, v: e, path: v.path + "[" + strconv.Itoa(i) + "]"}
	}
	return values
}

// Text requires a string.
func (v Value) Text() string {
	s, ok := v.v.(string)
	if !ok {
		v.wrong("a string")
	}
	return s
}

// NonEmpty requires a string that is not empty.
func (v Value) NonEmpty() string {
	s, ok := v.v.(string)
	if !ok || s == "" {
		v.wrong("a string that is not empty")
	}
	return s
}

// TextOrNull requires a string or null.
func (v Value) TextOrNull() string {
	if v.Null() {
		return ""
	}
	s, ok := v.v.(string)
	if !ok {
		v.wrong("a string or null")
	}
	return s
}

// Int requires an integer, written as one, that is not negative.
func (v Value) Int() int64 {
	n, ok := v.v.(json.Number)
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if !ok || err != nil || i < 0 {
		v.wrong("an integer of at least 0, without fraction or exponent")
	}
	return i
}

// Numbers requires a list of finite numbers.
func (v Value) Numbers() []float64 {
	list := v.List()
	numbers := make([]float64, len(list))
	for i, e := range list {
		n, ok := e.v.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil || math.IsInf(f, 0) {
			e.wrong("a number")
			return nil
		}
		numbers[i] = f
	}
	return numbers
}

func number(n int) string { return strconv.Itoa(n) }

func numbers(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, " or ")
}
