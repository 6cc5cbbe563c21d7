//go:build engine && linux

package engine_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const minilm = `
models:
  minilm: {local: minilm, threads: 1, slots: 2}
`

// embed returns the vectors of inputs as numbers, and how many tokens they cost.
func (g *gateway) embed(inputs []string, more body) ([][]float64, int) {
	g.t.Helper()
	b := body{"model": "minilm", "input": inputs}
	maps.Copy(b, more)
	var answer struct {
		Data []struct {
			Index     int
			Embedding []float64
		}
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		}
	}
	text, err := json.Marshal(g.must("/embeddings", b))
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	if len(answer.Data) != len(inputs) {
		g.t.Fatalf("%d vectors for %d inputs", len(answer.Data), len(inputs))
	}
	vectors := make([][]float64, len(inputs))
	for _, d := range answer.Data {
		vectors[d.Index] = d.Embedding
	}
	return vectors, answer.Usage.Prompt
}

func cosine(a, b []float64) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot, aa, bb = dot+a[i]*b[i], aa+a[i]*a[i], bb+b[i]*b[i]
	}
	return dot / math.Sqrt(aa*bb)
}

// apart is the largest difference of two vectors in one dimension.
func apart(a, b []float64) float64 {
	var most float64
	for i := range a {
		most = max(most, math.Abs(a[i]-b[i]))
	}
	return most
}

func TestEmbeddings(t *testing.T) {
	g := serve(t, minilm)
	text, err := os.ReadFile(filepath.Join(root, "test", "testdata", "minilm-reference.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Dimensions int
		Cosine     [][]float64
		Sentences  []struct {
			Text   string
			Tokens int
			Vector []float64
		}
	}
	if err := json.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	var sentences []string
	tokens := 0
	for _, s := range reference.Sentences {
		sentences = append(sentences, s.Text)
		tokens += s.Tokens
	}
	vectors, used := g.embed(sentences, nil)

	t.Run("equal the reference", func(t *testing.T) {
		for i, s := range reference.Sentences {
			if len(vectors[i]) != reference.Dimensions {
				t.Fatalf("%d dimensions", len(vectors[i]))
			}
			if d := apart(s.Vector, vectors[i][:len(s.Vector)]); d > 1e-2 {
				t.Errorf("%q: differs by %v", s.Text, d)
			}
			for k := range vectors {
				if d := math.Abs(cosine(vectors[i], vectors[k]) - reference.Cosine[i][k]); d > 1e-2 {
					t.Errorf("cosine %d, %d differs by %v", i, k, d)
				}
			}
		}
		if used != tokens {
			t.Errorf("%d tokens, want %d", used, tokens)
		}
	})
	t.Run("close sentences are closer than far ones", func(t *testing.T) {
		for _, c := range [][3]string{
			{"The cat sat on the mat.", "A kitten is resting on the rug.", "Stock markets fell sharply on Friday."},
			{"How do I bake bread?", "A recipe for a sourdough loaf", "The train to Berlin is late."},
			{"The patient has a high fever.", "She is ill and her temperature has risen.", "The compiler reports a type error."},
		} {
			v, _ := g.embed(c[:], nil)
			if near, far := cosine(v[0], v[1]), cosine(v[0], v[2]); near < far+0.1 {
				t.Errorf("%q: %.2f to %q, %.2f to %q", c[0], near, c[1], far, c[2])
			}
		}
	})
	t.Run("batches equal singles", func(t *testing.T) {
		var many []string
		for i := range 40 {
			many = append(many, fmt.Sprintf("%s Number %d.", sentences[i%len(sentences)], i))
		}
		batch, used := g.embed(many, nil)
		sum := 0
		for i, s := range many {
			single, n := g.embed([]string{s}, nil)
			sum += n
			if d := apart(single[0], batch[i]); d > 1e-3 {
				t.Errorf("%q: differs by %v", s, d)
			}
		}
		if sum != used {
			t.Errorf("%d tokens as a batch, %d one by one", used, sum)
		}
	})
	t.Run("every input type", func(t *testing.T) {
		for _, kind := range []string{"text", "query", "document"} {
			v, _ := g.embed(sentences, body{"input_type": kind})
			for i := range v {
				if d := apart(v[i], vectors[i]); d > 1e-3 {
					t.Errorf("%s: differs by %v, and this model has no prefixes", kind, d)
				}
			}
		}
	})
	t.Run("every encoding", func(t *testing.T) { encodings(t, g, sentences[0], vectors[0]) })
	t.Run("another length is refused", func(t *testing.T) {
		if m := g.refused("/embeddings", body{"model": "minilm", "input": "a", "dimensions": 64}, http.StatusUnprocessableEntity); !strings.Contains(m, "dimensions") || !strings.Contains(m, "384") {
			t.Errorf("got %q", m)
		}
		g.embed([]string{"a"}, body{"dimensions": 384})
	})
	t.Run("an input that is too long is refused with both numbers", func(t *testing.T) {
		long := strings.Repeat("word ", 600)
		if m := g.refused("/embeddings", body{"model": "minilm", "input": []string{"short", long}}, http.StatusBadRequest); !strings.Contains(m, "512") || !strings.Contains(m, "602") || !strings.Contains(m, "input[1]") {
			t.Errorf("got %q", m)
		}
		g.embed([]string{strings.Repeat("word ", 510)}, nil)
	})
	t.Run("chat is not done", func(t *testing.T) {
		if m := g.refused("/chat/completions", body{"model": "minilm", "messages": []body{{"role": "user", "content": "x"}}}, http.StatusNotFound); !strings.Contains(m, "minilm") {
			t.Errorf("got %q", m)
		}
	})
}

// encodings asks for each encoding of an input and compares it with its numbers.
func encodings(t *testing.T, g *gateway, input string, want []float64) {
	t.Helper()
	get := func(encoding string) any {
		answer := g.must("/embeddings", body{"model": "minilm", "input": input, "encoding_format": encoding})
		return answer["data"].([]any)[0].(body)["embedding"]
	}
	numbers := func(encoding string) []float64 {
		var v []float64
		for _, x := range get(encoding).([]any) {
			v = append(v, x.(float64))
		}
		return v
	}
	raw, err := base64.StdEncoding.DecodeString(get("base64").(string))
	if err != nil || len(raw) != 4*len(want) {
		t.Fatalf("base64: %d bytes, %v", len(raw), err)
	}
	for i := range want {
		if x := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:])); math.Abs(float64(x)-want[i]) > 1e-6 {
			t.Fatalf("base64: %v at %d, want %v", x, i, want[i])
		}
	}
	if d := apart(numbers("float"), want); d > 1e-6 {
		t.Errorf("float: differs by %v", d)
	}
	signed, unsigned := numbers("int8"), numbers("uint8")
	if len(signed) != len(want) || len(unsigned) != len(want) {
		t.Fatalf("int8 has %d numbers, uint8 %d", len(signed), len(unsigned))
	}
	if c := cosine(signed, want); c < 0.99 {
		t.Errorf("int8: cosine %v", c)
	}
	bits, ubits := numbers("binary"), numbers("ubinary")
	if len(bits) != len(want)/8 || len(ubits) != len(want)/8 {
		t.Fatalf("binary has %d numbers, ubinary %d", len(bits), len(ubits))
	}
	for i, x := range want {
		if math.Abs(signed[i]-(unsigned[i]-128)) > 1 {
			t.Errorf("dimension %d: int8 %v, uint8 %v", i, signed[i], unsigned[i])
		}
		packed := int(ubits[i/8])
		if int(bits[i/8])+128 != packed {
			t.Fatalf("byte %d: binary %v, ubinary %v", i/8, bits[i/8], ubits[i/8])
		}
		if set := packed>>(7-i%8)&1 == 1; set != (x >= 0) {
			t.Errorf("dimension %d: %v is bit %v", i, x, set)
		}
	}
}
