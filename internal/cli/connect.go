package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/internal/cert"
	"github.com/ingot-llm/ingot/internal/cli/identity"
	"github.com/ingot-llm/ingot/internal/cli/model"
	"github.com/ingot-llm/ingot/internal/cli/talk"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/home"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/nearest"
	"github.com/ingot-llm/ingot/internal/telemetry"
)

// connect finds or starts the endpoint, takes the model off the arguments where they name one, and
// returns what is left of them. leave ends what was started.
func (c *chat) connect(ctx context.Context, args []string) (leave func(), rest []string, err error) {
	h, err := c.home()
	if err != nil {
		return nil, nil, err
	}
	leave = func() {}
	base, starting := c.base(h)
	if starting != 0 {
		return nil, nil, fmt.Errorf("process %d is still starting the endpoint: try again when it is ready", starting)
	}
	if base == "" {
		if base, leave, args, err = c.start(ctx, h, args); err != nil {
			return nil, nil, err
		}
	}
	if err = c.reach(base, h); err == nil && c.talk.Request.Model == "" && len(args) > 0 {
		args, err = c.takeModel(ctx, args)
	}
	if err != nil {
		leave()
		return nil, nil, err
	}
	return leave, args, nil
}

// base is where the endpoint is that was named or that runs; starting is the process that will be one.
func (c *chat) base(h home.Home) (base string, starting int) {
	if base := cmp.Or(c.endpoint, os.Getenv("INGOT_ENDPOINT")); base != "" {
		return base, 0
	}
	running, held := h.Running()
	if held && running.URL == "" {
		return "", running.PID
	}
	return reachable(running.URL), 0
}

// reach makes the clients for the endpoint at base.
func (c *chat) reach(base string, h home.Home) (err error) {
	var credential client.Credential
	if key := keyFor(base, h); key != "" {
		credential = client.Key(key)
	}
	// Where nobody listens somebody at a terminal is told so at once.
	again := func(err error) bool {
		refusal, ok := errors.AsType[*client.Error](err)
		return ok && refusal.Temporary()
	}
	options := &client.Options{ApplicationID: "ingot-chat", Retry: client.Retry{If: again}}
	if roots := cert.Roots(h.Path("tls")); roots != nil && strings.HasPrefix(base, "https://") {
		t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		options.HTTPClient = &http.Client{Transport: t}
	}
	if c.talk.Client, err = client.New(base, credential, options); err != nil {
		return err
	}
	c.talk.Models, err = client.New(strings.TrimSuffix(strings.TrimRight(base, "/"), "/models")+"/models", credential, options)
	return err
}

// names are what the first word of a chat may be: deployments, or the models that can be started.
func (c *chat) names(ctx context.Context) []string {
	h, err := c.home()
	if err != nil {
		return nil
	}
	if base, _ := c.base(h); base != "" {
		const patience = 2 * time.Second // of somebody who has pressed a key
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := c.reach(base, h); err != nil {
			return nil
		}
		names, err := c.talk.Deployments(ctx)
		if err != nil {
			return nil
		}
		return names
	}
	lib, err := c.models()
	if err != nil {
		return nil
	}
	return model.Names(lib)
}

// reachable is where this machine reaches an endpoint that listens on all of its addresses.
func reachable(base string) string {
	u, err := url.Parse(base)
	if err != nil || !net.ParseIP(u.Hostname()).IsUnspecified() {
		return base
	}
	u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	return u.String()
}

// keyFor is the key to send: INGOT_KEY, or, to this machine only, the development key.
func keyFor(base string, h home.Home) string {
	if key := strings.TrimSpace(os.Getenv("INGOT_KEY")); key != "" {
		return key
	}
	u, err := url.Parse(base)
	if err != nil || u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback() {
		return ""
	}
	key, err := h.Key()
	if err != nil {
		return ""
	}
	return key
}

// keyFor is the key to send to a server that may be anybody's: INGOT_KEY, or, to the endpoint that
// runs with this data folder only, the development key.
func (a *app) keyFor(base string) string {
	if key := strings.TrimSpace(os.Getenv("INGOT_KEY")); key != "" {
		return key
	}
	h, err := a.home()
	if err != nil {
		return ""
	}
	running, _ := h.Running()
	ours, err := url.Parse(running.URL)
	there, other := url.Parse(base)
	if err != nil || other != nil || ours.Port() == "" || ours.Port() != there.Port() {
		return ""
	}
	return keyFor(base, h)
}

// takeModel takes the first argument for the model if the endpoint has a deployment of that name.
// One that stands alone is else the prompt.
func (c *chat) takeModel(ctx context.Context, args []string) ([]string, error) {
	if len(args) == 1 && !talk.CanBeName(args[0]) {
		return args, nil
	}
	err := c.talk.Use(ctx, args[0])
	switch {
	case err == nil:
		return args[1:], nil
	case !errors.As(err, new(*talk.UnknownError)):
		return nil, err
	case len(args) == 1:
		return args, nil
	}
	return nil, fmt.Errorf("%w%s\n%s", err, c.servable(args[0]), inQuotes)
}

// servable is a line of advice where a name that the endpoint does not know is that of a model.
func (c *chat) servable(name string) string {
	lib, err := c.models()
	if err != nil || !slices.Contains(model.Names(lib), name) {
		return ""
	}
	return fmt.Sprintf("\n%s is a model that could be served: write `%s: {local: %s}` below models: in the file of the endpoint", name, name, name)
}

const inQuotes = "A PROMPT of several words goes in quotes."

// start serves one model for this chat alone, on a free port of this machine.
func (c *chat) start(ctx context.Context, h home.Home, args []string) (base string, leave func(), rest []string, err error) {
	lib, err := c.models()
	if err != nil {
		return "", nil, nil, err
	}
	cfg := config.Default()
	cfg.Models = cfg.Models[:1]
	m := &cfg.Models[0]
	if names := model.Names(lib); len(args) > 0 && slices.Contains(names, args[0]) {
		m.Name, m.Local = args[0], args[0]
		args = args[1:]
	} else if len(args) > 1 {
		hint := ""
		if n := nearest.Name(args[0], names); n != "" {
			hint = fmt.Sprintf("; did you mean %q?", n)
		}
		return "", nil, nil, fmt.Errorf("no endpoint runs, and no model %q is here or in the catalogue%s\nThere are: %s\n%s", args[0], hint, strings.Join(names, ", "), inQuotes)
	}
	if e, known := lib.Entry(m.Local); known && e.Kind == library.Embed {
		return "", nil, nil, fmt.Errorf("%s is an embedding model and cannot chat: `ingot models --all` lists the chat models", m.Local)
	}
	c.Say("No endpoint runs (`ingot serve` starts one that stays): starting %s for this chat.", m.Name)
	log, err := telemetry.NewLogger(c.Err, slog.LevelError, cfg.Log.Format)
	if err != nil {
		return "", nil, nil, err
	}
	g, err := c.gateway(ctx, serveFlags{}, cfg, identity.Shown{}, h, log)
	if err != nil {
		return "", nil, nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		g.Close(ctx)
		return "", nil, nil, err
	}
	c.talk.Request.Model = m.Name
	// Ctrl-C stops an answer and not the conversation, so that only leave ends the endpoint.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := g.Serve(serving, ln); err != nil {
			c.Say("ingot: %v", err)
		}
	}()
	leave = func() {
		cancel()
		<-done
	}
	return "http://" + ln.Addr().String(), leave, args, nil
}
