package request

import (
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// The bounds of what an error says of a request.
const (
	maxDetails = 16
	maxInput   = 1 << 10 // bytes shown of a value
)

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
