package jsonx_test

import (
	"math"
	"testing"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

func TestAWriterSetsTheCommas(t *testing.T) {
	for _, c := range []struct {
		want  string
		write func(w *jsonx.Writer)
	}{
		{`{}`, func(w *jsonx.Writer) { w.BeginObject(); w.EndObject() }},
		{`[]`, func(w *jsonx.Writer) { w.BeginArray(); w.EndArray() }},
		{`7`, func(w *jsonx.Writer) { w.Bytes = append(w.Next(), '7') }},
		{`{"a\n":"\"","b":true,"c":-1,"d":0.5,"e":null,"f":null,"g":[1]}`, func(w *jsonx.Writer) {
			w.BeginObject()
			w.Str("a\n", `"`)
			w.Bool("b", true)
			w.Int("c", -1)
			w.Float("d", 0.5)
			w.Float("e", math.NaN())
			w.Null("f")
			w.Raw("absent", nil)
			w.Raw("g", []byte(`[1]`))
			w.EndObject()
		}},
		{`[{"a":[],"b":{}},[[],7],{"c":8}]`, func(w *jsonx.Writer) {
			w.BeginArray()
			w.BeginObject()
			w.Member("a")
			w.BeginArray()
			w.EndArray()
			w.Member("b")
			w.BeginObject()
			w.EndObject()
			w.EndObject()
			w.BeginArray()
			w.BeginArray()
			w.EndArray()
			w.Bytes = append(w.Next(), '7')
			w.EndArray()
			w.BeginObject()
			w.Member("c")
			w.Bytes = append(w.Next(), '8')
			w.EndObject()
			w.EndArray()
		}},
	} {
		w := jsonx.Writer{Bytes: []byte("data: ")}
		c.write(&w)
		if got := string(w.Bytes); got != "data: "+c.want {
			t.Errorf("got %s, want %s after what was there", got, c.want)
		}
	}
}

func TestAWriterGoesOnInOtherBytes(t *testing.T) {
	var w jsonx.Writer
	w.BeginObject()
	w.Member("large")
	begin := w.Next()
	w.Bytes = nil
	w.Int("n", 1)
	w.EndObject()
	if got := string(begin) + `"…"` + string(w.Bytes); got != `{"large":"…","n":1}` {
		t.Errorf("got %s", got)
	}
}
