package openai

import (
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
)

// answer is what a kind of error is at a door; a type that is empty is null.
type answer struct {
	status    int
	code, typ string
}

// The types of errors (doc/protocol.md §9.2).
const (
	invalidRequest = "invalid_request_error"
	authentication = "authentication_error"
	permission     = "permission_error"
	notFound       = "not_found_error"
	rateLimit      = "rate_limit_error"
	quota          = "insufficient_quota"
	server         = "server_error"
)

// v1 is the answer to each kind of error at OpenAI v1 (doc/protocol.md §§7, 8.6, 9.2).
var v1 = map[llm.Kind]answer{
	llm.Internal:        {http.StatusInternalServerError, "internal_error", server},
	llm.Malformed:       {http.StatusBadRequest, "invalid_json", invalidRequest},
	llm.Invalid:         {http.StatusBadRequest, "invalid_value", invalidRequest},
	llm.UnknownParam:    {http.StatusBadRequest, "unknown_parameter", invalidRequest},
	llm.NoVersion:       {http.StatusBadRequest, "missing_required_parameter", invalidRequest},
	llm.NoModel:         {http.StatusBadRequest, "missing_required_parameter", invalidRequest},
	llm.UnknownModel:    {http.StatusNotFound, "model_not_found", invalidRequest},
	llm.NoDeployment:    {http.StatusNotFound, "DeploymentNotFound", invalidRequest},
	llm.NoOperation:     {http.StatusNotFound, "not_found", notFound},
	llm.NotFound:        {http.StatusNotFound, "not_found", notFound},
	llm.NoRoute:         {http.StatusNotFound, "unknown_url", invalidRequest},
	llm.BadHost:         {http.StatusForbidden, "permission_denied", permission},
	llm.Method:          {http.StatusMethodNotAllowed, "method_not_allowed", invalidRequest},
	llm.MediaType:       {http.StatusUnsupportedMediaType, "unsupported_media_type", invalidRequest},
	llm.TooLarge:        {http.StatusRequestEntityTooLarge, "request_too_large", invalidRequest},
	llm.Late:            {http.StatusRequestTimeout, "request_timeout", invalidRequest},
	llm.TooLong:         {http.StatusBadRequest, "context_length_exceeded", invalidRequest},
	llm.Unauthenticated: {http.StatusUnauthorized, "invalid_api_key", authentication},
	llm.Denied:          {http.StatusForbidden, "permission_denied", permission},
	llm.Unsupported:     {http.StatusBadRequest, "unsupported_parameter", invalidRequest},
	llm.RateLimited:     {http.StatusTooManyRequests, "rate_limit_exceeded", rateLimit},
	llm.OverBudget:      {http.StatusTooManyRequests, "insufficient_quota", quota},
	llm.Filtered:        {http.StatusBadRequest, "content_filter", invalidRequest},
	llm.Canceled:        {dialect.StatusCanceled, "request_canceled", invalidRequest},
	llm.Timeout:         {http.StatusGatewayTimeout, "timeout", server},
	llm.Unavailable:     {http.StatusServiceUnavailable, "service_unavailable", server},
	llm.Upstream:        {http.StatusBadGateway, "upstream_error", server},
}

// azure is the answer to each kind of error at Azure OpenAI (doc/protocol.md §7).
var azure = map[llm.Kind]answer{
	llm.Internal:        {http.StatusInternalServerError, "InternalServerError", server},
	llm.Malformed:       {http.StatusBadRequest, "invalid_json", invalidRequest},
	llm.Invalid:         {http.StatusBadRequest, "invalid_value", invalidRequest},
	llm.UnknownParam:    {http.StatusBadRequest, "unknown_parameter", invalidRequest},
	llm.NoVersion:       {http.StatusBadRequest, "MissingApiVersionParameter", invalidRequest},
	llm.NoModel:         {http.StatusBadRequest, "missing_required_parameter", invalidRequest},
	llm.UnknownModel:    {http.StatusNotFound, "DeploymentNotFound", notFound},
	llm.NoDeployment:    {http.StatusNotFound, "DeploymentNotFound", notFound},
	llm.NoOperation:     {http.StatusNotFound, "NotFound", notFound},
	llm.NotFound:        {http.StatusNotFound, "NotFound", notFound},
	llm.NoRoute:         {http.StatusNotFound, "404", notFound},
	llm.BadHost:         {http.StatusForbidden, "PermissionDenied", permission},
	llm.Method:          {http.StatusMethodNotAllowed, "MethodNotAllowed", invalidRequest},
	llm.MediaType:       {http.StatusUnsupportedMediaType, "UnsupportedMediaType", invalidRequest},
	llm.TooLarge:        {http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", invalidRequest},
	llm.Late:            {http.StatusRequestTimeout, "RequestTimeout", invalidRequest},
	llm.TooLong:         {http.StatusBadRequest, "context_length_exceeded", invalidRequest},
	llm.Unauthenticated: {http.StatusUnauthorized, "401", authentication},
	llm.Denied:          {http.StatusForbidden, "PermissionDenied", permission},
	llm.Unsupported:     {http.StatusBadRequest, "unsupported_parameter", invalidRequest},
	llm.RateLimited:     {http.StatusTooManyRequests, "429", rateLimit},
	llm.OverBudget:      {http.StatusTooManyRequests, "insufficient_quota", quota},
	llm.Filtered:        {http.StatusBadRequest, "content_filter", ""},
	llm.Canceled:        {dialect.StatusCanceled, "RequestCanceled", invalidRequest},
	llm.Timeout:         {http.StatusGatewayTimeout, "Timeout", server},
	llm.Unavailable:     {http.StatusServiceUnavailable, "ServiceUnavailable", server},
	llm.Upstream:        {http.StatusBadGateway, "BackendError", server},
}

// writeError answers with an error before anything else was sent.
func (d *door) writeError(w http.ResponseWriter, r *http.Request, e *llm.Error) {
	p, _ := locate(dialect.Segments(r.URL.EscapedPath()))
	f := newFailure(p.wire, e)
	h := w.Header()
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", dialect.Challenge(e))
	}
	dialect.RetryHeaders(h, e)
	h.Set("x-ms-error-code", f.code)
	d.JSON(w, f.status, f.append(nil))
}

// appendErrorFrame tells of an error inside a stream (doc/protocol.md §3.9).
func (q *question) appendErrorFrame(dst []byte, e *llm.Error) []byte {
	return sse.AppendData(dst, newFailure(q.wire, e).append(nil))
}

// failure is an error as a door tells it.
type failure struct {
	answer
	message, param string
	filtered       bool
	filter         []byte // content_filter_result; nil: not told
}

// The bounds of what an error repeats of a request, or of what a model's server said.
const (
	mostText  = 4096 // bytes
	mostParam = 256
)

func newFailure(wire llm.Wire, e *llm.Error) *failure {
	answers := azure
	if wire == llm.WireOpenAI {
		answers = v1
	}
	a, ok := answers[e.Kind]
	if !ok {
		a = answers[llm.Internal]
	}
	f := &failure{answer: a, message: e.Message, param: e.Param}
	switch {
	case e.Kind == llm.Invalid && faults[e.Code]:
		f.code = e.Code
	case e.Kind == llm.RateLimited && wire == llm.WireOpenAI && (e.Code == llm.CodeRequests || e.Code == llm.CodeTokens):
		f.typ = e.Code // OpenAI says by it what there is too little of (doc/protocol.md §7.9)
	}
	if len(e.Details) > 0 && (e.Kind == llm.Invalid || e.Kind == llm.Unsupported) {
		f.detail(&e.Details[0], e.Message == llm.FaultyMessage)
	}
	f.filtered, f.filter = e.Kind == llm.Filtered, e.Filter
	f.message, f.param = dialect.Cut(f.message, mostText), dialect.Cut(f.param, mostParam)
	return f
}

// expected are the types that the kinds of faults wanted, in words.
var expected = map[string]string{
	"string_type": "a string", "int_type": "an integer", "float_type": "a number", "bool_type": "a boolean",
	"list_type": "an array", "dict_type": "an object",
}

// faults are the codes of a value at fault, which a model's server may know better.
var faults = map[string]bool{"missing_required_parameter": true, "invalid_type": true, "invalid_value": true, "invalid_parameter_combination": true}

// combined are the members that are at fault only because of another.
var combined = map[string]bool{"max_completion_tokens": true, "top_logprobs": true, "best_of": true, "stream_options": true, "functions": true, "function_call": true}

// detail tells a fault as OpenAI's servers do, and where nothing better was said of it, in a sentence of theirs.
func (f *failure) detail(d *llm.Detail, generic bool) {
	said := dialect.Unsupported(f.message, f.param)
	if place := dialect.Place(d.Loc); len(place) > len(f.param) {
		f.param = place
	}
	message := "Invalid value for '" + f.param + "': " + d.Msg + "."
	switch {
	case d.Type == "missing":
		f.code, message = "missing_required_parameter", "Missing required parameter: '"+f.param+"'."
	case expected[d.Type] != "":
		want := expected[d.Type]
		if strings.Contains(d.Msg, " or ") {
			want = strings.TrimPrefix(d.Msg, "Input should be ")
		}
		f.code, message = "invalid_type", "Invalid type for '"+f.param+"': expected "+want+", but got "+dialect.TypeOf(jsonx.Value(d.Input))+" instead."
	case d.Type == "enum":
		message = "Invalid value: " + shown(jsonx.Value(d.Input)) + ". Supported values are: " + supported(d.Msg) + "."
	case d.Type == "extra_forbidden":
		f.code = "unknown_parameter"
	case d.Type == "parameter_not_supported" && !strings.HasPrefix(f.message, dialect.UnsupportedParameter):
		f.message = dialect.UnsupportedParameter + "'" + f.param + "' is not supported with this model. " + said
	case d.Type == "value_error" && combined[f.param]:
		f.code = "invalid_parameter_combination"
	}
	if generic {
		f.message = message
	}
}

// shown is a value in a message.
func shown(v jsonx.Value) string {
	if v.Kind() == jsonx.String {
		return "'" + dialect.Clip(v.Text()) + "'"
	}
	return dialect.Clip(string(v))
}

// supported lists what an enumeration allows: 'a', 'b', and 'c'.
func supported(msg string) string {
	list := strings.TrimPrefix(msg, "Input should be ")
	last := strings.LastIndex(list, " or ")
	switch {
	case last < 0:
		return list
	case strings.Contains(list, ", "):
		return list[:last] + ", and " + list[last+len(" or "):]
	}
	return list[:last] + " and " + list[last+len(" or "):]
}

// append appends the error as JSON (doc/protocol.md §9.2); what a filter found stands where Azure OpenAI says it (§7.6).
func (f *failure) append(dst []byte) []byte {
	orNull := func(w *jsonx.Writer, name, v string) {
		if v == "" {
			w.Null(name)
			return
		}
		w.Str(name, v)
	}
	w := &jsonx.Writer{Bytes: dst}
	w.BeginObject()
	w.Member("error")
	w.BeginObject()
	w.Str("message", f.message)
	orNull(w, "type", f.typ)
	orNull(w, "param", f.param)
	w.Str("code", f.code)
	if f.filtered {
		w.Int("status", int64(f.status))
		w.Member("innererror")
		w.BeginObject()
		w.Str("code", "ResponsibleAIPolicyViolation")
		w.Raw("content_filter_result", f.filter)
		w.EndObject()
	}
	w.EndObject()
	w.EndObject()
	return w.Bytes
}
