package gateway

import (
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
)

// Plan is what a local model would be served with by an engine of that kind: what m says, else what
// suits the model and the machine. It also returns the headers of the model's files.
func Plan(m *config.Model, found library.Model, machine hardware.Machine, kind process.Kind) (engine.Settings, engine.Files, error) {
	files, err := filesOf(m, &found)
	if err != nil {
		return engine.Settings{}, files, err
	}
	return describeLocal(m, found, files, machine, process.Engine{Kind: kind}), files, nil
}
