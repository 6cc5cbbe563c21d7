package request

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// The bounds of a request's own structure.
const (
	maxMessages = 16 << 10
	maxInputs   = 8192
	maxTokens   = 1 << 22 // of all inputs
	maxMembers  = 1024    // of the request itself
	maxExtras   = 1 << 16 // members beyond the contract, wherever they stand
	maxRefused  = 32      // of which no more need be named
)

// fields decodes members and collects what is wrong with them.
type fields struct {
	root    jsonx.Root
	details []llm.Detail
	refused []string
	first   jsonx.Value
	dropped []string
	ignored []string
	offered []string
	extras  int
	tokens  int
	called  map[string]string // ids of calls in the deprecated form, by the names of their functions
	openAI  bool              // the contract is one of OpenAI's
	both    bool              // OpenAI's members are the contract's own, too
	legacy  bool              // functions are taken, the deprecated form of tools
}

// keep notes a member that the contract does not have; these take up most memory for each byte of a body.
func (f *fields) keep(e *llm.Extra, name string, v jsonx.Value, loc ...any) {
	switch f.extras++; {
	case f.extras <= maxExtras:
		e.Keep(name, v)
	case f.extras == maxExtras+1:
		f.fail("too_long", fmt.Sprintf("A request should have at most %d members beyond the contract", maxExtras), nil, append(loc, name)...)
	}
}

// absent reports whether a member that is needed is not there, and complains if so.
func (f *fields) absent(v jsonx.Value, loc ...any) bool {
	if v.Kind() == jsonx.Absent {
		f.fail("missing", "Field required", nil, loc...)
		return true
	}
	return false
}

func (f *fields) str(v jsonx.Value, loc ...any) string {
	s, err := v.Str()
	if err != nil && !v.Null() {
		f.fail("string_type", "Input should be a valid string", v, loc...)
	}
	return s
}

func (f *fields) text(v jsonx.Value, loc ...any) (llm.Text, bool) {
	switch {
	case f.absent(v, loc...):
	case v.Kind() != jsonx.String:
		f.fail("string_type", "Input should be a valid string", v, loc...)
	default:
		return llm.QuotedText(v), true
	}
	return llm.Text{}, false
}

func (f *fields) boolean(v jsonx.Value, loc ...any) *bool {
	if v.Null() {
		return nil
	}
	b, err := v.Bool()
	if err != nil {
		f.fail("bool_type", "Input should be a valid boolean", v, loc...)
		return nil
	}
	return &b
}

func (f *fields) number(v jsonx.Value, low, high float64, loc ...any) *float64 {
	if v.Null() {
		return nil
	}
	n, err := v.Float()
	switch {
	case errors.Is(err, jsonx.ErrType):
		f.fail("float_type", "Input should be a valid number", v, loc...)
	case err != nil || n > high:
		f.fail("less_than_equal", "Input should be less than or equal to "+bound(high), v, loc...)
	case n < low:
		f.fail("greater_than_equal", "Input should be greater than or equal to "+bound(low), v, loc...)
	default:
		return &n
	}
	return nil
}

func bound(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (f *fields) integer(v jsonx.Value, low, high int64, loc ...any) *int64 {
	if v.Null() {
		return nil
	}
	n, err := v.Int()
	far := 0
	if err != nil {
		far = beyond(v)
	}
	switch {
	case err != nil && far == 0:
		f.fail("int_type", "Input should be a valid integer", v, loc...)
	case far < 0 || far == 0 && n < low:
		f.fail("greater_than_equal", "Input should be greater than or equal to "+strconv.FormatInt(low, 10), v, loc...)
	case far > 0 || n > high:
		f.fail("less_than_equal", "Input should be less than or equal to "+strconv.FormatInt(high, 10), v, loc...)
	default:
		return &n
	}
	return nil
}

// beyond tells on which side of the 64-bit integers a whole number lies; 0 for any other value.
func beyond(v jsonx.Value) int {
	const edge = 1 << 62
	n, err := v.Float()
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0
	case (err != nil || n < -edge) && v[0] == '-':
		return -1
	case err != nil || n > edge:
		return 1
	}
	return 0
}

func (f *fields) count(v jsonx.Value, low int64, loc ...any) *int {
	if n := f.integer(v, low, math.MaxInt32, loc...); n != nil {
		return new(int(*n))
	}
	return nil
}

// limit decodes a number of tokens. The contract knows no highest one: whatever is beyond every context is the same.
func (f *fields) limit(v jsonx.Value, loc ...any) *int {
	if n, err := v.Int(); err == nil && n > math.MaxInt32 || err != nil && beyond(v) > 0 {
		return new(math.MaxInt32)
	}
	if f.openAI {
		return f.count(v, 1, loc...)
	}
	return f.count(v, 0, loc...)
}

func (f *fields) enum(v jsonx.Value, allowed []string, loc ...any) string {
	for _, a := range allowed {
		if v.Is(a) {
			return a
		}
	}
	if !f.full() && !f.absent(v, loc...) {
		f.fail("enum", "Input should be "+oneOf(allowed), v, loc...)
	}
	return ""
}

// oneOf says 'a', 'b' or 'c'.
func oneOf(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = "'" + n + "'"
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

// object reports whether v is an object, and complains if not.
func (f *fields) object(v jsonx.Value, loc ...any) bool {
	switch {
	case f.absent(v, loc...):
	case v.Kind() != jsonx.Object:
		f.fail("dict_type", "Input should be a valid dictionary", v, loc...)
	default:
		return true
	}
	return false
}

// list reports whether v is an array of 1 to most elements, and complains if not.
func (f *fields) list(v jsonx.Value, most int, loc ...any) bool {
	if v.Kind() != jsonx.Array {
		f.fail("list_type", "Input should be a valid list", v, loc...)
		return false
	}
	switch n := length(v); {
	case n > most:
		f.fail("too_long", fmt.Sprintf("List should have at most %d items", most), nil, loc...)
		return false
	case n == 0:
		f.fail("too_short", "List should have at least 1 item after validation, not 0", v, loc...)
		return false
	}
	return true
}

func length(v jsonx.Value) int {
	n := 0
	for range v.Elements() {
		n++
	}
	return n
}

// sampling decodes the members that chat and text completions share; false if name is none of them.
func (f *fields) sampling(s *llm.Sampling, name string, v jsonx.Value) bool {
	switch name {
	case "max_tokens":
		if n := f.limit(v, name); n != nil {
			s.MaxTokens = n
		}
	case "temperature":
		s.Temperature = f.number(v, 0, 2, name)
	case "top_p":
		s.TopP = f.number(v, 0, 1, name)
	case "frequency_penalty":
		s.FrequencyPenalty = f.number(v, -2, 2, name)
	case "presence_penalty":
		s.PresencePenalty = f.number(v, -2, 2, name)
	case "seed":
		s.Seed = f.integer(v, -1<<63, 1<<63-1, name)
	case "stop":
		s.Stop = f.stops(v)
	default:
		return false
	}
	return true
}

func (f *fields) stops(v jsonx.Value) []string {
	if v.Null() {
		return nil
	}
	if v.Kind() == jsonx.String {
		if v.Is("") {
			f.fail("string_too_short", "String should have at least 1 character", v, "stop")
		}
		return []string{v.Text()}
	}
	most := 64
	if f.openAI {
		most = 4
	}
	if !f.list(v, most, "stop") {
		return nil
	}
	var stops []string
	for i, e := range v.Elements() {
		t, ok := f.text(e, "stop", i)
		if ok && t.Empty() {
			f.fail("string_too_short", "String should have at least 1 character", e, "stop", i)
		}
		stops = append(stops, t.String())
	}
	return stops
}

// usageChunk decodes stream_options.
func (f *fields) usageChunk(v jsonx.Value) bool {
	if v.Null() || !f.object(v, "stream_options") {
		return false
	}
	b := f.boolean(v.Get("include_usage"), "stream_options", "include_usage")
	return b != nil && *b
}
