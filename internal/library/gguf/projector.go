package gguf

// IsProjector reports whether the file is the half of a multimodal model that turns images or sounds into what a text model
// understands. It cannot be served alone.
func (h *Header) IsProjector() bool {
	return h.Architecture() == "clip" && (h.SeesImages() || h.HearsAudio())
}

// SeesImages reports whether a projector takes images.
func (h *Header) SeesImages() bool {
	has, _ := h.Bool("clip.has_vision_encoder")
	return has
}

// HearsAudio reports whether a projector takes sounds.
func (h *Header) HearsAudio() bool {
	has, _ := h.Bool("clip.has_audio_encoder")
	return has
}

// ProjectsTo is the width of the text models that a projector belongs to, 0 when it does not say. Files of the first LLaVA
// converters name another number here.
func (h *Header) ProjectsTo() int {
	if n := h.size("vision.projection_dim"); n > 0 {
		return n
	}
	return h.size("audio.projection_dim")
}

// Patches is how many patches a projector cuts any image into, 0 where that depends on the image or is not known.
func (h *Header) Patches() int {
	kind := h.String("clip.projector_type")
	if kind == "" {
		kind = h.String("clip.vision.projector_type")
	}
	switch kind {
	case "mlp", "ldp", "ldpv2", "gemma3":
	default:
		return 0
	}
	if _, tiled := h.values["clip.vision.image_grid_pinpoints"]; tiled {
		return 0
	}
	return h.grid()
}

// grid is how many patches an image of the trained size has.
func (h *Header) grid() int {
	image, patch := h.size("vision.image_size"), h.size("vision.patch_size")
	const most = 1 << 15 // pixels to a side, far above any model's
	if patch <= 0 || image > most {
		return 0
	}
	return (image / patch) * (image / patch)
}

// ProjectorMemory estimates the resident memory in bytes that a projector takes beside its text model.
func (h *Header) ProjectorMemory() uint64 {
	const activations, bytes = 6, 4
	patches := positive(h.grid())
	perPatch := add(mul(positive(h.size("vision.embedding_length")), activations), mul(positive(h.size("vision.feed_forward_length")), 2))
	scores := mul(positive(h.size("vision.attention.head_count")), patches)
	return add(h.TensorBytes(), mul(mul(patches, add(perPatch, scores)), bytes))
}
