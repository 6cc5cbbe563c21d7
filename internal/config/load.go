package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-llm/ingot/internal/config/tagged"
)

// Load reads the file at path; variables come from the process's environment, and relative paths
// begin at the file's folder. A file of no bytes is refused: mostly it is about to be written.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("load configuration: %w: name another file, or run `ingot config init` to have one written", err)
	case err != nil:
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, tagged.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("load configuration: read %s: %w", path, err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors of Windows begin with it
	if len(data) == 0 {
		return nil, fmt.Errorf("load configuration: %s is empty; `ingot config init` writes one to start from", path)
	}
	c, err := Parse(path, data, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	for _, m := range c.places() {
		m.Local = below(dir, m.Local)
	}
	for _, path := range c.files() {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, filepath.FromSlash(*path))
		}
	}
	return c, nil
}

// places are the models and the targets of models, by their path in the file.
func (c *Config) places() iter.Seq2[string, *Model] {
	return func(yield func(string, *Model) bool) {
		for i := range c.Models {
			m := &c.Models[i]
			path := tagged.Join("models", m.Name)
			if !yield(path, m) {
				return
			}
			for k := range m.Targets {
				if !yield(fmt.Sprintf("%s.targets[%d]", path, k), &m.Targets[k]) {
					return
				}
			}
		}
	}
}

// files are the members that name a file, by their path.
func (c *Config) files() map[string]*string {
	files := map[string]*string{"tls.cert": &c.TLS.Cert, "tls.key": &c.TLS.Key}
	for i := range c.Keys {
		files[fmt.Sprintf("keys[%d].key_file", i)] = &c.Keys[i].File
	}
	for path, m := range c.places() {
		files[path+".mmproj"] = &m.Projector
	}
	for i := range c.Providers {
		p := &c.Providers[i]
		path := tagged.Join("providers", p.Name)
		files[path+".key_file"], files[path+".ca"] = &p.KeyFile, &p.CA
		if p.Entra != nil {
			files[path+".entra.secret_file"] = &p.Entra.SecretFile
		}
	}
	return files
}

// below makes a relative path in local, such as x.gguf, file:x.gguf or name=x.gguf, one from dir.
func below(dir, local string) string {
	lead, path := "", local
	if name, rest, named := strings.Cut(path, "="); named && !strings.ContainsAny(name, `:/\`) {
		lead, path = name+"=", rest
	}
	if rest, ok := strings.CutPrefix(path, "file:"); ok {
		lead, path = lead+"file:", strings.TrimPrefix(rest, "//")
	} else if strings.Contains(path, ":") || !strings.HasSuffix(strings.ToLower(path), ".gguf") {
		return local
	}
	path = filepath.FromSlash(path)
	if path == "" || filepath.IsAbs(path) {
		return local
	}
	return lead + filepath.Join(dir, path)
}

// Parse turns data into a Config; name is the file's name for complaints and
// env looks up variables. Where the file is at fault the error is Errors, with
// every complaint there is.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	c := &Config{}
	src, problems, whole := tagged.Read(name, data, c, env)
	c.src = src
	for i := range c.Models {
		c.Models[i].complete()
	}
	c.completeProviders(env)
	if c.Models == nil {
		c.Models = Default().Models
	}
	if whole {
		problems = append(problems, c.check(problems)...)
	}
	if err := problems.Err(name); err != nil {
		return nil, err
	}
	return c, nil
}
