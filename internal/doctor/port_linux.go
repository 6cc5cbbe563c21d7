package doctor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portHolder names the process that listens on a port, as far as this user may know; pid 0 when not.
func portHolder(listen string) (name string, pid int) {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		const local, state, inode = 1, 3, 9
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) > inode && f[state] == "0A" && strings.HasSuffix(f[local], fmt.Sprintf(":%04X", n)) {
				sockets["socket:["+f[inode]+"]"] = true
			}
		}
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil || len(sockets) == 0 {
		return "", 0
	}
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil || !sockets[to] {
			continue
		}
		id := strings.Split(link, "/")[2]
		comm, err := os.ReadFile("/proc/" + id + "/comm")
		if pid, errID := strconv.Atoi(id); err == nil && errID == nil {
			return strings.TrimSpace(string(comm)), pid
		}
	}
	return "", 0
}
