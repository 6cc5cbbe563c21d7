package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const maxErrorBody = 1 << 20

// Error is a refusal by the service: errors.AsType[*client.Error](err) finds it in what the methods of Client return.
type Error struct {
	Status     int             // of the HTTP response; 200 when a stream failed after it had begun
	Code       string          // such as content_filter; may be empty
	Message    string          // may be empty
	Target     string          // the request member at fault, where the service named one
	Details    []Detail        // what exactly is wrong
	Inner      json.RawMessage // the service's innererror
	RequestID  string          // what the service calls this request in its logs
	RetryAfter time.Duration   // how long to wait before another attempt; zero when not said
	Body       []byte          // as it came, at most 1 MiB
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

// readError reads the body of a refusal and closes it.
func readError(resp *http.Response) *Error {
	defer resp.Body.Close()
	// Whatever part of the body arrives is better than none.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	return parseError(body).from(resp)
}

// from adds what the response's head tells.
func (e *Error) from(resp *http.Response) *Error {
	h := resp.Header
	e.Status = resp.StatusCode
	e.Code = cmp.Or(e.Code, h.Get("X-Ms-Error-Code"))
	e.Message = cmp.Or(e.Message, h.Get("X-Ms-Error-Reason"))
	if location := h.Get("Location"); location != "" && e.Message == "" {
		e.Message = "redirects are not followed; use the endpoint " + location
	}
	e.RequestID = cmp.Or(h.Get("X-Request-Id"), h.Get("Apim-Request-Id"), h.Get("X-Ms-Request-Id"))
	e.RetryAfter = retryAfter(h)
	return e
}

// errorBody is every member by which some service tells an error; loose values, since types differ too.
type errorBody struct {
	Error, Code, Message, Target, Param, Type json.RawMessage
	Details, Detail, InnerError               json.RawMessage
	Msg, Loc, Input, Status                   json.RawMessage
}

// parseError reads the error shapes in use: nested, flat, {statusCode, message}, {detail}, {status}, plain text.
func parseError(body []byte) *Error {
	e := &Error{Body: body}
	var outer errorBody
	if json.Unmarshal(body, &outer) != nil {
		var line string
		if json.Unmarshal(body, &line) != nil {
			line = string(body)
		}
		e.Message = clip(line)
		return e
	}
	in := outer
	if given(outer.Error) {
		in = errorBody{}
		if json.Unmarshal(outer.Error, &in) != nil {
			in = errorBody{Message: outer.Error}
		}
	}
	e.Code = text(in.Code)
	e.Message = text(in.Message)
	e.Target = cmp.Or(text(in.Target), text(in.Param))
	if given(in.InnerError) {
		e.Inner = in.InnerError
	}
	for _, raw := range []json.RawMessage{in.Details, in.Detail, outer.Detail} {
		if len(e.Details) == 0 {
			e.Details = details(raw)
		}
		if s := text(raw); e.Message == "" && bytes.HasPrefix(raw, []byte{'"'}) {
			e.Message = s
		}
	}
	if e.Message == "" && len(e.Details) > 0 {
		e.Message = e.Details[0].Message
	}
	if e.Message == "" && bytes.HasPrefix(outer.Status, []byte{'"'}) {
		e.Message = text(outer.Status)
	}
	if e.Message == "" && e.Code == "" {
		e.Message = clip(string(body))
	}
	return e
}

// details reads a list of faults, or a single one.
func details(raw json.RawMessage) []Detail {
	var list []errorBody
	if json.Unmarshal(raw, &list) != nil {
		var one errorBody
		if !bytes.HasPrefix(raw, []byte{'{'}) || json.Unmarshal(raw, &one) != nil {
			return nil
		}
		list = []errorBody{one}
	}
	var ds []Detail
	for _, b := range list {
		d := Detail{
			Code:    cmp.Or(text(b.Code), text(b.Type)),
			Message: cmp.Or(text(b.Message), text(b.Msg)),
			Target:  cmp.Or(text(b.Target), text(b.Param)),
			Input:   b.Input,
		}
		if json.Unmarshal(b.Loc, &d.Loc) != nil {
			d.Loc = nil
		}
		ds = append(ds, d)
	}
	return ds
}

// errorMember returns the error that a JSON object reports although the status was 200, or nil.
func errorMember(body []byte) *Error {
	var b struct{ Error json.RawMessage }
	if bytes.Contains(body, []byte(`"error"`)) && json.Unmarshal(body, &b) == nil && given(b.Error) {
		return parseError(body)
	}
	return nil
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// text returns a JSON string's text, any other scalar as it is written, and nothing for the rest.
func text(raw json.RawMessage) string {
	var s string
	if !given(raw) || raw[0] == '{' || raw[0] == '[' {
		return ""
	}
	if json.Unmarshal(raw, &s) != nil {
		return string(raw)
	}
	return s
}

// clip bounds what a page of HTML puts into an error message.
func clip(s string) string {
	const most = 500
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// retryAfter reads how long a service asks to wait: the header in milliseconds is the more exact one.
func retryAfter(h http.Header) time.Duration {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if d, ok := duration(h.Get(name), time.Millisecond); ok {
			return d
		}
	}
	value := h.Get("Retry-After")
	if d, ok := duration(value, time.Second); ok {
		return d
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

func duration(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(math.MaxInt64/2))), true
}
