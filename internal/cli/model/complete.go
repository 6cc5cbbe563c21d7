package model

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/library"
)

// completeHere completes the names of the models that were pulled, damaged ones too.
func (a *verbs) completeHere() cobra.CompletionFunc {
	return screen.Complete(-1, func(context.Context) []string { return a.names(here) })
}

// completeAny completes the name of one model that is here or in the catalogue.
func (a *verbs) completeAny() cobra.CompletionFunc {
	return screen.Complete(1, func(context.Context) []string { return a.names(Names) })
}

// completeCatalogue completes names of the catalogue, and files, since both can be pulled.
func (a *verbs) completeCatalogue() cobra.CompletionFunc {
	complete := screen.Complete(-1, func(context.Context) []string { return a.names(offered) })
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		list, _ := complete(cmd, args, word)
		return list, cobra.ShellCompDirectiveDefault
	}
}

// names are the names in the models of the data folder, none where it cannot be read.
func (a *verbs) names(in func(*library.Library) []string) []string {
	lib, err := a.open()
	if err != nil {
		return nil
	}
	return in(lib)
}

// Names are the names that stand for a model: the catalogue's and those here, damaged ones too.
func Names(lib *library.Library) []string {
	names := offered(lib)
	for _, n := range here(lib) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// offered are the names of the catalogue.
func offered(lib *library.Library) (names []string) {
	for _, e := range lib.Catalog() {
		names = append(names, e.Name)
	}
	return names
}

// here are the names of the models that were pulled, none where the folder cannot be read.
func here(lib *library.Library) (names []string) {
	models, damaged, err := lib.All()
	if err != nil {
		return nil
	}
	for _, m := range models {
		names = append(names, m.Name)
	}
	for _, d := range damaged {
		names = append(names, d.Name)
	}
	return names
}
