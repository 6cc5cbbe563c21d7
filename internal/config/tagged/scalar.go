package tagged

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Forever is the longest duration, which the word forever stands for.
const Forever = time.Duration(math.MaxInt64)

// Layers is a number of model layers; AllLayers is every one.
type Layers int

// AllLayers puts the whole model on the GPU.
const AllLayers Layers = -1

// Size is a number of bytes, written as 32MiB, 4GB or 1048576.
type Size int64

// errType says that a value is not what its field expects; the complaint built
// from it names both.
var errType = errors.New("wrong type")

// words are durations that have a name of their own.
var words = map[string]time.Duration{"none": 0, "forever": Forever}

// setText parses text as field f's type and bounds want it and stores it in v.
func setText(v reflect.Value, f reflect.StructField, text string) error {
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := setText(p.Elem(), f, text); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	var number float64
	switch v.Interface().(type) {
	case time.Duration:
		if w := f.Tag.Get("word"); w != "" && text == w {
			v.SetInt(int64(words[w]))
			return nil
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errType
		}
		v.SetInt(int64(d))
		return nil
	case Size:
		n, err := ParseSize(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(n))
		return nil
	case Layers:
		n := AllLayers
		if text != "all" {
			i, err := strconv.ParseInt(text, 10, 32)
			if err != nil || i < 0 {
				return errType
			}
			n = Layers(i)
		}
		v.SetInt(int64(n))
		return nil
	case string:
		if e := enum(f); e != nil && !slices.Contains(e, text) {
			return errType
		}
		v.SetString(text)
		return nil
	case bool:
		b, ok := map[string]bool{"on": true, "true": true, "off": false, "false": false}[text]
		if !ok {
			return errType
		}
		v.SetBool(b)
		return nil
	case int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return errType
		}
		v.SetInt(n)
		number = float64(n)
	case float64:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
			return errType
		}
		v.SetFloat(n)
		number = n
	default:
		return fmt.Errorf("no way to write a %s", v.Type())
	}
	if lo, ok := bound(f, "min"); ok && number < lo {
		return errType
	}
	if hi, ok := bound(f, "max"); ok && number > hi {
		return errType
	}
	return nil
}

// expected says what a field of type t takes, to complete "expected …".
func expected(t reflect.Type, f reflect.StructField) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if e := enum(f); e != nil {
		return "one of " + strings.Join(e, ", ")
	}
	switch reflect.Zero(t).Interface().(type) {
	case time.Duration:
		if w := f.Tag.Get("word"); w != "" {
			return "a duration such as 10s or 5m, or " + w
		}
		return "a duration such as 10s or 5m"
	case Size:
		return "a size such as 32MiB or 4GB"
	case Layers:
		return "all or a number of layers"
	case bool:
		return "on or off"
	case string:
		return "a string"
	case float64:
		return "a number" + bounds(f)
	default:
		return "a whole number" + bounds(f)
	}
}

// fits tells whether a value of type t may be written as text, or else as a
// bare number or boolean.
func fits(t reflect.Type, text string, isText bool) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[Size](), reflect.TypeFor[Layers](), reflect.TypeFor[bool]():
		return true
	case reflect.TypeFor[int](), reflect.TypeFor[float64]():
		return !isText
	case reflect.TypeFor[time.Duration]():
		return isText || text == "0"
	default:
		return isText
	}
}

func durationText(d time.Duration, word string) string {
	if word != "" && words[word] == d {
		return word
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// units are the size suffixes, the largest first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"TB", 1e12},
	{"GiB", 1 << 30},
	{"GB", 1e9},
	{"MiB", 1 << 20},
	{"MB", 1e6},
	{"KiB", 1 << 10},
	{"KB", 1e3},
	{"B", 1},
}

// ParseSize reads a number of bytes such as 32MiB, 1.5GB or 1048576.
func ParseSize(text string) (Size, error) {
	number, unit := text, int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			number, unit = strings.TrimRight(n, " "), u.bytes
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n*float64(unit) >= math.MaxInt64 || strings.Trim(number, "0123456789.") != "" {
		return 0, fmt.Errorf("read size %q: write it as 32MiB or 4GB", text)
	}
	return Size(n * float64(unit)), nil
}

// String writes s with the largest unit that divides it.
func (s Size) String() string {
	for _, u := range units {
		if n := int64(s); n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return "0"
}

// String is all or the number.
func (l Layers) String() string {
	if l == AllLayers {
		return "all"
	}
	return strconv.Itoa(int(l))
}

func enum(f reflect.StructField) []string {
	if e := f.Tag.Get("enum"); e != "" {
		return strings.Split(e, ",")
	}
	return nil
}

func bound(f reflect.StructField, which string) (float64, bool) {
	n, err := strconv.ParseFloat(f.Tag.Get(which), 64)
	return n, err == nil
}

func bounds(f reflect.StructField) string {
	if hi := f.Tag.Get("max"); hi != "" {
		return " from " + f.Tag.Get("min") + " to " + hi
	}
	return " of at least " + f.Tag.Get("min")
}
