package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-llm/ingot/internal/cli/screen"
	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/disk"
)

// modelFacts is all there is to say about one model.
type modelFacts struct {
	modelRecord
	Publisher string             `json:"publisher,omitempty"`
	Sources   []string           `json:"sources,omitempty"` // where a pull would look
	Embedding *library.Embedding `json:"embedding,omitempty"`
	File      *fileFacts         `json:"file,omitempty"`
	Machine   *machineFacts      `json:"machine,omitempty"`
	Chosen    *chosenFacts       `json:"chosen,omitempty"`
	Record    *gateway.Record    `json:"record,omitempty"` // as callers are told
	Projector *projectorFacts    `json:"projector,omitempty"`
}

// fileFacts is what the model's file says.
type fileFacts struct {
	Architecture string `json:"architecture"`
	Quantization string `json:"quantization,omitempty"`
	Parameters   uint64 `json:"parameters"`
	Layers       int    `json:"layers"`
	Width        int    `json:"embedding_length"`
	Context      int    `json:"context_length"`
	Vocabulary   uint64 `json:"vocabulary"`
	Tokenizer    string `json:"tokenizer,omitempty"`
	Pooling      string `json:"pooling,omitempty"`
	Template     bool   `json:"chat_template"`
}

// projectorFacts is what lets the model see or hear.
type projectorFacts struct {
	Path   string `json:"path,omitempty"`
	Size   int64  `json:"size"` // bytes; about, where it is not here
	SHA256 string `json:"sha256,omitempty"`
	Images bool   `json:"images"`
	Audio  bool   `json:"audio"`
}

// machineFacts is what was detected here.
type machineFacts struct {
	OS              string         `json:"os"`
	Arch            string         `json:"arch"`
	MemoryTotal     uint64         `json:"memory_total"`     // bytes
	MemoryAvailable uint64         `json:"memory_available"` // bytes
	PhysicalCores   int            `json:"physical_cores"`
	LogicalCores    int            `json:"logical_cores"`
	CPUQuota        float64        `json:"cpu_quota,omitempty"`
	Load            float64        `json:"load"`
	Features        []string       `json:"features,omitempty"`
	GPUs            []hardware.GPU `json:"gpus"`

	text string
}

// chosenFacts is what the model would be served with.
type chosenFacts struct {
	Context   int    `json:"context"` // tokens a request
	Slots     int    `json:"slots"`
	Threads   int    `json:"threads"`
	GPULayers string `json:"gpu_layers"`
	KeepAlive string `json:"keep_alive"`
	Memory    uint64 `json:"memory"`  // bytes: the sum of the next four
	Weights   uint64 `json:"weights"` // bytes
	KV        uint64 `json:"kv_cache"`
	Compute   uint64 `json:"compute"`
	Projector uint64 `json:"projector,omitempty"`
}

func (a *verbs) show() *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a model: its facts, its file, and what it would be served with here",
		Long: `Show what the catalogue and the model's file say, what was detected on this machine, and what the
model would be served with: context, slots, threads, GPU layers, keep-alive and the memory it takes.
With --config the settings are the file's for the deployment NAME; of one that is answered elsewhere, or
by several targets, it says where and by what. The engine is taken for the pinned one where no other is
named.`,
		Example: "  ingot models show smollm2\n  ingot models show smollm2 --json | jq .chosen",
		Args:    screen.Arguments(1, 1, "the NAME of the model"),

		ValidArgsFunction: a.completeAny(),
		RunE: func(cmd *cobra.Command, args []string) error {
			lib, err := a.open()
			if err != nil {
				return err
			}
			deployment, kind, err := deploymentOf(file, args[0])
			if elsewhere := (*elsewhereError)(nil); errors.As(err, &elsewhere) {
				if asJSON {
					return a.JSON(elsewhere.facts)
				}
				a.Table(elsewhere.facts.rows())
				return nil
			}
			if err != nil {
				return err
			}
			f, err := factsOf(cmd.Context(), lib, deployment, kind)
			if unknown := (*library.NotHereError)(nil); errors.As(err, &unknown) && !unknown.Known && file == "" && isDeployment(args[0]) {
				return fmt.Errorf("%s is no model but a deployment of %s: run `ingot models show %[1]s --config %[2]s`", args[0], config.File)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return a.JSON(f)
			}
			a.Table(f.rows())
			if !f.Here {
				a.Say("It is not here: `ingot pull %s` brings it.", f.Name)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "configuration file whose settings count")
	screen.JSONFlag(cmd, &asJSON)
	return cmd
}

// isDeployment says whether the configuration that lies here has a model of that name.
func isDeployment(name string) bool {
	_, _, err := deploymentOf(config.File, name)
	return err == nil || errors.As(err, new(*elsewhereError))
}

// deploymentOf is how the configuration in file would serve a model, and with what kind of engine;
// without a file, by default. The error is an *elsewhereError for a deployment that is not this model alone.
func deploymentOf(file, name string) (config.Model, process.Kind, error) {
	kind := process.Xllamacpp
	if os.Getenv(install.EnvServer) != "" {
		kind = process.LlamaServer
	}
	if file == "" {
		m := config.Default().Models[0]
		m.Name, m.Local = name, name
		return m, kind, nil
	}
	cfg, err := config.Load(file)
	if err != nil {
		return config.Model{}, kind, err
	}
	if cfg.Engine.Path != "" {
		kind = process.LlamaServer
	}
	var names []string
	for i := range cfg.Models {
		m := &cfg.Models[i]
		if m.Name == name && m.Local == "" {
			facts, err := placesOf(cfg, m)
			if err != nil {
				return config.Model{}, kind, err
			}
			return config.Model{}, kind, &elsewhereError{facts}
		}
		names = append(names, m.Name)
	}
	for _, m := range cfg.Locals() {
		if m.Name == name || m.Local == name {
			return m, kind, nil
		}
	}
	return config.Model{}, kind, fmt.Errorf("%s has no model %q; it has: %s", file, name, strings.Join(names, ", "))
}

func factsOf(ctx context.Context, lib *library.Library, m config.Model, kind process.Kind) (modelFacts, error) {
	found, err := lib.Find(m.Local)
	if errors.As(err, new(*library.NotHereError)) {
		e, ok := lib.Entry(m.Local)
		if !ok {
			return modelFacts{}, err
		}
		return catalogFacts(e), nil
	}
	if err != nil {
		return modelFacts{}, err
	}
	machine := hardware.Detect(ctx)
	s, files, err := gateway.Plan(&m, found, machine, kind)
	if err != nil {
		return modelFacts{}, err
	}
	h, memory := files.Model, files.Memory(s.Spec.Context, s.Spec.Slots)
	f := catalogFacts(found.Entry)
	f.modelRecord, f.Projector = hereRecord(found), nil
	f.File = &fileFacts{
		Architecture: h.Architecture(), Quantization: h.FileType(), Parameters: h.Parameters(), Layers: h.BlockCount(),
		Width: h.EmbeddingLength(), Context: h.ContextLength(), Vocabulary: h.VocabSize(), Tokenizer: h.TokenizerModel(),
		Template: h.ChatTemplate() != "",
	}
	if !h.Causal() {
		f.File.Pooling = h.PoolingType().String()
	}
	f.Machine = machineOf(machine)
	f.Chosen = &chosenFacts{
		Context: s.Spec.Context, Slots: s.Spec.Slots, Threads: s.Spec.Threads, GPULayers: layers(s.Spec.GPULayers),
		KeepAlive: strings.TrimSuffix(m.KeepAlive.String(), "0s"), Memory: memory.Total(), Weights: memory.Weights, KV: memory.KV, Compute: memory.Compute, Projector: memory.Projector,
	}
	record := gateway.RecordOf(s.Info)
	f.Record = &record
	if p := files.Projector; p != nil {
		f.Projector = &projectorFacts{Path: s.Spec.Projector, Size: found.Projector.Size, SHA256: found.Projector.SHA256, Images: p.SeesImages(), Audio: p.HearsAudio()}
	}
	switch m.KeepAlive {
	case config.Forever:
		f.Chosen.KeepAlive = "forever"
	case 0:
		f.Chosen.KeepAlive = "unloaded at once"
	}
	return f, nil
}

func catalogFacts(e library.Entry) modelFacts {
	f := modelFacts{modelRecord: entryRecord(e), Publisher: e.Publisher, Embedding: e.Embedding}
	for _, s := range e.Sources {
		f.Sources = append(f.Sources, s.Ref)
		if s.Projector != "" {
			f.Sources = append(f.Sources, s.Projector)
		}
	}
	if p := e.Projector; p != nil {
		f.Projector = &projectorFacts{Size: p.Size, SHA256: p.SHA256, Images: true}
	}
	return f
}

func machineOf(m hardware.Machine) *machineFacts {
	return &machineFacts{
		OS: m.OS, Arch: m.Arch, MemoryTotal: m.MemoryTotal, MemoryAvailable: m.MemoryAvailable, PhysicalCores: m.PhysicalCores,
		LogicalCores: m.LogicalCores, CPUQuota: m.CPUQuota, Load: m.Load, Features: m.Features, GPUs: append([]hardware.GPU{}, m.GPUs...), text: m.String(),
	}
}

func layers(n int) string {
	switch n {
	case process.AllLayers:
		return "all"
	case process.AutoLayers:
		return "as many as fit"
	}
	return strconv.Itoa(n)
}

func (f modelFacts) rows() [][]string {
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	rows := [][]string{
		{"name", f.Name},
		{"title", f.Title},
		{"summary", f.Summary},
		{"publisher", f.Publisher},
		{"kind", f.Kind},
		{"license", f.License},
		{"trained context", number(f.Context)},
		{"size", size(f.Size)},
		{"sha256", f.SHA256},
		{"verified", screen.Yes(f.Verified)},
		{"here", screen.Yes(f.Here)},
		{"path", f.Path},
	}
	if f.Here {
		rows = append(rows, []string{"came from", f.Source})
	}
	for _, s := range f.Sources {
		rows = append(rows, []string{"source", s})
	}
	if e := f.Embedding; e != nil {
		rows = append(rows, []string{"dimensions", number(e.Dimensions)}, []string{"may be cut", screen.Yes(e.Matryoshka)},
			[]string{"longest input", number(e.MaxTokens)}, []string{"query prefix", e.QueryPrefix}, []string{"document prefix", e.DocumentPrefix})
	}
	if h := f.File; h != nil {
		const million = 1e6
		rows = append(rows, []string{"", ""}, []string{"architecture", h.Architecture}, []string{"quantization", h.Quantization},
			[]string{"parameters", fmt.Sprintf("%.1f million", float64(h.Parameters)/million)}, []string{"layers", number(h.Layers)},
			[]string{"width", number(h.Width)}, []string{"vocabulary", strconv.FormatUint(h.Vocabulary, 10)}, []string{"tokenizer", h.Tokenizer},
			[]string{"pooling", h.Pooling}, []string{"chat template", screen.Yes(h.Template)})
	}
	if p := f.Projector; p != nil {
		rows = append(rows, []string{"projector", cmp.Or(p.Path, "comes with the model")}, []string{"  size", size(p.Size)}, []string{"  sha256", p.SHA256})
	}
	if r := f.Record; r != nil {
		rows = append(rows, []string{"", ""}, []string{"does", strings.Join(r.Operations, ", ")}, []string{"takes", strings.Join(r.Takes, ", ")})
		if r.Dimensions == 0 {
			rows = append(rows, []string{"tools", screen.Yes(r.Tools)}, []string{"structured output", screen.Yes(r.Schemas)})
		}
		rows = append(rows, []string{"obeys beyond the contract", strings.Join(r.Extra, ", ")})
	}
	if m := f.Machine; m != nil {
		rows = append(rows, []string{"", ""}, []string{"this machine", m.text})
		for _, g := range m.GPUs {
			rows = append(rows, []string{"gpu", fmt.Sprintf("%s (%s), %s free of %s", g.Name, g.API, size(int64(g.MemoryFree)), size(int64(g.MemoryTotal)))})
		}
	}
	if c := f.Chosen; c != nil {
		rows = append(rows, []string{"", ""}, []string{"served with", ""}, []string{"  context", fmt.Sprintf("%d tokens a request", c.Context)},
			[]string{"  slots", number(c.Slots)}, []string{"  threads", number(c.Threads)}, []string{"  gpu layers", c.GPULayers},
			[]string{"  keep alive", c.KeepAlive}, []string{"  memory", c.memory()})
	}
	var told [][]string
	for _, r := range rows {
		if r[1] != "" || r[0] == "" || r[0] == "served with" {
			told = append(told, r)
		}
	}
	return told
}

func (c *chosenFacts) memory() string {
	var parts []string
	for _, p := range []struct {
		name  string
		bytes uint64
	}{{"weights", c.Weights}, {"cache", c.KV}, {"work", c.Compute}, {"projector", c.Projector}} {
		if p.bytes > 0 {
			parts = append(parts, p.name+" "+size(int64(p.bytes)))
		}
	}
	return "about " + size(int64(c.Memory)) + ": " + strings.Join(parts, ", ")
}

// size writes bytes for people, "" for none.
func size(n int64) string {
	if n <= 0 {
		return ""
	}
	return disk.Bytes(n)
}
