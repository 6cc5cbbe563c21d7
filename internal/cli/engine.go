package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/probe"
)

func (a *app) engineVerb() *cobra.Command {
	var file string
	cmd := screen.Group(&cobra.Command{
		Use:   "engine",
		Short: "The local engine: list, install, verify, path",
		Long: `The local engine is llama.cpp's own server. The one in use is the first of: engine.path of the
configuration (--config), what INGOT_LLAMA_SERVER names, what ` + "`ingot engine install`" + ` installed.`,
	}, a.engineList(&file), a.engineInstall(), a.engineVerify(&file), a.enginePath(&file))
	cmd.PersistentFlags().StringVarP(&file, "config", "c", "", "configuration file whose engine.path counts")
	return cmd
}

// enginePathOf is engine.path of a configuration file, "" without a file.
func enginePathOf(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	cfg, err := config.Load(file)
	if err != nil {
		return "", err
	}
	return cfg.Engine.Path, nil
}

// findEngine finds the engine that a configuration file leads to.
func (a *app) findEngine(ctx context.Context, file string) (install.Engine, error) {
	path, err := enginePathOf(file)
	if err != nil {
		return install.Engine{}, err
	}
	h, err := a.home()
	if err != nil {
		return install.Engine{}, err
	}
	o, err := a.installOptions(h, path, nil)
	if err != nil {
		return install.Engine{}, err
	}
	return install.Find(ctx, o)
}

// engineRecord is an engine as programs read it.
type engineRecord struct {
	Kind    string   `json:"kind"`
	Source  string   `json:"source"`
	Version string   `json:"version,omitempty"`
	Dir     string   `json:"dir"`
	Command []string `json:"command"`
	Used    bool     `json:"used"`
	Note    string   `json:"note,omitempty"`
}

func recordOfEngine(e install.Engine) engineRecord {
	return engineRecord{Kind: string(e.Kind), Source: string(e.Source), Version: e.Version, Dir: e.Dir, Command: e.Command, Used: true}
}

// place is what a person looks for: the executable, or the folder of the Python package.
func (r engineRecord) place() string {
	if r.Kind == string(install.LlamaServer) && len(r.Command) > 0 {
		return r.Command[0]
	}
	return r.Dir
}

func (a *app) engineList(file *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the engines that are here",
		Long:  "List every engine that is here, the one in use marked, and why the others are not.",
		Args:  screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := enginePathOf(*file)
			if err != nil {
				return err
			}
			h, err := a.home()
			if err != nil {
				return err
			}
			o, err := a.installOptions(h, path, nil)
			if err != nil {
				return err
			}
			list, err := install.List(cmd.Context(), o)
			if err != nil {
				return err
			}
			records, rows := []engineRecord{}, [][]string{{"USED", "KIND", "VERSION", "FROM", "PATH", "NOTE"}}
			for _, l := range list {
				r := recordOfEngine(l.Engine)
				r.Used, r.Note = l.Used, l.Note
				records = append(records, r)
				rows = append(rows, []string{screen.Yes(r.Used), r.Kind, screen.Dash(r.Version), r.Source, r.place(), r.Note})
			}
			if asJSON {
				return a.JSON(records)
			}
			if len(list) == 0 {
				a.Say("No engine is here: `ingot engine install` brings it.")
				return nil
			}
			a.Table(rows)
			return nil
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *app) engineInstall() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install the engine that this version of Ingot was tested with",
		Long: `Install the engine that this version of Ingot was tested with into the data folder: with pip, its
digest checked, else a release of llama.cpp. Nothing else on the machine is changed. One that is
installed already is left as it is.`,
		Args: screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := a.home()
			if err != nil {
				return err
			}
			e, err := a.install(cmd.Context(), h, nil)
			if err != nil {
				return err
			}
			return a.tellEngine(e, asJSON)
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *app) enginePath(file *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "path",
		Short: "Print where the engine in use is",
		Long:  "Print where the engine in use is: its executable, or the folder of the Python package.",
		Args:  screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.findEngine(cmd.Context(), *file)
			if err != nil {
				return err
			}
			return a.tellEngine(e, asJSON)
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *app) tellEngine(e install.Engine, asJSON bool) error {
	r := recordOfEngine(e)
	if asJSON {
		return a.JSON(r)
	}
	a.Print("%s", r.place())
	return nil
}

func (a *app) engineVerify(file *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Start the engine and have it answer",
		Long: `Start the engine in use with a tiny model of each family that the catalogue serves, made on the
spot, and have it answer with one token, one embedding, or an answer held to a grammar. Needs no
network and no model. The exit code is 1 when something did not work.`,
		Args: screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := a.findEngine(cmd.Context(), *file)
			if err != nil {
				return err
			}
			results, err := a.probe(cmd.Context(), e)
			if err != nil {
				return err
			}
			return a.tellProbe(e, results, asJSON)
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *app) probe(ctx context.Context, e install.Engine) ([]probe.Result, error) {
	bar := a.NewBar()
	defer bar.Finish()
	return probe.Run(ctx, asChild(e), probe.Options{Begin: func(model string) { bar.Show("asking a tiny "+model+" model", 0, 0) }})
}

func (a *app) tellProbe(e install.Engine, results []probe.Result, asJSON bool) error {
	type result struct {
		Model  string  `json:"model"`
		Asked  string  `json:"asked"`
		OK     bool    `json:"ok"`
		Start  float64 `json:"start_seconds"`
		Answer float64 `json:"answer_seconds"`
		Error  string  `json:"error,omitempty"`
	}
	list, bad := []result{}, false
	for _, r := range results {
		one := result{r.Model, r.Asked, r.Err == nil, r.Start.Seconds(), r.Answer.Seconds(), ""}
		if r.Err != nil {
			bad, one.Error = true, r.Explain()
		}
		list = append(list, one)
		if asJSON {
			continue
		}
		if r.Err != nil {
			a.Print("%s: failed: %s", r.Model, one.Error)
		} else {
			a.Print("%s: %s, ready in %s, answered in %s", r.Model, r.Asked, r.Start.Round(time.Millisecond), r.Answer.Round(time.Millisecond))
		}
	}
	if asJSON {
		if err := a.JSON(struct {
			engineRecord
			OK     bool     `json:"ok"`
			Checks []result `json:"checks"`
		}{recordOfEngine(e), !bad, list}); err != nil {
			return err
		}
	}
	if bad {
		return fmt.Errorf("the engine at %s does not work: `ingot engine install` brings the one that was tested", recordOfEngine(e).place())
	}
	return nil
}
