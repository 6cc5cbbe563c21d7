package screen

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// Say writes a line for people, beside the data.
func (s *Screen) Say(format string, args ...any) { _, _ = fmt.Fprintf(s.Err, format+"\n", args...) }

// Print writes a line of data.
func (s *Screen) Print(format string, args ...any) { _, _ = fmt.Fprintf(s.Out, format+"\n", args...) }

// JSON writes a value as data.
func (s *Screen) JSON(v any) error {
	e := json.NewEncoder(s.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Table writes rows in columns; the first row names them.
func (s *Screen) Table(rows [][]string) {
	const gap = 2
	w := tabwriter.NewWriter(s.Out, 0, 0, gap, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush()
}

// JSONFlag gives a verb --json.
func JSONFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "write JSON, for programs")
}

// Day writes a time as a date, "-" for none.
func Day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

// Yes writes a truth value.
func Yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// Dash writes "-" for nothing.
func Dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
