//go:build linux || windows

package hardware

import (
	"bytes"
	"context"
	"encoding/csv"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// nvidiaWait is how long the driver's tool may take: it can hang when a card
// has fallen off the bus.
const nvidiaWait = 3 * time.Second

// nvidia lists the GPUs that NVIDIA's own tool sees, none without the tool.
func nvidia(ctx context.Context) []GPU {
	ctx, cancel := context.WithTimeout(ctx, nvidiaWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
	out := &limited{room: 64 << 10}
	cmd.Stdout, cmd.WaitDelay = out, time.Second
	if cmd.Run() != nil {
		return nil
	}
	return parseNvidia(out.String())
}

// parseNvidia reads one GPU a line: its name and two sizes in MiB. A line it
// does not understand ends the list.
func parseNvidia(text string) []GPU {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace = 3, true
	var gpus []GPU
	for {
		fields, err := r.Read()
		if err != nil {
			return gpus
		}
		// Where the memory is the machine's own the tool says "[N/A]".
		total, err := strconv.ParseUint(fields[1], 10, 32)
		free, freeErr := strconv.ParseUint(fields[2], 10, 32)
		gpus = append(gpus, GPU{
			Name: fields[0], API: "cuda", MemoryTotal: total << 20, MemoryFree: free << 20,
			Shared: err != nil && freeErr != nil,
		})
	}
}

// limited keeps the first room bytes and drops the rest.
type limited struct {
	bytes.Buffer
	room int
}

func (l *limited) Write(b []byte) (int, error) {
	keep := b[:min(len(b), l.room)]
	l.room -= len(keep)
	l.Buffer.Write(keep)
	return len(b), nil
}
