// Package disk does what a download needs of a file system: free space, locks
// between processes, and files that appear whole or not at all.
package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Reserve is how many bytes Room leaves free for everybody else.
const Reserve = 64 << 20

const lockPoll = 100 * time.Millisecond

// FullError says that a folder's disk has too little room.
type FullError struct {
	Dir        string
	Need, Free int64 // bytes
}

func (e *FullError) Error() string {
	return fmt.Sprintf("not enough room in %s: %s needed and %s to spare, %s free; free some space, or choose another data folder with INGOT_HOME",
		e.Dir, Bytes(e.Need), Bytes(Reserve), Bytes(e.Free))
}

// Room returns a *FullError when the disk that holds dir, which must exist,
// cannot take need more bytes.
func Room(dir string, need int64) error {
	free, err := Free(dir)
	if err != nil {
		return err
	}
	if need > 0 && need > free-Reserve {
		return &FullError{Dir: dir, Need: need, Free: max(free, 0)}
	}
	return nil
}

// Free is how many bytes this user may still write on the disk that holds dir.
func Free(dir string) (int64, error) {
	n, err := free(dir)
	if err != nil {
		return 0, fmt.Errorf("measure free space of %s: %w", dir, err)
	}
	return n, nil
}

// Bytes writes a size as people read it, in decimal units.
func Bytes(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, u := float64(n), ""
	for _, u = range units {
		if f /= 1000; f < 1000 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s", f, u)
}

// ErrLocked is returned by TryLock when somebody else holds the lock.
var ErrLocked = errors.New("in use by another process")

// Lock takes the exclusive lock that the file at path stands for, waiting for
// whoever holds it; waiting, if not nil, is called once before the wait. The
// system frees the lock when the process ends, however it ends.
func Lock(ctx context.Context, path string, waiting func()) (release func(), err error) {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		release, err := TryLock(path)
		if !errors.Is(err, ErrLocked) {
			return release, err
		}
		if waiting != nil {
			waiting()
			waiting = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for lock %s: %w", path, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// TryLock takes the lock at path or returns ErrLocked at once. The file exists only while the lock
// is held, or after a holder that was killed.
func TryLock(path string) (release func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		if err := tryLock(f); err != nil {
			_ = f.Close()
			if errors.Is(err, ErrLocked) {
				return nil, ErrLocked
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if isAt(f, path) {
			return sync.OnceFunc(func() { unlock(f, path) }), nil
		}
		_ = f.Close() // its holder removed it between the two steps above: it excludes nobody
	}
}

// isAt reports whether path is still the name of f.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(mine, there)
}

// Move renames from to to within one file system and makes the rename durable.
func Move(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// WriteFile replaces the file at path with data, durably and at once: readers
// see the old content or the new, never a part.
func WriteFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return Move(f.Name(), path)
}
