package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/archive"
	"github.com/ingot-llm/ingot/internal/library/disk"
	"github.com/ingot-llm/ingot/internal/library/pip"
)

// Pin names the wheel to install and the digests it may have, one for each platform.
type Pin struct {
	Version string
	SHA256  []string
	Size    int64 // bytes to download, about
}

const (
	maxWheel    = 1 << 30
	maxUnpacked = 4 << 30
	inflation   = 4 // an unpacked wheel takes about this many times its size
)

// Pinned is the wheel that this version of Ingot was tested with. pip picks the
// one for its platform, which must have one of the digests.
func Pinned() Pin {
	return Pin{Version: "2026.10.11549", Size: 33_900_000, SHA256: []string{
		"c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261", // Linux, amd64, glibc 2.17
		"e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e", // Linux, arm64, glibc 2.17
		"4ecda27a308b2403aa13c9d04b270befab95edc556c24ed00b2f8a98bd7f6781", // macOS 13, arm64
		"1f2a08052bb653659bcf1bedbbaf86b97f41dd46aa2763d596d7f27c5d89a689", // macOS 13, amd64
		"1b76730ab9af47ec8d05a3d55154305fa92642f694dd9ad87d9e5a5e9956a59d", // Windows, amd64
	}}
}

// Stage says what an installation is doing.
type Stage string

// The stages of an installation, as they are shown to people.
const (
	Waiting     Stage = "waiting for another process"
	Downloading Stage = "downloading"
	Unpacking   Stage = "unpacking"
)

// Progress is how far an installation is.
type Progress struct {
	Stage       Stage
	What        string // what is being installed
	Done, Total int64  // bytes; Total 0: not known
}

// Install makes the pinned engine present in o.Dir and returns it, at once when
// it is there already. Where its wheel cannot be had it takes a llama.cpp
// release. Older installations are removed afterwards. progress, if not nil, is
// called on the caller's goroutine. It may be ended through ctx and repeated at will.
func Install(ctx context.Context, o Options, progress func(Progress)) (Engine, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return Engine{}, err
	}
	o.Dir = dir
	if e, ok := pinned(ctx, o); ok {
		return e, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Engine{}, fmt.Errorf("make engine folder: %w", err)
	}
	release, err := disk.Lock(ctx, filepath.Join(dir, ".lock"), func() { progress(Progress{Stage: Waiting}) })
	if err != nil {
		return Engine{}, fmt.Errorf("install engine: %w", err)
	}
	defer release()
	if e, ok := pinned(ctx, o); ok {
		return e, nil
	}
	folder, err := fromWheel(ctx, o, progress)
	if err != nil {
		if ctx.Err() != nil {
			return Engine{}, fmt.Errorf("install engine: %w", err)
		}
		o.Logger.LogAttrs(ctx, slog.LevelWarn, "engine wheel not to be had, trying the llama.cpp release", slog.Any("error", err))
		var err2 error
		if folder, err2 = fromRelease(ctx, o, progress); err2 != nil {
			return Engine{}, fmt.Errorf("install engine: no source worked:\n%w", errors.Join(err, err2))
		}
	}
	removeOthers(ctx, o, folder)
	found, err := installed(o)
	if err != nil {
		return Engine{}, err
	}
	if len(found) == 0 {
		return Engine{}, &MissingError{}
	}
	return runnable(ctx, o, found[0].Engine)
}

// pinned returns the pinned engine if it is installed and can be started.
func pinned(ctx context.Context, o Options) (Engine, bool) {
	found, err := installed(o)
	if err != nil || len(found) == 0 || !found[0].is(o.pin()) {
		return Engine{}, false
	}
	e, err := runnable(ctx, o, found[0].Engine)
	return e, err == nil
}

// fromWheel installs the pinned wheel and returns the name of its folder.
func fromWheel(ctx context.Context, o Options, progress func(Progress)) (string, error) {
	py, err := python(ctx, o)
	if err != nil {
		return "", err
	}
	work := filepath.Join(o.Dir, ".wheel")
	defer func() { _ = os.RemoveAll(work) }()
	// pip cannot go on where a killed one was.
	if err := os.RemoveAll(work); err != nil {
		return "", err
	}
	pin := o.pin()
	if err := disk.Room(o.Dir, (1+inflation)*pin.Size); err != nil {
		return "", err
	}
	what := "xllamacpp " + pin.Version
	q := pip.Request{Requirement: "xllamacpp==" + pin.Version, SHA256: pin.SHA256, Dir: work, Limit: maxWheel, Python: py.Path}
	progress(Progress{Stage: Downloading, What: what, Total: pin.Size})
	w, err := pip.Download(ctx, q, func(n int64) {
		progress(Progress{Stage: Downloading, What: what, Done: min(n, pin.Size), Total: pin.Size})
	})
	if err != nil {
		return "", err
	}
	progress(Progress{Stage: Unpacking, What: what})
	n := note{Kind: Xllamacpp, Version: pin.Version, SHA256: w.SHA256}
	return put(o, "xllamacpp-"+pin.Version, n, func(dir string) (string, error) {
		if err := archive.Unzip(ctx, w.Path, dir, maxUnpacked); err != nil {
			return "", err
		}
		_, err := os.Stat(filepath.Join(dir, "xllamacpp", "__init__.py"))
		return "", err
	})
}

// put lets a folder that fill has filled appear under its name, whole. fill
// returns the path of the executable in it, if it has one.
func put(o Options, name string, n note, fill func(dir string) (server string, err error)) (string, error) {
	temp := filepath.Join(o.Dir, ".new")
	defer func() { _ = os.RemoveAll(temp) }()
	if err := os.RemoveAll(temp); err != nil {
		return "", err
	}
	if err := os.Mkdir(temp, 0o700); err != nil {
		return "", err
	}
	server, err := fill(temp)
	if err != nil {
		return "", err
	}
	n.Server, n.Installed = server, time.Now().UTC().Truncate(time.Second)
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return "", err
	}
	if err := disk.WriteFile(filepath.Join(temp, noteName), append(data, '\n')); err != nil {
		return "", err
	}
	to := filepath.Join(o.Dir, name)
	if err := os.RemoveAll(to); err != nil {
		return "", fmt.Errorf("replace engine: %w", err)
	}
	if err := disk.Move(temp, to); err != nil {
		return "", fmt.Errorf("put engine in place: %w", err)
	}
	return name, nil
}

// removeOthers removes the installations beside the one in folder keep. One
// that is in use and cannot be removed goes the next time.
func removeOthers(ctx context.Context, o Options, keep string) {
	folders, err := os.ReadDir(o.Dir)
	if err != nil {
		return
	}
	for _, f := range folders {
		path := filepath.Join(o.Dir, f.Name())
		_, err := os.Stat(filepath.Join(path, noteName))
		if f.Name() == keep || err != nil && !strings.HasPrefix(f.Name(), downloadPrefix) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			o.Logger.LogAttrs(ctx, slog.LevelWarn, "old engine not removed", slog.String("folder", f.Name()), slog.Any("error", err))
		}
	}
}
