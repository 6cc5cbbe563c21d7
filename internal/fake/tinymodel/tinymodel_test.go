package tinymodel_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

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
