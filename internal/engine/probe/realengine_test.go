//go:build engine

package probe_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/ingot-llm/ingot/internal/engine/probe"
	"github.com/ingot-llm/ingot/internal/engine/process"
)

func TestTheRealEngineRunsEveryFamily(t *testing.T) {
	folder := os.Getenv("INGOT_TEST_ENGINE")
	if folder == "" {
		t.Fatal("INGOT_TEST_ENGINE, the folder of the unpacked engine, must be set")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	results, err := probe.Run(t.Context(), process.Engine{Kind: process.Xllamacpp, Python: python, PythonPath: folder}, probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %s", r.Model, r.Explain())
		}
	}
}
