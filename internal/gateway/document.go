package gateway

import (
	"net/http"
	"strconv"
)

// document is the description of all that is served, for everybody to read.
type document []byte

func (d document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const (
		allow   = "GET, HEAD, OPTIONS"
		refused = `{"error":{"code":"MethodNotAllowed","message":"Method not allowed. This path takes ` + allow + `.","type":"invalid_request_error","param":null,"details":[]}}`
	)
	status, body, h := http.StatusOK, []byte(d), w.Header()
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		h.Set("Allow", allow)
		h.Set("X-Ms-Error-Code", "MethodNotAllowed")
		status, body = http.StatusMethodNotAllowed, []byte(refused)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // whoever left needs none
}
