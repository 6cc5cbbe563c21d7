// Package doctor looks at what serving local models on this machine depends on. It changes nothing.
package doctor

import (
	"context"
	"fmt"

	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/probe"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
)

// Verdict is how bad a finding is.
type Verdict string

// The verdicts.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning" // something is slower, fetched first, or not as meant
	Problem Verdict = "problem" // something fails
)

// Finding is what there is to say about one thing.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Text    string  `json:"text"`
	Fix     string  `json:"fix,omitempty"` // the command that mends it
}

// Options are what to look at.
type Options struct {
	Home    home.Home
	Library *library.Library
	Listen  string          // the address to be served
	Local   []string        // the local models that are wanted, as library.Find takes them
	Engine  install.Options // where the engine is looked for
	// Probe lets an engine work.
	Probe func(context.Context, install.Engine) ([]probe.Result, error)
	// Nearest finds the name that was probably meant, or "".
	Nearest func(word string, names []string) string
}

// Examine makes every check, in the order of a person's questions.
func Examine(ctx context.Context, o Options) []Finding {
	found := o.checkEnvironment()
	running, held := o.Home.Running()
	found = append(found, checkHome(o.Home), checkRunning(ctx, running, held), checkPort(ctx, o.Listen, running), checkMemory(ctx))
	models, missing := checkModels(o.Library, o.Local)
	found = append(append(found, models...), checkDisk(o.Home.Dir(), missing))
	return append(found, o.checkEngine(ctx)...)
}

func fine(check, format string, args ...any) Finding {
	return Finding{Check: check, Verdict: OK, Text: fmt.Sprintf(format, args...)}
}

// checkRunning looks whether the endpoint of this data folder, if there is one, answers.
func checkRunning(ctx context.Context, e home.Endpoint, held bool) Finding {
	const check = "endpoint"
	switch {
	case !held:
		return fine(check, "none runs with this data folder")
	case e.URL == "":
		return fine(check, "process %d is starting one", e.PID)
	case !answers(ctx, e.URL):
		return Finding{check, Problem, fmt.Sprintf("process %d serves at %s but does not answer", e.PID, e.URL), fmt.Sprintf("kill %d", e.PID)}
	}
	if e.Mock {
		return fine(check, "process %d serves mock models at %s", e.PID, e.URL)
	}
	return fine(check, "process %d serves at %s; a second one needs another INGOT_HOME", e.PID, e.URL)
}
