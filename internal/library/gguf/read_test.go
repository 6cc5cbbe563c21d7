package gguf_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/library/gguf"
)

func zeros(n int) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(make([]byte, n))
		return err
	}
}

func encode(t testing.TB, w *gguf.Writer) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(b.Len()) {
		t.Fatalf("WriteTo said %d bytes and wrote %d", n, b.Len())
	}
	return b.Bytes()
}

func read(b []byte) (*gguf.Header, error) {
	return gguf.ReadHeader(bytes.NewReader(b), int64(len(b)))
}

func smallModel() *gguf.Writer {
	w := &gguf.Writer{}
	w.String("general.architecture", "llama")
	w.String("general.name", "small")
	w.Uint32("general.file_type", 15)
	w.Uint32("llama.context_length", 4096)
	w.Uint32("llama.embedding_length", 64)
	w.Uint32("llama.feed_forward_length", 128)
	w.Uint32("llama.block_count", 2)
	w.Uint32("llama.attention.head_count", 4)
	w.Uint32("llama.attention.head_count_kv", 2)
	w.Float32("llama.rope.freq_base", 10000)
	w.String("tokenizer.chat_template", "{{ messages }}")
	w.String("tokenizer.ggml.model", "gpt2")
	w.Strings("tokenizer.ggml.tokens", []string{"a", "<|user|>", "[INST]", "<b>", "<", "x<|y|>"})
	w.Float32s("tokenizer.ggml.scores", make([]float32, 5000))
	w.Int32s("tokenizer.ggml.token_type", []int32{1, 3, 4, 1, 3, -3})
	w.Tensor("token_embd.weight", gguf.F16, []uint64{64, 3}, zeros(64*3*2))
	w.Tensor("output_norm.weight", gguf.F32, []uint64{63}, zeros(63*4))
	return w
}

func TestAHeaderTellsWhatTheWriterWrote(t *testing.T) {
	h, err := read(encode(t, smallModel()))
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		Architecture, Name, FileType, Template, Tokenizer       string
		Context, Embedding, Inner, Blocks, Heads, HeadsKV, K, V int
		Vocab, Parameters, Bytes                                uint64
		Pooling                                                 gguf.Pooling
		Causal, Projector                                       bool
	}
	got := facts{
		h.Architecture(), h.Name(), h.FileType(), h.ChatTemplate(), h.TokenizerModel(),
		h.ContextLength(), h.EmbeddingLength(), h.FeedForwardLength(), h.BlockCount(), h.HeadCount(), h.HeadCountKV(), h.KeyLength(), h.ValueLength(),
		h.VocabSize(), h.Parameters(), h.TensorBytes(),
		h.PoolingType(), h.Causal(), h.IsProjector(),
	}
	want := facts{
		"llama", "small", "Q4_K_M", "{{ messages }}", "gpt2",
		4096, 64, 128, 2, 4, 2, 16, 16,
		6, 64*3 + 63, 64*3*2 + 63*4,
		gguf.PoolingUnspecified, true, false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"<|user|>", "[INST]"}, h.Marks()); diff != "" {
		t.Error(diff)
	}
	if n, ok := h.Uint("llama.block_count"); n != 2 || !ok {
		t.Errorf("Uint = %d, %t", n, ok)
	}
	if _, ok := h.Uint("llama.rope.freq_base"); ok {
		t.Error("a floating-point number was read as an integer")
	}
	if _, ok := h.Uint("absent"); ok {
		t.Error("an absent key has a value")
	}
}

func TestAProjectorSaysWhatItTakes(t *testing.T) {
	base := func(kind string) *gguf.Writer {
		w := &gguf.Writer{}
		w.String("general.architecture", "clip")
		w.Bool("clip.has_vision_encoder", true)
		w.String("clip.projector_type", kind)
		w.Uint32("clip.vision.image_size", 336)
		w.Uint32("clip.vision.patch_size", 14)
		w.Uint32("clip.vision.projection_dim", 2048)
		w.Tensor("mm.0.weight", gguf.F32, []uint64{8}, zeros(32))
		return w
	}
	sound := &gguf.Writer{}
	sound.String("general.architecture", "clip")
	sound.Bool("clip.has_audio_encoder", true)
	sound.Uint32("clip.audio.projection_dim", 1024)
	tiled := base("mlp")
	tiled.Int32s("clip.vision.image_grid_pinpoints", []int32{336, 672})
	neither := &gguf.Writer{}
	neither.String("general.architecture", "clip")
	huge := base("mlp")
	huge.Uint32("clip.vision.feed_forward_length", math.MaxUint32)
	type facts struct {
		Projector, Images, Audio bool
		Width, Patches           int
	}
	for name, c := range map[string]struct {
		w    *gguf.Writer
		want facts
	}{
		"one size of image":   {base("mlp"), facts{true, true, false, 2048, 24 * 24}},
		"images of any size":  {base("qwen2vl_merger"), facts{true, true, false, 2048, 0}},
		"images cut in tiles": {tiled, facts{true, true, false, 2048, 0}},
		"sounds":              {sound, facts{true, false, true, 1024, 0}},
		"nothing":             {neither, facts{}},
		"hostile sizes":       {huge, facts{true, true, false, 2048, 24 * 24}},
		"a text model":        {smallModel(), facts{}},
	} {
		h, err := read(encode(t, c.w))
		if err != nil {
			t.Fatal(err)
		}
		if got := (facts{h.IsProjector(), h.SeesImages(), h.HearsAudio(), h.ProjectsTo(), h.Patches()}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		if h.ProjectorMemory() < h.TensorBytes() {
			t.Errorf("%s: %d bytes of memory, the file has %d of weights", name, h.ProjectorMemory(), h.TensorBytes())
		}
	}
}

func TestEveryPrefixOfAFileIsTruncated(t *testing.T) {
	whole := encode(t, smallModel())
	whole = whole[:len(whole)-4] // the padding after the last tensor
	if _, err := read(whole); err != nil {
		t.Fatalf("a file without its last padding: %v", err)
	}
	for n := range len(whole) {
		if _, err := read(whole[:n]); !errors.Is(err, gguf.ErrTruncated) {
			t.Fatalf("the first %d of %d bytes: %v, want ErrTruncated", n, len(whole), err)
		}
	}
}

// raw builds files that the Writer would not.
type raw []byte

func header(version uint32, tensors, entries uint64) raw {
	return raw("GGUF").u32(version).u64(tensors).u64(entries)
}

func model(tensors, entries uint64) raw {
	return header(3, tensors, entries+1).str("general.architecture").u32(8).str("llama")
}
func (r raw) u32(v uint32) raw { return binary.LittleEndian.AppendUint32(r, v) }
func (r raw) u64(v uint64) raw { return binary.LittleEndian.AppendUint64(r, v) }
func (r raw) str(s string) raw { return append(r.u64(uint64(len(s))), s...) }
func (r raw) room(n int) raw   { return append(r, make([]byte, n)...) }
func (r raw) tensor(name string, typ uint32, offset uint64, dims ...uint64) raw {
	r = r.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		r = r.u64(d)
	}
	return r.u32(typ).u64(offset)
}

func TestHostileHeadersAreRefused(t *testing.T) {
	huge := uint64(math.MaxUint64)
	for name, c := range map[string]struct {
		file raw
		want string
	}{
		"another format":             {raw("PK\x03\x04").room(100), "not a GGUF file"},
		"version 1":                  {header(1, 0, 0), "version 1"},
		"big-endian":                 {header(3<<24, 0, 0), "big-endian"},
		"too many tensors":           {header(3, huge, 0), "tensors"},
		"too many entries":           {header(3, 0, huge), "metadata entries"},
		"a key longer than the file": {header(3, 0, 1).u64(1000), "truncated"},
		"a huge key":                 {header(3, 0, 1).u64(huge), "string of 18446744073709551615 bytes"},
		"a huge text":                {header(3, 0, 1).str("k").u32(8).u64(huge), "string of"},
		"a huge array":               {header(3, 0, 1).str("k").u32(9).u32(6).u64(huge), "truncated"},
		"a huge array of texts":      {header(3, 0, 1).str("k").u32(9).u32(8).u64(huge), "truncated"},
		"a huge element":             {header(3, 0, 1).str("k").u32(9).u32(8).u64(1).u64(huge), "element of"},
		"an array of arrays":         {header(3, 0, 1).str("k").u32(9).u32(9).u64(1).room(64), "array of type 9"},
		"an unknown value type":      {header(3, 0, 1).str("k").u32(13), "unknown type 13"},
		"a key twice":                {model(0, 1).str("general.architecture").u32(8).str("bert"), "twice"},
		"no architecture":            {header(3, 0, 0), "general.architecture"},
		"an architecture not text":   {header(3, 0, 1).str("general.architecture").u32(4).u32(7), "general.architecture"},
		"an odd alignment":           {model(0, 1).str("general.alignment").u32(4).u32(3), "power of two"},
		"no alignment":               {model(0, 1).str("general.alignment").u32(4).u32(0), "power of two"},
		"implausible width":          {model(0, 1).str("llama.embedding_length").u32(10).u64(1 << 40), "plausible"},
		"five dimensions":            {model(1, 0).tensor("t", 0, 0, 1, 1, 1, 1, 1), "dimensions"},
		"no dimensions":              {model(1, 0).tensor("t", 0, 0), "dimensions"},
		"an empty dimension":         {model(1, 0).tensor("t", 0, 0, 4, 0), "dimension of 0"},
		"dimensions that overflow":   {model(1, 0).tensor("t", 0, 0, 1<<40, 1<<40, 1<<40), "too large"},
		"an unknown tensor type":     {model(1, 0).tensor("t", 4, 0, 32), "unknown tensor type 4"},
		"half a block":               {model(1, 0).tensor("t", 12, 0, 255), "multiple"},
		"a misaligned tensor":        {model(1, 0).tensor("t", 0, 4, 1).room(100), "aligned"},
		"an offset that overflows":   {model(1, 0).tensor("t", 0, huge-31, 1).room(100), "truncated"},
		"a tensor twice":             {model(2, 0).tensor("t", 0, 0, 1).tensor("t", 0, 32, 1).room(100), "twice"},
		"tensors that overlap":       {model(2, 0).tensor("a", 0, 0, 9).tensor("b", 0, 32, 1).room(200), "overlap"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.file)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestANegativeSizeIsTruncated(t *testing.T) {
	if _, err := gguf.ReadHeader(bytes.NewReader(nil), -1); !errors.Is(err, gguf.ErrTruncated) {
		t.Errorf("got %v", err)
	}
}

func TestReadFileRefusesAFolder(t *testing.T) {
	if _, err := gguf.ReadFile(t.TempDir()); err == nil {
		t.Error("no error")
	}
}

func TestReadFileNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.gguf")
	whole := encode(t, smallModel())
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := gguf.ReadFile(path)
	if !errors.Is(err, gguf.ErrTruncated) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestMemoryGrowsWithContextAndSlots(t *testing.T) {
	h, err := read(encode(t, smallModel()))
	if err != nil {
		t.Fatal(err)
	}
	e := h.Memory(1024, 2)
	// 2 blocks, 2 heads, 16 wide keys and values of 2 bytes, 2048 tokens.
	if want := uint64(2 * 2 * (16 + 16) * 2 * 2048); e.KV != want {
		t.Errorf("KV = %d, want %d", e.KV, want)
	}
	if e.Weights != h.TensorBytes() || e.Total() != e.Weights+e.KV+e.Compute {
		t.Errorf("estimate %+v does not add up", e)
	}
	if h.Memory(math.MaxInt, math.MaxInt).Total() != math.MaxUint64 {
		t.Error("a huge context wrapped around")
	}
	if h.Memory(-1, 1).KV != 0 {
		t.Error("a negative context has a cache")
	}
}

func TestMemoryCountsHeadsPerBlock(t *testing.T) {
	w := &gguf.Writer{}
	w.String("general.architecture", "llama")
	w.Uint32("llama.block_count", 3)
	w.Uint32("llama.attention.key_length", 8)
	w.Uint32("llama.attention.value_length", 8)
	w.Int32s("llama.attention.head_count_kv", []int32{1, 0, 4})
	h, err := read(encode(t, w))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := h.Memory(10, 1).KV, uint64(5*16*2*10); got != want || h.HeadCountKV() != 4 {
		t.Errorf("KV = %d, want %d; HeadCountKV = %d, want 4", got, want, h.HeadCountKV())
	}
}

func TestTheWriterRefusesWhatDoesNotFit(t *testing.T) {
	for name, fill := range map[string]int{"too little": 4, "too much": 12} {
		w := &gguf.Writer{}
		w.Tensor("t", gguf.F32, []uint64{2}, zeros(fill))
		if _, err := w.WriteTo(io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzReadHeader(f *testing.F) {
	f.Add(encode(f, smallModel()))
	f.Add([]byte(model(2, 1).str("general.alignment").u32(4).u32(64).tensor("a", 12, 0, 256).tensor("b", 0, 192, 1).room(256)))
	f.Add([]byte(header(2, 1, 1).str("k").u32(9).u32(8).u64(2).str("x").str("y")))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := read(b)
		if err != nil {
			return
		}
		if h.TensorBytes() > uint64(len(b)) {
			t.Errorf("%d bytes of tensors in a file of %d", h.TensorBytes(), len(b))
		}
		if h.Memory(4096, 4).Total() < h.TensorBytes() {
			t.Error("the estimate wrapped around")
		}
		_ = h.HeadCountKV() + h.KeyLength() + h.ValueLength() + len(h.FileType()) + len(h.PoolingType().String())
	})
}
