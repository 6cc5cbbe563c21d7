package tiny_test

import (
	"bytes"
	"testing"

	"github.com/ingot-llm/ingot/internal/library/gguf"
	"github.com/ingot-llm/ingot/internal/library/tiny"
)

func TestModelsSayWhatTheyAre(t *testing.T) {
	for _, o := range []tiny.Options{
		{Arch: tiny.Llama, ChatTemplate: tiny.ChatTemplate},
		{Arch: tiny.Phi3, Context: 128, Layers: 1, Width: 32, Name: "other"},
		{Arch: tiny.BERT},
	} {
		path, err := tiny.File(t.TempDir(), "m.gguf", o)
		if err != nil {
			t.Fatal(err)
		}
		h, err := gguf.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if h.Architecture() != string(o.Arch) || h.ChatTemplate() != o.ChatTemplate || h.Causal() != (o.Arch != tiny.BERT) {
			t.Errorf("%+v: reads as %s with template %q", o, h.Architecture(), h.ChatTemplate())
		}
		if o.Context != 0 && (h.ContextLength() != o.Context || h.BlockCount() != o.Layers || h.EmbeddingLength() != o.Width || h.Name() != o.Name) {
			t.Errorf("%+v: reads as %d, %d, %d, %q", o, h.ContextLength(), h.BlockCount(), h.EmbeddingLength(), h.Name())
		}
	}
}

func TestAProjectorFitsTheTextModelOfItsWidth(t *testing.T) {
	path, err := tiny.File(t.TempDir(), "mmproj.gguf", tiny.Options{Arch: tiny.CLIP, Width: 32})
	if err != nil {
		t.Fatal(err)
	}
	h, err := gguf.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !h.IsProjector() || !h.SeesImages() || h.ProjectsTo() != 32 || h.Patches() != 16 {
		t.Errorf("projector %v, images %v, width %d, patches %d", h.IsProjector(), h.SeesImages(), h.ProjectsTo(), h.Patches())
	}
}

func TestAProjectorOfSoundsSaysSo(t *testing.T) {
	path, err := tiny.File(t.TempDir(), "mmproj.gguf", tiny.Options{Arch: tiny.CLIP, Width: 32, Hears: true})
	if err != nil {
		t.Fatal(err)
	}
	h, err := gguf.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !h.IsProjector() || h.SeesImages() || !h.HearsAudio() || h.ProjectsTo() != 32 || h.Patches() != 0 {
		t.Errorf("images %v, sounds %v, width %d, patches %d", h.SeesImages(), h.HearsAudio(), h.ProjectsTo(), h.Patches())
	}
}

func TestAModelThatEmbedsSaysHow(t *testing.T) {
	path, err := tiny.File(t.TempDir(), "embeds.gguf", tiny.Options{Arch: tiny.Llama, Embeds: true})
	if err != nil {
		t.Fatal(err)
	}
	h, err := gguf.ReadFile(path)
	if err != nil || h.PoolingType() != gguf.PoolingLast {
		t.Errorf("pooling %v, %v", h.PoolingType(), err)
	}
}

func TestASeedDecidesEveryByte(t *testing.T) {
	write := func(seed uint64) []byte {
		var b bytes.Buffer
		if err := tiny.Write(&b, tiny.Options{Arch: tiny.Llama, Seed: seed}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	if !bytes.Equal(write(1), write(1)) {
		t.Error("the same seed makes other bytes")
	}
	if bytes.Equal(write(1), write(2)) {
		t.Error("another seed makes the same bytes")
	}
}

func TestAnUnknownArchitectureIsRefused(t *testing.T) {
	if err := tiny.Write(&bytes.Buffer{}, tiny.Options{Arch: "perceptron"}); err == nil {
		t.Error("no error")
	}
}
