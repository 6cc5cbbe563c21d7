package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// say writes a line for people, beside the data.
func (a *app) say(format string, args ...any) { _, _ = fmt.Fprintf(a.Err, format+"\n", args...) }

// print writes a line of data.
func (a *app) print(format string, args ...any) { _, _ = fmt.Fprintf(a.Out, format+"\n", args...) }

// json writes a value as data.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table writes rows in columns; the first row names them.
func (a *app) table(rows [][]string) {
	const gap = 2
	w := tabwriter.NewWriter(a.Out, 0, 0, gap, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush()
}

func jsonFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "write JSON, for programs")
}

// day writes a time as a date, "-" for none.
func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// orDash writes "-" for nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
