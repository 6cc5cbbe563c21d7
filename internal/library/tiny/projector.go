package tiny

import "fmt"

// The sizes of a projector of this package, in pixels.
const (
	ImageSize = 64
	PatchSize = 16
	patches   = (ImageSize / PatchSize) * (ImageSize / PatchSize)
)

// eyes writes a projector of images in the manner of LLaVA: a vision transformer and two layers that lead into the text model.
func (b *builder) eyes() {
	const vision = "clip.vision."
	b.sense("vision", "mlp")
	b.w.Uint32(vision+"image_size", ImageSize)
	b.w.Uint32(vision+"patch_size", PatchSize)
	b.w.Float32s(vision+"image_mean", []float32{0.5, 0.5, 0.5})
	b.w.Float32s(vision+"image_std", []float32{0.5, 0.5, 0.5})

	b.random("v.patch_embd.weight", nil, PatchSize, PatchSize, 3, b.Width)
	b.random("v.class_embd", nil, b.Width)
	b.random("v.position_embd.weight", nil, b.Width, patches+1)
	b.norm("v.pre_ln")
	for i := range b.Layers {
		b.vector(b.block("v.", i)+"attn_k.bias", b.Width, 0)
	}
	b.linear("mm.0", b.Width, b.Width)
	b.linear("mm.2", b.Width, b.Width)
}

// sense describes the encoder of one sense, and the kind of what leads from it into the text model.
func (b *builder) sense(name, kind string) {
	of := "clip." + name + "."
	b.w.Bool("clip.has_"+name+"_encoder", true)
	b.w.String("clip.projector_type", kind)
	b.w.Bool("clip.use_gelu", true)
	b.w.Uint32(of+"embedding_length", uint32(b.Width))
	b.w.Uint32(of+"feed_forward_length", uint32(2*b.Width))
	b.w.Uint32(of+"block_count", uint32(b.Layers))
	b.w.Uint32(of+"projection_dim", uint32(b.Width))
	b.w.Uint32(of+"attention.head_count", heads)
	b.w.Float32(of+"attention.layer_norm_epsilon", 1e-5)
}

// block writes a transformer block of an encoder, but for the bias of its keys, which Whisper's have not, and returns how the
// names of its tensors begin.
func (b *builder) block(prefix string, i int) string {
	block := fmt.Sprintf("%sblk.%d.", prefix, i)
	b.norm(block + "ln1")
	b.norm(block + "ln2")
	for _, name := range []string{"attn_q", "attn_v", "attn_out"} {
		b.linear(block+name, b.Width, b.Width)
	}
	b.matrix(block+"attn_k.weight", b.Width, b.Width, nil)
	b.linear(block+"ffn_up", b.Width, 2*b.Width)
	b.linear(block+"ffn_down", 2*b.Width, b.Width)
	return block
}

func (b *builder) norm(name string) {
	b.vector(name+".weight", b.Width, 1)
	b.vector(name+".bias", b.Width, 0)
}

func (b *builder) linear(name string, in, out int) {
	b.matrix(name+".weight", in, out, nil)
	b.vector(name+".bias", out, 0)
}

// The sizes of an encoder of sounds: Whisper's, of half a minute in frames of which two make a position.
const (
	melBins   = 128
	positions = 1500
	kernel    = 3
)

// ears writes a projector of sounds in the manner of Qwen2-Audio: Whisper's encoder and one layer that leads into the text model.
func (b *builder) ears() {
	b.sense("audio", "qwen2a")
	b.w.Uint32("clip.audio.num_mel_bins", melBins)

	b.random("a.conv1d.1.weight", nil, kernel, melBins, b.Width)
	b.random("a.conv1d.1.bias", nil, 1, b.Width)
	b.random("a.conv1d.2.weight", nil, kernel, b.Width, b.Width)
	b.random("a.conv1d.2.bias", nil, 1, b.Width)
	b.random("a.position_embd.weight", nil, b.Width, positions)
	for i := range b.Layers {
		b.block("a.", i)
	}
	b.norm("a.post_ln")
	b.linear("mm.a.fc", b.Width, b.Width)
}
