package library_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/fake/wheel"
	"github.com/ingot-llm/ingot/internal/library"
)

const tinyPath = "/owner/repo/resolve/main/Tiny.Q8_0.gguf"

func TestTheCatalogueNamesTheModelsThisAPIIsKnownFor(t *testing.T) {
	t.Parallel()
	l, err := library.Open(t.TempDir(), library.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"smollm2", "minilm", "phi-3-mini", "phi-3.5-mini", "phi-4-mini", "phi-4"} {
		if _, ok := l.Entry(name); !ok {
			t.Errorf("%s is missing", name)
		}
	}
	for _, e := range l.Catalog() {
		if e.Title == "" || e.Publisher == "" || e.License == "" || e.Context == 0 || e.Size == 0 {
			t.Errorf("%s lacks a fact: %+v", e.Name, e)
		}
		if e.Verified && (e.SHA256 == "" && len(e.Files) == 0 || strings.HasPrefix(e.Sources[0].Ref, "pip:") && e.Sources[0].Wheel == "") {
			t.Errorf("%s is verified without a digest", e.Name)
		}
	}
	if e, _ := l.Entry("smollm2"); e.System == "" {
		t.Error("smollm2 has no system prompt")
	}
}

func TestABadCatalogueIsRefused(t *testing.T) {
	t.Parallel()
	good := chat("tiny", []byte("x"), "hf:owner/repo/tiny.gguf")
	for name, change := range map[string]func(*library.Entry){
		"name":               func(e *library.Entry) { e.Name = "Tiny!" },
		"kind":               func(e *library.Entry) { e.Kind = "picture" },
		"facts":              func(e *library.Entry) { e.Kind = library.Embed },
		"digest":             func(e *library.Entry) { e.SHA256 = "abc" },
		"sources":            func(e *library.Entry) { e.Sources = nil },
		"source":             func(e *library.Entry) { e.Sources = []library.Source{{Ref: "hf:../x/y.gguf"}} },
		"folder":             func(e *library.Entry) { e.Sources = []library.Source{{Ref: "hf:owner/repo/"}} },
		"convert":            func(e *library.Entry) { e.Convert = "bert" },
		"projector":          func(e *library.Entry) { e.Projector = &library.Projector{} },
		"projector's digest": func(e *library.Entry) { *e = sees([]byte("x"), nil, false); e.Projector.SHA256 = "abc" },
		"projector's source": func(e *library.Entry) { *e = sees([]byte("x"), nil, false); e.Sources[0].Projector = "hf:o/r/" },
		"source's projector": func(e *library.Entry) { *e = sees([]byte("x"), nil, false); e.Projector = nil },
	} {
		e := good
		change(&e)
		if _, err := library.Open(t.TempDir(), library.Options{Catalog: []library.Entry{e}}); err == nil {
			t.Errorf("a bad %s was accepted", name)
		}
	}
	if _, err := library.Open(t.TempDir(), library.Options{Catalog: []library.Entry{good, good}}); err == nil {
		t.Error("a name was accepted twice")
	}
}

func TestAModelIsPulledOnceListedAndRemoved(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data})
	dir := t.TempDir()
	e := chat("tiny", data, "hf:owner/repo/Tiny.Q8_0.gguf")
	l := open(t, dir, s.URL, e)
	var stages []library.Stage
	m, err := l.Pull(t.Context(), "tiny", func(p library.Progress) {
		if p.Model != "tiny" {
			t.Errorf("progress of %q", p.Model)
		}
		if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
			stages = append(stages, p.Stage)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.Path != filepath.Join(dir, "tiny.gguf") || m.SHA256 != sum(data) || m.Size != int64(len(data)) || m.Pulled.IsZero() || !cmp.Equal(m.Entry, e) {
		t.Errorf("got %+v", m)
	}
	if d := cmp.Diff([]library.Stage{library.Downloading, library.Checking}, stages); d != "" {
		t.Error(d)
	}
	got, err := open(t, dir, s.URL, e).Get("tiny")
	if err != nil || !cmp.Equal(got, m) {
		t.Errorf("a second library has %+v, %v", got, err)
	}
	s.Close()
	if again, err := l.Pull(t.Context(), "tiny", nil); err != nil || !cmp.Equal(again, m) {
		t.Errorf("pulling again without a network: %+v, %v", again, err)
	}
	if n := s.count(tinyPath); n != 1 {
		t.Errorf("%d downloads", n)
	}
	all, err := l.List()
	if err != nil || len(all) != 1 {
		t.Errorf("list: %v, %v", all, err)
	}
	if un, err := l.Unused([]string{"tiny"}); err != nil || len(un) != 0 {
		t.Errorf("unused: %v, %v", un, err)
	}
	if un, err := l.Unused(nil); err != nil || len(un) != 1 {
		t.Errorf("unused: %v, %v", un, err)
	}
	if err := l.Remove("tiny"); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "tiny*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := l.Remove("tiny"); !isNotHere(err) {
		t.Errorf("removing again: %v", err)
	}
}

func isNotHere(err error) bool {
	_, ok := errors.AsType[*library.NotHereError](err)
	return ok
}

func TestAMissingModelIsNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	l := open(t, t.TempDir(), "http://127.0.0.1:1", chat("smollm2", data, "hf:o/r/a.gguf"), chat("phi-4-mini", data, "hf:o/r/b.gguf"))
	for name, want := range map[string]string{
		"smollm2":     "run `ingot pull smollm2`",
		"smolm2":      `did you mean "smollm2"`,
		"smollm":      `did you mean "smollm2"`,
		"phi-4":       `did you mean "phi-4-mini"`,
		"Phi-4-Mini":  `did you mean "phi-4-mini"`,
		"gpt-4o":      "run `ingot models`",
		"":            "run `ingot models`",
		"../smollm2x": "neither here nor in the catalogue",
	} {
		_, err := l.Get(name)
		if !isNotHere(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it to say %q", name, err, want)
		}
	}
	if _, err := l.Pull(t.Context(), "smolm2", nil); !isNotHere(err) {
		t.Errorf("pull of an unknown name: %v", err)
	}
}

func TestReferencesOfEveryKindBringAModel(t *testing.T) {
	t.Setenv("PIP_NO_INDEX", "1")
	data := tinyGGUF(t, 2)
	s := serve(t, map[string][]byte{tinyPath: data, "/owner/repo/resolve/v1/a b/x.gguf": data, "/files/Any.gguf": data})
	wheels := t.TempDir()
	if _, _, err := wheel.Write(wheels, "tiny-model", "1.0", map[string][]byte{"tiny/In-Wheel.gguf": data}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_FIND_LINKS", wheels)
	file := filepath.Join(t.TempDir(), "My Model.GGUF")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ ref, name, path string }{
		{"hf:owner/repo/Tiny.Q8_0.gguf", "tiny.q8_0", ""},
		{"hf:owner/repo@v1/a b/x.gguf", "x", ""},
		{"own-name=hf:owner/repo/Tiny.Q8_0.gguf", "own-name", ""},
		{s.URL + "/files/Any.gguf?token=secret", "any", ""},
		{"pip:tiny-model==1.0#tiny/In-Wheel.gguf", "in-wheel", ""},
		{file, "my-model", file},
		{"file:" + file, "my-model", file},
		{"other=" + file, "other", file},
	} {
		l := open(t, t.TempDir(), s.URL)
		m, err := l.Pull(t.Context(), tt.ref, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.ref, err)
			continue
		}
		want := tt.path
		if want == "" {
			want = filepath.Join(l.Dir(), tt.name+".gguf")
		}
		if m.Name != tt.name || m.Path != want || m.Size != int64(len(data)) || (m.SHA256 != sum(data) && tt.path == "") {
			t.Errorf("%s: got %+v", tt.ref, m)
		}
		if e := m.Entry; e.Kind != library.Chat || e.Title != "Tiny" || e.License != "mit" || e.Context != 64 {
			t.Errorf("%s: the header was read as %+v", tt.ref, e)
		}
		for _, again := range []string{tt.ref, tt.name} {
			if _, err := l.Pull(t.Context(), again, nil); err != nil {
				t.Errorf("%s, then %s: %v", tt.ref, again, err)
			}
		}
		if err := l.Remove(tt.name); err != nil {
			t.Errorf("remove %s: %v", tt.name, err)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("the file used in place: %v", err)
	}
}

func TestReferencesThatMeanNothingAreRefused(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	l := open(t, t.TempDir(), "http://127.0.0.1:1", chat("tiny", data, "hf:o/r/t.gguf"))
	for _, ref := range []string{
		"hf:owner", "hf:owner/repo", "hf:owner/repo/", "hf:owner/repo/../../x.gguf", "hf:owner/../x.gguf", "hf:own er/repo/x.gguf", "hf:o/r/x.gguf?y",
		"hf:owner/repo@/x.gguf", "pip:x#y", "pip:x==1", "pip:x==1#../y", "pip:x==1#/y", "pip:x==1 --pre#y", "pip:x==1#folder/", "https://", "https://user:pw@host/x.gguf",
		"http://example.com/x.gguf", "ftp://host/x.gguf.txt", "what/ever", "hf:o/r/m-00001-of-00003.gguf", "tiny=hf:o/r/other.gguf", "hf:o/r/tiny.gguf", "hf:o/r/...gguf", "",
	} {
		if m, err := l.Pull(t.Context(), ref, nil); err == nil {
			t.Errorf("%q brought %+v", ref, m)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(l.Dir(), "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAFileInPlaceThatChangesIsNoticed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "m.gguf")
	if err := os.WriteFile(file, tinyGGUF(t, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, t.TempDir(), "http://127.0.0.1:1")
	if _, err := l.Pull(t.Context(), file, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Get("m"); err == nil || !strings.Contains(err.Error(), "100 bytes") {
		t.Errorf("after a change: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Get("m"); err == nil || !strings.Contains(err.Error(), "has gone") {
		t.Errorf("after removal: %v", err)
	}
	if all, err := l.List(); err != nil || len(all) != 0 {
		t.Errorf("list: %v, %v", all, err)
	}
	if err := l.Remove("m"); err != nil {
		t.Errorf("remove: %v", err)
	}
}

func TestTwoModelsDoNotShareAName(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data, "/other/repo/resolve/main/Tiny.Q8_0.gguf": data})
	l := open(t, t.TempDir(), s.URL)
	if _, err := l.Pull(t.Context(), "hf:owner/repo/Tiny.Q8_0.gguf", nil); err != nil {
		t.Fatal(err)
	}
	_, err := l.Pull(t.Context(), "hf:other/repo/Tiny.Q8_0.gguf", nil)
	if err == nil || !strings.Contains(err.Error(), "NAME=hf:other/repo") {
		t.Errorf("got %v", err)
	}
}

func TestACatalogueSourceIsTheCatalogueModel(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data})
	l := open(t, t.TempDir(), s.URL, chat("tiny", data, "hf:owner/repo/Tiny.Q8_0.gguf"))
	if m, err := l.Pull(t.Context(), "hf:owner/repo/Tiny.Q8_0.gguf", nil); err != nil || m.Name != "tiny" {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestOpenRefusesAHubThatIsNoAddress(t *testing.T) {
	t.Setenv("HF_ENDPOINT", "nonsense")
	if _, err := library.Open(t.TempDir(), library.Options{}); err == nil {
		t.Error("accepted")
	}
}

func TestACancelledPullSaysSo(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{tinyPath: data})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l := open(t, t.TempDir(), s.URL)
	if _, err := l.Pull(ctx, "hf:owner/repo/Tiny.Q8_0.gguf", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestADamagedModelIsToldWithTheCommandThatMendsIt(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	s := serve(t, map[string][]byte{"/m.gguf": data})
	l := open(t, t.TempDir(), "", chat("known", data, s.URL+"/m.gguf"))
	own := filepath.Join(t.TempDir(), "own.gguf")
	if err := os.WriteFile(own, data, 0o600); err != nil {
		t.Fatal(err)
	}
	known, err := l.Pull(t.Context(), "known", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Pull(t.Context(), own, nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(own), os.Remove(known.Path)); err != nil {
		t.Fatal(err)
	}
	here, damaged, err := l.All()
	if err != nil || len(here) != 0 || len(damaged) != 2 {
		t.Fatalf("got %v, %v, %v", here, damaged, err)
	}
	for i, fix := range []string{"ingot pull known", "ingot rm own"} {
		e, ok := errors.AsType[*library.DamagedError](damaged[i].Err)
		if !ok || e.Fix != fix || damaged[i].Size != int64(len(data)) {
			t.Errorf("got %+v, want the fix %s", damaged[i], fix)
		}
	}
	if _, err := l.Pull(t.Context(), "known", nil); err != nil {
		t.Error(err)
	}
	if err := l.Remove("own"); err != nil {
		t.Error(err)
	}
	if _, damaged, _ := l.All(); len(damaged) != 0 {
		t.Errorf("still damaged: %v", damaged)
	}
}

func TestWhatCannotBePulledLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, "")
	for _, ref := range []string{"nothing-like-it", "./nowhere.gguf", "m=./nowhere.gguf", "m=" + dir + "/d.gguf", "hf:a/b", "http://example.com/x.gguf", "http://127.0.0.1:1/x.gguf"} {
		if _, err := l.Pull(t.Context(), ref, nil); err == nil {
			t.Errorf("%s was pulled", ref)
		}
	}
	if err := l.Remove("nobody"); err == nil {
		t.Error("nobody was removed")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestAReferenceIsResolvedWithoutPullingIt(t *testing.T) {
	t.Parallel()
	data := tinyGGUF(t, 1)
	l := open(t, t.TempDir(), "", chat("known", data, "https://example.com/known.gguf"))
	own := filepath.Join(t.TempDir(), "Own.gguf")
	if err := os.WriteFile(own, data, 0o600); err != nil {
		t.Fatal(err)
	}
	source := "file:" + filepath.ToSlash(own)
	for ref, want := range map[string]library.Reference{
		"known":                    {Name: "known"},
		own:                        {Name: "own", Source: source, File: true},
		"other=" + own:             {Name: "other", Source: source, File: true},
		"https://h.example/x.gguf": {Name: "x", Source: "https://h.example/x.gguf"},
	} {
		if got, err := l.Resolve(ref); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", ref, got, err)
		}
	}
	if _, err := l.Resolve(own + ".gguf"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
