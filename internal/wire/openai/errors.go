package openai

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// DecodeError classifies a server's answer that is not 200 by its status, keeping its message, code and Retry-After.
func (c Codec) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	v, err := jsonx.Parse(body)
	if err != nil {
		v = nil
	}
	e := decodeError(status, v)
	if wait := retryAfter(h); wait > 0 || h.Get("X-Should-Retry") == "false" {
		e.RetryAfter = wait
	}
	return e
}

// retryAfter reads the wait that a server asks for, a day at most; 0: none.
func retryAfter(h http.Header) time.Duration {
	const most = 24 * time.Hour
	if n, err := strconv.ParseInt(h.Get("Retry-After-Ms"), 10, 32); err == nil && n > 0 {
		return min(time.Duration(n)*time.Millisecond, most)
	}
	if n, err := strconv.ParseInt(h.Get("Retry-After"), 10, 32); err == nil && n > 0 {
		return min(time.Duration(n)*time.Second, most)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return max(0, min(time.Until(at), most))
	}
	return 0
}

func decodeError(status int, v jsonx.Value) *llm.Error {
	body := v.Get("error")
	if body.Kind() != jsonx.Object {
		body = v
	}
	if status == 0 { // an error event inside a stream may carry the status
		if n, err := body.Get("code").Int(); err == nil {
			status = int(n)
		}
	}
	e := &llm.Error{Status: status, Message: body.Get("message").Text(), Param: body.Get("param").Text()}
	if e.Param == "" {
		e.Param = body.Get("target").Text()
	}
	if code := body.Get("code"); code.Kind() == jsonx.String {
		e.Code = code.Text()
	} else {
		e.Code = body.Get("type").Text()
	}
	e.Kind = kindOf(status, e.Code)
	if e.Kind == llm.RateLimited || e.Kind == llm.Unavailable {
		e.RetryAfter = time.Second // without a wait the SDKs of Azure do not try again (doc/protocol.md §7.9)
	}
	if e.Kind == llm.Filtered {
		e.Filter = json.RawMessage(body.Get("innererror").Get("content_filter_result"))
	}
	e.Details = decodeDetails(v, body)
	if len(e.Details) == 0 && e.Param != "" && (e.Kind == llm.Invalid || e.Kind == llm.Unsupported) {
		e.Details = []llm.Detail{{Type: e.Code, Loc: located(e.Param), Msg: strings.TrimSuffix(e.Message, ".")}}
	}
	if e.Message == "" {
		e.Message = "The model's server answered with an error"
		if status != 0 {
			e.Message += " (" + strconv.Itoa(status) + ")"
		}
		e.Message += "."
	}
	return e
}

// located reads where a fault stands from a param such as messages[0].content.
func located(param string) []any {
	const deep = 16
	loc := []any{"body"}
	for step := range strings.FieldsFuncSeq(param, func(c rune) bool { return c == '.' || c == '[' || c == ']' }) {
		if len(loc) == deep {
			break
		}
		if n, err := strconv.Atoi(step); err == nil {
			loc = append(loc, n)
		} else {
			loc = append(loc, step)
		}
	}
	return loc
}

// decodeDetails reads which members are at fault, from where servers say so: the error's details, a detail beside it, or
// inside its message (doc/protocol.md §7.3).
func decodeDetails(root, body jsonx.Value) []llm.Detail {
	list := body.Get("details")
	if list.Kind() != jsonx.Array {
		list = root.Get("detail")
	}
	if text := body.Get("message").Text(); list.Kind() != jsonx.Array && strings.HasPrefix(text, "{") {
		if inner, err := jsonx.Parse([]byte(text)); err == nil {
			list = inner.Get("detail")
		}
	}
	const most, deep = 32, 16
	var out []llm.Detail
	for i, d := range list.Elements() {
		if i == most {
			break
		}
		detail := llm.Detail{Type: d.Get("type").Text(), Msg: d.Get("msg").Text(), Input: json.RawMessage(d.Get("input"))}
		for k, at := range d.Get("loc").Elements() {
			if k == deep {
				break
			}
			if n, err := at.Int(); err == nil {
				detail.Loc = append(detail.Loc, int(n))
			} else if at.Kind() == jsonx.String {
				detail.Loc = append(detail.Loc, at.Text())
			}
		}
		if detail.Msg != "" && len(detail.Loc) > 0 {
			out = append(out, detail)
		}
	}
	return out
}

// codes are those that say more than the status they come with (doc/protocol.md §§7.3, 7.5-7.9).
var codes = map[string]llm.Kind{
	"content_filter":               llm.Filtered,
	"context_length_exceeded":      llm.TooLong,
	"tokens_limit_reached":         llm.TooLong,
	"parameter_not_supported":      llm.Unsupported,
	"unsupported_parameter":        llm.Unsupported,
	"unknown_parameter":            llm.UnknownParam,
	"extra_parameters_not_allowed": llm.UnknownParam,
	// What follows is wrong with us and not with the caller, who was promised the model.
	"unknown_model":      llm.Upstream,
	"no_model_name":      llm.Upstream,
	"model_not_found":    llm.Upstream,
	"DeploymentNotFound": llm.Upstream,
	"insufficient_quota": llm.Upstream,
}

func kindOf(status int, code string) llm.Kind {
	if kind, ok := codes[code]; ok && status < http.StatusInternalServerError {
		return kind
	}
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return llm.Invalid
	case http.StatusRequestEntityTooLarge:
		return llm.TooLarge
	case http.StatusTooManyRequests:
		return llm.RateLimited
	case http.StatusServiceUnavailable:
		return llm.Unavailable
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return llm.Timeout
	}
	return llm.Upstream
}
