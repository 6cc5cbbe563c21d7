package dialect

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/jsonx"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Clip shortens a name for a message.
func Clip(s string) string {
	const most = 128
	return Cut(s, most)
}

// Cut shortens a text to n bytes at most, between two runes.
func Cut(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// Deployments lists the names of the deployments in a sentence.
func (o *Options) Deployments() string {
	const most = 12
	var names []string
	for _, m := range o.Models.List() {
		names = append(names, m.Deployment)
	}
	if len(names) == 0 {
		return "There are no deployments."
	}
	if len(names) > most {
		names = append(names[:most], "…")
	}
	return "Deployments: " + strings.Join(names, ", ") + "."
}

// The beginnings of what the doors say of a member that no target obeys: Model Inference's, and that of OpenAI's.
const (
	InvalidValues        = "One of the parameters contains invalid values: "
	UnsupportedParameter = "Unsupported parameter: "
)

// Unsupported is such a message without what a door of the other kind, at a model's server, has put before it.
func Unsupported(message, param string) string {
	for _, before := range []string{InvalidValues + param + ". ", UnsupportedParameter + "'" + param + "' is not supported with this model. "} {
		if rest, ok := strings.CutPrefix(message, before); ok && rest != "" {
			message = rest
		}
	}
	return message
}

// Place is where a fault stands, without the body, header or query before it: messages[0].content.
func Place(loc []any) string {
	const most = 16
	var b strings.Builder
	for i, l := range loc[:min(len(loc), most)] {
		n, position := l.(int)
		switch {
		case i == 0:
		case position:
			b.WriteString("[" + strconv.Itoa(n) + "]")
		default:
			if i > 1 {
				b.WriteByte('.')
			}
			b.WriteString(Clip(fmt.Sprint(l)))
		}
	}
	return b.String()
}

// StatusCanceled is nginx's status for a caller who went away; nobody is there to read it.
const StatusCanceled = 499

// RetryHeaders says whether and when asking again may help (doc/protocol.md §7.8, §7.9).
func RetryHeaders(h http.Header, e *llm.Error) {
	if e.Kind == llm.OverBudget || e.Kind == llm.Unavailable && e.RetryAfter <= 0 { // no time is known at which it would help
		h.Set("x-should-retry", "false")
	}
	if e.RetryAfter > 0 && (e.Kind == llm.RateLimited || e.Kind == llm.Unavailable) {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
		h.Set("retry-after-ms", strconv.FormatInt(max(1, int64(e.RetryAfter/time.Millisecond)), 10))
	}
}

// TypeOf names the type of a JSON value with its article, as OpenAI's messages do.
func TypeOf(v jsonx.Value) string {
	switch v.Kind() {
	case jsonx.Absent, jsonx.Null:
	case jsonx.Bool:
		return "a boolean"
	case jsonx.Number:
		if _, err := v.Int(); err == nil {
			return "an integer"
		}
		return "a decimal"
	case jsonx.String:
		return "a string"
	case jsonx.Array:
		return "an array"
	case jsonx.Object:
		return "an object"
	}
	return "null"
}
