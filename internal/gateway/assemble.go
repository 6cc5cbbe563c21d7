package gateway

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/ingot-llm/ingot/internal/ability"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
	"github.com/ingot-llm/ingot/internal/picture"
	"github.com/ingot-llm/ingot/internal/route"
)

// The defaults of a local model where the file says nothing.
const (
	mostContext    = 8192 // tokens; a longer one is asked for, since its memory is taken at once
	chatSlots      = 2
	embeddingSlots = 4
	commandSlots   = 16
)

func (g *Gateway) deployments(ctx context.Context, s *snapshot) ([]route.Deployment, error) {
	var out, broken []route.Deployment
	var failure error
	for i := range s.cfg.Models {
		m := &s.cfg.Models[i]
		d, err := g.deployment(ctx, s, m)
		if err == nil {
			out = append(out, d)
			continue
		}
		err = fmt.Errorf("model %s: %w", m.Name, err)
		if failure == nil {
			failure = err
		}
		if !g.mayBeBroken(m.Name) {
			return nil, err
		}
		g.log.LogAttrs(ctx, slog.LevelError, "model not available, the others are served", slog.Any("error", err))
		s.broken, broken = append(s.broken, m.Name), append(broken, unavailableModel(m))
	}
	if len(out) == 0 {
		return nil, failure
	}
	// They come last, so that none of them is a default before one that works.
	return append(out, broken...), nil
}

// deployment makes what answers under a model's name.
func (g *Gateway) deployment(ctx context.Context, s *snapshot, m *config.Model) (route.Deployment, error) {
	targets := m.Targets
	if targets == nil {
		targets = []config.Model{*m}
	}
	var d route.Deployment
	var failure error
	for i := range targets {
		t, err := g.target(ctx, s, &targets[i], i)
		if err != nil { // the other targets stand in for it
			if len(targets) > 1 {
				g.log.LogAttrs(ctx, slog.LevelError, "target not available, the others are asked", slog.String("model", m.Name), slog.Int("target", i), slog.Any("error", err))
			}
			failure = cmp.Or(failure, err)
			continue
		}
		if t.Info.Created.IsZero() { // nobody knows better since when it is there
			t.Info.Created = g.started
		}
		if t.Weight = 1; targets[i].Weight != nil {
			t.Weight = *targets[i].Weight
		}
		t.Info.Deployment, t.Info.Reasoning, t.Info.Inputs = m.Name, llm.ReasoningPlace(m.Reasoning), m.Inputs
		t.Info.RequestsPerMinute, t.Info.TokensPerMinute = m.PerMinute, m.TokensLimit
		d.Targets = append(d.Targets, t)
	}
	if len(d.Targets) == 0 {
		return d, failure
	}
	if len(d.Targets) > 1 {
		d.Order = route.Weighted(rand.IntN)
	}
	return d, nil
}

// target makes one place where a model is answered from, the nth of its deployment.
func (g *Gateway) target(ctx context.Context, s *snapshot, m *config.Model, nth int) (route.Target, error) {
	t := route.Target{Limits: route.Limits{Total: m.Timeouts.Total}}
	switch {
	case m.Provider == "mock":
		t.Limits.FirstToken, t.Limits.Silence = m.Timeouts.FirstToken, m.Timeouts.Silence
		t.Backend = mock.New(mockOptions(m, s.pictures))
		infos, err := t.Backend.Models(ctx)
		if err != nil || len(infos) == 0 {
			return t, fmt.Errorf("describe: %w", err)
		}
		t.Info = infos[0]
	case m.Provider != "":
		return g.elsewhere(ctx, s, m)
	default:
		settings, err := g.settings(ctx, s.cfg, m)
		if err != nil {
			return t, err
		}
		if nth > 0 {
			settings.Spec.Name += "#" + strconv.Itoa(nth+1)
		}
		settings.Pictures = s.pictures
		model := g.pool.Model(settings)
		s.models = append(s.models, model)
		t.Backend, t.Info = model, settings.Info
		if settings.Info.Does(llm.OpChat) && m.Command == "" {
			t.Backend = ability.Wrap(model, ability.Options{Template: settings.Template, System: settings.System, Spaced: settings.Spaced, Marks: settings.Marks})
		}
	}
	return t, nil
}

func mockOptions(m *config.Model, pictures *picture.Reader) mock.Options {
	o := mock.Options{Name: m.Name, Pictures: pictures}
	if c := m.Mock; c != nil {
		o.Behaviour, o.TokensPerSecond, o.FirstToken = mock.Behaviour(c.Behaviour), c.TokensPerSecond, c.FirstToken
		o.MaxTokens, o.Dimensions, o.ToolChoiceAuto = c.MaxTokens, c.Dimensions, c.ToolChoiceAuto == "call"
		if f := c.Fault; f != nil {
			o.Fault = &mock.Fault{Status: f.Status, RetryAfter: f.RetryAfter, Cut: f.Cut, Stall: f.Stall, Error: f.Error, Every: f.Every}
		}
	}
	return o
}

// settings describes a model that runs as a child of ours.
func (g *Gateway) settings(ctx context.Context, cfg *config.Config, m *config.Model) (s engine.Settings, err error) {
	if m.Command != "" {
		s = describeCommand(m)
	} else if s, err = g.local(ctx, cfg, m); err != nil {
		return s, err
	}
	s.Queue, s.Wait = cfg.Limits.Queue, cfg.Limits.Wait
	if m.Queue != nil {
		s.Queue = *m.Queue
	}
	// These begin when the model is loaded, not when the request comes.
	s.First, s.Silence = m.Timeouts.FirstToken, m.Timeouts.Silence
	s.Spec.Limits = process.Limits{Silence: max(m.Timeouts.FirstToken, m.Timeouts.Silence), KeepAlive: keepAlive(m.KeepAlive)}
	return s, nil
}

func (g *Gateway) local(ctx context.Context, cfg *config.Config, m *config.Model) (engine.Settings, error) {
	found, err := g.o.Library.Find(m.Local)
	if err != nil {
		return engine.Settings{}, err
	}
	e, err := g.o.Engine(ctx, cfg.Engine.Path)
	if err != nil {
		return engine.Settings{}, err
	}
	files, err := filesOf(m, &found)
	if err != nil {
		return engine.Settings{}, err
	}
	return describeLocal(m, found, files, g.machine, e), nil
}

// keepAlive translates the file's words: forever is 0 to a process, and 0 is at once.
func keepAlive(d time.Duration) time.Duration {
	switch d {
	case config.Forever:
		return 0
	case 0:
		return time.Nanosecond
	}
	return d
}

func describeCommand(m *config.Model) engine.Settings {
	s := engine.Settings{RemoteName: cmp.Or(m.Model, m.Name)}
	s.Spec.Name, s.Spec.Engine = m.Name, process.Engine{Kind: process.Command}
	s.Spec.Command, s.Spec.Ready = m.Command, m.Ready
	s.Spec.Slots = or(m.Slots, commandSlots)
	s.Info = llm.ModelInfo{
		Deployment: m.Name, Model: s.RemoteName, Publisher: "unknown", Provider: "command", Context: or(m.Context, 0),
		// What a server of the user's does with a member is its own to say.
		Features:   llm.Features{Set: ^llm.Feature(0), Any: true},
		Operations: []llm.Operation{llm.OpChat, llm.OpComplete},
	}
	switch m.Kind {
	case "embedding":
		s.Info.Operations = []llm.Operation{llm.OpEmbed}
	case "image-embedding":
		s.Info.Operations = []llm.Operation{llm.OpEmbedImages}
	}
	return s
}

// filesOf reads the headers of a model's files; the projector that the operator names counts.
func filesOf(m *config.Model, found *library.Model) (engine.Files, error) {
	if m.Projector != "" {
		p, err := library.ProjectorAt(m.Projector)
		if err != nil {
			return engine.Files{}, fmt.Errorf("read mmproj %s: %w", m.Projector, err)
		}
		found.Projector = *p
	}
	return engine.ReadFiles(*found)
}

func describeLocal(m *config.Model, found library.Model, files engine.Files, machine hardware.Machine, e process.Engine) engine.Settings {
	s := engine.Describe(found, files)
	s.Info.Deployment, s.Spec.Name, s.Spec.Engine = m.Name, m.Name, e
	if s.Info.Does(llm.OpChat) {
		s.Info.Features.Set |= ability.Features
	}
	slots := chatSlots
	if s.Spec.Embedding {
		slots = embeddingSlots
	}
	s.Spec.Slots = or(m.Slots, slots)
	s.Spec.Context = or(m.Context, min(max(s.Info.Context, 1), mostContext))
	s.Spec.Threads = or(m.Threads, machine.Threads())
	s.Info.Context = s.Spec.Context
	if s.Spec.Embedding && s.Embedding.MaxTokens == 0 {
		s.Embedding.MaxTokens = s.Spec.Context
	}
	s.Spec.GPULayers = process.AutoLayers
	if len(machine.GPUs) == 0 && e.Kind == process.Xllamacpp { // a build of the user's may know other GPUs
		s.Spec.GPULayers = 0
	}
	if m.GPULayers != nil {
		s.Spec.GPULayers = int(*m.GPULayers)
		if *m.GPULayers == config.AllLayers {
			s.Spec.GPULayers = process.AllLayers
		}
	}
	if m.System != nil {
		s.System = *m.System
	}
	s.Memory = files.Memory(s.Spec.Context, s.Spec.Slots).Total()
	return s
}

func or(v *int, fallback int) int {
	if v != nil {
		return *v
	}
	return fallback
}
