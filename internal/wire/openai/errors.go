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
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(min(s, 24*3600)) * time.Second
	}
	return e
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
