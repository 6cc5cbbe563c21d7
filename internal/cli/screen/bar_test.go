package screen_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/cli/screen"
)

func TestElsewhereThanOnATerminalAStageIsALineWithItsSize(t *testing.T) {
	t.Parallel()
	var err strings.Builder
	bar := (&screen.Screen{Err: &err}).NewBar()
	for done := range int64(3) {
		bar.Show("m: downloading", done, 93_400_000)
	}
	bar.Show("m: checking", 0, 0)
	bar.Show("m: checking", 1, 0)
	bar.Finish()
	if diff := cmp.Diff("m: downloading, 93.4 MB\nm: checking\n", err.String()); diff != "" {
		t.Error(diff)
	}
}
