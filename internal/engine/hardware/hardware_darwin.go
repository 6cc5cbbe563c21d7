package hardware

import (
	"context"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

func (m *Machine) detect(context.Context) {
	m.MemoryTotal, _ = unix.SysctlUint64("hw.memsize")
	// The kernel's own figure of how much is not in use, in percent.
	if level, err := unix.SysctlUint32("kern.memorystatus_level"); err == nil && level <= 100 {
		m.MemoryAvailable = m.MemoryTotal / 100 * uint64(level)
	}
	// Efficiency cores slow the others down: count the fast ones where the
	// machine has two kinds.
	for _, name := range []string{"hw.perflevel0.physicalcpu", "hw.physicalcpu"} {
		if n, err := unix.SysctlUint32(name); err == nil && n > 0 {
			m.PhysicalCores = int(n)
			break
		}
	}
	m.Load = load()
	if m.Arch == "arm64" {
		m.GPUs = []GPU{{Name: "Apple GPU", API: "metal", MemoryTotal: m.MemoryTotal, MemoryFree: m.MemoryAvailable, Shared: true}}
	}
}

// load is the kernel's struct loadavg: three fixed-point numbers, padding, and
// the number that means one.
func load() float64 {
	b, err := unix.SysctlRaw("vm.loadavg")
	if err != nil || len(b) < 24 {
		return 0
	}
	scale := binary.LittleEndian.Uint64(b[16:])
	if scale == 0 {
		return 0
	}
	return float64(binary.LittleEndian.Uint32(b)) / float64(scale)
}
