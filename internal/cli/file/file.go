// Package file is the verbs about the configuration file: init, check, show and schema.
package file

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/model"
	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/library"
)

// verbs is what the verbs share.
type verbs struct {
	*screen.Screen
	open func() (*library.Library, error)
}

// Verb makes the verb config; open opens the models of the data folder.
func Verb(s *screen.Screen, open func() (*library.Library, error)) *cobra.Command {
	a := &verbs{s, open}
	return screen.Group(&cobra.Command{
		Use:   "config",
		Short: "Write, check and show the configuration file",
		Long: `Write a configuration file to start from, check one, show what is in force with all defaults, and
print the JSON Schema that lets an editor complete it. FILE is ingot.yaml where it is left out.`,
	}, a.write(), a.check(), a.show(), a.schema())
}

func fileOf(args []string, flag string) string {
	if len(args) > 0 {
		return args[0]
	}
	return cmp.Or(flag, config.File)
}

// fileFlag lets a file be named as the other verbs have it.
func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "the `FILE`, as an argument names it")
}

func (a *verbs) write() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "init [FILE]",
		Short:   "Write a commented file to start from",
		Long:    "Write a commented configuration file to start from. FILE is ingot.yaml where it is left out, and - is standard output.",
		Example: "  ingot config init\n  ingot config init - | less",
		Args:    screen.Arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			file := fileOf(args, "")
			if file == "-" {
				_, err := a.Out.Write(config.Example())
				return err
			}
			flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
			if force {
				flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			f, err := os.OpenFile(file, flags, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("write %s: it is there already; name another file, or replace it with --force", file)
			}
			if err != nil {
				return fmt.Errorf("write configuration: %w", err)
			}
			_, err = f.Write(config.Example())
			if err := errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("write configuration: %w", err)
			}
			a.Say("Wrote %s. Next: `ingot config check %[1]s`, then `ingot serve --config %[1]s`.", file)
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

// complaint is a finding about a configuration as programs read it.
type complaint struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Member string `json:"member,omitempty"`
	Text   string `json:"text"`
}

func complaintsOf(err error) ([]complaint, error) {
	list, ok := errors.AsType[config.Errors](err)
	if err != nil && !ok {
		return nil, err
	}
	out := []complaint{}
	for _, e := range list {
		out = append(out, complaint{e.File, e.Line, e.Column, e.Member, e.Text})
	}
	return out, nil
}

func (a *verbs) check() *cobra.Command {
	var asJSON bool
	var named string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a file, and where",
		Long: `Check a configuration file: every complaint with its line, and which of its models are not here
yet (serve fetches them). The exit code is 1 when serve would refuse the file. Variables are taken
from the environment, as serve takes them.`,
		Example: "  ingot config check\n  ingot config check --json production.yaml",
		Args:    screen.Arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			file := fileOf(args, named)
			cfg, err := config.Load(file)
			var missing []string
			if err == nil {
				missing, err = a.missing(cfg)
			}
			problems, err := complaintsOf(err)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.JSON(struct {
					File     string      `json:"file"`
					OK       bool        `json:"ok"`
					Problems []complaint `json:"problems"`
					Missing  []string    `json:"models_not_here"`
				}{file, len(problems) == 0, problems, append([]string{}, missing...)})
			} else {
				for _, p := range problems {
					a.Print("%s", config.Error{File: p.File, Line: p.Line, Column: p.Column, Member: p.Member, Text: p.Text}.Error())
				}
				for _, m := range missing {
					a.Say("%s is not here yet: `ingot pull %[1]s` fetches it, and so does `ingot serve`.", m)
				}
				if len(problems) == 0 {
					a.Say("%s is in order.", file)
				}
			}
			if err == nil && len(problems) > 0 {
				return screen.ErrSaid
			}
			return err
		},
	}
	fileFlag(cmd, &named)
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *verbs) missing(cfg *config.Config) ([]string, error) {
	lib, err := a.open()
	if err != nil {
		return nil, err
	}
	return Check(lib, cfg)
}

// Check checks what the configuration names against the catalogue and the models of lib, and lists
// the models that serve would fetch. Where the file is at fault the error is config.Errors.
func Check(lib *library.Library, cfg *config.Config) (missing []string, err error) {
	resolve := func(local string) (name, source string, err error) {
		r, err := lib.Resolve(local)
		return r.Name, r.Source, err
	}
	if err := cfg.Check(config.Names{Catalogue: model.Names(lib), Resolve: resolve, Remote: gateway.CheckRemote}); err != nil {
		return nil, err
	}
	for _, m := range cfg.Locals() {
		if _, err := lib.Find(m.Local); errors.As(err, new(*library.NotHereError)) {
			if r, err := lib.Resolve(m.Local); err == nil && r.File {
				continue // serve takes it where it lies
			}
			if !slices.Contains(missing, m.Local) {
				missing = append(missing, m.Local)
			}
		} else if err != nil {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	return missing, nil
}

func (a *verbs) show() *cobra.Command {
	var asJSON bool
	var named string
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show what is in force: the file with every default",
		Long: `Show the effective configuration: the file with every default filled in and every secret hidden.
Without FILE it is ingot.yaml, or, where there is none, what ` + "`ingot serve`" + ` takes without a file.`,
		Args: screen.Arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := config.Load(fileOf(args, named))
			if errors.Is(err, fs.ErrNotExist) && len(args) == 0 {
				a.Say("There is no %s here: this is what serves without one.", config.File)
				cfg, err = config.Default(), nil
			}
			if err != nil {
				return err
			}
			data := cfg.YAML(true)
			if asJSON {
				tree, err := fromYAML(data)
				if err != nil {
					return err
				}
				return a.JSON(tree)
			}
			_, err = a.Out.Write(data)
			return err
		},
	}
	fileFlag(cmd, &named)
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

func (a *verbs) schema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the file's JSON Schema",
		Long:    "Print the JSON Schema (2020-12) of the configuration file, for editors and other checkers.",
		Example: "  ingot config schema > ingot.schema.json",
		Args:    screen.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(config.Schema())
			return err
		},
	}
}
