package openai

import (
	"net/http"
	"strconv"
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
	e.RetryAfter = retryAfter(h)
	if e.RetryAfter == 0 && (e.Kind == llm.RateLimited || e.Kind == llm.Unavailable) {
		e.RetryAfter = time.Second // without a wait the SDKs of Azure do not try again (doc/protocol.md §7.9)
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
	e := &llm.Error{Kind: kindOf(status), Status: status, Message: body.Get("message").Text(), Param: body.Get("param").Text()}
	if code := body.Get("code"); code.Kind() == jsonx.String {
		e.Code = code.Text()
	} else {
		e.Code = body.Get("type").Text()
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

func kindOf(status int) llm.Kind {
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
