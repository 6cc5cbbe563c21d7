// Package library keeps the model files of this machine: what the catalogue
// offers, what is here, and how one becomes the other. A folder may be used by
// several processes at once.
package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/fetch"
	"github.com/ingot-llm/ingot/internal/nearest"
)

const defaultHub = "https://huggingface.co"

// Options are the surroundings of a Library; the zero value is usable.
type Options struct {
	Logger  *slog.Logger  // nil: silent
	HTTP    *http.Client  // for hf: and https: sources; nil: one with the standard transport
	HubURL  string        // empty: HF_ENDPOINT from the environment, else the public hub
	Python  string        // whose pip serves pip: sources; empty: python3 or python on PATH
	Catalog []Entry       // nil: the catalogue in the binary
	Backoff time.Duration // first wait after a broken download; 0: the default
}

// Library is a folder of models. Its methods may be called concurrently.
type Library struct {
	dir     string
	catalog []Entry
	hub     string
	token   string
	python  string
	log     *slog.Logger
	fetch   fetch.Client
}

// Model is a model that is here.
type Model struct {
	Name      string
	Path      string    // of the GGUF file, absolute
	Size      int64     // bytes
	SHA256    string    // of the file; empty for one that is used in place
	Source    string    // the reference it came from
	Converter string    // version of the converter that made the file, if one did
	Projector Projector // what lets it see or hear; the zero value: nothing
	Pulled    time.Time
	Entry     Entry // from the catalogue, else from the file's header
}

// record is what lies beside a model's file, as NAME.json.
type record struct {
	Path      string     `json:"path,omitempty"` // of a file used in place; empty: NAME.gguf
	Size      int64      `json:"size"`
	SHA256    string     `json:"sha256,omitempty"`
	Source    string     `json:"source"`
	Origin    string     `json:"origin,omitempty"` // SHA-256 of what was converted
	Converter string     `json:"converter,omitempty"`
	Projector *Projector `json:"projector,omitempty"` // without a path: NAME+mmproj.gguf
	Pulled    time.Time  `json:"pulled"`
	Entry     *Entry     `json:"entry,omitempty"` // of a model that the catalogue does not have
}

// Open opens the library in dir, which is created if need be.
func Open(dir string, o Options) (*Library, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make model folder: %w", err)
	}
	l := &Library{dir: dir, catalog: o.Catalog, hub: o.HubURL, token: os.Getenv("HF_TOKEN"), python: o.Python, log: o.Logger}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if l.hub == "" {
		l.hub = os.Getenv("HF_ENDPOINT")
	}
	if l.hub == "" {
		l.hub = defaultHub
	}
	if u, err := url.Parse(l.hub); err != nil || u.Host == "" {
		return nil, errors.New("the hub's address (HF_ENDPOINT) is not of the form https://host")
	}
	if l.catalog == nil {
		l.catalog, err = loadCatalog(embedded)
	} else {
		err = checkCatalog(l.catalog)
	}
	l.fetch = fetch.Client{HTTP: o.HTTP, Log: l.log, Backoff: o.Backoff}
	return l, err
}

// Dir is the folder that holds the models.
func (l *Library) Dir() string { return l.dir }

// Catalog lists the models that can be pulled by name, in the catalogue's order.
func (l *Library) Catalog() []Entry { return slices.Clone(l.catalog) }

// Entry returns what the catalogue says of name.
func (l *Library) Entry(name string) (Entry, bool) {
	i := slices.IndexFunc(l.catalog, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return l.catalog[i], true
}

// List returns the models that are here, by name. One whose file has gone or
// changed is left out and logged.
func (l *Library) List() ([]Model, error) {
	models, damaged, err := l.All()
	for _, d := range damaged {
		l.log.LogAttrs(context.Background(), slog.LevelWarn, "model left out", slog.String("model", d.Name), slog.Any("error", d.Err))
	}
	return models, err
}

// Damaged is a model that was pulled and cannot be used.
type Damaged struct {
	Model       // as far as it is known
	Err   error // why, with the command that mends it: mostly a *DamagedError
}

// All returns the models that are here, and those that were and are damaged, both by name.
func (l *Library) All() ([]Model, []Damaged, error) {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("list models: %w", err)
	}
	var models []Model
	var damaged []Damaged
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".json")
		if !ok || checkName(name) != nil {
			continue
		}
		m, err := l.load(name)
		if err != nil {
			damaged = append(damaged, Damaged{m, err})
			continue
		}
		models = append(models, m)
	}
	return models, damaged, nil
}

// Get returns the model called name, or a *NotHereError.
func (l *Library) Get(name string) (Model, error) {
	if checkName(name) == nil {
		m, err := l.load(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return m, err
		}
	}
	_, known := l.Entry(name)
	e := &NotHereError{Name: name, Known: known}
	if !known {
		e.Nearest = nearest.Name(name, l.names())
	}
	return Model{}, e
}

// names are all names that mean something: the catalogue's and those here.
func (l *Library) names() []string {
	var names []string
	for _, e := range l.catalog {
		names = append(names, e.Name)
	}
	if here, _, err := l.All(); err == nil {
		for _, m := range here {
			names = append(names, m.Name)
		}
	}
	return names
}

// load reads a model's record and looks at its file; fs.ErrNotExist means that
// there is no record. With an error the model holds what is known of it.
func (l *Library) load(name string) (Model, error) {
	m := Model{Name: name}
	data, err := os.ReadFile(l.file(name, ".json"))
	if err != nil {
		return m, err
	}
	entry, known := l.Entry(name)
	damaged := func(fix, why string, args ...any) (Model, error) {
		return m, &DamagedError{Name: name, Why: fmt.Sprintf(why, args...), Fix: fix}
	}
	remove := "ingot rm " + name
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		fix := remove
		if known {
			fix = "ingot pull " + name
		}
		return damaged(fix, "read record of model %q: %v", name, err)
	}
	m = Model{Name: name, Path: r.Path, Size: r.Size, SHA256: r.SHA256, Source: r.Source, Converter: r.Converter, Pulled: r.Pulled, Entry: entry}
	if r.Entry != nil {
		m.Entry = *r.Entry
	}
	if m.Path == "" {
		m.Path = l.file(name, ".gguf")
	}
	fi, err := os.Stat(m.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && r.Path != "":
		return damaged(remove, "file %s of model %q has gone; put it back, or forget the model", m.Path, name)
	case errors.Is(err, fs.ErrNotExist):
		return damaged("ingot pull "+l.again(name, r), "file %s of model %q has gone", m.Path, name)
	case err != nil:
		return m, fmt.Errorf("look at model %q: %w", name, err)
	case fi.Size() != r.Size:
		return damaged("ingot pull "+l.again(name, r), "file %s of model %q has %d bytes, %d when it was pulled", m.Path, name, fi.Size(), r.Size)
	case r.Entry == nil && !known:
		return damaged(remove, "model %q is no longer in the catalogue", name)
	}
	if r.Projector != nil {
		if m.Projector, err = l.loadProjector(name, *r.Projector); err != nil {
			return damaged("ingot pull "+l.again(name, r), "%v", err)
		}
	} else if r.Path != "" {
		m.Projector = beside(r.Path)
	}
	return m, nil
}

// again is what to pull to get a model once more.
func (l *Library) again(name string, r record) string {
	if r.Entry == nil {
		return name
	}
	ref := name + "=" + redact(r.Source)
	if r.Projector != nil {
		ref += " --mmproj " + redact(r.Projector.Source)
	}
	return ref
}

// Remove deletes the model called name, and what interrupted pulls of it have
// left. A file that is used in place is only forgotten. It is an error when
// another process is pulling the model.
func (l *Library) Remove(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	release, err := disk.TryLock(l.lock(name))
	if errors.Is(err, disk.ErrLocked) {
		return fmt.Errorf("remove %s: it is being pulled by another process: wait for it or end it", name)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	defer release()
	_, err = os.Stat(l.file(name, ".json"))
	_, staged := os.Stat(l.staging(name))
	if errors.Is(err, fs.ErrNotExist) && errors.Is(staged, fs.ErrNotExist) {
		_, err := l.Get(name)
		return err
	}
	// The record last: until then List and Get know that something is left.
	for _, p := range []string{l.staging(name), l.file(name, ".gguf"), l.file(name, projectorExt), l.file(name, ".json")} {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("remove %s: %w", name, err)
		}
	}
	return nil
}

// Unused lists the models that are here and not among the names in use.
func (l *Library) Unused(used []string) ([]Model, error) {
	models, err := l.List()
	return slices.DeleteFunc(models, func(m Model) bool { return slices.Contains(used, m.Name) }), err
}

func (l *Library) file(name, ext string) string { return filepath.Join(l.dir, name+ext) }
func (l *Library) lock(name string) string      { return filepath.Join(l.dir, "."+name+".lock") }
func (l *Library) staging(name string) string   { return filepath.Join(l.dir, "."+name) }
