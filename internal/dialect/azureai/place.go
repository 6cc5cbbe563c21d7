package azureai

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/nearest"
)

// place is where a request arrived: a base, its deployment, and what follows.
type place struct {
	base       string // "", models or deployments
	deployment string // of /deployments/{name}
	operation  string // info, chat/completions, …
	doubled    string // an operation before it, which an address that was pasted whole brings
}

// operations are what each base serves, and methods what they take.
var (
	operations = []string{"chat/completions", "completions", "embeddings", "info"}
	methods    = map[string]string{
		"info": http.MethodGet, "chat/completions": http.MethodPost, "completions": http.MethodPost, "embeddings": http.MethodPost,
	}
)

// locate reads a path; false where nothing is served there.
func locate(escaped string) (place, bool) {
	rest, operation := lastOperation(dialect.Segments(escaped))
	_, doubled := lastOperation(rest)
	p := place{operation: operation, doubled: doubled}
	switch {
	case operation == "":
		return p, false
	case len(rest) == 0:
	case len(rest) == 1 && rest[0] == "models":
		p.base = "models"
	case len(rest) > 1 && rest[0] == "deployments":
		p.base, p.deployment = "deployments", strings.Join(rest[1:], "/")
	default:
		return p, false
	}
	return p, true
}

// lastOperation splits the operation off that a path ends with; "" where it ends with none.
func lastOperation(segments []string) ([]string, string) {
	n := len(segments)
	take := min(n, 1)
	// A deployment may be called chat, and complete text.
	if n > 1 && segments[n-2] == "chat" && segments[n-1] == "completions" && (n != 3 || segments[0] != "deployments") {
		take = 2
	}
	operation := strings.Join(segments[n-take:], "/")
	if _, known := methods[operation]; !known {
		return segments, ""
	}
	return segments[:n-take], operation
}

const notServed = "Resource not found. This endpoint answers GET /info and POST /chat/completions, /completions and /embeddings at its root, under /models and under /deployments/{name}."

// noRoute is the error of a path that is not served, which names the one that was probably meant.
func noRoute(p place, escaped string) *llm.Error {
	hint := p.hint()
	if hint == "" {
		if meant, operation := meant(dialect.Segments(escaped)); meant != "" {
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

// elsewhere are the paths of other APIs, with the operation that does the same here.
var elsewhere = map[string]string{
	"score": "chat/completions", "responses": "chat/completions", "messages": "chat/completions", "chat": "chat/completions",
	"generate": "completions", "embed": "embeddings", "models": "info",
}

// meant guesses the path that was meant, and its operation; "" where nothing is near.
func meant(segments []string) (path, operation string) {
	rest, operation := lastOperation(segments)
	for take := 2; take > 0 && operation == ""; take-- {
		if n := len(segments) - take; n >= 0 {
			word := strings.Join(segments[n:], "/")
			if operation = elsewhere[strings.ToLower(word)]; operation == "" {
				operation = nearest.Name(word, operations)
			}
			rest = segments[:n]
		}
	}
	if operation == "" || len(rest) > 0 && rest[len(rest)-1] == "images" {
		return "", ""
	}
	switch i := slices.Index(rest, "deployments"); {
	case i >= 0 && i+1 < len(rest):
		return "/deployments/" + dialect.Clip(strings.Join(rest[i+1:], "/")) + "/" + operation, operation
	case len(rest) > 0 && (rest[0] == "models" || rest[0] == "inference"):
		return "/models/" + operation, operation
	}
	return "/" + operation, operation
}

// versions are those that the contract was published in (doc/protocol.md §1.3).
var versions = []string{
	"2024-04-01-preview", "2024-05-01-preview", "2024-08-01-preview", "2025-02-01-preview",
	"2025-04-01", "2025-05-01", "2025-05-01-preview", "2025-05-15-preview",
}
