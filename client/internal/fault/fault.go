// Package fault reads what services answer in place of what they were asked for.
package fault

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
)

// Fault is what an error body says. Fields that it does not tell are empty.
type Fault struct {
	Code    string
	Message string
	Target  string
	Details []Detail
	Inner   json.RawMessage
}

// Detail is one of the reasons.
type Detail struct {
	Code    string
	Message string
	Target  string
	Loc     []any
	Input   json.RawMessage
}

// errorBody is every member by which some service tells an error; loose values, since types differ too.
type errorBody struct {
	Error, Code, Message, Target, Param, Type json.RawMessage
	Details, Detail, InnerError               json.RawMessage
	Msg, Loc, Input, Status                   json.RawMessage
}

// Parse reads the error shapes in use: nested, flat, {statusCode, message}, {detail}, {status}, plain text.
func Parse(body []byte) Fault {
	var e Fault
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

// Reported says whether a JSON object reports an error although the status was 200.
func Reported(body []byte) bool {
	var b struct{ Error json.RawMessage }
	return bytes.Contains(body, []byte(`"error"`)) && json.Unmarshal(body, &b) == nil && given(b.Error)
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
