//go:build !unix

package h1

import "net"

// checks says that quiet cannot tell.
const checks = false

func quiet(net.Conn) bool { return true }
