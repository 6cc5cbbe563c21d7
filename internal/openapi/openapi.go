// Package openapi describes what is routed as one OpenAPI 3.1 document. What a door's operations take and answer is data, in
// doors.yaml, requests.yaml and answers.yaml; which of them there are, and at which paths, the doors say.
package openapi

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/ingot-llm/ingot/internal/dialect"
)

//go:embed doors.yaml
var doorsFile []byte

//go:embed requests.yaml
var requestsFile []byte

//go:embed answers.yaml
var answersFile []byte

type object = map[string]any

// contract is doors.yaml.
type contract struct {
	Parameters, Headers object
	Statuses            map[string]struct{ Description string }
	Answered, Refused   []string // headers
	Doors               map[string]*door
}

type door struct {
	Title, Error         string
	Statuses, Parameters []string
	Operations           map[string]*operation
}

type operation struct {
	Summary, Request, Answer string
	Stream                   string // the schema of each event's data
	Parameters               []string
	Open                     bool // answered to everybody, and by no door
}

// Document returns the document as JSON, the same bytes for the same routes. It fails on a route that nothing is known of.
func Document(routes []dialect.Route, version string) ([]byte, error) {
	var c contract
	if err := yaml.Unmarshal(doorsFile, &c); err != nil {
		return nil, fmt.Errorf("read doors.yaml: %w", err)
	}
	schemas := object{}
	for _, file := range [][]byte{requestsFile, answersFile} {
		var s struct{ Schemas object }
		if err := yaml.Unmarshal(file, &s); err != nil {
			return nil, fmt.Errorf("read schemas: %w", err)
		}
		maps.Copy(schemas, s.Schemas)
	}
	paths, tags := object{}, []object{}
	for _, r := range routes {
		name := doorOf(r.Path)
		d := c.Doors[name]
		op := d.Operations[r.Method+" "+r.Operation]
		if op == nil {
			op = d.Operations[r.Operation]
		}
		if op == nil {
			return nil, fmt.Errorf("describe %s %s: doors.yaml has no operation %q of the door %s", r.Method, r.Path, r.Operation, name)
		}
		methods, ok := paths[r.Path].(object)
		if !ok {
			methods = object{}
			paths[r.Path] = methods
		}
		methods[strings.ToLower(r.Method)] = c.describe(d, r, op)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Doors)) {
		tags = append(tags, object{"name": c.Doors[name].Title})
	}
	document := object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Ingot", "version": version, "license": object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
			"description": "An Azure AI Model Inference endpoint that also answers as Azure OpenAI and OpenAI v1.",
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"key": []string{}}, {"bearer": []string{}}},
		"tags":     tags,
		"paths":    paths,
		"components": object{
			"schemas": schemas, "parameters": c.Parameters, "headers": c.Headers, "responses": c.errors(),
			"securitySchemes": object{
				"key":    object{"type": "apiKey", "in": "header", "name": "api-key"},
				"bearer": object{"type": "http", "scheme": "bearer", "description": "A key, or a token of Entra ID where it is switched on."},
			},
		},
	}
	b, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return b, nil
}

// doorOf names the door that serves a path.
func doorOf(path string) string {
	switch {
	case strings.Contains(path, "/v1/"):
		return "openai"
	case strings.Contains(path, "/openai/"):
		return "azureopenai"
	}
	return "inference"
}

// errors are the refusals of every door, by the door's shape and the status.
func (c *contract) errors() object {
	out := object{}
	for _, d := range c.Doors {
		for _, status := range d.Statuses {
			about := object{"description": c.Statuses[status].Description, "headers": references("headers", c.Refused)}
			about["content"] = object{"application/json": object{"schema": reference("schemas", d.Error)}}
			out[d.Error+status] = about
		}
	}
	return out
}

// describe is what the document says of one route.
func (c *contract) describe(d *door, r dialect.Route, op *operation) object {
	content := object{"application/json": object{"schema": reference("schemas", op.Answer)}}
	if op.Stream != "" {
		content["text/event-stream"] = object{"schema": event(op.Stream)}
	}
	if op.Open {
		return object{
			"operationId": identifier(r), "summary": op.Summary, "security": []object{},
			"responses": object{"200": object{"description": "The answer.", "content": content}},
		}
	}
	responses := object{"200": object{"description": "The answer.", "headers": references("headers", c.Answered), "content": content}}
	for _, status := range d.Statuses {
		responses[status] = reference("responses", d.Error+status)
	}
	out := object{
		"operationId": identifier(r), "summary": op.Summary, "tags": []string{d.Title},
		"parameters": parameters(r.Path, slices.Concat(d.Parameters, op.Parameters)), "responses": responses,
	}
	if op.Request != "" {
		out["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": reference("schemas", op.Request)}}}
	}
	return out
}

// event is one of a stream's; up to OpenAPI 3.1 a stream's schema is that of each.
func event(schema string) object {
	chunk := object{"type": "string", "contentMediaType": "application/json", "contentSchema": reference("schemas", schema)}
	data := object{"anyOf": []object{{"const": "[DONE]"}, chunk}}
	return object{"type": "object", "required": []string{"data"}, "properties": object{"event": object{"type": "string"}, "data": data}}
}

// parameters are the variables of a path and the named ones.
func parameters(path string, names []string) []object {
	var out []object
	for part := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			out = append(out, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string", "minLength": 1}})
		}
	}
	for _, name := range names {
		out = append(out, reference("parameters", name))
	}
	return out
}

// identifier is a name for a route that no other has: its method and path.
func identifier(r dialect.Route) string {
	words := strings.FieldsFunc(strings.ToLower(r.Method)+r.Path, func(c rune) bool { return c == '/' || c == '{' || c == '}' || c == '.' })
	return strings.Join(words, "_")
}

func reference(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

func references(kind string, names []string) object {
	out := object{}
	for _, name := range names {
		out[name] = reference(kind, name)
	}
	return out
}
