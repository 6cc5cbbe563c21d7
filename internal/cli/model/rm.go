package model

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/disk"
)

type rmFlags struct {
	unused, sure bool
	file         string
}

func (a *verbs) rm() *cobra.Command {
	var f rmFlags
	cmd := &cobra.Command{
		Use:   "rm NAME... | rm --unused",
		Short: "Delete models",
		Long: `Delete models, and what interrupted pulls of them have left. A file of yours that was pulled by its
path stays where it lies: it is only forgotten.

--unused deletes every model that the configuration does not name: --config, else ingot.yaml where
there is one, else what ` + "`ingot serve`" + ` takes without a file. On a terminal you are asked first.`,
		Example: "  ingot rm phi-3-mini\n  ingot rm --unused --config ingot.yaml\n  ingot rm --unused --yes",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.runRm(cmd.Context(), f, args) },

		ValidArgsFunction: a.completeHere(),
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if f.unused && len(args) > 0 {
			return errors.New("either name models or say --unused, not both")
		}
		if f.file != "" && !f.unused {
			return errors.New("--config goes only with --unused")
		}
		if f.unused {
			return nil
		}
		return screen.Arguments(1, -1, "the NAME of the model, or --unused,")(cmd, args)
	}
	cmd.Flags().BoolVar(&f.unused, "unused", false, "delete what the configuration does not name")
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "with --unused: the configuration that counts")
	cmd.Flags().BoolVarP(&f.sure, "yes", "y", false, "do not ask")
	return cmd
}

func (a *verbs) runRm(ctx context.Context, f rmFlags, names []string) error {
	lib, err := a.open()
	if err != nil {
		return err
	}
	if f.unused {
		cfg, err := config.Usual(f.file)
		if err != nil {
			return err
		}
		if names, err = unused(lib, cfg); err != nil {
			return err
		}
		if len(names) == 0 {
			a.Say("Every model here is in use.")
			return nil
		}
	}
	for _, n := range names {
		if m, err := lib.Get(n); err == nil {
			a.Say("%s: %s (%s)", m.Name, m.Path, disk.Bytes(m.Size))
		}
	}
	if !f.sure {
		if ok, err := a.Confirm(ctx, fmt.Sprintf("Delete %s?", strings.Join(names, ", ")), f.unused); err != nil || !ok {
			return err
		}
	}
	var errs []error
	for _, n := range names {
		if err := lib.Remove(n); err != nil {
			errs = append(errs, err)
			continue
		}
		a.Say("Removed %s.", n)
	}
	return errors.Join(errs...)
}

// unused names the models here that no deployment of the configuration needs.
func unused(lib *library.Library, cfg *config.Config) ([]string, error) {
	var used []string
	for _, m := range cfg.Locals() {
		if found, err := lib.Find(m.Local); err == nil {
			used = append(used, found.Name)
		} else if !errors.As(err, new(*library.NotHereError)) {
			return nil, fmt.Errorf("model %s: %w", m.Name, err)
		}
	}
	idle, err := lib.Unused(used)
	var names []string
	for _, m := range idle {
		names = append(names, m.Name)
	}
	return names, err
}
