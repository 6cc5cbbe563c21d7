package dialect

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-llm/ingot/internal/llm"
)

// Admit returns who calls, or the error of a caller or of a Host that is refused. Nothing else of a request is judged before.
func (o *Options) Admit(r *http.Request) (llm.Caller, error) {
	caller, err := o.Authenticate(r)
	if err != nil {
		return caller, err
	}
	if o.AllowHost != nil && !o.AllowHost(r.Host) {
		return caller, &llm.Error{Kind: llm.BadHost, Message: "This endpoint listens on the machine itself and answers to its own address and localhost only, not to the Host of this request. Use http://localhost, or let it listen to the network (listen: 0.0.0.0:8080)."}
	}
	caller.RequestID = clientID(r.Header.Get("X-Ms-Client-Request-Id"))
	caller.Hops, err = hops(r.Header)
	return caller, err
}

// hops reads how many Ingots handed a request on. Of those in a row nobody has many, unless one leads back to another before it: the
// refusal is of a kind that nobody tries again, or each of them would.
func hops(h http.Header) (int, error) {
	const most = 8
	told := h["X-Ingot-Hops"]
	if len(told) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(told[0])
	if err != nil || n < 0 || n > most {
		return 0, &llm.Error{Kind: llm.Malformed, Message: "The request was handed on by more than " + strconv.Itoa(most) + " Ingots in a row (x-ingot-hops): the endpoint of a provider leads back to where the request came from."}
	}
	return n, nil
}

// Method judges the method of a request for an operation that takes one of these; the first is named to who used another. HEAD
// goes where GET does, and net/http sends no body to it. It answers OPTIONS, which it reports.
func Method(w http.ResponseWriter, r *http.Request, operation string, takes ...string) (answered bool, err error) {
	if slices.Contains(takes, r.Method) || r.Method == http.MethodHead && slices.Contains(takes, http.MethodGet) {
		return false, nil
	}
	var allow []string
	for _, m := range takes {
		if allow = append(allow, m); m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	w.Header().Set("Allow", strings.Join(append(allow, http.MethodOptions), ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return true, nil
	}
	return false, &llm.Error{Kind: llm.Method, Message: "Method Not Allowed: " + operation + " takes " + takes[0] + "."}
}

// Segments reads an escaped path, none where an escape is broken. Doubled and trailing slashes count for nothing, since clients
// send them and lose a POST that is redirected (doc/protocol.md §1.2); but an empty segment after deployments is kept, or an
// operation's first word would be read as a name.
func Segments(escaped string) []string {
	const usual = 6
	segments := make([]string, 0, usual)
	for s := range strings.SplitSeq(escaped, "/") {
		if s == "" && (len(segments) == 0 || segments[len(segments)-1] != "deployments") {
			continue
		}
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		segments = append(segments, plain)
	}
	return segments
}

// Last is the last value of a query's parameter, "" where there is none: pasted addresses bring their own (doc/protocol.md §1.2).
func Last(query url.Values, name string) string {
	if values := query[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// versionForm is how any api-version looks.
var versionForm = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2}(-preview)?|preview|latest)$`)

// Version reads the api-version (doc/protocol.md §1.3), which may be absent, or must look like one. Where it is strict, one is
// needed, and one of those that were published, if any are given. The usual one is named to who has another.
func Version(query url.Values, strict bool, usual string, published ...string) (string, error) {
	v := Last(query, "api-version")
	known := slices.Contains(published, v) || v != "" && (!strict || len(published) == 0) && versionForm.MatchString(v)
	switch {
	case known || v == "" && !strict:
		return v, nil
	case v == "":
		return "", &llm.Error{
			Kind: llm.NoVersion, Param: "api-version",
			Message: "The api-version query parameter (?api-version=) is required for all requests.",
		}
	}
	return "", &llm.Error{
		Kind: llm.NoRoute, Param: "api-version",
		Message: "Resource not found: there is no api-version '" + Clip(v) + "'. The usual one is " + usual + ".",
	}
}
