package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/ingot-llm/ingot/internal/ability"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/gguf"
	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
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
	for i := range targets {
		t, err := g.target(ctx, s, &targets[i], i)
		if err != nil {
			return d, err
		}
		t.Info.Deployment, t.Info.Reasoning, t.Info.Inputs = m.Name, llm.ReasoningPlace(m.Reasoning), m.Inputs
		t.Info.RequestsPerMinute, t.Info.TokensPerMinute = m.PerMinute, m.TokensLimit
		d.Targets = append(d.Targets, t)
	}
	return d, nil
}

// target makes one place where a model is answered from, the nth of its deployment.
func (g *Gateway) target(ctx context.Context, s *snapshot, m *config.Model, nth int) (route.Target, error) {
	t := route.Target{Limits: route.Limits{Total: m.Timeouts.Total}}
	switch {
	case m.Provider == "mock":
		t.Limits.FirstToken, t.Limits.Silence = m.Timeouts.FirstToken, m.Timeouts.Silence
		t.Backend = mock.New(mockOptions(m))
		infos, err := t.Backend.Models(ctx)
		if err != nil || len(infos) == 0 {
			return t, fmt.Errorf("describe: %w", err)
		}
		t.Info = infos[0]
	default:
		settings, err := g.settings(ctx, s.cfg, m)
		if err != nil {
			return t, err
		}
		if nth > 0 {
			settings.Spec.Name += "#" + strconv.Itoa(nth+1)
		}
		model := g.pool.Model(settings)
		s.models = append(s.models, model)
		t.Backend, t.Info = model, settings.Info
		if settings.Info.Does(llm.OpChat) && m.Command == "" {
			t.Backend = ability.Wrap(model, ability.Options{Template: settings.Template, System: settings.System, Spaced: settings.Spaced, Marks: settings.Marks})
			t.Info.Features.Set |= ability.Features
		}
	}
	return t, nil
}

func mockOptions(m *config.Model) mock.Options {
	o := mock.Options{Name: m.Name}
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
func (g *Gateway) settings(ctx context.Context, cfg *config.Config, m *config.Model) (engine.Settings, error) {
	s := engine.Settings{
		Info: llm.ModelInfo{Deployment: m.Name}, Queue: cfg.Limits.Queue, Wait: cfg.Limits.Wait,
		// These begin when the model is loaded, not when the request comes.
		First: m.Timeouts.FirstToken, Silence: m.Timeouts.Silence,
		Spec: process.Spec{Name: m.Name, GPULayers: process.AutoLayers, Limits: process.Limits{
			Silence: max(m.Timeouts.FirstToken, m.Timeouts.Silence), KeepAlive: keepAlive(m.KeepAlive),
		}},
	}
	if m.Queue != nil {
		s.Queue = *m.Queue
	}
	if m.Command != "" {
		describeCommand(&s, m)
		return s, nil
	}
	found, err := g.o.Library.Find(m.Local)
	if err != nil {
		return s, err
	}
	if s.Spec.Engine, err = g.o.Engine(ctx, cfg.Engine.Path); err != nil {
		return s, err
	}
	header, err := gguf.ReadFile(found.Path)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", found.Name, err)
	}
	describeLocal(&s, m, found, header, g.machine)
	return s, nil
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

func describeCommand(s *engine.Settings, m *config.Model) {
	s.Spec.Engine = process.Engine{Kind: process.Command}
	s.Spec.Command, s.Spec.Ready = m.Command, m.Ready
	s.Spec.Slots = or(m.Slots, commandSlots)
	s.RemoteName = m.Model
	if s.RemoteName == "" {
		s.RemoteName = m.Name
	}
	s.Info.Model, s.Info.Publisher, s.Info.Provider = s.RemoteName, "unknown", "command"
	s.Info.Context = or(m.Context, 0)
	// What a server of the user's does with a member is its own to say.
	s.Info.Features = llm.Features{Set: ^llm.Feature(0), Any: true}
	s.Info.Operations = []llm.Operation{llm.OpChat, llm.OpComplete}
	if m.Kind == "embedding" {
		s.Info.Operations = []llm.Operation{llm.OpEmbed}
	}
}

func describeLocal(s *engine.Settings, m *config.Model, found library.Model, h *gguf.Header, machine hardware.Machine) {
	trained := h.ContextLength()
	if found.Entry.Context > 0 {
		trained = found.Entry.Context
	}
	embeds := found.Entry.Kind == library.Embed
	s.Info.Model, s.Info.Publisher, s.Info.Provider = found.Name, found.Entry.Publisher, "local"
	if s.Info.Publisher == "" {
		s.Info.Publisher = "unknown"
	}
	s.Info.Operations, s.Info.Features = []llm.Operation{llm.OpChat, llm.OpComplete}, engine.LlamaFeatures
	slots := chatSlots
	if embeds {
		s.Info.Operations, s.Info.Features, slots = []llm.Operation{llm.OpEmbed}, engine.LlamaEmbeds, embeddingSlots
		s.Info.Dimensions = h.EmbeddingLength()
		s.Spec.Embedding = true
		if e := found.Entry.Embedding; e != nil {
			s.Embedding = engine.Embedding{Matryoshka: e.Matryoshka, QueryPrefix: e.QueryPrefix, DocumentPrefix: e.DocumentPrefix, MaxTokens: e.MaxTokens}
		}
	}
	s.Spec.ModelPath = found.Path
	s.Spec.Slots = or(m.Slots, slots)
	s.Spec.Context = or(m.Context, min(max(trained, 1), mostContext))
	s.Spec.Threads = or(m.Threads, machine.Threads())
	s.Info.Context = s.Spec.Context
	if embeds && s.Embedding.MaxTokens == 0 {
		s.Embedding.MaxTokens = s.Spec.Context
	}
	if len(machine.GPUs) == 0 && s.Spec.Engine.Kind == process.Xllamacpp { // a build of the user's may know other GPUs
		s.Spec.GPULayers = 0
	}
	if m.GPULayers != nil {
		s.Spec.GPULayers = int(*m.GPULayers)
		if *m.GPULayers == config.AllLayers {
			s.Spec.GPULayers = process.AllLayers
		}
	}
	s.Temperature, s.TopP = found.Entry.Sampling.Temperature, found.Entry.Sampling.TopP
	s.System = found.Entry.System
	if m.System != nil {
		s.System = *m.System
	}
	s.Template, s.Spaced, s.Marks = h.ChatTemplate(), h.AddsSpaces(), h.Marks()
	if !h.AddsBOS() {
		s.Empty = "<|endoftext|>" // which the contract names, too (doc/protocol.md §4.1)
	}
	s.Memory = h.Memory(s.Spec.Context, s.Spec.Slots).Total()
}

func or(v *int, fallback int) int {
	if v != nil {
		return *v
	}
	return fallback
}
