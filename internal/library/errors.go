package library

import (
	"errors"
	"fmt"
	"strings"
)

// NotHereError says that a model has not been pulled.
type NotHereError struct {
	Name    string
	Known   bool   // the catalogue has it
	Nearest string // the most similar name there is; may be empty
}

func (e *NotHereError) Error() string {
	switch {
	case e.Known:
		return fmt.Sprintf("model %q is not here: run `ingot pull %s`", e.Name, e.Name)
	case e.Nearest != "":
		return fmt.Sprintf("model %q is neither here nor in the catalogue; did you mean %q?", e.Name, e.Nearest)
	}
	return fmt.Sprintf("model %q is neither here nor in the catalogue: run `ingot models` to see what there is", e.Name)
}

// DamagedError says that a model was pulled and cannot be used any more.
type DamagedError struct {
	Name string
	Why  string
	Fix  string // the command that mends it
}

func (e *DamagedError) Error() string { return e.Why + ": run `" + e.Fix + "`" }

// SourcesError says why none of a model's sources gave it.
type SourcesError struct {
	Name string
	Errs []error // one for each source, in order
}

func (e *SourcesError) Error() string {
	if len(e.Errs) == 1 {
		return fmt.Sprintf("pull %s: %v", e.Name, e.Errs[0])
	}
	return fmt.Sprintf("pull %s: no source worked:\n%v", e.Name, errors.Join(e.Errs...))
}

// Unwrap returns the errors of the sources.
func (e *SourcesError) Unwrap() []error { return e.Errs }

// nearest finds the name most similar to s, or "" when none is close.
func nearest(s string, names []string) string {
	best, far := "", max(2, len(s)/3)+1
	for _, n := range names {
		d := distance(s, n)
		if s != "" && (strings.HasPrefix(n, s) || strings.HasPrefix(s, n)) {
			d = min(d, 1)
		}
		if d < far {
			best, far = n, d
		}
	}
	return best
}

// distance is the number of edits between two names, which are short.
func distance(a, b string) int {
	if len(a) > 100 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
