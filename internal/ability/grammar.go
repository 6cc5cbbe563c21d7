package ability

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/ability/gbnf"
	"github.com/ingot-llm/ingot/internal/llm"
)

// The marks around what a model calls and what came of it, as many open models have learned them.
const (
	callOpen    = "<tool_call>"
	callClose   = "</tool_call>"
	resultOpen  = "<tool_response>"
	resultClose = "</tool_response>"

	nameOpen  = `{"name":"`
	nameClose = `","arguments":`
)

// mostCalls bounds what a model that knows no end may call at once.
const mostCalls = 8

// lark is what the answer must follow, in llguidance's dialect of Lark; empty: nothing.
func (p *plan) lark(offered []llm.Tool, parallel bool) string {
	var b strings.Builder
	rule := func(name, body string) { b.WriteString(name + ": " + body + "\n") }
	b.WriteString("%llguidance {}\n")
	switch {
	case len(offered) == 0 && p.format == nil:
		return ""
	case len(offered) == 0:
		rule("start", "format")
	case p.must:
		rule("start", "calls")
	case p.format != nil:
		rule("start", "format | calls")
	default:
		rule("start", "TEXT | TEXT? calls")
		rule("TEXT", `/(?s:.)+/ & ~/(?s:.*)<tool_(call|response)>(?s:.*)/`) // nor may a model make up results
	}
	if p.format != nil {
		rule("format", "%json "+string(p.format.JSON))
	}
	if len(offered) == 0 {
		return b.String()
	}
	calls := "call"
	if parallel {
		calls += "{1," + strconv.Itoa(mostCalls) + "}"
	}
	rule("calls", calls)
	var names []string
	for i := range offered {
		n := strconv.Itoa(i)
		names = append(names, "call"+n)
		rule("call"+n, quote(nameOpen+offered[i].Name+nameClose)+" takes"+n+` "}"`)
		rule("takes"+n, "%json "+string(p.tools[offered[i].Name].JSON))
	}
	rule("call", quote(callOpen)+" ("+strings.Join(names, " | ")+") "+quote(callClose))
	return b.String()
}

// quote writes a literal of Lark; what is quoted here has nothing but quotation marks to escape.
func quote(s string) string {
	text, _ := json.Marshal(s) // a string: it cannot fail
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text))
}

// gbnf is the same in llama.cpp's own notation, which knows fewer bounds.
func (p *plan) gbnf(offered []llm.Tool, parallel bool) string {
	if len(offered) == 0 && p.format == nil {
		return ""
	}
	var g gbnf.Grammar
	format := ""
	if p.format != nil {
		format = g.Schema(p.format.JSON)
	}
	if len(offered) == 0 {
		g.Rule("root", format)
		return g.String()
	}
	var names []string
	for i := range offered {
		name := offered[i].Name
		names = append(names, gbnf.Quote(nameOpen+name+nameClose)+" "+g.Schema(p.tools[name].JSON)+` "}"`)
	}
	more := ""
	if parallel {
		more = fmt.Sprintf(" (%s call){0,%d}", gbnf.Quote(callOpen), mostCalls-1)
	}
	g.Rule("call", "("+strings.Join(names, " | ")+") "+gbnf.Quote(callClose))
	g.Rule("calls", gbnf.Quote(callOpen)+" call"+more)
	switch {
	case p.must:
		g.Rule("root", "calls")
	case p.format != nil:
		g.Rule("root", format+" | calls")
	default:
		g.Rule("root", "text0")
		writeText(&g, "call"+more)
	}
	return g.String()
}

// writeText adds rules for text up to the mark of a call, and what follows that: one rule for each number of
// characters of the mark that the text ends with so far.
func writeText(g *gbnf.Grammar, then string) {
	for i := range len(callOpen) {
		next := callOpen[i : i+1]
		after := "text" + strconv.Itoa(i+1)
		if i == len(callOpen)-1 {
			after = then
		}
		body := `"" | ` + gbnf.Quote(next) + " " + after
		switch callOpen[:i] {
		case "":
			body += " | [^<] text0"
		case "<tool_": // what follows may not be that of a result
			body += ` | "<" text1 | [^<r` + next + "] text0"
		default:
			body += ` | "<" text1 | [^<` + next + "] text0"
		}
		g.Rule("text"+strconv.Itoa(i), body)
	}
}
