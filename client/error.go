package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/client/internal/again"
	"github.com/ingot-llm/ingot/client/internal/fault"
)

// Error is a refusal by the service: errors.AsType[*client.Error](err) finds it in what the methods of Client return.
type Error struct {
	Status     int             // of the HTTP response; 200 when a stream failed after it had begun
	Code       string          // such as content_filter; may be empty
	Message    string          // may be empty
	Target     string          // the request member at fault, where the service named one
	Details    []Detail        // what exactly is wrong
	Inner      json.RawMessage // the service's innererror
	RetryAfter time.Duration   // how long to wait before another attempt; zero when not said
	Body       []byte          // as it came, at most 1 MiB

	Meta
}

// Detail is one fault of a request.
type Detail struct {
	Code    string
	Message string
	Target  string
	Loc     []any // path to the member: strings and numbers, first "body", "query" or "header"
	Input   json.RawMessage
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("service answered ")
	if e.Status == http.StatusOK {
		b.WriteString("with an error")
	} else {
		b.WriteString(strings.TrimSpace(strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)))
	}
	if e.Code != "" && e.Code != strconv.Itoa(e.Status) {
		b.WriteString(" (" + e.Code + ")")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" [request " + e.RequestID + "]")
	}
	return b.String()
}

// newError makes an Error of a body and what came with it.
func newError(status int, body []byte, meta Meta) *Error {
	const most = 1 << 20
	if len(body) > most {
		body = bytes.Clone(body[:most])
	}
	f, h := fault.Parse(body), meta.Header
	e := &Error{
		Status:     status,
		Code:       cmp.Or(f.Code, h.Get("X-Ms-Error-Code")),
		Message:    cmp.Or(f.Message, h.Get("X-Ms-Error-Reason")),
		Target:     f.Target,
		Inner:      f.Inner,
		RetryAfter: again.After(h),
		Body:       body,
		Meta:       meta,
	}
	if location := h.Get("Location"); location != "" && e.Message == "" {
		e.Message = "redirects are not followed; use the endpoint " + location
	}
	for _, d := range f.Details {
		e.Details = append(e.Details, Detail(d))
	}
	return e
}
