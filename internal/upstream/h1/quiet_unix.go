//go:build unix

package h1

import (
	"errors"
	"net"
	"syscall"
)

// checks says that listener can tell.
const checks = true

// listener returns what reports whether a connection that nobody uses is open and has nothing to say: what it says belongs to no
// request, and would be taken for the answer to the next.
func listener(c net.Conn) func() bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return func() bool { return true }
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var failed error
	var b [1]byte
	once := func(fd uintptr) bool {
		_, failed = syscall.Read(int(fd), b[:])
		return true
	}
	return func() bool {
		err := raw.Read(once)
		return err == nil && (errors.Is(failed, syscall.EAGAIN) || errors.Is(failed, syscall.EWOULDBLOCK))
	}
}
