package screen

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"
)

// Say writes a line for people, beside the data.
func (s *Screen) Say(format string, args ...any) {
	_, _ = fmt.Fprintln(s.Err, Plain(fmt.Sprintf(format, args...)))
}

// Print writes a line of data: as it is, but plain on a terminal.
func (s *Screen) Print(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if Terminal(s.Out) {
		line = Plain(line)
	}
	_, _ = fmt.Fprintln(s.Out, line)
}

// Plain replaces what would steer a terminal or turn the order of a text: texts come from files and servers of anybody's.
func Plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return -1 // of a line's end, mostly
		}
		turns := r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
		if unicode.IsControl(r) && r != '\n' && r != '\t' || turns {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

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
	oneLine := strings.NewReplacer("\n", " ", "\t", " ")
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = oneLine.Replace(Plain(cell))
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
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
