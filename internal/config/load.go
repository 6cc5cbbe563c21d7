package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	files := []*string{&c.TLS.Cert, &c.TLS.Key}
	for i := range c.Keys {
		files = append(files, &c.Keys[i].File)
	}
	for i := range c.Models {
		m := &c.Models[i]
		m.Local, files = below(dir, m.Local), append(files, &m.Projector)
		for k := range m.Targets {
			t := &m.Targets[k]
			t.Local, files = below(dir, t.Local), append(files, &t.Projector)
		}
	}
	for i := range c.Providers {
		p := &c.Providers[i]
		files = append(files, &p.KeyFile, &p.CA)
		if p.Entra != nil {
			files = append(files, &p.Entra.SecretFile)
		}
	}
	for _, path := range files {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, filepath.FromSlash(*path))
		}
	}
	return c, nil
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
