//go:build windows

package home

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func tryLock(f *os.File) error   { return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }
func tryShared(f *os.File) error { return lockFile(f, 0) }

// A byte far behind the record is locked, because a locked range cannot be
// read by others.
func lockFile(f *os.File, how uint32) error {
	at := &windows.Overlapped{Offset: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()), how|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errHeld
	}
	return err
}
