package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
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
}

// start begins to watch; the channel is closed when ctx has ended and the watching with it.
func (r *reloader) start(ctx context.Context) <-chan struct{} {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, reloadSignals...)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "changes of files are not noticed", slog.Any("error", err))
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

// watch returns the files whose change counts, and has the folders watched that they are in, since
// editors and key stores replace a file instead of writing into it.
func (r *reloader) watch(ctx context.Context, add func(folder string) error) map[string]bool {
	files := map[string]bool{}
	if add == nil {
		return files
	}
	for _, path := range append(r.gateway.Config().KeyFiles(), r.keys, r.flags.file) {
		abs, err := filepath.Abs(path)
		if path == "" || err != nil {
			continue
		}
		files[abs] = true
		files[filepath.Join(filepath.Dir(abs), "..data")] = true // by which Kubernetes replaces all files of a folder
		if err := add(filepath.Dir(abs)); err != nil {
			r.log.LogAttrs(ctx, slog.LevelWarn, "changes of a file are not noticed", slog.Any("error", err))
		}
	}
	return files
}

func (r *reloader) run(ctx context.Context, hup <-chan os.Signal, events <-chan fsnotify.Event, errs <-chan error, add func(string) error) {
	const settle = 200 * time.Millisecond // a file is often written in several steps
	timer := time.NewTimer(settle)
	timer.Stop()
	defer timer.Stop()
	files := r.watch(ctx, add)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			r.reload(ctx)
			files = r.watch(ctx, add)
		case e := <-events:
			if files[filepath.Clean(e.Name)] && !e.Has(fsnotify.Chmod) {
				timer.Reset(settle)
			}
		case err := <-errs:
			r.log.LogAttrs(ctx, slog.LevelWarn, "watch files", slog.Any("error", err))
		case <-timer.C:
			r.reload(ctx)
			files = r.watch(ctx, add)
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
