// Package hardware finds out what the machine has that matters to a local
// model: memory, cores, vector instructions and GPUs, and what of it this
// process may use.
package hardware

import (
	"context"
	"math"
	"runtime"

	"golang.org/x/sys/cpu"
)

// Machine is what this process may use. A zero means that it could not be
// found out.
type Machine struct {
	OS, Arch        string
	MemoryTotal     uint64   // bytes, or the limit of the container
	MemoryAvailable uint64   // bytes that can be taken without swapping
	PhysicalCores   int      // of those this process may run on
	LogicalCores    int      // hardware threads of these cores
	CPUQuota        float64  // cores' worth of time the container may use, 0 for no limit
	Load            float64  // processes that wanted a core in the last minute, on average
	Features        []string // vector instructions, such as "avx2"
	GPUs            []GPU
}

// GPU is an accelerator the engine could use.
type GPU struct {
	Name        string
	API         string // "cuda" or "metal"
	MemoryTotal uint64 // bytes
	MemoryFree  uint64 // bytes
	Shared      bool   // the memory is the machine's own, not counted twice
}

// Detect looks at the machine now. It asks the operating system and, where
// there is one, the GPU driver's own tool, for which it waits three seconds at
// most, less when ctx ends. What cannot be found out stays zero.
func Detect(ctx context.Context) Machine {
	m := Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, LogicalCores: runtime.NumCPU(), Features: features()}
	m.detect(ctx)
	if m.PhysicalCores == 0 {
		m.PhysicalCores = m.LogicalCores
	}
	return m
}

// Threads is how many threads an engine should compute with by default: one
// for each physical core that the container's quota pays for, less one when
// others keep half of them busy, and at least one.
func (m Machine) Threads() int {
	n := m.PhysicalCores
	if m.CPUQuota > 0 && m.CPUQuota < float64(n) {
		n = int(math.Floor(m.CPUQuota))
	}
	if m.Load >= float64(n)/2 && m.Load > 0 {
		n--
	}
	return max(n, 1)
}

func features() []string {
	var names []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"avx", cpu.X86.HasAVX},
		{"avx2", cpu.X86.HasAVX2},
		{"fma", cpu.X86.HasFMA},
		{"avx512f", cpu.X86.HasAVX512F},
		{"avx512_vnni", cpu.X86.HasAVX512VNNI},
		{"avx512_bf16", cpu.X86.HasAVX512BF16},
		{"amx_int8", cpu.X86.HasAMXInt8},
		{"asimd", cpu.ARM64.HasASIMD},
		{"asimd_dotprod", cpu.ARM64.HasASIMDDP},
		{"sve", cpu.ARM64.HasSVE},
	} {
		if f.has {
			names = append(names, f.name)
		}
	}
	return names
}
