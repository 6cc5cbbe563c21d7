package screen_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/cli/screen"
)

func TestNothingThatIsPrintedForPeopleSteersTheirTerminal(t *testing.T) {
	t.Parallel()
	var out, err strings.Builder
	s := screen.Screen{Out: &out, Err: &err}
	s.Table([][]string{{"NAME", "LICENSE", "SOURCE"}, {"m", "\x1b]0;evil\a\u009b31m", "file:/a\n/b\tc.gguf"}})
	s.Say("%s\r\nis not %q", "gr\u00f6\u00dfe \x1b[2J\u202e", "x")
	want := "NAME  LICENSE        SOURCE\nm     \ufffd]0;evil\ufffd\ufffd31m  file:/a /b c.gguf\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("gr\u00f6\u00dfe \ufffd[2J\ufffd\nis not \"x\"\n", err.String()); diff != "" {
		t.Error(diff)
	}
}
