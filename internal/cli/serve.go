package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/auth"
	"github.com/ingot-llm/ingot/internal/cli/file"
	"github.com/ingot-llm/ingot/internal/cli/identity"
	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/telemetry"
)

type serveFlags struct {
	file, listen string
	log, tls     string
	mock         bool
}

func (a *app) serve() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the endpoint",
		Long: `Serve the endpoint: with --config as the file says; without one the models smollm2 (chat) and
minilm (embeddings) on 127.0.0.1:8080. The engine and models that are missing are fetched first.

A key is INGOT_KEY, one of INGOT_KEYS, which commas separate, one of the file's, or one that
ingot keys made. Without a variable and without keys in the file, the development key in the data
folder counts, too. The file is read again on SIGHUP and when it changes; a bad one is refused whole,
and open streams go on.

With --tls auto the port speaks TLS, and plain HTTP to callers on this machine.`,
		Example: "  ingot serve\n  ingot serve --tls auto\n  ingot serve --mock --listen 127.0.0.1:9000\n  ingot serve --config ingot.yaml",
		Args:    screen.Arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.runServe(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "configuration file; `FILE` as ingot config init writes it")
	cmd.Flags().StringVarP(&f.listen, "listen", "l", "", "address to listen on, HOST:PORT; port 0 takes a free one")
	cmd.Flags().StringVar(&f.tls, "tls", "", "`auto` speaks TLS with a certificate of a local CA, which ingot trust explains; off does not")
	cmd.Flags().StringVar(&f.log, "log", "", "least severe messages to log: debug, info, warn or error")
	cmd.Flags().BoolVar(&f.mock, "mock", false, "serve the mock models: no file, no download, no engine, ready at once")
	return cmd
}

// check finds mistakes in the flags.
func (f serveFlags) check() error {
	_, _, err := net.SplitHostPort(f.listen)
	switch {
	case f.mock && f.file != "":
		return screen.Misuse("--mock and --config exclude each other: a file names its mock models with provider: mock")
	case f.listen != "" && err != nil:
		return screen.Misuse("--listen %q is no address: write HOST:PORT, for example 127.0.0.1:8080", f.listen)
	case f.tls != "" && f.tls != "auto" && f.tls != "off":
		return screen.Misuse("--tls %q is none of auto and off: a certificate of your own goes into the configuration, tls: {cert: …, key: …}", f.tls)
	case f.log != "" && !slices.Contains([]string{"debug", "info", "warn", "error"}, f.log):
		return screen.Misuse("--log %q is none of debug, info, warn and error", f.log)
	}
	return nil
}

func (f serveFlags) load() (*config.Config, error) {
	cfg := config.Default()
	var err error
	switch {
	case f.mock:
		cfg = config.DefaultMock()
	case f.file != "":
		cfg, err = config.Load(f.file)
	}
	if err == nil && f.listen != "" {
		cfg.Listen = f.listen
	}
	if err == nil && f.tls != "" {
		cfg.TLS = config.TLS{Mode: f.tls}
	}
	if err == nil && f.log != "" {
		cfg.Log.Level = f.log
	}
	return cfg, err
}

// collectLess trades memory for time: garbage is collected when the heap has become five times what is in use, up to a gigabyte
// or the part of the machine's memory, or the container's, that models do not miss. The environment's GOGC and GOMEMLIMIT come first.
func collectLess(ctx context.Context) {
	const (
		percent = 400
		most    = 1 << 30
		least   = 64 << 20 // with less the collector would be busy with what is in use
		part    = 4
	)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	now, cancel := context.WithCancel(ctx)
	cancel() // GPUs, whose tool takes its time, have nothing to do with it
	limit := int64(most)
	if total := hardware.Detect(now).MemoryTotal; total > 0 && total/part < most {
		limit = max(least, int64(total/part))
	}
	debug.SetMemoryLimit(limit)
}

func (a *app) runServe(ctx context.Context, f serveFlags) error {
	seen := map[string]string{}
	if abs, err := filepath.Abs(f.file); f.file != "" && err == nil {
		seen[abs] = state(abs)
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	setLevel(level, cfg)
	lines := telemetry.NewLines(a.Err)
	defer lines.Close()
	log, err := telemetry.NewLogger(lines, level, cfg.Log.Format)
	if err != nil {
		return err
	}
	lines.Lost = func(n int) {
		log.LogAttrs(ctx, slog.LevelWarn, "lines of the log were dropped: they are not written as fast as they come", slog.Int("lines", n))
	}
	collectLess(ctx)
	h, lock, err := a.hold(ctx, f, log)
	if err != nil {
		return err
	}
	if lock != nil {
		defer func() { _ = lock.Release() }()
	}
	if !f.mock {
		if _, err := os.Stat(config.File); err == nil && f.file == "" {
			log.LogAttrs(ctx, slog.LevelWarn, "a configuration in this folder is not used: give it with --config", slog.String("file", config.File))
		}
		lib, err := a.models()
		if err != nil {
			return err
		}
		if _, err := file.Check(lib, cfg); err != nil {
			return err
		}
	}
	show, err := identity.Show(ctx, cfg, h, log)
	if err != nil {
		return err
	}
	// A taken port is better known before a long download; nobody is let in before it is over.
	ln, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	_ = ln.Close()
	g, err := a.gateway(ctx, f, cfg, show, h, log)
	if err != nil {
		return err
	}
	if ln, err = listen(ctx, cfg.Listen); err != nil { // not at the port of before, where that was any: somebody else may have it now
		g.Close(ctx)
		return err
	}
	defer ln.Close()
	if a, ok := ln.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() && !cfg.TLS.On() {
		log.LogAttrs(ctx, slog.LevelWarn, "other machines reach this address over plain HTTP: keys and prompts travel unencrypted; serve with --tls auto, or put a proxy with TLS in front",
			slog.String("address", ln.Addr().String()))
	}
	// On this machine plain HTTP is always spoken, so that `ingot chat` need trust nobody.
	url := reachable("http://" + ln.Addr().String())
	if lock != nil {
		if err := lock.Listening(url); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := reloader{flags: f, gateway: g, certificate: show.Reload, level: level, log: log, seen: seen}
	if h != (home.Home{}) {
		r.keys = h.Path("keys.json")
	}
	stopped := r.start(ctx)
	a.announce(g, url, show, h)
	err = g.Serve(ctx, ln)
	cancel()
	<-stopped
	return err
}

// hold takes the data folder for this process. A mock endpoint shares it, without a lock, with
// another, and does without one when its key is in the environment; then home and lock are zero.
func (a *app) hold(ctx context.Context, f serveFlags, log *slog.Logger) (h home.Home, lock *home.Lock, err error) {
	if h, err = a.home(); err == nil {
		take := h.Lock
		if f.mock {
			take = h.LockMock
		}
		lock, err = take("")
	}
	_, held := errors.AsType[*home.HeldError](err)
	switch {
	case err == nil:
		return h, lock, nil
	case f.mock && held:
		log.LogAttrs(ctx, slog.LevelInfo, "another mock endpoint uses the data folder: `ingot chat` finds that one")
		return h, nil, nil
	case f.mock && identity.InEnvironment():
		log.LogAttrs(ctx, slog.LevelInfo, "serving without a data folder: `ingot chat` needs --endpoint", slog.Any("error", err))
		return home.Home{}, nil, nil
	}
	return home.Home{}, nil, err
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --listen, or end what listens there", err)
	}
	return ln, nil
}

func setLevel(level *slog.LevelVar, cfg *config.Config) {
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
}

// announce says where the endpoint is, on standard output, when it is ready.
func (a *app) announce(g *gateway.Gateway, url string, show identity.Shown, h home.Home) {
	if rest, ok := strings.CutPrefix(url, "http://"); ok && show.Get != nil {
		url = "https://" + rest
	}
	_, _ = fmt.Fprintf(a.Out, "Ingot %s serves %s\n", a.version, url)
	for _, name := range g.Deployments() {
		_, _ = fmt.Fprintf(a.Out, "  %s\n", name)
	}
	key := "is one of the configured ones."
	switch {
	case os.Getenv("INGOT_KEY") != "":
		key = "is INGOT_KEY."
	case identity.InEnvironment():
		key = "is one of INGOT_KEYS."
	case len(g.Config().Keys) == 0:
		key = "is in " + h.Path("key")
	}
	if show.CA != "" {
		_, _ = fmt.Fprintf(a.Out, "Clients must trust %s: `ingot trust` says how; for Node.js NODE_EXTRA_CA_CERTS, for curl --cacert.\n", show.CA)
	}
	_, _ = fmt.Fprintf(a.Out, "Ready. The key %s\n", key)
}

// gateway fetches what is missing and assembles the endpoint.
func (a *app) gateway(ctx context.Context, f serveFlags, cfg *config.Config, show identity.Shown, h home.Home, log *slog.Logger) (*gateway.Gateway, error) {
	o := gateway.Options{Config: cfg, Logger: log, Version: a.version, Certificate: show.Get, Strict: show.Get != nil && show.CA == "", Keys: func(c *config.Config) (*auth.Keys, error) { return identity.Keys(c, h, f.mock) }}
	if f.mock {
		return gateway.New(ctx, o)
	}
	lib, err := a.library(h, log)
	if err != nil {
		return nil, err
	}
	o.Library = lib
	o.Engine = onePerPath(func(ctx context.Context, path string) (process.Engine, error) { return a.engine(ctx, h, path) })
	if err := a.fetch(ctx, cfg, lib, h, log); err != nil {
		return nil, err
	}
	return gateway.New(ctx, o)
}

// onePerPath remembers engines that were found, so that a reload neither waits for the tools that
// find one nor restarts a model because they answered differently. Reloads come one at a time.
func onePerPath(find func(context.Context, string) (process.Engine, error)) func(context.Context, string) (process.Engine, error) {
	found := map[string]process.Engine{}
	return func(ctx context.Context, path string) (process.Engine, error) {
		if e, ok := found[path]; ok {
			return e, nil
		}
		e, err := find(ctx, path)
		if err == nil {
			found[path] = e
		}
		return e, err
	}
}

// fetch installs the engine and pulls the models that the configuration needs and that are not here.
func (a *app) fetch(ctx context.Context, cfg *config.Config, lib *library.Library, h home.Home, log *slog.Logger) error {
	locals := cfg.Locals()
	if len(locals) == 0 {
		return nil
	}
	if _, err := a.engine(ctx, h, cfg.Engine.Path); err != nil {
		if missing := (*install.MissingError)(nil); !errors.As(err, &missing) {
			return err
		}
		if _, err := a.install(ctx, h, log); err != nil {
			return err
		}
	}
	var failed []error
	tried := map[string]bool{}
	for _, m := range locals {
		if _, err := lib.Find(m.Local); err == nil || tried[m.Local] {
			continue
		}
		tried[m.Local] = true
		if _, err := a.pullModel(ctx, lib, m.Local); err != nil {
			failed = append(failed, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if len(failed) > 0 && len(failed) == len(cfg.Models) {
		return failed[0]
	}
	for _, err := range failed { // what it was for is served as not available
		log.LogAttrs(ctx, slog.LevelWarn, "model not fetched", slog.Any("error", err))
	}
	return nil
}
