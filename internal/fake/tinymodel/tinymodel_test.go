package tinymodel_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

func TestModelsSayWhatTheyAre(t *testing.T) {
	for _, o := range []tinymodel.Options{
		{Arch: tinymodel.Llama, ChatTemplate: tinymodel.ChatTemplate},
		{Arch: tinymodel.Phi3, Context: 128, Layers: 1, Width: 32, Name: "other"},
		{Arch: tinymodel.BERT},
	} {
		path, err := tinymodel.File(t.TempDir(), "m.gguf", o)
		if err != nil {
			t.Fatal(err)
		}
		h, err := gguf.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if h.Architecture() != string(o.Arch) || h.ChatTemplate() != o.ChatTemplate || h.Causal() != (o.Arch != tinymodel.BERT) {
			t.Errorf("%+v: reads as %s with template %q", o, h.Architecture(), h.ChatTemplate())
		}
		if o.Context != 0 && (h.ContextLength() != o.Context || h.BlockCount() != o.Layers || h.EmbeddingLength() != o.Width || h.Name() != o.Name) {
			t.Errorf("%+v: reads as %d, %d, %d, %q", o, h.ContextLength(), h.BlockCount(), h.EmbeddingLength(), h.Name())
		}
	}
}

func TestASeedDecidesEveryByte(t *testing.T) {
	write := func(seed uint64) []byte {
		var b bytes.Buffer
		if err := tinymodel.Write(&b, tinymodel.Options{Arch: tinymodel.Llama, Seed: seed}); err != nil {
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
	if err := tinymodel.Write(&bytes.Buffer{}, tinymodel.Options{Arch: "perceptron"}); err == nil {
		t.Error("no error")
	}
}

func TestBrokenVariants(t *testing.T) {
	dir := t.TempDir()
	src, err := tinymodel.File(dir, "whole.gguf", tinymodel.Options{Arch: tinymodel.Llama})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(src)
	if err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(dir, "broken.gguf")
	if err := tinymodel.Truncate(src, dst, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if _, err := gguf.ReadFile(dst); !errors.Is(err, gguf.ErrTruncated) {
		t.Errorf("half a file: %v", err)
	}
	for f, refused := range map[tinymodel.Fault]bool{
		tinymodel.NotGGUF: true, tinymodel.HeaderGarbled: true,
		tinymodel.EngineRefuses: false, tinymodel.EngineAborts: false,
	} {
		if err := tinymodel.Corrupt(src, dst, f); err != nil {
			t.Fatal(err)
		}
		h, err := gguf.ReadFile(dst)
		if (err != nil) != refused {
			t.Errorf("fault %d: %v", f, err)
		}
		if !refused && h.BlockCount() < 99 {
			t.Errorf("fault %d: %d blocks", f, h.BlockCount())
		}
	}
}
