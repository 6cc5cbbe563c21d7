//go:build !linux

package doctor

// portHolder cannot tell who listens on a port of this system.
func portHolder(string) (name string, pid int) { return "", 0 }
