// Package openai is the JSON family that Azure AI Model Inference, Azure OpenAI and OpenAI v1
// share: requests and replies, read and written, for the doors that serve it and for the
// servers that speak it.
package openai

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Admission is what a door does with a root member.
type Admission byte

// The admissions: a member is taken, left out and listed as dropped, or refused.
const (
	Take Admission = iota
	Drop
	Refuse
)

// Contract is what a door says about the root members of a request.
type Contract struct {
	Wire llm.Wire
	// Admit judges a member by name.
	Admit func(member string) Admission
	// Refused makes the error of the members that were refused.
	Refused func(members []string, first jsonx.Value) *llm.Error
	// MayDrop lets targets leave out what they cannot do.
	MayDrop bool
}

// The bounds of a request's own structure.
const (
	maxDetails  = 16
	maxInput    = 1 << 10
	maxMessages = 16 << 10
	maxTools    = 1024
	maxInputs   = 8192
	maxTokens   = 1 << 22 // of all inputs
	maxMembers  = 1024    // of the request itself
	maxExtras   = 1 << 16 // members beyond the contract, wherever they stand
	maxRefused  = 32      // of which no more need be named
)

// fields decodes members and collects what is wrong with them.
type fields struct {
	details []llm.Detail
	refused []string
	first   jsonx.Value
	dropped []string
	extras  int
	tokens  int
}

// open parses a body and walks its root members through the contract; set is called for those taken.
func (f *fields) open(body []byte, c Contract, set func(name string, v jsonx.Value)) error {
	root, err := jsonx.Parse(body)
	if err != nil {
		return &llm.Error{Kind: llm.Malformed, Message: "The request body is not valid JSON: " + err.Error() + "."}
	}
	if root.Kind() != jsonx.Object {
		return &llm.Error{Kind: llm.Malformed, Message: "The request body must be a JSON object."}
	}
	members := 0
	for name, v := range root.Members() {
		if members++; members > maxMembers {
			f.fail("too_long", fmt.Sprintf("A request should have at most %d members", maxMembers), nil)
			break
		}
		switch c.Admit(name) {
		case Take:
			set(name, v)
		case Drop:
			f.dropped = append(f.dropped, name)
		case Refuse:
			if f.refused == nil {
				f.first = v
			}
			if len(f.refused) < maxRefused {
				f.refused = append(f.refused, name)
			}
		}
	}
	return nil
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

// finish reports the errors, the contract's before the values', and notes the source.
func (f *fields) finish(e *llm.Envelope, c Contract, body []byte) error {
	if len(f.refused) > 0 {
		return c.Refused(f.refused, f.first)
	}
	if len(f.details) > 0 {
		return llm.Faulty(f.details...)
	}
	e.MayDrop, e.Dropped = c.MayDrop, f.dropped
	e.SetSource(c.Wire, body, f.dropped...)
	return nil
}

// full reports whether enough is wrong that looking for more is of no use.
func (f *fields) full() bool { return len(f.details) == maxDetails }

func (f *fields) fail(typ, msg string, input jsonx.Value, loc ...any) {
	if f.full() {
		return
	}
	f.details = append(f.details, llm.Detail{Type: typ, Msg: msg, Loc: append([]any{"body"}, loc...), Input: quote(input)})
}

// quote is what an error shows of a value: all of it, or its beginning as a string.
func quote(v jsonx.Value) []byte {
	if len(v) > maxInput {
		return jsonx.AppendString(nil, strings.ToValidUTF8(string(v[:maxInput]), "")+"…")
	}
	return v
}

// WithInputs returns a copy of e that has no more details than a caller can use, and whose details show the value
// of the request's body that they are about. Whoever finds fault with a decoded request no longer has its bytes.
func WithInputs(e *llm.Error, body []byte) *llm.Error {
	c := *e
	c.Details = slices.Clone(e.Details[:min(len(e.Details), maxDetails)])
	root, err := jsonx.Parse(body)
	if err != nil {
		return &c
	}
	for i := range c.Details {
		d := &c.Details[i]
		switch {
		case len(d.Input) > 2*maxInput+8: // longer than what quote made may be
			d.Input = quote([]byte(d.Input))
		case d.Input != nil:
		case len(d.Loc) > 0 && d.Loc[0] == "body":
			d.Input = quote(at(root, d.Loc[1:]))
		}
	}
	return &c
}

// at follows a path of names and positions.
func at(v jsonx.Value, path []any) jsonx.Value {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.Get(step)
		case int:
			parent := v
			v = nil
			for i, element := range parent.Elements() {
				if i == step {
					v = element
					break
				}
			}
		}
	}
	return v
}

func (f *fields) str(v jsonx.Value, loc ...any) string {
	s, err := v.Str()
	if err != nil && !v.Null() {
		f.fail("string_type", "Input should be a valid string", v, loc...)
	}
	return s
}

func (f *fields) text(v jsonx.Value, loc ...any) (llm.Text, bool) {
	if v.Kind() != jsonx.String {
		f.fail("string_type", "Input should be a valid string", v, loc...)
		return llm.Text{}, false
	}
	return llm.QuotedText(v), true
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
	switch {
	case err != nil:
		f.fail("int_type", "Input should be a valid integer", v, loc...)
	case n < low:
		f.fail("greater_than_equal", "Input should be greater than or equal to "+strconv.FormatInt(low, 10), v, loc...)
	case n > high:
		f.fail("less_than_equal", "Input should be less than or equal to "+strconv.FormatInt(high, 10), v, loc...)
	default:
		return &n
	}
	return nil
}

func (f *fields) count(v jsonx.Value, low int64, loc ...any) *int {
	if n := f.integer(v, low, 1<<31-1, loc...); n != nil {
		return new(int(*n))
	}
	return nil
}

func (f *fields) enum(v jsonx.Value, allowed []string, loc ...any) string {
	s := v.Text()
	for _, a := range allowed {
		if s == a && v.Kind() == jsonx.String {
			return s
		}
	}
	if !f.full() {
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
	if v.Kind() != jsonx.Object {
		f.fail("dict_type", "Input should be a valid dictionary", v, loc...)
		return false
	}
	return true
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
		if n := f.count(v, 0, name); n != nil {
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
		if v.Text() == "" {
			f.fail("string_too_short", "String should have at least 1 character", v, "stop")
		}
		return []string{v.Text()}
	}
	const most = 64
	if !f.list(v, most, "stop") {
		return nil
	}
	var stops []string
	for i, e := range v.Elements() {
		s := f.str(e, "stop", i)
		if s == "" && e.Kind() != jsonx.Number && e.Kind() != jsonx.Object {
			f.fail("string_too_short", "String should have at least 1 character", e, "stop", i)
		}
		stops = append(stops, s)
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
