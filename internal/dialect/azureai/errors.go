package azureai

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ingot-llm/ingot/internal/dialect"
	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/sse"
)

type answer struct {
	status int
	code   string
}

// answers is the status and code of each kind of error at this door (doc/protocol.md §7).
var answers = map[llm.Kind]answer{
	llm.Internal:        {http.StatusInternalServerError, "InternalServerError"},
	llm.Malformed:       {http.StatusBadRequest, "invalid_json"},
	llm.Invalid:         {http.StatusUnprocessableEntity, "Invalid input"},
	llm.UnknownParam:    {http.StatusBadRequest, "extra_parameters_not_allowed"},
	llm.NoVersion:       {http.StatusBadRequest, "MissingApiVersionParameter"},
	llm.NoModel:         {http.StatusBadRequest, "no_model_name"},
	llm.UnknownModel:    {http.StatusBadRequest, "unknown_model"},
	llm.NoDeployment:    {http.StatusNotFound, "DeploymentNotFound"},
	llm.NoOperation:     {http.StatusNotFound, "NotFound"},
	llm.NotFound:        {http.StatusNotFound, "NotFound"},
	llm.NoRoute:         {http.StatusNotFound, "404"},
	llm.BadHost:         {http.StatusForbidden, "PermissionDenied"},
	llm.Method:          {http.StatusMethodNotAllowed, "MethodNotAllowed"},
	llm.MediaType:       {http.StatusUnsupportedMediaType, "UnsupportedMediaType"},
	llm.TooLarge:        {http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"},
	llm.Late:            {http.StatusRequestTimeout, "RequestTimeout"},
	llm.TooLong:         {http.StatusBadRequest, "context_length_exceeded"},
	llm.Unauthenticated: {http.StatusUnauthorized, "401"},
	llm.Denied:          {http.StatusForbidden, "PermissionDenied"},
	llm.Unsupported:     {http.StatusUnprocessableEntity, "parameter_not_supported"},
	llm.RateLimited:     {http.StatusTooManyRequests, "429"},
	llm.OverBudget:      {http.StatusTooManyRequests, "insufficient_quota"},
	llm.Filtered:        {http.StatusBadRequest, "content_filter"},
	llm.Canceled:        {dialect.StatusCanceled, "RequestCanceled"},
	llm.Timeout:         {http.StatusGatewayTimeout, "Timeout"},
	llm.Unavailable:     {http.StatusServiceUnavailable, "ServiceUnavailable"},
	llm.Upstream:        {http.StatusBadGateway, "BackendError"},
}

// inner is the nested error that every client parses; the top level repeats what the
// documentation promises there (doc/protocol.md §7.1–7.4).
type inner struct {
	Code       string          `json:"code"`
	Message    string          `json:"message"`
	Type       *string         `json:"type"`
	Param      *string         `json:"param"`
	Target     string          `json:"target,omitempty"`
	Status     int             `json:"status"`
	Details    []detail        `json:"details"`
	InnerError json.RawMessage `json:"innererror,omitempty"`
}

type detail struct {
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
	Type    string          `json:"type"`
	Loc     []any           `json:"loc"`
	Msg     string          `json:"msg"`
	Input   json.RawMessage `json:"input"`
}

type envelope struct {
	Error      inner  `json:"error"`
	Status     int    `json:"status,omitempty"`
	StatusCode int    `json:"statusCode,omitempty"`
	Code       string `json:"code,omitempty"`
	Message    string `json:"message,omitempty"`
	Detail     any    `json:"detail,omitempty"`
}

// The bounds of what an error repeats of a request, or of what a model's server said.
const (
	mostDetails = 16
	mostPlace   = 16   // steps
	mostText    = 4096 // bytes
)

// change is the answer of a flavour, which is mostly the usual one (doc/protocol.md §§7.7, 7.8, 10.2).
func (f flavour) change(e *llm.Error, usual answer) answer {
	switch {
	case f == managed && e.Kind == llm.Upstream:
		return answer{http.StatusFailedDependency, "ModelError"}
	case f == managed && e.Kind == llm.Timeout:
		return answer{http.StatusRequestTimeout, "Timeout"}
	case f == foundry && e.Kind == llm.Denied && e.Code == llm.CodeNoRole:
		return answer{http.StatusUnauthorized, "PermissionDenied"}
	}
	return usual
}

func (f flavour) describe(e *llm.Error) (int, inner) {
	usual, ok := answers[e.Kind]
	if !ok {
		usual = answers[llm.Internal]
	}
	a := f.change(e, usual)
	param := dialect.Clip(e.Param)
	in := inner{Code: a.code, Message: dialect.Cut(e.Message, mostText), Target: param, Status: a.status, Details: []detail{}}
	kind := errorType(usual.status)
	in.Type = &kind
	if param != "" {
		in.Param = &param
	}
	for _, d := range e.Details[:min(len(e.Details), mostDetails)] {
		in.Details = append(in.Details, describeDetail(d))
	}
	switch e.Kind { //nolint:exhaustive // the kinds whose bodies have a form of their own
	case llm.Invalid:
		if len(e.Details) > 0 {
			in.Message = "Invalid input: " + sentence(in.Details[0])
		}
	case llm.Unsupported:
		if e.Param != "" {
			in.Message = dialect.InvalidValues + param + ". " + dialect.Unsupported(in.Message, param)
		}
	case llm.Filtered:
		in.Type = nil
		in.InnerError = json.RawMessage(`{"code":"ResponsibleAIPolicyViolation"}`)
		if len(e.Filter) > 0 {
			in.InnerError = json.RawMessage(`{"code":"ResponsibleAIPolicyViolation","content_filter_result":` + string(e.Filter) + `}`)
		}
	}
	return a.status, in
}

// describeDetail bounds what a request or a model's server put into a detail.
func describeDetail(d llm.Detail) detail {
	msg := dialect.Cut(d.Msg, mostText)
	out := detail{Code: d.Type, Message: msg, Type: d.Type, Msg: msg, Loc: []any{}, Input: d.Input}
	for _, l := range d.Loc[:min(len(d.Loc), mostPlace)] {
		switch l := l.(type) {
		case int:
			out.Loc = append(out.Loc, l)
		default:
			out.Loc = append(out.Loc, dialect.Clip(fmt.Sprint(l)))
		}
	}
	if len(d.Input) > mostText || len(d.Input) > 0 && !json.Valid(d.Input) {
		out.Input = jsonx.AppendString(nil, dialect.Cut(string(d.Input), mostText/2)+"…")
	}
	return out
}

// sentence says a detail with its place, for those who read only the message.
func sentence(d detail) string {
	place := dialect.Place(d.Loc)
	if place != "" {
		place += ": "
	}
	return place + d.Msg + "."
}

func errorType(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusNotFound:
		return "not_found_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= http.StatusInternalServerError:
		return "server_error"
	}
	return "invalid_request_error"
}

// writeError answers with an error before anything else was sent.
func (d *door) writeError(w http.ResponseWriter, r *http.Request, e *llm.Error) {
	p, _ := d.locate(r.URL.EscapedPath())
	status, in := p.flavour.describe(e)
	body := envelope{Error: in}
	h := w.Header()
	if p.flavour == managed { // whether a deployment was picked or not
		h.Set("Azureml-Model-Group", dialect.HeaderSafe(d.Endpoint.Name))
	}
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", dialect.Challenge(e))
		body.StatusCode, body.Message = status, in.Message
	case http.StatusFailedDependency:
		h.Set("Ms-Azureml-Model-Error-Reason", "model_error")
		h.Set("Ms-Azureml-Model-Error-Statuscode", strconv.Itoa(cmp.Or(e.Status, answers[e.Kind].status)))
	case http.StatusUnprocessableEntity:
		body.Status, body.Code, body.Message = status, in.Code, in.Message
		flat := make([]detail, len(in.Details))
		for i, dt := range in.Details {
			dt.Code, dt.Message = "", ""
			flat[i] = dt
		}
		body.Detail = flat
	}
	if e.Kind == llm.UnknownParam {
		body.Detail = in.Message
	}
	dialect.RetryHeaders(h, e)
	h.Set("x-ms-error-code", in.Code)
	d.JSON(w, status, marshal(body))
}

// appendErrorFrame tells of an error inside a stream (doc/protocol.md §3.9).
func (f flavour) appendErrorFrame(dst []byte, e *llm.Error) []byte {
	_, in := f.describe(e)
	return sse.AppendData(dst, marshal(struct {
		Error inner `json:"error"`
	}{in}))
}

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // an Input that is no JSON would be a bug of ours
		return []byte(`{"error":{"code":"InternalServerError","message":"Internal error.","details":[]}}`)
	}
	return b
}
