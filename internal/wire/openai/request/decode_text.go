package request

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeComplete reads a text completion request (doc/protocol.md §4.1). The request aliases body.
func DecodeComplete(body []byte, c Contract) (*llm.CompleteRequest, error) {
	var f fields
	r := &llm.CompleteRequest{}
	var prompt, options jsonx.Value
	err := f.open(body, c, func(name string, v jsonx.Value) {
		if f.sampling(&r.Sampling, name, v) {
			return
		}
		switch name {
		case "prompt":
			prompt = v
		case "model":
			r.Model = f.str(v, name)
		case "stream":
			b := f.boolean(v, name)
			r.Stream = b != nil && *b
		case "n":
			r.N = f.choices(v, name)
		case "best_of":
			r.BestOf = f.choices(v, name)
		case "echo":
			b := f.boolean(v, name)
			r.Echo = b != nil && *b
		case "suffix":
			if !v.Null() {
				r.Suffix = new(f.str(v, name))
			}
		case "logprobs":
			r.Logprobs = f.atMost(v, 5, name)
		case "logit_bias":
			r.LogitBias = f.bias(v)
		case "user":
			r.User = f.str(v, name)
		case "stream_options":
			options, r.UsageChunk = v, f.usageChunk(v)
		default:
			f.keep(&r.Extra, name, v)
		}
	})
	if err != nil {
		return nil, err
	}
	r.Prompts = f.inputs(prompt, "prompt", true)
	f.best(r)
	f.streamOptions(options, r.Stream)
	if err := f.finish(&r.Envelope, c, body); err != nil {
		return nil, err
	}
	return r, nil
}

// best checks n and best_of against what they stand beside (doc/protocol.md §4.1).
func (f *fields) best(r *llm.CompleteRequest) {
	switch n := r.N; {
	case r.BestOf == nil || *r.BestOf < 2 && n == nil:
	case n != nil && *r.BestOf < *n:
		f.fail("value_error", "best_of should be at least n", nil, "best_of")
	case r.Stream && *r.BestOf > 1:
		f.fail("value_error", "best_of cannot be streamed", nil, "best_of")
	}
	name, most := "n", r.N
	if r.BestOf != nil {
		name, most = "best_of", r.BestOf
	}
	if most != nil && *most*len(r.Prompts) > maxInputs {
		f.fail("value_error", name+" times prompts should be at most "+strconv.Itoa(maxInputs), nil, name)
	}
}

// DecodeEmbed reads a text embedding request (doc/protocol.md §5.1). The request aliases body.
func DecodeEmbed(body []byte, c Contract) (*llm.EmbedRequest, error) {
	return decodeEmbed(body, c, func(f *fields, input jsonx.Value) []llm.Input { return f.inputs(input, "input", false) })
}

// decodeEmbed reads what requests to embed have in common; items reads the input.
func decodeEmbed(body []byte, c Contract, items func(*fields, jsonx.Value) []llm.Input) (*llm.EmbedRequest, error) {
	var f fields
	r := &llm.EmbedRequest{Encoding: llm.Float}
	var input jsonx.Value
	err := f.open(body, c, func(name string, v jsonx.Value) {
		switch name {
		case "input":
			input = v
		case "model":
			r.Model = f.str(v, name)
		case "dimensions":
			r.Dimensions = f.count(v, 1, name)
		case "encoding_format":
			if !v.Null() {
				known := []string{"float", "base64", "binary", "ubinary", "int8", "uint8"}
				if f.openAI {
					known = known[:2]
				}
				r.Encoding = llm.Encoding(f.enum(v, known, name))
			}
		case "input_type":
			if !v.Null() {
				r.InputType = llm.InputType(f.enum(v, []string{"text", "query", "document"}, name))
			}
		case "user":
			r.User = f.str(v, name)
		default:
			f.keep(&r.Extra, name, v)
		}
	})
	if err != nil {
		return nil, err
	}
	r.Items = items(&f, input)
	if err := f.finish(&r.Envelope, c, body); err != nil {
		return nil, err
	}
	return r, nil
}

// inputs decodes a string, strings, token ids, or lists of token ids.
func (f *fields) inputs(v jsonx.Value, member string, mayBeEmpty bool) []llm.Input {
	switch v.Kind() {
	case jsonx.Absent:
		f.absent(v, member)
		return nil
	case jsonx.String:
		if !mayBeEmpty && len(v) == 2 {
			f.fail("string_too_short", "String should have at least 1 character", v, member)
		}
		return []llm.Input{llm.QuotedText(v)}
	case jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Object:
		f.fail("string_type", "Input should be a valid string, a list of strings or token ids", v, member)
		return nil
	case jsonx.Array:
	}
	if firstKind(v) == jsonx.Number {
		if t := f.ids(v, member); t != nil {
			return []llm.Input{t}
		}
		return nil
	}
	if !f.list(v, maxInputs, member) {
		return nil
	}
	var out []llm.Input
	for i, e := range v.Elements() {
		if f.full() {
			return nil
		}
		switch e.Kind() {
		case jsonx.String:
			if !mayBeEmpty && len(e) == 2 {
				f.fail("string_too_short", "String should have at least 1 character", e, member, i)
			}
			out = append(out, llm.QuotedText(e))
		case jsonx.Array:
			out = append(out, f.ids(e, member, i))
		case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number, jsonx.Object:
			f.fail("string_type", "Input should be a valid string", e, member, i)
		}
	}
	return out
}

func firstKind(v jsonx.Value) jsonx.Kind {
	for _, e := range v.Elements() {
		return e.Kind()
	}
	return jsonx.Absent
}

func (f *fields) ids(v jsonx.Value, loc ...any) llm.Tokens {
	if !f.list(v, maxTokens, loc...) {
		return nil
	}
	n := length(v)
	if f.tokens += n; f.tokens > maxTokens {
		f.fail("too_long", fmt.Sprintf("A request should have at most %d token ids", maxTokens), nil, loc[:1]...)
		return nil
	}
	t := make(llm.Tokens, 0, n)
	for i, e := range v.Elements() {
		id, err := e.Int()
		switch {
		case err == nil && id >= 0 && id <= math.MaxInt32:
			t = append(t, int(id))
		case f.full():
			return nil
		case e.Null():
			f.fail("int_type", "Input should be a valid integer", e, append(slices.Clone(loc), i)...)
		default:
			f.integer(e, 0, math.MaxInt32, append(slices.Clone(loc), i)...)
		}
	}
	return t
}
