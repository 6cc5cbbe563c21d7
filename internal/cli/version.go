package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/engine/install"
)

func (a *app) versionVerb() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which Ingot this is",
		Long:  "Say which Ingot this is, what built it, and which engine it was tested with.",
		Args:  screen.Arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return a.JSON(map[string]string{
					"version": a.version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "engine": install.Pinned().Version,
				})
			}
			a.Print("ingot %s (%s, %s/%s, engine xllamacpp %s)", a.version, runtime.Version(), runtime.GOOS, runtime.GOARCH, install.Pinned().Version)
			return nil
		},
	}
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}
