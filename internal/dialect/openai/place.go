package openai

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/nearest"
)

// The operations, as paths end with them.
const (
	opChat      = "chat/completions"
	opComplete  = "completions"
	opEmbed     = "embeddings"
	opModels    = "models"
	opResponses = "responses"
)

// place is where a request arrived.
type place struct {
	wire       llm.Wire // whose paths these are
	ofAzure    bool     // v1 below /openai
	deployment string   // of /openai/deployments/{name}
	operation  string
	doubled    string   // an operation before it, which an address that was pasted whole brings
	rest       []string // what follows models or responses
}

// method is what an operation takes.
func (p *place) method() string {
	if p.operation == opModels {
		return http.MethodGet
	}
	return http.MethodPost
}

// Serves reports whether a path, read by dialect.Segments, belongs to these doors, served or not. Below the address of GitHub
// Models clients append the paths of OpenAI (doc/protocol.md §1.1), which are read as without it.
func Serves(segments []string) bool {
	segments = below(segments)
	return len(segments) > 0 && (segments[0] == "openai" || segments[0] == "v1")
}

// below cuts the base of GitHub Models off a path.
func below(segments []string) []string {
	switch {
	case len(segments) > 0 && segments[0] == "inference":
		return segments[1:]
	case len(segments) > 2 && segments[0] == "orgs" && segments[2] == "inference":
		return segments[3:]
	}
	return segments
}

// Routes lists what the doors serve.
func Routes() []dialect.Route {
	var routes []dialect.Route
	for _, op := range []string{opChat, opComplete, opEmbed} {
		routes = append(routes, dialect.Route{Method: http.MethodPost, Path: "/openai/deployments/{deployment}/" + op, Operation: op})
	}
	for _, base := range []string{"/openai/v1", "/v1"} {
		for _, op := range []string{opChat, opComplete, opEmbed} {
			routes = append(routes, dialect.Route{Method: http.MethodPost, Path: base + "/" + op, Operation: op})
		}
	}
	for _, base := range []string{"/openai", "/openai/v1", "/v1"} {
		for _, one := range []struct{ method, path, operation string }{
			{http.MethodGet, "/models", "models"},
			{http.MethodGet, "/models/{model}", "model"},
			{http.MethodPost, "/responses", opResponses},
			{http.MethodGet, "/responses/{response_id}", "response"},
			{http.MethodDelete, "/responses/{response_id}", "response"},
			{http.MethodGet, "/responses/{response_id}/input_items", "response/input_items"},
			{http.MethodPost, "/responses/{response_id}/cancel", "response/cancel"},
		} {
			routes = append(routes, dialect.Route{Method: one.method, Path: base + one.path, Operation: one.operation})
		}
	}
	return routes
}

// locate reads a path; false where nothing is served there.
func locate(segments []string) (place, bool) {
	segments = below(segments)
	p := place{wire: llm.WireAzure}
	if len(segments) > 0 && segments[0] == "openai" {
		segments = segments[1:]
		p.ofAzure = true
	}
	if len(segments) > 0 && segments[0] == "v1" {
		segments = segments[1:]
		p.wire = llm.WireOpenAI
	}
	if len(segments) > 0 && (segments[0] == opModels || segments[0] == opResponses) {
		p.operation, p.rest = segments[0], segments[1:]
		return p, true
	}
	rest, operation := lastOperation(segments)
	_, p.doubled = lastOperation(rest)
	p.operation = operation
	switch {
	case operation == "":
		return p, false
	case p.wire == llm.WireOpenAI:
		return p, len(rest) == 0
	case len(rest) > 2 && operation == opEmbed && rest[len(rest)-1] == "images": // Model Inference's, not a deployment's name
		return p, false
	case len(rest) > 1 && rest[0] == "deployments" && rest[len(rest)-1] != "extensions": // those are of On Your Data
		p.deployment = strings.TrimPrefix(strings.Join(rest[1:], "/"), "/")
		return p, p.deployment != ""
	}
	return p, false
}

// lastOperation splits the operation off that a path ends with; "" where it ends with none.
func lastOperation(segments []string) ([]string, string) {
	n := len(segments)
	switch {
	// A deployment may be called chat, and complete text.
	case n > 1 && segments[n-2] == "chat" && segments[n-1] == "completions" && (n != 3 || segments[0] != "deployments"):
		return segments[:n-2], opChat
	case n > 0 && (segments[n-1] == opComplete || segments[n-1] == opEmbed):
		return segments[:n-1], segments[n-1]
	}
	return segments, ""
}

// noRoute is the error of a path that is not served, which names the one that was probably meant.
func noRoute(p place, r *http.Request) *llm.Error {
	e := &llm.Error{Kind: llm.NoRoute, Message: "Resource not found. Azure OpenAI is served at /openai/deployments/{name}/chat/completions, /completions and /embeddings, and at /openai/models and /openai/responses."}
	if p.wire == llm.WireOpenAI {
		e.Message = "Unknown request URL: " + dialect.Clip(r.Method) + " " + dialect.Clip(r.URL.Path) +
			". OpenAI is served at /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/responses and /v1/models, and the same below /openai/v1."
	}
	hint := p.hint()
	if hint == "" && p.operation != opResponses {
		hint = meant(&p, dialect.Segments(r.URL.EscapedPath()))
	}
	e.Message += hint
	return e
}

// hint says what to do about a path that names two operations.
func (p *place) hint() string {
	if p.doubled == "" {
		return ""
	}
	return " The address that the client was given names an operation already: remove /" + p.doubled + " from it, the client appends its own."
}

// meant guesses what was meant by a path that ends with none of the operations, or that does not name a deployment.
func meant(p *place, segments []string) string {
	served := []string{opChat, opComplete, opEmbed, opModels, opResponses}
	operation := p.operation
	for take := 2; take > 0 && operation == ""; take-- {
		if n := len(segments) - take; n >= 0 {
			operation = nearest.Name(strings.Join(segments[n:], "/"), served)
		}
	}
	base := "/openai"
	switch deployments := slices.Index(segments, "deployments"); {
	case operation == "":
		return ""
	case p.wire == llm.WireOpenAI && p.ofAzure:
		base = "/openai/v1"
	case p.wire == llm.WireOpenAI:
		base = "/v1"
	case operation == opModels || operation == opResponses:
	case deployments >= 0 && deployments+1 < len(segments) && segments[deployments+1] != "":
		base = "/openai/deployments/" + dialect.Clip(segments[deployments+1])
	default:
		base = "/openai/deployments/{name}"
	}
	return " Did you mean " + (&place{operation: operation}).method() + " " + base + "/" + operation + "?"
}
