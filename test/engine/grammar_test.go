//go:build engine && linux

package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/schema/grammar"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
)

// constructs has every keyword that is said to be enforced. A grammar that the engine does not understand it
// drops without a word, and the model writes prose.
var constructs = []string{
	`{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"null"}},"required":["a"],"additionalProperties":{"type":"integer"}}`,
	`{"type":"object","properties":{"a":false},"required":["b"],"additionalProperties":{"type":["integer","null"]},"maxProperties":2}`,
	`{"type":"object","patternProperties":{"^[a-c]{1,2}$":{"type":"null"},"^d":false},"additionalProperties":false,"maxProperties":2}`,
	`{"type":"object","patternProperties":{"^d":false},"additionalProperties":{"type":"null"},"minProperties":1,"maxProperties":1}`,
	`{"type":"object","propertyNames":{"pattern":"^[a-z]{1,4}$"},"additionalProperties":{"type":"null"},"maxProperties":2}`,
	`{"type":"object","propertyNames":{"maxLength":2000},"additionalProperties":{"type":"null"},"maxProperties":1}`,
	`{"type":"object","propertyNames":{"enum":["a","b"]},"additionalProperties":{"type":"null"}}`,
	`{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},"c":{"type":"null"}},"minProperties":1,"maxProperties":2}`,
	`{"type":"object"}`,
	`{"type":"array"}`,
	`{}`,
	`{"type":"array","items":{"type":"boolean"},"minItems":2,"maxItems":4}`,
	`{"type":"array","items":{"type":"boolean"},"minItems":1000,"maxItems":100000}`,
	`{"type":"array","prefixItems":[{"type":"null"},{"type":"boolean"}],"items":{"type":"null"},"maxItems":3}`,
	`{"$schema":"http://json-schema.org/draft-07/schema#","type":"array","items":[{"type":"null"}],"additionalItems":{"type":"boolean"},"maxItems":2}`,
	`{"type":"string","minLength":3,"maxLength":6}`,
	`{"type":"string","maxLength":1000000}`,
	`{"type":"string","minLength":64000}`,
	`{"type":"string","pattern":"^[A-Z]{2}\\d+$","maxLength":5}`,
	`{"type":"string","pattern":"a|^b.$|[^\\w\\s]","maxLength":6}`,
	`{"type":"string","pattern":"^\\W\\S\\D\\p{L}\\u00e9(?i:x)?$"}`,
	`{"type":"string","pattern":"^(([a-z]{1,20}\\.){1,20}[a-z]{2,}|)$","maxLength":30}`,
	`{"type":"string","pattern":"^a","allOf":[{"pattern":"b$"},{"pattern":"c"}],"maxLength":8}`,
	`{"type":"integer"}`,
	`{"type":"number"}`,
	`{"type":"integer","minimum":-7,"maximum":3000}`,
	`{"type":"number","exclusiveMinimum":-0.001,"exclusiveMaximum":99.9}`,
	`{"type":"number","minimum":-1e-11,"maximum":1e14}`,
	`{"type":"integer","multipleOf":7}`,
	`{"type":"integer","multipleOf":997,"minimum":1}`,
	`{"type":"number","multipleOf":0.000999,"maximum":1e6}`,
	`{"type":"number","multipleOf":0.25,"minimum":-2,"maximum":2}`,
	`{"enum":["a\"\\\n\u0001\u007fé",-0.0,1e2,0.000001,null,true,[1,{"x":[]}],{}]}`,
	`{"const":{"é":[9007199254740993,-2.5]}}`,
	`{"anyOf":[{"type":"integer","minimum":5},{"type":"object","required":["a"],"properties":{"a":{"const":1}}},{"const":"x"}]}`,
	`{"oneOf":[{"type":"object","required":["k"],"properties":{"k":{"const":1}}},{"type":"object","required":["k"],"properties":{"k":{"const":2}}}]}`,
	`{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"a":{"maximum":5}}}]}`,
	`{"$ref":"#/$defs/a","minimum":3,"$defs":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"type":"integer","maximum":9}}}`,
	`{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"]}`,
	deep(60),
	wide(256),
}

// deep is objects in each other.
func deep(levels int) string {
	return strings.Repeat(`{"type":"object","required":["a"],"properties":{"a":`, levels) + `{"type":"null"}` + strings.Repeat(`}}`, levels)
}

// wide is an object whose members may all be left out.
func wide(members int) string {
	var b strings.Builder
	for i := range members {
		fmt.Fprintf(&b, `,"member%d":{"type":"integer"}`, i)
	}
	return `{"type":"object","properties":{` + b.String()[1:] + `}}`
}

func TestEveryConstructIsEnforcedFromTheFirstToken(t *testing.T) {
	g := serve(t, smollm2)
	schemas := constructs
	for _, format := range pattern.Formats() {
		schemas = append(schemas, fmt.Sprintf(`{"type":"string","format":%q}`, format))
	}
	for _, keyword := range grammar.EnforcedKeywords() {
		if !slices.ContainsFunc(schemas, func(s string) bool { return strings.Contains(s, `"`+keyword+`"`) }) {
			t.Errorf("%s is enforced and not tried", keyword)
		}
	}
	for _, s := range schemas {
		t.Run(s[:min(len(s), 80)], func(t *testing.T) {
			answer := g.must("/chat/completions", body{
				"model": "smollm2", "max_tokens": 10, "temperature": 1.5, "seed": 1,
				"messages": []body{{"role": "user", "content": "Tell me a story."}},
				"response_format": body{"type": "json_schema", "json_schema": body{
					"name": "construct", "strict": true, "schema": json.RawMessage(s),
				}},
			})
			text := contentOf(t, answer)
			if finish := answer["choices"].([]any)[0].(body)["finish_reason"]; finish == "length" {
				if !beginsJSON(text) {
					t.Errorf("prose: %q", text)
				}
			} else if !json.Valid([]byte(text)) {
				t.Errorf("finish %v: %q", finish, text)
			}
		})
	}
}

// beginsJSON says whether a text is JSON as far as it goes.
func beginsJSON(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			return !strings.Contains(err.Error(), "invalid character")
		}
	}
}
