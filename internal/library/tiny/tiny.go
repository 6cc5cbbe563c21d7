// Package tiny makes small GGUF models with random weights: an engine loads and
// runs them as it does real ones, what they say means nothing.
package tiny

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// Arch is a model architecture.
type Arch string

// The architectures: two that generate printable ASCII and never end by
// themselves, and one that embeds.
const (
	Llama Arch = "llama"
	Phi3  Arch = "phi3"
	BERT  Arch = "bert"
	CLIP  Arch = "clip" // what sees or hears for Llama and Phi3 models of the same Width
)

// ChatTemplate is the template of the Phi-3 family, for the special tokens
// that Llama and Phi3 models have. It has no place for tools.
const ChatTemplate = "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"

// Options describe a model; the zero value of every field but Arch has a
// default.
type Options struct {
	Arch         Arch
	Name         string // general.name, "tiny-" and the architecture by default
	ChatTemplate string // none by default; not for BERT
	Context      int    // 4096 by default, 512 for BERT
	Width        int    // 64 by default, a multiple of 8
	Layers       int    // 2 by default
	Embeds       bool   // Llama and Phi3: it says that its vectors are those of the last token
	Hears        bool   // CLIP: it is for sounds instead of images
	Seed         uint64 // the same seed makes the same bytes
}

// Write writes a model of about 0.5 MB, more with a larger width.
func Write(w io.Writer, o Options) error {
	b := &builder{Options: o}
	if b.Context == 0 {
		b.Context = 4096
		if o.Arch == BERT {
			b.Context = 512
		}
	}
	if b.Width == 0 {
		b.Width = 64
	}
	if b.Layers == 0 {
		b.Layers = 2
	}
	if b.Name == "" {
		b.Name = "tiny-" + string(o.Arch)
	}
	b.w.String("general.architecture", string(o.Arch))
	b.w.String("general.name", b.Name)
	b.w.Uint32("general.file_type", 0)
	if o.Arch != CLIP {
		b.number("context_length", b.Context)
		b.number("embedding_length", b.Width)
		b.number("feed_forward_length", 2*b.Width)
		b.number("block_count", b.Layers)
		b.number("attention.head_count", heads)
	}
	switch o.Arch {
	case Llama, Phi3:
		b.decoder()
	case BERT:
		b.encoder()
	case CLIP:
		if o.Hears {
			b.ears()
		} else {
			b.eyes()
		}
	default:
		return fmt.Errorf("write tiny model: unknown architecture %q", o.Arch)
	}
	_, err := b.w.WriteTo(w)
	return err
}

// File writes a model to name in dir and returns its path.
func File(dir, name string, o Options) (string, error) {
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := Write(f, o); err != nil {
		return "", err
	}
	return path, f.Close()
}

const heads = 4

type builder struct {
	Options
	w gguf.Writer
}

func (b *builder) number(key string, n int) { b.w.Uint32(string(b.Arch)+"."+key, uint32(n)) }

func (b *builder) decoder() {
	arch := string(b.Arch) + "."
	b.number("attention.head_count_kv", heads)
	b.number("rope.dimension_count", b.Width/heads)
	b.w.Float32(arch+"attention.layer_norm_rms_epsilon", 1e-5)
	b.w.Float32(arch+"rope.freq_base", 10000)
	vocab := b.bytePieces()
	b.number("vocab_size", vocab)
	if b.Embeds {
		b.number("pooling_type", int(gguf.PoolingLast))
	}

	inner := 2 * b.Width
	b.matrix("token_embd.weight", b.Width, vocab, nil)
	b.vector("output_norm.weight", b.Width, 1)
	b.matrix("output.weight", b.Width, vocab, printable)
	for i := range b.Layers {
		block := fmt.Sprintf("blk.%d.", i)
		b.vector(block+"attn_norm.weight", b.Width, 1)
		b.vector(block+"ffn_norm.weight", b.Width, 1)
		b.matrix(block+"attn_output.weight", b.Width, b.Width, nil)
		b.matrix(block+"ffn_down.weight", inner, b.Width, nil)
		if b.Arch == Phi3 {
			b.matrix(block+"attn_qkv.weight", b.Width, 3*b.Width, nil)
			b.matrix(block+"ffn_up.weight", b.Width, 2*inner, nil)
			continue
		}
		for _, name := range []string{"attn_q", "attn_k", "attn_v"} {
			b.matrix(block+name+".weight", b.Width, b.Width, nil)
		}
		b.matrix(block+"ffn_gate.weight", b.Width, inner, nil)
		b.matrix(block+"ffn_up.weight", b.Width, inner, nil)
	}
}

// Numbers of the byte tokenizer's tokens.
const (
	bos       = 1
	firstByte = 3
)

// printable selects the tokens that are let out: all others keep a score of
// zero, which some printable one always beats.
func printable(token int) bool {
	c := token - firstByte
	return c >= ' ' && c <= '~'
}

// bytePieces is a SentencePiece vocabulary that spells everything in bytes.
func (b *builder) bytePieces() int {
	const normal, unknown, control, single = 1, 2, 3, 6
	tokens, types := []string{"<unk>", "<s>", "</s>"}, []int32{unknown, control, control}
	for c := range 256 {
		tokens, types = append(tokens, fmt.Sprintf("<0x%02X>", c)), append(types, single)
	}
	tokens, types = append(tokens, "\u2581"), append(types, normal)
	ids := map[string]int{}
	for _, s := range []string{"<|endoftext|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"} {
		ids[s] = len(tokens)
		tokens, types = append(tokens, s), append(types, control)
	}
	b.w.String("tokenizer.ggml.model", "llama")
	b.w.String("tokenizer.ggml.pre", "default")
	b.w.Strings("tokenizer.ggml.tokens", tokens)
	b.w.Float32s("tokenizer.ggml.scores", make([]float32, len(tokens)))
	b.w.Int32s("tokenizer.ggml.token_type", types)
	b.w.Uint32("tokenizer.ggml.bos_token_id", bos)
	b.w.Uint32("tokenizer.ggml.eos_token_id", uint32(ids["<|endoftext|>"]))
	b.w.Uint32("tokenizer.ggml.eot_token_id", uint32(ids["<|end|>"]))
	b.w.Uint32("tokenizer.ggml.unknown_token_id", 0)
	b.w.Bool("tokenizer.ggml.add_bos_token", true)
	b.w.Bool("tokenizer.ggml.add_eos_token", false)
	if b.ChatTemplate != "" {
		b.w.String("tokenizer.chat_template", b.ChatTemplate)
	}
	return len(tokens)
}

func (b *builder) encoder() {
	b.w.Float32("bert.attention.layer_norm_epsilon", 1e-12)
	b.w.Bool("bert.attention.causal", false)
	b.number("pooling_type", int(gguf.PoolingMean))
	vocab := b.wordPieces()

	norm := func(name string) {
		b.vector(name+".weight", b.Width, 1)
		b.vector(name+".bias", b.Width, 0)
	}
	b.matrix("token_embd.weight", b.Width, vocab, nil)
	b.matrix("position_embd.weight", b.Width, b.Context, nil)
	b.matrix("token_types.weight", b.Width, 2, nil)
	norm("token_embd_norm")
	for i := range b.Layers {
		block := fmt.Sprintf("blk.%d.", i)
		linear := func(name string, in, out int) {
			b.matrix(block+name+".weight", in, out, nil)
			b.vector(block+name+".bias", out, 0)
		}
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_output"} {
			linear(name, b.Width, b.Width)
		}
		norm(block + "attn_output_norm")
		linear("ffn_up", b.Width, 2*b.Width)
		linear("ffn_down", 2*b.Width, b.Width)
		norm(block + "layer_output_norm")
	}
}

// wordPieces is a BERT vocabulary that spells everything in single characters
// of ASCII.
func (b *builder) wordPieces() int {
	const normal, unknown, control = 1, 2, 3
	tokens := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
	types := []int32{control, unknown, control, control, control}
	for c := '!'; c <= '~'; c++ {
		if c < 'A' || c > 'Z' {
			tokens, types = append(tokens, "\u2581"+string(c), string(c)), append(types, normal, normal)
		}
	}
	b.w.String("tokenizer.ggml.model", "bert")
	b.w.String("tokenizer.ggml.pre", "default")
	b.w.Strings("tokenizer.ggml.tokens", tokens)
	b.w.Int32s("tokenizer.ggml.token_type", types)
	b.w.Uint32("tokenizer.ggml.token_type_count", 2)
	for i, name := range []string{"padding", "unknown", "cls", "seperator", "mask"} {
		b.w.Uint32("tokenizer.ggml."+name+"_token_id", uint32(i))
	}
	b.w.Uint32("tokenizer.ggml.bos_token_id", 2)
	b.w.Uint32("tokenizer.ggml.eos_token_id", 3)
	return len(tokens)
}

// matrix adds random weights for in inputs and out outputs; rows that only
// does not select are zero.
func (b *builder) matrix(name string, in, out int, only func(row int) bool) {
	b.random(name, only, in, out)
}

// random adds random weights of a scale that suits the first dimension; of the last, those that only does not select are zero.
func (b *builder) random(name string, only func(row int) bool, dims ...int) {
	sizes, inner := make([]uint64, len(dims)), 1
	for i, d := range dims {
		sizes[i] = uint64(d)
	}
	for _, d := range dims[:len(dims)-1] {
		inner *= d
	}
	b.w.Tensor(name, gguf.F32, sizes, func(w io.Writer) error {
		seed := b.Seed
		for _, c := range name {
			seed = seed*1099511628211 + uint64(c)
		}
		r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same seed must make the same weights
		scale, row := 1/math.Sqrt(float64(inner)), make([]byte, 0, inner*4)
		for i := range dims[len(dims)-1] {
			row = row[:0]
			for range inner {
				v := r.NormFloat64() * scale
				if only != nil && !only(i) {
					v = 0
				}
				row = binary.LittleEndian.AppendUint32(row, math.Float32bits(float32(v)))
			}
			if _, err := w.Write(row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *builder) vector(name string, n int, v float32) {
	b.w.Tensor(name, gguf.F32, []uint64{uint64(n)}, func(w io.Writer) error {
		var bytes []byte
		for range n {
			bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
		}
		_, err := w.Write(bytes)
		return err
	})
}
