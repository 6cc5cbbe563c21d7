package nearest_test

import (
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/nearest"
)

func TestTheNearestNameIsFound(t *testing.T) {
	names := []string{"smollm2", "minilm", "phi-3-mini", "phi-4-mini", "Phi-4"}
	for word, want := range map[string]string{
		"smolm2": "smollm2", "SMOLLM2": "smollm2", "minilm-l6": "minilm", "minlim": "minilm", "smol": "smollm2", "phi-4-mnii": "phi-4-mini",
		"phi4": "Phi-4", "phi-4-min": "phi-4-mini", "": "", "x": "", "gpt-4o": "", "something-else-entirely": "", strings.Repeat("minilm", 50): "",
	} {
		if got := nearest.Name(word, names); got != want {
			t.Errorf("Name(%.20q) = %q, want %q", word, got, want)
		}
	}
	if got := nearest.Name("a", nil); got != "" {
		t.Errorf("without names: %q", got)
	}
}
