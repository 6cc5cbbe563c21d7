package gguf_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ingot-llm/ingot/internal/library/gguf"
)

const (
	width, inner, positions, layers = 4, 8, 6, 2

	vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[\nhello\n##s\n[unused1]\n"
	rows       = 11 // two more than the vocabulary has tokens
)

// tinyBERT is a model folder in memory; tests change it before it is written.
type tinyBERT struct {
	config  map[string]any
	files   map[string]string
	shapes  map[string][]int
	weights func(tensor string, i int) float32
	safe    func(header map[string]any, data []byte) []byte
}

func newTinyBERT() *tinyBERT {
	m := &tinyBERT{
		config: map[string]any{
			"_name_or_path": "someone/tiny", "model_type": "bert", "hidden_act": "gelu", "hidden_size": width,
			"intermediate_size": inner, "max_position_embeddings": positions, "num_attention_heads": 2,
			"num_hidden_layers": layers, "type_vocab_size": 2, "vocab_size": rows, "layer_norm_eps": 1e-12,
		},
		files: map[string]string{"vocab.txt": vocabulary},
		shapes: map[string][]int{
			"embeddings.word_embeddings.weight":       {rows, width},
			"embeddings.position_embeddings.weight":   {positions, width},
			"embeddings.token_type_embeddings.weight": {2, width},
			"embeddings.LayerNorm.weight":             {width},
			"embeddings.LayerNorm.bias":               {width},
			"pooler.dense.bias":                       {width},
		},
		weights: func(tensor string, i int) float32 { return float32(len(tensor)) + float32(i)/3 },
		safe:    safetensors,
	}
	for i := range layers {
		p := fmt.Sprintf("encoder.layer.%d.", i)
		linear := func(name string, in, out int) {
			m.shapes[p+name+".weight"], m.shapes[p+name+".bias"] = []int{out, in}, []int{out}
		}
		for _, name := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			linear(name, width, width)
		}
		linear("intermediate.dense", width, inner)
		linear("output.dense", inner, width)
		for _, name := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
			m.shapes[p+name+".weight"], m.shapes[p+name+".bias"] = []int{width}, []int{width}
		}
	}
	return m
}

func safetensors(header map[string]any, data []byte) []byte {
	text, _ := json.Marshal(header)
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	return append(append(b, text...), data...)
}

func (m *tinyBERT) write(t *testing.T) string {
	t.Helper()
	header, data := map[string]any{"__metadata__": map[string]string{"format": "pt"}}, []byte(nil)
	for _, name := range slices.Sorted(maps.Keys(m.shapes)) {
		n, start := 1, len(data)
		for _, d := range m.shapes[name] {
			n *= d
		}
		for i := range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(m.weights(name, i)))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": m.shapes[name], "data_offsets": []int{start, len(data)}}
	}
	dir := t.TempDir()
	config, err := json.Marshal(m.config)
	if err != nil {
		t.Fatal(err)
	}
	files := maps.Clone(m.files)
	files["config.json"], files["model.safetensors"] = string(config), string(m.safe(header, data))
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func convert(t *testing.T, m *tinyBERT) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gguf.ConvertBERT(m.write(t), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAConvertedModelSaysWhatItIs(t *testing.T) {
	h, err := read(convert(t, newTinyBERT()))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(h.Architecture(), " ", h.Name(), " ", h.FileType(), " ", h.TokenizerModel(), " ", h.PoolingType(), " causal ", h.Causal(),
		h.ContextLength(), h.EmbeddingLength(), h.FeedForwardLength(), h.BlockCount(), h.HeadCount(), h.VocabSize())
	want := "bert tiny F16 bert mean causal false 6 4 8 2 2 11"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for key, want := range map[string]uint64{
		"bos": 2, "eos": 3, "unknown": 1, "seperator": 3, "padding": 0, "cls": 2, "mask": 4,
	} {
		if n, ok := h.Uint("tokenizer.ggml." + key + "_token_id"); n != want || !ok {
			t.Errorf("%s token is %d, want %d", key, n, want)
		}
	}
	types := map[string]string{}
	for _, x := range h.Tensors {
		if !strings.HasPrefix(x.Name, "blk.1.") {
			types[x.Name] = fmt.Sprintf("%v%d", x.Type, x.Dims)
		}
	}
	wantTypes := map[string]string{
		"token_embd.weight": "F16[4 11]", "position_embd.weight": "F32[4 6]", "token_types.weight": "F32[4 2]",
		"token_embd_norm.weight": "F32[4]", "token_embd_norm.bias": "F32[4]",
		"blk.0.attn_q.weight": "F16[4 4]", "blk.0.attn_q.bias": "F32[4]", "blk.0.attn_k.weight": "F16[4 4]", "blk.0.attn_k.bias": "F32[4]",
		"blk.0.attn_v.weight": "F16[4 4]", "blk.0.attn_v.bias": "F32[4]", "blk.0.attn_output.weight": "F16[4 4]", "blk.0.attn_output.bias": "F32[4]",
		"blk.0.attn_output_norm.weight": "F32[4]", "blk.0.attn_output_norm.bias": "F32[4]",
		"blk.0.ffn_up.weight": "F16[4 8]", "blk.0.ffn_up.bias": "F32[8]", "blk.0.ffn_down.weight": "F16[8 4]", "blk.0.ffn_down.bias": "F32[4]",
		"blk.0.layer_output_norm.weight": "F32[4]", "blk.0.layer_output_norm.bias": "F32[4]",
	}
	if diff := cmp.Diff(wantTypes, types); diff != "" {
		t.Error(diff)
	}
}

func TestConvertedWeightsAreTheSource(t *testing.T) {
	m := newTinyBERT()
	b := convert(t, m)
	var halves, singles []byte
	const tensor = "encoder.layer.1.output.dense.weight"
	for i := range width * inner {
		halves = binary.LittleEndian.AppendUint16(halves, gguf.Half(m.weights(tensor, i)))
	}
	for i := range width {
		singles = binary.LittleEndian.AppendUint32(singles, math.Float32bits(m.weights("encoder.layer.1.output.dense.bias", i)))
	}
	h, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	last := h.Tensors[len(h.Tensors)-1]
	data := b[len(b)-int(last.Offset)-32:] // the last tensor is 16 bytes and its padding
	for _, x := range h.Tensors {
		want, ok := map[string][]byte{"blk.1.ffn_down.weight": halves, "blk.1.ffn_down.bias": singles}[x.Name]
		if got := data[x.Offset : x.Offset+x.Bytes]; ok && !bytes.Equal(got, want) {
			t.Errorf("%s is % x, want % x", x.Name, got, want)
		}
	}
}

func TestTokensAreInTheFormTheEngineKeeps(t *testing.T) {
	b := convert(t, newTinyBERT())
	var want bytes.Buffer
	w := &gguf.Writer{}
	w.Strings("tokenizer.ggml.tokens", []string{
		"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u2581[", "\u2581hello", "s", "[unused1]", "[PAD9]", "[PAD10]",
	})
	w.Int32s("tokenizer.ggml.token_type", []int32{3, 2, 3, 3, 3, 1, 1, 1, 3, 5, 5})
	if _, err := w.WriteTo(&want); err != nil {
		t.Fatal(err)
	}
	const head = 4 + 4 + 8 + 8
	if entries := bytes.TrimRight(want.Bytes()[head:], "\x00"); !bytes.Contains(b, entries) {
		t.Error("the tokens and their types are not in the file as expected")
	}
}

func TestConversionIsTheSameForEitherVocabularyFileAndEveryTime(t *testing.T) {
	first := convert(t, newTinyBERT())
	m := newTinyBERT()
	vocab := map[string]int{}
	for i, token := range strings.Split(strings.TrimSuffix(vocabulary, "\n"), "\n") {
		vocab[token] = i
	}
	text, err := json.Marshal(map[string]any{"model": map[string]any{"type": "WordPiece", "vocab": vocab}})
	if err != nil {
		t.Fatal(err)
	}
	m.files = map[string]string{"tokenizer.json": string(text)}
	if !bytes.Equal(first, convert(t, m)) {
		t.Error("tokenizer.json gives another file than vocab.txt")
	}
	if !bytes.Equal(first, convert(t, newTinyBERT())) {
		t.Error("a second conversion gives another file")
	}
}

func TestAPrefixOfTheTensorNamesMakesNoDifference(t *testing.T) {
	m := newTinyBERT()
	plain := m.weights
	shapes := map[string][]int{"cls.predictions.bias": {rows}}
	for name, shape := range m.shapes {
		shapes["bert."+name] = shape
	}
	m.shapes = shapes
	m.weights = func(tensor string, i int) float32 { return plain(strings.TrimPrefix(tensor, "bert."), i) }
	if !bytes.Equal(convert(t, m), convert(t, newTinyBERT())) {
		t.Error("the files differ")
	}
}

func TestPoolingComesFromTheModel(t *testing.T) {
	m := newTinyBERT()
	m.files["1_Pooling/config.json"] = `{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`
	h, err := read(convert(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if h.PoolingType() != gguf.PoolingCLS {
		t.Errorf("pooling is %v", h.PoolingType())
	}
}

func TestModelsThatCannotBeConvertedFaithfullyAreRefused(t *testing.T) {
	const query = "encoder.layer.0.attention.self.query.weight"
	entry := func(h map[string]any, name string) map[string]any { return h[name].(map[string]any) }
	edit := func(change func(h map[string]any, data []byte) []byte) func(m *tinyBERT) {
		return func(m *tinyBERT) {
			m.safe = func(h map[string]any, data []byte) []byte { return safetensors(h, change(h, data)) }
		}
	}
	for name, c := range map[string]struct {
		change func(m *tinyBERT)
		want   string
	}{
		"another architecture":    {func(m *tinyBERT) { m.config["model_type"] = "roberta" }, `model type "roberta"`},
		"another activation":      {func(m *tinyBERT) { m.config["hidden_act"] = "relu" }, `activation "relu"`},
		"relative positions":      {func(m *tinyBERT) { m.config["position_embedding_type"] = "relative_key" }, "positions"},
		"upper case":              {func(m *tinyBERT) { m.files["tokenizer_config.json"] = `{"do_lower_case": false}` }, "upper case"},
		"too many layers":         {func(m *tinyBERT) { m.config["num_hidden_layers"] = 1 << 30 }, "layers"},
		"heads that do not fit":   {func(m *tinyBERT) { m.config["num_attention_heads"] = 3 }, "heads"},
		"unknown pooling":         {func(m *tinyBERT) { m.files["1_Pooling/config.json"] = `{"pooling_mode_max_tokens": true}` }, "pooling"},
		"no vocabulary":           {func(m *tinyBERT) { m.files = map[string]string{} }, "vocab.txt"},
		"too long a vocabulary":   {func(m *tinyBERT) { m.files["vocab.txt"] += "a\nb\nc\n" }, "12 tokens"},
		"no separator":            {func(m *tinyBERT) { m.files["vocab.txt"] = "[PAD]\n[UNK]\n[CLS]\n" }, "[SEP]"},
		"a missing tensor":        {func(m *tinyBERT) { delete(m.shapes, query) }, "missing"},
		"a tensor of other shape": {func(m *tinyBERT) { m.shapes[query] = []int{width, width + 1} }, "asks for"},
		"a tensor without place":  {func(m *tinyBERT) { m.shapes["adapter.weight"] = []int{1} }, "no place"},
		"a weight not a number":   {func(m *tinyBERT) { m.weights = func(string, int) float32 { return float32(math.NaN()) } }, "not a number"},
		"a weight out of range":   {func(m *tinyBERT) { m.weights = func(string, int) float32 { return 65520 } }, "too large"},
		"tensors cut short":       {edit(func(_ map[string]any, data []byte) []byte { return data[:len(data)-1] }), "truncated"},
		"bytes after the tensors": {edit(func(_ map[string]any, data []byte) []byte { return append(data, 0) }), "nothing owns"},
		"an overlap": {edit(func(h map[string]any, data []byte) []byte {
			entry(h, query)["data_offsets"] = []int{0, width * width * 4}
			return data
		}), "overlaps"},
		"offsets in reverse": {edit(func(h map[string]any, data []byte) []byte {
			entry(h, query)["data_offsets"] = []int{64, 0}
			return data
		}), "offsets"},
		"an unknown type": {edit(func(h map[string]any, data []byte) []byte {
			entry(h, query)["dtype"] = "F8_E4M3"
			return data
		}), "F8_E4M3"},
		"a shape that overflows": {edit(func(h map[string]any, data []byte) []byte {
			entry(h, query)["shape"] = []uint64{1 << 62, 1 << 62}
			return data
		}), "too large"},
		"a negative shape": {edit(func(h map[string]any, data []byte) []byte {
			entry(h, query)["shape"] = []int{-1, -16}
			return data
		}), "shape"},
		"a huge header": {func(m *tinyBERT) {
			m.safe = func(map[string]any, []byte) []byte { return bytes.Repeat([]byte{0xff}, 64) }
		}, "header of"},
		"an empty file": {func(m *tinyBERT) { m.safe = func(map[string]any, []byte) []byte { return nil } }, "truncated"},
		"a header cut off": {func(m *tinyBERT) {
			m.safe = func(map[string]any, []byte) []byte { return []byte{9, 0, 0, 0, 0, 0, 0, 0, '{'} }
		}, "truncated"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTinyBERT()
			c.change(m)
			err := gguf.ConvertBERT(m.write(t), io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
