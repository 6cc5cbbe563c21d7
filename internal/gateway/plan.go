package gateway

import (
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// Plan is what a local model would be served with by an engine of that kind: what m says, else what
// suits the model and the machine.
func Plan(m *config.Model, found library.Model, h *gguf.Header, machine hardware.Machine, kind process.Kind) engine.Settings {
	s := engine.Settings{Spec: process.Spec{Name: m.Name, Engine: process.Engine{Kind: kind}, GPULayers: process.AutoLayers}}
	describeLocal(&s, m, found, h, machine)
	return s
}
