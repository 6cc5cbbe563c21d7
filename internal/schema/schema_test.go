package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/schema"
)

// satisfiable pairs schemas with the smallest instance, worked out by hand.
var satisfiable = []struct{ name, schema, want string }{
	{"an empty schema is met by an empty object", `{}`, `{}`},
	{"true likewise", `true`, `{}`},
	{"null", `{"type":"null"}`, `null`},
	{"boolean", `{"type":"boolean"}`, `true`},
	{"integer", `{"type":"integer"}`, `0`},
	{"number", `{"type":"number"}`, `0`},
	{"string", `{"type":"string"}`, `""`},
	{"array", `{"type":"array","items":{"type":"string"}}`, `[]`},
	{"object", `{"type":"object","properties":{"a":{"type":"string"}}}`, `{}`},
	{"required members only", `{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["celsius","kelvin"]}},"required":["city"]}`, `{"city":""}`},
	{"a default is not used", `{"type":"object","properties":{"n":{"type":"integer","default":7}},"required":["n"]}`, `{"n":0}`},
	{"the shortest of an enum", `{"enum":["celsius","kelvin"]}`, `"kelvin"`},
	{"the first of an enum among equals", `{"enum":["km","mi"]}`, `"km"`},
	{"an enum cut by its type", `{"type":"string","enum":[1,"one"]}`, `"one"`},
	{"const", `{"const":{"a":[1,2.50,"ü"]}}`, `{"a":[1,2.50,"ü"]}`},
	{"nested objects", `{"type":"object","required":["a"],"properties":{"a":{"type":"object","required":["b"],"properties":{"b":{"type":"array","minItems":2,"items":{"type":"boolean"}}}}}}`, `{"a":{"b":[true,true]}}`},
	{"a required member without a schema", `{"type":"object","required":["x"]}`, `{"x":{}}`},
	{"a required member under additionalProperties", `{"type":"object","required":["x"],"additionalProperties":{"type":"integer","minimum":2}}`, `{"x":2}`},
	{"a required member under patternProperties", `{"type":"object","required":["x_1"],"patternProperties":{"^x_":{"type":"null"}}}`, `{"x_1":null}`},
	{"minProperties takes declared members first", `{"type":"object","properties":{"z":{"type":"integer"},"y":{"type":"null"}},"minProperties":1}`, `{"y":null}`},
	{"minProperties invents names", `{"type":"object","minProperties":2,"additionalProperties":{"type":"integer"}}`, `{"a":0,"b":0}`},
	{"minProperties follows patterns", `{"type":"object","minProperties":1,"patternProperties":{"^id-[0-9]+$":{"type":"integer"}},"additionalProperties":false}`, `{"id-0":0}`},
	{"dependentRequired", `{"type":"object","required":["a"],"properties":{"b":{"type":"integer"}},"dependentRequired":{"a":["b"]}}`, `{"a":{},"b":0}`},
	{"dependentSchemas", `{"type":"object","required":["a"],"dependentSchemas":{"a":{"required":["c"],"properties":{"c":{"const":1}}}}}`, `{"a":{},"c":1}`},
	{"minLength", `{"type":"string","minLength":3}`, `"aaa"`},
	{"an untyped schema is what its keywords speak of", `{"minLength":1}`, `"a"`},
	{"an untyped schema with properties is an object", `{"properties":{"a":{"type":"integer"}},"required":["a"]}`, `{"a":0}`},
	{"date", `{"type":"string","format":"date"}`, `"1970-01-01"`},
	{"date-time", `{"type":"string","format":"date-time"}`, `"1970-01-01T00:00:00Z"`},
	{"uuid", `{"type":"string","format":"uuid"}`, `"00000000-0000-0000-0000-000000000000"`},
	{"email of a length", `{"type":"string","format":"email","minLength":15}`, `"aaa@example.com"`},
	{"uri", `{"type":"string","format":"uri"}`, `"https://example.com/"`},
	{"ipv6", `{"type":"string","format":"ipv6"}`, `"::"`},
	{"an unknown format says nothing", `{"type":"string","format":"colour"}`, `""`},
	{"pattern", `{"type":"string","pattern":"^[A-Z]{2}-\\d+$"}`, `"AA-0"`},
	{"pattern with alternatives", `{"type":"string","pattern":"^(north|up)$"}`, `"up"`},
	{"pattern with a length", `{"type":"string","pattern":"^[a-f]+$","minLength":4}`, `"aaaa"`},
	{"pattern with a length in two parts", `{"type":"string","pattern":"^x(ab)*y{1,2}$","minLength":7}`, `"xababyy"`},
	{"pattern with unicode escapes", `{"type":"string","pattern":"^\\u00e9$"}`, `"é"`},
	{"pattern over a script", `{"type":"string","pattern":"^\\p{Greek}$"}`, `"Ͱ"`},
	{"minimum", `{"type":"integer","minimum":3}`, `3`},
	{"minimum below zero", `{"type":"integer","minimum":-3}`, `0`},
	{"maximum below zero", `{"type":"integer","maximum":-3}`, `-3`},
	{"exclusiveMinimum", `{"type":"integer","exclusiveMinimum":3}`, `4`},
	{"exclusive bounds of a number", `{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":1}`, `0.1`},
	{"narrow bounds of a number", `{"type":"number","exclusiveMinimum":0.25,"exclusiveMaximum":0.26}`, `0.255`},
	{"fractional minimum of an integer", `{"type":"integer","minimum":0.5}`, `1`},
	{"multipleOf", `{"type":"integer","minimum":10,"multipleOf":7}`, `14`},
	{"multipleOf a fraction", `{"type":"number","minimum":0.1,"multipleOf":0.25}`, `1`},
	{"two multiples", `{"allOf":[{"multipleOf":4},{"multipleOf":6,"minimum":1}]}`, `12`},
	{"large numbers stay exact", `{"type":"integer","minimum":9007199254740993}`, `9007199254740993`},
	{"draft 4 spelling of exclusive bounds", `{"$schema":"http://json-schema.org/draft-04/schema#","type":"integer","minimum":3,"exclusiveMinimum":true}`, `4`},
	{"nullable by a list of types", `{"type":["string","null"],"minLength":9}`, `null`},
	{"nullable by anyOf", `{"anyOf":[{"type":"object","required":["a"]},{"type":"null"}]}`, `null`},
	{"a list of types prefers the shortest", `{"type":["string","null"]}`, `""`},
	{"anyOf skips what cannot be", `{"anyOf":[false,{"type":"integer","minimum":5}]}`, `5`},
	{"oneOf excludes the others", `{"oneOf":[{"type":"integer"},{"type":"integer","minimum":0},{"type":"string","minLength":2}]}`, `-1`},
	{"allOf is merged", `{"allOf":[{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}},{"required":["b"],"properties":{"a":{"minimum":2},"b":{"type":"string"}}}]}`, `{"a":2,"b":""}`},
	{"allOf beside anyOf", `{"type":"object","required":["k"],"anyOf":[{"properties":{"k":{"const":"long one"}}},{"properties":{"k":{"const":"k"}}}]}`, `{"k":"k"}`},
	{"not", `{"type":"integer","not":{"const":0}}`, `1`},
	{"not a type", `{"not":{"type":"object"}}`, `null`},
	{"if and then", `{"type":"object","required":["kind"],"properties":{"kind":{"const":"b"}},"if":{"properties":{"kind":{"const":"b"}}},"then":{"required":["size"],"properties":{"size":{"type":"integer"}}}}`, `{"kind":"b","size":0}`},
	{"if and else", `{"type":"integer","if":{"minimum":0},"then":{"minimum":100},"else":{"maximum":-7}}`, `-7`},
	{"$ref into $defs", `{"$defs":{"p":{"type":"integer","minimum":1}},"type":"object","properties":{"p":{"$ref":"#/$defs/p"}},"required":["p"]}`, `{"p":1}`},
	{"$ref with neighbours", `{"$defs":{"p":{"type":"integer"}},"$ref":"#/$defs/p","minimum":4}`, `4`},
	{"$ref by anchor", `{"$defs":{"p":{"$anchor":"here","type":"null"}},"$ref":"#here"}`, `null`},
	{"$ref by id", `{"$id":"https://example.com/a.json","$defs":{"p":{"$id":"p.json","const":2}},"$ref":"p.json"}`, `2`},
	{"definitions of older drafts", `{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"p":{"type":"boolean"}},"$ref":"#/definitions/p"}`, `true`},
	{"a list ends", `{"$defs":{"node":{"type":"object","required":["next"],"properties":{"next":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}}}},"$ref":"#/$defs/node"}`, `{"next":null}`},
	{"a tree ends", `{"type":"object","required":["kids"],"properties":{"kids":{"type":"array","items":{"$ref":"#"}}}}`, `{"kids":[]}`},
	{"prefixItems", `{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"items":{"type":"null"},"minItems":3}`, `[0,"",null]`},
	{"tuples of older drafts", `{"$schema":"http://json-schema.org/draft-07/schema#","items":[{"type":"integer"}],"additionalItems":{"type":"null"},"minItems":2}`, `[0,null]`},
	{"uniqueItems", `{"type":"array","items":{"type":"integer"},"minItems":3,"uniqueItems":true}`, `[0,1,2]`},
	{"uniqueItems of strings", `{"type":"array","items":{"type":"string","minLength":1},"minItems":3,"uniqueItems":true}`, `["a","b","c"]`},
	{"uniqueItems of an enum", `{"type":"array","items":{"enum":["x","y"]},"minItems":2,"uniqueItems":true}`, `["x","y"]`},
	{"uniqueItems of objects", `{"type":"array","items":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}},"minItems":2,"uniqueItems":true}`, `[{"id":0},{"id":1}]`},
	{"contains", `{"type":"array","items":{"type":"integer"},"contains":{"minimum":5},"minContains":2}`, `[5,5]`},
	{"contains after a tuple", `{"type":"array","prefixItems":[{"const":"x"}],"contains":{"const":7}}`, `["x",7]`},
	{"names outside ASCII", `{"type":"object","properties":{"größe":{"const":"≤"}},"required":["größe"]}`, `{"größe":"≤"}`},
	{"names that need escapes", `{"type":"object","properties":{"a/b~c \"<":{"type":"null"}},"required":["a/b~c \"<"]}`, `{"a/b~c \"<":null}`},
	{"a closed object", `{"type":"object","properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":false}`, `{"a":null}`},
	{"unevaluatedProperties", `{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]}],"type":"object","unevaluatedProperties":false}`, `{"a":0}`},
}

func TestSmallestMakesTheShortestInstance(t *testing.T) {
	t.Parallel()
	for _, c := range satisfiable {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.Parse([]byte(c.schema))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Smallest()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if err := s.Validate(got); err != nil {
				t.Errorf("the instance is not valid: %v", err)
			}
			again, err := s.Smallest()
			if err != nil || string(again) != string(got) {
				t.Errorf("second call: %s, %v", again, err)
			}
		})
	}
}

// fork is a chain of definitions, each of which refers twice to the next.
func fork(keyword string, n int, last string) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/$defs/d0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d":{"%s":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%[3]d"}]},`, i, keyword, i+1)
	}
	fmt.Fprintf(&b, `"d%d":%s}}`, n, last)
	return b.String()
}

// numbered joins n copies of a format with their numbers.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestWhatCannotBeSatisfiedNamesKeywordAndPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, schema, pointer, keyword string }{
		{"false", `false`, "", ""},
		{"minLength of a million millions", `{"type":"object","required":["s"],"properties":{"s":{"type":"string","minLength":1e12}}}`, "/properties/s", "minLength"},
		{"minItems of a thousand millions", `{"type":"array","minItems":1e9}`, "", "minItems"},
		{"minProperties of a thousand millions", `{"type":"object","minProperties":1e9}`, "", "minProperties"},
		{"minContains of a thousand millions", `{"type":"array","contains":true,"minContains":1e9}`, "", "minContains"},
		{"bounds that contradict", `{"type":"integer","minimum":5,"maximum":3}`, "", "maximum"},
		{"exclusive bounds that contradict", `{"type":"number","exclusiveMinimum":3,"maximum":3}`, "", "exclusiveMinimum"},
		{"no multiple within the bounds", `{"type":"integer","minimum":8,"maximum":13,"multipleOf":7}`, "", "multipleOf"},
		{"lengths that contradict", `{"type":"string","minLength":5,"maxLength":3}`, "", "maxLength"},
		{"types that contradict", `{"allOf":[{"type":"string"},{"type":"integer"}]}`, "", "type"},
		{"an enum of another type", `{"type":"object","required":["e"],"properties":{"e":{"type":"string","enum":[1]}}}`, "/properties/e", "type"},
		{"a required member that is not allowed", `{"type":"object","required":["a"],"additionalProperties":false}`, "", "additionalProperties"},
		{"a required member that cannot be", `{"type":"object","required":["a"],"properties":{"a":false}}`, "/properties/a", ""},
		{"a list without an end", `{"type":"object","required":["next"],"properties":{"next":{"$ref":"#"}}}`, "/properties/next", "$ref"},
		{"more unique items than there are", `{"type":"array","items":{"type":"boolean"},"minItems":3,"uniqueItems":true}`, "/items", "uniqueItems"},
		{"a pattern against a length", `{"type":"string","pattern":"^ab$","minLength":3}`, "", "minLength"},
		{"not anything", `{"type":"integer","not":{}}`, "", "not"},
		{"alternatives that all fail", `{"anyOf":[false,{"type":"integer","minimum":2,"maximum":1}]}`, "", "anyOf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.Parse([]byte(c.schema))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Smallest()
			e, ok := errors.AsType[*schema.Error](err)
			if !ok {
				t.Fatalf("got %s, %v", got, err)
			}
			if e.Pointer != c.pointer || e.Keyword != c.keyword || e.Reason == "" {
				t.Errorf("got %q %q: %s; want %q %q", e.Pointer, e.Keyword, e.Reason, c.pointer, c.keyword)
			}
		})
	}
}

func TestParseRefusesWhatItCannotBound(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"items":`, 200) + `{}` + strings.Repeat(`}`, 200)
	for _, c := range []struct{ name, schema, pointer, keyword, reason string }{
		{"not JSON", `{`, "", "", "not JSON"},
		{"two values", `{} {}`, "", "", "something follows"},
		{"not a schema", `[]`, "", "", "want"},
		{"an unknown type", `{"properties":{"a":{"type":"text"}}}`, "/properties/a", "type", ""},
		{"a negative count", `{"minItems":-1}`, "", "minItems", ""},
		{"a count that wraps", `{"minLength":18446744073709551617}`, "", "minLength", "allowed"},
		{"a huge exponent", `{"minimum":1e999999999}`, "/minimum", "", "digits"},
		{"a number of many digits", `{"minimum":` + strings.Repeat("9", 500) + `}`, "/minimum", "", "digits"},
		{"deep nesting", deep, strings.Repeat("/items", 129), "", "nested deeper"},
		{"many nodes", `{"enum":[` + strings.Repeat("0,", 20_000) + `1]}`, "/enum/9998", "", "too many"},
		{"many bytes", `{"title":"` + strings.Repeat("x", schema.MaxBytes) + `"}`, "", "", "bytes"},
		{"a pattern that repeats its repeats", `{"pattern":"(` + strings.Repeat("a?", 490) + `){1000}"}`, "", "pattern", "repeat too much"},
		{"repeating patterns by the hundred", `{"anyOf":[` + numbered(300, `{"pattern":"(a|b){900}%d"}`) + `]}`, "", "pattern", "repeat too much"},
		{"repeating patterns of members", `{"patternProperties":{` + numbered(300, `"(a|b){900}%d":{}`) + `}}`, "", "patternProperties", "repeat too much"},
		{"look-ahead", `{"properties":{"a":{"pattern":"(?!x)"}}}`, "/properties/a", "pattern", "(?!x)"},
		{"a reference to a web page", `{"$ref":"https://example.com/s.json"}`, "", "$ref", "not loaded"},
		{"a reference to a file", `{"$ref":"file:///etc/passwd"}`, "", "$ref", "not loaded"},
		{"a relative reference", `{"$ref":"other.json"}`, "", "", ""},
		{"a draft of one's own", `{"$schema":"https://example.com/draft"}`, "", "", "not loaded"},
		{"a reference to nothing", `{"$ref":"#/$defs/x"}`, "", "$ref", "/$defs/x"},
		{"a reference to itself", `{"$ref":"#"}`, "", "$ref", "itself"},
		{"references in a circle", `{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}`, "", "$ref", "itself"},
		{"a dynamic reference", `{"$dynamicRef":"#x","$defs":{"a":{"$dynamicAnchor":"x"}}}`, "", "$dynamicRef", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := schema.Parse([]byte(c.schema))
			e, ok := errors.AsType[*schema.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(e.Reason, c.reason) || c.keyword != "" && e.Keyword != c.keyword || c.pointer != "" && e.Pointer != c.pointer {
				t.Errorf("got %q %q: %s", e.Pointer, e.Keyword, e.Reason)
			}
		})
	}
}

func TestHostileSchemasEndSoon(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, schema string }{
		{"forking allOf", fork("allOf", 40, `{"type":"integer"}`)},
		{"forking anyOf", fork("anyOf", 40, `{"type":"integer"}`)},
		{"forking anyOf that fails", fork("anyOf", 40, `false`)},
		{"forking oneOf", fork("oneOf", 40, `{"type":"integer"}`)},
		{"forking not", fork("allOf", 30, `{"not":{"type":"integer"}}`)},
		{"forking required", strings.ReplaceAll(fork("prefixItems", 40, `{"type":"integer"}`), `"prefixItems"`, `"minItems":2,"prefixItems"`)},
		{"many alternatives at once", `{"allOf":[` + strings.Repeat(`{"anyOf":[{"type":"integer"},{"minimum":3}]},`, 60) + `{}]}`},
		{"unique items by the thousand", `{"type":"array","minItems":1000,"uniqueItems":true,"items":{"type":"string"}}`},
		{"objects of objects", `{"$defs":{"a":{"type":"object","minProperties":100,"additionalProperties":{"$ref":"#/$defs/b"}},"b":{"type":"object","minProperties":100,"additionalProperties":{"$ref":"#/$defs/c"}},"c":{"type":"object","minProperties":100,"additionalProperties":{"type":"integer"}}},"$ref":"#/$defs/a"}`},
		{"arrays of arrays", `{"type":"array","minItems":1000,"items":{"type":"array","minItems":1000,"items":{"type":"array","minItems":40,"items":{"type":"integer"}}}}`},
		{"objects of arrays", `{"type":"object","minProperties":1000,"additionalProperties":{"type":"array","minItems":1000,"items":{"type":"array","minItems":40,"items":{"type":"integer"}}}}`},
		{"many required members and alternatives", `{"type":"object","required":[` + numbered(4000, `"%d"`) + `],"anyOf":[` + strings.Repeat(`{"minProperties":1},`, 2000) + `{}]}`},
		{"patterns of many members", `{"type":"object","minProperties":1000,"patternProperties":{` + numbered(3000, `"^[a-z]*%d*$":{}`) + `}}`},
		{"a long enum", `{"enum":[` + numbered(9000, `"%d"`) + `]}`},
		{"unique items of a long enum", `{"type":"array","minItems":1000,"uniqueItems":true,"items":{"enum":[` + numbered(9000, `"%d"`) + `]}}`},
		{"alternatives in each other in a pattern", `{"type":"string","minLength":9,"pattern":"` + strings.Repeat("(a|b", 200) + strings.Repeat(")", 200) + `"}`},
		{"unique items of a pattern", `{"type":"array","minItems":1000,"uniqueItems":true,"items":{"type":"string","pattern":"^(` + strings.Repeat("ab|(c)*", 100) + `)$"}}`},
		{"repeats of nothing in a pattern", `{"type":"string","minLength":60000,"pattern":"(((^*)*)*x)*"}`},
		{"repeats in a pattern", `{"type":"string","pattern":"^((a{10}){10}){10}$"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			s, err := schema.Parse([]byte(c.schema))
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Smallest()
			if err == nil {
				err = s.Validate(got)
				if err != nil {
					t.Errorf("not valid: %v", err)
				}
			} else if _, ok := errors.AsType[*schema.Error](err); !ok {
				t.Errorf("error of another type: %v", err)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
			t.Logf("%v: %.80s %v", time.Since(start), got, err)
		})
	}
}

func TestValidateSaysWhere(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse([]byte(`{"type":"object","properties":{"a":{"type":"array","items":{"type":"integer","maximum":9}}},"required":["a"]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ instance, want string }{
		{`{"a":[1,2]}`, ""},
		{`{}`, `schema at the root: required: instance at "": missing property 'a'`},
		{`{"a":[1,"x"]}`, `schema at /properties/a/items: type: instance at "/a/1": got string, want integer`},
		{`{"a":[10]}`, `schema at /properties/a/items: maximum: instance at "/a/0": maximum: got 10, want 9`},
		{`{"a":`, `read instance: not JSON: unexpected EOF at ""`},
		{`{"a":[1e999999999]}`, `read instance: the number has too many digits at "/a/0"`},
	} {
		got := ""
		if err := s.Validate([]byte(c.instance)); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.instance, diff)
		}
	}
}

func TestValidateRefusesExponentialWork(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse([]byte(`{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Validate([]byte(strings.Repeat("[", 100) + strings.Repeat("]", 100)))
	if err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("got %v", err)
	}
}

func TestALongTextCountsByThePatternItMeets(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse([]byte(`{"pattern":"(` + strings.Repeat("[ab]*", 190) + `){20}c"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate([]byte(`"abc"`)); err != nil {
		t.Errorf("a short text: %v", err)
	}
	err = s.Validate([]byte(`"` + strings.Repeat("ab", 100_000) + `"`))
	if err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("a long text: got %v", err)
	}
}

func FuzzSmallest(f *testing.F) {
	for _, c := range satisfiable {
		f.Add([]byte(c.schema))
	}
	f.Add([]byte(fork("anyOf", 20, `{"type":"integer"}`)))
	f.Add([]byte(`{"type":"string","minLength":1e12}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		hung := time.AfterFunc(10*time.Second, func() { panic(fmt.Sprintf("still busy with %q", data)) })
		defer hung.Stop()
		s, err := schema.Parse(data)
		if err != nil {
			if _, ok := errors.AsType[*schema.Error](err); !ok {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		got, err := s.Smallest()
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("not JSON: %s", got)
		}
		if err := s.Validate(got); err != nil {
			t.Fatalf("%s is not valid: %v", got, err)
		}
	})
}
