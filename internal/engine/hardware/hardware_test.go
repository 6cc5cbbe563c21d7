package hardware_test

import (
	"runtime"
	"testing"

	"github.com/ingot-llm/ingot/internal/engine/hardware"
)

func TestThisMachineHasMemoryAndCores(t *testing.T) {
	m := hardware.Detect(t.Context())
	if m.OS != runtime.GOOS || m.Arch != runtime.GOARCH {
		t.Errorf("is %s/%s", m.OS, m.Arch)
	}
	if m.MemoryTotal == 0 || m.MemoryAvailable == 0 || m.MemoryAvailable > m.MemoryTotal {
		t.Errorf("memory: %d of %d bytes", m.MemoryAvailable, m.MemoryTotal)
	}
	if m.PhysicalCores < 1 || m.LogicalCores < m.PhysicalCores {
		t.Errorf("cores: %d physical, %d logical", m.PhysicalCores, m.LogicalCores)
	}
	if n := m.Threads(); n < 1 || n > m.PhysicalCores {
		t.Errorf("%d threads for %d cores", n, m.PhysicalCores)
	}
}

func TestThreads(t *testing.T) {
	for name, c := range map[string]struct {
		machine hardware.Machine
		want    int
	}{
		"as many as physical cores":        {hardware.Machine{PhysicalCores: 8, LogicalCores: 16}, 8},
		"a little load changes nothing":    {hardware.Machine{PhysicalCores: 8, Load: 1}, 8},
		"one less on a shared host":        {hardware.Machine{PhysicalCores: 8, Load: 5}, 7},
		"one on a small shared host":       {hardware.Machine{PhysicalCores: 2, Load: 2}, 1},
		"one at least":                     {hardware.Machine{PhysicalCores: 1, Load: 9}, 1},
		"one when nothing is known":        {hardware.Machine{}, 1},
		"what the container pays for":      {hardware.Machine{PhysicalCores: 8, CPUQuota: 2.5}, 2},
		"one for less than a core":         {hardware.Machine{PhysicalCores: 8, CPUQuota: 0.5}, 1},
		"a quota above the cores is none":  {hardware.Machine{PhysicalCores: 4, CPUQuota: 100}, 4},
		"a quota on a host that is shared": {hardware.Machine{PhysicalCores: 8, CPUQuota: 4, Load: 2}, 3},
	} {
		if got := c.machine.Threads(); got != c.want {
			t.Errorf("%s: %d threads, want %d", name, got, c.want)
		}
	}
}
