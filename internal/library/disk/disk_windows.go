package disk

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

func free(dir string) (int64, error) {
	p, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var avail uint64
	if err := windows.GetDiskFreeSpaceEx(p, &avail, nil, nil); err != nil {
		return 0, err
	}
	return int64(min(avail, math.MaxInt64)), nil
}

func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLocked
	}
	return err
}

// unlock closes the file first: Windows removes none that is open, by others neither.
func unlock(f *os.File, path string) {
	_ = f.Close()
	_ = os.Remove(path)
}

// Folders cannot be flushed on Windows; a rename is durable with the journal.
func syncDir(string) error { return nil }
