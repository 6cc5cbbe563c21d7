package screen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ingot-llm/ingot/internal/nearest"
)

// ErrSaid ends a command with code 1 whose output has said why.
var ErrSaid = errors.New("said already")

// UsageError is a mistake in the command line that only the verb could notice.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// Misuse makes a UsageError.
func Misuse(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// Group makes cmd a verb of verbs: alone it shows its help.
func Group(cmd *cobra.Command, verbs ...*cobra.Command) *cobra.Command {
	cmd.Args = NoOtherVerb
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	cmd.AddCommand(verbs...)
	return cmd
}

// NoOtherVerb refuses a word that is none of the verbs below cmd, and names the nearest.
func NoOtherVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	if n := nearest.Name(args[0], verbs); n != "" {
		return fmt.Errorf("%q is no verb of `%s`; did you mean `%[2]s %[3]s`?", args[0], cmd.CommandPath(), n)
	}
	return fmt.Errorf("%q is no verb of `%s`; it has: %s", args[0], cmd.CommandPath(), strings.Join(verbs, ", "))
}

// Arguments wants at least low and at most high words (-1: any number); what names them for people.
func Arguments(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return fmt.Errorf("%s is missing; usage: %s", what, cmd.UseLine())
		case high == 0 && len(args) > 0:
			return fmt.Errorf("`%s` takes no argument, but got %q; usage: %s", cmd.CommandPath(), args[0], cmd.UseLine())
		case high > 0 && len(args) > high:
			return fmt.Errorf("one argument too many: %q; usage: %s", args[high], cmd.UseLine())
		}
		return nil
	}
}

// FlagError names the nearest flag, or how to see them all.
func FlagError(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return fmt.Errorf("%w; `%s --help` shows the flags", err, cmd.CommandPath())
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if n := nearest.Name(unknown.GetSpecifiedName(), names); n != "" {
		return fmt.Errorf("%w; did you mean --%s?", err, n)
	}
	return fmt.Errorf("%w; `%s --help` shows the flags", err, cmd.CommandPath())
}

// Complete lets a shell complete up to most arguments of a verb (-1: any number) with names, each once.
func Complete(most int, names func(context.Context) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if most >= 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		list := slices.DeleteFunc(names(cmd.Context()), func(n string) bool { return slices.Contains(args, n) })
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}
