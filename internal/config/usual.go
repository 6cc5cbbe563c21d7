package config

import (
	"errors"
	"io/fs"
)

// File is the file that is meant where none is named.
const File = "ingot.yaml"

// Usual is the configuration at path; for an empty path that of File where there is one, else Default.
func Usual(path string) (*Config, error) {
	if path != "" {
		return Load(path)
	}
	cfg, err := Load(File)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil
	}
	return cfg, err
}
