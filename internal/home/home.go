// Package home is the data folder: where models, the engine and the development
// key live, and the lock that says which process serves from it.
package home

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Home is an opened data folder. It is a path and may be copied.
type Home struct{ dir string }

// Open opens the data folder dir and makes it, for its owner only, where it is
// missing. An empty dir means INGOT_HOME, else ingot below XDG_DATA_HOME on
// Linux and the BSDs, else the platform's own place for data.
func Open(dir string) (Home, error) {
	if dir == "" {
		var err error
		if dir, err = place(); err != nil {
			return Home{}, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Home{}, fmt.Errorf("open data folder: %w", err)
	}
	h := Home{dir}
	if _, err := h.folder(""); err != nil {
		return Home{}, fmt.Errorf("open data folder: %w; INGOT_HOME names another one", err)
	}
	return h, nil
}

// place is the platform's data folder for ingot.
func place() (string, error) {
	if dir := os.Getenv("INGOT_HOME"); dir != "" {
		return dir, nil
	}
	base := ""
	switch runtime.GOOS {
	case "windows":
		base = os.Getenv("LocalAppData")
	case "darwin", "ios":
	default:
		// The XDG rules have a relative path ignored.
		if x := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(x) {
			base = x
		}
	}
	if base == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find data folder: %w; INGOT_HOME names one", err)
		}
		switch runtime.GOOS {
		case "windows":
			base = filepath.Join(user, "AppData", "Local")
		case "darwin", "ios":
			base = filepath.Join(user, "Library", "Application Support")
		default:
			base = filepath.Join(user, ".local", "share")
		}
	}
	return filepath.Join(base, "ingot"), nil
}

// Dir is the folder itself, an absolute path.
func (h Home) Dir() string { return h.dir }

// Path is the path of a file in the folder, which may not be there.
func (h Home) Path(name string) string { return filepath.Join(h.dir, name) }

// Models is the folder of model files, made where it is missing.
func (h Home) Models() (string, error) { return h.folder("models") }

// Engine is the folder of installed engines, made where it is missing.
func (h Home) Engine() (string, error) { return h.folder("engine") }

func (h Home) folder(name string) (string, error) {
	path := filepath.Join(h.dir, name)
	return path, os.MkdirAll(path, 0o700)
}

// keyPrefix marks a development key for those who find one.
const keyPrefix = "ingot-dev-"

// Key is the development key. The first to ask makes it; processes that ask at
// the same time are told the same one.
func (h Home) Key() (string, error) {
	path := h.Path("key")
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	random := make([]byte, 24)
	rand.Read(random) // never fails
	key = keyPrefix + base64.RawURLEncoding.EncodeToString(random)
	if err := writeNew(path, key+"\n"); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make development key: %w", err)
	}
	return readKey(path)
}

func readKey(path string) (string, error) {
	const longest = 4096 // of what a request may carry
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read development key: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, longest+2))
	if err != nil {
		return "", fmt.Errorf("read development key: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" || len(key) > longest || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("read development key: %s holds no key; remove it to have a new one made", path)
	}
	return key, nil
}

// writeNew writes a file that appears at path complete or not at all, and
// reports fs.ErrExist where another process was first.
func writeNew(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Network shares often know no links. There a second process can meet the
	// file before its text, and is told so by readKey.
	g, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = g.WriteString(text)
	return errors.Join(err, g.Close())
}
