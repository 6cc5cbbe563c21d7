package model

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
)

// completeHere completes the names of the models that were pulled, damaged ones too.
func (a *verbs) completeHere() cobra.CompletionFunc {
	return screen.Complete(-1, func(context.Context) []string { return a.names(true, false) })
}

// completeAny completes the name of one model that is here or in the catalogue.
func (a *verbs) completeAny() cobra.CompletionFunc {
	return screen.Complete(1, func(context.Context) []string { return a.names(true, true) })
}

// completeCatalogue completes names of the catalogue, and files, since both can be pulled.
func (a *verbs) completeCatalogue() cobra.CompletionFunc {
	complete := screen.Complete(-1, func(context.Context) []string { return a.names(false, true) })
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		list, _ := complete(cmd, args, word)
		return list, cobra.ShellCompDirectiveDefault
	}
}

// names are the names of models; a folder that cannot be read has none.
func (a *verbs) names(here, catalogue bool) []string {
	lib, err := a.open()
	if err != nil {
		return nil
	}
	var names []string
	models, damaged, err := lib.All()
	if err == nil && here {
		for _, m := range models {
			names = append(names, m.Name)
		}
		for _, d := range damaged {
			names = append(names, d.Name)
		}
	}
	if !catalogue {
		return names
	}
	for _, e := range lib.Catalog() {
		if _, err := lib.Get(e.Name); err != nil || !here {
			names = append(names, e.Name)
		}
	}
	return names
}
