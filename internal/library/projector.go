package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// Projector is the file that lets a model see or hear.
type Projector struct {
	Path   string `json:"path,omitempty"`   // absolute; empty in a catalogue
	Size   int64  `json:"size,omitempty"`   // bytes: exact beside SHA256, else about
	SHA256 string `json:"sha256,omitempty"` // empty: not known
	Source string `json:"source,omitempty"` // the reference it came from; empty in a catalogue
}

// with makes a target of a model and the projector that a reference leads to.
func (t *target) with(projector string) error {
	if t.catalog {
		return fmt.Errorf("model %s of the catalogue comes as it is: pull another with a projector of yours", t.name)
	}
	r, err := parseRef(projector)
	if err != nil {
		return fmt.Errorf("mmproj: %w", err)
	}
	if r.folder() || r.scheme == "pip" {
		return fmt.Errorf("mmproj %q: a projector is a file of the hub, of an address or of this machine", projector)
	}
	t.entry.Projector = &Projector{Source: r.text}
	t.entry.Sources = []Source{{Ref: t.entry.Sources[0].Ref, Projector: r.text}}
	return nil
}

// projectorExt ends the name of a model's projector in the library's folder; no model's name has such a character.
const projectorExt = "+mmproj.gguf"

// stagedProjector is its name in the staging folder.
const stagedProjector = "projector.gguf"

// takeProjector brings the projector of a source here. It comes before the model, so that who interrupts a pull has the larger file
// to go on with.
func (l *Library) takeProjector(ctx context.Context, t target, s Source, report func(Progress)) (*Projector, error) {
	r, err := parseRef(s.Projector)
	if err != nil {
		return nil, err
	}
	if r.scheme == "file" {
		path, sum, err := inPlace(ctx, r, t.entry.Projector.SHA256, report)
		if err != nil {
			return nil, err
		}
		p, err := ProjectorAt(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.text, err)
		}
		p.SHA256, p.Source = sum, r.text
		return p, nil
	}
	want, staged := *t.entry.Projector, filepath.Join(l.staging(t.name), stagedProjector)
	size := want.Size
	if want.SHA256 == "" {
		size = 0
	}
	fi, err := os.Stat(staged) // it has its name only when its digest is right; without one it could be another pull's
	if err != nil || size == 0 || fi.Size() != size {
		if want.SHA256, err = l.download(ctx, r.url(l.hub, ""), r, staged, size, want.SHA256, report); err != nil {
			return nil, err
		}
	}
	p, err := ProjectorAt(staged)
	if err != nil {
		_ = os.Remove(staged)
		return nil, fmt.Errorf("%s: %w", redact(s.Projector), err)
	}
	p.SHA256, p.Source = want.SHA256, s.Projector
	return p, nil
}

// ProjectorAt looks at a file of this machine that should be a projector.
func ProjectorAt(path string) (*Projector, error) {
	h, err := gguf.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("it is not a projector that can be loaded: %w", err)
	}
	if !h.IsProjector() {
		return nil, errors.New("it is no projector: a file for mmproj has an encoder of images or sounds")
	}
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return &Projector{Path: path, Size: fi.Size()}, nil
}

// placeProjector moves a projector out of the staging folder to where its model will be.
func (l *Library) placeProjector(t target, p *Projector) error {
	if p == nil || filepath.Dir(p.Path) != l.staging(t.name) {
		return nil
	}
	if err := disk.Move(p.Path, l.file(t.name, projectorExt)); err != nil {
		return fmt.Errorf("put projector in place: %w", err)
	}
	p.Path = ""
	return nil
}

// loadProjector fills in where the projector of a record lies, and complains if it is not the file that was pulled.
func (l *Library) loadProjector(name string, p Projector) (Projector, error) {
	if p.Path == "" {
		p.Path = l.file(name, projectorExt)
	}
	fi, err := os.Stat(p.Path)
	switch {
	case err != nil:
		return p, fmt.Errorf("file %s of model %q has gone", p.Path, name)
	case fi.Size() != p.Size:
		return p, fmt.Errorf("file %s of model %q has %d bytes, %d when it was pulled", p.Path, name, fi.Size(), p.Size)
	}
	return p, nil
}

// kept says that the record of a model has the projector that is wanted.
func (r record) kept(want *Projector) bool {
	if want == nil {
		return true
	}
	return r.Projector != nil && (want.SHA256 == "" || want.SHA256 == r.Projector.SHA256) && (want.Source == "" || want.Source == r.Projector.Source)
}

// noise matches what the names of files say about their numbers only.
var noise = regexp.MustCompile(`^(mmproj|model|i?q\d.*|b?f16|f32|fp16|mxfp4|ud)$`)

// kin is what remains of a file's name when a model's and its projector's should be alike.
func kin(path string) string {
	words := strings.FieldsFunc(strings.TrimSuffix(strings.ToLower(filepath.Base(path)), ".gguf"), func(r rune) bool { return r == '-' || r == '.' })
	return strings.Join(slices.DeleteFunc(words, noise.MatchString), "-")
}

// beside finds the projector in the folder of a model's file: the only one of a fitting name whose width is the model's. It is
// empty where there is none, or a choice.
func beside(model string) Projector {
	files, err := os.ReadDir(filepath.Dir(model))
	if err != nil {
		return Projector{}
	}
	var found Projector
	for _, f := range files {
		name, path := strings.ToLower(f.Name()), filepath.Join(filepath.Dir(model), f.Name())
		if k := kin(name); !strings.Contains(name, "mmproj") || filepath.Ext(name) != ".gguf" || k != "" && k != kin(model) {
			continue
		}
		p, err := ProjectorAt(path)
		if err != nil || !fits(path, model) {
			continue
		}
		if found.Path != "" {
			return Projector{}
		}
		found = *p
	}
	return found
}

func fits(projector, model string) bool {
	p, err := gguf.ReadFile(projector)
	if err != nil {
		return false
	}
	m, err := gguf.ReadFile(model)
	return err == nil && p.ProjectsTo() == m.EmbeddingLength()
}
