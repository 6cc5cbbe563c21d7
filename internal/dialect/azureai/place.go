package azureai

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

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

// allow lists the methods of an operation, with those that every one has.
func allow(operation string) string {
	if methods[operation] == http.MethodGet {
		return "GET, HEAD, OPTIONS"
	}
	return methods[operation] + ", OPTIONS"
}

// split reads the segments of a path, none where an escape is broken. Doubled and trailing slashes count for nothing, since
// clients send them and lose a POST that is redirected (doc/protocol.md §1.2).
func split(escaped string) []string {
	var segments []string
	for s := range strings.SplitSeq(escaped, "/") {
		if s == "" {
			continue
		}
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		segments = append(segments, plain)
	}
	return segments
}

// locate reads a path; false where nothing is served there.
func locate(escaped string) (place, bool) {
	rest, operation := lastOperation(split(escaped))
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
		if meant, operation := meant(split(escaped)); meant != "" {
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
		return "/deployments/" + clip(strings.Join(rest[i+1:], "/")) + "/" + operation, operation
	case len(rest) > 0 && (rest[0] == "models" || rest[0] == "inference"):
		return "/models/" + operation, operation
	}
	return "/" + operation, operation
}

// The versions that the contract was published in (doc/protocol.md §1.3), and the form of any other.
var (
	versions = list(`2024-04-01-preview 2024-05-01-preview 2024-08-01-preview 2025-02-01-preview
		2025-04-01 2025-05-01 2025-05-01-preview 2025-05-15-preview`)
	versionForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}(-preview)?|preview|latest)$`)
)

// version reads the api-version: the last of the repeated values, since pasted addresses bring their own (doc/protocol.md §1.2).
func (d *door) version(query url.Values) (string, error) {
	v := last(query["api-version"])
	_, published := versions[v]
	switch {
	case published:
	case v == "" && d.StrictVersions:
		return "", &llm.Error{
			Kind: llm.NoVersion, Param: "api-version",
			Message: "The api-version query parameter (?api-version=) is required for all requests.",
		}
	case v == "" || !d.StrictVersions && versionForm.MatchString(v):
	default:
		return "", &llm.Error{
			Kind: llm.NoRoute, Param: "api-version",
			Message: "Resource not found: there is no api-version '" + clip(v) + "'. The usual one is 2024-05-01-preview.",
		}
	}
	return v, nil
}

// last is the last of the values of a query's parameter, "" where there is none.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
