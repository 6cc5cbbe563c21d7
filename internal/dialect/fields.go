package dialect

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// fields sets headers under names that are in their canonical form already, with one allocation for the values of all of them:
// there are many in every answer.
type fields struct {
	header http.Header
	values []string
}

// newFields has room for as many values as are set at most.
func newFields(h http.Header, most int) fields {
	return fields{h, make([]string, 0, most)}
}

func (f *fields) set(name, value string) {
	f.values = append(f.values, value)
	n := len(f.values)
	f.header[name] = f.values[n-1 : n : n]
}

// MetaHeaders says who answered, what was not obeyed and what is left of the limits (doc/protocol.md §2.2).
func MetaHeaders(h http.Header, m llm.Meta) {
	const most = 10
	f := newFields(h, most)
	if m.Deployment != "" {
		f.set("X-Ingot-Deployment", HeaderSafe(m.Deployment))
	}
	if m.Provider != "" {
		f.set("X-Ingot-Provider", HeaderSafe(m.Provider))
	}
	if m.Attempts > 0 {
		f.set("X-Ingot-Attempts", strconv.Itoa(m.Attempts))
	}
	if len(m.Dropped) > 0 {
		f.set("X-Ingot-Dropped", headerList(m.Dropped))
	}
	if a := m.Limits.Requests; a.Limit > 0 {
		limit, remaining, reset := allowance(a)
		f.set("X-Ratelimit-Limit-Requests", limit)
		f.set("X-Ratelimit-Remaining-Requests", remaining)
		f.set("X-Ratelimit-Reset-Requests", reset)
	}
	if a := m.Limits.Tokens; a.Limit > 0 {
		limit, remaining, reset := allowance(a)
		f.set("X-Ratelimit-Limit-Tokens", limit)
		f.set("X-Ratelimit-Remaining-Tokens", remaining)
		f.set("X-Ratelimit-Reset-Tokens", reset)
	}
}

// allowance says what is left of a limit, and when all of it will be there again: in Go's notation of times, to the millisecond,
// which the clients of this family of APIs know.
func allowance(a llm.Allowance) (limit, remaining, reset string) {
	const room = 64 // two numbers and a time
	b := strconv.AppendInt(make([]byte, 0, room), int64(a.Limit), 10)
	n := len(b)
	b = strconv.AppendInt(b, int64(a.Remaining), 10)
	m := len(b)
	all := string(append(b, (a.Reset + time.Millisecond - 1).Truncate(time.Millisecond).String()...))
	return all[:n], all[n:m], all[m:]
}

// headerList joins names for a header, which ends with "..." where not all of them fit.
func headerList(names []string) string {
	const mostName, most = 128, 4 << 10
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		if b.Len() > most {
			b.WriteString("...")
			break
		}
		b.WriteString(HeaderSafe(n[:min(len(n), mostName)]))
	}
	return b.String()
}

// HeaderSafe writes what a header cannot hold as escapes, for names may be any JSON string.
func HeaderSafe(s string) string {
	if s == "" {
		return `""`
	}
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}
