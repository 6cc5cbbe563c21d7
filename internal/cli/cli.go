// Package cli is the command line: one file for each verb. It parses, prints and exits; what a
// verb does is done elsewhere.
package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/home"
)

// IO is where a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is what the verbs share.
type app struct {
	IO
	version string
}

// Main runs one command line and returns its exit code: 0, or 1 with the error on Err.
func Main(ctx context.Context, streams IO, version string, args []string) int {
	a := &app{IO: streams, version: version}
	root := &cobra.Command{
		Use:           "ingot",
		Short:         "An Azure AI Model Inference endpoint with any model behind it",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}
	root.AddCommand(a.serve())
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		_, _ = fmt.Fprintln(a.Err, "ingot: "+err.Error())
		return 1
	}
	return 0
}

// home opens the data folder.
func (a *app) home() (home.Home, error) { return home.Open("") }
