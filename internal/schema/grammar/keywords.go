package grammar

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/schema"
	"github.com/ingot-llm/ingot/internal/schema/document"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
)

// EnforcedKeywords lists the keywords that Enforce enforces.
func EnforcedKeywords() []string {
	return []string{
		"type", "enum", "const",
		"properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties",
		"items", "prefixItems", "additionalItems", "minItems", "maxItems",
		"minLength", "maxLength", "pattern", "format",
		"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"anyOf", "oneOf", "allOf", "$ref", "$defs", "definitions",
	}
}

// IgnoredKeywords lists those that say nothing about what is valid. All that
// begin with x- are ignored, too.
func IgnoredKeywords() []string {
	return []string{
		"$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$comment", "$vocabulary",
		"title", "description", "default", "examples", "example", "deprecated", "readOnly", "writeOnly",
		"contentEncoding", "contentMediaType", "contentSchema", "discriminator", "externalDocs", "xml",
	}
}

// RefusedKeywords gives the reason for each keyword that cannot be enforced.
func RefusedKeywords() map[string]string {
	const (
		whole = "it is known only of a whole value, and tokens are chosen one after another"
		dyn   = "use $ref"
	)
	return map[string]string{
		"not":                   whole + ": list what is allowed",
		"if":                    whole + ": use anyOf",
		"then":                  whole + ": use anyOf",
		"else":                  whole + ": use anyOf",
		"contains":              whole + ": use prefixItems",
		"minContains":           whole,
		"maxContains":           whole,
		"uniqueItems":           whole,
		"dependentRequired":     whole + ": use anyOf",
		"dependentSchemas":      whole + ": use anyOf",
		"dependencies":          whole + ": use anyOf",
		"unevaluatedProperties": whole + ": use additionalProperties",
		"unevaluatedItems":      whole + ": use items",
		"$dynamicRef":           dyn,
		"$recursiveRef":         dyn,
		"nullable":              `it is no keyword of JSON Schema: use "type": ["string", "null"]`,
	}
}

// surveyor looks at every schema that can be reached, and refuses or leaves
// out what can be judged without its surroundings.
type surveyor struct {
	root    *document.Node
	strict  bool
	left    map[*document.Node]map[string]string
	seen    map[*document.Node]bool
	known   []string
	refused map[string]string
}

func survey(root *document.Node, strict bool) (map[*document.Node]map[string]string, error) {
	s := &surveyor{
		root: root, strict: strict, left: map[*document.Node]map[string]string{}, seen: map[*document.Node]bool{},
		known:   append(EnforcedKeywords(), IgnoredKeywords()...),
		refused: RefusedKeywords(),
	}
	return s.left, s.visit(root)
}

func (s *surveyor) visit(n *document.Node) error {
	if n == nil || n.Members == nil || s.seen[n] {
		return nil
	}
	s.seen[n] = true
	for _, name := range n.Names {
		if reason := s.fault(n, name); reason != "" {
			if s.strict {
				return &schema.Error{Pointer: n.At, Keyword: name, Reason: reason}
			}
			leave(s.left, n, name, "")
			continue
		}
		if err := s.follow(n, name); err != nil {
			return err
		}
	}
	return nil
}

// leave notes that a keyword is not in force, or only as another.
func leave(left map[*document.Node]map[string]string, n *document.Node, name, as string) {
	if left[n] == nil {
		left[n] = map[string]string{}
	}
	left[n][name] = as
}

// fault says why a keyword cannot be enforced. A malformed one is left to
// schema.Parse.
func (s *surveyor) fault(n *document.Node, name string) string {
	v := n.Members[name]
	text, isText := n.Text(name)
	switch {
	case name == "uniqueItems" && v.Is(false):
		return ""
	case s.refused[name] != "":
		return s.refused[name]
	case name == "pattern" && isText:
		if _, err := pattern.Whole(text); err != nil {
			return err.Error()
		}
	case name == "patternProperties":
		for _, p := range v.Names {
			if _, err := pattern.Whole(p); err != nil {
				return fmt.Sprintf("%q: %v", p, err)
			}
		}
	case name == "format" && isText:
		kind, _ := n.Text("type")
		if numeric := kind == "integer" || kind == "number"; !numeric && pattern.Format(text) == "" {
			return fmt.Sprintf("%q cannot be enforced: use pattern", text)
		}
	case !slices.Contains(s.known, name) && !strings.HasPrefix(name, "x-"):
		return "it is not known"
	}
	return ""
}

// follow visits the schemas that a keyword holds.
func (s *surveyor) follow(n *document.Node, name string) error {
	v := n.Members[name]
	var next []*document.Node
	switch name {
	case "properties", "patternProperties":
		for _, m := range v.Names {
			next = append(next, v.Members[m])
		}
	case "additionalProperties", "propertyNames", "additionalItems":
		next = []*document.Node{v}
	case "items":
		next = append([]*document.Node{v}, v.Items...)
	case "prefixItems", "anyOf", "oneOf", "allOf":
		next = v.Items
	case "$ref":
		ref, ok := v.Scalar.(string)
		if !ok {
			break
		}
		to := s.root.Target(ref)
		if to == nil {
			return &schema.Error{Pointer: n.At, Keyword: name, Reason: fmt.Sprintf(
				"%q is not in this document: only #, #/$defs/… and other places of it are followed", ref)}
		}
		next = []*document.Node{to}
	case "$id":
		if id, ok := v.Scalar.(string); ok && n != s.root && !strings.HasPrefix(id, "#") {
			return &schema.Error{Pointer: n.At, Keyword: name, Reason: "only the root may have one: references would mean other places"}
		}
	}
	for _, to := range next {
		if err := s.visit(to); err != nil {
			return err
		}
	}
	return nil
}
