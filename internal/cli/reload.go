package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/gateway"
)

// reloader reads the configuration again on SIGHUP, and when its file or the keys change.
type reloader struct {
	flags   serveFlags
	keys    string // the file of keys; empty: none
	gateway *gateway.Gateway
	// certificate reads it again, where it is in files.
	certificate func() error
	level       *slog.LevelVar
	log         *slog.Logger
	seen        map[string]string // the files as they were when they were last read
}

// start begins to watch; the channel is closed when ctx has ended and the watching with it.
func (r *reloader) start(ctx context.Context) <-chan struct{} {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, reloadSignals...)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "changes of files are noticed late", slog.Any("error", err))
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		defer signal.Stop(hup)
		if w == nil {
			r.run(ctx, hup, nil, nil, nil)
			return
		}
		defer w.Close()
		r.run(ctx, hup, w.Events, w.Errors, w.Add)
	}()
	return stopped
}

// files are those whose change counts, by their absolute paths.
func (r *reloader) files() (paths []string) {
	for _, path := range append(r.gateway.Config().KeyFiles(), r.keys, r.flags.file) {
		if abs, err := filepath.Abs(path); path != "" && err == nil {
			// By the second, Kubernetes replaces all files of a folder.
			paths = append(paths, abs, filepath.Join(filepath.Dir(abs), "..data"))
		}
	}
	return paths
}

// watch remembers the files as they are, where it knows nothing of them yet, and has the folders
// watched that they are in, since editors and key stores replace a file instead of writing into it.
func (r *reloader) watch(ctx context.Context, add func(folder string) error) {
	for _, path := range r.files() {
		if _, known := r.seen[path]; !known {
			r.seen[path] = state(path)
		}
		if add == nil {
			continue
		}
		if err := add(filepath.Dir(path)); err != nil {
			r.log.LogAttrs(ctx, slog.LevelWarn, "changes of a file are noticed late", slog.Any("error", err))
		}
	}
}

// changed reports whether a file is not as it was last read.
func (r *reloader) changed() bool {
	return slices.ContainsFunc(r.files(), func(path string) bool { return r.seen[path] != state(path) })
}

// state tells one version of a file from another.
func state(path string) string {
	fi, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(fi.ModTime().UnixNano(), fi.Size())
}

func (r *reloader) run(ctx context.Context, hup <-chan os.Signal, events <-chan fsnotify.Event, errs <-chan error, add func(string) error) {
	const (
		settle = 200 * time.Millisecond // a file is often written in several steps
		look   = 5 * time.Second        // not every file system tells of changes
	)
	timer, poll := time.NewTimer(settle), time.NewTicker(look)
	timer.Stop()
	defer timer.Stop()
	defer poll.Stop()
	again := func() {
		r.seen = map[string]string{}
		for _, path := range r.files() { // before they are read, so that no change is missed
			r.seen[path] = state(path)
		}
		r.reload(ctx)
		r.watch(ctx, add)
	}
	r.watch(ctx, add)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			again()
		case e := <-events:
			if slices.Contains(r.files(), filepath.Clean(e.Name)) && !e.Has(fsnotify.Chmod) {
				timer.Reset(settle)
			}
		case err := <-errs:
			r.log.LogAttrs(ctx, slog.LevelWarn, "watch files", slog.Any("error", err))
		case <-poll.C:
			if r.changed() {
				timer.Reset(settle)
			}
		case <-timer.C:
			again()
		}
	}
}

func (r *reloader) reload(ctx context.Context) {
	old := r.gateway.Config()
	cfg, err := r.flags.load()
	if err == nil && r.certificate != nil {
		err = r.certificate()
	}
	if err == nil {
		err = r.gateway.Reload(ctx, cfg)
	}
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelError, "configuration refused, the old one stays in force", slog.Any("error", err))
		if err := r.gateway.ReloadKeys(); err != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "keys refused, the old ones stay in force", slog.Any("error", err))
		}
		return
	}
	setLevel(r.level, cfg)
	r.log.LogAttrs(ctx, slog.LevelInfo, "configuration reloaded", slog.Int("models", len(cfg.Models)))
	if needsRestart(old, cfg) {
		r.log.LogAttrs(ctx, slog.LevelWarn, "listen, tls, limits.connections, limits.header_timeout and log.format hold from the next start on")
	}
}

// needsRestart reports whether something changed that only a start puts in force.
func needsRestart(old, now *config.Config) bool {
	return old.Listen != now.Listen || old.TLS != now.TLS || old.Limits.Connections != now.Limits.Connections || old.Limits.HeaderTimeout != now.Limits.HeaderTimeout || old.Log.Format != now.Log.Format
}
