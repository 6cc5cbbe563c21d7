package gateway_test

import (
	"testing"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/library"
)

func TestThePinnedEngineGetsNoLayersWhereThereIsNoGPU(t *testing.T) {
	t.Parallel()
	path, err := tinymodel.File(t.TempDir(), "m.gguf", tinymodel.Options{Arch: tinymodel.Llama})
	if err != nil {
		t.Fatal(err)
	}
	bare, gpu := hardware.Machine{}, hardware.Machine{GPUs: []hardware.GPU{{}}}
	for _, c := range []struct {
		machine hardware.Machine
		kind    process.Kind
		want    int
	}{
		{bare, process.Xllamacpp, 0},
		{bare, process.LlamaServer, process.AutoLayers},
		{gpu, process.Xllamacpp, process.AutoLayers},
	} {
		s, _, err := gateway.Plan(&config.Model{Name: "m"}, library.Model{Name: "m", Path: path}, c.machine, c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if s.Spec.GPULayers != c.want {
			t.Errorf("%s with %d GPUs: got %d layers, want %d", c.kind, len(c.machine.GPUs), s.Spec.GPULayers, c.want)
		}
	}
}
