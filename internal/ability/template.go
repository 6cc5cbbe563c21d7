package ability

import (
	"regexp"
	"strings"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// toolsInTemplate is the variable of that name inside a tag of a template.
var toolsInTemplate = regexp.MustCompile(`\{[{%][^{}]*\btools\b`)

// tellsTools reports whether a chat template has a place for tools and writes a call as a JSON document of name and
// arguments between the marks of this package. Of one that has it in other words the grammar would speak another language.
func tellsTools(template string) bool {
	for _, other := range []string{"<function=", "<arg_key>"} {
		if strings.Contains(template, other) {
			return false
		}
	}
	return toolsInTemplate.MatchString(template) && strings.Contains(template, callOpen) &&
		strings.Contains(strings.ReplaceAll(template, `\`, ""), `"arguments"`) && strings.Contains(template, resultOpen)
}

// opensThoughts reports whether a chat template begins the answer inside a thought.
func opensThoughts(template string) bool {
	end := template[max(0, strings.LastIndex(template, "add_generation_prompt")):]
	opened := strings.LastIndex(end, thinkOpen)
	return end != template && opened >= 0 && !strings.Contains(end[opened:], thinkClose)
}

// templateTools is the variable tools of a template, in the form that templates know.
func templateTools(tools []llm.Tool) []byte {
	w := jsonx.Writer{}
	w.BeginObject()
	w.Member("tools")
	w.BeginArray()
	for i := range tools {
		w.BeginObject()
		w.Str("type", "function")
		w.Member("function")
		writeTool(&w, &tools[i])
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
	return w.Bytes
}

// writeTool writes what a model is told of a tool.
func writeTool(w *jsonx.Writer, t *llm.Tool) {
	w.BeginObject()
	w.Str("name", t.Name)
	if t.Description != nil {
		w.Str("description", t.Description.String())
	}
	w.Raw("parameters", compact(parameters(t)))
	w.EndObject()
}
