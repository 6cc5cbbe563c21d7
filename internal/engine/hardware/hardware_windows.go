package hardware

import (
	"context"
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/windows"
)

func (m *Machine) detect(ctx context.Context) {
	kernel := windows.NewLazySystemDLL("kernel32.dll")
	m.MemoryTotal, m.MemoryAvailable = memory(kernel.NewProc("GlobalMemoryStatusEx"))
	m.PhysicalCores = cores(kernel.NewProc("GetLogicalProcessorInformationEx"))
	m.GPUs = nvidia(ctx)
}

// memory reads a MEMORYSTATUSEX, which begins with its own length.
func memory(status *windows.LazyProc) (total, available uint64) {
	const length = 64
	b := make([]byte, length)
	binary.LittleEndian.PutUint32(b, length)
	if status.Find() != nil {
		return 0, 0
	}
	if ok, _, _ := status.Call(uintptr(unsafe.Pointer(unsafe.SliceData(b)))); ok == 0 {
		return 0, 0
	}
	return binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
}

// cores counts the records of kind "processor core", each of which says how
// long it is.
func cores(information *windows.LazyProc) int {
	const processorCore, most = 0, 1 << 20
	if information.Find() != nil {
		return 0
	}
	var size uint32
	_, _, _ = information.Call(processorCore, 0, uintptr(unsafe.Pointer(&size))) // tells the size
	if size == 0 || size > most {
		return 0
	}
	b := make([]byte, size)
	if ok, _, _ := information.Call(processorCore, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(&size))); ok == 0 {
		return 0
	}
	n := 0
	for len(b) >= 8 {
		length := binary.LittleEndian.Uint32(b[4:])
		if length < 8 || int(length) > len(b) {
			break
		}
		if binary.LittleEndian.Uint32(b) == processorCore {
			n++
		}
		b = b[length:]
	}
	return n
}
