//go:build unix

package h1

import (
	"errors"
	"net"
	"syscall"
)

// checks says that quiet can tell.
const checks = true

// quiet reports whether a connection that nobody uses is open and has nothing to say: what it says belongs to no request, and
// would be taken for the answer to the next.
func quiet(c net.Conn) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, failed = syscall.Read(int(fd), b[:])
		return true
	})
	return err == nil && (errors.Is(failed, syscall.EAGAIN) || errors.Is(failed, syscall.EWOULDBLOCK))
}
