//go:build engine && linux

package conformance_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/conformance"
	"github.com/ingot-llm/ingot/internal/conformance/report"
)

const local = `listen: 127.0.0.1:0
keys: [{name: test, key: ` + key + `}]
models:
  smollm2: {local: smollm2, threads: 1}
  minilm: {local: minilm, threads: 1}
`

// A small model need not be clever for any of it.
func TestLocalModelsKeepTheWholeContract(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"engine", "models"} {
		if err := os.Symlink(filepath.Join(os.Getenv("INGOT_TEST_CACHE"), "home", name), filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	url, stop, err := serve(home, local)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	r := examine(t, url+"/models", conformance.Options{
		Key: key, Version: "2024-05-01-preview", Timeout: 2 * time.Minute, Chat: "smollm2", Completion: "smollm2", Embedding: "minilm",
	})
	tell(t, r)
	// Images to embed, failing streams, thinking, a filter and a limit are not arranged here; everything else is there.
	left := slices.DeleteFunc(outcomes(r, report.LeftOut), func(name string) bool { return strings.HasPrefix(name, "images/") })
	const want = 10
	if len(left) != want {
		t.Errorf("%d checks were left out, want %d: %v", len(left), want, left)
	}
}
