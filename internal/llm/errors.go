package llm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Kind is what went wrong, in one meaning; each door has one status and code for it (doc/protocol.md §7).
type Kind byte

// The kinds of errors.
const (
	Internal        Kind = iota // a bug of ours
	Malformed                   // not JSON, duplicate members, wrong top-level type
	Invalid                     // a value
	UnknownParam                // a member the contract does not have, or a bad extra-parameters header
	NoVersion                   // no api-version, where one is required
	NoModel                     // none named, none is the default
	UnknownModel                // the body names one that is not there
	NoDeployment                // the path or a header names one that is not there
	NoOperation                 // this model does not do this
	NotFound                    // an id
	NoRoute                     // no such path or api-version
	BadHost                     // a Host header that is refused
	Method                      // not this method on this path
	MediaType                   // not JSON
	TooLarge                    // the body
	Late                        // the body, which stopped arriving
	TooLong                     // the prompt; the message has both numbers
	Unauthenticated             // no valid key
	Denied                      // a valid key that may not do this
	Unsupported                 // a member that no target obeys
	RateLimited                 // too many requests; RetryAfter says when
	OverBudget                  // the budget is spent
	Filtered                    // the prompt was refused
	Canceled                    // the caller went away
	Timeout                     // a limit of time passed
	Unavailable                 // not now: loading, queue full while starting
	Upstream                    // the model or its server failed
)

// kindNames are what metrics and logs call the kinds.
var kindNames = map[Kind]string{
	Internal:        "internal",
	Malformed:       "malformed",
	Invalid:         "invalid",
	UnknownParam:    "unknown_parameter",
	NoVersion:       "no_version",
	NoModel:         "no_model",
	UnknownModel:    "unknown_model",
	NoDeployment:    "no_deployment",
	NoOperation:     "no_operation",
	NotFound:        "not_found",
	NoRoute:         "no_route",
	BadHost:         "bad_host",
	Method:          "method",
	MediaType:       "media_type",
	TooLarge:        "too_large",
	Late:            "late",
	TooLong:         "too_long",
	Unauthenticated: "unauthenticated",
	Denied:          "denied",
	Unsupported:     "unsupported",
	RateLimited:     "rate_limited",
	OverBudget:      "over_budget",
	Filtered:        "filtered",
	Canceled:        "canceled",
	Timeout:         "timeout",
	Unavailable:     "unavailable",
	Upstream:        "upstream",
}

// String names the kind in metrics and logs.
func (k Kind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return "other"
}

// Retryable reports whether asking again may help.
func (k Kind) Retryable() bool {
	return k == RateLimited || k == Unavailable || k == Timeout || k == Upstream
}

// CodeCut is the Code of an Upstream error that a door passes on as what it is: it breaks the
// connection without another word.
const CodeCut = "cut"

// The Codes of what was refused because of a token (doc/protocol.md §10.2).
const (
	CodeInvalidToken = "invalid_token" // of an Unauthenticated: a token was shown that is not valid
	CodeNoRole       = "no_role"       // of a Denied: the token is valid, its principal may not call
)

// Detail is one member of a request at fault, in the manner of doc/protocol.md §7.3.
type Detail struct {
	Type  string // enum, missing, too_short, list_type, …
	Msg   string
	Loc   []any // strings and ints; the first is "body", "header" or "query"
	Input json.RawMessage
}

// Error is the only error that crosses packages on the request path. Message is safe to show
// to the caller; Err is for the log.
type Error struct {
	Kind       Kind
	Message    string
	Param      string // the root member at fault, if one is
	Details    []Detail
	Filter     json.RawMessage // content_filter_result of a Filtered one; nil: not told
	Meta       Meta
	Backend    string // who failed; empty for ourselves
	Status     int    // the upstream's HTTP status
	Code       string // the upstream's own code
	RetryAfter time.Duration
	Err        error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return strings.TrimSuffix(e.Message, ".") + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FaultyMessage is the Message of an Invalid error whose Details say what is wrong.
const FaultyMessage = "invalid input error"

// Faulty makes an Invalid error of details.
func Faulty(details ...Detail) *Error {
	e := &Error{Kind: Invalid, Message: FaultyMessage, Details: details}
	if len(details) > 0 && len(details[0].Loc) > 1 {
		e.Param, _ = details[0].Loc[1].(string)
	}
	return e
}

// AsError classifies err: an *Error stays what it is, context errors become Canceled and
// Timeout, and the text of everything else is hidden from the caller.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Kind: Canceled, Message: "The request was cancelled.", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Timeout, Message: "The request took too long.", Err: err}
	}
	return &Error{Kind: Internal, Message: "Internal error.", Err: err}
}
