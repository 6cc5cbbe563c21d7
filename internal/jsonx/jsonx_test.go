package jsonx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

func TestParseRefusesWhatIsNotOneDocument(t *testing.T) {
	for _, doc := range []string{
		"", " ", "{", "[", `"`, `"\`, `"\u12"`, `"\u12g4"`, `"\x"`, "\"a\nb\"", "\"\xff\"", "tru", "nulll", "01", "-", "1.", "1e", ".5", "+1",
		"[1,]", "[,1]", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, "1 2", "[1}", `{"a":1]`, "NaN", `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		strings.Repeat("[", 200) + strings.Repeat("]", 200), manyMembers(40, true), manyMembers(jsonx.MaxMembers, false), "\xef\xbb\xbf{}",
	} {
		if _, err := jsonx.Parse([]byte(doc)); err == nil {
			t.Errorf("Parse(%.40q) succeeded", doc)
		} else if e := (*jsonx.SyntaxError)(nil); !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(doc) {
			t.Errorf("Parse(%.40q) = %v, want a SyntaxError with a place", doc, err)
		}
	}
}

func manyMembers(n int, double bool) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"m%d":%d,`, i, i)
	}
	if double {
		b.WriteString(`"m3":0}`)
	} else {
		b.WriteString(`"last":0}`)
	}
	return b.String()
}

func TestMembersYieldNamesAndRawValuesInOrder(t *testing.T) {
	v, err := jsonx.Parse([]byte(` { "a\n" : "x\"y\\" , "b":[1, {"c":"]"}], "d" : -1.5e3,"e":null , "f":{}, "g":[]} `))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, m := range v.Members() {
		got = append(got, name+"="+string(m))
	}
	want := []string{"a\n=" + `"x\"y\\"`, `b=[1, {"c":"]"}]`, "d=-1.5e3", "e=null", "f={}", "g=[]"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := jsonx.Parse([]byte(manyMembers(40, false))); err != nil {
		t.Errorf("an object of 41 different members: %v", err)
	}
}

func TestIntTakesWholeNumbersOnly(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "-7": -7, "1.0": 1, "2e3": 2000, "9223372036854775807": 1<<63 - 1} {
		if got, err := jsonx.Value(in).Int(); err != nil || got != want {
			t.Errorf("Int(%s) = %d, %v", in, got, err)
		}
	}
	for _, in := range []string{"-9223372036854775809", "1.5", `"1"`, "true", "1e300", "9223372036854775808", "null", ""} {
		if got, err := jsonx.Value(in).Int(); err == nil {
			t.Errorf("Int(%s) = %d, want an error", in, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e-3,"\ud83d\ude00é\ud800"],"b":{"c":null,"d":true}}`, `[[],{},"",0,-0]`, "\"\x7f\"", `{"":{"":[]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		v, err := jsonx.Parse(doc)
		valid := json.Valid(doc) && utf8.Valid(doc)
		if err != nil {
			if valid && !strings.Contains(err.Error(), "duplicate") && !strings.Contains(err.Error(), "deep") {
				t.Fatalf("refused %q: %v", doc, err)
			}
			return
		}
		if !valid {
			t.Fatalf("accepted %q", doc)
		}
		check(t, v)
	})
}

// check holds what the walkers say against encoding/json.
func check(t *testing.T, v jsonx.Value) {
	t.Helper()
	switch v.Kind() {
	case jsonx.Object:
		var want map[string]json.RawMessage
		if err := json.Unmarshal(v, &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		for name, m := range v.Members() {
			if w, ok := want[name]; !ok || !bytes.Equal(w, m) {
				t.Fatalf("%q: member %q = %s, want %s", v, name, m, w)
			}
			check(t, m)
			n++
		}
		if n != len(want) {
			t.Fatalf("%q: %d members, want %d", v, n, len(want))
		}
	case jsonx.Array:
		var want []json.RawMessage
		if err := json.Unmarshal(v, &want); err != nil {
			t.Fatal(err)
		}
		n := 0
		for i, m := range v.Elements() {
			if i != n || !bytes.Equal(want[i], m) {
				t.Fatalf("%q: element %d = %s", v, i, m)
			}
			check(t, m)
			n++
		}
		if n != len(want) {
			t.Fatalf("%q: %d elements, want %d", v, n, len(want))
		}
	case jsonx.String:
		var want string
		if err := json.Unmarshal(v, &want); err != nil {
			t.Fatal(err)
		}
		if got := v.Text(); got != want {
			t.Fatalf("%s: text %q, want %q", v, got, want)
		}
	case jsonx.Absent, jsonx.Null, jsonx.Bool, jsonx.Number:
	}
}

func TestNumbersAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	for _, f := range []float64{0, 1, -1.5, 1e-6, 9.5e-7, 1e-7, 1e-9, -1e-10, 1e20, 1e21, 3e38, 1e100, 5e-324, math.MaxFloat64} {
		for _, bits := range []int{64, 32} {
			want, err := json.Marshal(f)
			if bits == 32 {
				want, err = json.Marshal(float32(f))
			}
			if err != nil { // beyond float32
				want = []byte("null")
			}
			if bits == 32 {
				f = float64(float32(f))
			}
			if got := jsonx.AppendFloat(nil, f, bits); string(got) != string(want) {
				t.Errorf("%g in %d bits: got %s, want %s", f, bits, got, want)
			}
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("a\"\\\n\x00\x1f\u2028é\xff\xed\xa0\x80😀")
	f.Fuzz(func(t *testing.T, s string) {
		out := jsonx.AppendString(nil, s)
		if !bytes.Equal(out, jsonx.AppendString(nil, []byte(s))) {
			t.Fatalf("bytes and string of %q differ", s)
		}
		v, err := jsonx.Parse(out)
		if err != nil {
			t.Fatalf("%q became %s: %v", s, out, err)
		}
		var want string
		if err := json.Unmarshal(out, &want); err != nil || v.Text() != want || utf8.ValidString(s) && want != s {
			t.Fatalf("%q became %s", s, out)
		}
	})
}

func BenchmarkParse100KB(b *testing.B) {
	prompt := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 100<<10/45)
	doc := []byte(`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"` + prompt + `"}],"temperature":0.5}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jsonx.Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseEscapes1MB(b *testing.B) {
	doc := []byte(`"` + strings.Repeat(strings.Repeat("x", 100)+`\n`, 10<<10) + `"`)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := jsonx.Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseHan100KB(b *testing.B) {
	doc := []byte(`"` + strings.Repeat("模型推理的请求只读一遍。", 100<<10/36) + `"`)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := jsonx.Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMembers100KB(b *testing.B) {
	prompt := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 100<<10/45)
	v, err := jsonx.Parse([]byte(`{"model":"m","messages":[{"role":"user","content":"` + prompt + `"}],"temperature":0.5}`))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(v)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range v.Members() {
			n++
		}
		if n != 3 {
			b.Fatal(n)
		}
	}
}

func TestMembersOfTheRootComeWithTheirPlaces(t *testing.T) {
	const doc = ` { "a" : 1 ,"\u0062":[{"c":2}], "d":"x"} `
	root, err := jsonx.ParseMembers([]byte(doc), 3)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, m := range root.Members {
		if doc[m.From:m.To] != string(m.Value) || doc[m.At] != '"' {
			t.Errorf("%s stands at %d and %d to %d", m.Name, m.At, m.From, m.To)
		}
		said = append(said, m.Name+"="+string(m.Value))
	}
	if want := `a=1 b=[{"c":2}] d="x"`; strings.Join(said, " ") != want {
		t.Errorf("got %q, want %s", said, want)
	}
	for doc, n := range map[string]int{doc: 2, `[{"a":1}]`: 0, `{}`: 0, `1`: 0} {
		if root, err := jsonx.ParseMembers([]byte(doc), 2); err != nil || len(root.Members) != n {
			t.Errorf("%s: %d members, %v", doc, len(root.Members), err)
		}
	}
}

// walked writes down what an array of the root has, read as Elements and Members do, and as Walk does.
func walked(root *jsonx.Root, m *jsonx.Member) (plain, once []string) {
	for i, e := range m.Value.Elements() {
		plain = append(plain, strconv.Itoa(i)+string(e))
		for name, v := range e.Members() {
			plain = append(plain, name+"="+string(v))
		}
	}
	for i, e := range root.Walk(m) {
		read := []string{}
		for name, v := range e.Members() {
			read = append(read, name+"="+string(v))
		}
		once = append(append(once, strconv.Itoa(i)+string(e.Value())), read...)
	}
	return plain, once
}

func TestWalkReadsWhatElementsAndMembersRead(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		text := func() string { // of any length, with quotes and backslashes everywhere
			return `"` + strings.Repeat([]string{"a", `\"`, `\\`, "é", "]}", `\n`}[r.IntN(6)], r.IntN(2000)) + `"`
		}
		space := func() string { return strings.Repeat(" ", r.IntN(2)) }
		var value func(depth int) string
		value = func(depth int) string {
			switch n := r.IntN(6); {
			case n == 0 && depth < 4:
				return "[" + space() + value(depth+1) + "," + value(depth+1) + space() + "]"
			case n == 1 && depth < 4:
				return "{" + space() + `"a"` + space() + ":" + value(depth+1) + "," + text() + ":" + space() + value(depth+1) + "}"
			case n == 2:
				return strconv.Itoa(r.IntN(100))
			}
			return text()
		}
		var elements []string
		for range r.IntN(80) {
			elements = append(elements, space()+value(0)+space())
		}
		doc := space() + `{"first":` + text() + `,"messages":` + space() + "[" + strings.Join(elements, ",") + `],"last":` + text() + "}"
		root, err := jsonx.ParseMembers([]byte(doc), 3)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		plain, once := walked(&root, &root.Members[1])
		if d := cmp.Diff(plain, once); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}
