package gateway_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/config"
	"github.com/ingot-llm/ingot/internal/engine/hardware"
	"github.com/ingot-llm/ingot/internal/engine/process"
	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
	"github.com/ingot-llm/ingot/internal/gateway"
	"github.com/ingot-llm/ingot/internal/library"
)

func TestThePinnedEngineGetsNoLayersWhereThereIsNoGPU(t *testing.T) {
	t.Parallel()
	path, err := tinymodel.File(t.TempDir(), "m.gguf", tinymodel.Options{Arch: tinymodel.Llama})
	if err != nil {
		t.Fatal(err)
	}
	bare, gpu := hardware.Machine{}, hardware.Machine{GPUs: []hardware.GPU{{}}}
	for _, c := range []struct {
		machine hardware.Machine
		kind    process.Kind
		want    int
	}{
		{bare, process.Xllamacpp, 0},
		{bare, process.LlamaServer, process.AutoLayers},
		{gpu, process.Xllamacpp, process.AutoLayers},
	} {
		s, _, err := gateway.Plan(&config.Model{Name: "m"}, library.Model{Name: "m", Path: path}, c.machine, c.kind)
		if err != nil {
			t.Fatal(err)
		}
		if s.Spec.GPULayers != c.want {
			t.Errorf("%s with %d GPUs: got %d layers, want %d", c.kind, len(c.machine.GPUs), s.Spec.GPULayers, c.want)
		}
	}
}

func TestTheRecordSaysWhatTheFilesCanDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string, o tinymodel.Options) string {
		t.Helper()
		path, err := tinymodel.File(dir, name, o)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	text, embeds := file("text.gguf", tinymodel.Options{Arch: tinymodel.Llama}), file("embeds.gguf", tinymodel.Options{Arch: tinymodel.Llama, Embeds: true})
	sees, hears := file("sees.gguf", tinymodel.Options{Arch: tinymodel.CLIP}), file("hears.gguf", tinymodel.Options{Arch: tinymodel.CLIP, Hears: true})
	embedding := library.Entry{Kind: library.Embed, Embedding: &library.Embedding{Dimensions: 64, Matryoshka: true, Lengths: []int{32}}}
	for name, c := range map[string]struct {
		model, projector string
		entry            library.Entry
		operations       []string
		takes            []string
		tools            bool
	}{
		"a chat model":               {text, "", library.Entry{Kind: library.Chat}, []string{"chat completions", "text completions"}, []string{"text"}, true},
		"one that sees":              {text, sees, library.Entry{Kind: library.Chat}, []string{"chat completions", "text completions"}, []string{"text", "image"}, true},
		"one that hears":             {text, hears, library.Entry{Kind: library.Chat}, []string{"chat completions", "text completions"}, []string{"text", "audio"}, true},
		"one that embeds":            {embeds, "", embedding, []string{"embeddings"}, []string{"text"}, false},
		"one that embeds images too": {embeds, sees, embedding, []string{"embeddings", "image embeddings"}, []string{"text", "image"}, false},
	} {
		bare, _, err := gateway.Plan(&config.Model{Name: "m"}, library.Model{Name: "m", Path: c.model, Entry: c.entry}, hardware.Machine{}, process.Xllamacpp)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err := gateway.Plan(&config.Model{Name: "m", Projector: c.projector}, library.Model{Name: "m", Path: c.model, Entry: c.entry}, hardware.Machine{}, process.Xllamacpp)
		if err != nil {
			t.Fatal(err)
		}
		r := gateway.RecordOf(s.Info)
		if !cmp.Equal(r.Operations, c.operations) || !cmp.Equal(r.Takes, c.takes) || r.Tools != c.tools || r.Schemas != c.tools || r.Tokenizer != "llama" {
			t.Errorf("%s: %+v", name, r)
		}
		if c.entry.Embedding != nil && (r.Dimensions != 64 || !cmp.Equal(r.Lengths, []int{32}) || s.Spec.Pooling != "") {
			t.Errorf("%s: %+v, pooling %q", name, r, s.Spec.Pooling)
		}
		if s.Spec.Projector != c.projector || (c.projector != "") != (s.Memory > bare.Memory) {
			t.Errorf("%s: projector %q, %d bytes, %d without", name, s.Spec.Projector, s.Memory, bare.Memory)
		}
	}
	for _, bad := range []string{text, dir + "/none.gguf"} {
		if _, _, err := gateway.Plan(&config.Model{Projector: bad}, library.Model{Path: text}, hardware.Machine{}, process.Xllamacpp); err == nil || !strings.Contains(err.Error(), "mmproj "+bad) {
			t.Errorf("mmproj %s: %v", bad, err)
		}
	}
}
