package door

import (
	"net/http"
	"regexp"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

const (
	requestID = "X-Request-Id"
	clientID  = "X-Ms-Client-Request-Id"
)

func headers() []check.Check {
	return check.For(check.Chat, []check.Check{
		{
			Name: "headers/request-id", Section: "2.2",
			Requires: "Every answer, an error too, carries x-request-id.",
			Breaks:   "OpenAI's SDKs show it as the request's id; without it nobody finds the log line.",
			Run: func(t *check.T) {
				for _, a := range []*check.Answer{t.Chat(check.Brief()), t.Send(http.MethodPost, "/no/such/route", plainChat)} {
					if a.Status() != 0 && a.Header.Get(requestID) == "" {
						t.Fault("%s: status %d without x-request-id", a.Request.Path, a.Status())
					}
				}
			},
		},
		{
			Name: "headers/request-id-unique", Section: "2.2",
			Requires: "Two answers have different x-request-id.",
			Breaks:   "Whoever looks for one request in the log finds others.",
			Run: func(t *check.T) {
				a, b := t.Chat(check.Brief()), t.Chat(check.Brief(), check.Again)
				if id := a.Header.Get(requestID); a.OK().Exists() && b.OK().Exists() && id == b.Header.Get(requestID) {
					t.Fault("both have %q", id)
				}
			},
		},
		{
			Name: "headers/request-id-own", Section: "2.1", Should: true,
			Requires: "An x-request-id that the caller sends is not taken over.",
			Breaks:   "Operators: callers could make their requests look like others' in the log.",
			Run: func(t *check.T) {
				a := t.Chat(check.Brief(), check.Header(requestID, "chosen-by-the-caller"))
				if a.OK().Exists() && a.Header.Get(requestID) == "chosen-by-the-caller" {
					t.Fault("x-request-id is the caller's")
				}
			},
		},
		{
			Name: "headers/client-request-id", Section: "2.2",
			Requires: "x-ms-client-request-id is echoed.",
			Breaks:   "The .NET SDK, which asks for it to tell its requests apart.",
			Run: func(t *check.T) {
				const id = "382dcf4c-e717-11f1-bd2a-02fc00000001"
				a := t.Chat(check.Brief(), check.Header(clientID, id), check.Header("X-Ms-Return-Client-Request-Id", "true"))
				if got := a.Header.Get(clientID); a.OK().Exists() && got != id {
					t.Fault("sent %q, got %q", id, got)
				}
			},
		},
		{
			Name: "headers/client-request-id-clean", Section: "2.1", Should: true,
			Requires: "Of x-ms-client-request-id no more is echoed than letters, digits, _ and -, and 40 of them.",
			Breaks:   "Operators: what a stranger chose ends in their logs.",
			Run: func(t *check.T) {
				a := t.Chat(check.Brief(), check.Header(clientID, "<b> é;0123456789012345678901234567890123456789"))
				if got := a.Header.Get(clientID); a.OK().Exists() && !cleanID.MatchString(got) {
					t.Fault("got %q", got)
				}
			},
		},
		{
			Name: "headers/apim-request-id", Section: "2.2", Should: true,
			Requires: "apim-request-id has the same value as x-request-id.",
			Breaks:   "Programs written for Azure OpenAI and Foundry, which log this header.",
			Run: func(t *check.T) {
				a := t.Chat(check.Brief())
				if got := a.Header.Get("Apim-Request-Id"); a.OK().Exists() && (got == "" || got != a.Header.Get(requestID)) {
					t.Fault("apim-request-id is %q, x-request-id is %q", got, a.Header.Get(requestID))
				}
			},
		},
		{
			Name: "headers/nosniff", Section: "2.2", Should: true,
			Requires: "Answers carry x-content-type-options: nosniff.",
			Breaks:   "Browsers may take an answer's text for a page.",
			Run: func(t *check.T) {
				a := t.Chat(check.Brief())
				if got := a.Header.Get("X-Content-Type-Options"); a.OK().Exists() && got != "nosniff" {
					t.Fault("x-content-type-options is %q", got)
				}
			},
		},
		{
			Name: "headers/content-type", Section: "3.5",
			Requires: "A whole answer's Content-Type is application/json.",
			Breaks:   "azure-core for Python and JavaScript decode JSON by this type only, and hand out a string else.",
			Run: func(t *check.T) {
				a := t.Chat(check.Brief())
				if a.OK().Exists() && a.MediaType() != "application/json" {
					t.Fault("Content-Type is %q", a.Header.Get("Content-Type"))
				}
			},
		},
	})
}

var cleanID = regexp.MustCompile(`^[A-Za-z0-9_-]{0,40}$`)
