package input

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// fields decodes members and keeps the first that is wrong, since this API tells of one.
type fields struct{ err *llm.Error }

// fail notes what is wrong at a place. The types of details are those of wire/openai/request.
func (f *fields) fail(kind llm.Kind, typ, msg string, loc ...any) {
	if f.err != nil {
		return
	}
	full := append([]any{"body"}, loc...)
	f.err = &llm.Error{Kind: kind, Message: msg, Param: dialect.Place(full), Details: []llm.Detail{{Type: typ, Msg: msg, Loc: full}}}
}

// unknown refuses a member that the API does not have.
func (f *fields) unknown(loc ...any) {
	f.fail(llm.UnknownParam, "extra_forbidden", "Unknown parameter: '"+place(loc)+"'.", loc...)
}

// unsupported refuses what the API has and this endpoint has not.
func (f *fields) unsupported(why string, loc ...any) {
	f.fail(llm.Unsupported, "parameter_not_supported", "Unsupported parameter: '"+place(loc)+"' is not supported by this endpoint: "+why, loc...)
}

func place(loc []any) string { return dialect.Place(append([]any{"body"}, loc...)) }

// wrong refuses a value of another type.
func (f *fields) wrong(v jsonx.Value, typ, want string, loc ...any) {
	if v.Kind() == jsonx.Absent {
		f.fail(llm.Invalid, "missing", "Missing required parameter: '"+place(loc)+"'.", loc...)
		return
	}
	f.fail(llm.Invalid, typ, "Invalid type for '"+place(loc)+"': expected "+want+", but got "+dialect.TypeOf(v)+" instead.", loc...)
}

func (f *fields) str(v jsonx.Value, loc ...any) string {
	s, err := v.Str()
	if err != nil {
		f.wrong(v, "string_type", "a string", loc...)
	}
	return s
}

func (f *fields) text(v jsonx.Value, loc ...any) llm.Text {
	if v.Kind() != jsonx.String {
		f.wrong(v, "string_type", "a string", loc...)
		return llm.Text{}
	}
	return llm.QuotedText(v)
}

func (f *fields) boolean(v jsonx.Value, loc ...any) *bool {
	if v.Null() {
		return nil
	}
	b, err := v.Bool()
	if err != nil {
		f.wrong(v, "bool_type", "a boolean", loc...)
		return nil
	}
	return &b
}

func (f *fields) number(v jsonx.Value, low, high float64, loc ...any) *float64 {
	if v.Null() {
		return nil
	}
	if v.Kind() != jsonx.Number {
		f.wrong(v, "float_type", "a decimal", loc...)
		return nil
	}
	n, err := v.Float()
	if err != nil || n < low || n > high {
		f.fail(llm.Invalid, "out_of_range", "Invalid '"+place(loc)+"': expected a decimal from "+bound(low)+" to "+bound(high)+", but got "+shown(v)+" instead.", loc...)
		return nil
	}
	return &n
}

func (f *fields) integer(v jsonx.Value, low, high int64, loc ...any) *int {
	if v.Null() {
		return nil
	}
	n, err := v.Int()
	if err != nil && v.Kind() != jsonx.Number {
		f.wrong(v, "int_type", "an integer", loc...)
		return nil
	}
	if err != nil || n < low || n > high {
		f.fail(llm.Invalid, "out_of_range", "Invalid '"+place(loc)+"': expected an integer from "+strconv.FormatInt(low, 10)+" to "+strconv.FormatInt(high, 10)+", but got "+shown(v)+" instead.", loc...)
		return nil
	}
	return new(int(n))
}

// most is the largest limit of tokens: whatever is beyond every context is the same.
const most = math.MaxInt32

func bound(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// shown is a value as a message repeats it.
func shown(v jsonx.Value) string { return dialect.Clip(string(v)) }

func (f *fields) enum(v jsonx.Value, allowed []string, loc ...any) string {
	if v.Kind() != jsonx.String {
		f.wrong(v, "string_type", "one of "+oneOf(allowed), loc...)
		return ""
	}
	s := v.Text()
	if slices.Contains(allowed, s) {
		return s
	}
	f.fail(llm.Invalid, "enum", "Invalid value: '"+dialect.Clip(s)+"'. Supported values are: "+oneOf(allowed)+".", loc...)
	return ""
}

// oneOf says 'a', 'b', and 'c', as the service does.
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "'" + n + "'"
	}
	switch last := len(quoted) - 1; last {
	case 0:
		return quoted[0]
	case 1:
		return quoted[0] + " and " + quoted[1]
	default:
		return strings.Join(quoted[:last], ", ") + ", and " + quoted[last]
	}
}

func (f *fields) object(v jsonx.Value, loc ...any) bool {
	if v.Kind() != jsonx.Object {
		f.wrong(v, "dict_type", "an object", loc...)
		return false
	}
	return true
}

// list reports whether v is an array of at most so many elements.
func (f *fields) list(v jsonx.Value, most int, loc ...any) bool {
	if v.Kind() != jsonx.Array {
		f.wrong(v, "list_type", "an array", loc...)
		return false
	}
	for i := range v.Elements() {
		if i == most {
			f.fail(llm.Invalid, "too_long", "Invalid '"+place(loc)+"': array too long. Expected an array with maximum length "+strconv.Itoa(most)+".", loc...)
			return false
		}
	}
	return true
}

// identifier decodes a name of 1 to 64 letters, digits, underscores and hyphens.
func (f *fields) identifier(v jsonx.Value, loc ...any) string {
	s := f.str(v, loc...)
	ok := s != "" && len(s) <= 64
	for i := range len(s) {
		c := s[i]
		ok = ok && (c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if !ok {
		f.fail(llm.Invalid, "string_pattern_mismatch", "Invalid '"+place(loc)+"': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.", loc...)
	}
	return s
}

// sized decodes a string of at most so many characters.
func (f *fields) sized(v jsonx.Value, most int, loc ...any) string {
	s := f.str(v, loc...)
	if utf8.RuneCountInString(s) > most {
		f.fail(llm.Invalid, "string_too_long", "Invalid '"+place(loc)+"': string too long. Expected a string with maximum length "+strconv.Itoa(most)+".", loc...)
	}
	return s
}

// only refuses members of an object that have a value and are none of these.
func (f *fields) only(v jsonx.Value, names []string, loc ...any) {
	for name, m := range v.Members() {
		if !m.Null() && !slices.Contains(names, name) {
			f.unknown(append(slices.Clip(loc), name)...)
			return
		}
	}
}
