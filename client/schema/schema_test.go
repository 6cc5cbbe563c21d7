package schema_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/client/schema"
)

type unit string

type level int

// MarshalText implements encoding.TextMarshaler.
func (level) MarshalText() ([]byte, error) { return nil, nil }

type custom struct{}

// MarshalJSON implements json.Marshaler.
func (custom) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type base struct {
	ID string `json:"id"`
}

type named struct {
	A int `json:"a"`
}

type kinds struct {
	base

	Yes   bool           `json:"yes"`
	Small int8           `json:"small"`
	Count uint           `json:"count"`
	Share float32        `json:"share"`
	Unit  unit           `json:"unit" jsonschema:"enum=celsius,enum=kelvin,description=of temperatures"`
	List  []string       `json:"list" jsonschema:"minItems=1,pattern=^a\\,b$"`
	Pair  [2]int         `json:"pair" jsonschema:"minimum=-1,maximum=1.5"`
	Map   map[string]int `json:"map"`
	Time  time.Time      `json:"time"`
	Bytes []byte         `json:"bytes"`
	Level level          `json:"level"`
	Any   any            `json:"any"`
	Raw   json.RawMessage
	Own   custom  `json:"own"`
	Text  int64   `json:"text,string"`
	Maybe *string `json:"maybe" jsonschema_description:"a name, or none"`
	Named named   `json:"named,omitzero"`
	Skip  string  `json:"-"`
	inner string
}

type tree struct {
	Value    int    `json:"value"`
	Children []tree `json:"children,omitempty"`
}

// Types that contain themselves as no answer can.
type (
	list []list
	dict map[string]dict
	self *self
)

type forest struct {
	First  tree  `json:"first"`
	Second *tree `json:"second"`
}

func TestSchemasOfTypes(t *testing.T) {
	t.Parallel()
	_ = kinds{inner: ""}
	for name, c := range map[string]struct {
		got  func() (json.RawMessage, error)
		want string
	}{
		"every kind": {
			schema.Of[kinds],
			`{"type":"object","properties":{"id":{"type":"string"},"yes":{"type":"boolean"},"small":{"type":"integer"},"count":{"type":"integer","minimum":0},` +
				`"share":{"type":"number"},"unit":{"type":"string","description":"of temperatures","enum":["celsius","kelvin"]},` +
				`"list":{"type":"array","items":{"type":"string","pattern":"^a,b$"},"minItems":1},` +
				`"pair":{"type":"array","items":{"type":"integer","minimum":-1,"maximum":1.5},"minItems":2,"maxItems":2},` +
				`"map":{"type":"object","additionalProperties":{"type":"integer"}},"time":{"type":"string","format":"date-time"},` +
				`"bytes":{"type":"string","contentEncoding":"base64"},"level":{"type":"string"},"any":{},"Raw":{},"own":{},"text":{"type":"string"},` +
				`"maybe":{"type":"string","description":"a name, or none"},"named":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}},` +
				`"required":["id","yes","small","count","share","unit","list","pair","map","time","bytes","level","any","Raw","own","text"],"additionalProperties":false}`,
		},
		"no members": {schema.Of[struct{}], `{"type":"object","properties":{},"additionalProperties":false}`},
		"a list":     {schema.Of[[]int], `{"type":"array","items":{"type":"integer"}}`},
		"a pointer":  {schema.Of[*named], `{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}`},
		"strict: all are required, and what may be missing may be null": {
			schema.Strict[struct {
				A *int   `json:"a"`
				B string `json:"b,omitempty" jsonschema:"enum=x"`
			}],
			`{"type":"object","properties":{"a":{"type":["integer","null"]},"b":{"anyOf":[{"type":"string","enum":["x"]},{"type":"null"}]}},"required":["a","b"],"additionalProperties":false}`,
		},
		"a type that contains itself": {
			schema.Of[tree],
			`{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#"}}},"required":["value"],"additionalProperties":false}`,
		},
		"a member's type that contains itself": {
			schema.Of[forest],
			`{"type":"object","properties":{"first":{"$ref":"#/$defs/tree"},"second":{"$ref":"#/$defs/tree"}},"required":["first"],"additionalProperties":false,` +
				`"$defs":{"tree":{"type":"object","properties":{"value":{"type":"integer"},"children":{"type":"array","items":{"$ref":"#/$defs/tree"}}},"required":["value"],"additionalProperties":false}}}`,
		},
	} {
		got, err := c.got()
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, got, err, c.want)
		}
	}
}

func TestTypesWithoutASchema(t *testing.T) {
	t.Parallel()
	for says, got := range map[string]func() (json.RawMessage, error){
		"chan int has no JSON":            schema.Of[chan int],
		"field A: func() has no JSON":     schema.Of[struct{ A func() }],
		"the keys of map[int]string":      schema.Of[map[int]string],
		"names that are not known before": schema.Strict[map[string]string],
		"can be anything":                 schema.Strict[struct{ A any }],
		`"minimun" is not known`: schema.Of[struct {
			A int `jsonschema:"minimun=1"`
		}],
		`"one" is not a number`: schema.Of[struct {
			A int `jsonschema:"minimum=one"`
		}],
		`"NaN" is not a number`: schema.Of[struct {
			A float64 `jsonschema:"maximum=NaN"`
		}],
		"minLength": schema.Of[struct {
			A string `jsonschema:"minLength=-1"`
		}],
		"only strings and numbers": schema.Of[struct {
			A bool `jsonschema:"enum=true"`
		}],
		"list is too deep": schema.Of[list],
		"dict is too deep": schema.Of[dict],
		"self is too deep": schema.Of[self],
		"no type":          func() (json.RawMessage, error) { return schema.OfType(nil, false) },
	} {
		if d, err := got(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %s, %v, want an error that says %s", d, err, says)
		}
	}
}

func TestOuterFieldsGoBeforeEmbeddedOnes(t *testing.T) {
	t.Parallel()
	type outer struct {
		base

		ID int `json:"id"`
	}
	got, err := schema.OfType(reflect.TypeFor[outer](), false)
	if want := `{"type":"object","properties":{"id":{"type":"integer"}},"required":["id"],"additionalProperties":false}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func FuzzTag(f *testing.F) {
	for _, s := range []string{"enum=a,enum=b", `pattern=^a\,b$`, "minimum=1e3", "description=", ",,=,", `\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		quoted, err := json.Marshal(tag)
		if err != nil {
			return
		}
		of := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[string](), Tag: reflect.StructTag(`jsonschema:` + string(quoted))}})
		if d, err := schema.OfType(of, true); err == nil && !json.Valid(d) {
			t.Errorf("%q: got %s", tag, d)
		}
	})
}

type (
	outerFirst struct {
		base
		Key int `json:"id"`
	}
	nameless struct {
		ID string
	}
	twoOfOneName struct {
		nameless
		other
	}
	other struct {
		ID   int
		Rest bool
	}
	tagFirst struct {
		nameless
		tagsID
	}
	tagsID struct {
		Number int `json:"ID"`
	}
	sameInGo struct {
		inner
		Value int `json:"outer"`
	}
	inner struct {
		Value string `json:"inner"`
	}
	around struct {
		*Around
		V int
	}
	// Around contains itself.
	Around struct {
		*Around
		W bool
	}
	quoted struct {
		I int       `json:",string"`
		P *float64  `json:",string"`
		L []int     `json:",string"` //nolint:staticcheck // that it counts for nothing is what is tested
		T time.Time `json:",string"` //nolint:staticcheck // likewise
	}
)

func TestTheFieldsAreThoseThatJSONHas(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{outerFirst{}, `{"id":{"type":"integer"}}`},
		{twoOfOneName{}, `{"Rest":{"type":"boolean"}}`},
		{tagFirst{}, `{"ID":{"type":"integer"}}`},
		{sameInGo{}, `{"inner":{"type":"string"},"outer":{"type":"integer"}}`},
		{around{Around: new(Around)}, `{"W":{"type":"boolean"},"V":{"type":"integer"}}`},
		{quoted{}, `{"I":{"type":"string"},"P":{"type":"string"},"L":{"type":"array","items":{"type":"integer"}},"T":{"type":"string","format":"date-time"}}`},
	} {
		document, err := schema.OfType(reflect.TypeOf(c.v), false)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Properties json.RawMessage }
		if err := json.Unmarshal(document, &got); err != nil || string(got.Properties) != c.want {
			t.Errorf("%T: got %s, %v, want %s", c.v, got.Properties, err, c.want)
		}
		written, err := json.Marshal(c.v)
		if err != nil {
			t.Fatal(err)
		}
		var described, there map[string]json.RawMessage
		if json.Unmarshal(got.Properties, &described) != nil || json.Unmarshal(written, &there) != nil || len(described) != len(there) {
			t.Errorf("%T: described %s, but it is written %s", c.v, got.Properties, written)
		}
	}
}
