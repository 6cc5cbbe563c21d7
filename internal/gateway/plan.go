package gateway

import (
	"slices"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/llm"
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

// Record is the record of a model in words, for people and programs.
type Record struct {
	Model      string   `json:"model"`
	Publisher  string   `json:"publisher"`
	Provider   string   `json:"provider"`
	Summary    string   `json:"summary,omitempty"`
	Licence    string   `json:"license,omitempty"`
	Tokenizer  string   `json:"tokenizer,omitempty"`
	Operations []string `json:"operations"`
	Takes      []string `json:"takes"`   // text, image, audio
	Context    int      `json:"context"` // tokens
	Tools      bool     `json:"tools"`
	Schemas    bool     `json:"structured_output"`
	Dimensions int      `json:"dimensions,omitempty"` // of an embedding
	Lengths    []int    `json:"shorter_dimensions,omitempty"`
	Extra      []string `json:"extra_parameters,omitempty"` // that the model obeys
}

// RecordOf puts a record into words.
func RecordOf(i llm.ModelInfo) Record {
	r := Record{
		Model: i.Model, Publisher: i.Publisher, Provider: i.Provider, Summary: i.Summary, Licence: i.Licence, Tokenizer: i.Tokenizer,
		Takes: []string{}, Context: i.Context, Tools: i.Features.Has(llm.FeatureTools), Schemas: i.Features.Has(llm.FeatureFormat),
		Dimensions: i.Dimensions, Lengths: i.Matryoshka, Extra: i.Features.Extra,
	}
	for _, op := range i.Operations {
		r.Operations = append(r.Operations, op.Title())
	}
	for _, t := range []struct {
		word string
		has  bool
	}{
		{"text", i.Features.Has(llm.FeaturePairs) || slices.ContainsFunc(i.Operations, func(op llm.Operation) bool { return op != llm.OpEmbedImages })},
		{"image", i.Features.Has(llm.FeatureImages) || i.Does(llm.OpEmbedImages)},
		{"audio", i.Features.Has(llm.FeatureAudio)},
	} {
		if t.has {
			r.Takes = append(r.Takes, t.word)
		}
	}
	return r
}
