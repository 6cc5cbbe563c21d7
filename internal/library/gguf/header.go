package gguf

import (
	"math"
	"strconv"
)

// Header is what a GGUF file says about the model in it. It is not changed
// after it was read, so that any number of goroutines may use it.
type Header struct {
	Tensors []Tensor
	values  map[string]value
}

// value is one metadata entry: a string, a number as its bits, or an array, of
// which the items are kept only when they are few and numbers.
type value struct {
	typ    uint32
	text   string
	bits   uint64
	elem   uint32
	length uint64
	items  []uint64

	marks    map[uint64]string // of the vocabulary: tokens that look like marks
	steering []uint64          // of the tokens' types: those of no ordinary text
}

// String is the text value of a metadata key, empty when it has none.
func (h *Header) String(key string) string { return h.values[key].text }

// Uint is the value of an integer key, and whether there is one that is not
// negative.
func (h *Header) Uint(key string) (uint64, bool) {
	v, ok := h.values[key]
	if !ok {
		return 0, false
	}
	return integer(v.typ, v.bits)
}

func integer(typ uint32, bits uint64) (uint64, bool) {
	switch typ {
	case typeUint8, typeUint16, typeUint32, typeUint64:
		return bits, true
	case typeInt8, typeInt16, typeInt32, typeInt64:
		return bits, bits <= math.MaxInt64
	default:
		return 0, false
	}
}

// Bool is the value of a boolean key, and whether there is one.
func (h *Header) Bool(key string) (value, ok bool) {
	v, ok := h.values[key]
	return v.bits != 0, ok && v.typ == typeBool
}

// list is a key's value per block: an array as it is, a number as one item.
func (h *Header) list(key string) []uint64 {
	v, ok := h.values[key]
	if !ok {
		return nil
	}
	if n, ok := integer(v.typ, v.bits); ok {
		return []uint64{n}
	}
	var ns []uint64
	for _, bits := range v.items {
		n, _ := integer(v.elem, bits)
		ns = append(ns, n)
	}
	return ns
}

// largest is the largest value of a key that may differ from block to block.
func (h *Header) largest(key string) uint64 {
	var most uint64
	for _, n := range h.list(key) {
		most = max(most, n)
	}
	return most
}

// size is a key of the model's own architecture as an int, 0 when absent;
// ReadHeader has checked the ones asked for here to fit.
func (h *Header) size(key string) int {
	return int(min(h.largest(h.Architecture()+"."+key), math.MaxInt32))
}

// Architecture is the model's architecture, such as "llama", "bert" or "clip".
func (h *Header) Architecture() string { return h.String("general.architecture") }

// Name is the name the model's maker gave it, possibly empty.
func (h *Header) Name() string { return h.String("general.name") }

// ContextLength is the number of tokens the model was trained for, 0 when the
// file does not say.
func (h *Header) ContextLength() int { return h.size("context_length") }

// EmbeddingLength is the width of the model, and of its embeddings.
func (h *Header) EmbeddingLength() int { return h.size("embedding_length") }

// FeedForwardLength is the inner width of the feed-forward layers, of the
// widest when they differ.
func (h *Header) FeedForwardLength() int { return h.size("feed_forward_length") }

// BlockCount is the number of transformer blocks.
func (h *Header) BlockCount() int { return h.size("block_count") }

// HeadCount is the number of attention heads, of the widest block when they
// differ.
func (h *Header) HeadCount() int { return h.size("attention.head_count") }

// HeadCountKV is the number of key and value heads, of the widest block when
// they differ; HeadCount when the file does not say.
func (h *Header) HeadCountKV() int {
	if len(h.list(h.Architecture()+".attention.head_count_kv")) == 0 {
		return h.HeadCount()
	}
	return h.size("attention.head_count_kv")
}

// KeyLength is the width of one key head.
func (h *Header) KeyLength() int { return h.headLength("attention.key_length") }

// ValueLength is the width of one value head.
func (h *Header) ValueLength() int { return h.headLength("attention.value_length") }

func (h *Header) headLength(key string) int {
	if n := h.size(key); n > 0 {
		return n
	}
	if n := h.HeadCount(); n > 0 {
		return h.EmbeddingLength() / n
	}
	return 0
}

// Causal reports whether each token sees only those before it; false for
// encoders such as BERT.
func (h *Header) Causal() bool {
	causal, ok := h.Bool(h.Architecture() + ".attention.causal")
	return causal || !ok
}

// Pooling says how token vectors become the one vector of a text.
type Pooling int

// The kinds of pooling. PoolingUnspecified is what most generating models have.
const (
	PoolingUnspecified Pooling = iota - 1
	PoolingNone
	PoolingMean
	PoolingCLS
	PoolingLast
	PoolingRank
)

// String is the pooling's usual name in lower case.
func (p Pooling) String() string {
	names := [...]string{"unspecified", "none", "mean", "cls", "last", "rank"}
	if i := int(p) + 1; i >= 0 && i < len(names) {
		return names[i]
	}
	return "pooling " + strconv.Itoa(int(p))
}

// PoolingType is the pooling the file asks for.
func (h *Header) PoolingType() Pooling {
	n, ok := h.Uint(h.Architecture() + ".pooling_type")
	if !ok || n > uint64(PoolingRank) {
		return PoolingUnspecified
	}
	return Pooling(n)
}

// ChatTemplate is the model's own chat template in Jinja, empty when it has
// none.
func (h *Header) ChatTemplate() string { return h.String("tokenizer.chat_template") }

// AddsSpaces reports whether the tokenizer puts a space before each text, as SentencePiece ones do where the file does not say.
func (h *Header) AddsSpaces() bool {
	adds, said := h.Bool("tokenizer.ggml.add_space_prefix")
	return adds || !said && h.TokenizerModel() == "llama"
}

// AddsBOS reports whether the tokenizer begins every text with a token of its own, as SentencePiece ones do where the file
// does not say.
func (h *Header) AddsBOS() bool {
	adds, said := h.Bool("tokenizer.ggml.add_bos_token")
	return adds || !said && h.TokenizerModel() == "llama"
}

// TokenizerModel is the kind of tokenizer, such as "llama", "gpt2" or "bert".
func (h *Header) TokenizerModel() string { return h.String("tokenizer.ggml.model") }

// VocabSize is the number of tokens in the vocabulary, 0 when the file has
// none.
func (h *Header) VocabSize() uint64 {
	return h.values[vocabularyKey].length
}

// FileType is the label of the quantization most tensors have, such as
// "Q4_K_M"; empty when the file does not say.
func (h *Header) FileType() string {
	labels := [...]string{
		0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
		11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
		19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S",
		27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0",
		38: "MXFP4", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
	}
	n, ok := h.Uint("general.file_type")
	if !ok || n >= uint64(len(labels)) {
		return ""
	}
	return labels[n] //nolint:gosec // bounded just above
}

// Parameters is the number of weights in the file.
func (h *Header) Parameters() uint64 {
	var n uint64
	for _, t := range h.Tensors {
		n = add(n, t.Elements())
	}
	return n
}

// TensorBytes is the size of all weights in bytes.
func (h *Header) TensorBytes() uint64 {
	var n uint64
	for _, t := range h.Tensors {
		n = add(n, t.Bytes)
	}
	return n
}
