package engine

import (
	"cmp"
	"fmt"

	"github.com/ingot-llm/ingot/internal/engine/media"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/gguf"
	"github.com/ingot-llm/ingot/internal/llm"
)

// Files are the headers of a model's files.
type Files struct {
	Model     *gguf.Header
	Projector *gguf.Header // nil: it has none
}

// ReadFiles reads the headers of a model of the library.
func ReadFiles(m library.Model) (f Files, err error) {
	if f.Model, err = gguf.ReadFile(m.Path); err != nil {
		return f, fmt.Errorf("read %s: %w", m.Name, err)
	}
	if m.Projector.Path == "" {
		return f, nil
	}
	if f.Projector, err = gguf.ReadFile(m.Projector.Path); err != nil {
		return f, fmt.Errorf("read projector of %s: %w", m.Name, err)
	}
	return f, nil
}

// Memory estimates what serving the model takes with slots parallel requests of context tokens each.
func (f Files) Memory(context, slots int) gguf.Estimate {
	e := f.Model.Memory(context, slots)
	if f.Projector != nil {
		e.Projector = f.Projector.ProjectorMemory()
	}
	return e
}

// Describe says of a model of the library all that its files and the catalogue tell: the record of what it is and can do, and
// what its server is started with, but for what depends on the machine and the operator: Info.Deployment, Info.Context, slots,
// threads and memory.
func Describe(m library.Model, f Files) Settings {
	e, h := m.Entry, f.Model
	s := Settings{
		Info: llm.ModelInfo{
			Model: m.Name, Provider: "local", Publisher: cmp.Or(e.Publisher, "unknown"), Summary: cmp.Or(e.Summary, e.Title),
			Licence: e.License, Tokenizer: h.TokenizerModel(), Created: m.Pulled, Context: cmp.Or(e.Context, h.ContextLength()),
			Operations: []llm.Operation{llm.OpChat, llm.OpComplete}, Features: LlamaFeatures,
		},
		System: e.System, Temperature: e.Sampling.Temperature, TopP: e.Sampling.TopP,
		Template: h.ChatTemplate(), Spaced: h.AddsSpaces(), Marks: h.Marks(),
	}
	s.Spec.ModelPath = m.Path
	if !h.AddsBOS() {
		s.Empty = "<|endoftext|>" // which the contract names, too (doc/protocol.md §4.1)
	}
	if e.Kind == library.Embed {
		s.addEmbedding(e.Embedding, h)
	}
	if f.Projector != nil {
		s.addProjector(m.Projector.Path, f.Projector)
	}
	return s
}

// addEmbedding describes a model that embeds.
func (s *Settings) addEmbedding(e *library.Embedding, h *gguf.Header) {
	s.Info.Operations, s.Info.Features = []llm.Operation{llm.OpEmbed}, LlamaEmbeds
	s.Info.Dimensions = h.EmbeddingLength()
	s.Spec.Embedding = true
	if e != nil {
		s.Embedding = Embedding{
			Matryoshka: e.Matryoshka, QueryPrefix: e.QueryPrefix, DocumentPrefix: e.DocumentPrefix, TextPrefix: e.TextPrefix,
			Suffix: e.Suffix, MaxTokens: e.MaxTokens,
		}
		s.Info.Matryoshka, s.Spec.Pooling = e.Lengths, e.Pooling
	}
	if s.Spec.Pooling == "" && h.Causal() && h.PoolingType() <= gguf.PoolingNone {
		s.Spec.Pooling = gguf.PoolingLast.String() // the one token that has seen all others
	}
}

// addProjector describes a model with a projector.
func (s *Settings) addProjector(path string, p *gguf.Header) {
	s.Spec.Projector, s.Patches = path, p.Patches()
	s.Marks = append(s.Marks, media.Marks()...)
	switch {
	case !s.Spec.Embedding:
		s.Info.Features.Set &^= llm.FeatureTokens // with a projector, llama.cpp's server completes text only
		if p.SeesImages() {
			s.Info.Features.Set |= llm.FeatureImages
		}
		if p.HearsAudio() {
			s.Info.Features.Set |= llm.FeatureAudio
		}
	case p.SeesImages():
		s.Info.Operations = append(s.Info.Operations, llm.OpEmbedImages)
		s.Info.Features.Set |= llm.FeaturePairs
	}
}
