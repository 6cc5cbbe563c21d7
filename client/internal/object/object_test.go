package object_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ingot-llm/ingot/client/internal/object"
)

type inner struct {
	B int `json:"b,omitempty"`
}

type known struct {
	inner

	A     string                     `json:"a,omitempty"`
	Extra map[string]json.RawMessage `json:"-"`
}

func TestWhatWasDecodedIsEncodedAgain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{}`, `{"a":"<x>"}`, `{"b":1,"a":"x","c":[1,2],"d":null}`, `{"c":"<&>"}`} {
		var k known
		if err := object.Decode([]byte(text), &k, &k.Extra); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := object.Encode(k, k.Extra)
		if err != nil || string(got) != text {
			t.Errorf("got %s, %v, want %s", got, err, text)
		}
	}
}

func TestExtraMembersThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, extra := range map[string]map[string]any{
		"a field of its own":      {"a": "x"},
		"of an embedded struct":   {"b": 1},
		"not JSON":                {"c": json.RawMessage("{")},
		"what JSON does not know": {"c": make(chan int)},
	} {
		if got, err := object.Encode(known{}, extra); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
	got, err := object.Encode(known{}, map[string]any{"top_k": 3, "a\"b": "<"})
	if want := `{"a\"b":"<","top_k":3}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestWhatIsNoObjectIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", "1", `{"a":1}`, "{"} {
		var k known
		if err := object.Decode([]byte(text), &k, &k.Extra); err == nil {
			t.Errorf("%s: got %+v", text, k)
		}
	}
	var k known
	if err := object.Decode([]byte("null"), &k, &k.Extra); err != nil || !reflect.DeepEqual(k, known{}) {
		t.Errorf("null: got %+v, %v", k, err)
	}
}

// What encoding/json finds by a map is found here by a scan.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"a":"x","b":1,"c":{"d":[1,"}"]},"e\\"":"\\\\","\u0061":1}`, ` { } `, `{"":null , "x" : -1.5e3 , "y":true}`, `null`, `[]`, `{"x":1,"x":2}`, `{"x":[[[]],{}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var k known
		if object.Decode(data, &k, &k.Extra) != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		delete(want, "a")
		delete(want, "b")
		if len(want) == 0 {
			want = nil
		}
		for name, value := range want {
			if string(k.Extra[name]) != string(value) {
				t.Errorf("%q: %q: got %s, want %s", data, name, k.Extra[name], value)
			}
		}
		if len(k.Extra) != len(want) {
			t.Errorf("%q: got %v, want %v", data, k.Extra, want)
		}
	})
}
