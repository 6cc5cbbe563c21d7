package install_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-llm/ingot/internal/engine/install"
	"github.com/ingot-llm/ingot/internal/fake/wheel"
	"github.com/ingot-llm/ingot/internal/library/fetch"
)

// noPython makes the wheel impossible at once.
const noPython = "/nowhere/python3"

func serverName() string {
	if runtime.GOOS == "windows" {
		return "llama-server.exe"
	}
	return "llama-server"
}

// program puts an executable file at path.
func program(t *testing.T, path string) string {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err = errors.Join(err, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700)); err != nil {
		t.Fatal(err)
	}
	return path
}

// wheels makes pip find one wheel of the engine, and returns the pin for it.
func wheels(t *testing.T, version string) install.Pin {
	t.Helper()
	dir := t.TempDir()
	digest, size, err := wheel.Write(dir, "xllamacpp", version, map[string][]byte{"xllamacpp/__init__.py": []byte("version = '" + version + "'\n")})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", dir)
	return install.Pin{Version: version, SHA256: []string{digest}, Size: size}
}

func noWheels(t *testing.T) install.Pin {
	t.Helper()
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", t.TempDir())
	return install.Pin{Version: "1.0", SHA256: []string{strings.Repeat("0", 64)}}
}

func pack(t *testing.T, zipped bool, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if zipped {
		z := zip.NewWriter(&b)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			w, e := z.Create(name)
			if e == nil {
				_, e = w.Write([]byte(files[name]))
			}
			err = errors.Join(err, e)
		}
		err = errors.Join(err, z.Close())
	} else {
		gz := gzip.NewWriter(&b)
		w := tar.NewWriter(gz)
		for _, name := range slices.Sorted(maps.Keys(files)) {
			err = errors.Join(err, w.WriteHeader(&tar.Header{Name: name, Size: int64(len(files[name])), Mode: 0o755, Typeflag: tar.TypeReg}))
			_, e := w.Write([]byte(files[name]))
			err = errors.Join(err, e)
		}
		err = errors.Join(err, w.Close(), gz.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// platforms are the names llama.cpp's release archives have.
var platforms = map[string]string{
	"linux/amd64": "ubuntu-x64", "linux/arm64": "ubuntu-arm64", "darwin/amd64": "macos-x64", "darwin/arm64": "macos-arm64",
	"windows/amd64": "win-cpu-x64", "windows/arm64": "win-cpu-arm64",
}

type fakeRelease struct {
	zipped bool
	digest string // instead of the right one
	tag    string
	files  map[string]string
	answer string // instead of the description
}

// serve is the release API and the host of its archives.
func (f fakeRelease) serve(t *testing.T) string {
	t.Helper()
	ext, files := ".tar.gz", f.files
	if f.zipped {
		ext = ".zip"
	}
	if files == nil {
		files = map[string]string{"build/bin/" + serverName(): "#!/bin/sh\n", "build/bin/libllama.so": "library"}
	}
	data := pack(t, f.zipped, files)
	sum := sha256.Sum256(data)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if f.digest != "" {
		digest = f.digest
	}
	platform := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	describe := func(tag string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if f.answer != "" {
				_, _ = w.Write([]byte(f.answer))
				return
			}
			var assets []map[string]any
			for _, p := range []string{"ubuntu-vulkan-x64", platform, "win-cuda-12.4-x64"} {
				assets = append(assets, map[string]any{"name": "llama-" + tag + "-bin-" + p + ext, "browser_download_url": s.URL + "/download/" + p, "size": len(data), "digest": digest})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"tag_name": tag, "assets": assets})
		}
	}
	tag := f.tag
	if tag == "" {
		tag = "b7000"
	}
	mux.HandleFunc("GET /repos/ggml-org/llama.cpp/releases/latest", describe(tag))
	mux.HandleFunc("GET /repos/ggml-org/llama.cpp/releases/tags/b6999", describe("b6999"))
	mux.HandleFunc("GET /download/"+platform, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/stored", http.StatusFound) })
	mux.HandleFunc("GET /stored", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
	return s.URL
}

func TestTheEngineThatIsAskedForWins(t *testing.T) {
	configured := program(t, filepath.Join(t.TempDir(), "mine"))
	named := program(t, filepath.Join(t.TempDir(), "bin", serverName()))
	onPath := program(t, filepath.Join(t.TempDir(), serverName()))
	t.Setenv("PATH", filepath.Dir(onPath)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(install.EnvServer, "")
	o := install.Options{Dir: t.TempDir(), Pin: noWheels(t), ReleaseURL: fakeRelease{}.serve(t)}

	_, err := install.Find(t.Context(), o)
	if _, ok := errors.AsType[*install.MissingError](err); !ok || !strings.Contains(err.Error(), "ingot engine install") {
		t.Fatalf("with one on PATH only: got %v", err)
	}
	if _, err := install.Install(t.Context(), o, nil); err != nil {
		t.Fatal(err)
	}
	check := func(what string, want install.Source, command string) {
		t.Helper()
		e, err := install.Find(t.Context(), o)
		if err != nil || e.Source != want || command != "" && e.Command[0] != command {
			t.Errorf("%s: got %+v, %v", what, e, err)
		}
	}
	check("installed", install.Installed, "")
	t.Setenv(install.EnvServer, filepath.Dir(filepath.Dir(named)))
	check("environment, a folder with bin", install.Environment, named)
	o.Path = configured
	check("configured", install.Configured, configured)

	all, err := install.List(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var sources []install.Source
	for i, l := range all {
		sources = append(sources, l.Source)
		if l.Used != (i == 0) {
			t.Errorf("%s is marked %v", l.Source, l.Used)
		}
	}
	if want := []install.Source{install.Configured, install.Environment, install.Installed, install.OnPath}; !slices.Equal(sources, want) {
		t.Errorf("listed %v, want %v", sources, want)
	}
	if !strings.Contains(all[3].Note, install.EnvServer+"="+onPath) {
		t.Errorf("the note on PATH's is %q", all[3].Note)
	}
	for name, bad := range map[string]string{"nothing": filepath.Join(t.TempDir(), "none"), "an empty folder": t.TempDir()} {
		o.Path = bad
		if e, err := install.Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "engine.path") {
			t.Errorf("%s was passed over for %+v, %v", name, e, err)
		}
		all, err := install.List(t.Context(), o)
		if err != nil || all[0].Used || all[0].Note == "" {
			t.Errorf("%s is listed as %+v, %v", name, all, err)
		}
	}
}

func TestTheWheelIsInstalledOnceAndReplacesTheOldOne(t *testing.T) {
	t.Setenv(install.EnvServer, "")
	o := install.Options{Dir: filepath.Join(t.TempDir(), "engine")}
	for _, version := range []string{"1.0", "2.0"} {
		o.Pin = wheels(t, version)
		var stages []install.Stage
		e, err := install.Install(t.Context(), o, func(p install.Progress) {
			if len(stages) == 0 || stages[len(stages)-1] != p.Stage {
				stages = append(stages, p.Stage)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != install.Xllamacpp || e.Version != version || e.Dir != filepath.Join(o.Dir, "xllamacpp-"+version) || len(e.Command) != 1 || !filepath.IsAbs(e.Command[0]) {
			t.Errorf("got %+v", e)
		}
		if _, err := os.Stat(filepath.Join(e.Dir, "xllamacpp", "__init__.py")); err != nil {
			t.Error(err)
		}
		if !slices.Equal(stages, []install.Stage{install.Downloading, install.Unpacking}) {
			t.Errorf("stages %v", stages)
		}
	}
	t.Setenv("PIP_FIND_LINKS", t.TempDir())
	again, err := install.Install(t.Context(), o, func(p install.Progress) { t.Errorf("a second installation does %+v", p) })
	if err != nil || again.Version != "2.0" {
		t.Errorf("again: %+v, %v", again, err)
	}
	left, _ := filepath.Glob(filepath.Join(o.Dir, "*"))
	if want := []string{again.Dir}; !slices.Equal(left, want) {
		t.Errorf("the folder holds %v, want %v", left, want)
	}
	o.Path = again.Dir
	if e, err := install.Find(t.Context(), o); err != nil || e.Kind != install.Xllamacpp || e.Source != install.Configured {
		t.Errorf("as engine.path: %+v, %v", e, err)
	}
}

func TestTheReleaseStandsInForTheWheel(t *testing.T) {
	t.Setenv(install.EnvServer, "")
	for _, tt := range []struct {
		name, tag string
		f         fakeRelease
		want      string
	}{
		{"tar.gz", "", fakeRelease{}, "b7000"},
		{"zip", "", fakeRelease{zipped: true}, "b7000"},
		{"a tag", "b6999", fakeRelease{}, "b6999"},
	} {
		o := install.Options{Dir: t.TempDir(), Python: noPython, Release: tt.tag, ReleaseURL: tt.f.serve(t)}
		e, err := install.Install(t.Context(), o, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		bin := filepath.Join(o.Dir, "llama.cpp-"+tt.want, "build", "bin")
		if e.Kind != install.LlamaServer || e.Version != tt.want || e.Dir != bin || !slices.Equal(e.Command, []string{filepath.Join(bin, serverName())}) {
			t.Errorf("%s: got %+v", tt.name, e)
		}
		if fi, err := os.Stat(e.Command[0]); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o700 {
			t.Errorf("%s: the server is %v, %v", tt.name, fi, err)
		}
	}
}

func TestAReleaseThatCannotBeTrustedIsRefused(t *testing.T) {
	t.Setenv(install.EnvServer, "")
	for _, tt := range []struct {
		name, want string
		f          fakeRelease
	}{
		{"another digest", "SHA-256", fakeRelease{digest: "sha256:" + strings.Repeat("0", 64)}},
		{"no digest", "no SHA-256", fakeRelease{digest: "md5:1"}},
		{"no server in it", "holds no", fakeRelease{files: map[string]string{"README": "x"}}},
		{"a way out of it", "leads out", fakeRelease{files: map[string]string{"../" + serverName(): "x"}}},
		{"a tag with a path", "malformed", fakeRelease{tag: "../../b1"}},
		{"no archive for us", "no archive", fakeRelease{answer: `{"tag_name":"b1","assets":[]}`}},
		{"no JSON", "release", fakeRelease{answer: "<html>"}},
	} {
		o := install.Options{Dir: t.TempDir(), Python: noPython, ReleaseURL: tt.f.serve(t)}
		e, err := install.Install(t.Context(), o, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), noPython) {
			t.Errorf("%s: got %+v, %v; want it to say %q", tt.name, e, err, tt.want)
		}
		if d, ok := errors.AsType[*fetch.DigestError](err); tt.name == "another digest" && (!ok || d.Got == "") {
			t.Errorf("%s: got %T", tt.name, err)
		}
		if _, err := install.Find(t.Context(), o); err == nil {
			t.Errorf("%s: it is installed", tt.name)
		}
		if left, _ := filepath.Glob(filepath.Join(o.Dir, "*")); len(left) > 1 {
			t.Errorf("%s: left behind %v", tt.name, left)
		}
	}
}

func TestThePinHasADigestForEveryPlatform(t *testing.T) {
	t.Parallel()
	p := install.Pinned()
	if p.Version == "" || len(p.SHA256) != 5 || slices.ContainsFunc(p.SHA256, func(s string) bool { return len(s) != 64 }) {
		t.Errorf("got %+v", p)
	}
}
