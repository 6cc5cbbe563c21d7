package vector_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ingot-llm/ingot/client/internal/vector"
)

func TestEncodings(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		got  func(json.RawMessage) (any, error)
		want any // nil for an error
	}{
		`[1,-2.5,0]`:      {as(vector.Floats), []float32{1, -2.5, 0}},
		`"AACAPwAAAMA="`:  {as(vector.Floats), []float32{1, -2}},
		`""`:              {as(vector.Floats), []float32{}},
		`"AACA"`:          {as(vector.Floats), nil},
		`"?"`:             {as(vector.Floats), nil},
		`["1"]`:           {as(vector.Floats), nil},
		`{}`:              {as(vector.Floats), nil},
		`[1e99]`:          {as(vector.Floats), nil},
		`[-128,127]`:      {as(vector.Int8), []int8{-128, 127}},
		`[128]`:           {as(vector.Int8), nil},
		`[1.5]`:           {as(vector.Int8), nil},
		`[0,255]`:         {as(vector.Uint8), []uint8{0, 255}},
		`[256]`:           {as(vector.Uint8), nil},
		`[-1]`:            {as(vector.Uint8), nil},
		`[-128, -1, 127]`: {as(vector.SignedBits), []byte{0, 127, 255}},
		`[ 128]`:          {as(vector.SignedBits), nil},
	} {
		got, err := c.got(json.RawMessage(text))
		if c.want == nil && err == nil || c.want != nil && (err != nil || !reflect.DeepEqual(got, c.want)) {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, c.want)
		}
	}
}

func as[T any](f func(json.RawMessage) (T, error)) func(json.RawMessage) (any, error) {
	return func(raw json.RawMessage) (any, error) { return f(raw) }
}

func FuzzVector(f *testing.F) {
	for _, s := range []string{`[1,-2.5]`, `"AACAPwAAAMA="`, `[0,255]`, `null`, ``, `"\u0041"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, decode := range []func(json.RawMessage) (any, error){as(vector.Floats), as(vector.Int8), as(vector.Uint8), as(vector.SignedBits)} {
			if v, err := decode(raw); err == nil && reflect.ValueOf(v).Len() > len(raw) {
				t.Errorf("more numbers than bytes: %v of %q", v, raw)
			}
		}
	})
}
