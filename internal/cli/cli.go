// Package cli is the command line: one file for each verb. It parses, prints and exits; what a
// verb does is done elsewhere.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/conformance"
	"github.com/ingot-llm/ingot/internal/cli/file"
	"github.com/ingot-llm/ingot/internal/cli/key"
	"github.com/ingot-llm/ingot/internal/cli/model"
	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/cli/trust"
	"github.com/ingot-llm/ingot/internal/home"
)

// IO is where a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// app is what the verbs share.
type app struct {
	*screen.Screen
	version string
	began   bool // the command line was in order and its verb was called
}

// The exit codes besides 0. The last is what a shell makes of SIGINT.
const (
	failed      = 1
	misused     = 2
	interrupted = 130
)

// Main runs one command line and returns its exit code: 0; 1 with the error on Err; 2 where the
// command line itself is wrong; 130 when ctx ended it.
func Main(ctx context.Context, streams IO, version string, args []string) int {
	out := &output{Writer: streams.Out}
	a := &app{Screen: &screen.Screen{In: streams.In, Out: out, Err: streams.Err}, version: version}
	root := screen.Group(&cobra.Command{
		Use:           "ingot",
		Short:         "An Azure AI Model Inference endpoint with any model behind it",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
	}, a.serve(), trust.Verb(a.Screen, a.authority, a.running), a.chatVerb(), a.engineVerb(), key.Verb(a.Screen, a.store), file.Verb(a.Screen, a.models), a.doctor(), conformance.Verb(a.Screen, a.keyFor), a.versionVerb())
	root.AddCommand(model.Verbs(a.Screen, a.models)...)
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil && c != root {
		screen.Group(c)
	}
	a.prepare(root)
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(screen.FlagError)
	err := root.ExecuteContext(ctx)
	if err == nil && out.err != nil && !errors.Is(out.err, syscall.EPIPE) {
		err = fmt.Errorf("write standard output: %w", out.err)
	}
	switch {
	case err == nil && out.err == nil:
		return 0
	case err != nil && errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return interrupted
	case err != nil && !errors.Is(err, screen.ErrSaid):
		a.Say("ingot: %v", err)
	}
	if err != nil && !a.began || errors.As(err, new(*screen.UsageError)) {
		return misused
	}
	return failed
}

// output remembers the first failure to write: a full disk must not look like success.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// Fd is the file's, so that a terminal is known as one; no file's where there is none.
func (o *output) Fd() uintptr {
	if f, ok := o.Writer.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// prepare tells mistakes in the command line from failures of the verb, for every verb below cmd.
func (a *app) prepare(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.began = true
			return run(cmd, args)
		}
	}
	for _, c := range cmd.Commands() {
		a.prepare(c)
	}
}

// home opens the data folder.
func (a *app) home() (home.Home, error) { return home.Open("") }
