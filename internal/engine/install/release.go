package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/library/archive"
	"github.com/ingot-llm/ingot/internal/library/fetch"
)

const (
	officialAPI  = "https://api.github.com"
	maxAnswer    = 8 << 20
	maxArchive   = 2 << 30
	answerWithin = 30 * time.Second

	downloadPrefix = ".release-"
)

// release is what the release API says, as far as it is needed.
type release struct {
	Tag    string  `json:"tag_name"`
	Assets []asset `json:"assets"`
}

type asset struct {
	Name   string `json:"name"`
	URL    string `json:"browser_download_url"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"` // "sha256:…"
}

var tagPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$`)

// fromRelease installs llama-server from llama.cpp's release archive for this
// platform and returns the name of its folder.
func fromRelease(ctx context.Context, o Options, progress func(Progress)) (string, error) {
	rel, err := askRelease(ctx, o)
	if err != nil {
		return "", err
	}
	a, err := rel.pick(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	what := "llama.cpp " + rel.Tag
	file := filepath.Join(o.Dir, downloadPrefix+rel.Tag)
	c := fetch.Client{HTTP: o.HTTP, Log: o.Logger}
	q := fetch.Request{URL: a.URL, Path: file, SHA256: strings.TrimPrefix(a.Digest, "sha256:"), Size: a.Size, Limit: maxArchive}
	res, err := c.File(ctx, q, func(done, total int64) {
		progress(Progress{Stage: Downloading, What: what, Done: done, Total: total})
	})
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(file) }()
	progress(Progress{Stage: Unpacking, What: what})
	n := note{Kind: LlamaServer, Version: rel.Tag, SHA256: res.SHA256}
	return put(o, "llama.cpp-"+rel.Tag, n, func(dir string) (string, error) {
		unpack := archive.Untar
		if strings.HasSuffix(a.Name, ".zip") {
			unpack = archive.Unzip
		}
		if err := unpack(ctx, file, dir, maxUnpacked); err != nil {
			return "", err
		}
		return server(dir)
	})
}

// askRelease reads the description of a release.
func askRelease(ctx context.Context, o Options) (release, error) {
	base, which := o.ReleaseURL, "latest"
	if base == "" {
		base = officialAPI
	}
	if o.Release != "" {
		which = "tags/" + url.PathEscape(o.Release)
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	fail := func(err error) (release, error) {
		return release{}, fmt.Errorf("ask for the llama.cpp release: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/repos/ggml-org/llama.cpp/releases/"+which, http.NoBody)
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("User-Agent", "ingot")
	hc := o.HTTP
	if hc == nil {
		hc = &http.Client{}
	}
	resp, err := hc.Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fail(&fetch.StatusError{URL: req.URL.String(), Status: resp.StatusCode})
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fail(err)
	}
	var r release
	if len(body) > maxAnswer {
		return fail(fmt.Errorf("the answer is larger than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return fail(err)
	}
	if !tagPattern.MatchString(r.Tag) {
		return fail(fmt.Errorf("its tag %q is malformed", r.Tag))
	}
	return r, nil
}

// pick finds the archive for a platform: the one for CPUs, which runs everywhere.
func (r release) pick(system, arch string) (asset, error) {
	names := map[string]string{
		"linux/amd64":   "ubuntu-x64",
		"linux/arm64":   "ubuntu-arm64",
		"darwin/amd64":  "macos-x64",
		"darwin/arm64":  "macos-arm64",
		"windows/amd64": "win-cpu-x64",
		"windows/arm64": "win-cpu-arm64",
	}
	name, ok := names[system+"/"+arch]
	if ok {
		for _, a := range r.Assets {
			if !strings.HasSuffix(a.Name, "-bin-"+name+".tar.gz") && !strings.HasSuffix(a.Name, "-bin-"+name+".zip") {
				continue
			}
			if sum, ok := strings.CutPrefix(a.Digest, "sha256:"); !ok || len(sum) != 64 || a.Size <= 0 {
				return asset{}, fmt.Errorf("llama.cpp release %s has no SHA-256 for %s: not installed", r.Tag, a.Name)
			}
			return a, nil
		}
	}
	return asset{}, fmt.Errorf("llama.cpp release %s has no archive for %s on %s: build llama-server and set %s", r.Tag, system, arch, EnvServer)
}

// server finds the executable below dir and returns its path there.
func server(dir string) (string, error) {
	var found string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != executable || !d.Type().IsRegular() {
			return err
		}
		found = p
		return fs.SkipAll
	})
	if err == nil && found == "" {
		err = errors.New("the archive holds no " + executable)
	}
	if err != nil {
		return "", err
	}
	if err := os.Chmod(found, 0o700); err != nil { //nolint:gosec // an executable of the user's own
		return "", err
	}
	return filepath.Rel(dir, found)
}
