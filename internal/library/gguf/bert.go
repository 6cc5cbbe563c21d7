package gguf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ConverterVersion names what ConvertBERT makes: the same version and the same
// input give the same bytes.
const ConverterVersion = "1"

const (
	maxBERTFile    = 32 << 20
	maxBERTLayers  = 256
	maxBERTContext = 1 << 16
	maxBERTVocab   = 1 << 20
	fileTypeF16    = 1

	tokenNormal, tokenUnknown, tokenControl, tokenUnused = 1, 2, 3, 5
)

type bertConfig struct {
	Name       string  `json:"_name_or_path"`
	ModelType  string  `json:"model_type"`
	Activation string  `json:"hidden_act"`
	Position   string  `json:"position_embedding_type"`
	Hidden     uint32  `json:"hidden_size"`
	Inner      uint32  `json:"intermediate_size"`
	Context    uint32  `json:"max_position_embeddings"`
	Heads      uint32  `json:"num_attention_heads"`
	Layers     uint32  `json:"num_hidden_layers"`
	Types      uint32  `json:"type_vocab_size"`
	Vocab      uint32  `json:"vocab_size"`
	Epsilon    float64 `json:"layer_norm_eps"`
	pooling    Pooling
}

// ConvertBERT writes the BERT-family embedding model in dir as a GGUF file
// that llama.cpp loads: matrices in 16 bit, everything else in 32 bit. It
// needs model.safetensors, config.json, and vocab.txt or tokenizer.json; it
// pools as 1_Pooling/config.json says, by the mean without one. A model that
// cannot be converted faithfully is refused.
func ConvertBERT(dir string, out io.Writer) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("convert model: %w", err)
		}
	}()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	c, err := readBERTConfig(root.FS())
	if err != nil {
		return err
	}
	tokens, err := readVocabulary(root.FS(), c.Vocab)
	if err != nil {
		return err
	}
	f, err := root.Open("model.safetensors")
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tensors, err := readSafetensors(f, info.Size())
	if err != nil {
		return err
	}
	w := &Writer{}
	c.writeKeys(w)
	if err := writeVocabulary(w, tokens, c); err != nil {
		return err
	}
	if err := c.writeTensors(w, tensors); err != nil {
		return err
	}
	_, err = w.WriteTo(out)
	return err
}

// readJSON decodes a file that may be absent, and reports whether it is there.
func readJSON(fsys fs.FS, name string, v any) (bool, error) {
	b, err := readSmall(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("parse %s: %w", name, err)
	}
	return true, nil
}

func readSmall(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBERTFile {
		return nil, fmt.Errorf("read %s: not a file of at most %d bytes", name, maxBERTFile)
	}
	return fs.ReadFile(fsys, name)
}

func readBERTConfig(fsys fs.FS) (*bertConfig, error) {
	c := &bertConfig{Epsilon: 1e-12, Types: 2}
	there, err := readJSON(fsys, "config.json", c)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, errors.New("config.json is missing")
	}
	var tokenizer struct {
		LowerCase *bool `json:"do_lower_case"`
	}
	if _, err := readJSON(fsys, "tokenizer_config.json", &tokenizer); err != nil {
		return nil, err
	}
	if c.pooling, err = readPooling(fsys); err != nil {
		return nil, err
	}
	switch {
	case c.ModelType != "bert":
		return nil, fmt.Errorf("model type %q is not supported: only bert is", c.ModelType)
	case c.Activation != "gelu":
		return nil, fmt.Errorf("activation %q is not supported: only gelu is", c.Activation)
	case c.Position != "" && c.Position != "absolute":
		return nil, fmt.Errorf("%q positions are not supported: only absolute ones are", c.Position)
	case tokenizer.LowerCase != nil && !*tokenizer.LowerCase:
		return nil, errors.New("a vocabulary with upper case is not supported: the engine lowers every text")
	case c.Layers > maxBERTLayers || c.Context > maxBERTContext || c.Vocab > maxBERTVocab:
		return nil, fmt.Errorf("%d layers, %d positions, %d tokens: at most %d, %d, %d are supported",
			c.Layers, c.Context, c.Vocab, maxBERTLayers, maxBERTContext, maxBERTVocab)
	case c.Heads == 0 || c.Hidden%c.Heads != 0:
		return nil, fmt.Errorf("%d heads do not divide the width %d", c.Heads, c.Hidden)
	case c.Types != 2:
		return nil, fmt.Errorf("%d token types are not supported: 2 are", c.Types)
	}
	return c, nil
}

func readPooling(fsys fs.FS) (Pooling, error) {
	var p struct {
		CLS  bool `json:"pooling_mode_cls_token"`
		Mean bool `json:"pooling_mode_mean_tokens"`
	}
	there, err := readJSON(fsys, "1_Pooling/config.json", &p)
	switch {
	case err != nil:
		return 0, err
	case !there || p.Mean && !p.CLS:
		return PoolingMean, nil
	case p.CLS && !p.Mean:
		return PoolingCLS, nil
	}
	return 0, errors.New("the pooling in 1_Pooling/config.json is not supported: cls or mean alone are")
}

// readVocabulary is the model's tokens in the order of their numbers.
func readVocabulary(fsys fs.FS, size uint32) ([]string, error) {
	text, err := readSmall(fsys, "vocab.txt")
	if err == nil {
		tokens := strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"), "\n")
		if len(tokens) > int(size) {
			return nil, fmt.Errorf("vocab.txt has %d tokens, config.json says %d", len(tokens), size)
		}
		return tokens, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var t struct {
		Model struct {
			Type  string         `json:"type"`
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
	}
	there, err := readJSON(fsys, "tokenizer.json", &t)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, errors.New("vocab.txt and tokenizer.json are both missing")
	}
	if t.Model.Type != "WordPiece" || len(t.Model.Vocab) > int(size) {
		return nil, fmt.Errorf("tokenizer.json has a %q model of %d tokens: a WordPiece one of at most %d is needed", t.Model.Type, len(t.Model.Vocab), size)
	}
	tokens := make([]string, len(t.Model.Vocab))
	for token, id := range t.Model.Vocab {
		if id < 0 || id >= len(tokens) || tokens[id] != "" {
			return nil, fmt.Errorf("tokenizer.json gives token %q the number %d, which is taken or out of range", token, id)
		}
		tokens[id] = token
	}
	return tokens, nil
}

func (c *bertConfig) writeKeys(w *Writer) {
	w.String("general.architecture", "bert")
	if name := filepath.Base(filepath.ToSlash(c.Name)); c.Name != "" && name != "." && name != "/" {
		w.String("general.name", name)
	}
	w.Uint32("general.file_type", fileTypeF16)
	w.Uint32("bert.context_length", c.Context)
	w.Uint32("bert.embedding_length", c.Hidden)
	w.Uint32("bert.feed_forward_length", c.Inner)
	w.Uint32("bert.block_count", c.Layers)
	w.Uint32("bert.attention.head_count", c.Heads)
	w.Float32("bert.attention.layer_norm_epsilon", float32(c.Epsilon))
	w.Bool("bert.attention.causal", false)
	w.Uint32("bert.pooling_type", uint32(c.pooling)) //nolint:gosec // mean or cls
}

// writeVocabulary writes the tokens in the form llama.cpp keeps WordPiece in:
// what begins a word after a phantom space, what continues one bare.
func writeVocabulary(w *Writer, tokens []string, c *bertConfig) error {
	texts, types := make([]string, c.Vocab), make([]int32, c.Vocab)
	for i := range texts {
		switch {
		case i >= len(tokens):
			texts[i], types[i] = fmt.Sprintf("[PAD%d]", i), tokenUnused
		case tokens[i] == "[UNK]":
			texts[i], types[i] = tokens[i], tokenUnknown
		case len(tokens[i]) > 2 && strings.HasPrefix(tokens[i], "[") && strings.HasSuffix(tokens[i], "]"):
			texts[i], types[i] = tokens[i], tokenControl
		case len(tokens[i]) > 2 && strings.HasPrefix(tokens[i], "##"):
			texts[i], types[i] = tokens[i][len("##"):], tokenNormal
		default:
			texts[i], types[i] = "\u2581"+tokens[i], tokenNormal
		}
	}
	w.String("tokenizer.ggml.model", "bert")
	w.String("tokenizer.ggml.pre", "default")
	w.Strings("tokenizer.ggml.tokens", texts)
	w.Int32s("tokenizer.ggml.token_type", types)
	w.Uint32("tokenizer.ggml.token_type_count", c.Types)
	for _, special := range []struct{ key, token string }{
		{"bos", "[CLS]"},
		{"eos", "[SEP]"},
		{"unknown", "[UNK]"},
		{"seperator", "[SEP]"}, // the format's own spelling
		{"padding", "[PAD]"},
		{"cls", "[CLS]"},
		{"mask", "[MASK]"},
	} {
		id := slices.Index(tokens, special.token)
		if id < 0 {
			return fmt.Errorf("the vocabulary has no %s", special.token)
		}
		w.Uint32("tokenizer.ggml."+special.key+"_token_id", uint32(id)) //nolint:gosec // below maxBERTVocab
	}
	return nil
}

// writeTensors renames the tensors, and refuses one that is missing, has
// another shape than the configuration says, or has no place.
func (c *bertConfig) writeTensors(w *Writer, tensors map[string]stored) error {
	prefix := ""
	if _, ok := tensors["bert.embeddings.word_embeddings.weight"]; ok {
		prefix = "bert."
	}
	used := map[string]bool{}
	var failed error
	put := func(from, to string, typ Type, shape ...uint32) {
		from = prefix + from
		t, ok := tensors[from]
		used[from] = true
		dims := make([]uint64, 0, len(shape))
		for _, n := range shape {
			dims = append(dims, uint64(n))
		}
		switch {
		case failed != nil:
			return
		case !ok:
			failed = fmt.Errorf("tensor %q is missing", from)
		case t.typ == I64 || !slices.Equal(t.dims, dims):
			failed = fmt.Errorf("tensor %q is %v %d, config.json asks for numbers %d", from, t.typ, t.dims, dims)
		default:
			slices.Reverse(dims)
			w.Tensor(to, typ, dims, func(out io.Writer) error { return t.copyAs(out, typ) })
		}
	}
	norm := func(from, to string) {
		put(from+".weight", to+".weight", F32, c.Hidden)
		put(from+".bias", to+".bias", F32, c.Hidden)
	}
	put("embeddings.word_embeddings.weight", "token_embd.weight", F16, c.Vocab, c.Hidden)
	put("embeddings.position_embeddings.weight", "position_embd.weight", F32, c.Context, c.Hidden)
	put("embeddings.token_type_embeddings.weight", "token_types.weight", F32, c.Types, c.Hidden)
	norm("embeddings.LayerNorm", "token_embd_norm")
	for i := range c.Layers {
		from, to := fmt.Sprintf("encoder.layer.%d.", i), fmt.Sprintf("blk.%d.", i)
		linear := func(f, t string, in, out uint32) {
			put(from+f+".weight", to+t+".weight", F16, out, in)
			put(from+f+".bias", to+t+".bias", F32, out)
		}
		linear("attention.self.query", "attn_q", c.Hidden, c.Hidden)
		linear("attention.self.key", "attn_k", c.Hidden, c.Hidden)
		linear("attention.self.value", "attn_v", c.Hidden, c.Hidden)
		linear("attention.output.dense", "attn_output", c.Hidden, c.Hidden)
		norm(from+"attention.output.LayerNorm", to+"attn_output_norm")
		linear("intermediate.dense", "ffn_up", c.Hidden, c.Inner)
		linear("output.dense", "ffn_down", c.Inner, c.Hidden)
		norm(from+"output.LayerNorm", to+"layer_output_norm")
	}
	if failed != nil {
		return failed
	}
	for name := range tensors {
		rest := strings.TrimPrefix(name, prefix)
		if !used[name] && !strings.HasPrefix(rest, "pooler.") && !strings.HasPrefix(name, "cls.") && rest != "embeddings.position_ids" {
			return fmt.Errorf("tensor %q has no place in a BERT model", name)
		}
	}
	return nil
}
