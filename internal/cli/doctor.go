package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/file"
	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/doctor"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/nearest"
)

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
		Args:    screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings, err := a.examine(cmd.Context(), file)
			if err != nil {
				return err
			}
			return a.tellFindings(findings, asJSON)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file whose models, port and engine count")
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

// examine makes every check. The error is that of a ctx that ended.
func (a *app) examine(ctx context.Context, file string) ([]doctor.Finding, error) {
	var found []doctor.Finding
	cfg, err := config.Usual(file)
	if err != nil {
		found = append(found, doctor.Finding{Check: "configuration", Verdict: doctor.Problem, Text: err.Error(), Fix: strings.TrimSpace("ingot config check " + file)})
		cfg = config.Default()
	}
	o := doctor.Options{Listen: cfg.Listen, Probe: a.probe, Nearest: nearest.Name}
	for _, m := range cfg.Locals() {
		o.Local = append(o.Local, m.Local)
	}
	if o.Home, o.Library, o.Engine, err = a.folders(cfg); err != nil {
		found = append(found, doctor.Finding{Check: "data folder", Verdict: doctor.Problem, Text: err.Error(), Fix: "export INGOT_HOME=/a/folder/of/yours"})
		return found, ctx.Err()
	}
	found = append(found, unknownNames(o.Library, cfg)...)
	found = append(found, doctor.Examine(ctx, o)...)
	return found, ctx.Err()
}

// unknownNames looks for models that nobody knows.
func unknownNames(lib *library.Library, cfg *config.Config) []doctor.Finding {
	_, err := file.Check(lib, cfg)
	list, isList := errors.AsType[config.Errors](err)
	if !isList {
		return nil
	}
	var found []doctor.Finding
	for _, e := range list {
		found = append(found, doctor.Finding{Check: "configuration", Verdict: doctor.Problem, Text: e.Error(), Fix: "ingot models --all"})
	}
	return found
}

func (a *app) tellFindings(findings []doctor.Finding, asJSON bool) error {
	count := func(v doctor.Verdict) (n int) {
		for _, f := range findings {
			if f.Verdict == v {
				n++
			}
		}
		return n
	}
	if asJSON {
		if err := a.JSON(struct {
			OK       bool             `json:"ok"`
			Findings []doctor.Finding `json:"findings"`
		}{count(doctor.Problem) == 0, findings}); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			a.Print("%-8s %s: %s", f.Verdict, f.Check, strings.ReplaceAll(f.Text, "\n", "\n         "))
			if f.Fix != "" {
				a.Print("         mend it: %s", f.Fix)
			}
		}
		a.Say("%d ok, %d to know, %d to mend.", count(doctor.OK), count(doctor.Warning), count(doctor.Problem))
	}
	if count(doctor.Problem) > 0 {
		return screen.ErrSaid
	}
	return nil
}

// folders opens what lies in the data folder.
func (a *app) folders(cfg *config.Config) (h home.Home, lib *library.Library, o install.Options, err error) {
	if h, err = a.home(); err != nil {
		return h, nil, o, err
	}
	if lib, err = a.models(); err != nil {
		return h, nil, o, err
	}
	o, err = a.installOptions(h, cfg.Engine.Path, nil)
	return h, lib, o, err
}
