package library_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/library"
	"github.com/ingot-llm/ingot/internal/library/gguf"
)

// tinyGGUF is a file that can be loaded as far as its header says; seed makes it different.
func tinyGGUF(t testing.TB, seed byte) []byte {
	t.Helper()
	var w gguf.Writer
	w.String("general.architecture", "llama")
	w.String("general.name", "Tiny")
	w.String("general.license", "mit")
	w.Uint32("llama.context_length", 64)
	w.Tensor("token_embd.weight", gguf.F32, []uint64{32, 4096}, func(out io.Writer) error {
		_, err := out.Write(bytes.Repeat([]byte{seed}, 4*32*4096))
		return err
	})
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tinyBERT is an embedding model of one layer as safetensors and its companions.
func tinyBERT(t testing.TB) map[string][]byte {
	t.Helper()
	const hidden, inner, context = 32, 64, 16
	vocab := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c"}
	shapes := map[string][]int{
		"embeddings.word_embeddings.weight":       {len(vocab), hidden},
		"embeddings.position_embeddings.weight":   {context, hidden},
		"embeddings.token_type_embeddings.weight": {2, hidden},
	}
	pair := func(name string, out int, in ...int) {
		shapes[name+".weight"], shapes[name+".bias"] = append([]int{out}, in...), []int{out}
	}
	pair("embeddings.LayerNorm", hidden)
	layer := "encoder.layer.0."
	for _, n := range []string{"query", "key", "value"} {
		pair(layer+"attention.self."+n, hidden, hidden)
	}
	pair(layer+"attention.output.dense", hidden, hidden)
	pair(layer+"attention.output.LayerNorm", hidden)
	pair(layer+"intermediate.dense", inner, hidden)
	pair(layer+"output.dense", hidden, inner)
	pair(layer+"output.LayerNorm", hidden)
	header, size := map[string]any{}, 0
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		n := 4
		for _, d := range shapes[name] {
			n *= d
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shapes[name], "data_offsets": []int{size, size + n}}
		size += n
	}
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	tensors := append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...)
	tensors = append(tensors, make([]byte, size)...)
	config := fmt.Sprintf(`{"model_type":"bert","hidden_act":"gelu","position_embedding_type":"absolute","hidden_size":%d,"intermediate_size":%d,
		"max_position_embeddings":%d,"num_attention_heads":2,"num_hidden_layers":1,"type_vocab_size":2,"vocab_size":%d,"layer_norm_eps":1e-12}`, hidden, inner, context, len(vocab))
	return map[string][]byte{
		"model.safetensors": tensors, "config.json": []byte(config), "vocab.txt": []byte(strings.Join(vocab, "\n") + "\n"),
		"1_Pooling/config.json": []byte(`{"word_embedding_dimension":32,"pooling_mode_mean_tokens":true}`),
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// server serves files by their path, and counts the answers.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	hits  map[string]int
	hold  chan struct{} // if not nil, answers wait in the middle until it is closed
}

func serve(t *testing.T, files map[string][]byte) *server {
	t.Helper()
	s := &server{files: files, hits: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.hits[r.URL.Path]++
		data, ok := s.files[r.URL.Path]
		hold := s.hold
		s.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Etag", `"`+sum(data)+`"`)
		w.Header().Set("X-Linked-Etag", `"`+sum(data)+`"`)
		if hold == nil {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:len(data)/2])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hold:
			_, _ = w.Write(data[len(data)/2:])
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

func open(t *testing.T, dir, hub string, catalog ...library.Entry) *library.Library {
	t.Helper()
	if catalog == nil {
		catalog = []library.Entry{}
	}
	l, err := library.Open(dir, library.Options{HubURL: hub, Catalog: catalog, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// chat is a catalogue entry for one file.
func chat(name string, data []byte, refs ...string) library.Entry {
	e := library.Entry{Name: name, Kind: library.Chat, Size: int64(len(data)), SHA256: sum(data)}
	for _, r := range refs {
		e.Sources = append(e.Sources, library.Source{Ref: r})
	}
	return e
}

// await polls until ok, for at most ten seconds.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
	}
}
