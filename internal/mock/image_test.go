package mock_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"

	"github.com/ingot-llm/ingot/internal/llm"
	"github.com/ingot-llm/ingot/internal/mock"
)

// shades draws a picture whose pixels differ.
func shades(width, height int) *image.Paletted {
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White, color.NRGBA{200, 30, 60, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 3)
	}
	return m
}

// dataURL labels a file.
func dataURL(t *testing.T, label string, write func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return "data:" + label + ";base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

func pngURL(t *testing.T, m image.Image) string {
	t.Helper()
	return dataURL(t, "image/png", func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func shown(url string, loc ...any) llm.Image { return llm.Image{URL: llm.NewText(url), Loc: loc} }

func TestAChatWithImagesAnswersTheText(t *testing.T) {
	t.Parallel()
	r := say("x")
	r.Messages[0].Parts = []llm.Part{
		llm.NewText("What is "), shown(pngURL(t, shades(28, 15))), llm.NewText("this?"), shown(pngURL(t, shades(896, 448))),
	}
	// 3 for the message, What| is|⎵ this|?, 2 by 2 patches, and 32 by 16 of the one that is made to fit.
	want := []string{`0.0 "What"`, `0.0 " is"`, `0.0 " this"`, `0.0 "?"`, "0.0 stop", "524+4(0)"}
	if diff := cmp.Diff(want, pieces(t, mock.New(mock.Options{}).Chat(t.Context(), r))); diff != "" {
		t.Error(diff)
	}
}

func TestAnImageThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	part, item := []any{"body", "messages", 0, "content", 1}, []any{"body", "input", 1, "image"}
	whole := pngURL(t, shades(4, 4))
	for url, want := range map[string]llm.Detail{
		whole[:80]:                  {Type: "value_error", Msg: "The PNG is broken or cut off"},
		"data:image/png;base64,":    {Type: "value_error", Msg: "The image is empty"},
		"data:image/png;base64,!":   {Type: "value_error", Msg: "The data of the image's data URL is not base64"},
		"https://example.com/a.gif": {Type: "url_scheme", Msg: "Images are not fetched here: send the image itself as a data URL, data:image/png;base64,…"},
		"data:image/avif;base64," + base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x20ftypavif")): {
			Type: "value_error", Msg: "AVIF is not supported; send PNG, JPEG, GIF, WebP or BMP",
		},
	} {
		r := say("x")
		r.Messages[0].Parts = []llm.Part{shown(whole), shown(url, part...)}
		_, err := mock.New(mock.Options{}).Chat(t.Context(), r).Collect()
		want.Loc = part
		if diff := cmp.Diff(llm.Faulty(want).Details, llm.AsError(err).Details); diff != "" || llm.AsError(err).Kind != llm.Invalid {
			t.Errorf("chat with %.30s: %v %s", url, err, diff)
		}
		_, err = mock.New(mock.Options{Behaviour: mock.ImageEmbedding}).Embed(t.Context(), &llm.EmbedRequest{
			Items: []llm.Input{llm.Picture{Image: shown(whole)}, llm.Picture{Image: shown(url, item...)}},
		})
		want.Loc = item
		if diff := cmp.Diff(llm.Faulty(want).Details, llm.AsError(err).Details); diff != "" || llm.AsError(err).Kind != llm.Invalid {
			t.Errorf("embedding of %.30s: %v %s", url, err, diff)
		}
	}
}

func TestPixelsAndTextMakeTheEmbedding(t *testing.T) {
	t.Parallel()
	m := shades(20, 10)
	text := func(s string) *llm.Text { return new(llm.NewText(s)) }
	photo := dataURL(t, "image/jpeg", func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	items := []llm.Input{
		0: llm.Picture{Image: shown(pngURL(t, m))},
		1: llm.Picture{Image: shown(dataURL(t, "image/jpeg", func(b *bytes.Buffer) error { return gif.Encode(b, m, nil) }))},
		2: llm.Picture{Image: shown(dataURL(t, "text/plain", func(b *bytes.Buffer) error { return bmp.Encode(b, m) }))},
		3: llm.Picture{Image: shown(pngURL(t, m)), Text: text("a red stripe")},
		4: llm.Picture{Image: shown(pngURL(t, shades(10, 20)))},
		5: llm.Picture{Image: shown(pngURL(t, m)), Text: text("a black stripe")},
		6: llm.Picture{Image: shown(photo)},
		7: llm.Picture{Image: shown(strings.Replace(photo, "image/jpeg", "image/webp", 1))},
	}
	model := mock.New(mock.Options{Name: "eyes", Behaviour: mock.ImageEmbedding})
	reply, err := model.Embed(t.Context(), &llm.EmbedRequest{Items: items, Dimensions: new(16), InputType: llm.InputDocument})
	if err != nil {
		t.Fatal(err)
	}
	// Which is like which: the same letter is the same vector.
	got, seen := "", map[string]byte{}
	for _, v := range reply.Vectors {
		length, key := 0.0, ""
		for _, x := range v {
			length += float64(x) * float64(x)
			key += string(rune(math.Float32bits(x) >> 12))
		}
		if len(v) != 16 || math.Abs(length-1) > 1e-5 {
			t.Errorf("%d numbers of length %f", len(v), length)
		}
		if _, known := seen[key]; !known {
			seen[key] = byte('a' + len(seen))
		}
		got += string(seen[key])
	}
	if got != "aaabcdee" {
		t.Errorf("the vectors are alike as %s", got)
	}
	// Two texts of three tokens; each image is two patches by one, one of them one by two.
	want := &llm.Usage{Prompt: 6, Images: 8, Patches: 16}
	if diff := cmp.Diff(want, reply.Usage); diff != "" || reply.Model != "eyes" {
		t.Error(diff)
	}
	again, err := model.Embed(t.Context(), &llm.EmbedRequest{Items: items[:1]})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(again.Vectors[0]); n != 384 {
		t.Errorf("%d numbers", n)
	}
}

func TestManyCallersEachGetTheVectorOfTheirImage(t *testing.T) {
	t.Parallel()
	model := mock.New(mock.Options{Behaviour: mock.ImageEmbedding, Dimensions: 4})
	vector := func(side int) []float32 {
		reply, err := model.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.Picture{Image: shown(pngURL(t, shades(side, side)))}}})
		if err != nil || reply.Usage.Patches != (side+13)/14*((side+13)/14) {
			t.Errorf("side %d: %v", side, err)
			return nil
		}
		return reply.Vectors[0]
	}
	var want [20][]float32
	for i := range want {
		want[i] = vector(i + 1)
	}
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			if diff := cmp.Diff(want[i%20], vector(i%20+1)); diff != "" {
				t.Errorf("the image of side %d: %s", i%20+1, diff)
			}
		})
	}
	all.Wait()
}

func TestAModelOfImagesDoesNothingElse(t *testing.T) {
	t.Parallel()
	images := mock.New(mock.Options{Name: "eyes", Behaviour: mock.ImageEmbedding})
	_, chat := images.Chat(t.Context(), say("x")).Collect()
	_, text := images.Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.NewText("x")}})
	_, seen := mock.New(mock.Options{Behaviour: mock.Embedding}).Embed(t.Context(), &llm.EmbedRequest{Items: []llm.Input{llm.Picture{Image: shown(pngURL(t, shades(1, 1)))}}})
	for _, err := range []error{chat, text, seen} {
		if e := llm.AsError(err); e.Kind != llm.NoOperation {
			t.Error(err)
		}
	}
	infos, err := images.Models(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.ModelInfo{{
		Deployment: "eyes", Model: "eyes", Publisher: "Ingot", Provider: "mock", Context: mock.Context, Dimensions: 384,
		Operations: []llm.Operation{llm.OpEmbedImages}, Features: llm.Features{Set: llm.FeaturePairs | llm.FeatureInputType},
	}}
	if diff := cmp.Diff(want, infos); diff != "" {
		t.Error(diff)
	}
}
