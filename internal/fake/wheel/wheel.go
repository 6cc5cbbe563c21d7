// Package wheel makes small Python wheels that pip accepts, so that tests can
// serve them with PIP_NO_INDEX and PIP_FIND_LINKS.
package wheel

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Write makes the wheel of name and version with the files, by their path in
// it, in dir, and returns the SHA-256 of it and its size in bytes.
func Write(dir, name, version string, files map[string][]byte) (digest string, size int64, err error) {
	base := strings.ReplaceAll(name, "-", "_") + "-" + version
	all := maps.Clone(files)
	if all == nil {
		all = map[string][]byte{}
	}
	info := base + ".dist-info/"
	all[info+"METADATA"] = []byte("Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n")
	all[info+"WHEEL"] = []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
	all[info+"RECORD"] = nil
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		w, err := z.Create(path)
		if err == nil {
			_, err = w.Write(all[path])
		}
		if err != nil {
			return "", 0, err
		}
	}
	if err := z.Close(); err != nil {
		return "", 0, err
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:]), int64(b.Len()), os.WriteFile(filepath.Join(dir, base+"-py3-none-any.whl"), b.Bytes(), 0o600)
}
