package tinymodel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// Fault is a way in which a model file can be broken.
type Fault int

// The faults, from the one seen first to the one seen last.
const (
	NotGGUF       Fault = iota // does not begin as a GGUF file
	HeaderGarbled              // the header counts more entries than there can be
	EngineRefuses              // the header is in order, the engine exits with an error while it loads
	EngineAborts               // the header is in order, the engine dies of SIGABRT while it loads
)

// Truncate copies the first keep bytes of src to dst.
func Truncate(src, dst string, keep int64) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.CopyN(out, in, keep); err != nil {
		return fmt.Errorf("truncate %s: %w", src, err)
	}
	return out.Close()
}

// Corrupt copies src, a model of this package, to dst with a fault in it. The
// length stays the same.
func Corrupt(src, dst string, f Fault) error {
	b, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	switch f {
	case NotGGUF:
		copy(b, "PK\x03\x04")
	case HeaderGarbled:
		binary.LittleEndian.PutUint64(b[16:], 1<<60)
	case EngineRefuses:
		err = setBlocks(b, 99)
	case EngineAborts:
		err = setBlocks(b, 9999)
	default:
		err = fmt.Errorf("unknown fault %d", f)
	}
	if err != nil {
		return fmt.Errorf("corrupt %s: %w", src, err)
	}
	return os.WriteFile(dst, b, 0o600)
}

// setBlocks changes the number of blocks that the header claims.
func setBlocks(b []byte, n uint32) error {
	const key = ".block_count"
	at := bytes.Index(b, []byte(key))
	if at < 0 {
		return fmt.Errorf("no key ends in %q", key)
	}
	const typeLength = 4
	binary.LittleEndian.PutUint32(b[at+len(key)+typeLength:], n)
	return nil
}
