// Package extra knows what llama.cpp's server takes beyond the contract, and which values are sound.
package extra

import (
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// extra is what llama.cpp's server takes for a member beyond the contract. It would take more than is sound: it holds as many
// tokens as repeat_last_n says, and compares them with each other.
type extra struct {
	flag, whole bool
	low, high   float64
}

// inContext stands for the length of the model's context.
const inContext = -math.MaxFloat64

// extras are the members that the server obeys beyond the contract. Those that move a limit, such as n_predict and ignore_eos,
// are never among them.
var extras = map[string]extra{
	"top_k":              {whole: true, low: -1, high: math.MaxInt32},
	"min_p":              {high: 1},
	"typical_p":          {high: 1},
	"top_n_sigma":        {low: -1, high: 100},
	"repeat_penalty":     {low: 0.01, high: 100},
	"repetition_penalty": {low: 0.01, high: 100},
	"repeat_last_n":      {whole: true, low: -1, high: inContext},
	"dynatemp_range":     {high: 100},
	"dynatemp_exponent":  {high: 100},
	"mirostat":           {whole: true, high: 2},
	"mirostat_tau":       {high: 100},
	"mirostat_eta":       {high: 100},
	"dry_multiplier":     {high: 100},
	"dry_base":           {high: 100},
	"dry_allowed_length": {whole: true, high: inContext},
	"dry_penalty_last_n": {whole: true, low: -1, high: inContext},
	"xtc_probability":    {high: 1},
	"xtc_threshold":      {high: 1},
	"cache_prompt":       {flag: true},
}

// Names lists them.
func Names() []string { return slices.Sorted(maps.Keys(extras)) }

// Fault says what is wrong with the value of a member for a model of that context, in the manner of doc/protocol.md §7.3;
// nothing where it is sound, or where the server does not know the member.
func Fault(name string, v jsonx.Value, context int) (typ, msg string) {
	x, known := extras[name]
	if !known || v.Null() {
		return "", ""
	}
	return x.fault(v, context)
}

// fault says what is wrong with a value, nothing where it is sound.
func (x extra) fault(v jsonx.Value, context int) (typ, msg string) {
	if x.flag {
		if v.Kind() != jsonx.Bool {
			return "bool_type", "Input should be a valid boolean"
		}
		return "", ""
	}
	high := x.high
	if high == inContext {
		const usual = 64 // what the server compares by itself
		high = float64(max(context, usual))
	}
	n, err := v.Float()
	bound := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	switch {
	case v.Kind() != jsonx.Number:
		return "float_type", "Input should be a valid number"
	case err != nil || n > high:
		return "less_than_equal", "Input should be less than or equal to " + bound(high)
	case n < x.low:
		return "greater_than_equal", "Input should be greater than or equal to " + bound(x.low)
	case x.whole && n != math.Trunc(n):
		return "int_type", "Input should be a valid integer"
	}
	return "", ""
}
