package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/home"
)

// verdict is how bad a finding is.
type verdict string

const (
	ok      verdict = "ok"
	warning verdict = "warning" // something will be slower, fetched first or not as meant
	problem verdict = "problem" // something will fail
)

// finding is what doctor has to say about one thing.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Text    string  `json:"text"`
	Fix     string  `json:"fix,omitempty"` // the command that mends it
}

func fine(check, format string, args ...any) finding {
	return finding{Check: check, Verdict: ok, Text: fmt.Sprintf(format, args...)}
}

func (a *app) doctor() *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong on this machine, and the command that mends it",
		Long: `Look at what serving local models depends on: the data folder and who uses it, disk, memory, the
port, Python and pip, the engine (it is started with tiny models), the models, and INGOT_ variables.
Each finding is ok, a warning or a problem, with the command that mends it. The exit code is 1 when
there is a problem. Nothing is changed.

What the configuration asks for counts: --config, else ingot.yaml where there is one, else what
` + "`ingot serve`" + ` takes without a file.`,
		Example: "  ingot doctor\n  ingot doctor --json | jq '.findings[] | select(.verdict == \"problem\")'",
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings, err := a.examine(cmd.Context(), file)
			if err != nil {
				return err
			}
			return a.tellFindings(findings, asJSON)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file whose models, port and engine count")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// examine makes every check. The error is that of a ctx that ended.
func (a *app) examine(ctx context.Context, file string) ([]finding, error) {
	found := checkEnvironment()
	cfg, err := configurationOf(file)
	if err != nil {
		found = append(found, finding{"configuration", problem, err.Error(), "ingot config check " + file})
		cfg = config.Default()
	}
	h, err := a.home()
	if err != nil {
		return append(found, finding{"data folder", problem, err.Error(), "export INGOT_HOME=/a/folder/of/yours"}), ctx.Err()
	}
	running, held := h.Running()
	found = append(found, checkHome(h), checkRunning(ctx, running, held))
	found = append(found, checkPort(ctx, cfg.Listen, running), checkMemory(ctx))
	lib, err := a.models()
	if err != nil {
		return append(found, finding{"models", problem, err.Error(), ""}), ctx.Err()
	}
	models, missing := checkModels(lib, cfg)
	found = append(found, models...)
	found = append(found, checkDisk(h.Dir(), missing))
	found = append(found, a.unknownNames(cfg)...)
	found = append(found, a.checkEngine(ctx, h, cfg)...)
	return found, ctx.Err()
}

// unknownNames looks for models that nobody knows.
func (a *app) unknownNames(cfg *config.Config) []finding {
	_, err := a.checkNames(cfg)
	list, isList := errors.AsType[config.Errors](err)
	if !isList {
		return nil
	}
	var found []finding
	for _, e := range list {
		found = append(found, finding{"configuration", problem, e.Error(), "ingot models --all"})
	}
	return found
}

func (a *app) tellFindings(findings []finding, asJSON bool) error {
	count := map[verdict]int{}
	for _, f := range findings {
		count[f.Verdict]++
	}
	if asJSON {
		if err := a.json(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{count[problem] == 0, findings}); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			a.print("%-8s %s: %s", f.Verdict, f.Check, strings.ReplaceAll(f.Text, "\n", "\n         "))
			if f.Fix != "" {
				a.print("         mend it: %s", f.Fix)
			}
		}
		a.say("%d ok, %d to know, %d to mend.", count[ok], count[warning], count[problem])
	}
	if count[problem] > 0 {
		return errSaid
	}
	return nil
}

// checkRunning looks whether the endpoint of this data folder, if there is one, answers.
func checkRunning(ctx context.Context, e home.Endpoint, held bool) finding {
	const check = "endpoint"
	switch {
	case !held:
		return fine(check, "none runs with this data folder")
	case e.URL == "":
		return fine(check, "process %d is starting one", e.PID)
	case !answers(ctx, e.URL):
		return finding{check, problem, fmt.Sprintf("process %d serves at %s but does not answer", e.PID, e.URL), fmt.Sprintf("kill %d", e.PID)}
	}
	return fine(check, "process %d serves at %s; a second one needs another INGOT_HOME", e.PID, e.URL)
}
