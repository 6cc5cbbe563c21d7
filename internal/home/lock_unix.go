//go:build unix

package home

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// The lock belongs to the open file and not to the process, so two opens in
// one process exclude each other as well.
func tryLock(f *os.File) error   { return flock(f, unix.LOCK_EX) }
func tryShared(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}
