// Package tinymodel writes the models of package tiny for tests, and broken
// variants of model files.
package tinymodel

import "github.com/ingot-llm/ingot/internal/library/tiny"

// Options describe a model.
type Options = tiny.Options

// The architectures.
const (
	Llama = tiny.Llama
	Phi3  = tiny.Phi3
	BERT  = tiny.BERT
	CLIP  = tiny.CLIP
)

// ChatTemplate is a template that fits Llama and Phi3 models.
const ChatTemplate = tiny.ChatTemplate

// File writes a model to name in dir and returns its path.
func File(dir, name string, o Options) (string, error) { return tiny.File(dir, name, o) }
