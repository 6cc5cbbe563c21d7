package gbnf_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/ability/gbnf"
	"github.com/ingot-llm/ingot/internal/schema/grammar"
)

// write is the grammar of a caller's schema.
func write(t testing.TB, text string) string {
	t.Helper()
	e, err := grammar.Enforce([]byte(text), false)
	if err != nil {
		t.Fatal(err)
	}
	var g gbnf.Grammar
	g.Rule("root", g.Schema(e.JSON))
	return g.String()
}

// numberPattern turns the one expression of a grammar for numbers into a regular expression: the notations differ in little.
func numberPattern(t *testing.T, grammar string) *regexp.Regexp {
	t.Helper()
	for line := range strings.Lines(grammar) {
		name, body, _ := strings.Cut(strings.TrimSpace(line), " ::= ")
		if !strings.HasPrefix(name, "r") || name == "root" {
			continue
		}
		quoted := regexp.MustCompile(`"([^"]*)"`).ReplaceAllStringFunc(body, func(s string) string {
			return regexp.QuoteMeta(strings.ReplaceAll(strings.Trim(s, `"`), `\x2D`, "-"))
		})
		return regexp.MustCompile("^(?:" + strings.ReplaceAll(quoted, " ", "") + ")$")
	}
	t.Fatalf("no rule in %s", grammar)
	return nil
}

func TestNumbersAreWithinTheirBounds(t *testing.T) {
	for text, c := range map[string]struct{ in, out string }{
		`{"type":"integer","minimum":7,"maximum":1234}`:                 {"7 9 10 99 100 999 1000 1234", "6 0 1235 07 -7 7.5 2000"},
		`{"type":"integer","minimum":-120,"maximum":35}`:                {"-120 -119 -1 0 35", "-121 36 100 -200"},
		`{"type":"integer","minimum":0}`:                                {"0 5 123456789012345", "-1 01"},
		`{"type":"integer","minimum":-5,"maximum":-2}`:                  {"-5 -2", "-1 -6 2 5 0"},
		`{"type":"integer","minimum":0,"maximum":100,"multipleOf":5}`:   {"0 5 95 100", "1 99 105"},
		`{"type":"number","minimum":0,"maximum":1}`:                     {"0 0.5 0.123456 1", "1.5 2 -0.5 0.1234567"},
		`{"type":"number","minimum":-1.5,"maximum":2.5}`:                {"-1 -0.5 0 1.25 2", "-2 3 2.75 -1.75"},
		`{"type":"number","minimum":0.25,"maximum":0.75}`:               {"0.25 0.5 0.75", "0.2 0.8 1 0"},
		`{"type":"number","multipleOf":0.01,"minimum":0,"maximum":500}`: {"0.01 499.99 500 7.5", "500.01 0.001"},
	} {
		p := numberPattern(t, write(t, text))
		for n := range strings.FieldsSeq(c.in) {
			if !p.MatchString(n) {
				t.Errorf("%s does not take %s: %s", text, n, p)
			}
		}
		for n := range strings.FieldsSeq(c.out) {
			if p.MatchString(n) {
				t.Errorf("%s takes %s: %s", text, n, p)
			}
		}
	}
}

func TestRulesOfASchema(t *testing.T) {
	for text, want := range map[string][]string{
		`{"type":"string","maxLength":3}`:                                    {`"\"" char{0,3} "\""`},
		`{"type":"string","maxLength":100000}`:                               {`"\"" char{0,} "\""`},
		`{"enum":["a\"b",1,null]}`:                                           {`"\x22a\x5C\x22b\x22"`, `"1"`, `"null"`},
		`{"type":"string","pattern":"^a[\"x]\\n?$"}`:                         {`([x] | "\\" "\x22")`, `"\\" "n"`},
		`{"type":"array","items":{"type":"null"},"minItems":2,"maxItems":3}`: {`r1 ("," r1){1,2}`},
		`{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"required":["b"],"additionalProperties":false}`: {`"\x22a\x22:" "null"`, `"{" `},
		`{"$ref":"#/$defs/n","$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"}}}}`:                                       {`::= "[" (`},
	} {
		got := write(t, text)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s lacks %s:\n%s", text, w, got)
			}
		}
	}
}

// FuzzSchema: every schema that is enforced has a grammar whose rules are all there.
func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"a":{"type":"array","prefixItems":[{"type":"null"}],"items":{"$ref":"#"},"minItems":1}},"patternProperties":{"^x-":{}},"minProperties":1}`)
	f.Add(`{"type":["number","string"],"minimum":1e14,"pattern":"[^a-z\\d]{3,900}|(?:ä|\\.)+","multipleOf":0.5}`)
	f.Add(`{"anyOf":[{"type":"integer","maximum":-3},{"const":{"a":[1,"\u0000\ud83d\ude00"]}}]}`)
	rule := regexp.MustCompile(`(?:^|[ (])([a-z]+[0-9]*)(?:$|[ (){?*])`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := grammar.Enforce([]byte(text), false)
		if err != nil || len(e.JSON) > 1<<16 {
			return
		}
		if !json.Valid(e.JSON) {
			t.Fatalf("not JSON: %s", e.JSON)
		}
		var g gbnf.Grammar
		g.Rule("root", g.Schema(e.JSON))
		defined := map[string]bool{}
		for line := range strings.Lines(g.String()) {
			name, _, _ := strings.Cut(line, " ::= ")
			if defined[name] {
				t.Errorf("two rules named %s", name)
			}
			defined[name] = true
		}
		for line := range strings.Lines(g.String()) {
			_, body, _ := strings.Cut(strings.TrimSpace(line), " ::= ")
			body = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]`).ReplaceAllString(body, `~`)
			for _, used := range rule.FindAllStringSubmatch(body, -1) {
				if !defined[used[1]] {
					t.Errorf("no rule named %s for %q", used[1], body)
				}
			}
		}
	})
}
