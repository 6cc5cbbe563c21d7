package doctor_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/doctor"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/probe"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
)

// healthy are options of a data folder without fault.
func healthy(t *testing.T) doctor.Options {
	t.Helper()
	t.Setenv(install.EnvServer, "")
	if err := os.Unsetenv(install.EnvServer); err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(t.TempDir() + "/home")
	if err != nil {
		t.Fatal(err)
	}
	models, err := h.Models()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := library.Open(models, library.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Options{
		Home: h, Library: lib, Listen: "127.0.0.1:0",
		Probe:   func(context.Context, install.Engine) ([]probe.Result, error) { return nil, nil },
		Nearest: func(string, []string) string { return "" },
	}
}

// of returns what there is to say about one thing.
func of(findings []doctor.Finding, check string) (out []doctor.Finding) {
	for _, f := range findings {
		if f.Check == check {
			out = append(out, f)
		}
	}
	return out
}

func TestAHealthyMachineHasNoProblem(t *testing.T) {
	for _, f := range doctor.Examine(t.Context(), healthy(t)) {
		if f.Verdict == doctor.Problem {
			t.Errorf("%+v", f)
		}
	}
}

func TestFaultsAreFoundWithTheCommandThatMendsThem(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	server := filepath.Join(t.TempDir(), "llama-server")
	if err := os.WriteFile(server, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change  func(*testing.T, *doctor.Options)
		check   string
		verdict doctor.Verdict
		text    string
		fix     string
	}{
		"a port that is taken": {
			func(_ *testing.T, o *doctor.Options) { o.Listen = ln.Addr().String() },
			"port", doctor.Problem, "cannot be listened on", "ingot serve --listen",
		},
		"a model that is not here": {
			func(_ *testing.T, o *doctor.Options) { o.Local = []string{"smollm2"} },
			"models", doctor.Warning, "smollm2 are not here yet", "ingot pull smollm2",
		},
		"a record that cannot be read": {
			func(t *testing.T, o *doctor.Options) {
				if err := os.WriteFile(filepath.Join(o.Library.Dir(), "odd.json"), []byte("{"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			"models", doctor.Problem, `record of model "odd"`, "ingot rm odd",
		},
		"an engine that is not here": {
			func(_ *testing.T, o *doctor.Options) { o.Local = []string{"smollm2"} },
			"engine", doctor.Warning, "not here yet", "ingot engine install",
		},
		"an engine that was named and is not there": {
			func(_ *testing.T, o *doctor.Options) { o.Local, o.Engine.Path = []string{"smollm2"}, "/nowhere" },
			"engine", doctor.Problem, "nowhere", "ingot engine install",
		},
		"an engine that does not work": {
			func(_ *testing.T, o *doctor.Options) {
				o.Local, o.Engine.Path = []string{"smollm2"}, server
				o.Probe = func(context.Context, install.Engine) ([]probe.Result, error) {
					return []probe.Result{{Model: "llama", Err: errors.New("it is broken")}}, nil
				}
			},
			"engine", doctor.Problem, "it is broken", "ingot engine list",
		},
		"a key that cannot be sent": {
			func(t *testing.T, _ *doctor.Options) { t.Setenv("INGOT_KEY", "a b") },
			"environment", doctor.Warning, "INGOT_KEY holds blanks", "unset INGOT_KEY",
		},
		"an endpoint that does not answer": {
			func(t *testing.T, o *doctor.Options) {
				lock, err := o.Home.Lock("http://127.0.0.1:1")
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = lock.Release() })
			},
			"endpoint", doctor.Problem, "does not answer", "kill ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := healthy(t)
			c.change(t, &o)
			for _, f := range of(doctor.Examine(t.Context(), o), c.check) {
				if f.Verdict == c.verdict && strings.Contains(f.Text, c.text) && strings.HasPrefix(f.Fix, c.fix) {
					return
				}
			}
			t.Errorf("not found in %+v", of(doctor.Examine(t.Context(), o), c.check))
		})
	}
}

func TestAFolderThatOthersMayReadIsAWarning(t *testing.T) {
	o := healthy(t)
	if err := os.Chmod(o.Home.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	f := of(doctor.Examine(t.Context(), o), "data folder")
	if want := runtime.GOOS != "windows"; len(f) != 1 || (f[0].Verdict == doctor.Warning) != want {
		t.Errorf("got %+v", f)
	}
}
