// Package embed checks POST /embeddings and POST /images/embeddings.
package embed

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"strings"

	"github.com/ingot-llm/ingot/internal/conformance/check"
)

// Checks lists the checks of this package.
func Checks() []check.Check {
	return append(check.For(check.Embeddings, append(answers(), encodings()...)), check.For(check.Images, images())...)
}

// floats are the numbers of the usual text.
func floats(t *check.T) []float64 {
	return t.Embed(nil).OK().At("data", 0, "embedding").Numbers()
}

func answers() []check.Check {
	shape := func(name, requires, breaks string, input any, n int) check.Check {
		return check.Check{
			Name: "embeddings/input/" + name, Section: "5.1", Requires: requires, Breaks: breaks,
			Run: func(t *check.T) {
				data := t.Embed(check.M{"input": input}).OK().At("data")
				if data.Exists() && len(data.List()) != n {
					data.Fault("has %d vectors for %d inputs", len(data.List()), n)
				}
			},
		}
	}
	tokens := func(name, requires string, input any) check.Check {
		return check.Check{
			Name: "embeddings/input/" + name, Section: "5.1", Requires: requires,
			Breaks: "LangChain's OpenAI embeddings, which send tokens.",
			Run:    func(t *check.T) { t.Embed(check.M{"input": input}).OKOrRefused(http.StatusUnprocessableEntity) },
		}
	}
	refused := func(name, requires string, m check.M) check.Check {
		return check.Check{
			Name: "embeddings/values/" + name, Section: "5.1", Requires: requires + " is refused with 422.",
			Breaks: "Clients, which check nothing themselves: a vector of nothing spoils their index.",
			Run:    func(t *check.T) { t.Embed(m).Refused(http.StatusUnprocessableEntity) },
		}
	}
	texts := check.L{"a red square", "a blue circle", "something else entirely"}
	return []check.Check{
		{
			Name: "embeddings/answer/object", Section: "5.2", Requires: "object is list, and embedding in each element of data.", Breaks: "OpenAI's typed clients.",
			Run: func(t *check.T) {
				v := t.Embed(nil).OK()
				v.At("object").Is("list")
				v.At("data", 0, "object").Is("embedding")
			},
		},
		{
			Name: "embeddings/answer/id", Section: "5.2", Requires: "id is a GUID or 32 hexadecimal digits.", Breaks: "The Python SDK's own tests match it.",
			Run: func(t *check.T) { check.ID(t.Embed(nil).OK().At("id")) },
		},
		{
			Name: "embeddings/answer/model", Section: "5.2", Requires: "model is not empty.", Breaks: "The typed SDKs require it.",
			Run: func(t *check.T) { t.Embed(nil).OK().At("model").NonEmpty() },
		},
		{
			Name: "embeddings/answer/content-type", Section: "5.2", Requires: "Content-Type is application/json.", Breaks: "azure-core decodes JSON by this type only.",
			Run: func(t *check.T) {
				if a := t.Embed(nil); a.OK().Exists() && a.MediaType() != "application/json" {
					t.Fault("Content-Type is %q", a.Header.Get("Content-Type"))
				}
			},
		},
		{
			Name: "embeddings/answer/usage", Section: "5.2", Requires: "usage.total_tokens equals usage.prompt_tokens, and neither is 0.", Breaks: "The SDKs' own tests assert it.",
			Run: func(t *check.T) {
				u := t.Embed(nil).OK().At("usage")
				p, n := u.At("prompt_tokens"), u.At("total_tokens")
				if a, b := p.Int(), n.Int(); p.Exists() && n.Exists() && (a != b || a == 0) {
					n.Fault("is %d, prompt_tokens is %d", b, a)
				}
			},
		},
		{
			Name: "embeddings/answer/completion-tokens", Section: "5.2", Should: true, Requires: "usage.completion_tokens, where it is there, is 0.", Breaks: "Whoever counts costs.",
			Run: func(t *check.T) {
				if c := t.Embed(nil).OK().At("usage").Maybe("completion_tokens"); c.Exists() {
					c.Is(0)
				}
			},
		},
		{
			Name: "embeddings/answer/floats", Section: "5.3", Requires: "Without encoding_format the vector is a list of numbers.", Breaks: "The inference SDKs, which never set it and hand out what came.",
			Run: func(t *check.T) {
				if e := t.Embed(nil).OK().At("data", 0, "embedding"); e.Exists() && len(e.Numbers()) == 0 {
					e.Fault("holds no numbers")
				}
			},
		},
		{
			Name: "embeddings/answer/index", Section: "5.2", Requires: "data is in the order of the input, with its index.", Breaks: "Every client: texts get each other's vectors.",
			Run: func(t *check.T) {
				for i, e := range t.Embed(check.M{"input": texts}).OK().At("data").List() {
					e.At("index").Is(i)
				}
			},
		},
		{
			Name: "embeddings/answer/order", Section: "5.2", Requires: "Each text of several gets the vector that it gets alone.", Breaks: "Every client: texts get each other's vectors.",
			Run: func(t *check.T) {
				all := t.Embed(check.M{"input": texts}).OK().At("data")
				for i, text := range texts {
					together := all.At(i, "embedding").Numbers()
					alone := t.Embed(check.M{"input": check.L{text}}).OK().At("data", 0, "embedding").Numbers()
					if len(alone) > 0 && len(together) > 0 && !alike(alone, together) {
						all.Fault("element %d is another vector than its text has alone", i)
					}
				}
			},
		},
		{
			Name: "embeddings/answer/different", Section: "5.2", Requires: "Different texts have different vectors.", Breaks: "Searches find anything.",
			Run: func(t *check.T) {
				data := t.Embed(check.M{"input": texts}).OK().At("data")
				a, b := data.At(0, "embedding").Numbers(), data.At(2, "embedding").Numbers()
				if len(a) > 0 && len(b) > 0 && alike(a, b) {
					data.Fault("has the same vector twice")
				}
			},
		},
		shape("string", "input may be a string.", "OpenAI's SDKs, which pass on what the user gave.", "a red square", 1),
		shape("strings", "input may be a list of strings, each with its vector.", "Every SDK.", texts, len(texts)),
		tokens("tokens", "input may be a list of tokens, or it is refused with 422.", check.L{1, 2, 3}),
		tokens("token-lists", "input may be a list of lists of tokens, or it is refused with 422.", check.L{check.L{1, 2}, check.L{3}}),
		{
			Name: "embeddings/input/type", Section: "5.1", Requires: "input_type of text, query or document is taken, or refused with 422.", Breaks: "The SDKs' own samples, which send it.",
			Run: func(t *check.T) {
				t.Embed(check.M{"input_type": "text"}).OK()
				for _, w := range []string{"query", "document"} {
					t.Embed(check.M{"input_type": w}).OKOrRefused(http.StatusUnprocessableEntity)
				}
			},
		},
		{
			Name: "embeddings/dimensions", Section: "5.3", Requires: "dimensions gives vectors of this length, or is refused with 422.", Breaks: "Indices of a fixed width.",
			Run: func(t *check.T) {
				a := t.Embed(check.M{"dimensions": 8})
				if a.OKOrRefused(http.StatusUnprocessableEntity) {
					if e := a.OK().At("data", 0, "embedding"); e.Exists() && len(e.Numbers()) != 8 {
						e.Fault("has %d numbers, and 8 were asked for", len(e.Numbers()))
					}
				}
			},
		},
		refused("input", "A request without input", check.M{"input": check.Absent}),
		refused("input-empty", "An empty list as input", check.M{"input": check.L{}}),
		refused("input-blank", "An empty text", check.M{"input": check.L{""}}),
		refused("input-type", "A number as input", check.M{"input": 1}),
		refused("dimensions", "dimensions of 0", check.M{"dimensions": 0}),
		refused("encoding-format", "An unknown encoding_format", check.M{"encoding_format": "morse"}),
		refused("unknown-type", "An unknown input_type", check.M{"input_type": "poem"}),
		{
			Name: "embeddings/other-model", Section: "7.5", Should: true, Needs: []check.Feature{check.Names},
			Requires: "Where the model that is named cannot embed, the answer is 404 or 405, and its message says `not found` or `not allowed`.",
			Breaks:   "The SDKs' own tests.",
			Run: func(t *check.T) {
				a := t.Embed(check.M{"model": t.Subject.Chat})
				if a.Status() == http.StatusOK {
					return // it can
				}
				m := a.Refused(http.StatusNotFound, http.StatusMethodNotAllowed).At("error", "message")
				if text := strings.ToLower(m.TextOrNull()); m.Exists() && !strings.Contains(text, "not found") && !strings.Contains(text, "not allowed") {
					m.Fault("is %s", m)
				}
			},
		},
	}
}

func encodings() []check.Check {
	// encoded is the vector in a format, or nothing where the format is refused with 422.
	encoded := func(t *check.T, format string) check.Value {
		a := t.Embed(check.M{"encoding_format": format})
		if !a.OKOrRefused(http.StatusUnprocessableEntity) {
			return check.Value{}
		}
		return a.OK().At("data", 0, "embedding")
	}
	integers := func(format, requires string, low, high float64, of func(x float64) float64) check.Check {
		return check.Check{
			Name: "embeddings/encoding/" + format, Section: "5.3",
			Requires: requires + " Or the format is refused with 422.",
			Breaks:   "Java's getEmbedding takes lists only, and searches over scaled vectors.",
			Run: func(t *check.T) {
				want, v := floats(t), encoded(t, format)
				if !v.Exists() {
					return
				}
				got := v.Numbers()
				if len(got) != len(want) {
					v.Fault("has %d elements for %d dimensions", len(got), len(want))
					return
				}
				for i, g := range got {
					if g != math.Trunc(g) || g < low || g > high {
						v.Fault("[%d] is %v, no integer from %v to %v", i, g, low, high)
						return
					}
					if math.Abs(g-of(want[i])) > 1 {
						v.Fault("[%d] is %v for %v", i, g, want[i])
						return
					}
				}
			},
		}
	}
	bits := func(format, requires string, offset float64) check.Check {
		return check.Check{
			Name: "embeddings/encoding/" + format, Section: "5.3",
			Requires: requires + " Or the format is refused with 422.",
			Breaks:   "Searches by Hamming distance, which mix vectors of several servers.",
			Run: func(t *check.T) {
				want, v := floats(t), encoded(t, format)
				if !v.Exists() {
					return
				}
				got := v.Numbers()
				if len(got)*8 != len(want) {
					v.Fault("has %d bytes for %d dimensions", len(got), len(want))
					return
				}
				for i, x := range want {
					b := got[i/8] + offset
					if b != math.Trunc(b) || b < 0 || b > math.MaxUint8 {
						v.Fault("[%d] is %v", i/8, got[i/8])
						return
					}
					if set := int(b)&(0x80>>(i%8)) != 0; set != (x >= 0) && math.Abs(x) > doubt {
						v.Fault("[%d] is %v, whose bit for dimension %d does not fit %v", i/8, got[i/8], i, x)
						return
					}
				}
			},
		}
	}
	scaled := func(x float64) float64 { return max(-128, min(127, math.Round(x*127))) }
	return []check.Check{
		{
			Name: "embeddings/encoding/float", Section: "5.3", Requires: "float is a list of numbers.", Breaks: "Every client that asks for it.",
			Run: func(t *check.T) {
				want, got := floats(t), encoded(t, "float")
				if n := got.Numbers(); got.Exists() && (len(n) == 0 || !alike(want, n)) {
					got.Fault("is another vector than without encoding_format")
				}
				t.Embed(check.M{"encoding_format": "float"}).OK()
			},
		},
		{
			Name: "embeddings/encoding/base64", Section: "5.3",
			Requires: "base64 is a string: the float32 of the vector, little-endian, in standard base64 with padding.",
			Breaks:   "OpenAI's SDKs for Python and JS ask for it when the user asks for nothing; openai-node makes noise of floats.",
			Run: func(t *check.T) {
				want, v := floats(t), t.Embed(check.M{"encoding_format": "base64"}).OK().At("data", 0, "embedding")
				text := v.Text()
				raw, err := base64.StdEncoding.DecodeString(text)
				if !v.Exists() || text == "" {
					return
				}
				const width = 4
				if err != nil || len(raw) != width*len(want) {
					v.Fault("is no base64 of %d float32 (%v, %d bytes)", len(want), err, len(raw))
					return
				}
				got := make([]float64, len(want))
				for i := range got {
					got[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[width*i:])))
				}
				if !alike(want, got) {
					v.Fault("is another vector than the floats: it begins with %v, they with %v", got[0], want[0])
				}
			},
		},
		integers("int8", "int8 is a list of integers: round(127x), from -128 to 127.", math.MinInt8, math.MaxInt8, scaled),
		integers("uint8", "uint8 is a list of integers: int8 + 128.", 0, math.MaxUint8, func(x float64) float64 { return scaled(x) + 128 }),
		bits("binary", "binary is a list of bytes less 128: a bit for each dimension, 1 where it is not negative, the highest first.", 128),
		bits("ubinary", "ubinary is a list of bytes: a bit for each dimension, 1 where it is not negative, the highest first.", 0),
	}
}

// doubt is how small a number may be for its sign to differ between two runs.
const doubt = 1e-4

// alike says whether two vectors have, but for noise, the same direction and length.
func alike(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	var ab, aa, bb float64
	for i := range a {
		ab += a[i] * b[i]
		aa += a[i] * a[i]
		bb += b[i] * b[i]
	}
	const cosine, length = 0.999, 0.01
	// NaN, which wrong bytes may spell, compares false.
	return ab/math.Sqrt(aa*bb) > cosine && math.Abs(aa/bb-1) < length
}
