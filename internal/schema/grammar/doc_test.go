package grammar_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/schema/grammar"
	"github.com/ingot-llm/ingot/internal/schema/pattern"
)

func TestThePageListsWhatIsEnforcedRefusedAndIgnored(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../doc/structured-output.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`[^`]+`")
	section := func(from, to string) string {
		_, rest, _ := strings.Cut(string(page), from)
		part, _, found := strings.Cut(rest, to)
		if !found {
			t.Fatalf("no section from %q to %q", from, to)
		}
		return part
	}
	words := func(text string) []string {
		var list []string
		for _, w := range code.FindAllString(text, -1) {
			list = append(list, strings.Trim(w, "`"))
		}
		slices.Sort(list)
		return list
	}
	firstColumn := func(text string) string {
		var b strings.Builder
		for line := range strings.Lines(text) {
			if cells := strings.Split(line, "|"); len(cells) > 2 {
				b.WriteString(strings.ReplaceAll(cells[1], "(unless `false`)", ""))
			}
		}
		return b.String()
	}
	for _, c := range []struct {
		name string
		want []string
		got  []string
	}{
		{"enforced", grammar.EnforcedKeywords(), words(firstColumn(section("## Enforced", "Formats:")))},
		{"formats", pattern.Formats(), words(section("Formats:", "## Refused"))},
		{"refused", slices.Collect(maps.Keys(grammar.RefusedKeywords())), words(firstColumn(section("## Refused", "## Ignored")))},
		{"ignored", append(grammar.IgnoredKeywords(), "x-"), words(section("## Ignored", "## Bounds"))},
	} {
		want := slices.Sorted(slices.Values(c.want))
		if diff := cmp.Diff(want, c.got); diff != "" {
			t.Errorf("%s (- code, + page):\n%s", c.name, diff)
		}
	}
}
