//go:build guides

package guides_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shape is what the makers of a model publish of it, as far as memory depends on it.
type shape struct{ context, layers, width, inner, heads, kvHeads int }

func TestTheMemoryInThePhiGuideIsWhatIngotEstimates(t *testing.T) {
	page, err := os.ReadFile(root + "/doc/guides/phi.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]shape{
		"phi-3-mini":   {4096, 32, 3072, 8192, 32, 32},
		"phi-3.5-mini": {131072, 32, 3072, 8192, 32, 32},
		"phi-4-mini":   {131072, 32, 3072, 8192, 24, 8},
		"phi-4":        {16384, 40, 5120, 17920, 40, 10},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			size := shown(t, dir, name).Size
			s.write(t, filepath.Join(dir, "like.gguf"), size)
			if out, err := ingot(t, dir, "pull", "like.gguf"); err != nil {
				t.Fatal(out)
			}
			if err := os.WriteFile(filepath.Join(dir, "ingot.yaml"), []byte("models: {small: {local: like, context: 4096, slots: 1}}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			all, small := shown(t, dir, "like").Server, shown(t, dir, "small", "--config", "ingot.yaml").Server
			row := fmt.Sprintf("| `%s` | %.1f GB | %.1f GB (%d,%03d tokens, %d at a time) | %.1f GB |",
				name, float64(size)/1e9, all.Memory/1e9, all.Context/1000, all.Context%1000, all.Slots, small.Memory/1e9)
			if !strings.Contains(string(page), row) {
				t.Errorf("the page lacks\n%s", row)
			}
		})
	}
}

// details are what is told to programs of a model.
type details struct {
	Size   int64
	Server struct {
		Context, Slots int
		Memory         float64
	} `json:"chosen"`
}

func shown(t *testing.T, dir string, args ...string) details {
	t.Helper()
	out, err := ingot(t, dir, append([]string{"models", "show", "--json"}, args...)...)
	var d details
	if err != nil || json.Unmarshal([]byte(out[strings.Index(out, "{"):strings.LastIndex(out, "}")+1]), &d) != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return d
}

// write makes a file of about this size with nothing in it but a header.
func (s shape) write(t *testing.T, path string, size int64) {
	t.Helper()
	const text, number, eightBit = 8, 4, 24
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			if s, ok := v.(string); ok {
				v = append(binary.LittleEndian.AppendUint64(nil, uint64(len(s))), s...)
			}
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	numbers := map[string]int{
		"context_length": s.context, "block_count": s.layers, "embedding_length": s.width, "feed_forward_length": s.inner,
		"attention.head_count": s.heads, "attention.head_count_kv": s.kvHeads,
	}
	put([]byte("GGUF"), uint32(3), uint64(1), uint64(len(numbers)+1), "general.architecture", uint32(text), "phi3")
	for name, n := range numbers {
		put("phi3."+name, uint32(number), uint32(n))
	}
	rows := uint64(size) / uint64(s.width)
	put("token_embd.weight", uint32(2), uint64(s.width), rows, uint32(eightBit), uint64(0))
	const alignment = 32
	start := (b.Len() + alignment - 1) / alignment * alignment
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(start)+int64(rows)*int64(s.width)); err != nil {
		t.Fatal(err)
	}
}
