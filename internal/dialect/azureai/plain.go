package azureai

import "net/http"

// plainCodes are the codes of what is wrong before a request can be read (doc/protocol.md §7.7).
var plainCodes = map[int]string{
	http.StatusRequestHeaderFieldsTooLarge: "RequestHeaderFieldsTooLarge",
	http.StatusNotImplemented:              "NotImplemented",
	http.StatusHTTPVersionNotSupported:     "HttpVersionNotSupported",
}

// PlainError is the code and body for a request that could not be read as HTTP, for dialect.Shape.
func PlainError(status int, reason string) (string, []byte) {
	code := plainCodes[status]
	if code == "" {
		code = "BadRequest"
	}
	kind := errorType(status)
	in := inner{Code: code, Message: "The request is not HTTP/1.1 as this endpoint reads it: " + reason + ".", Type: &kind, Status: status, Details: []detail{}}
	return code, marshal(envelope{Error: in})
}
