// Package install finds the local engine, llama.cpp's own HTTP server, or
// brings it here. It starts nothing.
package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/pip"
)

// EnvServer is the environment variable that names a llama-server to use.
const EnvServer = "INGOT_LLAMA_SERVER"

// Kind says how an engine is started.
type Kind string

// The kinds of engines.
const (
	Xllamacpp   Kind = "xllamacpp"    // a Python extension in Engine.Dir, started by a launcher
	LlamaServer Kind = "llama-server" // an executable with llama.cpp's own flags
)

// Source says where an engine comes from.
type Source string

// The sources of engines, in the order of Find; OnPath is only ever listed.
const (
	Configured  Source = "engine.path"
	Environment Source = EnvServer
	Installed   Source = "installed"
	OnPath      Source = "PATH"
)

// Engine is an engine that is here.
type Engine struct {
	Kind    Kind
	Source  Source
	Version string   // empty when nobody has said it
	Dir     string   // folder of the installation; for Xllamacpp what PYTHONPATH must hold
	Command []string // beginning of the command line: the Python executable for Xllamacpp, else the server
}

// Options say where to look and where to install.
type Options struct {
	Dir     string // the data folder's engine folder
	Path    string // engine.path of the configuration; empty: none
	Python  string // as for pip.Find
	Pin     Pin    // what to install; zero: Pinned()
	Release string // tag of the llama.cpp release to fall back on; empty: the latest

	HTTP       *http.Client // for the release; nil: one with the standard transport
	ReleaseURL string       // base of the release API; empty: the official one
	Logger     *slog.Logger // nil: silent
}

// Listed is an engine as List shows it.
type Listed struct {
	Engine
	Used bool
	Note string // why it cannot be used, or what would make it so
}

// MissingError says that there is no engine.
type MissingError struct{}

func (*MissingError) Error() string {
	return "no engine is here: run `ingot engine install`, or set " + EnvServer + " or engine.path to a llama-server"
}

// Find returns the engine to use: the configured one, the one that
// INGOT_LLAMA_SERVER names, or the one installed in o.Dir. An engine that is
// asked for by name and is not there is an error, never passed over. The error
// is a *MissingError when there is none.
func Find(ctx context.Context, o Options) (Engine, error) {
	if o.Path != "" {
		return at(ctx, o, o.Path, Configured)
	}
	if p := os.Getenv(EnvServer); p != "" {
		return at(ctx, o, p, Environment)
	}
	found, err := installed(o)
	if err != nil {
		return Engine{}, err
	}
	if len(found) == 0 {
		return Engine{}, &MissingError{}
	}
	return runnable(ctx, o, found[0].Engine)
}

// List returns every engine that is here, the one in use marked, and a
// llama-server on PATH, which is used only when it is asked for.
func List(ctx context.Context, o Options) ([]Listed, error) {
	var all []Listed
	for _, named := range []struct {
		path   string
		source Source
	}{{o.Path, Configured}, {os.Getenv(EnvServer), Environment}} {
		if named.path == "" {
			continue
		}
		e, err := at(ctx, o, named.path, named.source)
		if err != nil {
			e = Engine{Kind: LlamaServer, Source: named.source, Command: []string{named.path}}
		}
		all = append(all, listed(e, err))
	}
	found, err := installed(o)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		e, err := runnable(ctx, o, f.Engine)
		if err != nil {
			e = f.Engine
		}
		all = append(all, listed(e, err))
	}
	if len(all) > 0 {
		all[0].Used = all[0].Note == ""
	}
	if p, err := exec.LookPath(executable); err == nil {
		all = append(all, Listed{
			Engine: Engine{Kind: LlamaServer, Source: OnPath, Dir: filepath.Dir(p), Command: []string{p}},
			Note:   fmt.Sprintf("used only when asked for: set %s=%s, or engine.path", EnvServer, p),
		})
	}
	return all, nil
}

func listed(e Engine, err error) Listed {
	if err != nil {
		return Listed{Engine: e, Note: err.Error()}
	}
	return Listed{Engine: e}
}

// at finds an engine at a path that somebody has named: an executable, or a
// folder that holds one or the Python package.
func at(ctx context.Context, o Options, path string, source Source) (Engine, error) {
	fail := func(err error) (Engine, error) {
		return Engine{}, fmt.Errorf("use the engine of %s: %w", source, err)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return fail(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		return fail(err)
	}
	if !fi.IsDir() {
		if runtime.GOOS != "windows" && fi.Mode()&0o111 == 0 {
			return fail(fmt.Errorf("%s is not executable: run `chmod +x %s`", path, path))
		}
		return Engine{Kind: LlamaServer, Source: source, Dir: filepath.Dir(path), Command: []string{path}}, nil
	}
	if _, err := os.Stat(filepath.Join(path, "xllamacpp", "__init__.py")); err == nil {
		e, err := runnable(ctx, o, Engine{Kind: Xllamacpp, Source: source, Dir: path})
		if err != nil {
			return fail(err)
		}
		return e, nil
	}
	for _, below := range []string{"", "bin", filepath.Join("build", "bin")} {
		p := filepath.Join(path, below, executable)
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() {
			return Engine{Kind: LlamaServer, Source: source, Dir: filepath.Dir(p), Command: []string{p}}, nil
		}
	}
	return fail(fmt.Errorf("%s holds neither %s nor the Python package xllamacpp", path, executable))
}

// runnable fills in what starts an engine.
func runnable(ctx context.Context, o Options, e Engine) (Engine, error) {
	if e.Kind != Xllamacpp {
		return e, nil
	}
	py, err := python(ctx, o)
	if err != nil {
		return Engine{}, err
	}
	e.Command = []string{py.Path}
	return e, nil
}

// python finds an interpreter that the pinned extension loads in.
func python(ctx context.Context, o Options) (pip.Python, error) {
	py, err := pip.Find(ctx, o.Python)
	if err != nil {
		return py, err
	}
	if !py.AtLeast(3, 10) {
		return py, &pip.MissingError{What: fmt.Sprintf("the engine needs Python 3.10 or newer, %s is %d.%d", py.Path, py.Major, py.Minor), Fix: pip.InstallCommand()}
	}
	return py, nil
}

// note lies in every folder that Install made.
type note struct {
	Kind      Kind      `json:"kind"`
	Version   string    `json:"version"`
	SHA256    string    `json:"sha256"`           // of the wheel or archive
	Server    string    `json:"server,omitempty"` // path of the executable in the folder
	Installed time.Time `json:"installed"`
}

const noteName = "ingot-engine.json"

type installation struct {
	Engine
	at time.Time
}

// installed lists what Install made, the pinned version first, then the newest.
func installed(o Options) ([]installation, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list engines: %w", err)
	}
	var found []installation
	for _, f := range folders {
		folder := filepath.Join(dir, f.Name())
		data, err := os.ReadFile(filepath.Join(folder, noteName))
		var n note
		if strings.HasPrefix(f.Name(), ".") || err != nil || json.Unmarshal(data, &n) != nil {
			continue
		}
		e := Engine{Kind: n.Kind, Source: Installed, Version: n.Version, Dir: folder}
		if n.Kind == LlamaServer {
			if !filepath.IsLocal(n.Server) {
				continue
			}
			p := filepath.Join(folder, n.Server)
			e.Dir, e.Command = filepath.Dir(p), []string{p}
		}
		found = append(found, installation{Engine: e, at: n.Installed})
	}
	slices.SortStableFunc(found, func(a, b installation) int {
		if pa, pb := a.is(o.pin()), b.is(o.pin()); pa != pb {
			if pa {
				return -1
			}
			return 1
		}
		return b.at.Compare(a.at)
	})
	return found, nil
}

func (i installation) is(p Pin) bool { return i.Kind == Xllamacpp && i.Version == p.Version }

func (o Options) pin() Pin {
	if o.Pin.Version == "" {
		return Pinned()
	}
	return o.Pin
}
