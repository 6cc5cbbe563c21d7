// Package gbnf writes schemas in llama.cpp's own notation of grammars. It takes the schemas that package grammar makes, and is
// wider than they are where the notation has no words for a bound: what comes is to be checked.
package gbnf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
)

// Grammar is made of rules. The zero Grammar is ready; it is for one goroutine.
type Grammar struct {
	rules strings.Builder
	names int
	basic bool // the rules that all schemas share are there
}

// String is the grammar. It begins with the rule named root.
func (g *Grammar) String() string { return g.rules.String() }

// Rule adds a rule. A name is of letters, digits and hyphens.
func (g *Grammar) Rule(name, body string) { g.rules.WriteString(name + " ::= " + body + "\n") }

// named adds a rule under a name of its own.
func (g *Grammar) named(body string) string {
	g.names++
	name := "r" + strconv.Itoa(g.names)
	g.Rule(name, body)
	return name
}

// Schema adds the rules of a well-formed schema, and returns the name of the one for its values.
func (g *Grammar) Schema(schema []byte) string {
	if !g.basic {
		g.basic = true
		g.Rule("char", `[^"\\\x00-\x1F] | "\\" ["\\bfnrt]`)
		g.Rule("string", `"\"" char* "\""`)
		g.Rule("any", `string | number | "true" | "false" | "null" | "[" (any ("," any)*)? "]" | "{" (string ":" any ("," string ":" any)*)? "}"`)
		g.Rule("number", `"-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,6})?`)
	}
	s := &scope{Grammar: g, defs: map[string]string{}}
	root := jsonx.Value(schema)
	for name := range root.Get("$defs").Members() { // before any of them is written: they refer to each other
		g.names++
		s.defs["#/$defs/"+name] = "r" + strconv.Itoa(g.names)
	}
	for name, def := range root.Get("$defs").Members() {
		g.Rule(s.defs["#/$defs/"+name], s.value(def))
	}
	return g.named(s.value(root))
}

// scope is one schema, whose references are its own.
type scope struct {
	*Grammar
	defs map[string]string // rules by reference
}

// value is an expression for the values of a schema.
func (s *scope) value(v jsonx.Value) string {
	if ref := v.Get("$ref"); ref.Kind() == jsonx.String {
		if rule := s.defs[ref.Text()]; rule != "" {
			return rule
		}
		return "any"
	}
	if options := v.Get("anyOf"); options.Kind() == jsonx.Array {
		return s.options(options, s.value)
	}
	if literals := v.Get("enum"); literals.Kind() == jsonx.Array {
		return s.options(literals, func(v jsonx.Value) string { return Quote(string(v)) })
	}
	switch v.Get("type").Text() {
	case "null":
		return Quote("null")
	case "boolean":
		return `("true" | "false")`
	case "string":
		return `"\"" ` + s.text(v) + ` "\""`
	case "integer", "number":
		return numbers(v)
	case "array":
		return s.array(v)
	case "object":
		return s.object(v)
	}
	return "any"
}

func (s *scope) options(list jsonx.Value, write func(jsonx.Value) string) string {
	var options []string
	for _, v := range list.Elements() {
		options = append(options, write(v))
	}
	return "(" + strings.Join(options, " | ") + ")"
}

// text is an expression for what stands between the quotation marks of a string.
func (s *scope) text(v jsonx.Value) string {
	if p := v.Get("pattern"); p.Kind() == jsonx.String {
		if body, ok := pattern(p.Text()); ok {
			return body
		}
	}
	return "char" + times(number(v, "minLength", 0), number(v, "maxLength", -1))
}

// mostTimes is how often an item is repeated with an end: llama.cpp writes out every time.
const mostTimes = 500

// times is how often an expression may stand; high < 0: without end.
func times(low, high int) string {
	low = min(low, mostTimes)
	switch {
	case high < 0 || high > mostTimes:
		return fmt.Sprintf("{%d,}", low)
	case low == high:
		return fmt.Sprintf("{%d}", low)
	}
	return fmt.Sprintf("{%d,%d}", low, high)
}

func number(v jsonx.Value, name string, absent int) int {
	n, err := v.Get(name).Int()
	if err != nil {
		return absent
	}
	return int(min(n, 1<<30))
}

func (s *scope) array(v jsonx.Value) string {
	var prefix []string
	for _, item := range v.Get("prefixItems").Elements() {
		prefix = append(prefix, s.named(s.value(item)))
	}
	low, high := number(v, "minItems", 0), number(v, "maxItems", -1)
	more := "" // items behind the prefix, each with a comma before it
	if rest := v.Get("items"); rest.Kind() == jsonx.Object {
		item := s.named(s.value(rest))
		if len(prefix) == 0 {
			return `"[" ` + list(item, low, high) + ` "]"`
		}
		left := -1
		if high >= 0 {
			left = max(0, high-len(prefix))
		}
		more = ` ("," ` + item + ")" + times(max(0, low-len(prefix)), left)
	}
	if len(prefix) == 0 {
		return `"[]"`
	}
	// Items behind the least number may be absent from the end.
	least := min(low, len(prefix))
	body := ""
	for i, item := range slices.Backward(prefix) {
		comma := `"," `
		if i == 0 {
			comma = ""
		}
		if i == len(prefix)-1 {
			body = comma + item + more
		} else {
			body = comma + item + " " + body
		}
		if i >= least {
			body = "(" + body + ")?"
		}
	}
	return `"[" ` + body + ` "]"`
}

// object writes members in their order. Each has two rules for what may stand from it on: after another member, and as the first.
func (s *scope) object(v jsonx.Value) string {
	required := map[string]bool{}
	for _, name := range v.Get("required").Elements() {
		required[name.Text()] = true
	}
	extra := s.extras(v)
	first, later := `""`, `""`
	if extra != "" {
		low, high := number(v, "minProperties", 0), number(v, "maxProperties", -1)
		named := 0
		for range v.Get("properties").Members() {
			named++
		}
		least, most := 0, -1
		if named == 0 {
			least, most = low, high
		}
		if most < 0 {
			most = 16
		}
		later = s.named(`("," ` + extra + ")" + times(max(0, least), most))
		first = s.named(list(extra, least, most))
	}
	type member struct {
		rule     string
		required bool
	}
	var members []member
	for name, m := range v.Get("properties").Members() {
		if string(m) == "false" {
			continue // a name that nothing else may take
		}
		quoted := string(jsonx.AppendString(nil, name))
		members = append(members, member{s.named(Quote(quoted+":") + " " + s.value(m)), required[name]})
	}
	for _, m := range slices.Backward(members) {
		asFirst, asLater := m.rule+" "+later, `"," `+m.rule+" "+later
		if !m.required {
			asFirst, asLater = asFirst+" | "+first, asLater+" | "+later
		}
		first, later = s.named(asFirst), s.named(asLater)
	}
	return `"{" ` + first + ` "}"`
}

// list is low to high of an expression with commas between them; high < 0: without end.
func list(item string, low, high int) string {
	if high == 0 {
		return `""`
	}
	most := high
	if high > 0 {
		most--
	}
	items := item + ` ("," ` + item + ")" + times(max(0, low-1), most)
	if low == 0 {
		return "(" + items + ")?"
	}
	return items
}

// extras is an expression for a member that is not named; empty where there is none.
func (s *scope) extras(v jsonx.Value) string {
	var options []string
	for names, value := range v.Get("patternProperties").Members() {
		if body, ok := pattern(names); ok && value.Kind() == jsonx.Object {
			options = append(options, `"\"" `+body+` "\":" `+s.named(s.value(value)))
		}
	}
	if rest := v.Get("additionalProperties"); rest.Kind() == jsonx.Object {
		options = append(options, `"\"" char{1,40} "\":" `+s.named(s.value(rest)))
	}
	if len(options) == 0 {
		return ""
	}
	return s.named(strings.Join(options, " | "))
}

// Quote writes a literal.
func Quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		writeRune(&b, r)
	}
	b.WriteByte('"')
	return b.String()
}

// writeRune writes a character as it stands in literals and classes.
func writeRune(b *strings.Builder, r rune) {
	switch {
	case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" _:,.{}<>/", r):
		b.WriteRune(r)
	case r < 0x80:
		fmt.Fprintf(b, `\x%02X`, r)
	default:
		fmt.Fprintf(b, `\U%08X`, r)
	}
}
