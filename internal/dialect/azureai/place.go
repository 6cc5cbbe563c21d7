package azureai

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/nearest"
)

// place is where a request arrived: a base, its deployment, and what follows.
type place struct {
	base       string // "", models, inference or deployments
	deployment string // of /deployments/{name}
	operation  string // info, chat/completions, …
	doubled    string // an operation before it, which an address that was pasted whole brings
	flavour    flavour
}

// flavour is whose manners a place has, where they differ (doc/protocol.md §8).
type flavour byte

const (
	serverless flavour = iota
	foundry            // at /models
	gitHub             // at /inference
	managed            // at the root of a managed online endpoint
)

// operations are what each base serves, and methods what they take. The catalogue and score are the root's alone.
var (
	operations = []string{"chat/completions", "completions", "embeddings", "images/embeddings", "info"}
	methods    = map[string]string{
		"info": http.MethodGet, "chat/completions": http.MethodPost, "completions": http.MethodPost, "embeddings": http.MethodPost,
		"images/embeddings": http.MethodPost, "catalog/models": http.MethodGet, "score": http.MethodPost,
	}
)

// locate reads a path; false where nothing is served there.
func (d *door) locate(escaped string) (place, bool) {
	rest, operation := lastOperation(dialect.Segments(escaped))
	_, doubled := lastOperation(rest)
	p := place{operation: operation, doubled: doubled}
	switch {
	case operation == "":
		return p, false
	case len(rest) == 0:
		if d.Endpoint != nil {
			p.flavour = managed
		}
	case len(rest) == 1 && rest[0] == "models":
		p.base, p.flavour = "models", foundry
	case len(rest) == 1 && rest[0] == "inference", len(rest) == 3 && rest[0] == "orgs" && rest[2] == "inference":
		p.base, p.flavour = "inference", gitHub
	case len(rest) > 1 && rest[0] == "deployments":
		p.base, p.deployment = "deployments", strings.TrimPrefix(strings.Join(rest[1:], "/"), "/")
		if p.deployment == "" {
			return p, false
		}
	default:
		return p, false
	}
	switch operation {
	case "catalog/models":
		return p, len(rest) == 0
	case "score":
		return p, p.flavour == managed
	}
	return p, true
}

// lastOperation splits the operation off that a path ends with; "" where it ends with none.
func lastOperation(segments []string) ([]string, string) {
	n := len(segments)
	// A deployment may be called chat, and complete text.
	if n > 1 && (n != 3 || segments[0] != "deployments") {
		if operation := segments[n-2] + "/" + segments[n-1]; methods[operation] != "" {
			return segments[:n-2], operation
		}
	}
	if n > 0 && methods[segments[n-1]] != "" {
		return segments[:n-1], segments[n-1]
	}
	return segments, ""
}

// Routes lists what the door serves, with or without the manners of a managed endpoint.
func Routes(endpoint bool) []dialect.Route {
	var routes []dialect.Route
	for _, base := range []string{"", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{deployment}"} {
		for _, operation := range operations {
			routes = append(routes, dialect.Route{Method: methods[operation], Path: base + "/" + operation, Operation: operation})
		}
	}
	routes = append(routes, dialect.Route{Method: http.MethodGet, Path: "/catalog/models", Operation: "catalog/models"})
	if endpoint {
		routes = append(routes, dialect.Route{Method: http.MethodPost, Path: "/score", Operation: "score"})
	}
	return routes
}

const notServed = "Resource not found. Azure AI Model Inference is served at the root, /models, /inference and /deployments/{name}: GET /info and POST /chat/completions, /completions, /embeddings and /images/embeddings. OpenAI's API is at /v1, Azure OpenAI's at /openai."

// noRoute is the error of a path that is not served, which names the one that was probably meant.
func noRoute(p place, escaped string) *llm.Error {
	hint := p.hint()
	if hint == "" {
		segments := dialect.Segments(escaped)
		if openAI := openAIOnly[strings.TrimPrefix(strings.Join(segments, "/"), "inference/")]; openAI != "" {
			hint = " Did you mean " + openAI + "?"
		} else if meant, operation := meant(segments); meant != "" {
			hint = " Did you mean " + methods[operation] + " " + meant + "?"
		}
	}
	return &llm.Error{Kind: llm.NoRoute, Message: notServed + hint}
}

// hint says what to do about a path that names two operations.
func (p place) hint() string {
	if p.doubled == "" {
		return ""
	}
	return " The endpoint's address names an operation already: remove /" + p.doubled + " from it, the client appends its own."
}

// openAIOnly are operations that only OpenAI's doors have, and where.
var openAIOnly = map[string]string{"models": "GET /v1/models", "responses": "POST /v1/responses"}

// elsewhere are the paths of other APIs, with the operation that does the same here.
var elsewhere = map[string]string{
	"score": "chat/completions", "messages": "chat/completions", "chat": "chat/completions",
	"generate": "completions", "embed": "embeddings", "catalog": "catalog/models",
}

// meant guesses the path that was meant, and its operation; "" where nothing is near.
func meant(segments []string) (path, operation string) {
	rest, operation := lastOperation(segments)
	for take := 2; take > 0 && operation == ""; take-- {
		n := len(segments) - take
		if n < 0 || take == 2 && isBase(segments[n]) {
			continue
		}
		word := strings.Join(segments[n:], "/")
		if operation = elsewhere[strings.ToLower(word)]; operation == "" {
			operation = nearest.Name(word, operations)
		}
		rest = segments[:n]
	}
	operation = cmp.Or(elsewhere[operation], operation)
	switch i := slices.Index(rest, "deployments"); {
	case operation == "":
		return "", ""
	case operation == "catalog/models":
		return "/" + operation, operation
	case i >= 0 && i+1 < len(rest) && rest[i+1] != "":
		return "/deployments/" + dialect.Clip(strings.Join(rest[i+1:], "/")) + "/" + operation, operation
	case len(rest) > 0 && isBase(rest[0]):
		return "/" + rest[0] + "/" + operation, operation
	}
	return "/" + operation, operation
}

func isBase(segment string) bool { return segment == "models" || segment == "inference" }

// versions are those that the contract was published in (doc/protocol.md §1.3).
var versions = []string{
	"2024-04-01-preview", "2024-05-01-preview", "2024-08-01-preview", "2025-02-01-preview",
	"2025-04-01", "2025-05-01", "2025-05-01-preview", "2025-05-15-preview",
}
