//go:build !unix

package h1

import "net"

// checks says that listener cannot tell.
const checks = false

func listener(net.Conn) func() bool { return func() bool { return true } }
