package hardware

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// host has four processors on two cores and a control group without limits.
func host(more map[string]string) fstest.MapFS {
	files := map[string]string{
		"proc/meminfo":     "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    600 kB\n",
		"proc/loadavg":     "1.50 0.10 0.05 1/100 1234\n",
		"proc/self/cgroup": "0::/a/b\n",
		"sys/devices/system/cpu/cpu0/topology/core_id":             "0\n",
		"sys/devices/system/cpu/cpu0/topology/physical_package_id": "0\n",
		"sys/devices/system/cpu/cpu1/topology/core_id":             "1\n",
		"sys/devices/system/cpu/cpu1/topology/physical_package_id": "0\n",
		"sys/devices/system/cpu/cpu2/topology/core_id":             "0\n",
		"sys/devices/system/cpu/cpu2/topology/physical_package_id": "0\n",
		"sys/devices/system/cpu/cpu3/topology/core_id":             "1\n",
		"sys/devices/system/cpu/cpu3/topology/physical_package_id": "0\n",
		"sys/devices/system/cpu/cpufreq/x":                         "",
	}
	maps.Copy(files, more)
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func TestLimitsOfTheContainerCount(t *testing.T) {
	const kib = 1 << 10
	for name, c := range map[string]struct {
		files map[string]string
		want  Machine
	}{
		"no limits": {
			map[string]string{"sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"},
			Machine{MemoryTotal: 1000 * kib, MemoryAvailable: 600 * kib},
		},
		"a limit, part of it taken, part of that cached": {
			map[string]string{
				"sys/fs/cgroup/a/b/memory.max": "409600\n", "sys/fs/cgroup/a/b/memory.current": "307200\n",
				"sys/fs/cgroup/a/b/memory.stat": "anon 1\ninactive_file 102400\n", "sys/fs/cgroup/a/b/cpu.max": "150000 100000\n",
			},
			Machine{MemoryTotal: 400 * kib, MemoryAvailable: 200 * kib, CPUQuota: 1.5},
		},
		"a tighter limit above": {
			map[string]string{
				"sys/fs/cgroup/a/b/memory.max": "819200\n", "sys/fs/cgroup/a/memory.max": "409600\n",
				"sys/fs/cgroup/a/b/cpu.max": "200000 100000\n", "sys/fs/cgroup/a/cpu.max": "50000 100000\n",
			},
			Machine{MemoryTotal: 400 * kib, MemoryAvailable: 400 * kib, CPUQuota: 0.5},
		},
		"more used than the limit": {
			map[string]string{"sys/fs/cgroup/a/memory.max": "409600\n", "sys/fs/cgroup/a/memory.current": "999999\n"},
			Machine{MemoryTotal: 400 * kib, MemoryAvailable: 0},
		},
		"a limit above what the host has free": {
			map[string]string{"sys/fs/cgroup/a/memory.max": "921600\n"},
			Machine{MemoryTotal: 900 * kib, MemoryAvailable: 600 * kib},
		},
		"version 1, seen from inside": {
			map[string]string{
				"proc/self/cgroup":                                  "4:memory:/docker/123\n2:cpu,cpuacct:/docker/123\n0::/\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes":        "409600\n",
				"sys/fs/cgroup/memory/memory.usage_in_bytes":        "204800\n",
				"sys/fs/cgroup/memory/memory.stat":                  "cache 1\ntotal_inactive_file 102400\n",
				"sys/fs/cgroup/cpu/docker/123/cpu.cfs_quota_us":     "-1\n",
				"sys/fs/cgroup/cpu/docker/123/cpu.cfs_period_us":    "100000\n",
				"sys/fs/cgroup/cpu/cpu.cfs_quota_us":                "300000\n",
				"sys/fs/cgroup/cpu/cpu.cfs_period_us":               "100000\n",
				"sys/fs/cgroup/memory/docker/123/memory.limit_odd":  "",
				"sys/fs/cgroup/memory/docker/memory.limit_in_bytes": "9223372036854771712\n",
			},
			Machine{MemoryTotal: 400 * kib, MemoryAvailable: 300 * kib, CPUQuota: 3},
		},
		"files that make no sense": {
			map[string]string{
				"proc/self/cgroup":           "0::/../../..\nx\n",
				"sys/fs/cgroup/memory.max":   "-5\n",
				"sys/fs/cgroup/cpu.max":      "100000 0\n",
				"sys/fs/cgroup/a/memory.max": "1\n",
			},
			Machine{MemoryTotal: 1000 * kib, MemoryAvailable: 600 * kib},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.PhysicalCores, c.want.Load = 2, 1.5
			var got Machine
			got.read(host(c.files), func(int) bool { return true })
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOnlyCoresOfAllowedProcessorsCount(t *testing.T) {
	var m Machine
	m.read(host(nil), func(processor int) bool { return processor%2 == 0 })
	if m.PhysicalCores != 1 {
		t.Errorf("%d cores, want 1", m.PhysicalCores)
	}
}

func TestAnEmptyMachineIsNoError(t *testing.T) {
	var m Machine
	m.read(fstest.MapFS{}, func(int) bool { return true })
	if diff := cmp.Diff(Machine{}, m); diff != "" {
		t.Error(diff)
	}
}

// tool puts a script in the place of the GPU driver's tool.
func tool(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func TestGPUsComeFromTheDriversTool(t *testing.T) {
	tool(t, `echo 'Big Card, 81559, 80000'; echo 'Unified Card, [N/A], [N/A]'; echo 'odd'; echo 'Late Card, 1, 1'`)
	want := []GPU{
		{Name: "Big Card", API: "cuda", MemoryTotal: 81559 << 20, MemoryFree: 80000 << 20},
		{Name: "Unified Card", API: "cuda", Shared: true},
	}
	if diff := cmp.Diff(want, Detect(t.Context()).GPUs); diff != "" {
		t.Error(diff)
	}
}

func TestAToolThatFailsOrHangsMeansNoGPU(t *testing.T) {
	for name, script := range map[string]string{"fails": "echo 'Card, 1, 1'; exit 9", "hangs": "exec sleep 60", "floods": "exec yes"} {
		t.Run(name, func(t *testing.T) {
			tool(t, script)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			if gpus := Detect(ctx).GPUs; gpus != nil {
				t.Errorf("got %v", gpus)
			}
			if took := time.Since(start); took > nvidiaWait {
				t.Errorf("took %v", took)
			}
		})
	}
}
