//go:build engine && linux

package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// children are the pids of a process's children, zombies too.
func children(t testing.TB, parent int) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range files {
		fields := stat(f)
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// stat are the fields of a /proc/<pid>/stat after the name: state, parent, …; none when it is gone.
func stat(file string) []string {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.Fields(rest)
}

// alive reports whether a process runs: one that nobody has waited for yet does not.
func alive(pid int) bool {
	fields := stat(fmt.Sprintf("/proc/%d/stat", pid))
	return len(fields) > 0 && fields[0] != "Z"
}

// cpu is the processor time a process has used, in ticks of 10 ms.
func cpu(t *testing.T, pid int) int {
	t.Helper()
	const user, system = 11, 12
	fields := stat(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) < system {
		t.Fatalf("process %d is gone", pid)
	}
	u, _ := strconv.Atoi(fields[user])
	s, _ := strconv.Atoi(fields[system])
	return u + s
}

func descriptors(t *testing.T, pid int) []string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			open = append(open, to)
		}
	}
	return open
}

// engines are the pids of the gateway's model servers, without the guards of their groups.
func (g *gateway) engines() []int {
	g.t.Helper()
	return slices.DeleteFunc(children(g.t, g.cmd.Process.Pid), func(pid int) bool {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return err != nil || !strings.HasPrefix(string(name), "python") || !alive(pid)
	})
}

// engine is the gateway's only model server.
func (g *gateway) engine() int {
	g.t.Helper()
	pids := g.engines()
	if len(pids) != 1 {
		g.t.Fatalf("%d model servers run instead of one", len(pids))
	}
	return pids[0]
}

// childless waits until no child is left.
func (g *gateway) childless() {
	g.t.Helper()
	eventually(g.t, 10*time.Second, "no child", func() bool { return len(children(g.t, g.cmd.Process.Pid)) == 0 })
}
