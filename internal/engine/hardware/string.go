package hardware

import "fmt"

// String sums the machine up for people, GPUs apart.
func (m Machine) String() string {
	const giga = 1e9
	s := fmt.Sprintf("%s/%s, %d cores (%d threads), %.1f GB of memory free of %.1f GB", m.OS, m.Arch, m.PhysicalCores, m.LogicalCores,
		float64(m.MemoryAvailable)/giga, float64(m.MemoryTotal)/giga)
	if m.CPUQuota > 0 {
		s += fmt.Sprintf(", limited to %.4g cores", m.CPUQuota)
	}
	if len(m.GPUs) == 0 {
		s += ", no GPU"
	}
	return s
}
