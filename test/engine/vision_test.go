//go:build engine && linux

package engine_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/fake/tinymodel"
)

// patches is how many patches the tiny projector makes of an image, and how many tokens they are.
const patches = 16

// drawn is a smooth image, of its own for each seed.
func drawn(seed int) *image.Paletted {
	const width, height, colours = 90, 60, 256
	palette := make(color.Palette, colours)
	for i := range palette {
		palette[i] = color.RGBA{uint8(i), uint8(100 * seed), uint8(255 - i), 255}
	}
	m := image.NewPaletted(image.Rect(0, 0, width, height), palette)
	for y := range height {
		for x := range width {
			m.SetColorIndex(x, y, uint8(x+y*seed))
		}
	}
	return m
}

// picture is drawn as the data URL of a PNG, a JPEG or a GIF file.
func picture(t *testing.T, seed int, format string) string {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, drawn(seed))
	case "jpeg":
		err = jpeg.Encode(&b, drawn(seed), nil)
	case "gif":
		err = gif.Encode(&b, drawn(seed), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "data:image/" + format + ";base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// vision configures a model that chats about images, one that embeds them, and one that sees nothing.
func vision(t *testing.T) string {
	t.Helper()
	const width = 64
	return fmt.Sprintf(`
models:
  seer: {local: %s, mmproj: %s, threads: 1, context: 1024}
  vectors: {local: %s, mmproj: %s, threads: 1, context: 512, slots: 2}
  blind: {local: %s, threads: 1, context: 512}
`, tiny(t, "seer", tinymodel.Options{Arch: tinymodel.Llama, Width: width}), tiny(t, "seer-mmproj", tinymodel.Options{Arch: tinymodel.CLIP, Width: width}),
		tiny(t, "vectors", tinymodel.Options{Arch: tinymodel.Llama, Width: width, Embeds: true}), tiny(t, "vectors-mmproj", tinymodel.Options{Arch: tinymodel.CLIP, Width: width}),
		tiny(t, "blind", tinymodel.Options{Arch: tinymodel.Llama, Width: width}))
}

// look asks a model about a text and images.
func look(model, text string, images ...string) body {
	parts := []body{{"type": "text", "text": text}}
	for _, url := range images {
		parts = append(parts, body{"type": "image_url", "image_url": body{"url": url}})
	}
	return body{"model": model, "messages": []body{{"role": "user", "content": parts}}, "max_tokens": 12, "temperature": 0}
}

func used(answer body, name string) int {
	usage, _ := answer["usage"].(body)
	n, _ := usage[name].(float64)
	return int(n)
}

// detail is where an answer says its request is at fault, and why.
func (g *gateway) detail(path string, b body, status int) (loc, msg string) {
	g.t.Helper()
	got, answer := g.post(path, b)
	details, _ := answer["error"].(body)["details"].([]any)
	if got != status || len(details) == 0 {
		g.t.Fatalf("POST %s: status %d instead of %d, %.300v", path, got, status, answer)
	}
	d, _ := details[0].(body)
	where, err := json.Marshal(d["loc"])
	if err != nil {
		g.t.Fatal(err)
	}
	return string(where), fmt.Sprint(d["msg"])
}

func TestAModelSeesImages(t *testing.T) {
	g := serve(t, vision(t))
	one, two := picture(t, 1, "png"), picture(t, 2, "png")
	plain := g.must("/chat/completions", look("seer", "What is this?"))
	pid := g.engine()

	first := g.must("/chat/completions", look("seer", "What is this?", one))
	if n := used(first, "prompt_tokens") - used(plain, "prompt_tokens"); n != patches {
		t.Errorf("an image counts as %d tokens", n)
	}
	if n := used(g.must("/chat/completions", look("seer", "What is this?", one, two)), "prompt_tokens") - used(plain, "prompt_tokens"); n != 2*patches {
		t.Errorf("two images count as %d tokens", n)
	}
	if c := first["choices"].([]any)[0].(body); c["finish_reason"] != "length" || contentOf(t, first) == "" {
		t.Errorf("got %v", c)
	}
	if again := g.must("/chat/completions", look("seer", "What is this?", one)); contentOf(t, again) != contentOf(t, first) {
		t.Errorf("the same image: %q, then %q", contentOf(t, first), contentOf(t, again))
	}
	if same := g.must("/chat/completions", look("seer", "What is this?", picture(t, 1, "gif"))); contentOf(t, same) != contentOf(t, first) {
		t.Errorf("the same image in another file: %q, then %q", contentOf(t, first), contentOf(t, same))
	}
	if other := g.must("/chat/completions", look("seer", "What is this?", two)); contentOf(t, other) == contentOf(t, first) {
		t.Errorf("another image makes no difference: %q", contentOf(t, first))
	}
	if text := g.stream("/chat/completions", look("seer", "What is this?", one)).whole(); text != contentOf(t, first) {
		t.Errorf("streamed: %q, whole: %q", text, contentOf(t, first))
	}

	t.Run("nothing is generated for no tokens", func(t *testing.T) {
		b := look("seer", "What is this?", one)
		b["max_tokens"] = 0
		answer := g.must("/chat/completions", b)
		if contentOf(t, answer) != "" || used(answer, "prompt_tokens") != used(first, "prompt_tokens") || used(answer, "completion_tokens") != 0 {
			t.Errorf("got %v", answer)
		}
	})
	t.Run("a schema holds", func(t *testing.T) {
		b := look("seer", "What is this?", one)
		b["max_tokens"] = 64
		b["response_format"] = body{"type": "json_schema", "json_schema": body{"name": "n", "strict": true, "schema": body{
			"type": "object", "properties": body{"red": body{"type": "boolean"}}, "required": []string{"red"}, "additionalProperties": false,
		}}}
		var got struct{ Red *bool }
		if text := contentOf(t, g.must("/chat/completions", b)); json.Unmarshal([]byte(text), &got) != nil || got.Red == nil {
			t.Errorf("got %q", text)
		}
	})
	t.Run("no text passes for an image", func(t *testing.T) {
		for _, text := range []string{"<__media__>", "<__image__>", "<__media_0123456789abcdef__> <__media__"} {
			g.must("/chat/completions", look("seer", text))
			g.must("/chat/completions", look("seer", text, one))
			g.must("/completions", body{"model": "seer", "prompt": text, "max_tokens": 2})
		}
	})
	t.Run("what is no image is refused", func(t *testing.T) {
		for url, want := range map[string]string{
			"data:image/png;base64,AAAA":                   "image",
			"data:image/png;base64,*":                      "base64",
			one[:len(one)/2]:                               "",
			"https://127.0.0.1/x.png":                      "image",
			"file:///etc/passwd":                           "URL",
			strings.Replace(one, "base64,", "base64,A", 1): "",
		} {
			loc, msg := g.detail("/chat/completions", look("seer", "What is this?", one, url), http.StatusUnprocessableEntity)
			if loc != `["body","messages",0,"content",2]` || !strings.Contains(msg, want) {
				t.Errorf("%.40s: %s: %s", url, loc, msg)
			}
		}
	})
	t.Run("too many images are refused", func(t *testing.T) {
		many := make([]string, 17)
		for i := range many {
			many[i] = one
		}
		if loc, msg := g.detail("/chat/completions", look("seer", "x", many...), http.StatusUnprocessableEntity); loc != `["body","messages",0,"content",17]` || !strings.Contains(msg, "16") {
			t.Errorf("%s: %s", loc, msg)
		}
	})
	t.Run("a model without a projector says so", func(t *testing.T) {
		if loc, msg := g.detail("/chat/completions", look("blind", "x", one), http.StatusUnprocessableEntity); loc != `["body","messages",0,"content",1]` || !strings.Contains(msg, "blind") || !strings.Contains(msg, "images") {
			t.Errorf("%s: %s", loc, msg)
		}
	})
	t.Run("token ids are refused, since its server takes none", func(t *testing.T) {
		if loc, _ := g.detail("/completions", body{"model": "seer", "prompt": []int{72, 101}, "max_tokens": 2}, http.StatusUnprocessableEntity); loc != `["body","prompt",0]` {
			t.Error(loc)
		}
	})
	t.Run("a sound is refused", func(t *testing.T) {
		b := look("seer", "x")
		b["messages"].([]body)[0]["content"] = []body{{"type": "input_audio", "input_audio": body{"data": "UklGRgAAAABXQVZFAAAA", "format": "wav"}}}
		if loc, _ := g.detail("/chat/completions", b, http.StatusUnprocessableEntity); loc != `["body","messages",0,"content",0]` {
			t.Error(loc)
		}
	})
	t.Run("a prompt that is too long is refused with both numbers", func(t *testing.T) {
		if m := g.refused("/chat/completions", look("seer", strings.Repeat("x", 1100), one), http.StatusBadRequest); !strings.Contains(m, "1024") || !strings.Contains(m, "1126") {
			t.Error(m)
		}
	})
	if now := g.engine(); now != pid {
		t.Errorf("the engine died on the way: %d, then %d", pid, now)
	}
	g.must("/completions", body{"model": "blind", "prompt": []int{72, 101}, "max_tokens": 2})
	g.must("/embeddings", body{"model": "vectors", "input": []int{72, 101}})
}

// vectorsOf embeds inputs, each an image or a pair, and checks that the vectors have length 1.
func (g *gateway) vectorsOf(path string, b body) ([][]float64, body) {
	g.t.Helper()
	answer := g.must(path, b)
	var vectors [][]float64
	for i, d := range answer["data"].([]any) {
		d := d.(body)
		if d["index"] != float64(i) {
			g.t.Fatalf("vector %v in place %d", d["index"], i)
		}
		var v []float64
		var sum float64
		for _, x := range d["embedding"].([]any) {
			v = append(v, x.(float64))
			sum += x.(float64) * x.(float64)
		}
		if len(v) != 64 || math.Abs(sum-1) > 1e-3 {
			g.t.Fatalf("%d dimensions, the square of the length is %v", len(v), sum)
		}
		vectors = append(vectors, v)
	}
	return vectors, answer
}

func TestImagesAndTextsAreEmbeddedIntoOneSpace(t *testing.T) {
	g := serve(t, vision(t))
	images := func(items ...body) body { return body{"model": "vectors", "input": items} }
	one, two := picture(t, 1, "png"), picture(t, 2, "png")
	alone, answer := g.vectorsOf("/images/embeddings", images(body{"image": one}))
	pid := g.engine()
	if used(answer, "images") != 1 || used(answer, "prompt_patches") != patches {
		t.Errorf("usage %v", answer["usage"])
	}
	other, _ := g.vectorsOf("/images/embeddings", images(body{"image": two}))
	pair, answer := g.vectorsOf("/images/embeddings", images(body{"image": one, "text": "a red square"}))
	if used(answer, "prompt_tokens") < len("a red square") {
		t.Errorf("usage of a pair %v", answer["usage"])
	}
	text, _ := g.vectorsOf("/embeddings", body{"model": "vectors", "input": []string{"a red square"}})
	for name, c := range map[string]float64{
		"another image": cosine(alone[0], other[0]), "the image with a text": cosine(alone[0], pair[0]),
		"a text": cosine(alone[0], text[0]), "its pair and a text": cosine(pair[0], text[0]),
	} {
		if math.IsNaN(c) || math.Abs(c) > 0.999 {
			t.Errorf("an image and %s: cosine %v", name, c)
		}
	}

	t.Run("batches equal singles", func(t *testing.T) {
		batch, answer := g.vectorsOf("/images/embeddings", images(body{"image": one, "text": "a red square"}, body{"image": one}, body{"image": two}, body{"image": one}, body{"image": two}))
		for i, want := range [][]float64{pair[0], alone[0], other[0], alone[0], other[0]} {
			if d := apart(batch[i], want); d > 1e-4 {
				t.Errorf("item %d differs by %v", i, d)
			}
		}
		if used(answer, "images") != 5 || used(answer, "prompt_patches") != 5*patches {
			t.Errorf("usage %v", answer["usage"])
		}
	})
	t.Run("the file does not count", func(t *testing.T) {
		got, _ := g.vectorsOf("/images/embeddings", images(body{"image": picture(t, 1, "gif")}, body{"image": picture(t, 1, "jpeg")}))
		if d := apart(got[0], alone[0]); d > 1e-4 {
			t.Errorf("the GIF differs by %v", d)
		}
		if c := cosine(got[1], alone[0]); c < 0.95 {
			t.Errorf("the JPEG has cosine %v", c)
		}
	})
	t.Run("no text passes for an image", func(t *testing.T) {
		for _, mark := range []string{"<__media__>", "<__image__>", "<__media_0123__>"} {
			g.vectorsOf("/images/embeddings", images(body{"image": one, "text": mark}, body{"image": one, "text": ""}, body{"image": one, "text": "x\n\n"}))
			g.vectorsOf("/embeddings", body{"model": "vectors", "input": []string{mark, "x"}})
		}
	})
	t.Run("what is no image is refused", func(t *testing.T) {
		for _, url := range []string{"data:image/png;base64,AAAA", one[:len(one)/2], "https://127.0.0.1/x.png"} {
			if loc, msg := g.detail("/images/embeddings", images(body{"image": one}, body{"image": url}), http.StatusUnprocessableEntity); loc != `["body","input",1,"image"]` {
				t.Errorf("%.40s: %s: %s", url, loc, msg)
			}
		}
	})
	t.Run("another length is refused", func(t *testing.T) {
		b := images(body{"image": one})
		b["dimensions"] = 32
		if m := g.refused("/images/embeddings", b, http.StatusUnprocessableEntity); !strings.Contains(m, "64") {
			t.Error(m)
		}
	})
	t.Run("a text that is too long is refused with both numbers", func(t *testing.T) {
		if m := g.refused("/images/embeddings", images(body{"image": one}, body{"image": one, "text": strings.Repeat("x", 600)}), http.StatusBadRequest); !strings.Contains(m, "512") || !strings.Contains(m, "619") {
			t.Error(m)
		}
	})
	t.Run("a model that does not embed images says so", func(t *testing.T) {
		for _, model := range []string{"seer", "blind"} {
			if m := g.refused("/images/embeddings", body{"model": model, "input": []body{{"image": one}}}, http.StatusNotFound); !strings.Contains(m, model) {
				t.Error(m)
			}
		}
	})
	t.Run("many at the same time get their own", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				url, want := one, alone[0]
				if i%2 == 1 {
					url, want = two, other[0]
				}
				_, answer := g.post("/images/embeddings", images(body{"image": url}))
				data, ok := answer["data"].([]any)
				if !ok {
					t.Errorf("request %d: %.200v", i, answer)
					return
				}
				for k, x := range data[0].(body)["embedding"].([]any) {
					if math.Abs(x.(float64)-want[k]) > 1e-4 {
						t.Errorf("request %d got another's vector", i)
						return
					}
				}
			})
		}
		wg.Wait()
	})
	if now := g.engine(); now != pid {
		t.Errorf("the engine died on the way: %d, then %d", pid, now)
	}
}

func TestCallersWhoHangUpOverImagesHurtNobody(t *testing.T) {
	g := serve(t, vision(t))
	one := picture(t, 1, "png")
	ask := map[string]body{
		"/chat/completions":  look("seer", "What is this?", one, one, one),
		"/images/embeddings": {"model": "vectors", "input": []body{{"image": one}, {"image": one, "text": "a"}, {"image": one}}},
	}
	data := func(answer body) string {
		b, err := json.Marshal([]any{answer["choices"], answer["data"]})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := map[string]string{}
	for path, b := range ask {
		before[path] = data(g.must(path, b))
	}
	pids := g.engines()
	var wg sync.WaitGroup
	for path, b := range ask {
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*2*time.Millisecond)
				defer cancel()
				if res, err := g.open(ctx, path, b); err == nil {
					_ = res.Body.Close()
				}
			})
		}
	}
	wg.Wait()
	for path, b := range ask {
		if after := data(g.must(path, b)); after != before[path] {
			t.Errorf("%s: before %.200s, after %.200s", path, before[path], after)
		}
	}
	if now := g.engines(); !slices.Equal(now, pids) {
		t.Errorf("engines %v, then %v", pids, now)
	}
}

// tone is a WAV file of a second of a tone, in base64.
func tone(frequency float64) string {
	const rate, loud = 16000, 20000
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	le := binary.LittleEndian
	for _, n := range []uint32{16, 1 | 1<<16, rate, 2 * rate, 2 | 16<<16} { // PCM, one channel of 16 bits
		b = le.AppendUint32(b, n)
	}
	b = le.AppendUint32(append(b, "data"...), 2*rate)
	for i := range rate {
		b = le.AppendUint16(b, uint16(int16(loud*math.Sin(2*math.Pi*frequency*float64(i)/rate))))
	}
	le.PutUint32(b[4:], uint32(len(b)-8))
	return base64.StdEncoding.EncodeToString(b)
}

func TestAModelHearsSounds(t *testing.T) {
	const halfMinute = 750 // tokens of any sound up to that
	g := serve(t, fmt.Sprintf("models:\n  hearer: {local: %s, mmproj: %s, threads: 1, context: 2048}\n",
		tiny(t, "hearer", tinymodel.Options{Arch: tinymodel.Llama}), tiny(t, "hearer-mmproj", tinymodel.Options{Arch: tinymodel.CLIP, Hears: true})))
	listen := func(data, format string) body {
		b := look("hearer", "What is this?")
		b["logprobs"], b["max_tokens"] = true, 1
		b["messages"].([]body)[0]["content"] = []body{{"type": "text", "text": "What is this?"}, {"type": "input_audio", "input_audio": body{"data": data, "format": format}}}
		return b
	}
	logprob := func(answer body) any {
		return answer["choices"].([]any)[0].(body)["logprobs"].(body)["content"].([]any)[0].(body)["logprob"]
	}
	plain := g.must("/chat/completions", look("hearer", "What is this?"))
	pid := g.engine()
	low := g.must("/chat/completions", listen(tone(440), "mp3")) // what it is called does not count
	if n := used(low, "prompt_tokens") - used(plain, "prompt_tokens"); n < halfMinute {
		t.Errorf("a sound counts as %d tokens", n)
	}
	if high := g.must("/chat/completions", listen(tone(1200), "wav")); logprob(high) == logprob(low) {
		t.Errorf("another sound makes no difference: %v", logprob(low))
	}
	for name, data := range map[string]string{"no sound": "aGVsbG8gd29ybGQsIHRoaXMgaXMgdGV4dA==", "a broken one": "UklGRgAAAABXQVZFZm10IGdhcmJhZ2U="} {
		if loc, msg := g.detail("/chat/completions", listen(data, "wav"), http.StatusUnprocessableEntity); loc != `["body","messages",0,"content",1]` || !strings.Contains(msg, "ound") {
			t.Errorf("%s: %s: %s", name, loc, msg)
		}
	}
	if loc, _ := g.detail("/chat/completions", look("hearer", "x", picture(t, 1, "png")), http.StatusUnprocessableEntity); loc != `["body","messages",0,"content",1]` {
		t.Errorf("an image: %s", loc)
	}
	if now := g.engine(); now != pid {
		t.Errorf("the engine died on the way: %d, then %d", pid, now)
	}
}

func TestAProjectorThatDoesNotFitIsToldAtTheStart(t *testing.T) {
	narrow := tiny(t, "narrow", tinymodel.Options{Arch: tinymodel.CLIP, Width: 32})
	g := serve(t, fmt.Sprintf("models:\n  seer: {local: %s, mmproj: %s, threads: 1, context: 512}\n", tiny(t, "seer", tinymodel.Options{Arch: tinymodel.Llama}), narrow))
	m := g.refused("/chat/completions", look("seer", "x"), http.StatusServiceUnavailable)
	if !strings.Contains(m, "could not be started") || strings.Contains(m, filepath.Dir(narrow)) {
		t.Error(m)
	}
}
