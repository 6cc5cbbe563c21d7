//go:build !linux

package cli

// portHolder cannot tell who listens on a port of this system.
func portHolder(string) (name string, pid int) { return "", 0 }
