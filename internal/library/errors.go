package library

import (
	"errors"
	"fmt"
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
