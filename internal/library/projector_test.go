package library_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/tiny"
)

const projectorPath = "/owner/repo/resolve/main/mmproj-Tiny.gguf"

// made is a file of package tiny.
func made(t *testing.T, o tiny.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tiny.Write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sees is a catalogue entry for a model with its projector, whose digest it may know.
func sees(model, projector []byte, known bool) library.Entry {
	e := chat("tiny", model, "hf:owner/repo/Tiny.Q8_0.gguf")
	e.Sources[0].Projector = "hf:owner/repo/mmproj-Tiny.gguf"
	e.Projector = &library.Projector{}
	if known {
		e.Projector.Size, e.Projector.SHA256 = int64(len(projector)), sum(projector)
	}
	return e
}

func TestAModelAndItsProjectorComeAndGoTogether(t *testing.T) {
	t.Parallel()
	model, projector := tinyGGUF(t, 1), made(t, tiny.Options{Arch: tiny.CLIP})
	for name, known := range map[string]bool{"a digest of the catalogue's": true, "a digest of the hub's": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]byte{tinyPath: model, projectorPath: projector})
			dir := t.TempDir()
			l := open(t, dir, s.URL, sees(model, projector, known))
			m, err := l.Pull(t.Context(), "tiny", nil)
			if err != nil {
				t.Fatal(err)
			}
			want := library.Projector{Path: filepath.Join(dir, "tiny+mmproj.gguf"), Size: int64(len(projector)), SHA256: sum(projector), Source: "hf:owner/repo/mmproj-Tiny.gguf"}
			if m.Projector != want || m.SHA256 != sum(model) {
				t.Errorf("got %+v, want the projector %+v", m, want)
			}
			if again, err := l.Pull(t.Context(), "tiny", nil); err != nil || !cmp.Equal(again, m) || s.count(projectorPath) != 1 {
				t.Errorf("pulled again: %+v, %v, %d downloads", again, err, s.count(projectorPath))
			}
			if got, err := os.ReadFile(m.Projector.Path); err != nil || !bytes.Equal(got, projector) {
				t.Errorf("the file differs: %v", err)
			}
			if err := l.Remove("tiny"); err != nil {
				t.Fatal(err)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "tiny*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAProjectorThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	model, projector := tinyGGUF(t, 1), made(t, tiny.Options{Arch: tiny.CLIP})
	for name, c := range map[string]struct {
		served []byte
		known  bool
		want   string
	}{
		"another file": {made(t, tiny.Options{Arch: tiny.CLIP, Seed: 7}), true, "SHA-256"},
		"a text model": {model, false, "it is no projector"},
		"no model":     {[]byte("<html>"), false, "not a projector that can be loaded"},
		"nothing":      {nil, false, "projector"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, map[string][]byte{tinyPath: model, projectorPath: c.served})
			l := open(t, t.TempDir(), s.URL, sees(model, projector, c.known))
			_, err := l.Pull(t.Context(), "tiny", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(l.Dir(), "*tiny*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestAnInterruptedPullKeepsTheProjector(t *testing.T) {
	t.Parallel()
	model, projector := tinyGGUF(t, 1), made(t, tiny.Options{Arch: tiny.CLIP})
	s := serve(t, map[string][]byte{tinyPath: model, projectorPath: projector})
	dir := t.TempDir()
	e := sees(model, projector, true)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := open(t, dir, s.URL, e).Pull(ctx, "tiny", func(library.Progress) {
		if s.count(tinyPath) > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := open(t, dir, s.URL, e).Pull(t.Context(), "tiny", nil); err != nil {
		t.Fatal(err)
	}
	if n := s.count(projectorPath); n != 1 {
		t.Errorf("%d downloads of the projector", n)
	}
}

func TestAModelFromBeforeItsProjectorIsPulledAgain(t *testing.T) {
	t.Parallel()
	model, projector := tinyGGUF(t, 1), made(t, tiny.Options{Arch: tiny.CLIP})
	s := serve(t, map[string][]byte{tinyPath: model, projectorPath: projector})
	dir := t.TempDir()
	if m, err := open(t, dir, s.URL, chat("tiny", model, "hf:owner/repo/Tiny.Q8_0.gguf")).Pull(t.Context(), "tiny", nil); err != nil || m.Projector.Path != "" {
		t.Fatalf("%+v, %v", m, err)
	}
	l := open(t, dir, s.URL, sees(model, projector, true))
	if _, err := l.Find("tiny"); !isNotHere(err) {
		t.Errorf("found without its projector: %v", err)
	}
	m, err := l.Pull(t.Context(), "tiny", nil)
	if err != nil || m.Projector.Path == "" {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := os.Remove(m.Projector.Path); err != nil {
		t.Fatal(err)
	}
	var damaged *library.DamagedError
	if _, err := l.Get("tiny"); !errors.As(err, &damaged) || damaged.Fix != "ingot pull tiny" {
		t.Errorf("without its projector's file: %v", err)
	}
	if _, err := l.Pull(t.Context(), "tiny", nil); err != nil {
		t.Error(err)
	}
}

func TestAProjectorOfOnesChoiceComesWithAModelOrLater(t *testing.T) {
	t.Parallel()
	model, projector := tinyGGUF(t, 1), made(t, tiny.Options{Arch: tiny.CLIP})
	const ref, eyes = "mine=hf:owner/repo/Tiny.Q8_0.gguf", "hf:owner/repo/mmproj-Tiny.gguf"
	s := serve(t, map[string][]byte{tinyPath: model, projectorPath: projector})
	dir := t.TempDir()
	l := open(t, dir, s.URL, chat("tiny", model, "hf:owner/repo/other.gguf"))
	if m, err := l.Pull(t.Context(), ref, nil); err != nil || m.Projector.Path != "" {
		t.Fatalf("%+v, %v", m, err)
	}
	m, err := l.PullWith(t.Context(), ref, eyes, nil)
	want := library.Projector{Path: filepath.Join(dir, "mine+mmproj.gguf"), Size: int64(len(projector)), SHA256: sum(projector), Source: eyes}
	if err != nil || m.Projector != want || m.Path != filepath.Join(dir, "mine.gguf") || m.SHA256 != sum(model) {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, again := range []func() (library.Model, error){
		func() (library.Model, error) { return l.PullWith(t.Context(), ref, eyes, nil) },
		func() (library.Model, error) { return l.Pull(t.Context(), ref, nil) },
		func() (library.Model, error) { return l.Find("mine") },
	} {
		if got, err := again(); err != nil || !cmp.Equal(got, m) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if s.count(tinyPath) != 1 || s.count(projectorPath) != 1 {
		t.Errorf("%d downloads of the model, %d of its projector", s.count(tinyPath), s.count(projectorPath))
	}
	if err := os.Truncate(m.Projector.Path, 3); err != nil {
		t.Fatal(err)
	}
	var damaged *library.DamagedError
	if _, err := l.Get("mine"); !errors.As(err, &damaged) || damaged.Fix != "ingot pull "+ref+" --mmproj "+eyes {
		t.Errorf("got %v", err)
	}
	if m, err = l.PullWith(t.Context(), ref, eyes, nil); err != nil || m.Projector != want {
		t.Errorf("mended: %+v, %v", m, err)
	}

	file := filepath.Join(t.TempDir(), "own-eyes.gguf")
	if err := os.WriteFile(file, projector, 0o600); err != nil {
		t.Fatal(err)
	}
	if m, err = l.PullWith(t.Context(), ref, file, nil); err != nil || m.Projector.Path != file || s.count(tinyPath) > 2 {
		t.Errorf("with a file of this machine: %+v, %v", m, err)
	}
	if err := l.Remove("mine"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("a file that was used in place is gone: %v", err)
	}
	for name, c := range map[string][2]string{
		"a model of the catalogue": {"tiny", eyes},
		"a folder":                 {ref, "hf:owner/repo/"},
		"a wheel":                  {ref, "pip:p==1#x.gguf"},
		"nothing of the kind":      {ref, "eyes"},
		"a text model":             {ref, "hf:owner/repo/Tiny.Q8_0.gguf"},
		"a file that is not there": {ref, "hf:owner/repo/none.gguf"},
	} {
		if _, err := l.PullWith(t.Context(), c[0], c[1], nil); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*mine*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAProjectorBesideAFileIsFoundByItsName(t *testing.T) {
	t.Parallel()
	text := made(t, tiny.Options{Arch: tiny.Llama})
	fits, wide := made(t, tiny.Options{Arch: tiny.CLIP}), made(t, tiny.Options{Arch: tiny.CLIP, Width: 32})
	for name, c := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"none":                       {nil, ""},
		"the only one":               {map[string][]byte{"mmproj.gguf": fits}, "mmproj.gguf"},
		"of the model's name":        {map[string][]byte{"mmproj-Small-VL-f16.gguf": fits, "mmproj-other-f16.gguf": fits}, "mmproj-Small-VL-f16.gguf"},
		"its name behind":            {map[string][]byte{"small-vl.mmproj-Q8_0.gguf": fits}, "small-vl.mmproj-Q8_0.gguf"},
		"of a converter's name":      {map[string][]byte{"mmproj-model-f16.gguf": fits}, "mmproj-model-f16.gguf"},
		"two that fit":               {map[string][]byte{"mmproj-model-f16.gguf": fits, "mmproj-small-vl.gguf": fits}, ""},
		"another model's":            {map[string][]byte{"mmproj-large-vl.gguf": fits}, ""},
		"of another width":           {map[string][]byte{"mmproj.gguf": wide}, ""},
		"one of another width too":   {map[string][]byte{"mmproj-f32.gguf": wide, "mmproj-f16.gguf": fits}, "mmproj-f16.gguf"},
		"no projector":               {map[string][]byte{"mmproj.gguf": text}, ""},
		"no model":                   {map[string][]byte{"mmproj.gguf": []byte("x")}, ""},
		"no GGUF file by its name":   {map[string][]byte{"mmproj.gguf.partial": fits}, ""},
		"a folder whose name is one": {map[string][]byte{"mmproj.gguf/x": fits}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(name string, data []byte) {
				path := filepath.Join(dir, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, data, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			write("Small-VL-Q4_K_M.gguf", text)
			for name, data := range c.files {
				write(name, data)
			}
			m, err := open(t, t.TempDir(), "http://127.0.0.1").Pull(t.Context(), filepath.Join(dir, "Small-VL-Q4_K_M.gguf"), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want != "" {
				want = filepath.Join(dir, want)
			}
			if m.Projector.Path != want {
				t.Errorf("got %q, want %q", m.Projector.Path, want)
			}
		})
	}
}
