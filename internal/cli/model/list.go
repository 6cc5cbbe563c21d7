package model

import (
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/library/disk"
)

func (a *verbs) models() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List the models that are here, and those that could be",
		Long: `List the models that are here; with --all also what the catalogue offers. VERIFIED says that this
project has pulled and run the model. A size with ~ is about what a pull brings. Where a file has gone
or changed HERE is missing.`,
		Example: "  ingot models\n  ingot models --all\n  ingot models show smollm2",
		Args:    screen.NoOtherVerb,
		RunE: func(*cobra.Command, []string) error {
			list, offered, err := a.listModels(all)
			if err != nil {
				return err
			}
			if asJSON {
				return a.JSON(list)
			}
			if len(list) > 0 {
				a.Table(modelRows(list))
			}
			for _, r := range list {
				if r.Problem != "" {
					a.Say("%s", r.Problem)
				}
			}
			switch {
			case len(list) == 0:
				a.Say("No models are here: `ingot models --all` lists what could be, `ingot pull NAME` brings it.")
			case offered > 0:
				a.Say("%d more can be pulled: `ingot models --all` lists them.", offered)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "also list what the catalogue offers")
	screen.JSONFlag(cmd, &asJSON)
	cmd.AddCommand(a.show())
	return cmd
}

// listModels lists the models here and, if all are asked for, then the catalogue's others; offered
// counts those others where they are not listed.
func (a *verbs) listModels(all bool) (list []modelRecord, offered int, err error) {
	lib, err := a.open()
	if err != nil {
		return nil, 0, err
	}
	here, damaged, err := lib.All()
	if err != nil {
		return nil, 0, err
	}
	list = []modelRecord{}
	seen := map[string]bool{}
	for _, m := range here {
		seen[m.Name] = true
		list = append(list, hereRecord(m))
	}
	for _, d := range damaged {
		seen[d.Name] = true
		list = append(list, damagedRecord(d))
	}
	slices.SortStableFunc(list, func(a, b modelRecord) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range lib.Catalog() {
		if seen[e.Name] {
			continue
		}
		if !all {
			offered++
			continue
		}
		list = append(list, entryRecord(e))
	}
	return list, offered, nil
}

func modelRows(list []modelRecord) [][]string {
	rows := [][]string{{"NAME", "KIND", "SIZE", "CONTEXT", "LICENSE", "VERIFIED", "HERE", "SOURCE"}}
	for _, r := range list {
		size, context := "-", "-"
		if r.Size > 0 {
			size = disk.Bytes(r.Size)
			if !r.Here && r.Problem == "" {
				size = "~" + size
			}
		}
		if r.Context > 0 {
			context = strconv.Itoa(r.Context)
		}
		here := screen.Yes(r.Here)
		if r.Problem != "" {
			here = "missing"
		}
		rows = append(rows, []string{r.Name, screen.Dash(r.Kind), size, context, screen.Dash(r.License), screen.Yes(r.Verified), here, r.Source})
	}
	return rows
}
