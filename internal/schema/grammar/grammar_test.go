package grammar_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/grammar"
)

// What several schemas become: any number, and any value.
const (
	integers = `"type":"integer","minimum":-9007199254740991,"maximum":9007199254740991`
	numbers  = `{"type":"number","minimum":0,"maximum":1000000000000000,"multipleOf":0.000001},{"type":"number","minimum":-1000000000000000,"maximum":0}`
	anything = `{"anyOf":[{"type":"object","properties":{},"required":[],"additionalProperties":{"$ref":"#/$defs/d1"}},` +
		`{"type":"array","items":{"$ref":"#/$defs/d1"}},{"type":"string"},` + numbers + `,{"type":"boolean"},{"type":"null"}]}`
)

// object is a closed object with these properties and required names.
func object(properties, required string) string {
	return `"type":"object","properties":{` + properties + `},"required":[` + required + `],"additionalProperties":false`
}

var enforced = []struct{ name, schema, want string }{
	{"a type", `{"type":"boolean"}`, `"type":"boolean"`},
	{"types", `{"type":["null","boolean"]}`, `"anyOf":[{"type":"boolean"},{"type":"null"}]`},
	{"any value", `true`, `"$defs":{"d1":` + anything + `},"$ref":"#/$defs/d1"`},
	{"annotations are ignored, and what speaks to the engine", `{"title":"t","description":"d","default":3,"examples":[1],"$comment":"c","x-guidance":{"coerce_one_of":true},"type":"null"}`, `"type":"null"`},
	{"a type is guessed from the keywords", `{"minLength":2}`, `"type":"string","minLength":2`},
	{"properties in their order", `{"properties":{"b":{"type":"null"},"a":{"type":"null"}}}`, object(`"b":{"type":"null"},"a":{"type":"null"}`, ``)},
	{"a required member without a schema", `{"type":"object","required":["x"],"additionalProperties":{"type":"null"}}`, `"type":"object","properties":{"x":{"type":"null"}},"required":["x"],"additionalProperties":{"type":"null"}`},
	{"a member that may not be there", `{"type":"object","properties":{"a":false},"additionalProperties":{"type":"null"}}`, `"type":"object","properties":{"a":false},"required":[],"additionalProperties":{"type":"null"}`},
	{"a member that may not be there and is not invited", `{"type":"object","properties":{"a":false,"b":{"type":"null"}}}`, object(`"b":{"type":"null"}`, ``)},
	{"patternProperties", `{"type":"object","patternProperties":{"^x":{"type":"null"}},"additionalProperties":false}`, `"type":"object","properties":{},"required":[],"patternProperties":{"^(?:(?:)x(?:(?s:.))*)$":{"type":"null"}},"additionalProperties":false`},
	{"a member that a pattern is about, too", `{"type":"object","properties":{"x":{"minimum":3}},"patternProperties":{"^x$":{"type":"integer","maximum":5}}}`, `"type":"object","properties":{"x":{"type":"integer","minimum":3,"maximum":5}},"required":[],"patternProperties":{"^(?:(?:)x(?:))$":{"type":"integer","minimum":-9007199254740991,"maximum":5}},"additionalProperties":false`},
	{"propertyNames of a pattern", `{"type":"object","propertyNames":{"pattern":"^[a-z]+$"},"additionalProperties":{"type":"null"}}`, `"type":"object","properties":{},"required":[],"patternProperties":{"^(?:(?:)(?:[\\x{61}-\\x{7a}])+(?:))$":{"type":"null"}},"additionalProperties":false`},
	{"propertyNames of an enum", `{"type":"object","propertyNames":{"enum":["a","b"]},"additionalProperties":{"type":"null"}}`, object(`"a":{"type":"null"},"b":{"type":"null"}`, ``)},
	{"minProperties of named members", `{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"minProperties":1}`, `"anyOf":[{` + object(`"a":{"type":"null"},"b":{"type":"null"}`, `"a"`) + `},{` + object(`"a":{"type":"null"},"b":{"type":"null"}`, `"b"`) + `}]`},
	{"maxProperties of named members", `{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"maxProperties":1}`, `"anyOf":[{` + object(`"a":{"type":"null"}`, ``) + `},{` + object(`"b":{"type":"null"}`, ``) + `}]`},
	{"maxProperties of invented members", `{"type":"object","additionalProperties":{"type":"null"},"maxProperties":3}`, `"type":"object","properties":{},"required":[],"additionalProperties":{"type":"null"},"maxProperties":3`},
	{"items", `{"type":"array","items":{"type":"null"},"minItems":1,"maxItems":3}`, `"type":"array","items":{"type":"null"},"minItems":1,"maxItems":3`},
	{"a large maxItems", `{"type":"array","items":{"type":"null"},"maxItems":100000}`, `"type":"array","items":{"type":"null"},"maxItems":256`},
	{"prefixItems", `{"type":"array","prefixItems":[{"type":"null"}],"items":{"type":"boolean"}}`, `"type":"array","prefixItems":[{"type":"null"}],"items":{"type":"boolean"}`},
	{"an item that nothing satisfies", `{"type":"array","prefixItems":[{"type":"null"},false],"items":{"type":"boolean"}}`, `"type":"array","prefixItems":[{"type":"null"}],"items":false`},
	{"items of older drafts", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"null"}],"additionalItems":{"type":"boolean"}}`, `"type":"array","prefixItems":[{"type":"null"}],"items":{"type":"boolean"}`},
	{"lengths", `{"type":"string","minLength":2,"maxLength":4}`, `"type":"string","minLength":2,"maxLength":4`},
	{"a pattern that is not anchored", `{"type":"string","pattern":"a"}`, `"type":"string","pattern":"^(?:(?:(?s:.))*a(?:(?s:.))*)$"`},
	{"anchors bind to their alternative", `{"type":"string","pattern":"^a|b$"}`, `"type":"string","pattern":"^(?:(?:(?:)a(?:(?s:.))*|(?:(?s:.))*b(?:)))$"`},
	{"escapes of ECMA", `{"type":"string","pattern":"^\\u00e9\\d$"}`, `"type":"string","pattern":"^(?:(?:)[\\x{e9}-\\x{e9}][\\x{30}-\\x{39}](?:))$"`},
	{"a pattern and a length", `{"type":"string","pattern":"[0-9]","minLength":20}`, `"type":"string","minLength":20,"pattern":"^(?:(?:(?s:.))*[\\x{30}-\\x{39}](?:(?s:.))*)$"`},
	{"a length that a pattern has anyway", `{"type":"string","format":"uuid","minLength":36,"maxLength":36}`, `"type":"string","pattern":"^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"`},
	{"characters of one kind and a length", `{"type":"string","pattern":"^[a-z]+$","minLength":900}`, `"type":"string","minLength":900,"pattern":"^(?:(?:)(?:[\\x{61}-\\x{7a}])+(?:))$"`},
	{"two patterns", `{"type":"string","pattern":"^a","allOf":[{"pattern":"b$"}]}`, `"type":"string","pattern":"^(?:(?:)a(?:(?s:.))*)$","allOf":[{"pattern":"^(?:(?:(?s:.))*b(?:))$"}]`},
	{"a format", `{"type":"string","format":"uuid"}`, `"type":"string","pattern":"^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$"`},
	{"a format of numbers says nothing", `{"type":"integer","format":"int32","minimum":0,"maximum":9}`, `"type":"integer","minimum":0,"maximum":9`},
	{"integers", `{"type":"integer"}`, integers},
	{"numbers", `{"type":"number"}`, `"anyOf":[` + numbers + `]`},
	{"numbers from zero on", `{"type":"number","minimum":2.5,"maximum":4}`, `"type":"number","minimum":2.5,"maximum":4,"multipleOf":0.000001`},
	{"bounds of integers", `{"type":"integer","exclusiveMinimum":1,"maximum":4.5}`, `"type":"integer","minimum":2,"maximum":4`},
	{"excluded bounds of numbers are narrowed", `{"type":"number","exclusiveMinimum":-1,"exclusiveMaximum":0}`, `"type":"number","minimum":-0.999999999999,"maximum":-0.000000000001`},
	{"bounds of draft 4", `{"$schema":"http://json-schema.org/draft-04/schema#","type":"integer","minimum":1,"exclusiveMinimum":true,"maximum":4}`, `"type":"integer","minimum":2,"maximum":4`},
	{"one number is left", `{"type":"number","minimum":3,"maximum":3}`, `"enum":[3]`},
	{"few multiples", `{"type":"number","multipleOf":0.5,"minimum":-0.5,"maximum":0.5}`, `"enum":[-0.5,0,0.5]`},
	{"many multiples", `{"type":"integer","multipleOf":7,"minimum":-5}`, `"type":"integer","minimum":0,"maximum":9007199254740988,"multipleOf":7`},
	{"enum", `{"enum":[1.0,"a",null,true]}`, `"enum":[1,"a",null,true]`},
	{"an enum cut by its type", `{"type":"string","enum":[1,"a"]}`, `"enum":["a"]`},
	{"a const with parts", `{"const":{"a":[1,{}]}}`, object(`"a":{"type":"array","prefixItems":[{"enum":[1]},{`+object(``, ``)+`}],"items":false,"minItems":2}`, `"a"`)},
	{"anyOf under other keywords", `{"type":"integer","minimum":0,"anyOf":[{"maximum":3},{"minimum":9,"maximum":9}]}`, `"anyOf":[{"type":"integer","minimum":0,"maximum":3},{"type":"integer","minimum":9,"maximum":9}]`},
	{"an alternative that nothing satisfies", `{"anyOf":[false,{"type":"null"}]}`, `"type":"null"`},
	{"oneOf told apart by bounds", `{"type":"integer","oneOf":[{"maximum":0},{"minimum":1}]}`, `"anyOf":[{"type":"integer","minimum":-9007199254740991,"maximum":0},{"type":"integer","minimum":1,"maximum":9007199254740991}]`},
	{"oneOf told apart by patterns", `{"type":"string","oneOf":[{"pattern":"^a$"},{"pattern":"^b$"}]}`, `"anyOf":[{"type":"string","pattern":"^(?:(?:)a(?:))$"},{"type":"string","pattern":"^(?:(?:)b(?:))$"}]`},
	{"oneOf told apart by a const", `{"type":"object","required":["k"],"oneOf":[{"properties":{"k":{"const":1}}},{"properties":{"k":{"const":2}}}]}`, `"anyOf":[{` + object(`"k":{"enum":[1]}`, `"k"`) + `},{` + object(`"k":{"enum":[2]}`, `"k"`) + `}]`},
	{"allOf", `{"allOf":[{"properties":{"a":{"type":"integer","minimum":1}},"required":["a"]},{"properties":{"a":{"maximum":2}}}]}`, object(`"a":{"type":"integer","minimum":1,"maximum":2}`, `"a"`)},
	{"$ref with siblings", `{"$ref":"#/$defs/n","minimum":1,"$defs":{"n":{"type":"integer","maximum":2}}}`, `"type":"integer","minimum":1,"maximum":2`},
	{"$ref to an anchor", `{"$ref":"#n","definitions":{"n":{"$anchor":"n","type":"null"}}}`, `"type":"null"`},
	{"$ref below the schema's own address", `{"$id":"https://example.com/s","$ref":"https://example.com/s#/$defs/n","$defs":{"n":{"type":"null"}}}`, `"type":"null"`},
	{"$ref through escapes", `{"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}}`, `"type":"null"`},
	{"a schema that refers to itself", `{"properties":{"next":{"$ref":"#"}}}`, `"$defs":{"d1":{` + object(`"next":{"$ref":"#/$defs/d1"}`, ``) + `}},` + object(`"next":{"$ref":"#/$defs/d1"}`, ``)},
	{"an optional member without an end", `{"properties":{"a":{"properties":{"a":{"$ref":"#/properties/a"}},"required":["a"]},"b":{"type":"null"}}}`, object(`"b":{"type":"null"}`, ``)},
}

func TestSchemasAsTheEngineTakesThem(t *testing.T) {
	t.Parallel()
	for _, c := range enforced {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, strict := range []bool{true, false} {
				e, err := grammar.Enforce([]byte(c.schema), strict)
				if err != nil {
					t.Fatal(err)
				}
				want := `{"x-guidance":{"whitespace_flexible":false},` + c.want + `}`
				if diff := cmp.Diff(want, string(e.JSON)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// refusals are of strict schemas; what is not lax is refused either way.
var refusals = []struct {
	schema, pointer, keyword string
	lax                      bool
}{
	{`{"properties":{"a":{"not":{}}}}`, "/properties/a", "not", true},
	{`{"if":{},"then":{}}`, "", "if", true},
	{`{"contains":{}}`, "", "contains", true},
	{`{"uniqueItems":true}`, "", "uniqueItems", true},
	{`{"dependentRequired":{"a":["b"]}}`, "", "dependentRequired", true},
	{`{"unevaluatedProperties":false}`, "", "unevaluatedProperties", true},
	{`{"$dynamicRef":"#a","$dynamicAnchor":"a"}`, "", "$dynamicRef", true},
	{`{"nullable":true}`, "", "nullable", true},
	{`{"maxlength":3}`, "", "maxlength", true},
	{`{"type":"string","format":"colour"}`, "", "format", true},
	{`{"type":"string","pattern":"(?=a)"}`, "", "pattern", true},
	{`{"type":"string","pattern":"(a)\\1"}`, "", "pattern", true},
	{`{"type":"string","pattern":"a\\b"}`, "", "pattern", true},
	{`{"type":"string","pattern":"a^b"}`, "", "pattern", true},
	{`{"type":"string","pattern":"(["}`, "", "pattern", true},
	{`{"type":"object","patternProperties":{"^a":{},"b$":{}}}`, "", "patternProperties", true},
	{`{"type":"object","patternProperties":{"^a":{}},"propertyNames":{"maxLength":3}}`, "", "propertyNames", true},
	{`{"type":"object","minProperties":2}`, "", "minProperties", true},
	{`{"type":"array","minItems":100000}`, "", "minItems", true},
	{`{"type":"string","maxLength":10000000}`, "", "maxLength", true},
	{`{"type":"string","minLength":1000000}`, "", "minLength", true},
	{`{"type":"integer","minimum":1e300}`, "", "minimum", true},
	{`{"type":"integer","multipleOf":1000003}`, "", "multipleOf", true},
	{`{"type":"number","multipleOf":0.07}`, "", "multipleOf", true},
	{`{"type":"string","pattern":"[0-9]","minLength":50,"maxLength":80}`, "", "minLength", true},
	{`{"type":"string","pattern":"^a.{60,}$","maxLength":200}`, "", "maxLength", true},
	{`{"type":"string","format":"email","allOf":[{"pattern":"@example[.](com|org)$"}]}`, "", "format", true},
	{`{"type":"string","pattern":"a.{20}$","allOf":[{"pattern":"b.{10}$"}]}`, "/allOf/0", "pattern", true},
	{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, "", "oneOf", true},
	{`{"oneOf":[{"enum":[1]},{"type":"integer"}]}`, "", "oneOf", true},
	{`{"oneOf":[{"properties":{"k":{"const":1}}},{"properties":{"k":{"const":2}}}]}`, "", "oneOf", true},
	{`{"const":12345678901234567890123}`, "/const", "", false},
	{`false`, "", "", false},
	{`{"enum":[]}`, "", "enum", false},
	{`{"type":"string","enum":[1]}`, "", "enum", false},
	{`{"type":"integer","allOf":[{"type":"string"}]}`, "/allOf/0", "type", false},
	{`{"type":"integer","minimum":3,"maximum":2}`, "", "minimum", false},
	{`{"type":"integer","minimum":1,"maximum":6,"multipleOf":7}`, "", "multipleOf", false},
	{`{"type":"string","minLength":3,"maxLength":2}`, "", "minLength", false},
	{`{"type":"string","pattern":"^a{5}$","maxLength":3}`, "", "pattern", false},
	{`{"type":"string","pattern":"^(ab)*$","minLength":3,"maxLength":3}`, "", "pattern", false},
	{`{"type":"string","pattern":"^a","allOf":[{"pattern":"^b"}]}`, "/allOf/0", "pattern", false},
	{`{"type":"array","prefixItems":[false],"minItems":1}`, "/prefixItems/0", "", false},
	{`{"type":"object","required":["a"],"additionalProperties":false}`, "/additionalProperties", "", false},
	{`{"type":"object","required":["a"],"maxProperties":0}`, "", "maxProperties", false},
	{`{"properties":{"a":{"$ref":"#"}},"required":["a"]}`, "", "$ref", false},
	{`{"$ref":"#"}`, "", "$ref", false},
	{`{"$ref":"#/$defs/a"}`, "", "$ref", false},
	{`{"$ref":"https://example.com/a"}`, "", "$ref", false},
	{`{"properties":{"a":{"$id":"https://example.com/a"}}}`, "/properties/a", "$id", false},
	{`{"type":5}`, "", "type", false},
	{`{"a":1,"a":2}`, "", "", false},
	{`{`, "", "", false},
	{``, "", "", false},
}

func TestWhatCannotBeEnforcedIsRefusedByNameOrLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range refusals {
		t.Run(c.schema, func(t *testing.T) {
			t.Parallel()
			_, err := grammar.Enforce([]byte(c.schema), true)
			e, ok := errors.AsType[*schema.Error](err)
			if !ok || e.Pointer != c.pointer || e.Keyword != c.keyword || e.Reason == "" {
				t.Errorf("got %#v", err)
			}
			if _, err := grammar.Enforce([]byte(c.schema), false); (err == nil) != c.lax {
				t.Errorf("without strict: %v", err)
			}
		})
	}
}

func TestWithoutStrictOnlyWhatIsEnforcedIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, passes, fails string }{
		{`{"type":"array","items":{"type":"integer"},"uniqueItems":true}`, `[1,1]`, `["a"]`},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `1`, `"a"`},
		{`{"oneOf":[{"enum":[1,2]},{"enum":[2,3]}]}`, `2`, `4`},
		{`{"oneOf":[{"oneOf":[{"type":"integer"},{"type":"number","enum":[1,2.5]}]},{"type":"number"}]}`, `1`, `"a"`},
		{`{"type":"object","properties":{"a":{"type":"string","pattern":"(?!x)"}}}`, `{"a":"x"}`, `{"a":1}`},
		{`{"type":"object","minProperties":3,"maxProperties":4}`, `{"a":1}`, `[]`},
	} {
		e, err := grammar.Enforce([]byte(c.schema), false)
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		if err := e.Schema.Validate([]byte(c.passes)); err != nil {
			t.Errorf("%s: %v", c.schema, err)
		}
		if e.Schema.Validate([]byte(c.fails)) == nil {
			t.Errorf("%s takes %s", c.schema, c.fails)
		}
	}
}

func TestObjectTakesAnyObject(t *testing.T) {
	t.Parallel()
	e := grammar.Object()
	if err := e.Schema.Validate([]byte(`{"a":[{"b":null}]}`)); err != nil {
		t.Error(err)
	}
	if e.Schema.Validate([]byte(`[]`)) == nil {
		t.Error("an array passed")
	}
	want := `{"x-guidance":{"whitespace_flexible":false},"$defs":{"d1":` + anything + `},"type":"object","properties":{},"required":[],"additionalProperties":{"$ref":"#/$defs/d1"}}`
	if diff := cmp.Diff(want, string(e.JSON)); diff != "" {
		t.Error(diff)
	}
}

func TestDeepSchemasAreWrittenFlat(t *testing.T) {
	t.Parallel()
	const levels = 60
	text := strings.Repeat(`{"properties":{"a":`, levels) + `{"type":"null"}` + strings.Repeat(`},"required":["a"]}`, levels)
	e, err := grammar.Enforce([]byte(text), true)
	if err != nil {
		t.Fatal(err)
	}
	depth, deepest := 0, 0
	for d := json.NewDecoder(strings.NewReader(string(e.JSON))); ; {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		deepest = max(deepest, depth)
	}
	if deepest > 100 {
		t.Errorf("nested to a depth of %d", deepest)
	}
}

func TestHostileSchemasAreRefusedSoon(t *testing.T) {
	t.Parallel()
	choice := `"anyOf":[{"minimum":1},{"minimum":2},{"minimum":3},{"minimum":4},{"minimum":5}]`
	var refs, members, together, required strings.Builder
	for i := range 40 {
		fmt.Fprintf(&refs, `,"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i+1, i+1)
	}
	for i := range 2_000 {
		fmt.Fprintf(&required, `"r%d",`, i)
	}
	for i := range 150 {
		fmt.Fprintf(&together, `{"pattern":"[%c-z].{%d}"},`, 'a'+i%20, 5+i)
	}
	for i := range 400 {
		fmt.Fprintf(&members, `"m%d":{"type":"null"},`, i)
	}
	for name, text := range map[string]string{
		"alternatives of alternatives": `{"type":"integer",` + choice + `,"allOf":[{` + choice + `},{` + choice + `},{` + choice + `},{` + choice + `},{` + choice + `}]}`,
		"references that fork":         `{"$ref":"#/$defs/d0","$defs":{"d40":{"type":"object"}` + refs.String() + `}}`,
		"patterns that multiply":       `{"type":"string","pattern":"^((a{0,30}b){0,30}c){0,30}$","allOf":[{"pattern":"^((a{0,30}b){0,30}d){0,30}$"}],"minLength":2}`,
		"counts of many members":       `{"type":"object","properties":{"a":{},"b":{},"c":{},"d":{},"e":{},"f":{},"g":{},"h":{}},"maxProperties":2005,"required":[` + required.String() + `"z"]}`,
		"schemas for one value":        `{"allOf":[` + strings.Repeat(`{"anyOf":[{"type":"null"},{"type":"null"}]},`, 2_000) + `{}]}`,
		"members that may be left out": `{"type":"object","properties":{` + members.String() + `"z":{}}}`,
		"patterns for one value":       `{"type":"string","allOf":[` + together.String() + `{}]}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		if _, err := grammar.Enforce([]byte(text), true); err == nil {
			t.Errorf("%s: taken", name)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 500 {
			t.Errorf("%s: took %d MiB", name, took)
		}
	}
}
