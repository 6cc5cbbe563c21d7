package gguf

// Estimate is the resident memory in bytes that serving a model takes.
type Estimate struct {
	Weights uint64
	KV      uint64 // key and value cache, 16 bit, for the whole context of every slot
	Compute uint64 // scratch buffers and the server process itself
	// Projector is what a projector takes beside its text model, as ProjectorMemory tells it.
	Projector uint64
}

// Total is the sum of the parts.
func (e Estimate) Total() uint64 { return add(add(e.Weights, e.Projector), add(e.KV, e.Compute)) }

const (
	// batch is how many tokens llama.cpp computes in one go by default.
	batch = 512
	// serverBytes is what an engine process takes before any model.
	serverBytes = 64 << 20
)

// Memory estimates what serving the model takes with slots parallel requests
// of context tokens each. It counts full attention in every block, so that
// models with sliding windows take less.
func (h *Header) Memory(context, slots int) Estimate {
	tokens := mul(positive(context), positive(slots))
	// A handful of activations and the attention mask for a batch.
	values := add(mul(positive(h.EmbeddingLength()), 6), add(mul(positive(h.FeedForwardLength()), 2), tokens))
	e := Estimate{Weights: h.TensorBytes()}
	if h.Causal() {
		perHead := mul(add(positive(h.KeyLength()), positive(h.ValueLength())), 2)
		e.KV = mul(mul(h.kvHeads(), perHead), tokens)
	} else {
		// Encoders keep nothing, but score all heads of a batch at once.
		values = add(values, mul(positive(h.HeadCount()), positive(context)))
	}
	logits := mul(mul(h.VocabSize(), positive(slots)), 4)
	e.Compute = add(serverBytes, add(mul(values, batch*4), logits))
	return e
}

// kvHeads is the number of key and value heads in all blocks together.
func (h *Header) kvHeads() uint64 {
	perBlock := h.list(h.Architecture() + ".attention.head_count_kv")
	if len(perBlock) > 1 {
		var n uint64
		for _, heads := range perBlock {
			n = add(n, heads)
		}
		return n
	}
	return mul(positive(h.BlockCount()), positive(h.HeadCountKV()))
}

func positive(n int) uint64 {
	return uint64(max(n, 0))
}
