package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Style is how the table is written.
type Style struct {
	Colour  bool
	Verbose bool // with every exchange
}

// Table writes a report for people.
func (r *Report) Table(w io.Writer, s Style) error {
	var b strings.Builder
	for _, group := range r.groups() {
		count := 0
		for _, result := range group {
			if result.Outcome() == OK {
				count++
			}
		}
		fmt.Fprintf(&b, "%s  %d of %d\n", group[0].Check.Group(), count, len(group))
		for _, result := range group {
			r.row(&b, result, s)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const gap = "            "

func (r *Report) row(b *strings.Builder, result *Result, s Style) {
	rec := r.record(result, true)
	word := fmt.Sprintf("%-8s", rec.Outcome)
	if s.Colour {
		word = colours[rec.Outcome] + word + "\x1b[0m"
	}
	fmt.Fprintf(b, "  %s  %s", word, rec.Name)
	if rec.LeftOut != "" {
		fmt.Fprintf(b, ": %s", safe(rec.LeftOut))
	}
	b.WriteByte('\n')
	if len(rec.Faults) > 0 {
		fmt.Fprintf(b, "%s%s (protocol.md §%s, %s)\n", gap, rec.Requires, rec.Section, rec.Severity)
		for _, f := range rec.Faults {
			fmt.Fprintf(b, "%s- %s\n", gap, safe(f))
		}
		fmt.Fprintf(b, "%sbreaks: %s\n", gap, rec.Breaks)
		if !s.Verbose {
			for _, e := range rec.Exchanges {
				fmt.Fprintf(b, "%ssent: %s\n", gap, safe(e.line()))
			}
		}
	}
	if s.Verbose {
		for _, e := range rec.Exchanges {
			e.write(b)
		}
	}
}

var colours = map[Outcome]string{OK: "\x1b[32m", Failed: "\x1b[31m", Weak: "\x1b[33m", LeftOut: "\x1b[2m"}

// line is an exchange in a line: enough to try it again.
func (e *exchangeRecord) line() string {
	const most = 160
	body := e.Request.Body
	if len(body) > most {
		body = strings.ToValidUTF8(body[:most], "") + "…"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s → %d  %s", e.Request.Method, e.Request.URL, e.Answer.Status, body))
}

func (e *exchangeRecord) write(b *strings.Builder) {
	block := func(mark, head string, header map[string]string, body string) {
		fmt.Fprintf(b, "%s%s %s\n", gap, mark, safe(head))
		for _, name := range slices.Sorted(maps.Keys(header)) {
			fmt.Fprintf(b, "%s%s %s: %s\n", gap, mark, safe(name), safe(header[name]))
		}
		for line := range strings.Lines(body) {
			fmt.Fprintf(b, "%s%s %s\n", gap, mark, safe(strings.TrimSuffix(line, "\n")))
		}
	}
	block(">", e.Request.Method+" "+e.Request.URL, e.Request.Header, e.Request.Body)
	block("<", fmt.Sprintf("%d in %.3f s %s", e.Answer.Status, e.Seconds, e.Answer.Error), e.Answer.Header, e.Answer.Body)
}

// safe shows what would steer a terminal, or turn the order of what it shows, as escapes.
func safe(text string) string {
	var b strings.Builder
	for _, c := range text {
		if !unicode.IsPrint(c) {
			quoted := fmt.Sprintf("%q", string(c))
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Summary is the report in a line.
func (r *Report) Summary() string {
	checks := "checks"
	if len(r.Results) == 1 {
		checks = "check"
	}
	return fmt.Sprintf("%d %s of %s: %d ok, %d failed, %d weak (should), %d left out, in %s.", len(r.Results), checks, safe(r.Target),
		r.Count(OK), r.Count(Failed), r.Count(Weak), r.Count(LeftOut), r.Took.Round(time.Millisecond))
}

// JSON writes a report for programs; the exchanges are with what is not ok, or with all.
func (r *Report) JSON(w io.Writer, verbose bool) error {
	doc := struct {
		Target  string    `json:"target"`
		Began   time.Time `json:"began"`
		Seconds float64   `json:"seconds"`
		OK      bool      `json:"ok"`
		Count   struct {
			OK      int `json:"ok"`
			Failed  int `json:"failed"`
			Weak    int `json:"weak"`
			LeftOut int `json:"left_out"`
		} `json:"count"`
		Checks []record `json:"checks"`
	}{Target: r.Target, Began: r.Began.UTC(), Seconds: r.Took.Seconds(), OK: r.Count(Failed) == 0, Checks: []record{}}
	doc.Count.OK, doc.Count.Failed, doc.Count.Weak, doc.Count.LeftOut = r.Count(OK), r.Count(Failed), r.Count(Weak), r.Count(LeftOut)
	for i := range r.Results {
		doc.Checks = append(doc.Checks, r.record(&r.Results[i], verbose || len(r.Results[i].Faults) > 0))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes a report as the XML that CI servers show. What should be and is not, is no failure there.
func (r *Report) JUnit(w io.Writer) error {
	doc := junitSuites{
		Name: "ingot conformance " + r.Target, Tests: len(r.Results), Failures: r.Count(Failed),
		Skipped: r.Count(LeftOut), Time: seconds(r.Took.Seconds()),
	}
	for _, group := range r.groups() {
		s := junitSuite{Name: group[0].Check.Group(), Tests: len(group)}
		var all float64
		for _, result := range group {
			rec := r.record(result, true)
			all += rec.Seconds
			c := junitCase{Class: "conformance." + s.Name, Name: rec.Name, Time: seconds(rec.Seconds)}
			var text strings.Builder
			if len(rec.Faults) > 0 {
				r.row(&text, result, Style{})
			}
			switch rec.Outcome {
			case Failed:
				s.Failures++
				c.Failure = &junitMessage{rec.Requires, text.String()}
			case LeftOut:
				s.Skipped++
				c.Skipped = &junitMessage{Message: rec.LeftOut}
			case OK, Weak:
				c.Output = text.String()
			}
			s.Cases = append(s.Cases, c)
		}
		s.Time = seconds(all)
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
