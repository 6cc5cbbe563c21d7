// Package report tells what checks found: as a table for people, as JSON and as JUnit XML.
package report

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ingot-llm/ingot/internal/conformance/call"
	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes: a rule that is kept, one that is not, one that should be and is not, and one that
// does not concern the server.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"
	Weak    Outcome = "weak"
	LeftOut Outcome = "left out"
)

// Result is what one check found.
type Result struct {
	Check     *check.Check
	LeftOut   string // why it was not made
	Faults    []string
	Exchanges []*call.Exchange
	Took      time.Duration
}

// Outcome says how the check ended.
func (r *Result) Outcome() Outcome {
	switch {
	case r.LeftOut != "":
		return LeftOut
	case len(r.Faults) == 0:
		return OK
	case r.Check.Should:
		return Weak
	}
	return Failed
}

// Report is what all checks found, in their order.
type Report struct {
	Target  string
	Began   time.Time
	Took    time.Duration
	Results []Result
	// Secrets are never written.
	Secrets []string
}

// Add adds what a check found.
func (r *Report) Add(result Result) { r.Results = append(r.Results, result) }

// Count says how many checks ended in one way.
func (r *Report) Count(o Outcome) (n int) {
	for i := range r.Results {
		if r.Results[i].Outcome() == o {
			n++
		}
	}
	return n
}

// record is a result as programs read it.
type record struct {
	Name      string           `json:"name"`
	Outcome   Outcome          `json:"outcome"`
	Section   string           `json:"section"`
	Severity  string           `json:"severity"`
	Requires  string           `json:"requires"`
	Breaks    string           `json:"breaks"`
	LeftOut   string           `json:"left_out,omitempty"`
	Faults    []string         `json:"faults,omitempty"`
	Seconds   float64          `json:"seconds"`
	Exchanges []exchangeRecord `json:"exchanges,omitempty"`
}

type exchangeRecord struct {
	Request struct {
		Method string            `json:"method"`
		URL    string            `json:"url"`
		Header map[string]string `json:"headers"`
		Body   string            `json:"body,omitempty"`
	} `json:"request"`
	Answer struct {
		Status int               `json:"status"`
		Header map[string]string `json:"headers,omitempty"`
		Body   string            `json:"body,omitempty"`
		Error  string            `json:"error,omitempty"`
	} `json:"answer"`
	Seconds float64 `json:"seconds"`
}

// Severity is must or should.
func Severity(c *check.Check) string {
	if c.Should {
		return "should"
	}
	return "must"
}

// record makes a result fit to be shown; exchanges only where they are asked for.
func (r *Report) record(result *Result, exchanges bool) record {
	c := result.Check
	rec := record{
		Name: c.Name, Outcome: result.Outcome(), Section: c.Section, Severity: Severity(c), Requires: c.Requires,
		Breaks: c.Breaks, LeftOut: result.LeftOut, Seconds: result.Took.Seconds(),
	}
	for _, f := range result.Faults {
		rec.Faults = append(rec.Faults, r.plain(f))
	}
	if exchanges {
		for _, e := range result.Exchanges {
			rec.Exchanges = append(rec.Exchanges, r.exchange(e))
		}
	}
	return rec
}

func (r *Report) exchange(e *call.Exchange) (rec exchangeRecord) {
	rec.Request.Method, rec.Request.URL = e.Request.Method, e.URL
	rec.Request.Header, rec.Request.Body = r.header(e.Request.Header), r.body(e.Request.Body)
	rec.Answer.Status, rec.Answer.Header, rec.Answer.Body = e.Status, r.header(e.Header), r.body(string(e.Body))
	if e.Err != nil {
		rec.Answer.Error = r.plain(e.Err.Error())
	}
	rec.Seconds = e.Took.Seconds()
	return rec
}

func (r *Report) header(h http.Header) map[string]string {
	m := map[string]string{}
	for name, values := range h {
		m[strings.ToLower(name)] = r.plain(strings.Join(values, ", "))
	}
	return m
}

// body shortens a body to what a person may want to read.
func (r *Report) body(text string) string {
	const most = 4000
	if len(text) > most {
		return r.plain(text[:most]) + "…"
	}
	return r.plain(text)
}

// plain takes secrets out of a text, and what is no UTF-8.
func (r *Report) plain(text string) string {
	for _, s := range r.Secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "(key)")
		}
	}
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	return text
}

// groups are the results by the first part of their names, in order.
func (r *Report) groups() [][]*Result {
	var names []string
	byName := map[string][]*Result{}
	for i := range r.Results {
		result := &r.Results[i]
		group := result.Check.Group()
		if !slices.Contains(names, group) {
			names = append(names, group)
		}
		byName[group] = append(byName[group], result)
	}
	list := make([][]*Result, 0, len(names))
	for _, n := range names {
		list = append(list, byName[n])
	}
	return list
}
