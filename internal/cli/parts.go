package cli

import (
	"context"
	"log/slog"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/cli/model"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
)

// library opens the models of the data folder.
func (a *app) library(h home.Home, log *slog.Logger) (*library.Library, error) {
	dir, err := h.Models()
	if err != nil {
		return nil, err
	}
	return library.Open(dir, library.Options{Logger: log})
}

func (a *app) installOptions(h home.Home, path string, log *slog.Logger) (install.Options, error) {
	dir, err := h.Engine()
	return install.Options{Dir: dir, Path: path, Logger: log}, err
}

// engine finds the engine to use, as a child is started with it.
func (a *app) engine(ctx context.Context, h home.Home, path string) (process.Engine, error) {
	o, err := a.installOptions(h, path, nil)
	if err != nil {
		return process.Engine{}, err
	}
	e, err := install.Find(ctx, o)
	if err != nil {
		return process.Engine{}, err
	}
	return asChild(e), nil
}

// asChild is an engine as a child is started with it.
func asChild(e install.Engine) process.Engine {
	if e.Kind == install.Xllamacpp {
		return process.Engine{Kind: process.Xllamacpp, Python: e.Command[0], PythonPath: e.Dir}
	}
	return process.Engine{Kind: process.LlamaServer, Argv: e.Command}
}

// install brings the pinned engine here.
func (a *app) install(ctx context.Context, h home.Home, log *slog.Logger) (install.Engine, error) {
	o, err := a.installOptions(h, "", log)
	if err != nil {
		return install.Engine{}, err
	}
	bar := a.NewBar()
	defer bar.Finish()
	return install.Install(ctx, o, func(p install.Progress) {
		bar.Show(string(p.Stage)+" "+p.What, p.Done, p.Total)
	})
}

// models opens the models of the data folder, for a verb whose own words say enough.
func (a *app) models() (*library.Library, error) {
	h, err := a.home()
	if err != nil {
		return nil, err
	}
	return a.library(h, slog.New(slog.DiscardHandler))
}

// pullModel makes a model present.
func (a *app) pullModel(ctx context.Context, lib *library.Library, ref string) (library.Model, error) {
	return model.Pull(ctx, a.Screen, lib, ref)
}

// authority opens the local CA of the data folder.
func (a *app) authority(ctx context.Context) (*cert.Authority, error) {
	h, err := a.home()
	if err != nil {
		return nil, err
	}
	return cert.Open(ctx, h.Path("tls"), "")
}

// running is the address of the endpoint that serves from the data folder now, empty where none does.
func (a *app) running() string {
	h, err := a.home()
	if err != nil {
		return ""
	}
	e, _ := h.Running()
	return e.URL
}

// store opens the keys of the data folder.
func (a *app) store() (auth.Store, error) {
	h, err := a.home()
	return auth.Store{Path: h.Path("keys.json")}, err
}
