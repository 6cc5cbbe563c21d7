package hardware

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func (m *Machine) detect(ctx context.Context) {
	var allowed unix.CPUSet
	may := func(int) bool { return true }
	if unix.SchedGetaffinity(0, &allowed) == nil {
		may = allowed.IsSet
	}
	m.read(os.DirFS("/"), may)
	m.GPUs = nvidia(ctx)
}

// read fills in what the files below root say, counting the processors that
// may be used.
func (m *Machine) read(root fs.FS, may func(processor int) bool) {
	info := memory(root, "proc/meminfo", ":")
	m.MemoryTotal, m.MemoryAvailable = info["MemTotal"]<<10, info["MemAvailable"]<<10
	m.PhysicalCores = cores(root, may)
	if fields := strings.Fields(text(root, "proc/loadavg")); len(fields) > 0 {
		m.Load, _ = strconv.ParseFloat(fields[0], 64)
	}
	for line := range strings.Lines(text(root, "proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		controllers := "," + parts[1] + ","
		switch {
		case parts[0] == "0" && parts[1] == "":
			m.cgroup(root, "sys/fs/cgroup", parts[2], unified)
		case strings.Contains(controllers, ",memory,"):
			m.cgroup(root, "sys/fs/cgroup/memory", parts[2], legacyMemory)
		case strings.Contains(controllers, ",cpu,"):
			m.cgroup(root, "sys/fs/cgroup/cpu", parts[2], legacyCPU)
		}
	}
}

// cgroup applies the limits of a control group and of all above it. Inside a
// container the path often is the host's and only the root of the mount is
// there.
func (m *Machine) cgroup(root fs.FS, mount, group string, apply func(*Machine, fs.FS, string)) {
	for dir := path.Join(mount, path.Clean("/"+group)); ; dir = path.Dir(dir) {
		apply(m, root, dir)
		if dir == mount {
			return
		}
	}
}

func unified(m *Machine, root fs.FS, dir string) {
	m.limitMemory(number(root, dir+"/memory.max"), number(root, dir+"/memory.current"), memory(root, dir+"/memory.stat", " ")["inactive_file"])
	if quota, period, ok := strings.Cut(text(root, dir+"/cpu.max"), " "); ok {
		m.limitCPU(quota, period)
	}
}

func legacyMemory(m *Machine, root fs.FS, dir string) {
	m.limitMemory(number(root, dir+"/memory.limit_in_bytes"), number(root, dir+"/memory.usage_in_bytes"), memory(root, dir+"/memory.stat", " ")["total_inactive_file"])
}

func legacyCPU(m *Machine, root fs.FS, dir string) {
	m.limitCPU(text(root, dir+"/cpu.cfs_quota_us"), text(root, dir+"/cpu.cfs_period_us"))
}

// limitMemory applies a limit, of which used bytes are taken; the kernel gives
// cached ones of these back on demand.
func (m *Machine) limitMemory(limit, used, cached uint64) {
	if limit == 0 || m.MemoryTotal != 0 && limit >= m.MemoryTotal {
		return
	}
	m.MemoryTotal = limit
	used -= min(used, cached)
	if free := limit - min(limit, used); free < m.MemoryAvailable || m.MemoryAvailable == 0 {
		m.MemoryAvailable = free
	}
}

func (m *Machine) limitCPU(quota, period string) {
	q, err := strconv.ParseFloat(strings.TrimSpace(quota), 64)
	if err != nil || q <= 0 {
		return
	}
	p, err := strconv.ParseFloat(strings.TrimSpace(period), 64)
	if err != nil || p <= 0 {
		return
	}
	if cores := q / p; m.CPUQuota == 0 || cores < m.CPUQuota {
		m.CPUQuota = cores
	}
}

// cores counts the physical cores of the processors that may be used.
func cores(root fs.FS, may func(processor int) bool) int {
	const dir = "sys/devices/system/cpu"
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return 0
	}
	seen := map[string]bool{}
	for _, e := range entries {
		n, err := strconv.Atoi(strings.TrimPrefix(e.Name(), "cpu"))
		if err != nil || !may(n) {
			continue
		}
		topology := fmt.Sprintf("%s/cpu%d/topology/", dir, n)
		core := text(root, topology+"core_id")
		if core != "" {
			seen[text(root, topology+"physical_package_id")+"/"+core] = true
		}
	}
	return len(seen)
}

// memory reads a file of "name<separator>number" lines.
func memory(root fs.FS, name, separator string) map[string]uint64 {
	values := map[string]uint64{}
	for line := range strings.Lines(text(root, name)) {
		key, rest, _ := strings.Cut(line, separator)
		if fields := strings.Fields(rest); len(fields) > 0 {
			values[key], _ = strconv.ParseUint(fields[0], 10, 53)
		}
	}
	return values
}

// number reads a file that is one number; "max" and all else are 0.
func number(root fs.FS, name string) uint64 {
	n, err := strconv.ParseUint(text(root, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// text is a small file without the space around it, empty when unreadable.
func text(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 256<<10))
	return strings.TrimSpace(string(b))
}
