package grammar_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/grammar"
)

// checkEnforce looks at what must hold of every document.
func checkEnforce(t *testing.T, raw []byte) {
	t.Helper()
	for _, strict := range []bool{true, false} {
		start := time.Now()
		e, err := grammar.Enforce(raw, strict)
		if took := time.Since(start); took > 20*time.Second { // a fuzzing worker has little of the machine
			t.Errorf("took %v", took)
		}
		if err != nil {
			if _, ok := errors.AsType[*schema.Error](err); !ok {
				t.Errorf("%T: %v", err, err)
			}
			continue
		}
		if !json.Valid(e.JSON) || len(e.JSON) > 2<<20 {
			t.Errorf("%d bytes: %.300s", len(e.JSON), e.JSON)
		}
		if _, err := schema.Parse(e.JSON); err != nil && len(e.JSON) < schema.MaxBytes {
			t.Logf("the made schema is beyond the reader's bounds: %v", err)
		}
		if original, err := schema.Parse(raw); err == nil {
			if smallest, err := original.Smallest(); err == nil {
				if err := e.Schema.Validate(smallest); err != nil {
					t.Errorf("the smallest instance %s fails: %v", smallest, err)
				}
			}
		}
		checkMade(t, e)
	}
}

// checkMade looks at the smallest instance of what the engine is given, which
// a model can write.
func checkMade(t *testing.T, e *grammar.Enforced) {
	t.Helper()
	made, err := schema.Parse(e.JSON)
	if err != nil {
		return // longer than schemas may be
	}
	smallest, err := made.Smallest()
	if err != nil {
		return // it takes more steps than Smallest makes
	}
	if err := e.Schema.Validate(smallest); err != nil {
		t.Errorf("the engine may write %s, which fails: %v\n%s", smallest, err, e.JSON)
	}
}

func FuzzEnforce(f *testing.F) {
	for _, c := range enforced {
		f.Add([]byte(c.schema))
	}
	for _, c := range refusals {
		f.Add([]byte(c.schema))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 4<<10 {
			return // time is bounded by steps, memory by the bounds of package schema
		}
		checkEnforce(t, raw)
	})
}

func TestWhatTheEngineMayWriteSatisfiesRandomSchemas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		s, ok := g.schema(0).(map[string]any)
		if !ok {
			continue
		}
		s["$defs"] = map[string]any{"a": g.schema(1), "b": g.schema(1)}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			checkEnforce(t, raw)
			if t.Failed() {
				t.Logf("%s", raw)
			}
		})
	}
}

// generator makes random schemas of all keywords.
type generator struct{ *rand.Rand }

func (g generator) one(values ...any) any { return values[g.IntN(len(values))] }

func (g generator) name() string { return g.one("a", "b", "k", "x1", "x-y", "é", "a/b~").(string) }

func (g generator) pattern() any {
	return g.one("^a", "b$", "^[a-c]+$", "^x", `\d`, `^\w{1,4}$`, "^[^a-z]*$", "^(foo|ba[rz])$", "^.{2,5}$", `^\S+$`, "(?=a)", "^$")
}

func (g generator) schemas(depth int) []any {
	list := []any{g.schema(depth + 1)}
	for g.IntN(2) == 0 && len(list) < 3 {
		list = append(list, g.schema(depth+1))
	}
	return list
}

func (g generator) value() any {
	return g.one(nil, true, 0, 1, -3, 2.5, "a", "b", "", "foo", "é😀\n", []any{}, []any{1, "a"}, map[string]any{"a": 1})
}

func (g generator) schema(depth int) any {
	if g.IntN(15) == 0 {
		return g.one(true, false, map[string]any{})
	}
	s := map[string]any{}
	sometimes := func(n int, keyword string, value func() any) {
		if g.IntN(n) == 0 {
			s[keyword] = value()
		}
	}
	kinds := []any{"string", "integer", "number", "boolean", "null"}
	if depth < 4 {
		kinds = append(kinds, "object", "object", "array")
	}
	kind := g.one(kinds...).(string)
	sometimes(1, "type", func() any { return g.one(kind, kind, kind, []any{kind}) })
	few := func() any { return g.IntN(5) }
	number := func() any { return g.one(0, 1, -1, 3, 0.5, -2.5, 100, 1e15, 0.001, 1e300) }
	switch kind {
	case "string":
		sometimes(3, "minLength", few)
		sometimes(3, "maxLength", few)
		sometimes(3, "pattern", g.pattern)
		sometimes(6, "format", func() any { return g.one("date", "email", "uri", "unknown") })
	case "integer", "number":
		for _, keyword := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} {
			sometimes(4, keyword, number)
		}
		sometimes(5, "multipleOf", func() any { return g.one(1, 2, 7, 0.5, 0.01, 1000003) })
	case "array":
		sometimes(2, "items", func() any { return g.schema(depth + 1) })
		sometimes(3, "prefixItems", func() any { return g.schemas(depth) })
		sometimes(3, "minItems", few)
		sometimes(3, "maxItems", few)
		sometimes(10, "uniqueItems", func() any { return true })
	case "object":
		sometimes(1, "properties", func() any {
			return map[string]any{g.name(): g.schema(depth + 1), g.name(): g.schema(depth + 1), g.name(): g.schema(depth + 1)}
		})
		sometimes(2, "required", func() any { return []any{g.name()} })
		sometimes(2, "additionalProperties", func() any { return g.one(false, true, g.schema(depth+1)) })
		sometimes(5, "patternProperties", func() any { return map[string]any{g.pattern().(string): g.schema(depth + 1)} })
		sometimes(8, "propertyNames", func() any { return map[string]any{"pattern": g.pattern()} })
		sometimes(6, "minProperties", few)
		sometimes(6, "maxProperties", few)
	}
	sometimes(12, "enum", func() any { return []any{g.value(), g.value(), g.value()} })
	sometimes(20, "const", g.value)
	sometimes(12, "$ref", func() any { return g.one("#/$defs/a", "#/$defs/b", "#") })
	sometimes(30, "not", func() any { return g.schema(depth + 1) })
	if depth < 3 {
		sometimes(7, "anyOf", func() any { return g.schemas(depth) })
		sometimes(10, "oneOf", func() any { return g.schemas(depth) })
		sometimes(10, "allOf", func() any { return g.schemas(depth) })
	}
	return s
}
