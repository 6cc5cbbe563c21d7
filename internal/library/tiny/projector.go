package tiny

import "fmt"

// The sizes of a projector of this package, in pixels.
const (
	ImageSize = 64
	PatchSize = 16
	patches   = (ImageSize / PatchSize) * (ImageSize / PatchSize)
)

// clip writes a projector in the manner of LLaVA: a vision transformer and two layers that lead into the text model.
func (b *builder) clip() {
	const vision = "clip.vision."
	inner := 2 * b.Width
	b.w.Bool("clip.has_vision_encoder", true)
	b.w.String("clip.projector_type", "mlp")
	b.w.Bool("clip.use_gelu", true)
	b.w.Uint32(vision+"image_size", ImageSize)
	b.w.Uint32(vision+"patch_size", PatchSize)
	b.w.Uint32(vision+"embedding_length", uint32(b.Width))
	b.w.Uint32(vision+"feed_forward_length", uint32(inner))
	b.w.Uint32(vision+"block_count", uint32(b.Layers))
	b.w.Uint32(vision+"projection_dim", uint32(b.Width))
	b.w.Uint32(vision+"attention.head_count", heads)
	b.w.Float32(vision+"attention.layer_norm_epsilon", 1e-5)
	b.w.Float32s(vision+"image_mean", []float32{0.5, 0.5, 0.5})
	b.w.Float32s(vision+"image_std", []float32{0.5, 0.5, 0.5})

	b.random("v.patch_embd.weight", nil, PatchSize, PatchSize, 3, b.Width)
	b.random("v.class_embd", nil, b.Width)
	b.random("v.position_embd.weight", nil, b.Width, patches+1)
	norm := func(name string) {
		b.vector(name+".weight", b.Width, 1)
		b.vector(name+".bias", b.Width, 0)
	}
	linear := func(name string, in, out int) {
		b.matrix(name+".weight", in, out, nil)
		b.vector(name+".bias", out, 0)
	}
	norm("v.pre_ln")
	for i := range b.Layers {
		block := fmt.Sprintf("v.blk.%d.", i)
		norm(block + "ln1")
		norm(block + "ln2")
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			linear(block+name, b.Width, b.Width)
		}
		linear(block+"ffn_up", b.Width, inner)
		linear(block+"ffn_down", inner, b.Width)
	}
	linear("mm.0", b.Width, b.Width)
	linear("mm.2", b.Width, b.Width)
}
